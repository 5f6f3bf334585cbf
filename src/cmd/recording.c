// SPDX-License-Identifier: MIT
#include "cmd/recording.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/units.h"
#include "cmd/signals.h"

#define MS ((uint64_t)1000000)
/* How often a process that has no interpreter yet is looked at. */
#define WAIT_STEP_NS MS
/* How long a process that others started may take until it has one. */
#define WAIT_ATTACHED_NS (3000 * MS)
#define PROGRESS_NS (250 * MS)
/* How often what was sampled is collected, unless there is much of it. */
#define COLLECT_NS (50 * MS)
#define RING_WORDS ((size_t)1 << 18)

/* ---- the life of the target ------------------------------------------------------------------- */

static bool target_ended(struct recording *r)
{
	if (r->spawn)
		return spawn_poll(r->spawn);
	return r->attached && target_look(&r->target) == TARGET_ENDED;
}

/* When the first tick was, 0 before that. */
static uint64_t started_ns(const struct recording *r)
{
	return r->has_sampler ? r->sampler.started_ns : 0;
}

/* True if sampling is to end now, whatever the target does. */
static bool over(struct recording *r, uint64_t now)
{
	if (signals_stop_asked()) {
		r->end = RECORDING_STOPPED;
		return true;
	}
	if (started_ns(r) && r->duration_ns && now - started_ns(r) >= r->duration_ns) {
		r->end = RECORDING_DURATION;
		return true;
	}
	return false;
}

static void detach(struct recording *r)
{
	if (r->attached)
		target_deinit(&r->target);
	r->attached = false;
}

static struct err *try_attach(struct recording *r, bool *ready_ret)
{
	*ready_ret = false;
	detach(r);
	struct err *err = target_attach(&r->target, r->pid, ready_ret);
	r->attached = true;
	return err;
}

/*
 * A launched command may be a shell or a launcher that becomes Python later; anything else is
 * expected to be Python now, give or take its start-up.
 */
static bool may_become_python(const struct recording *r, const struct err *err, uint64_t since_ns)
{
	bool patient = clock_now_ns() - since_ns < WAIT_ATTACHED_NS;

	// a process that is just starting another program is refused for a moment
	if (err && err->kind == ERR_FAILED)
		return patient;
	if (err && err->kind == ERR_PERMISSION)
		return r->spawn && patient;
	if (r->spawn)
		return true;
	return patient && (!err || (r->has_sampler && err->kind == ERR_NOT_PYTHON));
}

static struct err *never_python(const struct recording *r)
{
	if (r->spawn)
		return err_new(ERR_NOT_PYTHON,
			"the command ended before a Python interpreter appeared in it");
	return err_new(ERR_NOT_PYTHON, "process %d has no running Python interpreter", (int)r->pid);
}

enum wait_result {
	WAIT_READY,
	WAIT_ENDED, // the target ended, or an end was asked for
	WAIT_FAILED,
};

/* Waits until there is an interpreter. */
static enum wait_result wait_for_interpreter(struct recording *r, struct err **err_ret)
{
	uint64_t since = clock_now_ns();
	struct err *err = NULL;

	for (;;) {
		bool ready;

		err_free(err);
		err = try_attach(r, &ready);
		if (!err && ready)
			return WAIT_READY;
		if (target_ended(r) || over(r, clock_now_ns()))
			break;
		if (!may_become_python(r, err, since)) {
			*err_ret = err ? err : never_python(r);
			return WAIT_FAILED;
		}
		clock_sleep_until(clock_now_ns() + WAIT_STEP_NS);
	}
	*err_ret = r->spawn || !err ? never_python(r) : err;
	if (*err_ret != err)
		err_free(err);
	return WAIT_ENDED;
}

/* ---- progress --------------------------------------------------------------------------------- */

static uint64_t read_count(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static uint64_t lost(const struct recording *r)
{
	const struct sampler_counts *c = &r->sampler.counts;

	return read_count(&c->missed) + read_count(&c->lost) + r->collector.counts.failed;
}

static void add_progress(const struct recording *r, struct buf *line, uint64_t now)
{
	uint64_t elapsed = started_ns(r) ? now - started_ns(r) : 0;
	double seconds = (double)elapsed / NS_PER_SEC;

	buf_printf(line, "%.1f s  ", seconds);
	units_add_count(line, r->collector.counts.samples - r->collector.counts.left_out);
	buf_printf(line, " samples  %.0f Hz  lost ",
		seconds > 0 ? (double)read_count(&r->sampler.counts.ticks) / seconds : 0);
	units_add_count(line, lost(r));
}

/* An interpreter that is starting does not know its patch level yet: ask again later. */
static void learn_version(struct recording *r)
{
	_cleanup_buf_ struct buf version = BUF_INIT;

	if (r->version && strchr(r->version, '.') != strrchr(r->version, '.'))
		return;
	runtime_version(&r->target.rt, &r->target.live.reader, &version);
	free(r->version);
	r->version = xstrdup(buf_str(&version));
}

static void show_progress(struct recording *r, uint64_t now)
{
	_cleanup_buf_ struct buf line = BUF_INIT;

	if (!r->progress || now - r->shown_ns < PROGRESS_NS)
		return;
	r->shown_ns = now;
	add_progress(r, &line, now);
	fprintf(stderr, "\rfireglass: %s\033[K", buf_str(&line));
	fflush(stderr);
}

static void clear_progress(struct recording *r)
{
	if (r->progress && r->shown_ns)
		fprintf(stderr, "\r\033[K");
}

/* ---- sampling --------------------------------------------------------------------------------- */

static void warn_if_guessed(const struct recording *r)
{
	if (r->target.rt.guessed && !r->quiet && !r->has_sampler)
		fprintf(stderr,
			"fireglass: Python %s is newer than this fireglass; reading it as it describes "
			"itself\n",
			r->version);
}

static void *sampling_thread(void *data)
{
	struct recording *r = data;

	r->state = sampler_run(&r->sampler);
	atomic_store(&r->sampling, false);
	ring_ring(&r->ring);
	return NULL;
}

/* Signals are for the thread that collects. */
static struct err *start_thread(struct recording *r)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	atomic_store(&r->sampling, true);
	int errnum = pthread_create(&r->thread, NULL, sampling_thread, r);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return errnum ? err_errno(errnum, "cannot start the sampling thread") : NULL;
}

static struct err *check_options(struct recording *r)
{
	if (r->options.gil_only && !threads_have_gil(&r->target.rt, &r->target.live.reader))
		return err_new(ERR_USAGE,
			"Python %s runs without a GIL, so --gil would record nothing; use --no-idle",
			r->target.rt.layout.name);
	return NULL;
}

static struct err *start_sampler(struct recording *r)
{
	struct err *err = check_options(r);

	if (err)
		return err;
	learn_version(r);
	warn_if_guessed(r);
	if (r->has_sampler) {
		collector_end_threads(&r->collector);
		sampler_restart(&r->sampler);
		return start_thread(r);
	}
	r->has_sampler = true;
	ring_init(&r->ring, RING_WORDS);
	sampler_init(&r->sampler, &r->target, &r->ring, r->strategy);
	r->sampler.ticker.period_ns = r->period_ns;
	r->sampler.ticker.jitter = !r->no_jitter;
	r->sampler.no_realtime = r->no_realtime;
	r->sampler.duration_ns = r->duration_ns;
	collector_init(&r->collector, &r->ring, &r->target, r->capture, r->process,
		&r->options, r->sink);
	return start_thread(r);
}

/* Collects until the sampling thread ends; tells it to when it is time. */
static void collect(struct recording *r)
{
	while (atomic_load(&r->sampling)) {
		uint64_t now = clock_now_ns();

		if (signals_stop_asked())
			atomic_store(&r->sampler.stop, true);
		show_progress(r, now);
		learn_version(r);
		ring_wait(&r->ring, COLLECT_NS);
		collector_drain(&r->collector);
	}
	pthread_join(r->thread, NULL);
	collector_drain(&r->collector);
}

/* False when there is nothing more to sample. */
static bool recover(struct recording *r)
{
	struct err *err = NULL;

	if (over(r, clock_now_ns()))
		return false;
	if (r->state == SAMPLER_DENIED) {
		r->end = RECORDING_DENIED;
		return false;
	}
	if (!target_ended(r) && wait_for_interpreter(r, &err) == WAIT_READY)
		err = start_sampler(r);
	else if (!err)
		err = never_python(r);
	if (!err)
		return true;
	err_free(err);
	if (!over(r, clock_now_ns()))
		r->end = RECORDING_TARGET_ENDED;
	return false;
}

struct err *recording_run(struct recording *r)
{
	struct err *err = NULL;

	r->cpu_start_ns = clock_process_cpu_ns();
	r->progress = !r->quiet && isatty(STDERR_FILENO);
	if (wait_for_interpreter(r, &err) != WAIT_READY)
		return err;
	err = start_sampler(r);
	if (err)
		return err;
	do
		collect(r);
	while (recover(r));
	if (r->end == RECORDING_TARGET_ENDED)
		collector_end_threads(&r->collector);
	r->started_ns = r->sampler.started_ns;
	r->ended_ns = r->sampler.ended_ns;
	clear_progress(r);
	return NULL;
}

void recording_deinit(struct recording *r)
{
	if (r->has_sampler) {
		sampler_deinit(&r->sampler);
		collector_deinit(&r->collector);
		ring_deinit(&r->ring);
	}
	detach(r);
	free(r->version);
}

/* ---- summary ---------------------------------------------------------------------------------- */

uint64_t recording_period_ns(const struct recording *r)
{
	uint64_t ticks = read_count(&r->sampler.counts.ticks);

	if (r->period_ns || !ticks)
		return r->period_ns;
	return (r->ended_ns - r->started_ns) / ticks;
}

static void add_number(struct buf *line, uint64_t count, const char *what)
{
	units_add_count(line, count);
	buf_printf(line, " %s", what);
}

/* How the stacks were read, if not all in the cheapest way. */
static void add_rungs(const struct recording *r, struct buf *line)
{
	static const char *const names[LADDER_RUNGS] = {
		[LADDER_COSCHEDULED] = "read on the program's processor",
		[LADDER_STOPPED] = "read while it was stopped",
	};
	const char *separator = "; ";

	for (int rung = 0; rung < LADDER_RUNGS; rung++) {
		uint64_t n = read_count(&r->sampler.ladder.counts[rung]);

		if (!names[rung] || !n)
			continue;
		buf_add_str(line, separator);
		add_number(line, n, names[rung]);
		separator = ", ";
	}
}

void recording_summary(const struct recording *r)
{
	const struct collector_counts *c = &r->collector.counts;
	uint64_t ring_full = read_count(&r->sampler.counts.lost);
	uint64_t voided = read_count(&r->sampler.counts.voided);
	uint64_t elapsed = r->ended_ns - r->started_ns;
	uint64_t cpu = clock_process_cpu_ns() - r->cpu_start_ns;
	_cleanup_buf_ struct buf line = BUF_INIT;

	buf_printf(&line, "Python %s, %.1f s, ", r->version ? r->version : "?",
		(double)elapsed / NS_PER_SEC);
	add_number(&line, c->samples - c->left_out, "samples in ");
	add_number(&line, read_count(&r->sampler.counts.ticks), "ticks");
	if (c->left_out) {
		buf_add_str(&line, " (");
		add_number(&line, c->left_out, "more left out as asked)");
	}
	buf_add_str(&line, "; ");
	add_number(&line, read_count(&r->sampler.counts.missed), "ticks missed, ");
	add_number(&line, c->truncated, "stacks truncated, ");
	add_number(&line, c->failed, "reads failed");
	if (ring_full) {
		buf_add_str(&line, ", ");
		add_number(&line, ring_full, "samples lost (too fast to keep)");
	}
	if (c->reused) {
		buf_add_str(&line, "; ");
		add_number(&line, c->reused, "taken over (the thread had not run)");
	}
	if (voided) {
		buf_add_str(&line, "; ");
		add_number(&line, voided, "frames without a name (freed at that time)");
	}
	add_rungs(r, &line);
	buf_printf(&line, "; fireglass used %.1f %% of a core",
		elapsed ? 100.0 * (double)cpu / (double)elapsed : 0);
	fprintf(stderr, "fireglass: %s\n", buf_str(&line));
}

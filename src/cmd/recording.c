// SPDX-License-Identifier: MIT
#include "cmd/recording.h"

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

/* ---- the life of the target ------------------------------------------------------------------- */

static bool target_ended(struct recording *r)
{
	if (r->spawn)
		return spawn_poll(r->spawn);
	return r->attached && target_look(&r->target) == TARGET_ENDED;
}

/* True if sampling is to end now, whatever the target does. */
static bool over(struct recording *r, uint64_t now)
{
	if (signals_stop_asked()) {
		r->end = RECORDING_STOPPED;
		return true;
	}
	if (r->started_ns && r->duration_ns && now - r->started_ns >= r->duration_ns) {
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

static uint64_t lost(const struct recording *r)
{
	return r->ticker.missed + r->sampler.counts.failed;
}

static void add_progress(const struct recording *r, struct buf *line, uint64_t now)
{
	uint64_t elapsed = now - r->started_ns;
	double seconds = (double)elapsed / NS_PER_SEC;

	buf_printf(line, "%.1f s  ", seconds);
	units_add_count(line, r->sampler.counts.samples);
	buf_printf(line, " samples  %.0f Hz  lost ",
		seconds > 0 ? (double)r->ticker.ticks / seconds : 0);
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

	if (now - r->shown_ns < PROGRESS_NS)
		return;
	r->shown_ns = now;
	learn_version(r);
	if (!r->progress)
		return;
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

static struct err *start_sampler(struct recording *r)
{
	learn_version(r);
	if (r->target.rt.guessed && !r->quiet && !r->has_sampler)
		fprintf(stderr,
			"fireglass: Python %s is newer than this fireglass; reading it as it describes "
			"itself\n",
			r->version);
	if (r->has_sampler) {
		sampler_restart(&r->sampler);
		return NULL;
	}
	struct err *err =
		sampler_init(&r->sampler, &r->target, r->profile, &r->options, r->sink);
	r->has_sampler = !err;
	return err;
}

/* False when there is nothing more to sample. */
static bool recover(struct recording *r, enum sampler_state state)
{
	struct err *err = NULL;

	if (state == SAMPLER_DENIED) {
		r->end = RECORDING_DENIED;
		return false;
	}
	if (!target_ended(r) && wait_for_interpreter(r, &err) == WAIT_READY) {
		start_sampler(r);
		return true;
	}
	err_free(err);
	if (!over(r, clock_now_ns()))
		r->end = RECORDING_TARGET_ENDED;
	return false;
}

static void sample_until_over(struct recording *r)
{
	bool going = true;

	r->started_ns = clock_now_ns();
	ticker_start(&r->ticker, r->period_ns, r->started_ns);
	while (going) {
		uint64_t now = clock_now_ns();

		if (over(r, now))
			break;
		show_progress(r, now);
		if (!ticker_wait(&r->ticker))
			continue;
		enum sampler_state state = sampler_tick(&r->sampler);
		if (state != SAMPLER_OK)
			going = recover(r, state);
	}
	r->ended_ns = clock_now_ns();
	clear_progress(r);
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
	sample_until_over(r);
	return NULL;
}

void recording_deinit(struct recording *r)
{
	if (r->has_sampler)
		sampler_deinit(&r->sampler);
	detach(r);
	free(r->version);
}

/* ---- summary ---------------------------------------------------------------------------------- */

static void add_number(struct buf *line, uint64_t count, const char *what)
{
	units_add_count(line, count);
	buf_printf(line, " %s", what);
}

void recording_summary(const struct recording *r)
{
	const struct sampler_counts *c = &r->sampler.counts;
	uint64_t elapsed = r->ended_ns - r->started_ns;
	uint64_t cpu = clock_process_cpu_ns() - r->cpu_start_ns;
	_cleanup_buf_ struct buf line = BUF_INIT;

	buf_printf(&line, "Python %s, %.1f s, ", r->version ? r->version : "?",
		(double)elapsed / NS_PER_SEC);
	add_number(&line, c->samples, "samples in ");
	add_number(&line, r->ticker.ticks, "ticks");
	if (c->filtered) {
		buf_add_str(&line, " (");
		add_number(&line, c->filtered, "more left out as asked)");
	}
	buf_add_str(&line, "; ");
	add_number(&line, r->ticker.missed, "ticks missed, ");
	add_number(&line, c->truncated, "stacks truncated, ");
	add_number(&line, c->failed, "reads failed");
	buf_printf(&line, "; fireglass used %.1f %% of a core",
		elapsed ? 100.0 * (double)cpu / (double)elapsed : 0);
	fprintf(stderr, "fireglass: %s\n", buf_str(&line));
}

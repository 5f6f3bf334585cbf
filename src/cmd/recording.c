// SPDX-License-Identifier: MIT
#include "cmd/recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cmd/recording_tell.h"
#include "cmd/signals.h"

#define MS ((uint64_t)1000000)
/* How often a process that has no interpreter yet is looked at, in the beginning and later. */
#define WAIT_STEP_NS MS
#define WAIT_STEP_MAX_NS (50 * MS)
#define WAIT_STEP_SHARE 100
/* How long a process that others started may take until it has one. */
#define WAIT_ATTACHED_NS (3000 * MS)
/* How often what was sampled is collected, unless there is much of it. */
#define COLLECT_NS (50 * MS)
/* Not oftener, whatever wakes us. */
#define TURN_NS (10 * MS)
/* From so many processes on, their threads get no real-time priority. */
#define CROWD 8

bool recording_is_crowded(const struct recording *r)
{
	return family_sampled(&r->family) >= CROWD;
}

/* ---- counts ----------------------------------------------------------------------------------- */

static uint64_t read_count(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void count_one(const struct followed *f, struct recording_counts *sum)
{
	const struct sampler *s = &f->sampler;
	const struct collector_counts *c = &f->collector.counts;
	uint64_t started = read_count(&s->started_ns);

	if (!f->has_sampler)
		return;
	sum->ticks += read_count(&s->counts.ticks);
	sum->missed += read_count(&s->counts.missed);
	sum->no_room += read_count(&s->counts.lost);
	sum->voided += read_count(&s->counts.voided);
	for (int i = 0; i < LADDER_RUNGS; i++)
		sum->rungs[i] += read_count(&s->ladder.counts[i]);
	sum->samples += c->samples;
	sum->left_out += c->left_out;
	sum->reused += c->reused;
	sum->truncated += c->truncated;
	sum->failed += c->failed;
	sum->processes++;
	if (started)
		sum->sampled_ns +=
			(f->state == FOLLOWED_SAMPLED ? clock_now_ns() : s->ended_ns) - started -
			read_count(&s->paused_ns);
}

void recording_count(const struct recording *r, struct recording_counts *ret)
{
	*ret = r->past;
	for (size_t i = 0; i < r->family.count; i++)
		count_one(r->family.items[i], ret);
}

uint64_t recording_period_ns(const struct recording *r)
{
	struct recording_counts counts;

	recording_count(r, &counts);
	return r->period_ns || !counts.ticks ? r->period_ns : counts.sampled_ns / counts.ticks;
}

/* ---- ends ------------------------------------------------------------------------------------- */

/* True if sampling is to end now, whatever the processes do. */
static bool over(struct recording *r, uint64_t now)
{
	if (signals_stop_asked() || atomic_load(&r->stop_asked)) {
		r->end = RECORDING_STOPPED;
		return true;
	}
	if (r->started_ns && r->duration_ns && now - r->started_ns >= r->duration_ns) {
		r->end = RECORDING_DURATION;
		return true;
	}
	return false;
}

static struct err *never_python(const struct recording *r)
{
	if (r->spawn)
		return err_new(ERR_NOT_PYTHON,
			"the command ended before a Python interpreter appeared in it");
	return err_new(ERR_NOT_PYTHON, "process %d has no running Python interpreter%s",
		(int)r->pid, r->children ? ", nor has one that it started" : "");
}

static void end_process(struct recording *r, struct followed *f)
{
	followed_end_rows(f, r->capture, clock_wall_ns());
	f->state = FOLLOWED_ENDED;
}

static void forget_ended(struct recording *r)
{
	for (size_t i = r->family.count; i-- > 0;) {
		struct followed *f = r->family.items[i];

		if (f->state != FOLLOWED_ENDED)
			continue;
		if (r->ended_ns < f->sampler.ended_ns)
			r->ended_ns = f->sampler.ended_ns;
		count_one(f, &r->past);
		family_remove(&r->family, i);
	}
}

/* True if there is still somebody to be sampled, or who may turn out to be. */
static bool anyone_left(const struct recording *r, uint64_t now)
{
	for (size_t i = 0; i < r->family.count; i++) {
		const struct followed *f = r->family.items[i];

		if (f->first || f->state == FOLLOWED_SAMPLED)
			return true;
		// what a command that has ended left behind
		if (!r->family.items[0]->first && now - f->since_ns < WAIT_ATTACHED_NS)
			return true;
	}
	return false;
}

/* ---- waiting for an interpreter --------------------------------------------------------------- */

static bool sampled_before(const struct recording *r)
{
	return r->started_ns != 0;
}

/*
 * A launched command may be a shell or a launcher that becomes Python later; anything else is
 * expected to be Python now, give or take its start-up.
 */
static bool may_become_python(const struct recording *r, const struct followed *f,
	const struct err *err, uint64_t now)
{
	bool patient = now - f->since_ns < WAIT_ATTACHED_NS;
	bool not_yet = !err || err->kind == ERR_NOT_PYTHON;

	// a process that is just starting another program is refused for a moment
	if (err && err->kind == ERR_FAILED)
		return patient;
	if (err && err->kind == ERR_PERMISSION)
		return r->spawn && patient;
	if (r->spawn || (not_yet && r->children && sampled_before(r)))
		return true;
	return patient && not_yet && (!err || f->has_sampler || r->children);
}

/* The process that was asked for is no Python. */
static struct err *wait_for_first(
	struct recording *r, struct followed *f, struct err *err, uint64_t now)
{
	uint64_t step = (now - f->since_ns) / WAIT_STEP_SHARE;

	if (!may_become_python(r, f, err, now)) {
		end_process(r, f);
		return err ? err : never_python(r);
	}
	err_free(err);
	if (step < WAIT_STEP_NS)
		step = WAIT_STEP_NS;
	f->due_ns = now + (step < WAIT_STEP_MAX_NS ? step : WAIT_STEP_MAX_NS);
	return NULL;
}

/* The first is said, the others are counted. */
static void note_unread(struct recording *r, struct followed *f, const char *why)
{
	if (f->denied)
		return;
	f->denied = true;
	if (r->unread++ || r->quiet)
		return;
	recording_clear_progress(r);
	fprintf(stderr, "fireglass: cannot sample process %d: %s\n", (int)f->pid, why);
}

static void wait_for_child(struct recording *r, struct followed *f, struct err *err, uint64_t now)
{
	if (err && err->kind == ERR_PERMISSION && now - f->since_ns > WAIT_ATTACHED_NS / 10)
		note_unread(r, f, err->message);
	err_free(err);
	family_note(&r->family, f, false, now);
}

static struct err *check_options(const struct recording *r, struct followed *f)
{
	if (r->options.gil_only && f->first &&
		!threads_have_gil(&f->target.rt, &f->target.live.reader))
		return err_new(ERR_USAGE,
			"Python %s runs without a GIL, so --gil would record nothing; use --no-idle",
			f->target.rt.layout.name);
	return NULL;
}

static void warn_if_guessed(const struct recording *r, const struct followed *f)
{
	if (f->target.rt.guessed && !r->quiet && !f->has_sampler)
		fprintf(stderr,
			"fireglass: Python %s is newer than this fireglass; reading it as it describes "
			"itself\n",
			f->target.rt.layout.name);
}

static void take_facts(struct recording *r, const struct followed *f)
{
	if (r->exe && !f->first)
		return;
	free(r->exe);
	r->exe = xstrdup(buf_str(&f->target.exe));
}

static struct err *begin_sampling(struct recording *r, struct followed *f)
{
	struct err *err = check_options(r, f);

	if (err)
		return err;
	warn_if_guessed(r, f);
	take_facts(r, f);
	return followed_start(f, r);
}

static bool has_ended(const struct recording *r, struct followed *f, uint64_t now)
{
	// of the first, also for its program; if it was never there, attaching tells it better
	bool there = followed_look(f, now);

	if (f->first && r->spawn)
		return spawn_poll(r->spawn);
	return !there && (!f->first || f->attached);
}

static void start_child(struct recording *r, struct followed *f)
{
	if (family_sampled(&r->family) >= FAMILY_SAMPLED_MAX) {
		note_unread(r, f, "too many at once");
		return;
	}
	struct err *err = begin_sampling(r, f);
	if (err)
		note_unread(r, f, err->message);
	err_free(err);
}

/* Looks into a process that is not sampled. Errors are of the first one. */
static struct err *look_into(struct recording *r, struct followed *f, uint64_t now)
{
	bool ready;

	if (has_ended(r, f, now)) {
		end_process(r, f);
		return f->first && !r->children ? never_python(r) : NULL;
	}
	if (!family_may_be_python(&r->family, f, now))
		return NULL;
	struct err *err = followed_attach(f, &ready);
	if (!err && ready) {
		family_note(&r->family, f, true, now);
		if (f->first)
			return begin_sampling(r, f);
		start_child(r, f);
	} else if (f->first) {
		return wait_for_first(r, f, err, now);
	} else {
		wait_for_child(r, f, err, now);
	}
	return NULL;
}

/* ---- sampling --------------------------------------------------------------------------------- */

/* The sampling thread of a process has ended of itself. */
static void take_end(struct recording *r, struct followed *f, uint64_t now)
{
	followed_stop(f);
	atomic_store(&f->sampler.stop, false);
	switch (f->result) {
	case SAMPLER_OK:
		return;
	case SAMPLER_DENIED:
		r->first_denied |= f->first;
		r->unread += !f->first;
		return;
	case SAMPLER_LOST:
		break;
	}
	f->state = FOLLOWED_WAITS;
	f->since_ns = f->due_ns = now;
	if (has_ended(r, f, now))
		end_process(r, f);
}

static void learn_version(struct recording *r, struct followed *f)
{
	followed_learn_version(f);
	if (r->version && !f->first)
		return;
	if (r->version && strcmp(r->version, f->version) == 0)
		return;
	free(r->version);
	r->version = xstrdup(f->version);
}

static void watch(struct recording *r, struct followed *f)
{
	uint64_t started = read_count(&f->sampler.started_ns);

	if (!r->started_ns || (started && started < r->started_ns))
		r->started_ns = started;
	learn_version(r, f);
}

/* What each process is about. An error is only of the first one, and only before there were samples. */
static struct err *follow(struct recording *r, uint64_t now)
{
	for (size_t i = 0; i < r->family.count; i++) {
		struct followed *f = r->family.items[i];
		struct err *err = NULL;

		if (f->state == FOLLOWED_SAMPLED) {
			watch(r, f);
			if (!atomic_load(&f->sampling))
				take_end(r, f, now);
		}
		if (f->state == FOLLOWED_WAITS && now >= f->due_ns)
			err = look_into(r, f, now);
		if (err && !sampled_before(r))
			return err;
		err_free(err);
	}
	forget_ended(r);
	return NULL;
}

static void collect(struct recording *r)
{
	for (size_t i = 0; i < r->family.count; i++)
		if (r->family.items[i]->has_sampler)
			collector_drain(&r->family.items[i]->collector);
}

static void turn(struct recording *r, uint64_t now)
{
	if (!r->turn || now - r->turned_ns < TURN_NS)
		return;
	r->turned_ns = now;
	r->turn(r->turn_data);
}

/* Until when there is nothing to do, unless the bell rings. */
static uint64_t next_due(const struct recording *r, uint64_t now)
{
	uint64_t due = now + COLLECT_NS;

	if (r->children && r->family.due_ns < due)
		due = r->family.due_ns;
	for (size_t i = 0; i < r->family.count; i++) {
		struct followed *f = r->family.items[i];

		if (f->state == FOLLOWED_SAMPLED && ring_filling(&f->ring))
			return now;
		if (f->state == FOLLOWED_WAITS && f->due_ns < due)
			due = f->due_ns;
	}
	return due;
}

static void wait_for_something(struct recording *r, uint32_t bell)
{
	uint64_t now = clock_now_ns(), due = next_due(r, now);

	if (due > now)
		clock_wait(&r->bell, bell, due - now);
}

/* ---- life ------------------------------------------------------------------------------------- */

/* Those whose interpreter was lost so late that nobody has seen them end. */
static void end_lost(struct recording *r)
{
	for (size_t i = 0; i < r->family.count; i++) {
		struct followed *f = r->family.items[i];

		if (f->has_sampler && f->result == SAMPLER_LOST && !followed_look(f, f->due_ns))
			followed_end_rows(f, r->capture, f->result_wall_ns);
	}
}

/* All at once, so that they end at the same time. */
static void stop_all(struct recording *r)
{
	struct family *family = &r->family;

	for (size_t i = 0; i < family->count; i++)
		if (family->items[i]->has_sampler)
			atomic_store(&family->items[i]->sampler.stop, true);
	for (size_t i = 0; i < family->count; i++) {
		struct followed *f = family->items[i];

		if (f->state == FOLLOWED_SAMPLED)
			watch(r, f);
		followed_stop(f);
		if (f->has_sampler && f->sampler.ended_ns > r->ended_ns)
			r->ended_ns = f->sampler.ended_ns;
	}
	end_lost(r);
	recording_mark_pause(r);
	r->paused = false;
}

static struct err *run(struct recording *r)
{
	struct err *err = NULL;

	for (uint64_t now = clock_now_ns(); !over(r, now); now = clock_now_ns()) {
		uint32_t bell = atomic_load_explicit(&r->bell, memory_order_acquire);

		recording_follow_pause(r);
		if (r->children)
			family_look(&r->family, now);
		err = follow(r, now);
		if (err || over(r, clock_now_ns()))
			break;
		if (!anyone_left(r, now)) {
			r->end = RECORDING_TARGET_ENDED;
			break;
		}
		recording_show_progress(r, now);
		wait_for_something(r, bell);
		collect(r);
		turn(r, now);
	}
	return err;
}

struct err *recording_run(struct recording *r)
{
	r->cpu_start_ns = clock_process_cpu_ns();
	r->progress = !r->quiet && isatty(STDERR_FILENO);
	family_init(&r->family, r->pid, r->process, clock_now_ns());
	struct err *err = run(r);

	stop_all(r);
	recording_clear_progress(r);
	if (err)
		return err;
	if (r->end == RECORDING_TARGET_ENDED && r->first_denied)
		r->end = RECORDING_DENIED;
	return sampled_before(r) ? NULL : never_python(r);
}

void recording_deinit(struct recording *r)
{
	family_deinit(&r->family);
	free(r->version);
	free(r->exe);
}

// SPDX-License-Identifier: MIT
#include "sample/sampler.h"

#include "base/clock.h"
#include "os/proc.h"

/* Reads of a stack whose code objects are not known yet. */
#define CODE_ATTEMPTS 4

struct err *sampler_init(struct sampler *s, struct target *target, struct profile *profile,
	const struct sampler_options *options, struct sample_sink *sink)
{
	if (options->gil_only && target->rt.layout.gil == GIL_FREE_THREADED)
		return err_new(ERR_USAGE,
			"Python %s runs without a GIL, so --gil would record nothing; use --no-idle",
			target->rt.layout.name);
	*s = (struct sampler){
		.target = target,
		.profile = profile,
		.options = *options,
		.sink = sink,
		.truncated_frame = profile_plain_frame(profile, FUNCTION_MARK, "(truncated)"),
		.failed_frame = profile_plain_frame(profile, FUNCTION_MARK, "(not readable)"),
		.empty_frame = profile_plain_frame(profile, FUNCTION_MARK, "(no Python frame)"),
	};
	roster_init(&s->roster, target);
	resolver_init(&s->resolver, &target->rt, &target->live.reader, profile);
	ladder_init(&s->ladder);
	return NULL;
}

void sampler_deinit(struct sampler *s)
{
	roster_deinit(&s->roster);
	resolver_deinit(&s->resolver);
	ladder_deinit(&s->ladder);
	*s = (struct sampler){ 0 };
}

void sampler_restart(struct sampler *s)
{
	roster_clear(&s->roster);
	resolver_forget(&s->resolver);
}

/* ---- state of a thread ------------------------------------------------------------------------ */

static enum thread_run thread_run(const struct sampled_thread *t)
{
	struct proc_stat stat;

	if (t->stat_fd < 0 || !proc_pread_stat(t->stat_fd, &stat))
		return THREAD_UNKNOWN;
	switch (stat.state) {
	case 'R':
		return THREAD_RUNNING;
	case 'T':
	case 't':
		return THREAD_STOPPED;
	default:
		return THREAD_WAITING;
	}
}

/*
 * True if the thread has not run since its last sample: it was blocked then, and its run time and
 * its number of time slices are what they were. (For a thread that is running they prove nothing:
 * the kernel refreshes them at scheduler ticks.)
 */
static bool thread_still(const struct sampled_thread *t)
{
	struct proc_schedstat now;

	return t->still && t->schedstat_fd >= 0 && proc_pread_schedstat(t->schedstat_fd, &now) &&
	       now.slices == t->slices && now.run_ns == t->run_ns;
}

/* Notes where the thread stands; false if that cannot be seen. */
static bool note_schedule(struct sampled_thread *t)
{
	struct proc_schedstat now;

	if (t->schedstat_fd < 0 || !proc_pread_schedstat(t->schedstat_fd, &now))
		return false;
	t->slices = now.slices;
	t->run_ns = now.run_ns;
	return true;
}

/*
 * The state of a thread before its stack is read. *noted_ret: it waited, and where it stands was
 * noted before that was seen, so that the stack read next can be used again for as long as it
 * stands there. A thread that ran the last time is expected to run: its state alone is looked at.
 */
static enum thread_run look_at(struct sampled_thread *t, bool *noted_ret)
{
	enum thread_run run;

	*noted_ret = false;
	if (t->ran) {
		run = thread_run(t);
		if (run != THREAD_WAITING)
			return run;
	}
	bool noted = note_schedule(t);
	run = thread_run(t);
	*noted_ret = noted && run == THREAD_WAITING;
	return run;
}

/* ---- riders ----------------------------------------------------------------------------------- */

static void ride(struct sampler_riders *r, remote_addr addr, void *buf, size_t len)
{
	r->set.ranges[r->set.count++] = (struct mem_range){ addr, buf, len };
}

static void ride_gil(struct sampler *s, const struct sampled_thread *t)
{
	const struct py_runtime *rt = &s->target->rt;
	struct sampler_riders *r = &s->riders;

	r->has_gil = true;
	switch (rt->layout.gil) {
	case GIL_CURRENT_SYMBOL:
	case GIL_RUNTIME_CURRENT:
		ride(r, rt->tstate_current, r->gil, 8);
		return;
	case GIL_PER_INTERPRETER:
		if (!t->py.gil)
			break;
		ride(r, t->py.gil + rt->layout.at.gil_last_holder, r->gil, 16);
		return;
	case GIL_THREAD_FLAG:
	case GIL_FREE_THREADED:
		break;
	}
	r->has_gil = false;
}

/* The ranges every stack is read with; the resolver adds its own. */
static void fill_riders(struct sampler *s, struct sampled_thread *t)
{
	const struct py_runtime *rt = &s->target->rt;
	struct sampler_riders *r = &s->riders;

	r->set.count = 0;
	ride(r, rt->interp_head, &r->first_interp, sizeof(r->first_interp));
	ride(r, t->py.interp + rt->layout.at.interp_threads_head, &r->first_thread,
		sizeof(r->first_thread));
	ride_gil(s, t);
	t->reader.riders = &r->set;
}

#define RIDERS_OF_LISTS 2

static bool lists_changed(const struct sampler *s, const struct sampled_thread *t)
{
	const struct sampler_riders *r = &s->riders;

	return r->set.whole >= RIDERS_OF_LISTS && (r->first_interp != s->roster.list.first_interp ||
							  r->first_thread != t->py.first_thread);
}

static bool rider_says_gil(const struct sampler *s, const struct sampled_thread *t)
{
	const struct sampler_riders *r = &s->riders;
	const struct py_layout *layout = &s->target->rt.layout;

	if (!r->has_gil || r->set.whole <= RIDERS_OF_LISTS || field_u64(r->gil, 0) != t->py.state)
		return false;
	return layout->gil != GIL_PER_INTERPRETER ||
	       field_u32(r->gil, layout->at.gil_locked - layout->at.gil_last_holder) == 1;
}

/* ---- one sample ------------------------------------------------------------------------------- */

static stack_id root_stack(struct sampler *s, const struct sampled_thread *t)
{
	if (!s->options.thread_roots)
		return STACK_NONE;
	return profile_stack(s->profile, STACK_NONE,
		profile_plain_frame(s->profile, FUNCTION_THREAD, t->name));
}

static stack_id marked(struct sampler *s, stack_id stack, frame_id mark)
{
	return profile_stack(s->profile, stack, mark);
}

/* Reads until all code objects of the stack are known from before the stack was read. */
static enum read_status read_known_stack(struct sampler *s, struct sampled_thread *t, bool running,
	const struct raw_stack **raw_ret)
{
	for (int i = 0; i < CODE_ATTEMPTS; i++) {
		fill_riders(s, t);
		resolver_begin(&s->resolver, &t->codes, t->py.interp, &s->riders.set);
		enum read_status status = ladder_read(&s->ladder, &t->ladder, &t->reader,
			&s->target->rt, &s->target->live.reader, t->stat_fd, running, raw_ret);

		if (status != READ_OK)
			return status;
		if (!resolver_prepare(
			    &s->resolver, *raw_ret, t->py.interp, &s->riders.set, &t->codes))
			break;
	}
	// of code that is made and thrown away all the time, what was read last is the newest there is
	return READ_OK;
}

static enum read_status read_sample(struct sampler *s, struct sampled_thread *t, struct sample *out)
{
	const struct raw_stack *raw;
	stack_id root = root_stack(s, t);
	enum read_status status = READ_TORN;

	for (int i = 0; i < CODE_ATTEMPTS && status == READ_TORN; i++) {
		status = read_known_stack(s, t, out->run == THREAD_RUNNING, &raw);
		if (status == READ_OK)
			status = resolver_stack(&s->resolver, raw, root, &out->stack);
	}
	if (status != READ_OK)
		return status;
	s->relist |= lists_changed(s, t);
	t->has_frames = raw->count;
	out->holds_gil = raw->holds_gil || rider_says_gil(s, t);
	out->proof = raw->unproven || raw->too_deep ? SAMPLE_TRUNCATED : SAMPLE_VERIFIED;
	if (out->proof == SAMPLE_TRUNCATED)
		out->stack = marked(s, out->stack, s->truncated_frame);
	else if (!raw->count)
		out->stack = marked(s, root, s->empty_frame);
	return READ_OK;
}

static void emit(struct sampler *s, const struct sample *sample)
{
	s->counts.reused += sample->proof == SAMPLE_REUSED;
	s->counts.truncated += sample->proof == SAMPLE_TRUNCATED;
	s->counts.failed += sample->proof == SAMPLE_FAILED;
	if ((s->options.no_idle && sample->run != THREAD_RUNNING) ||
		(s->options.gil_only && !sample->holds_gil)) {
		s->counts.filtered++;
		return;
	}
	s->counts.samples++;
	s->sink->sample(s->sink, sample);
}

/* True if an interpreter further in, on the same kernel thread, is what runs. */
static bool runs_inner(const struct sampler *s, const struct sampled_thread *t)
{
	for (size_t i = 0; t->shares_tid && i < s->roster.count; i++) {
		const struct sampled_thread *u = s->roster.threads[i];

		if (u == t)
			break;
		if (u->tid == t->tid && u->has_frames && !u->gone)
			return true;
	}
	return false;
}

static enum read_status sample_fresh(struct sampler *s, struct sampled_thread *t, struct sample *out)
{
	bool noted;

	t->still = false;
	out->run = look_at(t, &noted);
	t->ran = out->run == THREAD_RUNNING;
	enum read_status status = read_sample(s, t, out);
	if (status == READ_TORN) {
		out->proof = SAMPLE_FAILED;
		out->stack = marked(s, root_stack(s, t), s->failed_frame);
		return READ_OK;
	}
	if (status != READ_OK)
		return status;
	if (runs_inner(s, t))
		out->run = THREAD_WAITING;
	t->still = noted && out->proof == SAMPLE_VERIFIED;
	t->last_stack = out->stack;
	t->last_gil = out->holds_gil;
	return READ_OK;
}

static enum read_status sample_thread(struct sampler *s, struct sampled_thread *t, uint64_t time_ns)
{
	struct sample sample = { .time_ns = time_ns, .thread = t };
	enum read_status status = READ_OK;

	t->sampled = s->ticks;
	if (thread_still(t)) {
		sample.run = THREAD_WAITING;
		sample.proof = SAMPLE_REUSED;
		sample.stack = t->last_stack;
		sample.holds_gil = t->last_gil;
	} else {
		status = sample_fresh(s, t, &sample);
	}
	if (status == READ_GONE || status == READ_FAULT) {
		// the thread ended, or all of the process did: the next list will tell
		t->gone = true;
		s->relist = true;
		return READ_GONE;
	}
	// a thread state that is kept for an interpreter the thread is not in is no sample
	if (status == READ_OK && (t->has_frames || !t->shares_tid))
		emit(s, &sample);
	return status;
}

/* Those that were not yet in this tick. */
static enum read_status sample_all(struct sampler *s, uint64_t time_ns)
{
	for (size_t i = 0; i < s->roster.count; i++) {
		struct sampled_thread *t = s->roster.threads[i];

		if (t->sampled == s->ticks || t->gone)
			continue;
		enum read_status status = sample_thread(s, t, time_ns);
		if (status != READ_OK && status != READ_GONE)
			return status;
	}
	return READ_OK;
}

static enum read_status follow_threads(struct sampler *s, bool force)
{
	uint64_t now = clock_now_ns();

	if (!force && !roster_stale(&s->roster, now))
		return READ_OK;
	enum read_status status = roster_update(&s->roster, now);
	// a list that changes all the time: go on with the threads that are known
	s->relist = status == READ_TORN;
	return s->relist && s->roster.count ? READ_OK : status;
}

static bool any_alive(const struct sampler *s)
{
	for (size_t i = 0; i < s->roster.count; i++)
		if (!s->roster.threads[i]->gone)
			return true;
	return false;
}

enum sampler_state sampler_tick(struct sampler *s)
{
	uint64_t time_ns = clock_wall_ns();
	enum read_status status = follow_threads(s, s->relist || !s->roster.count);

	s->ticks++;
	ladder_begin_tick(&s->ladder);
	if (status == READ_OK)
		status = sample_all(s, time_ns);
	// threads that came up since the last list belong to this tick as well
	if (status == READ_OK && s->relist)
		status = follow_threads(s, true);
	if (status == READ_OK)
		status = sample_all(s, time_ns);
	ladder_end_tick(&s->ladder);
	if (status == READ_DENIED)
		return SAMPLER_DENIED;
	return status == READ_OK && any_alive(s) ? SAMPLER_OK : SAMPLER_LOST;
}

// SPDX-License-Identifier: MIT
#include "sample/sampler.h"

#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "os/proc.h"

/* Reads of a stack whose code objects are not known yet. */
#define CODE_ATTEMPTS 4

void sampler_init(struct sampler *s, struct target *target, struct ring *ring,
	enum ladder_strategy strategy)
{
	*s = (struct sampler){ .target = target, .ring = ring };
	roster_init(&s->roster, target);
	codes_init(&s->codes, &target->rt, &target->live.reader, ring);
	ladder_init(&s->ladder, strategy);
}

void sampler_deinit(struct sampler *s)
{
	ladder_deinit(&s->ladder);
	roster_deinit(&s->roster);
	codes_deinit(&s->codes);
}

void sampler_restart(struct sampler *s)
{
	roster_clear(&s->roster);
	codes_forget(&s->codes);
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
	case GIL_FREE_THREADED:
		if (!t->py.gil)
			break;
		ride(r, t->py.gil + rt->layout.at.gil_last_holder, r->gil, 16);
		return;
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

/* Who holds the GIL, as it was read with this stack; 0: nobody. */
static remote_addr gil_holder(const struct sampler *s, const struct sampled_thread *t)
{
	const struct sampler_riders *r = &s->riders;
	const struct py_layout *layout = &s->target->rt.layout;

	if (!r->has_gil || r->set.whole <= RIDERS_OF_LISTS)
		return 0;
	if (t->py.gil &&
		field_u32(r->gil, layout->at.gil_locked - layout->at.gil_last_holder) != 1)
		return 0;
	return field_u64(r->gil, 0);
}

/* What the first thread of a tick that saw a holder said of the GIL goes for all of them. */
static bool holds_gil(struct sampler *s, const struct sampled_thread *t)
{
	remote_addr holder = gil_holder(s, t);
	remote_addr gil = t->py.gil ? t->py.gil : 1;

	for (size_t i = 0; i < s->holder_count; i++)
		if (s->holders[i].gil == gil)
			return s->holders[i].holder == t->py.state;
	if (holder && s->holder_count < ARRAY_LEN(s->holders)) {
		s->holders[s->holder_count].gil = gil;
		s->holders[s->holder_count++].holder = holder;
	}
	return holder == t->py.state;
}

/* ---- handing over ----------------------------------------------------------------------------- */

/* False if there was no room: the thread's samples are lost until there is. */
static bool announce(struct sampler *s, struct sampled_thread *t)
{
	struct record_header header = { .type = RECORD_THREAD, .index = t->index };

	if (t->announced)
		return true;
	if (!ring_begin(s->ring, 5))
		return false;
	ring_put(s->ring, record_pack(&header));
	ring_put(s->ring, (uint64_t)t->tid << 1 | t->py.main);
	ring_put(s->ring, t->py.pthread);
	ring_put(s->ring, t->py.interp);
	ring_put(s->ring, t->py.interp_id);
	ring_commit(s->ring);
	t->announced = true;
	t->depth = 0;
	return true;
}

static void count(_Atomic uint64_t *counter, uint64_t n)
{
	// one writer only
	atomic_store_explicit(counter,
		atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

/* The frames of t->fresh above those it has in common with its last stack. */
static void push(struct sampler *s, struct sampled_thread *t, struct record_header *header,
	uint64_t time_ns, size_t depth)
{
	size_t common = 0;

	while (common < depth && common < t->depth && t->frames[common] == t->fresh[common])
		common++;
	header->index = t->index;
	header->type = RECORD_SAMPLE;
	header->count = (uint32_t)(depth - common);
	if (!announce(s, t) || !ring_begin(s->ring, 3 + header->count)) {
		count(&s->counts.lost, 1);
		return;
	}
	ring_put(s->ring, record_pack(header));
	ring_put(s->ring, time_ns);
	ring_put(s->ring, common);
	for (size_t i = common; i < depth; i++)
		ring_put(s->ring, t->fresh[i]);
	ring_commit(s->ring);
	array_reserve(t->frames, t->frame_capacity, depth);
	memcpy(t->frames + common, t->fresh + common, (depth - common) * sizeof(*t->frames));
	t->depth = depth;
}

/* The same stack as the last time. */
static void push_again(
	struct sampler *s, struct sampled_thread *t, struct record_header *header, uint64_t time_ns)
{
	header->index = t->index;
	header->type = RECORD_SAMPLE;
	if (!ring_begin(s->ring, 3)) {
		count(&s->counts.lost, 1);
		return;
	}
	ring_put(s->ring, record_pack(header));
	ring_put(s->ring, time_ns);
	ring_put(s->ring, t->depth);
	ring_commit(s->ring);
}

/* ---- one sample ------------------------------------------------------------------------------- */

/* Reads until all code objects of the stack are known from before the stack was read. */
static enum read_status read_known_stack(struct sampler *s, struct sampled_thread *t, bool running,
	const struct raw_stack **raw_ret)
{
	const struct ladder_target target = {
		.reader = &t->reader,
		.rt = &s->target->rt,
		.mem = &s->target->live.reader,
		.tid = t->tid,
		.stat_fd = t->stat_fd,
		.running = running,
	};

	for (int i = 0; i < CODE_ATTEMPTS; i++) {
		fill_riders(s, t);
		codes_begin(&s->codes, &t->codes, t->py.interp, &s->riders.set);
		enum read_status status = ladder_read(&s->ladder, &t->ladder, &target, raw_ret);

		if (status != READ_OK)
			return status;
		if (!codes_prepare(&s->codes, *raw_ret, t->py.interp, &s->riders.set, &t->codes))
			break;
	}
	// of code that is made and thrown away all the time, what was read last is the newest there is
	return READ_OK;
}

/* The stack as it goes through the ring, root first, in t->fresh. */
static enum read_status pack(struct sampler *s, struct sampled_thread *t,
	const struct raw_stack *raw, size_t *depth_ret)
{
	size_t depth = 0;

	array_reserve(t->fresh, t->fresh_capacity, raw->count);
	for (size_t i = raw->count; i-- > 0;) {
		enum read_status status =
			codes_frame(&s->codes, &raw->frames[i], &t->fresh[depth]);

		if (status != READ_OK)
			return status;
		depth += t->fresh[depth] != FRAME_INTERNAL;
	}
	*depth_ret = depth;
	return READ_OK;
}

static enum read_status read_sample(struct sampler *s, struct sampled_thread *t,
	struct record_header *out, size_t *depth_ret)
{
	const struct raw_stack *raw = NULL;
	enum read_status status = READ_TORN;

	for (int i = 0; i < CODE_ATTEMPTS && status == READ_TORN; i++) {
		status = read_known_stack(s, t, out->run == THREAD_RUNNING, &raw);
		if (status == READ_OK)
			status = pack(s, t, raw, depth_ret);
	}
	if (status != READ_OK)
		return status;
	s->relist |= lists_changed(s, t);
	t->has_frames = *depth_ret;
	out->holds_gil = holds_gil(s, t);
	out->proof = raw->unproven || raw->too_deep ? SAMPLE_TRUNCATED : SAMPLE_VERIFIED;
	return READ_OK;
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

static enum read_status sample_fresh(
	struct sampler *s, struct sampled_thread *t, uint64_t time_ns)
{
	struct record_header header = { 0 };
	size_t depth = 0;
	bool noted;

	t->still = false;
	header.run = look_at(t, &noted);
	t->ran = header.run == THREAD_RUNNING;
	enum read_status status = read_sample(s, t, &header, &depth);
	if (status == READ_TORN)
		header.proof = SAMPLE_FAILED;
	else if (status != READ_OK)
		return status;
	if (runs_inner(s, t))
		header.run = THREAD_WAITING;
	t->last_gil = header.holds_gil;
	// a thread state that is kept for an interpreter the thread is not in is no sample
	if (!t->has_frames && t->shares_tid)
		return READ_OK;
	push(s, t, &header, time_ns, depth);
	t->still = noted && header.proof == SAMPLE_VERIFIED && t->depth == depth;
	return READ_OK;
}

static enum read_status sample_thread(struct sampler *s, struct sampled_thread *t, uint64_t time_ns)
{
	enum read_status status = READ_OK;

	t->sampled = s->ticks;
	if (thread_still(t)) {
		struct record_header header = { .run = THREAD_WAITING, .proof = SAMPLE_REUSED,
			.holds_gil = t->last_gil };

		push_again(s, t, &header, time_ns);
	} else {
		status = sample_fresh(s, t, time_ns);
	}
	if (status != READ_GONE && status != READ_FAULT)
		return status;
	// the thread ended, or all of the process did: the next list will tell
	t->gone = true;
	s->relist = true;
	return READ_GONE;
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
	s->relist = status == READ_TORN || s->roster.list.unstarted;
	return status == READ_TORN && s->roster.count ? READ_OK : status;
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
	s->holder_count = 0;
	ladder_begin_tick(&s->ladder);
	if (status == READ_OK)
		status = sample_all(s, time_ns);
	// threads that came up since the last list belong to this tick as well
	if (status == READ_OK && s->relist && !s->roster.list.unstarted)
		status = follow_threads(s, true);
	if (status == READ_OK)
		status = sample_all(s, time_ns);
	ladder_end_tick(&s->ladder);
	if (status == READ_DENIED)
		return SAMPLER_DENIED;
	return status == READ_OK && any_alive(s) ? SAMPLER_OK : SAMPLER_LOST;
}

/* ---- the clock -------------------------------------------------------------------------------- */

static bool time_is_up(const struct sampler *s)
{
	if (atomic_load_explicit(&s->stop, memory_order_relaxed))
		return true;
	return s->duration_ns && clock_now_ns() - s->started_ns >= s->duration_ns;
}

static void publish_ticks(struct sampler *s)
{
	atomic_store_explicit(&s->counts.ticks, s->ticker.ticks, memory_order_relaxed);
	atomic_store_explicit(&s->counts.missed, s->ticker.missed, memory_order_relaxed);
}

static void start_clock(struct sampler *s)
{
	if (s->started_ns)
		return;
	s->started_ns = clock_now_ns();
	ticker_start(&s->ticker, s->ticker.period_ns, s->ticker.jitter, s->started_ns);
}

static void stop_clock(struct sampler *s)
{
	s->ended_ns = clock_now_ns();
	ticker_finish(&s->ticker, s->ended_ns);
	publish_ticks(s);
}

enum sampler_state sampler_run(struct sampler *s)
{
	enum sampler_state state = SAMPLER_OK;

	clock_sharpen();
	start_clock(s);
	uint64_t limit_ns = s->duration_ns ? s->started_ns + s->duration_ns : 0;
	do {
		if (!ticker_wait(&s->ticker, limit_ns))
			continue;
		state = sampler_tick(s);
		publish_ticks(s);
	} while (state == SAMPLER_OK && !time_is_up(s));
	stop_clock(s);
	ladder_deinit(&s->ladder);
	ring_ring(s->ring);
	return state;
}

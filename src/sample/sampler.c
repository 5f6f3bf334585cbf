// SPDX-License-Identifier: MIT
#include "sample/sampler_parts.h"

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
	*s = (struct sampler){ .target = target, .memory = &target->live.reader, .ring = ring };
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

/* ---- the interpreter --------------------------------------------------------------------------- */

/* At most so often is the interpreter read with a stack: often enough for any but the top rates. */
#define RIDE_NS ((uint64_t)100000)

static void fill_riders(struct sampler *s, struct sampled_thread *t)
{
	if (s->now_ns - t->rode_ns >= RIDE_NS)
		riders_fill(&s->riders, &s->target->rt, &t->py);
	else
		riders_clear(&s->riders);
	t->reader.riders = &s->riders.set;
}

/* What the first thread of a tick that saw a holder said of the GIL goes for all of them. */
static bool holds_gil(struct sampler *s, const struct sampled_thread *t, remote_addr holder)
{
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

/* Takes what came with the stack; what did not is as it was some microseconds ago. */
void sampler_take_riders(struct sampler *s, struct sampled_thread *t)
{
	struct interp_look look;

	riders_look(&s->riders, &s->target->rt, &t->py, &look);
	if (!look.known)
		return;
	t->rode_ns = s->now_ns;
	s->relist |= look.first_thread != t->py.first_thread;
	t->last_gil = look.has_gil && holds_gil(s, t, look.holder);
	t->last_gc = look.collecting && t->last_gil;
}

/* Where threads that wait for the GIL wait: its condition variable (a futex inside of it). */
static bool waits_for_gil(
	const struct sampler *s, const struct sampled_thread *t, const struct thread_look *look)
{
	remote_addr start, end;

	return threads_gil_futexes(&s->target->rt, &t->py, &start, &end) &&
		look_waits_in(look, start, end);
}

/* ---- handing over ----------------------------------------------------------------------------- */

/* False if there was no room: the thread's samples are lost until there is. */
static bool announce(struct sampler *s, struct sampled_thread *t)
{
	struct record_header header = { .type = RECORD_THREAD, .index = t->index };

	if (t->announced)
		return true;
	if (!ring_begin(s->ring, RECORD_THREAD_WORDS))
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

void sampler_count(_Atomic uint64_t *counter, uint64_t n)
{
	// one writer only
	atomic_store_explicit(counter,
		atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

static bool begin_sample(struct sampler *s, const struct sampled_thread *t,
	struct record_header *header, const struct sample_facts *facts, size_t common)
{
	header->index = t->index;
	header->type = RECORD_SAMPLE;
	if (!ring_begin(s->ring, RECORD_SAMPLE_WORDS + header->count)) {
		sampler_count(&s->counts.lost, 1);
		return false;
	}
	ring_put(s->ring, record_pack(header));
	ring_put(s->ring, facts->time_ns);
	ring_put(s->ring, facts->cpu_ns);
	ring_put(s->ring, record_common((uint32_t)common, facts->weight, facts->syscall));
	ring_put(s->ring, facts->tag);
	return true;
}

/*
 * The frames of t->fresh above those it has in common with its last stack; all of them once in an
 * epoch, so that each frame that is shown is among those which the epoch's end proves.
 */
void sampler_push(struct sampler *s, struct sampled_thread *t, struct record_header *header,
	const struct sample_facts *facts, size_t depth)
{
	size_t common = 0;

	if (t->pushed_epoch != s->codes.epoch)
		t->depth = 0;
	while (common < depth && common < t->depth && t->frames[common] == t->fresh[common])
		common++;
	header->count = (uint32_t)(depth - common);
	if (!announce(s, t) || !begin_sample(s, t, header, facts, common))
		return;
	for (size_t i = common; i < depth; i++)
		ring_put(s->ring, t->fresh[i]);
	ring_commit(s->ring);
	array_reserve(t->frames, t->frame_capacity, depth);
	if (depth > common) // of a thread that never had a frame there is no array yet
		memcpy(t->frames + common, t->fresh + common,
			(depth - common) * sizeof(*t->frames));
	t->depth = depth;
	t->pushed_epoch = s->codes.epoch;
}

/* The same stack as the last time. */
static void push_again(struct sampler *s, struct sampled_thread *t, struct record_header *header,
	const struct sample_facts *facts)
{
	if (begin_sample(s, t, header, facts, t->depth))
		ring_commit(s->ring);
}

/* ---- one sample ------------------------------------------------------------------------------- */

bool sampler_look_at_tag(struct sampled_thread *t)
{
	const struct sampler *s = t->sampler;

	return s->look_at_tag && s->look_at_tag(&t->said, t->tid, t->py.state);
}

static void look_before(void *data)
{
	sampler_look_at_tag(data);
}

/* Reads until all code objects of the stack are known from before the stack was read. */
enum read_status sampler_read_known(
	struct sampler *s, struct sampled_thread *t, const struct raw_stack **raw_ret)
{
	const struct ladder_target target = {
		.reader = &t->reader,
		.rt = &s->target->rt,
		.mem = s->memory,
		.tid = t->tid,
		.stat_fd = watch_stat_fd(&t->watch),
		.schedstat_fd = t->watch.schedstat_fd,
		.own = s->target->own,
		.before = s->look_at_tag ? look_before : NULL,
		.data = t,
	};

	for (int i = 0; i < CODE_ATTEMPTS; i++) {
		fill_riders(s, t);
		codes_begin(&s->codes, &t->codes, t->py.interp, &s->riders.set);
		enum read_status status = ladder_read(&s->ladder, &t->ladder, &target, raw_ret);

		t->said_again = sampler_look_at_tag(t);
		if (status != READ_OK)
			return status;
		if (!codes_prepare(&s->codes, *raw_ret, t->py.interp, &s->riders.set, &t->codes))
			break;
	}
	// of code that is made and thrown away all the time, what was read last is the newest there is
	return READ_OK;
}

/* The stack as it goes through the ring, root first, in t->fresh. */
enum read_status sampler_pack(
	struct sampler *s, struct sampled_thread *t, const struct raw_stack *raw, size_t *depth_ret)
{
	size_t depth = 0;

	array_reserve(t->fresh, t->fresh_capacity, raw->count);
	for (size_t i = 0; i < raw->count; i++) {
		enum read_status status = codes_frame(&s->codes, &t->codes, i, &t->fresh[depth]);

		if (status != READ_OK)
			return status;
		depth += t->fresh[depth] != FRAME_INTERNAL;
	}
	*depth_ret = depth;
	return READ_OK;
}

/* *moved_ret: the thread was seen running. */
enum read_status sampler_read(struct sampler *s, struct sampled_thread *t,
	struct record_header *out, size_t *depth_ret, bool *moved_ret)
{
	const struct raw_stack *raw = NULL;
	enum read_status status = READ_TORN;

	*moved_ret = false;
	for (int i = 0; i < CODE_ATTEMPTS && status == READ_TORN; i++) {
		status = sampler_read_known(s, t, &raw);
		if (status == READ_OK)
			status = sampler_pack(s, t, raw, depth_ret);
	}
	if (raw)
		*moved_ret = raw->moved || t->ladder.ran;
	if (status != READ_OK)
		return status;
	sampler_take_riders(s, t);
	t->has_frames = *depth_ret;
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

/* A stopped process looks as if its threads waited. That is looked at for all of them at once. */
#define STOPPED_NS ((uint64_t)10000000)

static void look_if_stopped(struct sampler *s)
{
	struct proc_stat stat;

	if (s->stopped_ns && s->now_ns - s->stopped_ns < STOPPED_NS)
		return;
	s->stopped_ns = s->now_ns;
	s->stopped = proc_stat(s->target->pid, 0, &stat) &&
		     (stat.state == 'T' || stat.state == 't');
}

static enum thread_run if_stopped(const struct sampler *s, enum thread_run run)
{
	return s->stopped && run == THREAD_WAITING ? THREAD_STOPPED : run;
}

/* What the thread does: the kernel is asked only if its stack has not told. */
static void take_state(struct sampler *s, struct sampled_thread *t, bool moved,
	struct record_header *header, struct sample_facts *facts)
{
	struct thread_look look = { .run = THREAD_ON_CPU, .syscall = -1 };

	if (!moved)
		watch_look(&t->watch, s->now_ns, &look);
	t->watch.ran = look.run <= THREAD_RUNNABLE;
	ladder_note(&t->ladder, t->watch.ran);
	header->run = runs_inner(s, t) ? THREAD_WAITING : if_stopped(s, look.run);
	header->waits_for_gil = waits_for_gil(s, t, &look);
	header->holds_gil = t->last_gil && !header->waits_for_gil;
	header->in_gc = t->last_gc && header->holds_gil;
	facts->syscall = look.syscall;
}

/* `noted`: where the thread stood before its stack was read is known. */
static enum read_status sample_fresh(
	struct sampler *s, struct sampled_thread *t, struct sample_facts *facts, bool noted)
{
	struct record_header header = { 0 };
	size_t depth = 0;
	bool moved;

	t->still = false;
	enum read_status status = sampler_read(s, t, &header, &depth, &moved);
	facts->tag = t->said_again ? t->said.tag : 0;
	if (status == READ_TORN)
		header.proof = SAMPLE_FAILED;
	else if (status != READ_OK)
		return status;
	take_state(s, t, moved, &header, facts);
	// a thread state that is kept for an interpreter the thread is not in is no sample
	if (!t->has_frames && t->shares_tid)
		return READ_OK;
	sampler_push(s, t, &header, facts, depth);
	t->last = header;
	t->last_syscall = facts->syscall;
	t->still = noted && !t->watch.ran && header.run != THREAD_UNKNOWN && header.proof == SAMPLE_VERIFIED &&
		   t->depth == depth;
	return READ_OK;
}

/* That of a running thread is refreshed at scheduler ticks only: no use to look more often. */
#define SCHEDULE_NS ((uint64_t)900000)

static enum read_status sample_thread(struct sampler *s, struct sampled_thread *t, uint64_t time_ns)
{
	struct sample_facts facts = { .time_ns = time_ns, .syscall = -1, .weight = 1 };
	enum read_status status = READ_OK;
	bool look = !t->watch.ran || s->now_ns - t->watch.looked_ns >= SCHEDULE_NS;

	t->sampled = s->ticks;
	t->sampler = s;
	sampler_look_at_tag(t);
	if (s->tagged_only && !t->said.tag) {
		t->still = false;
		t->watch.looked_ns = 0; // what it uses meanwhile is no sample's
		return READ_OK;
	}
	if (look && watch_schedule(&t->watch, s->now_ns, &facts.cpu_ns) && t->still) {
		struct record_header header = t->last;

		header.proof = SAMPLE_REUSED;
		header.run = if_stopped(s, THREAD_WAITING);
		header.count = 0;
		facts.tag = t->said.tag;
		facts.syscall = t->last_syscall;
		push_again(s, t, &header, &facts);
	} else {
		status = sample_fresh(s, t, &facts, look);
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

enum read_status sampler_follow(struct sampler *s, bool force)
{
	if (!force && !roster_stale(&s->roster, s->now_ns))
		return READ_OK;
	enum read_status status = roster_update(&s->roster, s->now_ns);
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

/* ---- epochs ----------------------------------------------------------------------------------- */

static bool epoch_over(const struct sampler *s)
{
	return !s->codes.deferring || s->now_ns - s->proved_ns >= SAMPLER_EPOCH_NS ||
	       ring_unpublished(s->ring) > s->ring->mask / 8;
}

/* Proves the code objects of all samples since the last time, and hands those samples over. */
void sampler_prove(struct sampler *s, bool alive)
{
	if (alive)
		codes_prove(&s->codes);
	else
		codes_abandon(&s->codes);
	s->proved_ns = s->now_ns;
	if (s->codes.voided_count) {
		size_t frames = record_void_codes(
			s->ring, s->codes.voided, s->codes.voided_count);

		sampler_count(&s->counts.voided, frames);
		for (size_t i = 0; i < s->roster.count; i++)
			s->roster.threads[i]->still = false;
	}
	ring_publish(s->ring);
}

enum sampler_state sampler_tick(struct sampler *s)
{
	s->now_ns = s->codes.now_ns = clock_now_ns();
	uint64_t time_ns = clock_wall_at(&s->wall, s->now_ns);
	enum read_status status = sampler_follow(s, s->relist || !s->roster.count);
	look_if_stopped(s);
	s->ticks++;
	s->holder_count = 0;
	ladder_begin_tick(&s->ladder);
	if (status == READ_OK)
		status = sample_all(s, time_ns);
	// threads that came up since the last list belong to this tick as well
	if (status == READ_OK && s->relist && !s->roster.list.unstarted)
		status = sampler_follow(s, true);
	if (status == READ_OK)
		status = sample_all(s, time_ns);
	ladder_end_tick(&s->ladder);
	bool alive = status == READ_OK && any_alive(s);
	if (!alive || epoch_over(s))
		sampler_prove(s, alive);
	if (status == READ_DENIED)
		return SAMPLER_DENIED;
	return alive ? SAMPLER_OK : SAMPLER_LOST;
}

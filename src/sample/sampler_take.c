// SPDX-License-Identifier: MIT
#include "sample/sampler_parts.h"

#include "base/clock.h"

enum read_status sampler_list(struct sampler *s)
{
	s->now_ns = s->codes.now_ns = clock_now_ns();
	return sampler_follow(s, true);
}

/*
 * On entry to its interpreter loop CPython 3.11 and 3.12 have, for some instructions, a C frame whose
 * current frame is not set yet but left over: one that has been popped lies beyond the stack's top.
 */
static bool leaf_is_popped(const struct sampler *s, const struct sampled_thread *t,
	const struct raw_stack *raw)
{
	const struct py_runtime *rt = &s->target->rt;
	remote_addr where[2];

	if (rt->layout.frames != FRAME_CFRAME || !raw->count || raw->frames[0].in_generator)
		return false;
	if (mem_read(&s->target->live.reader, t->py.state + rt->layout.at.thread_datastack_chunk,
		    where, sizeof(where)) != READ_OK)
		return true;
	return raw->frames[0].frame < where[0] || raw->frames[0].frame >= where[1];
}

static enum read_status read_still(struct sampler *s, struct sampled_thread *t,
	struct record_header *header, size_t *depth_ret)
{
	const struct raw_stack *raw = NULL;

	s->ladder.strategy = LADDER_ONLY_DIRECT;
	enum read_status status = sampler_read_known(s, t, &raw);
	s->ladder.strategy = LADDER_AUTO;
	if (status == READ_OK && (raw->unproven || leaf_is_popped(s, t, raw)))
		status = READ_TORN;
	if (status == READ_OK)
		status = sampler_pack(s, t, raw, depth_ret);
	if (status != READ_OK)
		return status;
	sampler_take_riders(s, t);
	t->has_frames = *depth_ret;
	header->proof = raw->too_deep ? SAMPLE_TRUNCATED : SAMPLE_VERIFIED;
	return READ_OK;
}

static enum read_status take_one(
	struct sampler *s, struct sampled_thread *t, uint32_t weight, bool still)
{
	struct record_header header = { .run = THREAD_ON_CPU };
	struct sample_facts facts = { .time_ns = clock_wall_at(&s->wall, s->now_ns),
		.cpu_ns = weight * s->ticker.period_ns, .syscall = -1, .weight = weight };
	size_t depth = 0;
	bool moved;

	t->sampler = s;
	t->still = false;
	sampler_look_at_tag(t);
	enum read_status status = still ? read_still(s, t, &header, &depth) :
					  sampler_read(s, t, &header, &depth, &moved);
	if (status == READ_TORN && !still)
		header.proof = SAMPLE_FAILED;
	else if (status != READ_OK)
		return status;
	if (!t->has_frames && t->shares_tid)
		return READ_OK;
	header.holds_gil = t->last_gil;
	header.in_gc = t->last_gc;
	facts.tag = t->said_again ? t->said.tag : 0;
	if (!s->tagged_only || facts.tag)
		sampler_push(s, t, &header, &facts, depth);
	s->ticker.ticks += weight;
	return READ_OK;
}

enum read_status sampler_take(struct sampler *s, pid_t tid, uint32_t weight, bool still)
{
	enum read_status status = READ_GONE;

	s->now_ns = s->codes.now_ns = clock_now_ns();
	s->holder_count = 0;
	ladder_begin_tick(&s->ladder);
	// of a thread in several interpreters the innermost is first
	for (size_t i = 0; i < s->roster.count; i++) {
		struct sampled_thread *t = s->roster.threads[i];

		if (t->tid != tid || t->gone)
			continue;
		status = take_one(s, t, weight, still);
		if (status != READ_OK || t->has_frames)
			break;
	}
	ladder_end_tick(&s->ladder);
	sampler_publish_ticks(s);
	sampler_prove(s, true);
	return status;
}

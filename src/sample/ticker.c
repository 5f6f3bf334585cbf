// SPDX-License-Identifier: MIT
#include "sample/ticker.h"

#include "base/clock.h"

/* xorshift64*: good enough to spread moments, and cheap. */
static uint64_t next_random(struct ticker *t)
{
	t->random ^= t->random >> 12;
	t->random ^= t->random << 25;
	t->random ^= t->random >> 27;
	return t->random * 0x2545f4914f6cdd1du;
}

static void set_moment(struct ticker *t)
{
	t->next_ns = t->start_ns + t->slot * t->period_ns;
	// 24 bits as a fraction of the period, which is below 2^40 ns; the first tick is at once
	if (t->jitter && t->slot)
		t->next_ns += (next_random(t) >> 40) * t->period_ns >> 24;
}

void ticker_start(struct ticker *t, uint64_t period_ns, bool jitter, uint64_t now_ns)
{
	*t = (struct ticker){
		.period_ns = period_ns,
		.jitter = jitter,
		.start_ns = now_ns,
		.random = now_ns | 1,
	};
	set_moment(t);
}

/* How long at most nobody looks whether to stop. */
#define NAP_NS 50000000

bool ticker_wait(struct ticker *t, uint64_t limit_ns)
{
	uint64_t now = clock_now_ns(), until = t->next_ns;

	if (limit_ns && limit_ns < until)
		until = limit_ns;
	if (until > now + NAP_NS)
		until = now + NAP_NS;
	if (now < until) {
		if (t->bell)
			clock_wait_until(t->bell, t->heard, until);
		else
			clock_sleep_until(until);
		now = clock_now_ns();
	}
	if (now < t->next_ns)
		return false;
	ticker_advance(t, now);
	return true;
}

void ticker_advance(struct ticker *t, uint64_t now_ns)
{
	t->ticks++;
	if (!t->period_ns)
		return;
	uint64_t current = (now_ns - t->start_ns) / t->period_ns;

	t->slot++;
	if (current > t->slot) {
		t->missed += current - t->slot;
		t->slot = current;
	}
	set_moment(t);
}

void ticker_finish(struct ticker *t, uint64_t now_ns)
{
	if (!t->period_ns || now_ns <= t->start_ns)
		return;
	uint64_t due = (now_ns - t->start_ns) / t->period_ns;

	if (due > t->slot) {
		t->missed += due - t->slot;
		t->slot = due;
	}
}

void ticker_resume(struct ticker *t, uint64_t finished_ns, uint64_t now_ns)
{
	uint64_t paused_ns = now_ns > finished_ns ? now_ns - finished_ns : 0;

	t->start_ns += paused_ns;
	t->next_ns += paused_ns;
	// the ticks that ticker_finish() counted as missed will not come
	if (t->period_ns && t->next_ns < t->start_ns + t->slot * t->period_ns)
		set_moment(t);
}

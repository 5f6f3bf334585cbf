// SPDX-License-Identifier: MIT
#include "sample/ticker.h"

#include "base/clock.h"

void ticker_start(struct ticker *t, uint64_t period_ns, uint64_t now_ns)
{
	*t = (struct ticker){ .period_ns = period_ns, .next_ns = now_ns };
}

bool ticker_wait(struct ticker *t)
{
	uint64_t now = clock_now_ns();

	if (now < t->next_ns) {
		if (!clock_sleep_until(t->next_ns))
			return false;
		now = clock_now_ns();
	}
	ticker_advance(t, now);
	return true;
}

void ticker_advance(struct ticker *t, uint64_t now_ns)
{
	uint64_t late = now_ns > t->next_ns ? now_ns - t->next_ns : 0;
	uint64_t missed = late / t->period_ns;

	t->ticks++;
	t->missed += missed;
	t->next_ns += (missed + 1) * t->period_ns;
}

// SPDX-License-Identifier: MIT
#include "export/sample_clock.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* What one sample can stand for: bounds what imported counts can do to the time axis. */
#define HOLD_MAX_NS ((uint64_t)1 << 50)

void sample_clock_init(struct sample_clock *clock, const struct view *v)
{
	const struct capture *c = view_capture(v);
	uint64_t first = capture_first_ns(c), period = view_period_ns(v);

	*clock = (struct sample_clock){
		.has_period = period > 0,
		.made_up = first == capture_last_ns(c),
		.count_ns = period ? period : SAMPLE_CLOCK_MADE_UP_NS,
		.threads = xcalloc(c->thread_count, sizeof(*clock->threads)),
	};
	// a single sample has a time, several at one moment have none
	if (clock->made_up && first && capture_samples(c) == 1)
		clock->made_up = false;
	clock->origin_ns = clock->made_up ? 0 : first;
}

void sample_clock_deinit(struct sample_clock *clock)
{
	free(clock->threads);
	*clock = (struct sample_clock){ 0 };
}

void sample_clock_reset(struct sample_clock *clock, const struct view *v)
{
	memset(clock->threads, 0, view_capture(v)->thread_count * sizeof(*clock->threads));
}

uint64_t sample_clock_from_origin(const struct sample_clock *clock, uint64_t time_ns)
{
	return time_ns > clock->origin_ns ? time_ns - clock->origin_ns : 0;
}

static uint64_t hold_ns(const struct sample_clock *clock, uint64_t count)
{
	if (count > HOLD_MAX_NS / clock->count_ns)
		return HOLD_MAX_NS;
	return count * clock->count_ns;
}

struct sample_time sample_clock_next(struct sample_clock *clock, const struct capture_sample *s)
{
	struct sample_clock_thread *t = &clock->threads[s->thread];
	uint64_t hold = hold_ns(clock, s->count);
	struct sample_time time = {
		.begin_ns = sample_clock_from_origin(clock, s->time_ns),
		.gap_from_ns = t->end_ns,
	};

	if (clock->made_up)
		time.begin_ns = t->end_ns;
	else if (time.begin_ns < t->begin_ns)
		time.begin_ns = t->begin_ns;
	time.gap = t->seen && clock->has_period && time.begin_ns > t->limit_ns;
	*t = (struct sample_clock_thread){
		.seen = true,
		.begin_ns = time.begin_ns,
		.end_ns = time.begin_ns + hold,
		.limit_ns = time.begin_ns + hold + clock->count_ns,
	};
	return time;
}

uint64_t sample_clock_end(const struct sample_clock *clock, uint32_t thread)
{
	return clock->threads[thread].end_ns;
}

// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "trace_clock.h"

// Two readings of both clocks this far apart give the scale to some millionths.
#define SCALE_MIN_NS 20000000

bool trace_clock_counts;
static uint64_t first_ticks, first_ns;

static uint64_t read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t trace_clock_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t trace_cpu_ns(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

// Whether the kernel trusts the counter: it is then the same on all processors and never stands still.
static bool kernel_counts(void)
{
#if defined(__x86_64__)
	char line[32] = "";
	FILE *f = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");

	if (!f)
		return false;
	bool counts = fgets(line, sizeof(line), f) && !strncmp(line, "tsc", 3);
	fclose(f);
	return counts;
#else
	return true;
#endif
}

static void read_both(uint64_t *ticks, uint64_t *ns)
{
	uint64_t before, after, best = UINT64_MAX;

	for (int i = 0; i < 5; i++) {
		before = trace_ticks();
		uint64_t now = trace_clock_ns();
		after = trace_ticks();
		if (after - before >= best)
			continue;
		best = after - before;
		*ticks = before + best / 2;
		*ns = now;
	}
}

void trace_clock_init(void)
{
	if (first_ns)
		return;
	trace_clock_counts = kernel_counts();
	read_both(&first_ticks, &first_ns);
}

struct trace_scale trace_clock_scale(void)
{
	struct trace_scale scale = { .ns_per_tick = 1 };

	read_both(&scale.ticks, &scale.ns);
	if (!trace_clock_counts)
		return scale;
	while (scale.ns - first_ns < SCALE_MIN_NS) {
		const struct timespec rest = { .tv_nsec = (long)(SCALE_MIN_NS -
						       (scale.ns - first_ns)) };
		nanosleep(&rest, NULL);
		read_both(&scale.ticks, &scale.ns);
	}
	scale.ns_per_tick = (double)(scale.ns - first_ns) / (double)(scale.ticks - first_ticks);
	return scale;
}

const char *trace_clock_name(void)
{
	return trace_clock_counts ? "counter of the processor" : "CLOCK_MONOTONIC";
}

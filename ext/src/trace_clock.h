// SPDX-License-Identifier: MIT
/*
 * The clock of the tracer: the processor's counter where the kernel itself keeps time by it (about 8 ns
 * a reading), else CLOCK_MONOTONIC (16 ns and more). Readings are "ticks"; two of one thread may be
 * subtracted. A scale, made when results are read, turns them into nanoseconds.
 */
#ifndef FIREGLASS_TRACE_CLOCK_H
#define FIREGLASS_TRACE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

struct trace_scale {
	double ns_per_tick;
	uint64_t ticks, ns; // one moment, in ticks and of CLOCK_MONOTONIC
};

/* Of CLOCK_MONOTONIC. */
uint64_t trace_clock_ns(void);
/* CPU time of the calling thread: a system call. */
uint64_t trace_cpu_ns(void);

extern bool trace_clock_counts; // the processor's counter is the clock

/* Chooses the clock. Once, before the first reading; again is harmless. */
void trace_clock_init(void);

/* How ticks of this process are to be read now. May wait for some milliseconds in a young process. */
struct trace_scale trace_clock_scale(void);
/* What the clock is called, for people. */
const char *trace_clock_name(void);

static inline uint64_t trace_ticks(void)
{
#if defined(__x86_64__)
	if (__builtin_expect(trace_clock_counts, 1))
		return __rdtsc();
#elif defined(__aarch64__)
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#endif
	return trace_clock_ns();
}

#endif

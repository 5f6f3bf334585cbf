// SPDX-License-Identifier: MIT
/* Time. Everything is in nanoseconds of CLOCK_MONOTONIC unless the name says otherwise. */
#ifndef FIREGLASS_BASE_CLOCK_H
#define FIREGLASS_BASE_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define NS_PER_SEC 1000000000u

uint64_t clock_now_ns(void);

/* Wall-clock time since the epoch. */
uint64_t clock_wall_ns(void);

/* Wall-clock time from monotonic time: what is between the two is looked at now and then. */
struct clock_offset {
	uint64_t offset_ns, looked_ns;
};

uint64_t clock_wall_at(struct clock_offset *o, uint64_t now_ns);

/* CPU time that this process has used, all threads. */
uint64_t clock_process_cpu_ns(void);

/* Sleeps until `deadline_ns`; false if a signal ended the sleep early. */
bool clock_sleep_until(uint64_t deadline_ns);

/* Waits while *word is `value`, at most `timeout_ns`; may return early. */
void clock_wait(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns);

/* The same until `deadline_ns`; as sharp as clock_sleep_until(). */
void clock_wait_until(_Atomic uint32_t *word, uint32_t value, uint64_t deadline_ns);

/* Wakes who waits for a change of *word. */
void clock_wake(_Atomic uint32_t *word);

/*
 * Lets sleeps of this thread end when they are due, not up to 50 us later, and lets it run then even
 * if the processor is busy: it asks for short slices. Does what the kernel allows.
 */
void clock_sharpen(void);

/* CPU time of the calling thread. */
uint64_t clock_thread_cpu_ns(void);

#endif

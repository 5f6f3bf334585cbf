// SPDX-License-Identifier: MIT
/*
 * Sampling by CPU time: each Python thread has a POSIX timer on its own CPU clock, which sends that
 * very thread a real-time signal. Its handler asks the sampling thread for a sample and stands still
 * for the few microseconds that takes, so that what is read is what was running. Threads that wait
 * cost nothing, and system calls are not interrupted: the timer only runs while the thread does.
 *
 * The handler does nothing but wait for a word to change, for at most PARK_NS; it allocates nothing,
 * touches no thread-local storage and keeps errno. If the sampling thread does not come in time
 * (a busy machine), the thread goes on, leaves some of the next signals alone, and the ticks are
 * counted to its next sample. So do those that the kernel lets pile up: it looks at CPU clocks at its
 * own ticks only, every 1 to 10 ms.
 *
 * The signal is one that nobody has a use for; if the program takes it later, another is looked for.
 * Its disposition is never reset: a late signal would end the program. No timer survives a fork or
 * an exec.
 */
#ifndef FIREGLASS_INSIDE_TIMERS_H
#define FIREGLASS_INSIDE_TIMERS_H

#include "base/err.h"
#include "sample/sampler.h"

/* Whether there is a signal to be had. An error: none is free. */
struct err *timers_check(void);

/* Instead of sampler_run(): samples until told to stop; the same of pauses and results. */
enum sampler_state timers_run(struct sampler *sampler, uint64_t period_ns);

/* In the child of a fork. */
void timers_after_fork(void);

#endif

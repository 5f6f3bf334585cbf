// SPDX-License-Identifier: MIT
/*
 * The CPU clocks of threads of this process. Unlike what /proc says, they are exact also while the thread runs
 * (the kernel counts up to the moment it is asked): two readings that are the same prove that the thread did not
 * run in between. Under a microsecond each.
 */
#ifndef FIREGLASS_OS_THREAD_CLOCK_H
#define FIREGLASS_OS_THREAD_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Of a thread of this process (kernel: include/linux/posix-timers.h). */
clockid_t thread_clock_of(pid_t tid);

/* False: there is no such thread in this process; 0 is none. */
bool thread_clock_read(pid_t tid, uint64_t *cpu_ns_ret);

#endif

// SPDX-License-Identifier: MIT
/*
 * Real-time priority for the calling thread (SCHED_FIFO, the lowest): it runs as soon as it wakes
 * up. A tick that is late because the processors are busy is a tick at another moment of the
 * program. Only for a thread that sleeps nearly always: nothing else runs on its processor
 * meanwhile. Threads and processes that it makes do not inherit it.
 */
#ifndef FIREGLASS_OS_REALTIME_H
#define FIREGLASS_OS_REALTIME_H

#include <stdbool.h>

/* False if it is not permitted (CAP_SYS_NICE, RLIMIT_RTPRIO). */
bool realtime_take(void);

/* As any other thread again. */
void realtime_drop(void);

#endif

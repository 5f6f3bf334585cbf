// SPDX-License-Identifier: MIT
/*
 * Holds a processor for some microseconds: a thread of ours that sleeps until it is asked to, wakes up there, which
 * takes the processor from whoever runs there, and does nothing until it is let go. Meanwhile the thread that ran
 * there can be looked at from elsewhere: it loses two switches and the time of the look, not all that the looking
 * thread has to do besides (os/pin.h, which needs no second thread nor a second processor).
 *
 * It lets go by itself after PARK_HOLD_NS, so that nothing stands still for longer if the asking thread is kept from
 * running. Whether the processor was held all the time is not promised: who looks must prove it.
 */
#ifndef FIREGLASS_OS_PARK_H
#define FIREGLASS_OS_PARK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PARK_HOLD_NS ((uint64_t)300000)

/* Of one asking thread. Zero-initialise. */
struct park {
	pthread_t thread;
	bool started, refused;
	_Atomic pid_t tid;      // of the thread, once it runs
	_Atomic uint32_t state; // enum park_state of park.c; a futex
	int cpu;                // where the thread may run; -1: not told yet
	bool realtime;          // the thread has real-time priority
};

/*
 * Holds the processor from here on. False: it could not be had soon, or there is no thread to be had. The first
 * calls start the thread, and do not wait for it; `realtime`: with the priority that the asking thread has (os/realtime.h).
 */
bool park_hold(struct park *p, int cpu, bool realtime);
void park_release(struct park *p);

/* Ends the thread. It may be used again. */
void park_deinit(struct park *p);

#endif

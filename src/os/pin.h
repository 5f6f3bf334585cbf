// SPDX-License-Identifier: MIT
/*
 * Putting the calling thread on one processor: while it runs there, nothing else does.
 *
 * Used to look at a thread of the target at a moment at which it cannot move, without stopping it:
 * see sample/ladder.h. Only the calling thread is moved.
 */
#ifndef FIREGLASS_OS_PIN_H
#define FIREGLASS_OS_PIN_H

#include <sched.h>
#include <stdbool.h>

struct pin {
	cpu_set_t original; // where the thread may run otherwise
	int cpu;            // -1: anywhere
};

void pin_init(struct pin *pin);

/* False if the thread may not run there (another cpuset). */
bool pin_to(struct pin *pin, int cpu);
void pin_release(struct pin *pin);

/* Releases, and goes to another processor than the present one. False if there is none. */
bool pin_leave(struct pin *pin);

/* The processor the calling thread is on now. */
int pin_current_cpu(void);

#endif

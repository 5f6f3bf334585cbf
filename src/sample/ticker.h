// SPDX-License-Identifier: MIT
/*
 * The clock of sampling: absolute deadlines, so that it does not drift.
 *
 * A tick whose time has passed is missed and counted as such; it is never made up for by a burst
 * (a suspended laptop must not weigh one moment hundreds of times). Ticks taken and ticks missed
 * add up to the time that went by.
 */
#ifndef FIREGLASS_SAMPLE_TICKER_H
#define FIREGLASS_SAMPLE_TICKER_H

#include <stdbool.h>
#include <stdint.h>

struct ticker {
	uint64_t period_ns;
	uint64_t next_ns;  // deadline of the next tick
	uint64_t ticks, missed;
};

/* The first tick is due at once. */
void ticker_start(struct ticker *t, uint64_t period_ns, uint64_t now_ns);

/* Sleeps until the next tick is due. False: a signal came first; call again or stop. */
bool ticker_wait(struct ticker *t);

/* Accounts for the tick that begins at `now_ns` and sets the deadline of the one after it. */
void ticker_advance(struct ticker *t, uint64_t now_ns);

#endif

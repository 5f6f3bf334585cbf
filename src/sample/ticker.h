// SPDX-License-Identifier: MIT
/*
 * The clock of sampling: absolute deadlines, so that it does not drift.
 *
 * Time is cut into slots of one period; each slot has one tick, at a random moment within it (with
 * `jitter`; else at its beginning). So a program whose own rhythm is near the sampling rate is seen
 * in all its phases, while the rate stays exact.
 *
 * A tick whose slot has passed is missed and counted as such; it is never made up for by a burst (a
 * suspended laptop must not weigh one moment hundreds of times). Ticks taken and ticks missed add up
 * to the time that went by.
 */
#ifndef FIREGLASS_SAMPLE_TICKER_H
#define FIREGLASS_SAMPLE_TICKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct ticker {
	uint64_t period_ns; // 0: as fast as it goes
	bool jitter;
	uint64_t start_ns;
	uint64_t slot;    // of the next tick
	uint64_t next_ns; // its moment
	uint64_t random;  // state of the generator
	uint64_t ticks, missed;
	/* After ticker_start(): a wait ends early when *bell is no longer `heard`. NULL: it does not. */
	_Atomic uint32_t *bell;
	uint32_t heard;
};

void ticker_start(struct ticker *t, uint64_t period_ns, bool jitter, uint64_t now_ns);

/*
 * Sleeps until the next tick is due, or until `limit_ns` (0: none), but never for long, so that the
 * caller can look whether it is to stop. True if the tick is due: it is accounted for.
 */
bool ticker_wait(struct ticker *t, uint64_t limit_ns);

/* Accounts for the tick that begins at `now_ns` and sets the moment of the one after it. */
void ticker_advance(struct ticker *t, uint64_t now_ns);

/* Accounts for the ticks that were due until `now_ns` and will not be taken any more. */
void ticker_finish(struct ticker *t, uint64_t now_ns);

/* After ticker_finish(): no tick was due from then until `now_ns`; goes on where it ended. */
void ticker_resume(struct ticker *t, uint64_t finished_ns, uint64_t now_ns);

#endif

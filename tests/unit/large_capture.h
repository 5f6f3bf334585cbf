// SPDX-License-Identifier: MIT
/* A capture as large programs give, for measurements: always the same for the same numbers. */
#ifndef FIREGLASS_TESTS_LARGE_CAPTURE_H
#define FIREGLASS_TESTS_LARGE_CAPTURE_H

#include <stdint.h>

#include "store/capture.h"

/*
 * About so many samples of so many stacks (each is used while there are samples enough): eight
 * threads, or as many as asked for (0: not; at most 64), of which half run at a time, a tick each ms, or
 * each period, at a random moment, stacks up to 40 deep of 4000 functions in 300 files of the program,
 * of packages and of the standard library. Half of the samples of a thread that runs have another
 * stack than the one before; waits are long. Collections and waits for the GIL are markers too, and
 * some ticks are missed.
 */
void large_capture_fill(
	struct capture *c, uint64_t samples, uint32_t stacks, uint32_t threads, uint32_t period_ms);

#endif

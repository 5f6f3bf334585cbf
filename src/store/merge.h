// SPDX-License-Identifier: MIT
/*
 * Captures of several processes or hosts as one, in order of time.
 *
 * Times are of the clock (nanoseconds since the epoch), so that nothing need be aligned where clocks
 * agree; an offset per input is added where they do not. Processes and threads stay as they are,
 * never taken for one another, even if ids are equal: they may be of different hosts or times.
 *
 * Facts: `period_ns` is the greatest common divisor of the inputs' periods, and counts are multiplied
 * so that a sample stands for the same time as before (inputs without a period keep their counts);
 * `start_ns` is the earliest, `end_ns` the latest, absent if one is; `ticks` and `rung.*` add up. A
 * fact that all inputs have alike stays. Others are kept as "input.N.KEY", N from 1 in the order
 * given, and so is "input.N.name".
 */
#ifndef FIREGLASS_STORE_MERGE_H
#define FIREGLASS_STORE_MERGE_H

#include "base/err.h"
#include "store/capture.h"

struct merge;

struct merge_input {
	const struct capture *capture; // must outlive the merge
	const char *name;
	int64_t offset_ns; // added to its times
};

/* Fills `into` (initialised) with all but the samples. */
struct merge *merge_create(struct capture *into, const struct merge_input *inputs, size_t count);
void merge_destroy(struct merge *m);

/* The next sample in order of time, its ids those of `into`; NULL at the end or at an error. */
const struct capture_sample *merge_next(struct merge *m);

/* NULL if all was read. */
struct err *merge_end(struct merge *m);

#endif

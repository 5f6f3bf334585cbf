// SPDX-License-Identifier: MIT
/*
 * Samples that weigh time: kept until all are there, then put in order, and counted in the largest
 * time of which all weights are multiples. That becomes FACT_PERIOD_NS.
 */
#ifndef FIREGLASS_IMPORT_WEIGHTS_H
#define FIREGLASS_IMPORT_WEIGHTS_H

#include "import/build.h"

struct weights {
	struct capture_sample *rows; // count: nanoseconds
	size_t count, capacity;
};

void weights_deinit(struct weights *w);

/* `count` is the weight in nanoseconds; without any, the sample is left out. */
void weights_add(struct weights *w, const struct capture_sample *sample);

/* Adds all of them to the capture, in the order of their times. */
void weights_finish(struct weights *w, struct build *b);

/* Seconds (or what is `unit_ns` long) as nanoseconds; false if it is negative or too large. */
bool weights_ns(double value, uint64_t unit_ns, uint64_t *ns_ret);

#endif

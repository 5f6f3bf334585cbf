// SPDX-License-Identifier: MIT
/* What a recording says of itself in its capture, whoever makes it. */
#ifndef FIREGLASS_SAMPLE_FACTS_H
#define FIREGLASS_SAMPLE_FACTS_H

#include <stdint.h>

#include "sample/ladder.h"
#include "store/capture.h"

/* Of the profiler, the machine and the clock; `period_ns` 0: as fast as it goes. */
void facts_begin(struct capture *c, uint64_t start_ns, uint64_t period_ns);

/* So far. */
void facts_counts(struct capture *c, uint64_t ticks, const uint64_t rungs[LADDER_RUNGS]);

/* What was lost since *known, which is brought up to `now`. */
void facts_loss(struct capture *c, enum capture_loss_kind kind, uint64_t now, uint64_t *known);

#endif

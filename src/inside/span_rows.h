// SPDX-License-Identifier: MIT
/*
 * The spans of a capture: what the program says of its spans (inside/spans.h) as rows of the table
 * of spans, and the row of each span that samples name. Of one session; its collecting thread's.
 */
#ifndef FIREGLASS_INSIDE_SPAN_ROWS_H
#define FIREGLASS_INSIDE_SPAN_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "inside/spans.h"
#include "sample/collector.h"

struct span_entry;

struct span_rows {
	struct collector *collector; // whose capture and threads
	struct span_reader *reader;
	bool chosen_only; // spans that were not chosen, and lie in none that was, are none
	bool lazy;        // rows only of spans that have samples
	struct clock_offset wall;
	struct span_entry **buckets; // by key
	size_t bucket_mask, count;
	struct span_entry *closed, **closed_end; // in the order in which they were closed
};

/* Collector and its capture must outlive it. */
void span_rows_init(
	struct span_rows *s, struct collector *collector, bool chosen_only, bool lazy);
void span_rows_deinit(struct span_rows *s);

/* Takes all that happened since the last time. */
void span_rows_update(struct span_rows *s);

/*
 * The row, plus 1, of the span that a sample of `time_ns` on `thread` belongs to; 0: to none that is
 * of interest. What is done for a span after it was closed counts to the parent that is still open.
 */
uint32_t span_rows_of(struct span_rows *s, span_key key, const struct collected_thread *thread,
	uint64_t time_ns);

#endif

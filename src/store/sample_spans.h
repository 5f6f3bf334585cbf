// SPDX-License-Identifier: MIT
/*
 * Which span each row of a block of samples belongs to, as bytes that stand beside the block's own
 * (store/sample_block.h). A block of which no row has a span has none.
 *
 * Each row is expected to be in the span of its thread's row before; only what is unexpected is told.
 * docs/capture-format.md has the bytes.
 */
#ifndef FIREGLASS_STORE_SAMPLE_SPANS_H
#define FIREGLASS_STORE_SAMPLE_SPANS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "store/capture.h"

/* Columns of their own (store/columns.h). */
#define SAMPLE_SPANS_COLUMNS 3

/* Appends them to `out`; nothing if no row is in a span. */
void sample_spans_encode(struct buf *out, const struct capture_sample *rows, size_t count);

/*
 * Sets the spans of rows that were decoded; len 0: all to none. False if the bytes are not of such
 * rows; then the spans do not count.
 */
bool sample_spans_decode(const char *bytes, size_t len, struct capture_sample *rows, size_t count);

#endif

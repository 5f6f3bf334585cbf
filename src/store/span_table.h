// SPDX-License-Identifier: MIT
/*
 * The table of spans as chunks of a capture file: for store/capture_tables.c.
 *
 * Spans are many, and change while they last: their texts come late, their ends later. So a writer
 * watches only those that may still change: open ones, and those that ended a short while ago.
 */
#ifndef FIREGLASS_STORE_SPAN_TABLE_H
#define FIREGLASS_STORE_SPAN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/capture.h"
#include "store/columns.h"

#define SPAN_TABLE_COLUMNS 9

/* So long after its end a span's text may still change; later changes are not written. */
#define SPAN_SETTLES_NS ((uint64_t)10000000000)

struct sent_span {
	uint32_t row;
	struct capture_span span; // as it was sent
};

/* Zero-initialise. */
struct sent_spans {
	size_t rows;               // sent so far
	struct sent_span *watched; // in the order of their rows
	size_t watched_count, watched_capacity;
};

void sent_spans_deinit(struct sent_spans *sent);

/* As tables_draft() and tables_commit(). */
bool span_table_draft(const struct sent_spans *sent, const struct capture *c, size_t limit_bytes,
	struct columns *columns, size_t *to_ret);
void span_table_commit(struct sent_spans *sent, const struct capture *c, size_t to);

/* Takes the rows of a chunk, of which the first column was read. */
struct err *span_table_take(struct capture *c, struct columns_reader *in, uint64_t rows);

#endif

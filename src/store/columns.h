// SPDX-License-Identifier: MIT
/*
 * Columns of numbers as bytes: what the chunks of a capture file are made of.
 *
 * A number is one lead byte, which says how long it is, and up to eight more. Lead bytes and the
 * others are in streams of their own, because they compress so much better apart; a table of the
 * streams' lengths comes first. docs/capture-format.md has the bytes.
 *
 * Readers take bytes from anywhere: nothing is read beyond the end, reading on gives 0 and is
 * remembered.
 */
#ifndef FIREGLASS_STORE_COLUMNS_H
#define FIREGLASS_STORE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define COLUMNS_MAX 12
#define COLUMNS_STREAMS (2 * COLUMNS_MAX)
#define COLUMNS_NUMBER_BYTES 9 /* a number takes at most */

/* ---- writing ---- */

/* Zero-initialise. */
struct columns {
	struct buf streams[COLUMNS_STREAMS]; // lead bytes and others of column 0, of column 1, ...
};

void columns_deinit(struct columns *c);
void columns_clear(struct columns *c);

void columns_put(struct columns *c, unsigned int column, uint64_t value);
void columns_put_signed(struct columns *c, unsigned int column, int64_t value);
/* A column has either numbers or bytes. */
void columns_put_bytes(struct columns *c, unsigned int column, const void *bytes, size_t len);

/* Bytes so far, without the table of lengths. */
size_t columns_bytes(const struct columns *c);

/* Appends the first `count` columns to `out`. */
void columns_finish(const struct columns *c, unsigned int count, struct buf *out);

/* ---- reading ---- */

struct column {
	const unsigned char *lead, *lead_end, *tail, *tail_end;
	bool short_of; // more was read than there is
};

struct columns_reader {
	struct column columns[COLUMNS_MAX];
	unsigned int count;
};

/* The bytes must stay. False if they are not `count` columns. */
bool columns_open(struct columns_reader *r, const void *bytes, size_t len, unsigned int count);

/* True if all was read, and no more than that. */
bool columns_done(const struct columns_reader *r);

/* Bytes of the table of lengths and of each stream in turn; returns how many. */
size_t columns_parts(
	const void *bytes, size_t len, unsigned int count, size_t parts[COLUMNS_STREAMS + 1]);

uint64_t column_get_long(struct column *c, unsigned int lead);

/* The next number. */
static inline uint64_t column_get(struct column *c)
{
	if (c->lead == c->lead_end) {
		c->short_of = true;
		return 0;
	}
	unsigned int lead = *c->lead++;
	return lead < 0xc0 ? lead : column_get_long(c, lead);
}

static inline int64_t column_get_signed(struct column *c)
{
	uint64_t v = column_get(c);

	return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

/* The next `len` bytes of a column of bytes, NULL if there are not so many. */
const char *column_get_bytes(struct column *c, size_t len);

/* How many numbers are left. */
static inline size_t column_left(const struct column *c)
{
	return (size_t)(c->lead_end - c->lead);
}

#endif

// SPDX-License-Identifier: MIT
/*
 * Samples as bytes: one block of them, which can be read without any other.
 *
 * Made so that what repeats costs next to nothing: runs of equal stacks of one thread, threads that
 * take turns in the same order at each tick, times that advance by nearly the same step, stacks
 * that follow each other as they did before. Each row is told from what is expected of it; where
 * nothing is unexpected, nothing is said. See docs/capture-format.md for the bytes.
 *
 * Nothing is lost or rounded here; store/sample_round.h does that before, for recordings.
 */
#ifndef FIREGLASS_STORE_SAMPLE_BLOCK_H
#define FIREGLASS_STORE_SAMPLE_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/capture.h"

/* Samples in a block at most: some tens of kilobytes as they are in memory. */
#define SAMPLE_BLOCK_ROWS 16384

/* Columns of a block (store/columns.h). */
#define SAMPLE_BLOCK_COLUMNS 11

/* Appends the block to `out`. */
void sample_block_encode(struct buf *out, const struct capture_sample *rows, size_t count);

/* As above; the block is smaller if the time between two ticks is known. 0: it is not. */
void sample_block_encode_period(
	struct buf *out, const struct capture_sample *rows, size_t count, uint64_t period_ns);

/*
 * Decodes at most SAMPLE_BLOCK_ROWS rows into `rows`. False if the bytes are no block: then nothing
 * in `rows` counts. What it gives is checked to be well formed (state, flags), not against tables.
 */
bool sample_block_decode(
	const char *bytes, size_t len, struct capture_sample *rows, size_t *count_ret);

#endif

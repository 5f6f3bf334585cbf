// SPDX-License-Identifier: MIT
/*
 * Any bytes as a block of samples: refused, or rows that are well formed and come back equal when
 * they are encoded again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "store/sample_block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct capture_sample rows[SAMPLE_BLOCK_ROWS], again[SAMPLE_BLOCK_ROWS];

static void check(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf block = BUF_INIT;
	size_t count = 0, count_again = 0;

	if (!sample_block_decode((const char *)data, size, rows, &count))
		return 0;
	check(count <= SAMPLE_BLOCK_ROWS);
	for (size_t i = 0; i < count; i++)
		check(rows[i].state < SAMPLE_STATES && rows[i].flags <= SAMPLE_FLAGS);
	sample_block_encode_period(&block, rows, count, size * 1000);
	check(sample_block_decode(block.data, block.len, again, &count_again));
	check(count == count_again);
	for (size_t i = 0; i < count; i++) {
		const struct capture_sample *a = &rows[i], *b = &again[i];

		check(a->time_ns == b->time_ns && a->count == b->count && a->cpu_ns == b->cpu_ns &&
			a->thread == b->thread && a->stack == b->stack &&
			a->syscall == b->syscall && a->state == b->state && a->flags == b->flags);
	}
	return 0;
}

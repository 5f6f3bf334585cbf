// SPDX-License-Identifier: MIT
/*
 * Any bytes as the spans of a block's rows: refused, or spans that come back equal when they are
 * encoded again. The first byte says how many rows, the second of how many threads.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "store/sample_spans.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS 256

static void check(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct capture_sample rows[ROWS] = { 0 }, again[ROWS] = { 0 };
	_cleanup_buf_ struct buf spans = BUF_INIT;

	if (size < 2)
		return 0;
	size_t count = data[0];
	for (size_t i = 0; i < count; i++)
		rows[i].thread = again[i].thread = (uint32_t)i * 7u % (data[1] % 9u + 1);
	if (!sample_spans_decode((const char *)data + 2, size - 2, rows, count))
		return 0;
	sample_spans_encode(&spans, rows, count);
	check(sample_spans_decode(spans.data, spans.len, again, count));
	for (size_t i = 0; i < count; i++)
		check(rows[i].span == again[i].span);
	return 0;
}

// SPDX-License-Identifier: MIT
#include "store/sample_block.h"

#include <string.h>

void sample_block_encode(struct buf *out, const struct capture_sample *rows, size_t count)
{
	buf_add(out, (const char *)rows, count * sizeof(*rows));
}

bool sample_block_decode(
	const char *bytes, size_t len, struct capture_sample *rows, size_t *count_ret)
{
	if (len % sizeof(*rows) || len / sizeof(*rows) > SAMPLE_BLOCK_ROWS)
		return false;
	memcpy(rows, bytes, len);
	*count_ret = len / sizeof(*rows);
	return true;
}

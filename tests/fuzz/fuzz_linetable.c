// SPDX-License-Identifier: MIT
/* Line tables: byte 0 is the kind, bytes 1-4 the first line, 5-7 the length of the bytecode. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "pyabi/linetable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct line_table *t, size_t table_bytes)
{
	if (!t->count || t->ranges[0].start != 0 || t->end > BYTECODE_BYTES_MAX + 16)
		abort();
	if (t->count > table_bytes + 1)
		abort();
	for (size_t i = 1; i < t->count; i++)
		if (t->ranges[i].start <= t->ranges[i - 1].start)
			abort();
	for (size_t i = 0; i < t->count; i++) {
		if (line_table_find(t, t->ranges[i].start) != t->ranges[i].line)
			abort();
		if (i && line_table_find(t, t->ranges[i].start - 1) != t->ranges[i - 1].line)
			abort();
	}
	line_table_find(t, UINT32_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line_table table;
	uint32_t first_line;

	if (size < 8)
		return 0;
	memcpy(&first_line, data + 1, sizeof(first_line));
	uint32_t code_bytes = (uint32_t)(data[5] | data[6] << 8 | data[7] << 16);
	size_t len = size - 8;
	uint8_t *bytes = xmalloc(len ? len : 1); // so that reading beyond it shows
	memcpy(bytes, data + 8, len);
	if (line_table_decode(&table, (enum py_linetable_kind)(data[0] % 4), bytes, len, first_line,
		    code_bytes)) {
		check(&table, len);
		line_table_deinit(&table);
	}
	free(bytes);
	return 0;
}

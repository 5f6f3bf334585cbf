// SPDX-License-Identifier: MIT
/* The file form of a memory image. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "os/mem_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mem_image mem;

	mem_image_init(&mem);
	if (!mem_image_parse(&mem, data, size) && mem.count)
		abort();
	for (size_t i = 0; i < mem.count; i++) {
		const struct mem_segment *s = &mem.segments[i];

		if (mem_image_at(&mem, s->addr, s->len) != s->bytes)
			abort();
	}
	mem_image_deinit(&mem);
	return 0;
}

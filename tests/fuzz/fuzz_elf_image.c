// SPDX-License-Identifier: MIT
/*
 * An ELF object in the memory of a target. The input is the object's bytes, mapped as one piece;
 * its last 8 bytes are where.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "os/elf.h"
#include "os/mem_image.h"

#define READS_MAX 40000 // ranges for one look-up, however hostile

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(struct mem_image *mem, const struct elf_image *image, const char *name)
{
	struct elf_symbol symbol;

	mem->reads = 0;
	elf_image_symbol(&mem->reader, image, name, &symbol);
	if (mem->reads > READS_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mem_image mem;
	struct elf_image image;
	remote_addr base;

	if (size <= sizeof(base))
		return 0;
	size -= sizeof(base);
	memcpy(&base, data + size, sizeof(base));
	mem_image_init(&mem);
	struct map map = { .start = base, .end = base + size };
	if (map.end > base && mem_image_add(&mem, base, data, size) &&
		elf_image_open(&mem.reader, &map, &image) == READ_OK) {
		if (mem.reads > 16 || image.build_id_len > ELF_BUILD_ID_MAX)
			abort();
		look_up(&mem, &image, "_PyRuntime");
		look_up(&mem, &image, "Py_Version");
	}
	mem_image_deinit(&mem);
	return 0;
}

// SPDX-License-Identifier: MIT
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define ARENA_BLOCK_BYTES ((size_t)64 << 10)

struct arena_block {
	struct arena_block *older;
	size_t used;
	size_t size; // of data
	_Alignas(8) char data[];
};

void arena_deinit(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *block = a->blocks;

		a->blocks = block->older;
		free(block);
	}
	a->bytes = 0;
}

static void arena_push_block(struct arena *a, size_t size)
{
	struct arena_block *block = xmalloc(sizeof(*block) + size);

	block->older = a->blocks;
	block->used = 0;
	block->size = size;
	a->blocks = block;
	a->bytes += sizeof(*block) + size;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t rounded = (size + 7) & ~(size_t)7;

	if (!a->blocks || a->blocks->size - a->blocks->used < rounded)
		arena_push_block(a, rounded > ARENA_BLOCK_BYTES ? rounded : ARENA_BLOCK_BYTES);
	void *p = a->blocks->data + a->blocks->used;
	a->blocks->used += rounded;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	if (len)
		memcpy(copy, s, len);
	copy[len] = 0;
	return copy;
}

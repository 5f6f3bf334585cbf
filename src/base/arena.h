// SPDX-License-Identifier: MIT
/*
 * Bump allocation for things that live and die together, such as the strings of one profile.
 *
 * Single pieces are never freed; arena_deinit() frees all. Zero-initialise before use.
 */
#ifndef FIREGLASS_BASE_ARENA_H
#define FIREGLASS_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; // newest first
	size_t bytes;               // allocated from the system, for statistics
};

void arena_deinit(struct arena *a);

/* `size` bytes aligned to 8, not initialised. */
void *arena_alloc(struct arena *a, size_t size);

/* A copy of `len` bytes with a 0 after them. */
char *arena_strndup(struct arena *a, const char *s, size_t len);

#endif

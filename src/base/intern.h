// SPDX-License-Identifier: MIT
/*
 * The hash index under every table of the store: maps a key to the row that holds it.
 *
 * It keeps row numbers only; keys stay in the caller's columns. Look-up is open addressing with
 * linear probing over (hash, row) pairs. Usage:
 *
 *	for (struct intern_probe p = intern_begin(&index, hash); intern_next(&index, &p);)
 *		if (rows[p.row] equals key)
 *			return p.row;
 *	append the key as row n; intern_add(&index, hash, n);
 *
 * Zero-initialise; end with intern_deinit(). Rows are never removed.
 */
#ifndef FIREGLASS_BASE_INTERN_H
#define FIREGLASS_BASE_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct intern_slot {
	uint32_t hash; // of the upper half of the key's hash
	uint32_t row;  // row + 1; 0 = free
};

struct intern {
	struct intern_slot *slots;
	size_t mask; // number of slots - 1; slots is NULL while empty
	size_t used;
};

struct intern_probe {
	size_t at;
	uint32_t hash;
	uint32_t row; // the candidate, after intern_next() returned true
};

void intern_deinit(struct intern *index);

/* Forgets all rows, keeps the storage. */
void intern_clear(struct intern *index);

struct intern_probe intern_begin(const struct intern *index, uint64_t hash);

/* The next row whose stored hash equals the key's; false when there is none left. */
bool intern_next(const struct intern *index, struct intern_probe *probe);

/* Adds a row whose key is not present yet. */
void intern_add(struct intern *index, uint64_t hash, uint32_t row);

/* A well-mixed hash of two words. */
static inline uint64_t intern_hash2(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;

	h ^= h >> 29;
	h = (h ^ b) * 0x94d049bb133111ebu;
	return h ^ h >> 32;
}

#endif

// SPDX-License-Identifier: MIT
#include "base/intern.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define INTERN_FIRST_SLOTS 64

void intern_deinit(struct intern *index)
{
	free(index->slots);
	*index = (struct intern){ 0 };
}

void intern_clear(struct intern *index)
{
	if (index->slots)
		memset(index->slots, 0, (index->mask + 1) * sizeof(*index->slots));
	index->used = 0;
}

/*
 * A slot keeps only 32 bits of the hash, and growing must find the position again from them:
 * the home of a row depends on those 32 bits alone, spread over the table.
 */
static size_t slot_home(uint32_t hash, size_t mask)
{
	return (size_t)((uint64_t)hash * 0x9e3779b97f4a7c15u >> 20) & mask;
}

struct intern_probe intern_begin(const struct intern *index, uint64_t hash)
{
	return (struct intern_probe){
		.at = slot_home((uint32_t)(hash >> 32), index->mask),
		.hash = (uint32_t)(hash >> 32),
	};
}

bool intern_next(const struct intern *index, struct intern_probe *probe)
{
	if (!index->slots)
		return false;
	for (;;) {
		const struct intern_slot *slot = &index->slots[probe->at];

		if (!slot->row)
			return false;
		probe->at = (probe->at + 1) & index->mask;
		if (slot->hash == probe->hash) {
			probe->row = slot->row - 1;
			return true;
		}
	}
}

static void place(struct intern *index, uint32_t hash, uint32_t row)
{
	size_t at = slot_home(hash, index->mask);

	while (index->slots[at].row)
		at = (at + 1) & index->mask;
	index->slots[at] = (struct intern_slot){ .hash = hash, .row = row + 1 };
}

static void intern_grow(struct intern *index)
{
	struct intern old = *index;
	size_t count = old.slots ? (old.mask + 1) * 2 : INTERN_FIRST_SLOTS;

	index->slots = xcalloc(count, sizeof(*index->slots));
	index->mask = count - 1;
	for (size_t i = 0; old.slots && i <= old.mask; i++)
		if (old.slots[i].row)
			place(index, old.slots[i].hash, old.slots[i].row - 1);
	free(old.slots);
}

void intern_add(struct intern *index, uint64_t hash, uint32_t row)
{
	if (!index->slots || (index->used + 1) * 10 > (index->mask + 1) * 7)
		intern_grow(index);
	place(index, (uint32_t)(hash >> 32), row);
	index->used++;
}

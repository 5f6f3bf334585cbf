// SPDX-License-Identifier: MIT
/* A set of pointers that does not change: the code objects that a tracer was limited to. */
#ifndef FIREGLASS_TRACE_SET_H
#define FIREGLASS_TRACE_SET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct trace_set {
	uint32_t mask;
	const void *places[];
};

static inline uint32_t trace_set_place(const struct trace_set *set, const void *item)
{
	return (uint32_t)(((uintptr_t)item * 0x9e3779b97f4a7c15u) >> 32) & set->mask;
}

static inline bool trace_set_has(const struct trace_set *set, const void *item)
{
	for (uint32_t at = trace_set_place(set, item); set->places[at]; at = (at + 1) & set->mask)
		if (set->places[at] == item)
			return true;
	return false;
}

/* Room for `count` items; NULL: no memory. free() ends it. */
static inline struct trace_set *trace_set_create(size_t count)
{
	uint32_t places = 4;

	while (places < count * 2 + 2)
		places *= 2;
	struct trace_set *set = calloc(1, sizeof(*set) + places * sizeof(set->places[0]));
	if (set)
		set->mask = places - 1;
	return set;
}

static inline void trace_set_add(struct trace_set *set, const void *item)
{
	uint32_t at = trace_set_place(set, item);

	while (set->places[at] && set->places[at] != item)
		at = (at + 1) & set->mask;
	set->places[at] = item;
}

#endif

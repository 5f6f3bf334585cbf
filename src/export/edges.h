// SPDX-License-Identifier: MIT
/*
 * Who calls whom: pairs of functions that follow each other in stacks, with their weights.
 *
 * A stack counts once for a pair, however often the pair is in it.
 */
#ifndef FIREGLASS_EXPORT_EDGES_H
#define FIREGLASS_EXPORT_EDGES_H

#include <stddef.h>
#include <stdint.h>

#include "store/profile.h"

#define EDGE_NO_CALLER UINT32_MAX /* the callee is where a stack begins */

struct edge {
	function_id caller, callee;
	uint64_t self;  // of stacks that end in the callee, called by this caller
	uint64_t total; // of stacks that have the pair
};

struct edges {
	struct edge *rows;
	size_t count, capacity;
};

enum edges_order {
	EDGES_BY_CALLER, // edges of one caller are together, largest total first
	EDGES_BY_CALLEE,
};

void edges_build(struct edges *edges, const struct profile *p);
void edges_deinit(struct edges *edges);

void edges_sort(struct edges *edges, enum edges_order order);

/* The edges of one function, after edges_sort(); NULL and 0 if there are none. */
const struct edge *edges_of(const struct edges *edges, enum edges_order order,
	function_id function, size_t *count_ret);

#endif

// SPDX-License-Identifier: MIT
#include "export/edges.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/intern.h"

struct builder {
	struct edges *edges;
	struct intern index;
	stack_id *stamps; // by edge: the stack that counted it last
	size_t stamp_capacity;
};

static size_t edge_row(struct builder *b, function_id caller, function_id callee)
{
	struct edges *e = b->edges;
	uint64_t hash = intern_hash2(caller, callee);

	for (struct intern_probe at = intern_begin(&b->index, hash); intern_next(&b->index, &at);)
		if (e->rows[at.row].caller == caller && e->rows[at.row].callee == callee)
			return at.row;
	array_reserve(e->rows, e->capacity, e->count + 1);
	array_reserve(b->stamps, b->stamp_capacity, e->count + 1);
	e->rows[e->count] = (struct edge){ .caller = caller, .callee = callee };
	b->stamps[e->count] = STACK_NONE;
	intern_add(&b->index, hash, (uint32_t)e->count);
	return e->count++;
}

static function_id function_of(const struct profile *p, stack_id stack)
{
	return stack == STACK_NONE ? EDGE_NO_CALLER : p->frames[p->stacks[stack].frame].function;
}

static void add_stack(struct builder *b, const struct profile *p, stack_id stack)
{
	uint64_t weight = p->weights[stack];

	for (stack_id s = stack; s != STACK_NONE; s = p->stacks[s].parent) {
		size_t row = edge_row(b, function_of(p, p->stacks[s].parent), function_of(p, s));

		if (s == stack)
			b->edges->rows[row].self += weight;
		if (b->stamps[row] == stack)
			continue;
		b->stamps[row] = stack;
		b->edges->rows[row].total += weight;
	}
}

void edges_build(struct edges *edges, const struct profile *p)
{
	struct builder b = { .edges = edges };

	*edges = (struct edges){ 0 };
	for (size_t i = 0; i < p->stack_count; i++)
		if (p->weights[i])
			add_stack(&b, p, (stack_id)i);
	free(b.stamps);
	intern_deinit(&b.index);
}

void edges_deinit(struct edges *edges)
{
	free(edges->rows);
	*edges = (struct edges){ 0 };
}

static int ascending(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int by_weight(const struct edge *a, const struct edge *b)
{
	if (a->total != b->total)
		return a->total > b->total ? -1 : 1;
	return a->self == b->self ? 0 : a->self > b->self ? -1 : 1;
}

static int by_caller(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;
	int order = ascending(x->caller, y->caller);

	if (!order)
		order = by_weight(x, y);
	return order ? order : ascending(x->callee, y->callee);
}

static int by_callee(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;
	int order = ascending(x->callee, y->callee);

	if (!order)
		order = by_weight(x, y);
	return order ? order : ascending(x->caller, y->caller);
}

void edges_sort(struct edges *edges, enum edges_order order)
{
	if (edges->count)
		qsort(edges->rows, edges->count, sizeof(*edges->rows),
			order == EDGES_BY_CALLER ? by_caller : by_callee);
}

static function_id key_of(const struct edge *e, enum edges_order order)
{
	return order == EDGES_BY_CALLER ? e->caller : e->callee;
}

/* The first edge whose key is not below `function`. */
static size_t lower_bound(const struct edges *edges, enum edges_order order, function_id function)
{
	size_t low = 0, high = edges->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (key_of(&edges->rows[middle], order) < function)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct edge *edges_of(const struct edges *edges, enum edges_order order,
	function_id function, size_t *count_ret)
{
	size_t first = lower_bound(edges, order, function), end = first;

	while (end < edges->count && key_of(&edges->rows[end], order) == function)
		end++;
	*count_ret = end - first;
	return end > first ? &edges->rows[first] : NULL;
}

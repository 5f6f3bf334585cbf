// SPDX-License-Identifier: MIT
#include "store/agg.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/* `stamps[f]` = the stack that last counted function f. */
static void add_stack(
	struct agg_row *rows, stack_id *stamps, const struct profile *p, stack_id stack)
{
	uint64_t weight = p->weights[stack];

	rows[p->frames[p->stacks[stack].frame].function].self += weight;
	for (stack_id s = stack; s != STACK_NONE; s = p->stacks[s].parent) {
		function_id f = p->frames[p->stacks[s].frame].function;

		if (stamps[f] == stack)
			continue;
		stamps[f] = stack;
		rows[f].total += weight;
	}
}

void agg_functions(struct agg *agg, const struct profile *p)
{
	_cleanup_free_ stack_id *stamps = xcalloc(p->function_count, sizeof(*stamps));
	struct agg_row *rows = xcalloc(p->function_count, sizeof(*rows));
	size_t kept = 0;

	for (size_t i = 0; i < p->function_count; i++) {
		rows[i].function = (function_id)i;
		stamps[i] = STACK_NONE;
	}
	for (size_t i = 0; i < p->stack_count; i++)
		if (p->weights[i])
			add_stack(rows, stamps, p, (stack_id)i);
	for (size_t i = 0; i < p->function_count; i++)
		if (rows[i].total)
			rows[kept++] = rows[i];
	*agg = (struct agg){ .rows = rows, .count = kept }; // owned by *agg now
}

static int descending(uint64_t a, uint64_t b)
{
	return a > b ? -1 : a < b;
}

static int by_self(const void *a, const void *b)
{
	const struct agg_row *x = a, *y = b;
	int order = descending(x->self, y->self);

	if (!order)
		order = descending(x->total, y->total);
	return order ? order : x->function < y->function ? -1 : 1;
}

static int by_total(const void *a, const void *b)
{
	const struct agg_row *x = a, *y = b;
	int order = descending(x->total, y->total);

	if (!order)
		order = descending(x->self, y->self);
	return order ? order : x->function < y->function ? -1 : 1;
}

void agg_sort(struct agg *agg, enum agg_order order)
{
	qsort(agg->rows, agg->count, sizeof(*agg->rows), order == AGG_BY_SELF ? by_self : by_total);
}

void agg_deinit(struct agg *agg)
{
	free(agg->rows);
	*agg = (struct agg){ 0 };
}

// SPDX-License-Identifier: MIT
#include "store/select_pool.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/intern.h"

struct path_row {
	uint32_t parent; // path; UINT32_MAX at the root
	function_id function;
	uint64_t total;
};

/* The paths of functions that a profile's stacks are: lines do not tell them apart. */
struct paths {
	struct path_row *rows;
	size_t count, capacity;
	struct intern index;
	uint32_t *of_stack;
};

static uint32_t path_row(struct paths *p, uint32_t parent, function_id function)
{
	uint64_t hash = intern_hash2(parent, function);

	for (struct intern_probe at = intern_begin(&p->index, hash); intern_next(&p->index, &at);)
		if (p->rows[at.row].parent == parent && p->rows[at.row].function == function)
			return at.row;
	uint32_t id = (uint32_t)p->count++;
	array_reserve(p->rows, p->capacity, p->count);
	p->rows[id] = (struct path_row){ .parent = parent, .function = function };
	intern_add(&p->index, hash, id);
	return id;
}

/* Parents come before their children, among stacks and so among paths. */
static void paths_init(struct paths *p, const struct profile *from)
{
	*p = (struct paths){ .of_stack = xcalloc(from->stack_count, sizeof(*p->of_stack)) };
	for (size_t i = 0; i < from->stack_count; i++) {
		const struct store_stack *s = &from->stacks[i];
		uint32_t parent = s->parent == STACK_NONE ? UINT32_MAX : p->of_stack[s->parent];

		p->of_stack[i] = path_row(p, parent, from->frames[s->frame].function);
		p->rows[p->of_stack[i]].total += from->weights[i];
	}
	for (size_t i = p->count; i-- > 0;)
		if (p->rows[i].parent != UINT32_MAX)
			p->rows[p->rows[i].parent].total += p->rows[i].total;
}

static void paths_deinit(struct paths *p)
{
	free(p->rows);
	free(p->of_stack);
	intern_deinit(&p->index);
}

void pool_init(struct pool *p, const struct profile *from, struct profile *to, double percent)
{
	_cleanup_(paths_deinit) struct paths paths;
	double least = (double)from->total * percent / 100;
	char mark[64];

	*p = (struct pool){
		.transfer = { .from = from, .to = to },
		.small = xcalloc(from->stack_count, sizeof(*p->small)),
		.pooled = xcalloc(from->stack_count, sizeof(*p->pooled)),
		.count = from->stack_count,
	};
	snprintf(mark, sizeof(mark), "(below %g %%)", percent);
	p->mark = profile_plain_frame(to, FUNCTION_MARK, mark);
	paths_init(&paths, from);
	for (size_t i = 0; i < from->stack_count; i++) {
		stack_id parent = from->stacks[i].parent;

		p->small[i] = (parent != STACK_NONE && p->small[parent]) ||
			(double)paths.rows[paths.of_stack[i]].total < least;
	}
}

void pool_deinit(struct pool *p)
{
	transfer_deinit(&p->transfer);
	free(p->small);
	free(p->pooled);
	*p = (struct pool){ 0 };
}

stack_id pool_stack(struct pool *p, stack_id stack)
{
	const struct store_stack *stacks = p->transfer.from->stacks;
	stack_id first = stack;

	if (!pool_cuts(p, stack))
		return transfer_stack(&p->transfer, stack);
	if (p->pooled[stack])
		return p->pooled[stack] - 1;
	while (pool_cuts(p, stacks[first].parent))
		first = stacks[first].parent;
	stack_id parent = transfer_stack(&p->transfer, stacks[first].parent);
	stack_id own = profile_stack(p->transfer.to, parent, p->mark);
	p->pooled[stack] = own + 1;
	return own;
}

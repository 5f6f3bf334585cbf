// SPDX-License-Identifier: MIT
#include "store/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void transfer_deinit(struct transfer *t)
{
	free(t->strings);
	free(t->functions);
	free(t->frames);
	free(t->stacks);
	free(t->path);
	*t = (struct transfer){ 0 };
}

/* Room for `rows`; what is new is 0: not copied yet. */
static void reserve(uint32_t **array, size_t *capacity, size_t rows)
{
	size_t had = *capacity;

	if (rows <= had)
		return;
	array_reserve(*array, *capacity, rows);
	memset(*array + had, 0, (*capacity - had) * sizeof(**array));
}

string_id transfer_string(struct transfer *t, string_id id)
{
	const struct store_string *s = &t->from->strings[id];

	reserve(&t->strings, &t->string_capacity, t->from->string_count);
	if (!t->strings[id])
		t->strings[id] = profile_string(t->to, s->text, s->len) + 1;
	return t->strings[id] - 1;
}

function_id transfer_function(struct transfer *t, function_id id)
{
	struct store_function f = t->from->functions[id];

	reserve(&t->functions, &t->function_capacity, t->from->function_count);
	if (!t->functions[id]) {
		f.name = transfer_string(t, f.name);
		f.file = transfer_string(t, f.file);
		t->functions[id] = profile_function(t->to, &f) + 1;
	}
	return t->functions[id] - 1;
}

frame_id transfer_frame(struct transfer *t, frame_id id)
{
	const struct store_frame *f = &t->from->frames[id];

	reserve(&t->frames, &t->frame_capacity, t->from->frame_count);
	if (!t->frames[id])
		t->frames[id] =
			profile_frame(t->to, transfer_function(t, f->function), f->line) + 1;
	return t->frames[id] - 1;
}

stack_id transfer_stack(struct transfer *t, stack_id id)
{
	size_t depth = 0;
	stack_id own;

	reserve(&t->stacks, &t->stack_capacity, t->from->stack_count);
	for (; id != STACK_NONE && !t->stacks[id]; id = t->from->stacks[id].parent) {
		array_reserve(t->path, t->path_capacity, depth + 1);
		t->path[depth++] = id;
	}
	own = id == STACK_NONE ? STACK_NONE : t->stacks[id] - 1;
	while (depth--) {
		id = t->path[depth];
		own = profile_stack(t->to, own, transfer_frame(t, t->from->stacks[id].frame));
		t->stacks[id] = own + 1;
	}
	return own;
}

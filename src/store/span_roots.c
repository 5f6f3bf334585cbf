// SPDX-License-Identifier: MIT
#include "store/span_roots.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "store/select_spans.h"

void span_roots_deinit(struct span_roots *r)
{
	free(r->rows);
	free(r->path);
	intern_deinit(&r->index);
	*r = (struct span_roots){ 0 };
}

static uint64_t hash_of(stack_id root, uint32_t moved, bool is_root)
{
	return intern_hash2((uint64_t)root << 1 | is_root, moved);
}

/* False if it is not known yet. */
static bool find(
	const struct span_roots *r, stack_id root, uint32_t moved, bool is_root, stack_id *ret)
{
	uint64_t hash = hash_of(root, moved, is_root);

	for (struct intern_probe at = intern_begin(&r->index, hash); intern_next(&r->index, &at);) {
		const struct rooted_stack *row = &r->rows[at.row];

		if (row->root != root || row->moved != moved || row->is_root != is_root)
			continue;
		*ret = row->result;
		return true;
	}
	return false;
}

static void remember(
	struct span_roots *r, stack_id root, uint32_t moved, bool is_root, stack_id result)
{
	intern_add(&r->index, hash_of(root, moved, is_root), (uint32_t)r->count);
	array_reserve(r->rows, r->capacity, r->count + 1);
	r->rows[r->count++] = (struct rooted_stack){ root, moved, result, is_root };
}

static void note_on_path(struct span_roots *r, size_t depth, uint32_t value)
{
	array_reserve(r->path, r->path_capacity, depth + 1);
	r->path[depth] = value;
}

static frame_id frame_of(struct span_roots *r, const struct capture *c, uint32_t row)
{
	_cleanup_buf_ struct buf label = BUF_INIT;

	span_label(c, row, &label);
	return profile_plain_frame(r->to, FUNCTION_THREAD, label.len ? buf_str(&label) : "(span)");
}

/* What lies around the span, then itself, on the base. */
static stack_id root_of(struct span_roots *r, const struct capture *c, uint32_t span, stack_id base)
{
	stack_id root = base;
	size_t depth = 0;

	while (span && !find(r, base, span, true, &root)) {
		uint32_t parent = c->spans[span - 1].parent;

		note_on_path(r, depth++, span);
		span = parent < span ? parent : 0;
	}
	while (depth--) {
		root = profile_stack(r->to, root, frame_of(r, c, r->path[depth] - 1));
		remember(r, base, r->path[depth], true, root);
	}
	return root;
}

stack_id span_roots_stack(
	struct span_roots *r, const struct capture *c, uint32_t span, stack_id base, stack_id stack)
{
	stack_id root = root_of(r, c, span, base), moved = root;
	size_t depth = 0;

	if (root == base)
		return stack;
	for (; stack != base && stack != STACK_NONE; stack = r->to->stacks[stack].parent) {
		if (find(r, root, stack, false, &moved))
			break;
		note_on_path(r, depth++, stack);
	}
	while (depth--) {
		stack = r->path[depth];
		moved = profile_stack(r->to, moved, r->to->stacks[stack].frame);
		remember(r, root, stack, false, moved);
	}
	return moved;
}

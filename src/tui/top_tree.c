// SPDX-License-Identifier: MIT
/* The call tree: what is folded, and the lines before the names. */
#include <string.h>

#include "base/alloc.h"
#include "tui/top_state.h"

/* More than anybody opens by hand; the oldest choices need not be kept for ever. */
#define KEYS_MAX 100000

/* ---- keys of rows ----------------------------------------------------------------------------- */

static size_t place_of(const struct top_keys *k, uint64_t key)
{
	size_t low = 0, high = k->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (k->keys[middle] < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool top_keys_has(const struct top_keys *k, uint64_t key)
{
	size_t at = place_of(k, key);

	return at < k->count && k->keys[at] == key;
}

void top_keys_add(struct top_keys *k, uint64_t key)
{
	size_t at = place_of(k, key);

	if (k->count >= KEYS_MAX || (at < k->count && k->keys[at] == key))
		return;
	array_reserve(k->keys, k->capacity, k->count + 1);
	memmove(k->keys + at + 1, k->keys + at, (k->count - at) * sizeof(*k->keys));
	k->keys[at] = key;
	k->count++;
}

void top_keys_remove(struct top_keys *k, uint64_t key)
{
	size_t at = place_of(k, key);

	if (at >= k->count || k->keys[at] != key)
		return;
	k->count--;
	memmove(k->keys + at, k->keys + at + 1, (k->count - at) * sizeof(*k->keys));
}

/* ---- folding ---------------------------------------------------------------------------------- */

static void set_open(struct top *t, const struct top_row *row, bool open)
{
	if (!row->has_children)
		return;
	top_keys_remove(open ? &t->shut : &t->open, row->key);
	top_keys_add(open ? &t->open : &t->shut, row->key);
	t->stale = true;
}

/* It, and all below it that are seen: once more opens those that are seen then. */
static void open_below(struct top *t, size_t at)
{
	const struct top_row *rows = t->frame.rows;

	set_open(t, &rows[at], true);
	for (size_t i = at + 1; i < t->frame.count && rows[i].depth > rows[at].depth; i++)
		set_open(t, &rows[i], true);
}

static void go_to_parent(struct top *t, size_t at)
{
	for (size_t i = at; i-- > 0;) {
		if (t->frame.rows[i].depth >= t->frame.rows[at].depth)
			continue;
		top_go(t, i);
		return;
	}
}

void top_tree_fold(struct top *t, int fold)
{
	size_t at = t->panes[t->query.view].cursor;
	const struct top_row *row = top_selected(t);

	if (!row)
		return;
	switch ((enum top_fold)fold) {
	case FOLD_TOGGLE:
		set_open(t, row, !row->is_open);
		break;
	case FOLD_OPEN:
		set_open(t, row, true);
		break;
	case FOLD_SHUT:
		set_open(t, row, false);
		break;
	case FOLD_OPEN_BELOW:
		open_below(t, at);
		break;
	case FOLD_LEFT:
		if (row->is_open)
			set_open(t, row, false);
		else
			go_to_parent(t, at);
		break;
	case FOLD_RIGHT:
		if (row->has_children && !row->is_open)
			set_open(t, row, true);
		else if (row->has_children)
			top_move(t, 1);
		break;
	}
}

/* ---- drawing ---------------------------------------------------------------------------------- */

static int depth_of(const struct top_row *row)
{
	return row->depth < 0 ? 0 : row->depth < TOP_DEPTH_MAX ? row->depth : TOP_DEPTH_MAX - 1;
}

void top_tree_note(struct top_guides *g, const struct top_row *row)
{
	g->more[depth_of(row)] = !row->is_last;
}

/* Deep rows show the guides next to them only, after their depth. */
void top_tree_add_guides(struct buf *out, const struct top_guides *g, const struct top_row *row,
	int columns, bool ascii)
{
	int depth = depth_of(row), first = 1, fit = columns / 4;

	if (depth > fit) {
		first = depth - fit + 3;
		buf_printf(out, "%4d> ", depth);
	}
	for (int level = first; level < depth; level++)
		buf_add_str(out, !g->more[level] ? "  " : ascii ? "| " : "│ ");
	if (depth > 0 && row->is_last)
		buf_add_str(out, ascii ? "`-" : "└─");
	else if (depth > 0)
		buf_add_str(out, ascii ? "|-" : "├─");
	if (!row->has_children)
		buf_add_str(out, ascii ? "  " : "─ ");
	else
		buf_add_str(out, row->is_open ? "- " : "+ ");
}

// SPDX-License-Identifier: MIT
/*
 * The call tree as text.
 *
 *	   total      %      self  function
 *	 0.985 s  76.6%         -  <module> (run.py:1)
 *	 0.840 s  65.3%   0.040 s    + View.get (views.py:10)
 *	 0.800 s  62.2%   0.800 s      render (jinja2/environment.py:1285)
 *	 0.120 s   9.3%         -    + View.get (views.py:80)
 *
 * Only where a function called several others is there an indent: stacks are deep, terminals narrow.
 * Shown are the nodes with the largest totals; a node's caller has at least its total, so that what
 * is shown is a tree.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "export/text_cells.h"
#include "store/tree.h"

#define TREE_ROWS 40
#define NUMBERS_COLUMNS 27
#define INDENT_COLUMNS 26 /* at most; deeper branches are not told apart by it */

struct row {
	uint32_t node;
	uint32_t parent;
	uint64_t total;
	size_t level;
	bool branch; // one of several children
	size_t first, count; // its children among the rows
};

static int by_total(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->total != y->total)
		return x->total > y->total ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static int by_parent(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	return by_total(a, b);
}

/* The `limit` heaviest nodes, or all if fewer, children of one parent together. */
static struct row *choose_rows(const struct tree *tree, size_t limit, size_t *count_ret)
{
	size_t count = tree->node_count - 1;
	struct row *rows = xcalloc(count, sizeof(*rows));

	for (size_t i = 0; i < count; i++) {
		const struct tree_node *n = &tree->nodes[i + 1];

		rows[i] = (struct row){ .node = (uint32_t)i + 1, .parent = n->parent,
			.total = n->total };
	}
	if (count)
		qsort(rows, count, sizeof(*rows), by_total);
	if (count > limit)
		count = limit;
	if (count)
		qsort(rows, count, sizeof(*rows), by_parent);
	*count_ret = count;
	return rows;
}

static int find_parent(const void *key, const void *row)
{
	uint32_t node = *(const uint32_t *)key;
	const struct row *r = row;

	return node < r->parent ? -1 : node > r->parent;
}

static void find_children(struct row *rows, size_t count, struct row *of)
{
	const struct row *any =
		count ? bsearch(&of->node, rows, count, sizeof(*rows), find_parent) : NULL;

	if (!any)
		return;
	size_t first = (size_t)(any - rows), end = first;
	while (first > 0 && rows[first - 1].parent == of->node)
		first--;
	while (end < count && rows[end].parent == of->node)
		end++;
	of->first = first;
	of->count = end - first;
}

static void write_row(FILE *out, const struct profile *p, const struct export_options *options,
	const struct tree_node *n, const struct row *row)
{
	_cleanup_buf_ struct buf line = BUF_INIT, label = BUF_INIT, visible = BUF_INIT;
	const struct store_function *f = &p->functions[n->function];
	size_t indent = row->level * 2 < INDENT_COLUMNS ? row->level * 2 : INDENT_COLUMNS;

	text_add_amount(&line, n->total, p->total, options);
	buf_add_char(&line, ' ');
	text_add_percent(&line, n->total, p->total, options->color);
	buf_add_str(&line, "  ");
	text_add_amount(&line, n->self, p->total, options);
	buf_printf(&line, "  %*s", (int)indent, row->branch ? "+ " : "");
	label_add(&label, p, &(struct store_frame){ .function = n->function }, options);
	text_add_visible(&visible, label.data, label.len);
	text_add_cell(&line, visible.data, visible.len, TEXT_COLUMNS - NUMBERS_COLUMNS - indent,
		CLIP_MIDDLE, text_tone_of(p, f), options->color);
	text_end_line(out, &line);
}

/* The first child on top. */
static void push_children(
	struct row *rows, size_t count, struct row *of, size_t *todo, size_t *left)
{
	find_children(rows, count, of);
	for (size_t i = of->count; i-- > 0;) {
		struct row *child = &rows[of->first + i];

		child->branch = of->count > 1;
		child->level = of->level + child->branch;
		todo[(*left)++] = of->first + i;
	}
}

/* In preorder, without recursion: `todo` is a stack of rows yet to be written. */
static void write_rows(FILE *out, const struct profile *p, const struct export_options *options,
	const struct tree *tree, struct row *rows, size_t count)
{
	_cleanup_free_ size_t *todo = xcalloc(count, sizeof(*todo));
	struct row root = { .node = TREE_ROOT };
	size_t left = 0;

	push_children(rows, count, &root, todo, &left);
	while (left > 0) {
		struct row *row = &rows[todo[--left]];

		write_row(out, p, options, &tree->nodes[row->node], row);
		push_children(rows, count, row, todo, &left);
	}
}

void text_write_tree(FILE *out, const struct profile *p, const struct export_options *options)
{
	_cleanup_(tree_deinit) struct tree tree = { 0 };
	_cleanup_free_ struct row *rows = NULL;
	struct export_options merged = *options;
	size_t count;

	merged.functions = true;
	tree_build(&tree, p, TREE_FUNCTIONS, options->inverted ? TREE_CALLERS : TREE_CALLEES);
	rows = choose_rows(&tree, options->rows ? options->rows : TREE_ROWS, &count);
	fputs(options->inverted ?
			"\nCallers: + begins a branch, each below it called the one above\n\n" :
			"\nCall tree: + begins a branch, each below it is called by the one above\n\n",
		out);
	fputs("   total      %      self  function\n", out);
	write_rows(out, p, &merged, &tree, rows, count);
	if (tree.node_count - 1 > count)
		fprintf(out, "%27s... and %zu lighter ones\n", "", tree.node_count - 1 - count);
}

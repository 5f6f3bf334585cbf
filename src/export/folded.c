// SPDX-License-Identifier: MIT
/*
 * Folded text: one line per distinct stack, root first, `frame;frame;frame COUNT`, sorted.
 *
 * Frames read as in export/label.h and are escaped there, so that a reader gets them back by
 * cutting the line at its last space and at each `;`. One thing more: a last frame that itself ends
 * in a space and a number has that space written as \x20, because flamegraph.pl would take
 * `Thread 3 17` for two counts.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "export/export.h"
#include "export/label.h"
#include "store/tree.h"

/*
 * A profile in which each function is an escaped label: frames that read alike (a shortened file, a
 * line left out) become one, so that no two lines of the output are equal.
 */
static void relabel(
	struct profile *labels, const struct profile *p, const struct export_options *options)
{
	_cleanup_free_ frame_id *frame_of = xcalloc(p->frame_count, sizeof(*frame_of));
	_cleanup_free_ stack_id *stack_of = xcalloc(p->stack_count, sizeof(*stack_of));
	_cleanup_buf_ struct buf raw = BUF_INIT, text = BUF_INIT;

	for (size_t i = 0; i < p->frame_count; i++) {
		struct store_function f = { .kind = FUNCTION_MARK };

		buf_clear(&raw);
		buf_clear(&text);
		label_add(&raw, p, &p->frames[i], options);
		label_escape(&text, raw.data, raw.len);
		f.name = profile_string(labels, text.data, text.len);
		frame_of[i] = profile_frame(labels, profile_function(labels, &f), 0);
	}
	for (size_t i = 0; i < p->stack_count; i++) {
		stack_id parent = p->stacks[i].parent;

		if (parent != STACK_NONE)
			parent = stack_of[parent];
		stack_of[i] = profile_stack(labels, parent, frame_of[p->stacks[i].frame]);
		profile_add_sample(labels, stack_of[i], p->weights[i]);
	}
}

/* The place of the space in `name 3` or `name 3.5`; NULL if the text does not end so. */
static char *space_before_number(char *start, char *end)
{
	char *at = end;

	while (at > start && ((at[-1] >= '0' && at[-1] <= '9') || at[-1] == '.'))
		at--;
	return at < end && at > start && at[-1] == ' ' ? at - 1 : NULL;
}

static void write_line(FILE *out, struct buf *path, size_t last, uint64_t count)
{
	char *space = space_before_number(path->data + last, path->data + path->len);

	if (space) {
		fwrite(path->data, 1, (size_t)(space - path->data), out);
		fprintf(out, "\\x20%s", space + 1);
	} else {
		fwrite(path->data, 1, path->len, out);
	}
	fprintf(out, " %" PRIu64 "\n", count);
}

/* Nodes come in preorder: ends[d] is where the frame at depth d ends in the path to node i. */
static void write_tree(FILE *out, const struct profile *labels, const struct tree *t)
{
	_cleanup_free_ size_t *ends = xcalloc((size_t)t->max_depth + 1, sizeof(*ends));
	_cleanup_buf_ struct buf path = BUF_INIT;

	for (size_t i = 1; i < t->node_count; i++) {
		const struct tree_node *n = &t->nodes[i];
		string_id name = labels->functions[n->function].name;

		path.len = ends[n->depth - 1];
		if (n->depth > 1)
			buf_add_char(&path, ';');
		size_t last = path.len;
		buf_add(&path, labels->strings[name].text, labels->strings[name].len);
		ends[n->depth] = path.len;
		if (n->self)
			write_line(out, &path, last, n->self);
	}
}

static struct err *folded_write(
	FILE *out, const struct profile *p, const struct export_options *options)
{
	_cleanup_(profile_deinit) struct profile labels;
	_cleanup_(tree_deinit) struct tree t = { 0 };

	profile_init(&labels);
	relabel(&labels, p, options);
	tree_build(&t, &labels, TREE_FUNCTIONS, TREE_CALLEES);
	write_tree(out, &labels, &t);
	return ferror(out) ? err_errno(errno, "cannot write folded stacks") : NULL;
}

const struct exporter export_folded = {
	.name = "folded",
	.extension = "folded",
	.summary = "one line per stack with its count, for flamegraph.pl, speedscope and others",
	.write = folded_write,
};

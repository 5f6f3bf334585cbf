// SPDX-License-Identifier: MIT
#include "export/svg_diff.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/intern.h"

#define ARROW " \xe2\x86\x92 "
#define WIDTH_UNITS 1e12 // of the larger side: widths are integers in a tree
#define STRONGEST 2.0    // a ratio of this and beyond has the last tone

/* ---- the tree --------------------------------------------------------------------------------- */

/* Of both sides' stacks, whatever they weigh. */
static void build_tree(struct tree *tree, const struct diff *d)
{
	_cleanup_free_ uint64_t *weights = xcalloc(d->tables.stack_count, sizeof(*weights));
	struct profile p = d->tables;

	p.weights = weights;
	for (size_t i = 0; i < p.stack_count; i++)
		weights[i] = d->weights[i].of[DIFF_A] || d->weights[i].of[DIFF_B];
	tree_build(tree, &p, TREE_FUNCTIONS, TREE_CALLEES);
}

struct node_index {
	struct intern index;
	const struct tree *tree;
};

static uint32_t find_node(const struct node_index *n, uint32_t parent, function_id function)
{
	uint64_t hash = intern_hash2(parent, function);

	for (struct intern_probe at = intern_begin(&n->index, hash); intern_next(&n->index, &at);)
		if (n->tree->nodes[at.row].parent == parent &&
			n->tree->nodes[at.row].function == function)
			return at.row;
	return TREE_NONE;
}

/* Both sides' weights by node. */
static void add_sides(struct svg_diff *s, const struct tree *tree)
{
	const struct profile *p = &s->diff->tables;
	_cleanup_free_ uint32_t *node_of = xcalloc(p->stack_count, sizeof(*node_of));
	struct node_index index = { .tree = tree };

	for (uint32_t i = 1; i < tree->node_count; i++)
		intern_add(&index.index,
			intern_hash2(tree->nodes[i].parent, tree->nodes[i].function), i);
	for (size_t i = 0; i < p->stack_count; i++) {
		stack_id parent = p->stacks[i].parent;
		uint32_t above = parent == STACK_NONE ? TREE_ROOT : node_of[parent];

		node_of[i] = find_node(&index, above, p->frames[p->stacks[i].frame].function);
		if (node_of[i] == TREE_NONE)
			continue; // no samples there, nor below
		for (int side = 0; side < DIFF_SIDES; side++)
			s->nodes[node_of[i]].self.of[side] += s->diff->weights[i].of[side];
	}
	for (size_t i = tree->node_count; i-- > 0;) {
		struct svg_diff_node *n = &s->nodes[i];

		for (int side = 0; side < DIFF_SIDES; side++) {
			n->total.of[side] += n->self.of[side];
			if (i != TREE_ROOT)
				s->nodes[tree->nodes[i].parent].total.of[side] += n->total.of[side];
		}
	}
	intern_deinit(&index.index);
}

/* The value in B, and where B has nothing, that in A. */
static void set_widths(const struct svg_diff *s, struct tree *tree)
{
	const struct diff *d = s->diff;
	double a = diff_value(d, DIFF_A, d->total.of[DIFF_A]);
	double b = diff_value(d, DIFF_B, d->total.of[DIFF_B]);
	double units = fmax(a, b) > 0 ? WIDTH_UNITS / fmax(a, b) : 0;

	for (size_t i = tree->node_count; i-- > 0;) {
		const struct svg_diff_node *n = &s->nodes[i];
		int side = n->total.of[DIFF_B] ? DIFF_B : DIFF_A;
		uint64_t self = n->self.of[side];

		tree->nodes[i].self =
			self ? (uint64_t)fmax(1, diff_value(d, side, self) * units) : 0;
		tree->nodes[i].total = tree->nodes[i].self;
		for (uint32_t c = tree->nodes[i].first_child; c != TREE_NONE;
			c = tree->nodes[c].next_sibling)
			tree->nodes[i].total += tree->nodes[c].total;
	}
}

/* ---- classes ---------------------------------------------------------------------------------- */

/* 0 to SVG_DIFF_TONES - 1: how far a ratio above 1 is on the way to STRONGEST. */
static unsigned int tone(double ratio)
{
	double way = log(ratio) / log(STRONGEST);

	return (unsigned int)fmin(way * SVG_DIFF_TONES, SVG_DIFF_TONES - 1);
}

static unsigned int class_of(const struct svg_diff *s, uint32_t node)
{
	const struct diff_weights *total = &s->nodes[node].total;
	struct diff_change c = diff_change(s->diff, total);

	if (!total->of[DIFF_B])
		return total->of[DIFF_A] ? SVG_DIFF_GONE : SVG_DIFF_EQUAL;
	if (!c.certain)
		return SVG_DIFF_EQUAL;
	if (!total->of[DIFF_A])
		return SVG_DIFF_NEW;
	return c.change > 0 ? SVG_DIFF_GREW + tone(c.b / c.a) : SVG_DIFF_SHRANK + tone(c.a / c.b);
}

void svg_diff_css(const struct svg_diff *s, uint32_t node, char css[8])
{
	unsigned int class = class_of(s, node);

	if (class >= SVG_DIFF_GREW && class < SVG_DIFF_SHRANK)
		snprintf(css, 8, "g%u", class - SVG_DIFF_GREW);
	else if (class >= SVG_DIFF_SHRANK && class < SVG_DIFF_NEW)
		snprintf(css, 8, "l%u", class - SVG_DIFF_SHRANK);
	else
		snprintf(css, 8, "%s",
			class == SVG_DIFF_NEW            ? "n0"
				: class == SVG_DIFF_GONE ? "x0"
							 : "e0");
}

/* ---- words ------------------------------------------------------------------------------------ */

void svg_diff_add_facts(struct buf *out, const struct svg_diff *s, uint32_t node)
{
	struct diff_change c = diff_change(s->diff, &s->nodes[node].total);

	differential_add_value(out, s->diff, c.a, false);
	buf_add_str(out, ARROW);
	differential_add_value(out, s->diff, c.b, false);
	buf_add_str(out, ", ");
	differential_add_value(out, s->diff, c.change, true);
	if (!c.certain)
		buf_add_str(out, ", within the sampling error");
}

void svg_diff_add_names(struct buf *out, const struct svg_diff *s)
{
	buf_printf(out, "%s" ARROW "%s", s->options->names[DIFF_A], s->options->names[DIFF_B]);
}

/* ---- data ------------------------------------------------------------------------------------- */

static void write_packed(struct json_writer *w, const char *key, const struct buf *packed)
{
	json_key(w, key);
	json_string(w, buf_str(packed), packed->len);
}

static void write_sides(struct json_writer *w, const struct svg_diff *s)
{
	const struct diff *d = s->diff;

	json_key(w, "names");
	json_begin_array(w);
	for (int side = 0; side < DIFF_SIDES; side++)
		json_cstring(w, s->options->names[side]);
	json_end_array(w);
	json_key(w, "totals");
	json_begin_array(w);
	for (int side = 0; side < DIFF_SIDES; side++)
		json_u64(w, d->total.of[side]);
	json_end_array(w);
	json_key(w, "each");
	json_begin_array(w);
	for (int side = 0; side < DIFF_SIDES; side++)
		json_double(w, diff_value(d, side, 1));
	json_end_array(w);
	json_key(w, "kind");
	json_cstring(w, !d->absolute ? "share" : d->seconds ? "seconds" : "count");
}

void svg_diff_write_data(struct json_writer *w, const struct svg_picture *picture)
{
	const struct svg_diff *s = picture->diff;
	_cleanup_buf_ struct buf self = BUF_INIT, classes = BUF_INIT;

	for (uint32_t i = 1; i < picture->tree.node_count; i++) {
		svg_pack(&self, s->nodes[i].self.of[DIFF_A]);
		svg_pack(&self, s->nodes[i].self.of[DIFF_B]);
		svg_pack(&classes, class_of(s, i));
	}
	json_key(w, "diff");
	json_begin_object(w);
	write_sides(w, s);
	write_packed(w, "self", &self);
	write_packed(w, "classes", &classes);
	json_end_object(w);
}

static struct err *svg_diff_write(
	FILE *out, struct diff *d, const struct differential_options *options)
{
	struct svg_diff s = { .diff = d, .options = options };
	struct svg_picture picture = {
		.profile = &d->tables,
		.options = &options->export,
		.diff = &s,
	};

	build_tree(&picture.tree, d);
	s.nodes = xcalloc(picture.tree.node_count, sizeof(*s.nodes));
	add_sides(&s, &picture.tree);
	set_widths(&s, &picture.tree);
	svg_write_picture(out, &picture);
	tree_deinit(&picture.tree);
	free(s.nodes);
	return ferror(out) ? err_errno(errno, "cannot write the flame graph") : NULL;
}

const struct differential differential_svg = {
	.name = "svg",
	.extension = "svg",
	.summary = "a differential flame graph: width is B, colour is the change",
	.write = svg_diff_write,
};

// SPDX-License-Identifier: MIT
#include "store/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/intern.h"

/* A node while the tree grows: in order of creation, parents before children. */
struct raw_node {
	uint32_t parent;
	function_id function;
	uint32_t line;
	uint64_t self, total;
};

struct raw_line {
	uint32_t node; // raw, then final
	struct tree_line counts;
};

struct builder {
	const struct profile *profile;
	enum tree_granularity granularity;
	struct raw_node *nodes;
	size_t node_count, node_capacity;
	struct raw_line *lines;
	size_t line_count, line_capacity;
	struct intern node_index, line_index;
};

static void builder_deinit(struct builder *b)
{
	free(b->nodes);
	free(b->lines);
	intern_deinit(&b->node_index);
	intern_deinit(&b->line_index);
}

static uint32_t builder_add(struct builder *b, const struct raw_node *node)
{
	array_reserve(b->nodes, b->node_capacity, b->node_count + 1);
	b->nodes[b->node_count] = *node;
	return (uint32_t)b->node_count++;
}

/* The child of `parent` for a frame, made if there is none. */
static uint32_t builder_child(struct builder *b, uint32_t parent, const struct store_frame *f)
{
	uint32_t line = b->granularity == TREE_LINES ? f->line : 0;
	uint64_t hash = intern_hash2((uint64_t)parent << 32 | f->function, line);

	for (struct intern_probe at = intern_begin(&b->node_index, hash);
		intern_next(&b->node_index, &at);) {
		const struct raw_node *n = &b->nodes[at.row];

		if (n->parent == parent && n->function == f->function && n->line == line)
			return at.row;
	}
	uint32_t id = builder_add(
		b, &(struct raw_node){ .parent = parent, .function = f->function, .line = line });
	intern_add(&b->node_index, hash, id);
	return id;
}

static struct tree_line *builder_line(struct builder *b, uint32_t node, uint32_t line)
{
	uint64_t hash = intern_hash2(node, line);

	for (struct intern_probe at = intern_begin(&b->line_index, hash);
		intern_next(&b->line_index, &at);) {
		struct raw_line *l = &b->lines[at.row];

		if (l->node == node && l->counts.line == line)
			return &l->counts;
	}
	array_reserve(b->lines, b->line_capacity, b->line_count + 1);
	b->lines[b->line_count] = (struct raw_line){ .node = node, .counts.line = line };
	intern_add(&b->line_index, hash, (uint32_t)b->line_count);
	return &b->lines[b->line_count++].counts;
}

static void builder_count(
	struct builder *b, uint32_t node, uint32_t line, uint64_t self, uint64_t total)
{
	b->nodes[node].self += self;
	b->nodes[node].total += total;
	if (b->granularity == TREE_LINES)
		return;
	struct tree_line *l = builder_line(b, node, line);
	l->self += self;
	l->total += total;
}

static const struct store_frame *stack_frame(const struct profile *p, stack_id stack)
{
	return &p->frames[p->stacks[stack].frame];
}

/* A stack's parent has the smaller id: one pass down for totals, one up for nodes. */
static void build_callees(struct builder *b)
{
	const struct profile *p = b->profile;
	_cleanup_free_ uint64_t *totals = xcalloc(p->stack_count, sizeof(*totals));
	_cleanup_free_ uint32_t *node_of = xcalloc(p->stack_count, sizeof(*node_of));

	for (size_t i = p->stack_count; i-- > 0;) {
		totals[i] += p->weights[i];
		if (p->stacks[i].parent != STACK_NONE)
			totals[p->stacks[i].parent] += totals[i];
	}
	for (size_t i = 0; i < p->stack_count; i++) {
		stack_id parent = p->stacks[i].parent;
		const struct store_frame *f = stack_frame(p, (stack_id)i);

		if (!totals[i])
			continue;
		node_of[i] =
			builder_child(b, parent == STACK_NONE ? TREE_ROOT : node_of[parent], f);
		builder_count(b, node_of[i], f->line, p->weights[i], totals[i]);
	}
}

static void build_callers(struct builder *b)
{
	const struct profile *p = b->profile;

	for (size_t i = 0; i < p->stack_count; i++) {
		uint32_t node = TREE_ROOT;

		if (!p->weights[i])
			continue;
		for (stack_id s = (stack_id)i; s != STACK_NONE; s = p->stacks[s].parent) {
			const struct store_frame *f = stack_frame(p, s);
			bool last = p->stacks[s].parent == STACK_NONE;

			node = builder_child(b, node, f);
			builder_count(b, node, f->line, last ? p->weights[i] : 0, p->weights[i]);
		}
	}
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_strings(const struct profile *p, string_id a, string_id b)
{
	const struct store_string *s = &p->strings[a], *t = &p->strings[b];
	int order = memcmp(s->text, t->text, s->len < t->len ? s->len : t->len);

	return order ? order : compare_u64(s->len, t->len);
}

static int compare_functions(const void *a, const void *b, void *profile)
{
	const struct profile *p = profile;
	const struct store_function *f = &p->functions[*(const function_id *)a];
	const struct store_function *g = &p->functions[*(const function_id *)b];
	int order = f->name == g->name ? 0 : compare_strings(p, f->name, g->name);

	if (!order)
		order = f->file == g->file ? 0 : compare_strings(p, f->file, g->file);
	if (!order)
		order = compare_u64(f->first_line, g->first_line);
	return order ? order : compare_u64(f->kind, g->kind);
}

/* rank[f]: the place of function f among all, sorted; so that nodes are sorted by integers. */
static uint32_t *rank_functions(const struct profile *p)
{
	_cleanup_free_ function_id *order = xcalloc(p->function_count, sizeof(*order));
	uint32_t *rank = xcalloc(p->function_count, sizeof(*rank));

	for (size_t i = 0; i < p->function_count; i++)
		order[i] = (function_id)i;
	// qsort_r hands the pointer on unchanged; compare_functions() takes it back as const
	qsort_r(order, p->function_count, sizeof(*order), compare_functions, (void *)(uintptr_t)p);
	for (size_t i = 0; i < p->function_count; i++)
		rank[order[i]] = (uint32_t)i;
	return rank;
}

struct sort_key {
	uint32_t parent, rank, line, node;
};

static int compare_keys(const void *a, const void *b)
{
	const struct sort_key *k = a, *l = b;
	int order = compare_u64(k->parent, l->parent);

	if (!order)
		order = compare_u64(k->rank, l->rank);
	return order ? order : compare_u64(k->line, l->line);
}

/* All nodes but the root, children of one parent together and sorted. */
static struct sort_key *sort_nodes(const struct builder *b)
{
	_cleanup_free_ uint32_t *rank = rank_functions(b->profile);
	size_t count = b->node_count - 1;
	struct sort_key *keys = xcalloc(count, sizeof(*keys));

	for (size_t i = 0; i < count; i++) {
		const struct raw_node *n = &b->nodes[i + 1];

		keys[i] = (struct sort_key){ n->parent, rank[n->function], n->line,
			(uint32_t)(i + 1) };
	}
	qsort(keys, count, sizeof(*keys), compare_keys);
	return keys;
}

/* Appends raw node `from` below final node `parent`. */
static uint32_t tree_append(struct tree *t, const struct raw_node *from, uint32_t parent)
{
	uint32_t id = (uint32_t)t->node_count++;
	uint32_t depth = parent == TREE_NONE ? 0 : t->nodes[parent].depth + 1;

	t->nodes[id] = (struct tree_node){
		.parent = parent,
		.first_child = TREE_NONE,
		.next_sibling = TREE_NONE,
		.end = id + 1,
		.depth = depth,
		.function = from->function,
		.line = from->line,
		.self = from->self,
		.total = from->total,
	};
	if (depth > t->max_depth)
		t->max_depth = depth;
	return id;
}

/*
 * Copies the nodes in preorder; final[raw node] is its new number. `next[raw]` walks over a node's
 * children in `keys`, so that no recursion is needed however deep the stacks are.
 */
static void tree_place(struct tree *t, const struct builder *b, uint32_t *final)
{
	_cleanup_free_ struct sort_key *keys = sort_nodes(b);
	_cleanup_free_ size_t *next = xcalloc(b->node_count, sizeof(*next));
	_cleanup_free_ uint32_t *last_child = xcalloc(b->node_count, sizeof(*last_child));
	size_t key_count = b->node_count - 1;
	uint32_t at = TREE_ROOT;

	for (size_t i = key_count; i-- > 0;)
		next[keys[i].parent] = i + 1; // 0: no children
	final[TREE_ROOT] = tree_append(t, &b->nodes[TREE_ROOT], TREE_NONE);
	for (;;) {
		size_t key = next[at];

		if (key && key <= key_count && keys[key - 1].parent == at) {
			uint32_t child = keys[key - 1].node, parent = final[at];

			next[at]++;
			final[child] = tree_append(t, &b->nodes[child], parent);
			if (t->nodes[parent].first_child == TREE_NONE)
				t->nodes[parent].first_child = final[child];
			else
				t->nodes[last_child[parent]].next_sibling = final[child];
			last_child[parent] = final[child];
			at = child;
			continue;
		}
		t->nodes[final[at]].end = (uint32_t)t->node_count;
		if (at == TREE_ROOT)
			return;
		at = b->nodes[at].parent;
	}
}

static int compare_lines(const void *a, const void *b)
{
	const struct raw_line *l = a, *m = b;
	int order = compare_u64(l->node, m->node);

	if (!order)
		order = compare_u64(m->counts.total, l->counts.total);
	return order ? order : compare_u64(l->counts.line, m->counts.line);
}

static void tree_place_lines(struct tree *t, struct builder *b, const uint32_t *final)
{
	for (size_t i = 0; i < b->line_count; i++)
		b->lines[i].node = final[b->lines[i].node];
	if (b->line_count)
		qsort(b->lines, b->line_count, sizeof(*b->lines), compare_lines);
	array_reserve(t->lines, t->line_capacity, b->line_count);
	t->line_count = b->line_count;
	for (size_t i = 0; i < b->line_count; i++) {
		struct tree_node *n = &t->nodes[b->lines[i].node];

		t->lines[i] = b->lines[i].counts;
		if (!n->tree_line_count++)
			n->first_tree_line = (uint32_t)i;
	}
}

void tree_build(struct tree *t, const struct profile *p, enum tree_granularity granularity,
	enum tree_direction direction)
{
	_cleanup_(builder_deinit) struct builder b = { .profile = p, .granularity = granularity };

	*t = (struct tree){ 0 };
	builder_add(&b, &(struct raw_node){ .parent = TREE_NONE, .total = p->total });
	if (direction == TREE_CALLEES)
		build_callees(&b);
	else
		build_callers(&b);

	_cleanup_free_ uint32_t *final = xcalloc(b.node_count, sizeof(*final));
	array_reserve(t->nodes, t->node_capacity, b.node_count);
	tree_place(t, &b, final);
	tree_place_lines(t, &b, final);
}

void tree_deinit(struct tree *t)
{
	free(t->nodes);
	free(t->lines);
	*t = (struct tree){ 0 };
}

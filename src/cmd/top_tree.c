// SPDX-License-Identifier: MIT
/*
 * The call tree. It is made anew for each frame; a node's key is made of the functions on the way to
 * it, so that it is the same node at the next refresh.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/intern.h"
#include "cmd/top_parts.h"

#define ROOT 0u
#define NO_NODE UINT32_MAX
/* Nodes with so much of all are open unless they were collapsed. */
#define OPEN_SHARE 0.05

void top_tree_deinit(struct top_tree *t)
{
	free(t->nodes);
	free(t->of_stack);
	free(t->touched);
	free(t->order);
	intern_deinit(&t->index);
}

/* ---- building --------------------------------------------------------------------------------- */

static uint32_t add_node(struct top_tree *t, uint32_t parent, function_id function, uint64_t key)
{
	array_reserve(t->nodes, t->capacity, t->count + 1);
	t->nodes[t->count] = (struct top_tree_node){
		.parent = parent,
		.first_child = NO_NODE,
		.next_sibling = NO_NODE,
		.process = CAPTURE_NONE,
		.function = function,
		.key = key,
		.depth = parent == NO_NODE ? -1 : t->nodes[parent].depth + 1,
	};
	if (parent != NO_NODE) {
		t->nodes[t->count].next_sibling = t->nodes[parent].first_child;
		t->nodes[parent].first_child = (uint32_t)t->count;
	}
	return (uint32_t)t->count++;
}

static uint32_t child_of(struct top_tree *t, uint32_t parent, function_id function)
{
	uint64_t key = intern_hash2(t->nodes[parent].key, (uint64_t)function + 1);

	key += !key;
	for (struct intern_probe p = intern_begin(&t->index, key); intern_next(&t->index, &p);)
		if (t->nodes[p.row].parent == parent && t->nodes[p.row].function == function)
			return p.row;
	uint32_t node = add_node(t, parent, function, key);
	intern_add(&t->index, key, node);
	return node;
}

static void reserve_stacks(struct top_tree *t, size_t count)
{
	size_t before = t->of_stack_capacity;

	array_reserve(t->of_stack, t->of_stack_capacity, count);
	if (t->of_stack_capacity > before)
		memset(t->of_stack + before, 0,
			(t->of_stack_capacity - before) * sizeof(*t->of_stack));
}

/* The node of a stack: that of the nearest one above it which has one, and from there downwards. */
static uint32_t node_of(struct top_tree *t, const struct profile *p, stack_id stack)
{
	size_t first = t->touched_count;
	stack_id s = stack;

	for (; s != STACK_NONE && !t->of_stack[s]; s = p->stacks[s].parent) {
		array_reserve(t->touched, t->touched_capacity, t->touched_count + 1);
		t->touched[t->touched_count++] = s;
	}
	uint32_t node = s == STACK_NONE ? ROOT : t->of_stack[s];
	for (size_t i = t->touched_count; i-- > first;) {
		s = t->touched[i];
		node = child_of(t, node, p->frames[p->stacks[s].frame].function);
		t->of_stack[s] = node;
	}
	return node;
}

static uint32_t one_process(uint32_t a, uint32_t b)
{
	if (a == CAPTURE_NONE)
		return b;
	return a == b || b == CAPTURE_NONE ? a : SEVERAL_PROCESSES;
}

/* Parents come before their children. */
static void add_up(struct top_tree *t)
{
	for (size_t i = t->count; i-- > 1;) {
		struct top_tree_node *node = &t->nodes[i], *parent = &t->nodes[node->parent];

		parent->total += node->total;
		parent->total_samples += node->total_samples;
		parent->process = one_process(parent->process, node->process);
	}
}

static void build(struct top_tree *t, const struct profile *p, const struct top_parts *parts)
{
	for (size_t i = 0; i < t->touched_count; i++)
		t->of_stack[t->touched[i]] = 0;
	t->touched_count = 0;
	t->count = 0;
	intern_clear(&t->index);
	reserve_stacks(t, p->stack_count);
	add_node(t, NO_NODE, 0, 1);
	for (size_t i = 0; i < parts->stack_count; i++) {
		const struct top_stack *stack = &parts->stacks[i];
		uint32_t id = node_of(t, p, stack->stack);
		struct top_tree_node *node = &t->nodes[id];

		node->self += stack->weight;
		node->total += stack->weight;
		node->self_samples += stack->samples;
		node->total_samples += stack->samples;
		node->process = one_process(node->process, stack->process);
	}
	add_up(t);
}

/* ---- what is shown ---------------------------------------------------------------------------- */

/* A node is shown if the filter finds it, one below it, or one above it. */
static void match(struct top_model *m, struct top_tree *t)
{
	for (size_t i = t->count; i-- > 1;) {
		struct top_tree_node *node = &t->nodes[i];

		node->found = top_function_matches(m, node->function);
		node->matches |= node->found;
		t->nodes[node->parent].matches |= node->matches;
	}
	for (size_t i = 1; i < t->count; i++) {
		const struct top_tree_node *parent = &t->nodes[t->nodes[i].parent];

		t->nodes[i].below_found = parent->found || parent->below_found;
	}
}

static bool is_shown(const struct top_tree_node *node)
{
	return node->matches || node->below_found;
}

static int compare_keys(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool is_among(uint64_t key, const uint64_t *keys, size_t count)
{
	return count && bsearch(&key, keys, count, sizeof(key), compare_keys);
}

static bool is_open(
	const struct top_parts *parts, const struct top_query *query, const struct top_tree_node *node)
{
	if (is_among(node->key, query->open, query->open_count))
		return true;
	if (is_among(node->key, query->shut, query->shut_count))
		return false;
	// what a filter finds is to be seen
	if (parts->filter.active && node->matches && !node->found)
		return true;
	return node->total >= OPEN_SHARE * parts->all;
}

static void describe(
	const struct top_model *m, const struct top_tree_node *node, struct top_row *row)
{
	*row = (struct top_row){ .key = node->key, .depth = node->depth };
	top_describe(m, node->function, row);
	top_describe_process(m, node->process, row);
	top_measure(m->parts, row, node->self, node->total, node->self_samples,
		node->total_samples);
}

/* ---- order ------------------------------------------------------------------------------------ */

struct sorting {
	const struct top_model *m;
	const struct top_query *query;
};

static int compare_nodes(const void *a, const void *b, void *data)
{
	const struct sorting *s = data;
	const struct top_tree *t = &s->m->parts->tree;
	struct top_row x, y;

	describe(s->m, &t->nodes[*(const uint32_t *)a], &x);
	describe(s->m, &t->nodes[*(const uint32_t *)b], &y);
	return top_compare_rows(&x, &y, (void *)(uintptr_t)s->query);
}

/* Chains the shown children in order. */
static void sort_children(struct top_model *m, const struct top_query *query, uint32_t parent)
{
	struct top_tree *t = &m->parts->tree;
	struct sorting sorting = { m, query };
	uint32_t *next = &t->nodes[parent].first_child;
	size_t count = 0;

	for (uint32_t child = *next; child != NO_NODE; child = t->nodes[child].next_sibling) {
		if (!is_shown(&t->nodes[child]))
			continue;
		array_reserve(t->order, t->order_capacity, count + 1);
		t->order[count++] = child;
	}
	if (count > 1)
		qsort_r(t->order, count, sizeof(*t->order), compare_nodes, &sorting);
	for (size_t i = 0; i < count; i++) {
		*next = t->order[i];
		next = &t->nodes[t->order[i]].next_sibling;
	}
	*next = NO_NODE;
}

static void add_row(struct top_model *m, uint32_t id, bool open)
{
	const struct top_tree_node *node = &m->parts->tree.nodes[id];
	struct top_row row;

	describe(m, node, &row);
	row.has_children = node->first_child != NO_NODE;
	row.is_open = open && row.has_children;
	row.is_last = node->next_sibling == NO_NODE;
	*top_add_row(m->parts) = row;
}

/* The node after the subtree of one. */
static uint32_t after(const struct top_tree *t, uint32_t node)
{
	while (node != ROOT && t->nodes[node].next_sibling == NO_NODE)
		node = t->nodes[node].parent;
	return node == ROOT ? NO_NODE : t->nodes[node].next_sibling;
}

static void add_rows(struct top_model *m, const struct top_query *query)
{
	struct top_tree *t = &m->parts->tree;

	sort_children(m, query, ROOT);
	for (uint32_t node = t->nodes[ROOT].first_child; node != NO_NODE;) {
		bool open = is_open(m->parts, query, &t->nodes[node]);

		sort_children(m, query, node);
		add_row(m, node, open);
		node = open && t->nodes[node].first_child != NO_NODE ? t->nodes[node].first_child
								      : after(t, node);
	}
}

static enum top_sort sort_of(const struct top_query *query)
{
	// a tree by self time would hide its hot branches
	return query->sort == TOP_BY_SELF ? TOP_BY_TOTAL : query->sort;
}

void top_tree_fill(struct top_model *m, const struct top_query *query)
{
	struct top_tree *t = &m->parts->tree;
	struct top_query sorted = *query;

	sorted.sort = sort_of(query);
	build(t, &m->capture->tables, m->parts);
	match(m, t);
	add_rows(m, &sorted);
}

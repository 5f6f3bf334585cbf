// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "sample_profile.h"
#include "store/tree.h"

/* The node reached by a path of names "a/b/c", each the first child of that name. */
static const struct tree_node *find(const struct profile *p, const struct tree *t, const char *path)
{
	uint32_t at = TREE_ROOT;

	while (*path) {
		size_t len = strcspn(path, "/");
		uint32_t child = t->nodes[at].first_child;

		for (; child != TREE_NONE; child = t->nodes[child].next_sibling) {
			string_id name = p->functions[t->nodes[child].function].name;

			if (p->strings[name].len == len &&
				memcmp(profile_text(p, name), path, len) == 0)
				break;
		}
		if (child == TREE_NONE)
			fail_msg("no node %s", path);
		at = child;
		path += len + (path[len] == '/');
	}
	return &t->nodes[at];
}

/* What tree.h promises of every tree. */
static void check_invariants(const struct profile *p, const struct tree *t)
{
	assert_int_equal(t->nodes[TREE_ROOT].total, p->total);
	assert_int_equal(t->nodes[TREE_ROOT].end, t->node_count);
	assert_int_equal(t->nodes[TREE_ROOT].parent, TREE_NONE);
	for (uint32_t i = 0; i < t->node_count; i++) {
		const struct tree_node *n = &t->nodes[i];
		uint64_t children = 0, lines = 0;
		uint32_t end = i + 1;

		for (uint32_t c = n->first_child; c != TREE_NONE; c = t->nodes[c].next_sibling) {
			assert_int_equal(c, end);
			assert_int_equal(t->nodes[c].parent, i);
			assert_int_equal(t->nodes[c].depth, n->depth + 1);
			children += t->nodes[c].total;
			end = t->nodes[c].end;
		}
		assert_int_equal(n->end, end);
		assert_int_equal(n->total, n->self + children);
		assert_true(n->depth <= t->max_depth);
		for (uint32_t j = 0; j < n->tree_line_count; j++) {
			lines += t->lines[n->first_tree_line + j].total;
			if (j)
				assert_true(t->lines[n->first_tree_line + j].total <=
					t->lines[n->first_tree_line + j - 1].total);
		}
		if (n->tree_line_count)
			assert_int_equal(lines, n->total);
	}
}

static void test_empty(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	_cleanup_(tree_deinit) struct tree t;

	(void)state;
	profile_init(&p);
	tree_build(&t, &p, TREE_FUNCTIONS, TREE_CALLEES);
	assert_int_equal(t.node_count, 1);
	assert_int_equal(t.nodes[0].first_child, TREE_NONE);
	assert_int_equal(t.max_depth, 0);
	check_invariants(&p, &t);
}

static void test_functions_merge_lines(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	_cleanup_(tree_deinit) struct tree t;

	(void)state;
	sample_profile_init(&p);
	tree_build(&t, &p, TREE_FUNCTIONS, TREE_CALLEES);
	check_invariants(&p, &t);

	// the two functions of this name stay apart; sorted by first line
	const struct tree_node *view = find(&p, &t, "MainThread/<module>/View.get");
	assert_int_equal(p.functions[view->function].first_line, 10);
	assert_int_equal(view->total, 840);
	assert_int_equal(view->self, 40);
	assert_int_equal(view->tree_line_count, 2);
	assert_int_equal(t.lines[view->first_tree_line].line, 12);
	assert_int_equal(t.lines[view->first_tree_line].total, 500);
	assert_int_equal(t.lines[view->first_tree_line + 1].line, 15);
	assert_int_equal(t.lines[view->first_tree_line + 1].total, 340);
	assert_int_equal(t.lines[view->first_tree_line + 1].self, 40);
	view = &t.nodes[view->next_sibling];
	assert_int_equal(p.functions[view->function].first_line, 80);
	assert_int_equal(view->total, 120);
	assert_int_equal(find(&p, &t, "worker 3")->self, 1);
	assert_int_equal(find(&p, &t, "worker 3/walk/walk/walk/walk")->total, 60);
	assert_int_equal(find(&p, &t, "worker 3/walk/walk")->total, 80);
	assert_int_equal(find(&p, &t, "worker 3/walk/walk")->self, 20);
	assert_int_equal(t.max_depth, 5);
}

static void test_lines_stay_apart(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	_cleanup_(tree_deinit) struct tree t;

	(void)state;
	sample_profile_init(&p);
	tree_build(&t, &p, TREE_LINES, TREE_CALLEES);
	check_invariants(&p, &t);
	const struct tree_node *view = find(&p, &t, "MainThread/<module>/View.get");
	assert_int_equal(view->line, 12);
	assert_int_equal(view->total, 500);
	assert_int_equal(view->tree_line_count, 0);
	view = &t.nodes[view->next_sibling];
	assert_int_equal(view->line, 15);
	assert_int_equal(view->total, 340);
	assert_int_equal(t.line_count, 0);
}

static void test_callers(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	_cleanup_(tree_deinit) struct tree t;

	(void)state;
	sample_profile_init(&p);
	tree_build(&t, &p, TREE_FUNCTIONS, TREE_CALLERS);
	check_invariants(&p, &t);
	assert_int_equal(find(&p, &t, "render")->total, 800);
	assert_int_equal(find(&p, &t, "render/View.get/<module>/MainThread")->self, 800);
	assert_int_equal(find(&p, &t, "walk")->total, 80);
	assert_int_equal(find(&p, &t, "walk/walk/worker 3")->self, 20);
	assert_int_equal(find(&p, &t, "worker 3")->self, 1);
}

static void test_unsampled_stacks_make_no_nodes(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	_cleanup_(tree_deinit) struct tree t;

	(void)state;
	profile_init(&p);
	frame_id a = sample_frame(&p, "a", "a.py", 1, 1), b = sample_frame(&p, "b", "b.py", 1, 1);
	SAMPLE_ADD(&p, 0, a, b);
	SAMPLE_ADD(&p, 2, a);
	tree_build(&t, &p, TREE_FUNCTIONS, TREE_CALLEES);
	assert_int_equal(t.node_count, 2);
	check_invariants(&p, &t);
}

static void test_order_of_samples_does_not_matter(void **state)
{
	static const char *const names[] = { "c", "a", "b", "ab", "" };
	_cleanup_(profile_deinit) struct profile p, q;
	_cleanup_(tree_deinit) struct tree t, u;

	(void)state;
	profile_init(&p);
	profile_init(&q);
	for (size_t i = 0; i < 25; i++) {
		size_t j = 24 - i;

		SAMPLE_ADD(&p, 1 + i, sample_frame(&p, names[i / 5], "f", 1, 1),
			sample_frame(&p, names[i % 5], "f", 1, 1));
		SAMPLE_ADD(&q, 1 + j, sample_frame(&q, names[j / 5], "f", 1, 1),
			sample_frame(&q, names[j % 5], "f", 1, 1));
	}
	tree_build(&t, &p, TREE_FUNCTIONS, TREE_CALLEES);
	tree_build(&u, &q, TREE_FUNCTIONS, TREE_CALLEES);
	assert_int_equal(t.node_count, u.node_count);
	for (size_t i = 1; i < t.node_count; i++) {
		assert_string_equal(profile_text(&p, p.functions[t.nodes[i].function].name),
			profile_text(&q, q.functions[u.nodes[i].function].name));
		assert_int_equal(t.nodes[i].total, u.nodes[i].total);
	}
}

static void test_very_deep(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	_cleanup_(tree_deinit) struct tree t;
	stack_id stack = STACK_NONE;

	(void)state;
	profile_init(&p);
	frame_id frame = sample_frame(&p, "down", "down.py", 1, 2);
	for (int i = 0; i < 300000; i++)
		stack = profile_stack(&p, stack, frame);
	profile_add_sample(&p, stack, 1);
	tree_build(&t, &p, TREE_FUNCTIONS, TREE_CALLEES);
	assert_int_equal(t.max_depth, 300000);
	check_invariants(&p, &t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_functions_merge_lines),
		cmocka_unit_test(test_lines_stay_apart),
		cmocka_unit_test(test_callers),
		cmocka_unit_test(test_unsampled_stacks_make_no_nodes),
		cmocka_unit_test(test_order_of_samples_does_not_matter),
		cmocka_unit_test(test_very_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

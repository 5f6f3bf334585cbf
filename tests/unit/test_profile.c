// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "store/agg.h"
#include "store/profile.h"

static frame_id frame(struct profile *p, const char *name, uint32_t line)
{
	struct store_function f = { .name = profile_string(p, name, strlen(name)),
		.file = profile_string(p, "a.py", 4),
		.first_line = 1 };

	return profile_frame(p, profile_function(p, &f), line);
}

static void test_strings(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	char name[32];

	(void)state;
	profile_init(&p);
	assert_int_equal(profile_string(&p, "", 0), 0);
	string_id a = profile_string(&p, "abc", 3);
	assert_int_equal(profile_string(&p, "abcdef", 3), a);
	assert_int_not_equal(profile_string(&p, "abcd", 4), a);
	string_id zero = profile_string(&p, "a\0b", 3);
	assert_int_not_equal(profile_string(&p, "a\0c", 3), zero);
	assert_int_equal(p.strings[zero].len, 3);
	for (int i = 0; i < 20000; i++)
		profile_string(&p, name, (size_t)snprintf(name, sizeof(name), "name %d", i));
	for (int i = 0; i < 20000; i++) {
		string_id id = profile_string(
			&p, name, (size_t)snprintf(name, sizeof(name), "name %d", i));

		assert_string_equal(profile_text(&p, id), name);
	}
	assert_int_equal(p.string_count, 20000 + 5);
	assert_string_equal(profile_text(&p, a), "abc");
}

static void test_each_row_once(void **state)
{
	_cleanup_(profile_deinit) struct profile p;

	(void)state;
	profile_init(&p);
	struct store_function f = {
		.name = profile_string(&p, "f", 1), .file = 0, .first_line = 3
	};
	function_id id = profile_function(&p, &f);
	assert_int_equal(profile_function(&p, &f), id);
	struct store_function others[] = { f, f, f, f };
	others[0].name = 0;
	others[1].file = f.name;
	others[2].first_line = 4;
	others[3].kind = FUNCTION_MARK;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_int_equal(profile_function(&p, &others[i]), id + 1 + i);
	frame_id line1 = profile_frame(&p, id, 1);
	assert_int_equal(profile_frame(&p, id, 1), line1);
	assert_int_not_equal(profile_frame(&p, id, 2), line1);
	assert_int_not_equal(profile_frame(&p, id + 1, 1), line1);
	stack_id root = profile_stack(&p, STACK_NONE, line1);
	assert_int_equal(profile_stack(&p, STACK_NONE, line1), root);
	stack_id child = profile_stack(&p, root, line1);
	assert_int_not_equal(child, root);
	assert_int_equal(profile_stack(&p, root, line1), child);
	assert_int_equal(profile_depth(&p, STACK_NONE), 0);
	assert_int_equal(profile_depth(&p, root), 1);
	assert_int_equal(profile_depth(&p, child), 2);
}

static void test_plain_frames(void **state)
{
	_cleanup_(profile_deinit) struct profile p;

	(void)state;
	profile_init(&p);
	frame_id mark = profile_plain_frame(&p, FUNCTION_MARK, "(idle)");
	assert_int_equal(profile_plain_frame(&p, FUNCTION_MARK, "(idle)"), mark);
	assert_int_not_equal(profile_plain_frame(&p, FUNCTION_THREAD, "(idle)"), mark);
	assert_int_equal(p.frames[mark].line, 0);
	const struct store_function *f = &p.functions[p.frames[mark].function];
	assert_int_equal(f->kind, FUNCTION_MARK);
	assert_string_equal(profile_text(&p, f->file), "");
}

static void test_samples(void **state)
{
	_cleanup_(profile_deinit) struct profile p;

	(void)state;
	profile_init(&p);
	stack_id a = profile_stack(&p, STACK_NONE, frame(&p, "a", 1));
	stack_id b = profile_stack(&p, a, frame(&p, "b", 1));
	profile_add_sample(&p, b, 3);
	profile_add_sample(&p, a, 1);
	profile_add_sample(&p, b, 0);
	for (uint32_t i = 0; i < 1000; i++) // the columns grow, the weights stay
		profile_stack(&p, a, frame(&p, "c", i));
	assert_int_equal(p.weights[a], 1);
	assert_int_equal(p.weights[b], 3);
	assert_int_equal(p.total, 4);
	for (stack_id s = 2; s < p.stack_count; s++)
		assert_int_equal(p.weights[s], 0);
}

/* main -> f -> f -> g, main -> g, main; h is known but was never seen. */
static void make_recursion(struct profile *p)
{
	profile_init(p);
	frame(p, "h", 1);
	stack_id m = profile_stack(p, STACK_NONE, frame(p, "main", 1));
	stack_id f1 = profile_stack(p, m, frame(p, "f", 2));
	stack_id f2 = profile_stack(p, f1, frame(p, "f", 3)); // another line, the same function
	profile_add_sample(p, profile_stack(p, f2, frame(p, "g", 9)), 5);
	profile_add_sample(p, f2, 7);
	profile_add_sample(p, profile_stack(p, m, frame(p, "g", 8)), 2);
	profile_add_sample(p, m, 1);
}

static void row_is(const struct profile *p, const struct agg_row *row, const char *name,
	uint64_t self, uint64_t total)
{
	assert_string_equal(profile_text(p, p->functions[row->function].name), name);
	assert_int_equal(row->self, self);
	assert_int_equal(row->total, total);
}

static void test_totals_count_a_stack_once(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	_cleanup_(agg_deinit) struct agg agg;

	(void)state;
	make_recursion(&p);
	agg_functions(&agg, &p);
	assert_int_equal(agg.count, 3);
	agg_sort(&agg, AGG_BY_TOTAL);
	row_is(&p, &agg.rows[0], "main", 1, 15);
	row_is(&p, &agg.rows[1], "f", 7, 12);
	row_is(&p, &agg.rows[2], "g", 7, 7);
	agg_sort(&agg, AGG_BY_SELF);
	row_is(&p, &agg.rows[0], "f", 7, 12); // the same self time: by total
	row_is(&p, &agg.rows[1], "g", 7, 7);
	row_is(&p, &agg.rows[2], "main", 1, 15);
	uint64_t self = 0;
	for (size_t i = 0; i < agg.count; i++)
		self += agg.rows[i].self;
	assert_int_equal(self, p.total);
}

static void test_ties_are_in_order(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	_cleanup_(agg_deinit) struct agg agg;
	char name[16];

	(void)state;
	profile_init(&p);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		profile_add_sample(&p, profile_stack(&p, STACK_NONE, frame(&p, name, 1)), 4);
	}
	agg_functions(&agg, &p);
	agg_sort(&agg, AGG_BY_SELF);
	for (size_t i = 0; i < agg.count; i++)
		assert_int_equal(agg.rows[i].function, i);
	agg_sort(&agg, AGG_BY_TOTAL);
	for (size_t i = 0; i < agg.count; i++)
		assert_int_equal(agg.rows[i].function, i);
}

static void test_empty(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	struct agg agg;

	(void)state;
	profile_init(&p);
	agg_functions(&agg, &p);
	assert_int_equal(agg.count, 0);
	agg_sort(&agg, AGG_BY_SELF);
	agg_deinit(&agg);
	agg_deinit(&agg); // again is fine
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_each_row_once),
		cmocka_unit_test(test_plain_frames),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_totals_count_a_stack_once),
		cmocka_unit_test(test_ties_are_in_order),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

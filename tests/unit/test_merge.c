// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sample_capture.h"
#include "store/merge.h"
#include "store/view.h"

struct fixture {
	struct capture inputs[2], merged;
	struct merge_input described[2];
};

static void fixture_init(struct fixture *f)
{
	for (int i = 0; i < 2; i++) {
		struct capture *c = &f->inputs[i];

		capture_init(c);
		capture_set_fact_u64(c, FACT_PERIOD_NS, SAMPLE_MS);
		capture_set_fact(c, FACT_HOST, i ? "two" : "one");
		capture_set_fact(c, FACT_PYTHON, "3.12.1");
		capture_set_fact_u64(c, FACT_TICKS, 100);
		capture_set_fact_u64(c, FACT_START_NS, SAMPLE_START_NS + (uint64_t)i);
		// the same ids on both hosts
		sample_thread(c, sample_process(c, 7, "web"), 70, i ? "b" : "a");
		f->described[i] =
			(struct merge_input){ .capture = c, .name = i ? "2.fgc" : "1.fgc" };
	}
	capture_init(&f->merged);
}

static void fixture_deinit(struct fixture *f)
{
	for (int i = 0; i < 2; i++)
		capture_deinit(&f->inputs[i]);
	capture_deinit(&f->merged);
}

static void run_merge(struct fixture *f)
{
	struct merge *m = merge_create(&f->merged, f->described, 2);
	const struct capture_sample *s;

	while ((s = merge_next(m)) != NULL)
		capture_add_sample(&f->merged, s);
	assert_null(merge_end(m));
	merge_destroy(m);
}

static void check_folded(const struct capture *c, const char *expected)
{
	const struct profile *p;
	struct view *v;

	assert_null(view_create(
		&v, c, &(struct selection){ .process_roots = true, .thread_roots = true }));
	assert_null(view_profile(v, VIEW_COUNTS, &p));
	_cleanup_free_ char *text = sample_folded(p);
	assert_string_equal(text, expected);
	view_destroy(v);
}

static void test_order_and_ids(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;
	struct capture_cursor cursor;
	const struct capture_sample *s;
	uint64_t before = 0, count = 0;

	(void)state;
	fixture_init(&f);
	for (uint32_t i = 0; i < 20000; i++)
		sample_run(&f.inputs[i % 3 == 0], 0, i, 1, i % 2 ? "f@x.py:1;g" : "f@x.py:2");
	run_merge(&f);
	assert_int_equal(f.merged.process_count, 2);
	assert_int_equal(f.merged.thread_count, 2);
	assert_int_equal(f.merged.threads[1].process, 1);
	capture_cursor_init(&cursor, &f.merged);
	while ((s = capture_cursor_next(&cursor)) != NULL) {
		assert_true(s->time_ns >= before);
		before = s->time_ns;
		count += s->count;
	}
	capture_cursor_deinit(&cursor);
	assert_int_equal(count, 20000);
	// web (7) twice: names alone do not tell hosts apart, rows do
	check_folded(&f.merged,
		"web (7);a;f:1;g 6667\nweb (7);a;f:2 6666\nweb (7);b;f:1;g 3333\nweb (7);b;f:2 3334\n");
}

static void test_facts(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;
	const struct capture *c = &f.merged;

	(void)state;
	fixture_init(&f);
	capture_set_fact_u64(&f.inputs[0], FACT_END_NS, SAMPLE_START_NS + 9);
	run_merge(&f);
	assert_string_equal(capture_fact(c, FACT_PYTHON), "3.12.1");
	assert_null(capture_fact(c, "input.1.python"));
	assert_null(capture_fact(c, FACT_HOST));
	assert_string_equal(capture_fact(c, "input.1.host"), "one");
	assert_string_equal(capture_fact(c, "input.2.host"), "two");
	assert_string_equal(capture_fact(c, "input.2.name"), "2.fgc");
	assert_int_equal(capture_fact_u64(c, FACT_TICKS, 0), 200);
	assert_int_equal(capture_fact_u64(c, "input.2.ticks", 0), 100);
	assert_int_equal(capture_fact_u64(c, FACT_START_NS, 0), SAMPLE_START_NS);
	// one of them goes on
	assert_null(capture_fact(c, FACT_END_NS));
	assert_int_equal(capture_fact_u64(c, "input.1.end_ns", 0), SAMPLE_START_NS + 9);
}

static void test_offset(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;

	(void)state;
	fixture_init(&f);
	sample_run(&f.inputs[0], 0, 10, 1, "f");
	sample_run(&f.inputs[1], 0, 10, 1, "f");
	capture_add_marker(&f.inputs[1],
		&(struct capture_marker){ .start_ns = SAMPLE_START_NS + 5 * SAMPLE_MS,
			.end_ns = SAMPLE_START_NS + 6 * SAMPLE_MS,
			.thread = 0,
			.process = CAPTURE_NONE,
			.name = capture_string(&f.inputs[1], "GC") });
	capture_add_loss(&f.inputs[1], &(struct capture_loss){ SAMPLE_START_NS, LOSS_ROOM, 4 });
	f.described[1].offset_ns = -3 * (int64_t)SAMPLE_MS;
	run_merge(&f);
	assert_int_equal(capture_first_ns(&f.merged), SAMPLE_START_NS + 7 * SAMPLE_MS);
	assert_int_equal(capture_last_ns(&f.merged), SAMPLE_START_NS + 10 * SAMPLE_MS);
	const struct capture_marker *m = &f.merged.markers[0];
	assert_int_equal(m->start_ns, SAMPLE_START_NS + 2 * SAMPLE_MS);
	assert_int_equal(m->thread, 1);
	assert_int_equal(m->process, CAPTURE_NONE);
	assert_string_equal(capture_text(&f.merged, m->name), "GC");
	assert_int_equal(f.merged.losses[0].time_ns, SAMPLE_START_NS - 3 * SAMPLE_MS);
	assert_int_equal(f.merged.losses[0].count, 4);
}

/* 2 ms and 3 ms: a sample of the merged capture is 1 ms. */
static void test_periods(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;

	(void)state;
	fixture_init(&f);
	capture_set_fact_u64(&f.inputs[0], FACT_PERIOD_NS, 2 * SAMPLE_MS);
	capture_set_fact_u64(&f.inputs[1], FACT_PERIOD_NS, 3 * SAMPLE_MS);
	sample_run(&f.inputs[0], 0, 10, 10, "f");
	sample_run(&f.inputs[1], 0, 10, 10, "f");
	run_merge(&f);
	assert_int_equal(capture_fact_u64(&f.merged, FACT_PERIOD_NS, 0), SAMPLE_MS);
	check_folded(&f.merged, "web (7);a;f 20\nweb (7);b;f 30\n");
}

static void test_no_period(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;

	(void)state;
	fixture_init(&f);
	f.described[0].capture = &f.inputs[1];
	capture_deinit(&f.inputs[0]);
	capture_init(&f.inputs[0]);
	f.described[1].capture = &f.inputs[0]; // nothing at all in it
	sample_run(&f.inputs[1], 0, 10, 10, "f");
	run_merge(&f);
	assert_null(capture_fact(&f.merged, FACT_PERIOD_NS));
	check_folded(&f.merged, "web (7);b;f 10\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_ids),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_offset),
		cmocka_unit_test(test_periods),
		cmocka_unit_test(test_no_period),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

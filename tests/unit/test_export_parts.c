// SPDX-License-Identifier: MIT
/* What exporters share: pairs of callers and callees, ids, the clock; and how all of them fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "export/edges.h"
#include "export/export.h"
#include "export/ids.h"
#include "export/sample_clock.h"
#include "sample_capture.h"
#include "sample_profile.h"

#define MS ((uint64_t)SAMPLE_MS)

static const struct edge *find_edge(
	const struct edges *edges, const struct profile *p, const char *caller, const char *callee)
{
	for (size_t i = 0; i < edges->count; i++) {
		const struct edge *e = &edges->rows[i];
		const char *from = e->caller == EDGE_NO_CALLER ?
			"" : profile_text(p, p->functions[e->caller].name);

		if (strcmp(from, caller) == 0 &&
			strcmp(profile_text(p, p->functions[e->callee].name), callee) == 0)
			return e;
	}
	fail_msg("no edge from '%s' to '%s'", caller, callee);
	return NULL;
}

/* A pair counts once per stack, however often it is in it. */
static void test_edges(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	_cleanup_(edges_deinit) struct edges edges = { 0 };
	size_t count;

	(void)state;
	profile_init(&p);
	frame_id a = sample_frame(&p, "a", "x.py", 1, 2), a2 = sample_frame(&p, "a", "x.py", 1, 3);
	frame_id b = sample_frame(&p, "b", "x.py", 9, 9), c = sample_frame(&p, "c", "x.py", 20, 20);
	SAMPLE_ADD(&p, 7, a, b, a2, b);
	SAMPLE_ADD(&p, 5, a, b);
	SAMPLE_ADD(&p, 3, a, c);
	SAMPLE_ADD(&p, 2, b);
	edges_build(&edges, &p);
	assert_int_equal(edges.count, 5);
	assert_int_equal(find_edge(&edges, &p, "a", "b")->total, 12);
	assert_int_equal(find_edge(&edges, &p, "a", "b")->self, 12);
	assert_int_equal(find_edge(&edges, &p, "b", "a")->total, 7);
	assert_int_equal(find_edge(&edges, &p, "b", "a")->self, 0);
	assert_int_equal(find_edge(&edges, &p, "", "a")->total, 15);
	assert_int_equal(find_edge(&edges, &p, "", "b")->self, 2);

	edges_sort(&edges, EDGES_BY_CALLER);
	const struct edge *of_a = edges_of(&edges, EDGES_BY_CALLER, p.frames[a].function, &count);
	assert_int_equal(count, 2);
	assert_int_equal(of_a[0].total, 12);
	assert_int_equal(of_a[1].total, 3);
	edges_sort(&edges, EDGES_BY_CALLEE);
	edges_of(&edges, EDGES_BY_CALLEE, p.frames[b].function, &count);
	assert_int_equal(count, 2);
	assert_null(edges_of(&edges, EDGES_BY_CALLEE, 99, &count));
	assert_int_equal(count, 0);
}

static void test_ids(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	_cleanup_(export_ids_deinit) struct export_ids ids = { 0 };

	(void)state;
	capture_init(&c);
	uint32_t one = sample_process(&c, 700, "one"), two = sample_process(&c, 700, "again");
	sample_process(&c, 0, "not known");
	sample_thread(&c, one, 700, "main");
	sample_thread(&c, two, 700, "main");
	sample_thread(&c, two, 0, "x");
	sample_thread(&c, two, UINT32_MAX, "y");
	sample_thread(&c, two, 701, "z");
	export_ids_init(&ids, &c);
	assert_int_equal(ids.pids[0], 700);
	assert_int_equal(ids.tids[0], 700);
	assert_int_equal(ids.tids[4], 701);
	for (size_t i = 0; i < c.thread_count; i++)
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(ids.tids[i], ids.tids[j]);
	assert_int_not_equal(ids.pids[1], 700);
	assert_int_not_equal(ids.pids[2], 0);
	assert_int_equal(export_ids_pid(&ids, &c, CAPTURE_NONE), 700);
}

struct clocked {
	struct capture capture;
	struct view *view;
	struct sample_clock clock;
	uint32_t thread;
};

static void clocked_init(struct clocked *t, uint64_t period_ns)
{
	capture_init(&t->capture);
	if (period_ns)
		capture_set_fact_u64(&t->capture, FACT_PERIOD_NS, period_ns);
	t->thread = sample_thread(&t->capture, sample_process(&t->capture, 7, "p"), 7, "main");
}

static struct sample_time clocked_next(struct clocked *t)
{
	const struct capture_sample *s = view_next(t->view);

	assert_non_null(s);
	return sample_clock_next(&t->clock, s);
}

static void clocked_begin(struct clocked *t)
{
	assert_null(view_create(&t->view, &t->capture, &(struct selection){ 0 }));
	sample_clock_init(&t->clock, t->view);
	view_begin(t->view);
}

static void clocked_deinit(struct clocked *t)
{
	sample_clock_deinit(&t->clock);
	view_destroy(t->view);
	capture_deinit(&t->capture);
}

/* Up to two periods the sample before holds; after more there was nothing for a while. */
static void test_clock_gaps(void **state)
{
	_cleanup_(clocked_deinit) struct clocked t;

	(void)state;
	clocked_init(&t, MS);
	sample_run(&t.capture, t.thread, 0, 1, "a@x.py:1");
	sample_run(&t.capture, t.thread, 2, 1, "a@x.py:1");
	sample_run(&t.capture, t.thread, 5, 1, "a@x.py:1");
	clocked_begin(&t);
	struct sample_time time = clocked_next(&t);
	assert_int_equal(time.begin_ns, 0);
	assert_false(time.gap);
	time = clocked_next(&t);
	assert_int_equal(time.begin_ns, 2 * MS);
	assert_false(time.gap);
	time = clocked_next(&t);
	assert_true(time.gap);
	assert_int_equal(time.gap_from_ns, 3 * MS);
	assert_int_equal(time.begin_ns, 5 * MS);
	assert_int_equal(sample_clock_end(&t.clock, t.thread), 6 * MS);
}

/* Without times each thread's samples follow each other; counts are their lengths. */
static void test_clock_made_up(void **state)
{
	_cleanup_(clocked_deinit) struct clocked t;

	(void)state;
	clocked_init(&t, 0);
	for (uint64_t i = 1; i <= 3; i++)
		capture_add_sample(&t.capture, &(struct capture_sample){
			.count = i, .thread = t.thread, .stack = STACK_NONE });
	capture_add_sample(&t.capture, &(struct capture_sample){
		.count = UINT64_MAX, .thread = t.thread, .stack = STACK_NONE });
	clocked_begin(&t);
	assert_true(t.clock.made_up);
	assert_int_equal(clocked_next(&t).begin_ns, 0);
	assert_int_equal(clocked_next(&t).begin_ns, SAMPLE_CLOCK_MADE_UP_NS);
	assert_int_equal(clocked_next(&t).begin_ns, 3 * SAMPLE_CLOCK_MADE_UP_NS);
	assert_int_equal(clocked_next(&t).begin_ns, 6 * SAMPLE_CLOCK_MADE_UP_NS);
	assert_true(sample_clock_end(&t.clock, t.thread) < (uint64_t)1 << 51);
}

/* Each format, to a disk that is full. */
static void test_full_disk(void **state)
{
	_cleanup_(clocked_deinit) struct clocked t;
	FILE *f = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(f);
	setvbuf(f, NULL, _IONBF, 0);
	clocked_init(&t, MS);
	sample_run(&t.capture, t.thread, 0, 5, "a@x.py:1;b@y.py:2");
	clocked_begin(&t);
	for (size_t i = 0; exporters[i]; i++) {
		struct err *err = export_view(
			exporters[i], f, t.view, &(struct export_options){ 0 });

		if (!err)
			fail_msg("%s does not see that it could not write", exporters[i]->name);
		err_free(err);
		clearerr(f);
	}
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_clock_gaps),
		cmocka_unit_test(test_clock_made_up),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "export/differential.h"
#include "sample_capture.h"
#include "store/diff.h"

/* Two captures, each of one thread, and what is made of them. */
struct fixture {
	struct capture captures[DIFF_SIDES];
	struct view *views[DIFF_SIDES];
	struct diff diff;
};

static void fixture_init(struct fixture *f)
{
	*f = (struct fixture){ 0 };
	for (int side = 0; side < DIFF_SIDES; side++) {
		struct capture *c = &f->captures[side];

		capture_init(c);
		capture_set_fact_u64(c, FACT_PERIOD_NS, SAMPLE_MS);
		capture_set_fact(c, FACT_CWD, side ? "/home/b" : "/srv/a");
		sample_thread(c, sample_process(c, 1, "p"), 1, "MainThread");
	}
}

static void compare(struct fixture *f, const struct diff_options *options)
{
	for (int side = 0; side < DIFF_SIDES; side++)
		assert_null(view_create(&f->views[side], &f->captures[side],
			&(struct selection){ .granularity = VIEW_FUNCTIONS }));
	assert_null(diff_init(&f->diff, f->views, options));
}

static void fixture_deinit(struct fixture *f)
{
	diff_deinit(&f->diff);
	for (int side = 0; side < DIFF_SIDES; side++) {
		view_destroy(f->views[side]);
		capture_deinit(&f->captures[side]);
	}
}

static const struct diff_row *find_row(const struct diff *d, const char *name)
{
	for (size_t i = 0; i < d->row_count; i++) {
		string_id id = d->tables.functions[d->rows[i].function].name;

		if (strcmp(profile_text(&d->tables, id), name) == 0)
			return &d->rows[i];
	}
	return NULL;
}

/* Other lines, another directory, another Python: the same functions. */
static void test_functions_are_matched(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;

	(void)state;
	fixture_init(&f);
	sample_run(&f.captures[0], 0, 0, 60,
		"main@/srv/a/app.py:10;dumps@/usr/lib/python3.11/json/__init__.py:5");
	sample_run(&f.captures[0], 0, 60, 40, "main@/srv/a/app.py:12");
	sample_run(&f.captures[1], 0, 0, 30,
		"main@/home/b/app.py:20;dumps@/opt/lib/python3.13/json/__init__.py:9");
	sample_run(&f.captures[1], 0, 30, 20, "main@/home/b/app.py:20;more@/home/b/app.py:30");
	compare(&f, &(struct diff_options){ 0 });
	assert_int_equal(f.diff.row_count, 3);
	const struct diff_row *main_row = find_row(&f.diff, "main");
	assert_int_equal(main_row->self.of[DIFF_A], 40);
	assert_int_equal(main_row->self.of[DIFF_B], 0);
	assert_int_equal(main_row->total.of[DIFF_A], 100);
	assert_int_equal(main_row->total.of[DIFF_B], 50);
	const struct diff_row *dumps = find_row(&f.diff, "dumps");
	assert_int_equal(dumps->self.of[DIFF_A], 60);
	assert_int_equal(dumps->self.of[DIFF_B], 30);
	const struct diff_row *more = find_row(&f.diff, "more");
	assert_int_equal(more->total.of[DIFF_A], 0);
	assert_int_equal(more->total.of[DIFF_B], 20);
	// of a side that is half as long, the same share
	struct diff_change c = diff_change(&f.diff, &dumps->self);
	assert_true(fabs(c.a - 0.6) < 1e-9 && fabs(c.b - 0.6) < 1e-9);
	assert_false(c.certain);
}

static void test_whole_paths(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;

	(void)state;
	fixture_init(&f);
	sample_run(&f.captures[0], 0, 0, 6, "main@/srv/a/app.py:10");
	sample_run(&f.captures[1], 0, 0, 3, "main@/home/b/app.py:20");
	compare(&f, &(struct diff_options){ .full_paths = true });
	assert_int_equal(f.diff.row_count, 2);
}

/* Beyond the error or not: the same change, of few samples and of many. */
static void test_certainty_needs_samples(void **state)
{
	(void)state;
	for (uint32_t times = 1; times <= 100; times *= 100) {
		_cleanup_(fixture_deinit) struct fixture f;

		fixture_init(&f);
		sample_run(&f.captures[0], 0, 0, 20 * times, "f");
		sample_run(&f.captures[0], 0, 20 * times, 80 * times, "g");
		sample_run(&f.captures[1], 0, 0, 25 * times, "f");
		sample_run(&f.captures[1], 0, 25 * times, 75 * times, "g");
		compare(&f, &(struct diff_options){ 0 });
		struct diff_change c = diff_change(&f.diff, &find_row(&f.diff, "f")->self);
		// sqrt(0.225 * 0.775 * 2 / n), three of them
		double error = 3 * sqrt(0.225 * 0.775 * 2 / (100.0 * times));
		assert_true(fabs(c.change - 0.05) < 1e-9);
		assert_true(fabs(c.error - error) < 1e-9);
		assert_int_equal(c.certain, times == 100);
	}
}

/* A recording's length is known; how much of it was in a function is sampled. */
static void test_absolute(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;

	(void)state;
	fixture_init(&f);
	capture_set_fact_u64(&f.captures[1], FACT_PERIOD_NS, 10 * SAMPLE_MS);
	sample_run(&f.captures[0], 0, 0, 500, "f");
	sample_run(&f.captures[0], 0, 500, 500, "g");
	sample_run(&f.captures[1], 0, 0, 60, "f");
	sample_run(&f.captures[1], 0, 60, 50, "g");
	compare(&f, &(struct diff_options){ .absolute = true });
	assert_true(f.diff.seconds);
	struct diff_change whole = diff_change(&f.diff, &f.diff.total);
	assert_true(fabs(whole.a - 1) < 1e-9 && fabs(whole.b - 1.1) < 1e-9);
	assert_true(whole.certain);
	struct diff_change part = diff_change(&f.diff, &find_row(&f.diff, "f")->self);
	assert_true(fabs(part.change - 0.1) < 1e-9);
	assert_true(part.error > 0.1);
	assert_false(part.certain);
}

/* Weights that are no samples tell less than as many samples would. */
static void test_weights_are_no_samples(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;

	(void)state;
	fixture_init(&f);
	for (int side = 0; side < DIFF_SIDES; side++) {
		struct capture *c = &f.captures[side];

		capture_set_fact(c, FACT_UNIT, "bytes");
		for (uint32_t i = 0; i < 10; i++) {
			struct capture_sample s = { .time_ns = SAMPLE_START_NS + i,
				.count = 1000000,
				.stack = sample_stack(c, i < 4u + (unsigned int)side ? "f" : "g"),
				.syscall = SYSCALL_NONE };

			capture_add_sample(c, &s);
		}
	}
	compare(&f, &(struct diff_options){ 0 });
	assert_true(fabs(f.diff.samples[DIFF_A] - 10) < 1e-6);
	assert_false(diff_change(&f.diff, &find_row(&f.diff, "f")->self).certain);
}

static void test_match(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;
	struct diff_weights w;

	(void)state;
	fixture_init(&f);
	sample_run(
		&f.captures[0], 0, 0, 6, "main@/srv/a/app.py:10;f@/srv/a/x.py:1;f@/srv/a/x.py:2");
	sample_run(&f.captures[0], 0, 6, 4, "main@/srv/a/app.py:10");
	sample_run(&f.captures[1], 0, 0, 3, "g@/home/b/x.py:1");
	compare(&f, &(struct diff_options){ 0 });
	assert_null(diff_match(&f.diff, "\\(x\\.py", &w));
	assert_int_equal(w.of[DIFF_A], 6);
	assert_int_equal(w.of[DIFF_B], 3);
	assert_null(diff_match(&f.diff, "", &w));
	assert_int_equal(w.of[DIFF_A], 10);
	struct err *err = diff_match(&f.diff, "(", &w);
	assert_non_null(err);
	err_free(err);
}

static void test_empty_sides(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;

	(void)state;
	fixture_init(&f);
	sample_run(&f.captures[1], 0, 0, 3, "f");
	compare(&f, &(struct diff_options){ 0 });
	assert_int_equal(f.diff.row_count, 1);
	struct diff_change c = diff_change(&f.diff, &f.diff.rows[0].self);
	assert_true(c.a == 0 && c.b == 1);
	assert_false(c.certain);
}

static char *write_as(struct fixture *f, const struct differential *format)
{
	const struct differential_options options = { .names = { "a", "b" } };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_null(format->write(out, &f->diff, &options));
	fclose(out);
	return text;
}

/* A scaled to B's total: 40 + 30 + 30 to 20, whatever is rounded. */
static void test_folded(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;

	(void)state;
	fixture_init(&f);
	sample_run(&f.captures[0], 0, 0, 40, "a;x");
	sample_run(&f.captures[0], 0, 40, 33, "a;y");
	sample_run(&f.captures[0], 0, 80, 27, "a;gone;1");
	sample_run(&f.captures[1], 0, 0, 13, "a;x");
	sample_run(&f.captures[1], 0, 13, 7, "new;er");
	compare(&f, &(struct diff_options){ 0 });
	_cleanup_free_ char *scaled = write_as(&f, &differential_folded);
	assert_string_equal(scaled, "a;gone;1 5 0\na;x 8 13\na;y 7 0\nnew;er 0 7\n");
	f.diff.absolute = true;
	_cleanup_free_ char *counts = write_as(&f, &differential_folded);
	assert_string_equal(counts, "a;gone;1 27 0\na;x 40 13\na;y 33 0\nnew;er 0 7\n");
}

static void test_table(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;

	(void)state;
	fixture_init(&f);
	sample_run(&f.captures[0], 0, 0, 6000, "main;slow");
	sample_run(&f.captures[0], 0, 6000, 3000, "main;same");
	sample_run(&f.captures[0], 0, 9000, 1000, "main;left");
	sample_run(&f.captures[1], 0, 0, 6990, "main;slow");
	sample_run(&f.captures[1], 0, 6990, 3010, "main;same");
	compare(&f, &(struct diff_options){ 0 });
	_cleanup_free_ char *text = write_as(&f, &differential_text);
	assert_non_null(strstr(text, "  -10.00 ±0.92     10.00       - gone left\n"));
	assert_non_null(strstr(text, "   +9.90 ±2.02     60.00   69.90      slow\n"));
	assert_null(strstr(text, "same\n"));
	assert_non_null(strstr(text, " 1 function changed within the error\n"));
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 81); // one sign takes two bytes
}

/* Each node once, gone ones too, and a still picture with all of them. */
static void test_svg(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;

	(void)state;
	fixture_init(&f);
	sample_run(&f.captures[0], 0, 0, 600, "main;slow");
	sample_run(&f.captures[0], 0, 600, 400, "main;left;deep");
	sample_run(&f.captures[1], 0, 0, 700, "main;slow");
	sample_run(&f.captures[1], 0, 700, 300, "fresh");
	compare(&f, &(struct diff_options){ 0 });
	_cleanup_free_ char *text = write_as(&f, &differential_svg);
	static const char *const parts[] = {
		"<title>deep \xe2\x80\x93 40.00 % \xe2\x86\x92 0.00 %, -40.00 pp</title>",
		"<title>left \xe2\x80\x93 40.00 % \xe2\x86\x92 0.00 %, -40.00 pp</title>",
		"<title>slow \xe2\x80\x93 60.00 % \xe2\x86\x92 70.00 %, +10.00 pp</title>",
		"<title>fresh \xe2\x80\x93 0.00 % \xe2\x86\x92 30.00 %, +30.00 pp</title>",
		"\"count\":6,",
		"\"diff\":{\"names\":[\"a\",\"b\"],\"totals\":[1000,1000],",
		"\"each\":[0.001,0.001],\"kind\":\"share\",",
		"<rect class=\"x0\"",
		"<rect class=\"n0\"",
		"<rect class=\"g1\"",
	};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (!strstr(text, parts[i]))
			fail_msg("not there: %s", parts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions_are_matched),
		cmocka_unit_test(test_whole_paths),
		cmocka_unit_test(test_certainty_needs_samples),
		cmocka_unit_test(test_absolute),
		cmocka_unit_test(test_weights_are_no_samples),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_empty_sides),
		cmocka_unit_test(test_folded),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_svg),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

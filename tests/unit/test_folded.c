// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "export/export.h"
#include "golden.h"
#include "sample_profile.h"

struct text {
	char *data;
	size_t len;
};

static void text_deinit(struct text *t)
{
	free(t->data);
}

static void write_folded(
	struct text *t, const struct profile *p, const struct export_options *options)
{
	FILE *f = open_memstream(&t->data, &t->len);

	assert_null(export_folded.write(f, p, options));
	fclose(f);
}

static void check_golden(const char *name, const struct export_options *options)
{
	_cleanup_(profile_deinit) struct profile p;
	_cleanup_(text_deinit) struct text t = { 0 };

	sample_profile_init(&p);
	write_folded(&t, &p, options);
	golden_check(name, t.data, t.len);
}

static void test_golden(void **state)
{
	(void)state;
	check_golden("plain.folded", &(struct export_options){ .cwd = "/srv/app" });
	check_golden("functions.folded",
		&(struct export_options){ .cwd = "/srv/app", .functions = true });
	check_golden(
		"no_lines.folded", &(struct export_options){ .cwd = "/srv/app", .no_lines = true });
	check_golden("full_paths.folded", &(struct export_options){ .full_paths = true });
}

static void test_golden_hostile(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	_cleanup_(text_deinit) struct text t = { 0 };

	(void)state;
	sample_hostile_init(&p);
	write_folded(&t, &p, &(struct export_options){ 0 });
	golden_check("hostile.folded", t.data, t.len);
}

static void test_empty(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	_cleanup_(text_deinit) struct text t = { 0 };

	(void)state;
	profile_init(&p);
	write_folded(&t, &p, &(struct export_options){ 0 });
	assert_int_equal(t.len, 0);
}

/* Lines that would read alike are one line; the counts of all lines are the profile's total. */
static void test_lines_are_distinct_and_sum_up(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	_cleanup_(text_deinit) struct text t = { 0 };
	uint64_t sum = 0;
	size_t lines = 0;

	(void)state;
	profile_init(&p);
	SAMPLE_ADD(&p, 5, sample_frame(&p, "f", "/a/lib/python3.9/x.py", 1, 4));
	SAMPLE_ADD(&p, 6, sample_frame(&p, "f", "/b/lib/python3.9/x.py", 1, 4));
	SAMPLE_ADD(&p, 7, sample_frame(&p, "f", "/b/lib/python3.9/x.py", 2, 4));
	write_folded(&t, &p, &(struct export_options){ 0 });
	assert_string_equal(t.data, "f (x.py:4) 18\n");

	profile_deinit(&p);
	sample_hostile_init(&p);
	free(t.data);
	write_folded(&t, &p, &(struct export_options){ 0 });
	for (char *line = strtok(t.data, "\n"); line; line = strtok(NULL, "\n"), lines++)
		sum += strtoull(strrchr(line, ' ') + 1, NULL, 10);
	assert_int_equal(sum, p.total);
	assert_true(lines > 40);
}

/* flamegraph.pl takes two numbers at the end of a line for two counts. */
static void test_trailing_number(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	_cleanup_(text_deinit) struct text t = { 0 };

	(void)state;
	profile_init(&p);
	SAMPLE_ADD(&p, 9, profile_plain_frame(&p, FUNCTION_THREAD, "Thread 3"));
	SAMPLE_ADD(&p, 8, profile_plain_frame(&p, FUNCTION_THREAD, "Thread 3"),
		profile_plain_frame(&p, FUNCTION_MARK, "x2"));
	write_folded(&t, &p, &(struct export_options){ 0 });
	assert_string_equal(t.data, "Thread\\x203 9\nThread 3;x2 8\n");
}

static void test_table(void **state)
{
	(void)state;
	assert_ptr_equal(export_find("folded"), &export_folded);
	assert_ptr_equal(export_find("svg"), &export_svg);
	assert_null(export_find("SVG"));
	assert_null(export_find(""));
	assert_ptr_equal(export_guess("/tmp/a.b/out.svg"), &export_svg);
	assert_ptr_equal(export_guess("OUT.SVG"), &export_svg);
	assert_ptr_equal(export_guess("x.folded"), &export_folded);
	assert_ptr_equal(export_guess("x.collapsed"), &export_folded);
	assert_ptr_equal(export_guess("x.txt"), &export_folded);
	assert_ptr_equal(export_guess("out/x.trace.json"), &export_chrome);
	assert_ptr_equal(export_guess("x.perf"), &export_perfscript);
	assert_null(export_guess("x.json"));
	assert_null(export_guess("trace.json"));
	assert_null(export_guess("x.svg/out"));
	assert_null(export_guess("svg"));
	assert_null(export_guess("-"));
	for (size_t i = 0; exporters[i]; i++) {
		assert_ptr_equal(export_find(exporters[i]->name), exporters[i]);
		assert_non_null(exporters[i]->summary);
	}
}

static void test_full_disk(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	FILE *f = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(f);
	setvbuf(f, NULL, _IONBF, 0);
	sample_profile_init(&p);
	struct err *err = export_folded.write(f, &p, &(struct export_options){ 0 });
	assert_non_null(err);
	err_free(err);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_golden_hostile),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_lines_are_distinct_and_sum_up),
		cmocka_unit_test(test_trailing_number),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/*
 * What our exporters write comes back equal, as far as the format can hold it: the stacks with their
 * counts, or all of the text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "export/export.h"
#include "golden_captures.h"
#include "import_check.h"
#include "sample_capture.h"
#include "store/view.h"

struct text {
	char *data;
	size_t len;
};

static void text_deinit(struct text *t)
{
	free(t->data);
}

static void write_text(struct text *t, const struct capture *c, const char *format,
	const struct export_options *options)
{
	const struct exporter *e = export_find(format);
	struct selection everything = { 0 };
	struct view *v;

	assert_non_null(e);
	assert_null(view_create(&v, c, &everything));
	FILE *f = open_memstream(&t->data, &t->len);
	struct err *err = export_view(e, f, v, options);
	if (err)
		fail_msg("%s: %s", format, err->message);
	fclose(f);
	view_destroy(v);
}

static void read_back(struct capture *c, const struct text *t, const char *format)
{
	const struct importer *used;

	capture_init(c);
	struct err *err = import_bytes(c, t->data, t->len, NULL, &used);
	if (err)
		fail_msg("%s", err->message);
	assert_string_equal(used->name, format);
	import_check_whole(c);
}

struct round {
	const char *exporter, *importer;
	const char *compared; // the exporter whose output must be equal before and after
	struct export_options options, options_after;
	const char *captures[16];
};

/* Facts at the beginning, among which the format that it came from. */
static void strip_comments(struct text *t)
{
	char *from = t->data, *end;

	while (*from == '#' && (end = strchr(from, '\n')))
		from = end + 1;
	memmove(t->data, from, strlen(from) + 1);
}

static void check_round(const struct round *r, const char *name)
{
	_cleanup_(capture_deinit) struct capture before, after;
	_cleanup_(text_deinit) struct text file = { 0 }, expected = { 0 }, found = { 0 };

	print_message("%s %s\n", r->exporter, name);
	capture_init(&before);
	assert_true(golden_capture_fill(&before, name));
	write_text(&file, &before, r->exporter, &r->options);
	write_text(&expected, &before, r->compared, &r->options);
	read_back(&after, &file, r->importer);
	write_text(&found, &after, r->compared, &r->options_after);
	strip_comments(&expected);
	strip_comments(&found);
	assert_string_equal(found.data, expected.data);
}

static void check_rounds(const struct round *rounds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < ARRAY_LEN(rounds[i].captures) && rounds[i].captures[k]; k++)
			check_round(&rounds[i], rounds[i].captures[k]);
}

#define ALL                                                                                      \
	"nothing", "empty", "one", "deep", "wide", "unicode", "hostile", "recursion", "threads", \
		"processes", "states", "gaps", "counts", "origins"

#define FULL                       \
	{                          \
		.full_paths = true \
	}
#define FIRST                                         \
	{                                             \
		.full_paths = true, .functions = true \
	}

static void test_folded(void **state)
{
	static const struct round rounds[] = {
		{ "folded", "folded", "folded", FULL, FULL, { ALL } },
		// the line of the text is the line that comes back
		{ "folded", "folded", "folded", FIRST, FULL, { ALL } },
		{ "folded", "folded", "folded", { .no_lines = true }, FULL, { ALL } },
	};

	(void)state;
	check_rounds(rounds, ARRAY_LEN(rounds));
}

static void test_perf_script(void **state)
{
	static const struct round rounds[] = {
		{ "perfscript", "perf-script", "perfscript", FULL, FULL,
			{ "one", "deep", "wide", "unicode", "hostile", "recursion", "threads",
				"processes", "states", "origins" } },
	};

	(void)state;
	check_rounds(rounds, ARRAY_LEN(rounds));
}

/* Lines come and go within a call: functions are what these hold. */
static void test_calls(void **state)
{
	static const struct round rounds[] = {
		{ "chrome", "chrome", "folded", FIRST, FIRST,
			{ "one", "deep", "wide", "unicode", "recursion", "origins" } },
		{ "cpuprofile", "cpuprofile", "folded", FIRST, FIRST,
			{ "one", "deep", "wide", "recursion", "origins" } }, // gaps become (idle)
	};

	(void)state;
	check_rounds(rounds, ARRAY_LEN(rounds));
}

static void test_speedscope(void **state)
{
	static const struct round rounds[] = {
		{ "speedscope", "speedscope", "folded", FULL, FULL,
			// in the others all runs are of equal length: their counts are 1 then
			{ "one", "wide", "unicode", "recursion", "states", "origins" } },
	};

	(void)state;
	check_rounds(rounds, ARRAY_LEN(rounds));
}

static void test_firefox(void **state)
{
	static const struct round rounds[] = {
		{ "firefox", "firefox", "folded", FULL, FULL,
			{ "one", "deep", "wide", "unicode", "recursion", "threads", "processes",
				"states", "gaps", "origins" } },
	};

	(void)state;
	check_rounds(rounds, ARRAY_LEN(rounds));
}

static void test_pprof(void **state)
{
	static const struct round rounds[] = {
		{ "pprof", "pprof", "folded", FULL, FULL, { ALL } },
	};

	(void)state;
	check_rounds(rounds, ARRAY_LEN(rounds));
}

/* Tracks hold threads and processes, categories hold states, times are exact to a nanosecond or so. */
static void test_firefox_columns(void **state)
{
	_cleanup_(capture_deinit) struct capture before, after;
	_cleanup_(text_deinit) struct text file = { 0 };

	(void)state;
	capture_init(&before);
	golden_capture_fill(&before, "states");
	write_text(&file, &before, "firefox", &(struct export_options){ 0 });
	read_back(&after, &file, "firefox");
	assert_int_equal(after.processes[0].pid, 4711);
	assert_int_equal(after.threads[1].tid, 4712);
	assert_string_equal(capture_text(&after, after.threads[1].name), "pool");
	assert_int_equal(import_check_flag(&after, SAMPLE_IN_GC), 8);
	assert_int_equal(import_check_flag(&after, SAMPLE_WAITS_FOR_GIL), 20);
	assert_int_equal(import_check_thread(&after, 1).states[SAMPLE_WAITING], 19);
	assert_int_equal(capture_fact_u64(&after, FACT_PERIOD_NS, 0), SAMPLE_MS);
	assert_true(llabs((long long)capture_last_ns(&after) -
			    (long long)capture_last_ns(&before)) < 1000);
}

/* Labels hold threads, processes and states; comments hold facts. */
static void test_pprof_labels(void **state)
{
	_cleanup_(capture_deinit) struct capture before, after;
	_cleanup_(text_deinit) struct text file = { 0 };

	(void)state;
	capture_init(&before);
	golden_capture_fill(&before, "states");
	write_text(&file, &before, "pprof", &(struct export_options){ 0 });
	read_back(&after, &file, "pprof");
	assert_int_equal(after.thread_count, 2);
	assert_int_equal(after.processes[0].pid, 4711);
	assert_string_equal(capture_text(&after, after.processes[0].name), "shop.py");
	for (uint32_t i = 0; i < 2; i++) {
		struct import_sums was = import_check_thread(&before, i);
		struct import_sums is = import_check_thread(&after, i);

		assert_int_equal(after.threads[i].tid, before.threads[i].tid);
		assert_string_equal(capture_text(&after, after.threads[i].name),
			capture_text(&before, before.threads[i].name));
		assert_int_equal(is.count, was.count);
	}
	assert_int_equal(import_check_flag(&after, SAMPLE_IN_GC), 8);
	assert_int_equal(import_check_flag(&after, SAMPLE_HOLDS_GIL),
		import_check_flag(&before, SAMPLE_HOLDS_GIL));
	assert_int_equal(import_check_flag(&after, SAMPLE_WAITS_FOR_GIL), 20);
	assert_int_equal(capture_fact_u64(&after, FACT_PERIOD_NS, 0), SAMPLE_MS);
	assert_string_equal(capture_fact(&after, FACT_PYTHON), "3.11.7");
	assert_string_equal(capture_fact(&after, FACT_FORMAT), "pprof");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folded),
		cmocka_unit_test(test_perf_script),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_speedscope),
		cmocka_unit_test(test_firefox),
		cmocka_unit_test(test_firefox_columns),
		cmocka_unit_test(test_pprof),
		cmocka_unit_test(test_pprof_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sample_capture.h"
#include "store/capture_file.h"
#include "store/cut.h"

/* Two threads; on the first a request with a part, and another request; the second is of none. */
static void make(struct capture *c)
{
	capture_init(c);
	capture_set_fact_u64(c, FACT_PERIOD_NS, SAMPLE_MS);
	uint32_t process = sample_process(c, 7, "web");
	uint32_t first = sample_thread(c, process, 70, "first");
	uint32_t second = sample_thread(c, process, 71, "second");
	uint32_t wanted = sample_span(c, first, 10, 30, 0, "request", "GET /a");
	uint32_t part = sample_span(c, first, 15, 20, wanted, "render", "");
	uint32_t other = sample_span(c, first, 40, 0, 0, "request", "GET /b");
	const uint32_t spans[] = { 0, wanted, part, other };
	static const char *const stacks[] = { "main", "main;a", "main;render", "main;b" };

	for (uint32_t i = 0; i < 4; i++) {
		sample_in_span(spans[i]);
		sample_run(c, first, 10 * i, 3 + i, stacks[i]);
	}
	sample_in_span(0);
	sample_run(c, second, 0, 50, "main;idle");
}

static void cut_into(struct capture *ret, const struct cut_input *inputs, size_t count)
{
	char path[] = "/tmp/fireglass-test-cut-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_null(cut_write(inputs, count, fd));
	assert_null(capture_file_open(ret, path, NULL));
	close(fd);
	unlink(path);
}

static uint64_t samples_in(const struct capture *c, uint32_t span)
{
	struct capture_cursor cursor;
	const struct capture_sample *s;
	uint64_t count = 0;

	capture_cursor_init(&cursor, c);
	while ((s = capture_cursor_next(&cursor)) != NULL)
		count += s->span == span ? s->count : 0;
	assert_null(capture_cursor_error(&cursor));
	capture_cursor_deinit(&cursor);
	return count;
}

static void one_span_with_what_lies_in_it(void **state)
{
	const uint32_t rows[] = { 0, 999 };
	struct capture from, to;

	(void)state;
	make(&from);
	cut_into(&to, &(struct cut_input){ .capture = &from, .spans = rows, .span_count = 2 }, 1);
	assert_int_equal(to.span_count, 2);
	assert_string_equal(capture_text(&to, to.spans[0].text), "GET /a");
	assert_int_equal(to.spans[1].parent, 1);
	assert_int_equal(to.thread_count, 1);
	assert_int_equal(samples_in(&to, 1), 4);
	assert_int_equal(samples_in(&to, 2), 5);
	assert_int_equal(capture_samples(&to), 9);
	assert_int_equal(capture_fact_u64(&to, FACT_START_NS, 0), from.spans[0].start_ns);
	assert_int_equal(capture_fact_u64(&to, FACT_END_NS, 0), from.spans[0].end_ns);
	capture_deinit(&to);
	capture_deinit(&from);
}

static void several_captures(void **state)
{
	const uint32_t first[] = { 0 }, second[] = { 2 };
	struct capture a, b, to;

	(void)state;
	make(&a);
	make(&b);
	const struct cut_input inputs[] = {
		{ .capture = &a, .spans = first, .span_count = 1 },
		{ .capture = &b, .spans = second, .span_count = 1 },
	};
	cut_into(&to, inputs, 2);
	assert_int_equal(to.span_count, 3);
	assert_int_equal(to.process_count, 2);
	assert_string_equal(capture_text(&to, to.spans[2].text), "GET /b");
	assert_int_equal(samples_in(&to, 3), 6);
	assert_int_equal(capture_samples(&to), 15);
	capture_deinit(&to);
	capture_deinit(&b);
	capture_deinit(&a);
}

static void nothing(void **state)
{
	struct capture from, to;

	(void)state;
	make(&from);
	cut_into(&to, NULL, 0);
	assert_int_equal(capture_samples(&to), 0);
	capture_deinit(&to);
	cut_into(&to, &(struct cut_input){ .capture = &from }, 1);
	assert_int_equal(capture_samples(&to), 0);
	assert_int_equal(to.span_count, 0);
	capture_deinit(&to);
	capture_deinit(&from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_span_with_what_lies_in_it),
		cmocka_unit_test(several_captures),
		cmocka_unit_test(nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

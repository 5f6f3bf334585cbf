// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "sample_capture.h"
#include "store/capture_file.h"
#include "store/overlay.h"

struct fixture {
	struct capture before, after;
	uint32_t process, thread;
};

static void fixture_init(struct fixture *f)
{
	capture_init(&f->before);
	capture_set_fact_u64(&f->before, FACT_PERIOD_NS, SAMPLE_MS);
	f->process = sample_process(&f->before, 7, "web");
	f->thread = sample_thread(&f->before, f->process, 70, "main");
	capture_init(&f->after);
}

static void fixture_deinit(struct fixture *f)
{
	sample_in_span(0);
	capture_deinit(&f->before);
	capture_deinit(&f->after);
}

#define _cleanup_fixture_ _cleanup_(fixture_deinit)

static struct overlay_call call(uint32_t tid, const char *name, uint32_t ms, uint32_t to_ms)
{
	return (struct overlay_call){ tid, "traced", SAMPLE_START_NS + (uint64_t)ms * SAMPLE_MS,
		SAMPLE_START_NS + (uint64_t)to_ms * SAMPLE_MS, name, "" };
}

static void lay_over(struct fixture *f, const struct overlay_call *calls, size_t count)
{
	char from[] = "/tmp/fireglass-test-XXXXXX", to[] = "/tmp/fireglass-test-XXXXXX";
	int from_fd = mkstemp(from), to_fd = mkstemp(to);
	struct capture read;

	assert_true(from_fd >= 0 && to_fd >= 0);
	assert_null(capture_file_write(from_fd, &f->before));
	assert_null(capture_file_open(&read, from, NULL));
	assert_null(overlay_write(&read, calls, count, to_fd));
	capture_deinit(&read);
	capture_deinit(&f->after);
	assert_null(capture_file_open(&f->after, to, NULL));
	close(from_fd);
	close(to_fd);
	unlink(from);
	unlink(to);
}

/* "request>outer>inner", the innermost last. */
static void add_path(struct buf *out, const struct capture *c, uint32_t span)
{
	if (!span)
		return;
	assert_true(span <= c->span_count);
	assert_true(c->spans[span - 1].parent < span);
	add_path(out, c, c->spans[span - 1].parent);
	if (c->spans[span - 1].parent)
		buf_add_char(out, '>');
	buf_add_str(out, capture_text(c, c->spans[span - 1].name));
}

/* What the samples of a thread are in, in order; runs of the same are one. */
static void check(const struct fixture *f, uint32_t thread, const char *expected)
{
	_cleanup_buf_ struct buf all = BUF_INIT, path = BUF_INIT, last = BUF_INIT;
	const struct capture_sample *s;
	struct capture_cursor cursor;

	buf_add_str(&last, "?");
	capture_cursor_init(&cursor, &f->after);
	while ((s = capture_cursor_next(&cursor)) != NULL) {
		if (s->thread != thread)
			continue;
		path.len = 0;
		add_path(&path, &f->after, s->span);
		if (!s->span)
			buf_add_char(&path, '-');
		if (strcmp(buf_str(&path), buf_str(&last)) == 0)
			continue;
		buf_printf(&all, "%s%s", all.len ? " " : "", buf_str(&path));
		last.len = 0;
		buf_add_str(&last, buf_str(&path));
	}
	assert_null(capture_cursor_error(&cursor));
	capture_cursor_deinit(&cursor);
	assert_string_equal(buf_str(&all), expected);
}

static void test_calls(void **state)
{
	_cleanup_fixture_ struct fixture f;
	// in any order
	const struct overlay_call calls[] = {
		call(70, "inner", 20, 30),
		call(70, "again", 60, 70),
		call(70, "outer", 10, 50),
		call(70, "inner", 40, 45),
	};

	(void)state;
	fixture_init(&f);
	sample_run(&f.before, f.thread, 0, 100, "main;work");
	lay_over(&f, calls, 4);
	assert_int_equal(f.after.span_count, 4);
	check(&f, 0, "- outer outer>inner outer outer>inner outer - again -");
	assert_int_equal(capture_samples(&f.after), 100);
}

static void test_no_calls(void **state)
{
	_cleanup_fixture_ struct fixture f;

	(void)state;
	fixture_init(&f);
	sample_run(&f.before, f.thread, 0, 10, "main");
	lay_over(&f, NULL, 0);
	check(&f, 0, "-");
}

static void test_threads(void **state)
{
	_cleanup_fixture_ struct fixture f;
	const struct overlay_call calls[] = {
		call(70, "a", 10, 30),
		call(71, "b", 20, 40),
		call(99, "elsewhere", 20, 50),
		call(99, "elsewhere", 5, 10),
	};

	(void)state;
	fixture_init(&f);
	uint32_t other = sample_thread(&f.before, f.process, 71, "other");
	sample_run(&f.before, f.thread, 0, 50, "main");
	sample_run(&f.before, other, 0, 50, "other");
	lay_over(&f, calls, 4);
	check(&f, 0, "- a -");
	check(&f, 1, "- b -");
	// never sampled
	const struct capture_thread *traced = &f.after.threads[2];
	assert_int_equal(f.after.thread_count, 3);
	assert_string_equal(capture_text(&f.after, f.after.spans[0].name), "elsewhere");
	assert_int_equal(f.after.spans[0].thread, 2);
	assert_int_equal(traced->tid, 99);
	assert_string_equal(capture_text(&f.after, traced->name), "traced");
	assert_int_equal(traced->start_ns, SAMPLE_START_NS + 5 * SAMPLE_MS);
	assert_int_equal(traced->end_ns, SAMPLE_START_NS + 50 * SAMPLE_MS);
	assert_false(traced->main);
}

/* A request in which calls are; a call in which a span is, or one that outlives it. */
static void test_spans_of_the_capture(void **state)
{
	_cleanup_fixture_ struct fixture f;
	const struct overlay_call calls[] = {
		call(70, "handler", 20, 60),
		call(70, "outside", 85, 90),
		call(70, "opens", 100, 120),
	};

	(void)state;
	fixture_init(&f);
	uint32_t request = sample_span(&f.before, f.thread, 10, 80, 0, "request", "GET /");
	uint32_t render = sample_span(&f.before, f.thread, 30, 50, request, "render", "");
	uint32_t task = sample_span(&f.before, f.thread, 110, 140, 0, "task", "");
	sample_run(&f.before, f.thread, 0, 10, "main");
	sample_in_span(request);
	sample_run(&f.before, f.thread, 10, 20, "main");
	sample_in_span(render);
	sample_run(&f.before, f.thread, 30, 20, "main");
	sample_in_span(request);
	sample_run(&f.before, f.thread, 50, 30, "main");
	sample_in_span(0);
	sample_run(&f.before, f.thread, 80, 30, "main");
	sample_in_span(task);
	sample_run(&f.before, f.thread, 110, 30, "main");
	lay_over(&f, calls, 3);
	check(&f, 0,
		"- request request>handler request>handler>render request>handler request - outside - opens "
		"task");
}

/* Two tasks by turns on one thread: a call belongs to the one that its samples say. */
static void test_turns(void **state)
{
	_cleanup_fixture_ struct fixture f;
	const struct overlay_call calls[] = {
		call(70, "step", 10, 20),
		call(70, "step", 20, 30),
		call(70, "step", 30, 40),
	};

	(void)state;
	fixture_init(&f);
	uint32_t one = sample_span(&f.before, f.thread, 0, 50, 0, "one", "");
	uint32_t two = sample_span(&f.before, f.thread, 1, 50, 0, "two", "");
	for (uint32_t i = 0; i < 3; i++) {
		sample_in_span(i == 1 ? two : one);
		sample_run(&f.before, f.thread, 10 + i * 10, 10, "main");
	}
	lay_over(&f, calls, 3);
	check(&f, 0, "one>step two>step one>step");
}

/* A thread that has two rows: its calls go on through both. */
static void test_rows_of_one_thread(void **state)
{
	_cleanup_fixture_ struct fixture f;
	const struct overlay_call calls[] = { call(70, "first", 5, 15), call(70, "later", 30, 40) };

	(void)state;
	fixture_init(&f);
	uint32_t again = sample_thread(&f.before, f.process, 70, "main");
	sample_run(&f.before, f.thread, 0, 10, "main");
	sample_run(&f.before, again, 10, 40, "main");
	lay_over(&f, calls, 2);
	check(&f, 0, "- first");
	check(&f, 1, "first - later -");
	assert_int_equal(f.after.spans[1].thread, 1);
}

static void test_empty_calls(void **state)
{
	_cleanup_fixture_ struct fixture f;
	const struct overlay_call calls[] = {
		call(70, "none", 10, 10),
		call(70, "none", 10, 10),
		call(70, "some", 10, 20),
	};

	(void)state;
	fixture_init(&f);
	sample_run(&f.before, f.thread, 0, 30, "main");
	lay_over(&f, calls, 3);
	check(&f, 0, "- some -");
	assert_int_equal(f.after.span_count, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_no_calls),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_spans_of_the_capture),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_empty_calls),
		cmocka_unit_test(test_rows_of_one_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

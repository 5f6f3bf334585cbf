// SPDX-License-Identifier: MIT
/* Spans in captures: of samples in blocks, of the table in files, of views and merged captures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/iofd.h"
#include "sample_capture.h"
#include "store/capture_file.h"
#include "store/capture_out.h"
#include "store/merge.h"
#include "store/sample_spans.h"
#include "store/select_spans.h"
#include "store/view.h"

#define ROWS 3000u

static uint64_t random_state = 88172645463325252u;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % limit;
}

/* ---- beside a block --------------------------------------------------------------------------- */

/* Returns how many bytes it took. */
static size_t round_trip(const struct capture_sample *rows, size_t count)
{
	static struct capture_sample again[ROWS];
	_cleanup_buf_ struct buf spans = BUF_INIT;

	sample_spans_encode(&spans, rows, count);
	memcpy(again, rows, count * sizeof(*rows));
	for (size_t i = 0; i < count; i++)
		again[i].span = 77;
	assert_true(sample_spans_decode(spans.data, spans.len, again, count));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(again[i].span, rows[i].span);
	return spans.len;
}

static void test_none(void **state)
{
	struct capture_sample rows[3] = { 0 };

	(void)state;
	assert_int_equal(round_trip(rows, 0), 0);
	assert_int_equal(round_trip(rows, 3), 0);
}

static void test_round_trips(void **state)
{
	static struct capture_sample rows[ROWS];

	(void)state;
	// one long span on each of two threads: next to nothing
	for (uint32_t i = 0; i < ROWS; i++)
		rows[i] = (struct capture_sample){ .thread = i % 2, .span = 5 + i % 2 };
	assert_in_range(round_trip(rows, ROWS), 1, 20);
	// tasks by turns on one thread, requests one after the other
	for (uint32_t i = 0; i < ROWS; i++)
		rows[i] = (struct capture_sample){ .thread = 0, .span = 1000 + i / 10 };
	assert_in_range(round_trip(rows, ROWS), 1, ROWS);
	for (uint32_t part = 0; part < 50; part++) {
		uint32_t most = part % 2 ? 6 : UINT32_MAX;

		for (uint32_t i = 0; i < ROWS; i++)
			rows[i] = (struct capture_sample){ .thread = random_below(part % 5 + 1),
				.span = random_below(3) ? random_below(most) : 0 };
		round_trip(rows, ROWS - part);
	}
	rows[0].span = UINT32_MAX;
	rows[1].span = 1;
	round_trip(rows, 3);
}

static void test_damaged(void **state)
{
	_cleanup_buf_ struct buf spans = BUF_INIT;
	struct capture_sample rows[60] = { 0 }, again[60];

	(void)state;
	for (uint32_t i = 0; i < 60; i++)
		rows[i].span = i / 3 % 2 ? 300 + i : 0;
	sample_spans_encode(&spans, rows, 60);
	assert_false(sample_spans_decode(spans.data, spans.len, again, 59));
	for (size_t len = 1; len < spans.len; len++)
		assert_false(sample_spans_decode(spans.data, len, again, 60));
	for (size_t i = 0; i < spans.len * 8; i++) {
		spans.data[i / 8] ^= (char)(1 << i % 8);
		sample_spans_decode(spans.data, spans.len, again, 60);
		spans.data[i / 8] ^= (char)(1 << i % 8);
	}
}

/* ---- files ------------------------------------------------------------------------------------ */

static void fill(struct capture *c)
{
	capture_init(c);
	capture_set_fact_u64(c, FACT_PERIOD_NS, SAMPLE_MS);
	uint32_t web = sample_process(c, 100, "web");
	uint32_t one = sample_thread(c, web, 100, "MainThread");
	uint32_t two = sample_thread(c, web, 101, "worker");
	uint32_t cart = sample_span(c, one, 0, 20, 0, "request", "GET /cart");
	uint32_t render = sample_span(c, one, 5, 10, cart, "render", "cart.html");
	uint32_t pay = sample_span(c, two, 0, 0, 0, "request", "POST /pay");

	sample_in_span(cart);
	sample_run(c, one, 0, 5, "view");
	sample_in_span(render);
	sample_run(c, one, 5, 4, "view;render");
	sample_in_span(pay);
	sample_run(c, two, 9, 3, "view;pay");
	sample_in_span(0);
	sample_run(c, one, 20, 2, "idle");
}

struct file {
	char path[32];
	int fd;
};

static void file_init(struct file *f)
{
	strcpy(f->path, "/tmp/test_sample_spans.XXXXXX");
	f->fd = mkostemp(f->path, O_CLOEXEC);
	assert_true(f->fd >= 0);
}

static void file_deinit(struct file *f)
{
	unlink(f->path);
	close(f->fd);
}

#define _cleanup_file_ _cleanup_(file_deinit)

static void assert_same_spans(const struct capture *a, const struct capture *b)
{
	struct capture_cursor of_a, of_b;
	const struct capture_sample *s, *t;

	assert_int_equal(a->span_count, b->span_count);
	for (size_t i = 0; i < a->span_count; i++) {
		const struct capture_span *x = &a->spans[i], *y = &b->spans[i];

		assert_int_equal(x->start_ns, y->start_ns);
		assert_int_equal(x->end_ns, y->end_ns);
		assert_int_equal(x->process, y->process);
		assert_int_equal(x->thread, y->thread);
		assert_int_equal(x->parent, y->parent);
		assert_string_equal(capture_text(a, x->name), capture_text(b, y->name));
		assert_string_equal(capture_text(a, x->text), capture_text(b, y->text));
	}
	capture_cursor_init(&of_a, a);
	capture_cursor_init(&of_b, b);
	while ((s = capture_cursor_next(&of_a)) != NULL) {
		t = capture_cursor_next(&of_b);
		assert_non_null(t);
		assert_int_equal(s->span, t->span);
	}
	assert_null(capture_cursor_next(&of_b));
	assert_null(capture_cursor_error(&of_a));
	assert_null(capture_cursor_error(&of_b));
	capture_cursor_deinit(&of_a);
	capture_cursor_deinit(&of_b);
}

static void test_whole_file(void **state)
{
	_cleanup_file_ struct file f;
	_cleanup_(capture_deinit) struct capture c, again;

	(void)state;
	fill(&c);
	c.spans[1].thread = CAPTURE_NONE;
	file_init(&f);
	assert_null(capture_file_write(f.fd, &c));
	assert_null(capture_file_open(&again, f.path, NULL));
	assert_same_spans(&c, &again);
}

/* Opens, ends and gets texts while it is written; each flush can be read. */
static void test_growing(void **state)
{
	static const struct capture_writer_options plain = { 0 }, ring = { .max_age_ns = 1u << 30 };

	(void)state;
	for (int recorder = 0; recorder < 2; recorder++) {
		_cleanup_file_ struct file f;
		_cleanup_(capture_deinit) struct capture c, again;
		struct capture_writer *w;

		file_init(&f);
		fill(&c);
		c.span_count = c.pending_count = 0;
		assert_null(capture_writer_create(&w, f.fd, &c, recorder ? &ring : &plain));
		for (uint32_t i = 0; i < 200; i++) {
			uint32_t span = sample_span(&c, i % 2, i, 0, 0, "request", "");
			const struct capture_sample s = { .time_ns =
								  SAMPLE_START_NS + i * SAMPLE_MS,
				.count = 1,
				.thread = i % 2,
				.syscall = SYSCALL_NONE,
				.span = i % 7 ? span - i % 3 % span : 0 };

			if (i > 5) {
				c.spans[i - 5].end_ns = s.time_ns;
				c.spans[i - 5].text = capture_string(&c, i % 2 ? "a" : "b");
			}
			assert_null(capture_writer_sample(w, &s));
			capture_add_sample(&c, &s);
			if (i % 20)
				continue;
			assert_null(capture_writer_flush(w));
			if (recorder)
				continue;
			assert_null(capture_file_open(&again, f.path, NULL));
			assert_same_spans(&c, &again);
			capture_deinit(&again);
		}
		assert_null(capture_writer_finish(w));
		capture_writer_destroy(w);
		assert_null(capture_file_open(&again, f.path, NULL));
		assert_same_spans(&c, &again);
	}
}

/* A file that ends between samples and their spans has neither of them. */
static void test_cut(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	_cleanup_file_ struct file f;
	uint64_t seen = UINT64_MAX;

	(void)state;
	fill(&c);
	file_init(&f);
	assert_null(capture_file_write(f.fd, &c));
	off_t whole = lseek(f.fd, 0, SEEK_END);
	for (off_t len = whole - 1; len > CAPTURE_HEAD_BYTES; len--) {
		_cleanup_(capture_deinit) struct capture part;
		struct capture_cursor cursor;
		uint64_t rows = 0, in_spans = 0;
		const struct capture_sample *s;

		assert_int_equal(ftruncate(f.fd, len), 0);
		assert_null(capture_file_open(&part, f.path, NULL));
		capture_cursor_init(&cursor, &part);
		while ((s = capture_cursor_next(&cursor)) != NULL) {
			rows++;
			in_spans += s->span != 0;
		}
		assert_null(capture_cursor_error(&cursor));
		capture_cursor_deinit(&cursor);
		assert_true(rows == 14 ? in_spans == 12 : rows == 0);
		assert_true(rows <= seen);
		seen = rows;
	}
	assert_int_equal(seen, 0);
}

/* Nothing of it is in a file without spans: such files are as they were. */
static void test_no_trace(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	_cleanup_file_ struct file f;
	unsigned char bytes[4096];

	(void)state;
	fill(&c);
	for (size_t i = 0; i < c.pending_count; i++)
		c.pending[i].span = 0;
	c.span_count = 0;
	file_init(&f);
	assert_null(capture_file_write(f.fd, &c));
	ssize_t len = pread(f.fd, bytes, sizeof(bytes), 0);
	for (size_t at = CAPTURE_HEAD_BYTES; at < (size_t)len;) {
		struct chunk chunk;

		assert_int_equal(chunk_parse(&chunk, bytes + at, (size_t)len - at), CHUNK_OK);
		assert_true(chunk.type <= CHUNK_END && !(chunk.flags & CHUNK_SKIPPABLE));
		if (chunk.type == CHUNK_SAMPLES)
			assert_int_equal(chunk.extra_len, SAMPLES_EXTRA_BYTES);
		at += chunk_bytes(&chunk);
	}
}

/* ---- views ------------------------------------------------------------------------------------ */

static void check(const struct selection *selection, const char *expected)
{
	_cleanup_(capture_deinit) struct capture c;
	const struct profile *p;
	struct view *v;

	fill(&c);
	assert_null(view_create(&v, &c, selection));
	assert_null(view_profile(v, VIEW_COUNTS, &p));
	_cleanup_free_ char *text = sample_folded(p);
	assert_string_equal(text, expected);
	assert_int_equal(view_counts(v)->shown + view_counts(v)->left_out, 14);
	view_destroy(v);
}

static void test_selected(void **state)
{
	(void)state;
	check(&(struct selection){ 0 }, "idle 2\nview 5\nview;pay 3\nview;render 4\n");
	check(&(struct selection){ .spans = { "request" } }, "view 5\nview;pay 3\nview;render 4\n");
	check(&(struct selection){ .spans = { "^request GET /cart$" } }, "view 5\nview;render 4\n");
	check(&(struct selection){ .spans = { "^render" } }, "view;render 4\n");
	check(&(struct selection){ .spans = { "render", "pay" } }, "view;pay 3\nview;render 4\n");
	check(&(struct selection){ .spans = { "^$" } }, "idle 2\n");
	check(&(struct selection){ .spans = { "nothing such" } }, "");
	check(&(struct selection){ .span = 1 }, "view 5\nview;render 4\n");
	check(&(struct selection){ .span = 2 }, "view;render 4\n");
}

static void test_roots(void **state)
{
	(void)state;
	check(&(struct selection){ .span_roots = true },
		"idle 2\nrequest GET /cart;render cart.html;view;render 4\n"
		"request GET /cart;view 5\nrequest POST /pay;view;pay 3\n");
	check(&(struct selection){ .span_roots = true, .thread_roots = true, .hide = { "pay" } },
		"MainThread;idle 2\nMainThread;request GET /cart;render cart.html;view;render 4\n"
		"MainThread;request GET /cart;view 5\nworker;request POST /pay;view 3\n");
	check(&(struct selection){ .span_roots = true, .hide = { "." }, .spans = { "render" } },
		"request GET /cart;render cart.html;(hidden) 4\n");
	check(&(struct selection){ .span_roots = true, .root = { "render" } },
		"request GET /cart;render cart.html;render 4\n");
	check(&(struct selection){ .span_roots = true, .min_percent = 25 },
		"(below 25 %) 5\nrequest GET /cart;render cart.html;view;render 4\n"
		"request GET /cart;view 5\n");
}

static void test_bad_pattern(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	struct view *v;

	(void)state;
	fill(&c);
	struct err *err = view_create(&v, &c, &(struct selection){ .spans = { "(" } });
	assert_non_null(err);
	assert_non_null(strstr(err->message, "for span"));
	err_free(err);
}

static void test_shown_spans(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	struct view *v;

	(void)state;
	fill(&c);
	const struct selection late = { .from_ns = SAMPLE_START_NS + 15 * SAMPLE_MS };
	assert_null(view_create(&v, &c, &late));
	view_begin(v);
	assert_true(view_shows_span(v, 0));
	assert_false(view_shows_span(v, 1));
	assert_true(view_shows_span(v, 2)); // not ended
	view_destroy(v);
	assert_null(view_create(&v, &c, &(struct selection){ .threads = { "worker" } }));
	view_begin(v);
	assert_false(view_shows_span(v, 0));
	assert_true(view_shows_span(v, 2));
	view_destroy(v);
}

/* A long chain is decided on once, and parents that cannot be are none. */
static void test_chain(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	_cleanup_(selected_spans_deinit) struct selected_spans s;
	const struct selection selection = { .spans = { "^root" } };

	(void)state;
	fill(&c);
	c.span_count = 0;
	sample_span(&c, 0, 0, 0, 0, "root", "");
	for (uint32_t i = 1; i < 50000; i++)
		sample_span(&c, 0, i, 0, i, "part", "");
	c.spans[49998].parent = 49999; // itself
	assert_null(selected_spans_init(&s, &selection));
	assert_true(selected_spans_has(&s, &c, 49998));
	for (uint32_t i = 1; i < 49998; i++)
		assert_true(selected_spans_has(&s, &c, i));
	assert_false(selected_spans_has(&s, &c, 49999));
	assert_false(selected_spans_has(&s, &c, 50000));
	assert_false(selected_spans_has(&s, &c, 0));
}

/* ---- merging ---------------------------------------------------------------------------------- */

static void test_merged(void **state)
{
	_cleanup_(capture_deinit) struct capture one, two, merged;
	const struct capture_sample *s;
	size_t in_spans = 0;

	(void)state;
	fill(&one);
	fill(&two);
	capture_init(&merged);
	const struct merge_input inputs[] = { { .capture = &one, .name = "1" },
		{ .capture = &two, .name = "2", .offset_ns = 1000 } };
	struct merge *m = merge_create(&merged, inputs, 2);
	assert_int_equal(merged.span_count, 6);
	assert_int_equal(merged.spans[4].parent, 4);
	assert_int_equal(merged.spans[4].thread, 2);
	assert_int_equal(merged.spans[4].process, 1);
	assert_int_equal(merged.spans[4].start_ns, one.spans[1].start_ns + 1000);
	assert_int_equal(merged.spans[5].end_ns, 0);
	while ((s = merge_next(m)) != NULL) {
		assert_true(!s->span || merged.spans[s->span - 1].thread == s->thread);
		in_spans += s->span != 0;
	}
	assert_int_equal(in_spans, 24);
	assert_null(merge_end(m));
	merge_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_whole_file),
		cmocka_unit_test(test_growing),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_no_trace),
		cmocka_unit_test(test_selected),
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_bad_pattern),
		cmocka_unit_test(test_shown_spans),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_merged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/* What pages are made of: numbers, base64, and what exporters tell each other about sources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/gcd.h"
#include "export/export.h"
#include "export/page.h"
#include "fmt/base64.h"
#include "fmt/varint.h"
#include "sample_capture.h"

/* ---- numbers ---------------------------------------------------------------------------------- */

static void test_gcd(void **state)
{
	(void)state;
	assert_int_equal(gcd(12, 18), 6);
	assert_int_equal(gcd(18, 12), 6);
	assert_int_equal(gcd(0, 7), 7);
	assert_int_equal(gcd(7, 0), 7);
	assert_int_equal(gcd(0, 0), 0);
	assert_int_equal(gcd(UINT64_MAX, UINT64_MAX - 1), 1);
	assert_int_equal(gcd(15625, 1000000), 15625);
}

static size_t put(uint64_t value, const char *expected)
{
	char bytes[VARINT_MAX];
	size_t len = (size_t)(varint_put(bytes, value) - bytes);

	assert_memory_equal(bytes, expected, len);
	return len;
}

static void test_varint(void **state)
{
	(void)state;
	assert_int_equal(put(0, "\0"), 1);
	assert_int_equal(put(127, "\x7f"), 1);
	assert_int_equal(put(128, "\x80\x01"), 2);
	assert_int_equal(put(300, "\xac\x02"), 2);
	assert_int_equal(put(UINT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), VARINT_MAX);
}

static void test_zigzag(void **state)
{
	static const struct {
		int64_t value;
		uint64_t coded;
	} cases[] = { { 0, 0 }, { -1, 1 }, { 1, 2 }, { -2, 3 }, { INT64_MAX, UINT64_MAX - 1 },
		{ INT64_MIN, UINT64_MAX } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(varint_zigzag((uint64_t)cases[i].value), cases[i].coded);
		assert_int_equal(varint_unzigzag(cases[i].coded), (uint64_t)cases[i].value);
	}
}

/* ---- base64 ----------------------------------------------------------------------------------- */

/* Written in pieces of `step` bytes. */
static char *encoded(const char *bytes, size_t len, size_t step)
{
	char *text = NULL;
	size_t text_len;
	FILE *out = open_memstream(&text, &text_len), *base64;

	assert_null(base64_open(&base64, out));
	setvbuf(base64, NULL, _IONBF, 0);
	for (size_t at = 0; at < len; at += step)
		fwrite(bytes + at, 1, len - at < step ? len - at : step, base64);
	fclose(base64);
	fclose(out);
	return text;
}

static void encodes(const char *bytes, size_t len, const char *expected)
{
	for (size_t step = 1; step <= 5; step++) {
		_cleanup_free_ char *text = encoded(bytes, len, step);

		assert_string_equal(text, expected);
	}
}

static void test_base64(void **state)
{
	(void)state;
	encodes("", 0, "");
	encodes("M", 1, "TQ==");
	encodes("Ma", 2, "TWE=");
	encodes("Man", 3, "TWFu");
	encodes("Many", 4, "TWFueQ==");
	encodes("Many ", 5, "TWFueSA=");
	encodes("Many h", 6, "TWFueSBo");
	encodes("\xff\xfe\xfd\0", 4, "//79AA==");
}

static void test_base64_of_much(void **state)
{
	static char bytes[100001];
	size_t len = sizeof(bytes);

	(void)state;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 2654435761u >> 13);
	_cleanup_free_ char *once = encoded(bytes, len, len), *pieces = encoded(bytes, len, 7001);
	assert_int_equal(strlen(once), (len + 2) / 3 * 4);
	assert_string_equal(once, pieces);
	assert_int_equal(
		strspn(once, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
		strlen(once) - 1); // one = at the end: 100001 = 3 * 33333 + 2
}

static void test_base64_cannot_write(void **state)
{
	FILE *out = fopen("/dev/full", "w"), *base64;

	(void)state;
	assert_non_null(out);
	setvbuf(out, NULL, _IONBF, 0);
	assert_null(base64_open(&base64, out));
	fputs("some text", base64);
	fclose(base64);
	assert_true(ferror(out));
	fclose(out);
}

/* ---- pages ------------------------------------------------------------------------------------ */

/* Files that were asked for, in order. */
struct asked {
	char names[256];
};

static bool find(void *data, const char *file, struct export_source *ret)
{
	struct asked *asked = data;

	strcat(strcat(asked->names, file), " ");
	*ret = (struct export_source){ "text", 4, "" };
	return strcmp(file, "/none.py") != 0;
}

static char *page_of(struct capture *c, const struct export_options *options)
{
	const struct selection selection = { .mode = VIEW_WALL };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct view *v;

	assert_null(view_create(&v, c, &selection));
	assert_null(export_view(&export_page, out, v, options));
	view_destroy(v);
	fclose(out);
	return text;
}

/* Those with most samples come first, called or calling; each once, marks and threads never. */
static void test_which_sources(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	struct asked asked = { "" };
	const struct export_sources sources = { find, &asked };
	const struct export_options options = { .sources = &sources };

	(void)state;
	capture_init(&c);
	sample_process(&c, 1, "p");
	sample_thread(&c, 0, 1, "t");
	sample_run(&c, 0, 0, 10, "f@/few.py:1;g@/few.py:2;h@/few.py:3");
	sample_run(&c, 0, 10, 15, "f@/main.py:1;g@/leaf.py:2");
	sample_run(&c, 0, 25, 3, "f@/main.py:1;g@/none.py:2");
	sample_run(&c, 0, 28, 1, "");
	_cleanup_free_ char *page = page_of(&c, &options);
	assert_non_null(strstr(page, "id=\"capture\""));
	assert_string_equal(asked.names, "/main.py /leaf.py /few.py /none.py ");
}

/* What no clock and no kernel gives, but a file can. */
static void test_numbers_without_sense(void **state)
{
	static const uint64_t times[] = { 3, UINT64_MAX - 1, 1, UINT64_MAX / 2 };
	const struct export_options options = { .title = "x" };
	_cleanup_(capture_deinit) struct capture c;

	(void)state;
	capture_init(&c);
	capture_set_fact_u64(&c, FACT_PERIOD_NS, UINT64_MAX);
	sample_process(&c, 1, "p");
	for (uint32_t i = 0; i < ARRAY_LEN(times); i++) {
		sample_thread(&c, 0, UINT32_MAX, "t");
		capture_add_sample(&c,
			&(struct capture_sample){ .time_ns = times[i],
				.count = UINT64_MAX,
				.cpu_ns = UINT64_MAX,
				.thread = i,
				.stack = sample_stack(&c, i % 2 ? "f@/a.py:1" : ""),
				.syscall = INT32_MAX,
				.flags = SAMPLE_FLAGS });
	}
	_cleanup_free_ char *page = page_of(&c, &options);
	assert_non_null(strstr(page, "id=\"capture\""));
}

static void test_a_capture_that_changes(void **state)
{
	const struct selection selection = { .mode = VIEW_WALL };
	const struct export_options options = { .title = "x" };
	_cleanup_(capture_deinit) struct capture c;
	struct view *v;
	struct page p;

	(void)state;
	capture_init(&c);
	sample_process(&c, 1, "p");
	sample_thread(&c, 0, 1, "t");
	sample_run(&c, 0, 0, 3, "f@/a.py:1");
	assert_null(view_create(&v, &c, &selection));
	page_init(&p, v, &options);
	assert_null(page_survey(&p));
	page_number(&p);
	sample_run(&c, 0, 3, 1, "f@/a.py:1;g@/b.py:2");
	struct err *err = page_take_samples(&p);
	assert_non_null(err);
	assert_string_equal(err->message, "the capture was changed while it was read");
	err_free(err);
	page_deinit(&p);
	view_destroy(v);
}

static void test_a_page_twice_is_the_same(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	const struct export_options options = { .title = "x" };

	(void)state;
	capture_init(&c);
	sample_process(&c, 1, "p");
	sample_thread(&c, 0, 1, "t");
	sample_run(&c, 0, 0, 1000, "f@/a.py:1");
	_cleanup_free_ char *one = page_of(&c, &options), *two = page_of(&c, &options);
	assert_string_equal(one, two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gcd),
		cmocka_unit_test(test_varint),
		cmocka_unit_test(test_zigzag),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_base64_of_much),
		cmocka_unit_test(test_base64_cannot_write),
		cmocka_unit_test(test_which_sources),
		cmocka_unit_test(test_numbers_without_sense),
		cmocka_unit_test(test_a_capture_that_changes),
		cmocka_unit_test(test_a_page_twice_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

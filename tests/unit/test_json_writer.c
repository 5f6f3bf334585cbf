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
#include "fmt/json_writer.h"
#include "fmt/xml_out.h"

static void write_example(struct json_writer *w)
{
	json_begin_object(w);
	json_key(w, "pid");
	json_u64(w, 4711);
	json_key(w, "frames");
	json_begin_array(w);
	json_i64(w, -1);
	json_begin_object(w);
	json_end_object(w);
	json_begin_array(w);
	json_end_array(w);
	json_end_array(w);
	json_key(w, "gil");
	json_bool(w, true);
	json_key(w, "none");
	json_cstring(w, NULL);
	json_end_object(w);
}

static void test_shapes(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	(void)state;
	write_example(&(struct json_writer){ .buf = &b });
	assert_string_equal(
		b.data, "{\"pid\":4711,\"frames\":[-1,{},[]],\"gil\":true,\"none\":null}");
	buf_clear(&b);
	write_example(&(struct json_writer){ .buf = &b, .pretty = true });
	assert_string_equal(b.data,
		"{\n  \"pid\": 4711,\n  \"frames\": [\n    -1,\n    {},\n    []\n  ],\n"
		"  \"gil\": true,\n  \"none\": null\n}\n");
}

static void test_stream(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	write_example(&(struct json_writer){ .stream = f });
	fclose(f);
	assert_string_equal(
		text, "{\"pid\":4711,\"frames\":[-1,{},[]],\"gil\":true,\"none\":null}");
	free(text);
}

static void check_string(const char *s, size_t len, bool embedded, const char *want)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	json_string(&(struct json_writer){ .buf = &b, .embedded = embedded }, s, len);
	assert_string_equal(b.data, want);
}

static void test_strings(void **state)
{
	(void)state;
	check_string("", 0, false, "\"\"");
	check_string("a\"b\\c/d", 7, false, "\"a\\\"b\\\\c/d\"");
	check_string("\b\f\n\r\t\0\x1f", 7, false, "\"\\b\\f\\n\\r\\t\\u0000\\u001f\"");
	check_string("gr\xc3\xb6\xf0\x9f\x94\xa5", 8, false, "\"gr\xc3\xb6\xf0\x9f\x94\xa5\"");
	check_string("\xef\xbf\xbd", 3, false, "\"\xef\xbf\xbd\"");
	check_string("a\xff"
		     "b\xc3",
		4, false,
		"\"a\xef\xbf\xbd"
		"b\xef\xbf\xbd\"");
	check_string("</script>&]]>", 13, false, "\"</script>&]]>\"");
	check_string("</script>&]]>", 13, true, "\"\\u003c/script\\u003e\\u0026]]\\u003e\"");
	check_string("\xe2\x80\xa8\xef\xbf\xbf\xc2\x85\x7f", 9, true,
		"\"\\u2028\\uffff\\u0085\\u007f\"");
}

static void check_double(double value, const char *want)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	json_double(&(struct json_writer){ .buf = &b }, value);
	assert_string_equal(b.data, want);
}

static void test_numbers(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	(void)state;
	check_double(0, "0");
	check_double(0.1, "0.1");
	check_double(-2.5, "-2.5");
	check_double(1.0 / 3, "0.3333333333333333");
	check_double(1e300, "1e+300");
	check_double((double)NAN, "null");
	check_double((double)INFINITY, "null");
	json_u64(&(struct json_writer){ .buf = &b }, UINT64_MAX);
	assert_string_equal(b.data, "18446744073709551615");
	buf_clear(&b);
	json_i64(&(struct json_writer){ .buf = &b }, INT64_MIN);
	assert_string_equal(b.data, "-9223372036854775808");
}

static void test_deep(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct json_writer w = { .buf = &b };

	(void)state;
	for (unsigned int i = 0; i < JSON_MAX_DEPTH; i++)
		json_begin_array(&w);
	for (unsigned int i = 0; i < JSON_MAX_DEPTH; i++)
		json_end_array(&w);
	assert_int_equal(b.len, 2 * JSON_MAX_DEPTH);
	assert_int_equal(strspn(b.data, "["), JSON_MAX_DEPTH);
}

static void check_xml(const char *s, size_t len, const char *want)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	xml_add_text(&b, s, len);
	assert_string_equal(buf_str(&b), want);
}

static void test_xml(void **state)
{
	(void)state;
	check_xml("<a b='c' d=\"e\">&", 16, "&lt;a b=&#39;c&#39; d=&#34;e&#34;&gt;&amp;");
	check_xml("]]>", 3, "]]&gt;");
	check_xml("\t\n\r", 3, "&#9;&#10;&#13;");
	check_xml("\0\x1b\xef\xbf\xbf\xff", 6, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	check_xml("gr\xc3\xb6\xc3\x9f", 6, "gr\xc3\xb6\xc3\x9f");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_xml),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

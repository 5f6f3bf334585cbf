// SPDX-License-Identifier: MIT
/*
 * Line tables: tests/golden/linetables holds tables of each release with what Python itself says of
 * every instruction (tools/record_linetables.py; the format is described in shapes.py there).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "images.h"
#include "pyabi/linetable.h"

#define NO_LINE (-1)

/* ---- what Python says ------------------------------------------------------------------------ */

static unsigned int hex_digit(char c)
{
	return c <= '9' ? (unsigned int)(c - '0') : (unsigned int)(c - 'a') + 10;
}

/* "0a1b ff*300" */
static void read_table(const char *text, struct buf *out)
{
	while (*text) {
		size_t digits = strspn(text, "0123456789abcdef"), start = out->len;
		unsigned long repeat = 1;
		char *end = (char *)text + digits;

		for (size_t i = 0; i + 1 < digits; i += 2)
			buf_add_char(out, (char)(hex_digit(text[i]) << 4 | hex_digit(text[i + 1])));
		size_t len = out->len - start;
		if (*end == '*')
			repeat = strtoul(end + 1, &end, 10);
		while (--repeat) {
			buf_reserve(out, len);
			buf_add(out, out->data + start, len);
		}
		text = end + strspn(end, " ");
	}
}

/* The line at each byte of the bytecode. */
static void read_lines(const char *text, int64_t *lines, uint32_t code_bytes)
{
	uint32_t filled = 0;
	int64_t line = NO_LINE;

	while (*text) {
		int64_t run[5];
		char *end;

		for (size_t i = 0; i < ARRAY_LEN(run); i++) {
			run[i] = strtoll(text, &end, 10);
			assert_ptr_not_equal(end, text);
			text = end + 1;
		}
		for (int64_t k = 0; k < run[4]; k++) {
			uint32_t start = (uint32_t)(run[0] + k * run[2]);

			assert_in_range(start, filled, code_bytes - 1);
			while (filled < start)
				lines[filled++] = line;
			line = run[1] + k * run[3];
		}
		if (!*end)
			break;
	}
	while (filled < code_bytes)
		lines[filled++] = line;
}

static enum py_linetable_kind kind_of(const char *release)
{
	struct py_layout layout;
	unsigned int major = (unsigned int)(release[0] - '0');
	unsigned int minor = (unsigned int)strtoul(release + 2, NULL, 10);

	if (minor >= 13)
		return LINETABLE_LOCATIONS;
	assert_null(layout_for_version(&layout, major << 24 | minor << 16, 62, 0));
	return layout.linetable;
}

/* Where Python knows no line, ours is the last one before. */
static void compare(const char *name, enum py_linetable_kind kind, const struct buf *table,
	uint32_t first_line, const int64_t *lines, uint32_t code_bytes)
{
	bool lnotab = kind == LINETABLE_LNOTAB_UNSIGNED || kind == LINETABLE_LNOTAB_SIGNED;
	struct line_table decoded;
	int64_t expected = first_line;

	assert_true(line_table_decode(&decoded, kind, (const uint8_t *)buf_str(table), table->len,
		first_line, lnotab ? code_bytes : 0));
	assert_int_equal(decoded.end, code_bytes);
	for (uint32_t at = 0; at < code_bytes; at++) {
		uint32_t line = line_table_find(&decoded, at);

		if (lines[at] != NO_LINE)
			expected = lines[at];
		if (line != expected)
			print_error("%s: byte %" PRIu32 "\n", name, at);
		assert_int_equal(line, expected);
	}
	line_table_deinit(&decoded);
}

static char *next_line(char **text)
{
	char *line = *text, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*end = 0;
	*text = end + 1;
	return line;
}

static void test_as_python_says(void **state)
{
	(void)state;
	for (const char *const *release = recorded_releases; *release; release++) {
		_cleanup_free_ char *file = xasprintf("golden/linetables/%s.txt", *release);
		_cleanup_buf_ struct buf text = BUF_INIT;
		size_t count = 0;
		char *at, *line;

		test_file_read(file, &text);
		for (at = text.data; (line = next_line(&at)); count++) {
			_cleanup_buf_ struct buf table = BUF_INIT;
			char name[64];
			uint32_t first_line, code_bytes;

			assert_int_equal(sscanf(line, "code %63s %" SCNu32 " %" SCNu32, name,
						 &first_line, &code_bytes),
				3);
			_cleanup_free_ int64_t *lines = xcalloc(code_bytes, sizeof(*lines));
			line = next_line(&at);
			assert_memory_equal(line, "table ", 6);
			read_table(line + 6, &table);
			line = next_line(&at);
			assert_memory_equal(line, "lines ", 6);
			read_lines(line + 6, lines, code_bytes);
			compare(name, kind_of(*release), &table, first_line, lines, code_bytes);
		}
		assert_in_range(count, 15, 100);
	}
}

/* ---- single entries -------------------------------------------------------------------------- */

#define decode(kind, first_line, code_bytes, ...)            \
	decode_bytes(kind, (const uint8_t[]){ __VA_ARGS__ }, \
		sizeof((const uint8_t[]){ __VA_ARGS__ }), first_line, code_bytes)

static struct line_table decode_bytes(enum py_linetable_kind kind, const uint8_t *bytes, size_t len,
	uint32_t first_line, uint32_t code_bytes)
{
	struct line_table table = { 0 };

	if (!line_table_decode(&table, kind, bytes, len, first_line, code_bytes))
		table.end = UINT32_MAX;
	return table;
}

static void assert_refused(struct line_table table)
{
	assert_int_equal(table.end, UINT32_MAX);
	assert_null(table.ranges);
}

static void assert_lines(struct line_table table, size_t count, const uint32_t *lines)
{
	assert_int_equal(table.end, count * 2);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(line_table_find(&table, (uint32_t)i * 2), lines[i]);
	line_table_deinit(&table);
}

#define LINES(...)                                                        \
	sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4, (const uint32_t[]) \
	{                                                                 \
		__VA_ARGS__                                               \
	}

static void test_sign_of_lnotab(void **state)
{
	(void)state;
	assert_lines(decode(LINETABLE_LNOTAB_UNSIGNED, 1, 4, 2, 200), LINES(1, 201));
	assert_lines(decode(LINETABLE_LNOTAB_SIGNED, 1, 4, 2, 127), LINES(1, 128));
	assert_lines(decode(LINETABLE_LNOTAB_SIGNED, 100, 4, 2, (uint8_t)-50), LINES(100, 50));
	// several pairs at one place add up; the first ones may come before any code
	assert_lines(decode(LINETABLE_LNOTAB_SIGNED, 10, 4, 0, 127, 0, 3, 2, 5, 0, (uint8_t)-100),
		LINES(140, 45));
	// an odd byte at the end is left alone
	assert_lines(decode(LINETABLE_LNOTAB_SIGNED, 1, 4, 2, 1, 7), LINES(1, 2));
	assert_refused(decode(LINETABLE_LNOTAB_SIGNED, 10, 4, 2, (uint8_t)-50));
	assert_refused(decode(LINETABLE_LNOTAB_SIGNED, 1, BYTECODE_BYTES_MAX + 1, 2, 1));
}

static void test_ranges(void **state)
{
	(void)state;
	assert_lines(decode(LINETABLE_RANGES, 5, 0, 2, 0, 2, 1, 2, (uint8_t)-3), LINES(5, 6, 3));
	// entries without code only move the line; -128 is code without a line
	assert_lines(
		decode(LINETABLE_RANGES, 5, 0, 0, 100, 2, 1, 2, 128, 2, 1), LINES(106, 106, 107));
	assert_lines(decode(LINETABLE_RANGES, 5, 0, 2, 128, 2, 0), LINES(5, 5));
	assert_refused(decode(LINETABLE_RANGES, 5, 0, 2, (uint8_t)-6));
}

static void test_locations(void **state)
{
	const uint8_t none = 0x80 | 15 << 3;

	(void)state;
	// short, one line, no columns, long, none; lengths are units less one
	assert_lines(decode(LINETABLE_LOCATIONS, 5, 0, 0x80, 0x11, 0x80 | 11 << 3, 1, 2,
			     0x80 | 13 << 3, 3, 0x80 | 14 << 3, 0x40 | 32, 1, 0, 1, 1, none),
		LINES(5, 6, 5, 53, 53));
	assert_lines(decode(LINETABLE_LOCATIONS, 5, 0, none | 1, 0x80 | 13 << 3 | 2, 4),
		LINES(5, 5, 7, 7, 7));
	// -5 lines from 5 is line 0, where 3.11 puts the RESUME of a module
	assert_lines(decode(LINETABLE_LOCATIONS, 5, 0, 0x80 | 13 << 3, 11, 0x80 | 13 << 3, 2),
		LINES(0, 1));
	assert_refused(decode(LINETABLE_LOCATIONS, 5, 0, 0x80 | 13 << 3, 13));
	assert_refused(decode(LINETABLE_LOCATIONS, 5, 0, 0x11)); // no entry begins so
	assert_refused(decode(LINETABLE_LOCATIONS, 5, 0, 0x80)); // cut off
	assert_refused(decode(LINETABLE_LOCATIONS, 5, 0, 0x80 | 12 << 3, 1));
	assert_refused(decode(LINETABLE_LOCATIONS, 5, 0, 0x80 | 13 << 3));
	assert_refused(decode(LINETABLE_LOCATIONS, 5, 0, 0x80 | 13 << 3, 0x40, 0x80, 1));
	assert_refused(decode(LINETABLE_LOCATIONS, 5, 0, 0x80 | 14 << 3, 2, 1, 1));
	// a number that never ends
	assert_refused(decode(LINETABLE_LOCATIONS, 5, 0, 0x80 | 13 << 3, 0x7f, 0x7f, 0x7f, 0x7f,
		0x7f, 0x7f, 0x7f, 1));
}

static void test_empty_table(void **state)
{
	(void)state;
	for (int kind = LINETABLE_LNOTAB_UNSIGNED; kind <= LINETABLE_LOCATIONS; kind++) {
		bool lnotab = kind <= LINETABLE_LNOTAB_SIGNED;
		struct line_table table = decode_bytes(
			(enum py_linetable_kind)kind, (const uint8_t *)"", 0, 77, lnotab ? 8 : 0);

		assert_int_equal(table.end, lnotab ? 8 : 0);
		assert_int_equal(line_table_find(&table, 0), 77);
		line_table_deinit(&table);
	}
}

/* Garbage may be refused or taken, but costs no more than its length. */
static void test_caps(void **state)
{
	const size_t len = (size_t)2 * BYTECODE_BYTES_MAX;
	_cleanup_free_ uint8_t *bytes = xmalloc(len);

	(void)state;
	for (size_t i = 0; i < len; i++)
		bytes[i] = i & 1 ? 1 : 255;
	assert_refused(decode_bytes(LINETABLE_RANGES, bytes, len, 1, 0));
	assert_refused(decode_bytes(LINETABLE_LNOTAB_SIGNED, bytes, len, 1, 100));
	memset(bytes, 1, len);
	assert_refused(decode_bytes(LINETABLE_RANGES, bytes, len, 1, 0));
	memset(bytes, 0xff, len);
	assert_refused(decode_bytes(LINETABLE_LOCATIONS, bytes, len, 1, 0));
	for (size_t i = 0; i < len; i++)
		bytes[i] = i & 1 ? 2 : 0x80 | 13 << 3;
	assert_refused(decode_bytes(LINETABLE_LOCATIONS, bytes, len, 1, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_python_says),
		cmocka_unit_test(test_sign_of_lnotab),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_locations),
		cmocka_unit_test(test_empty_table),
		cmocka_unit_test(test_caps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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
#include "export/text_cells.h"
#include "golden.h"
#include "sample_profile.h"

static const struct {
	const char *name;
	enum text_shape shape;
} shapes[] = {
	{ "table", TEXT_TABLE },
	{ "callers", TEXT_CALLERS },
	{ "callees", TEXT_CALLEES },
	{ "tree", TEXT_TREE },
};

static const struct export_options timed = { .cwd = "/srv/app", .period_ns = 1000000 };

static struct buf text_of(const struct profile *p, const struct export_options *options)
{
	struct buf text = BUF_INIT;
	char *data = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&data, &len);

	assert_null(export_text.write(f, p, options));
	fclose(f);
	buf_add(&text, data, len);
	free(data);
	return text;
}

static void check_golden(
	const char *name, const struct profile *p, const struct export_options *options)
{
	_cleanup_buf_ struct buf text = text_of(p, options);

	golden_check(name, text.data, text.len);
}

static void test_shapes(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	char name[64];

	(void)state;
	sample_profile_init(&p);
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		struct export_options options = timed;

		options.shape = shapes[i].shape;
		options.command = "fireglass record -- python3 run.py";
		snprintf(name, sizeof(name), "text_%s.txt", shapes[i].name);
		check_golden(name, &p, &options);
		options.color = true;
		snprintf(name, sizeof(name), "text_%s_color.txt", shapes[i].name);
		check_golden(name, &p, &options);
	}
}

static void test_options(void **state)
{
	_cleanup_(profile_deinit) struct profile p;

	(void)state;
	sample_profile_init(&p);
	check_golden("text_counts.txt", &p, &(struct export_options){ .unit = "event" });
	struct export_options options = timed;
	options.rows = 3;
	options.no_lines = true;
	options.full_paths = true;
	check_golden("text_rows.txt", &p, &options);
	options.shape = TEXT_TREE;
	options.inverted = true;
	check_golden("text_tree_inverted.txt", &p, &options);
}

/* Without what a terminal does not show, counted as it shows it. */
static void remove_colours(struct buf *text)
{
	size_t kept = 0;

	for (size_t i = 0; i < text->len; i++) {
		if (text->data[i] == '\033')
			i = (size_t)(strchr(text->data + i, 'm') - text->data);
		else
			text->data[kept++] = text->data[i];
	}
	text->len = kept;
	text->data[kept] = 0;
}

static void check_lines(const struct buf *text)
{
	for (const char *at = text->data; *at;) {
		size_t len = strcspn(at, "\n");

		if (text_width(at, len) > TEXT_COLUMNS || (len && at[len - 1] == ' '))
			fail_msg("not as a terminal wants it: '%.*s'", (int)len, at);
		at += len + (at[len] == '\n');
	}
}

/* Names of any kind leave the columns where they are, and nothing reaches the terminal from them. */
static void test_hostile(void **state)
{
	_cleanup_(profile_deinit) struct profile p;

	(void)state;
	sample_hostile_init(&p);
	for (size_t i = 0; i < ARRAY_LEN(shapes) * 2; i++) {
		struct export_options options = { .rows = 1000, .color = i % 2 };
		options.shape = shapes[i / 2].shape;
		_cleanup_buf_ struct buf text = text_of(&p, &options);

		if (options.color)
			remove_colours(&text);
		check_lines(&text);
		for (size_t at = 0; at < text.len; at++)
			assert_true((unsigned char)text.data[at] >= ' ' || text.data[at] == '\n');
		assert_null(strstr(text.data, "\xe2\x80\xae")); // turns the direction of writing
	}
}

static void test_colours_change_nothing_else(void **state)
{
	_cleanup_(profile_deinit) struct profile p;

	(void)state;
	sample_profile_init(&p);
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		struct export_options options = timed;
		options.shape = shapes[i].shape;
		_cleanup_buf_ struct buf plain = text_of(&p, &options);
		options.color = true;
		_cleanup_buf_ struct buf coloured = text_of(&p, &options);

		assert_null(strchr(plain.data, '\033'));
		assert_non_null(strchr(coloured.data, '\033'));
		remove_colours(&coloured);
		assert_string_equal(plain.data, coloured.data);
	}
}

static void test_empty(void **state)
{
	_cleanup_(profile_deinit) struct profile p;

	(void)state;
	profile_init(&p);
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		struct export_options options = timed;
		options.shape = shapes[i].shape;
		_cleanup_buf_ struct buf text = text_of(&p, &options);

		assert_string_equal(text.data, "0 samples, one every 1 ms\n");
	}
}

/* A stack of 5000 different functions: the tree does not recurse, and stays within its columns. */
static void test_deep(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	frame_id frames[5000];
	char name[32];

	(void)state;
	profile_init(&p);
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		snprintf(name, sizeof(name), "f%zu", i);
		frames[i] = sample_frame(&p, name, "deep.py", 1, 2);
		sample_add(&p, frames, i + 1, 1 + i % 3);
	}
	struct export_options options = timed;
	options.shape = TEXT_TREE;
	options.rows = 10000;
	_cleanup_buf_ struct buf text = text_of(&p, &options);

	check_lines(&text);
	assert_non_null(strstr(text.data, "f4999 (deep.py:1)\n"));
}

static void test_cells(void **state)
{
	static const struct {
		const char *text, *middle, *start;
	} cells[] = {
		{ "", "        ", "        " },
		{ "short", "short   ", "short   " },
		{ "12345678", "12345678", "12345678" },
		{ "123456789", "123...89", "...56789" },
		{ "größe", "größe   ", "größe   " },
		{ "größenwahn", "grö...hn", "...nwahn" },
		{ "測定関数名", "測...名 ", "...数名 " },
		{ "e\xcc\x81" "e\xcc\x81", "e\xcc\x81" "e\xcc\x81" "      ",
			"e\xcc\x81" "e\xcc\x81" "      " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cells); i++) {
		const char *s = cells[i].text;
		_cleanup_buf_ struct buf out = BUF_INIT;

		text_add_cell(&out, s, strlen(s), 8, CLIP_MIDDLE, TONE_PLAIN, true);
		assert_string_equal(buf_str(&out), cells[i].middle);
		buf_clear(&out);
		text_add_cell(&out, s, strlen(s), 8, CLIP_START, TONE_PLAIN, false);
		assert_string_equal(buf_str(&out), cells[i].start);
	}
}

static void test_amounts(void **state)
{
	static const struct {
		uint64_t period_ns, samples, largest;
		const char *text;
	} amounts[] = {
		{ 0, 12345, 12345, "  12 345" },
		{ 0, 999999, 999999, " 999 999" },
		{ 0, 12345678, 12345678, "12345678" },
		{ 0, 123456789, 123456789, " 123.5 M" },
		{ 0, 9999949999, 9999949999, "9999.9 M" },
		{ 0, 9999990000, 9999990000, "  10.0 G" },
		{ 0, UINT64_MAX, UINT64_MAX, "  18.4 E" },
		{ 0, 0, 5, "       -" },
		{ 1000000, 0, 5, "       -" },
		{ 1000000, 5, 5, " 5.00 ms" },
		{ 1000000, 5, 500, "  5.0 ms" },
		{ 1000000, 5, 1000, " 0.005 s" },
		{ 1000000, 99999, 99999, "99.999 s" },
		{ 1000000, 1, 999999, "   0.0 s" },
		{ 1000000, 999999, 999999, "1000.0 s" },
		{ 1000000, 12345678, 12345678, " 12346 s" },
		{ 1000, 5, 999, "  5.0 us" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(amounts); i++) {
		struct export_options options = { .period_ns = amounts[i].period_ns };
		_cleanup_buf_ struct buf out = BUF_INIT;

		text_add_amount(&out, amounts[i].samples, amounts[i].largest, &options);
		assert_string_equal(buf_str(&out), amounts[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_colours_change_nothing_else),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_amounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

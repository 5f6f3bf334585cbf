// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "tui/parts.h"
#include "tui/top_state.h"

#define SECOND ((uint64_t)NS_PER_SEC)

/* ---- the canvas ------------------------------------------------------------------------------- */

static void assert_row(const struct canvas *c, int y, const char *wanted)
{
	_cleanup_buf_ struct buf row = BUF_INIT;

	canvas_row_text(c, y, &row);
	assert_string_equal(buf_str(&row), wanted);
}

static void assert_put(bool ascii, int width, const char *text, int used, const char *wanted)
{
	_cleanup_(canvas_deinit) struct canvas c = { .ascii = ascii };

	canvas_resize(&c, 20, 1);
	assert_int_equal(canvas_put(&c, 0, 0, width, TONE_PLAIN, text), used);
	assert_row(&c, 0, wanted);
}

static void test_characters(void **state)
{
	(void)state;
	assert_put(false, 20, "plain", 5, "plain");
	assert_put(false, 3, "plain", 3, "pla");
	assert_put(false, 0, "plain", 0, "");
	assert_put(false, 20, "größe", 5, "größe");
	assert_put(true, 20, "größe", 5, "gr??e");
	assert_put(false, 20, "日本", 4, "日本");
	assert_put(false, 3, "日本", 2, "日"); // half a character is none
	assert_put(true, 20, "日本", 2, "??");
	assert_put(false, 20, "e\xcc\x81x", 2, "e\xcc\x81x"); // a mark belongs to the letter before
	assert_put(false, 20, "\xcc\x81x", 1, "x");
	assert_put(
		false, 20, "e\xcc\x81\xcc\x82\xcc\x83", 1, "e\xcc\x81\xcc\x82"); // some are enough
}

/* Nothing from outside commands the terminal. */
static void test_hostile_text(void **state)
{
	(void)state;
	assert_put(false, 20, "a\033[2Jb", 6, "a�[2Jb");
	assert_put(true, 20, "a\033[2Jb", 6, "a?[2Jb");
	assert_put(false, 20, "\r\n\t\a\b\x7f", 6, "������");
	assert_put(false, 20,
		"\xc2\x9b"
		"2J",
		3, "�2J"); // CSI in one character
	assert_put(false, 20,
		"a\xe2\x80\xae"
		"b",
		3, "a�b"); // turns what follows
	assert_put(false, 20,
		"a\xe2\x80\x8b"
		"b",
		3, "a�b"); // is not seen
	assert_put(false, 20, "\xff\xfe", 2, "��");
	assert_put(false, 20, "\xe6\x97", 1, "�"); // cut
	assert_put(false, 20, "\xf3\xa0\x80\xa0", 1, "�");
}

static void assert_fit(enum canvas_fit fit, bool ascii, const char *text, const char *wanted)
{
	_cleanup_(canvas_deinit) struct canvas c = { .ascii = ascii };

	canvas_resize(&c, 9, 1);
	canvas_put(&c, 0, 0, 9, TONE_PLAIN, "xxxxxxxxx");
	canvas_put_fit(&c, 0, 1, 7, TONE_PLAIN, fit, text);
	assert_row(&c, 0, wanted);
}

static void test_fit(void **state)
{
	(void)state;
	assert_fit(FIT_LEFT, false, "abc", "xabc    x");
	assert_fit(FIT_RIGHT, false, "abc", "x    abcx");
	assert_fit(FIT_LEFT, false, "abcdefgh", "xabcdef…x");
	assert_fit(FIT_LEFT, true, "abcdefgh", "xabcdef~x");
	assert_fit(FIT_TAIL, false, "abcdefgh", "x…cdefghx");
	assert_fit(FIT_TAIL, true, "abcdefg", "xabcdefgx");
	assert_fit(FIT_TAIL, false, "a日本の関z", "x… の関zx");
	assert_fit(FIT_LEFT, false, "日本の関数", "x日本の…x");
}

static void test_wide_over_wide(void **state)
{
	_cleanup_(canvas_deinit) struct canvas c = { .ascii = false };

	(void)state;
	canvas_resize(&c, 6, 2);
	canvas_put(&c, 0, 0, 6, TONE_PLAIN, "日本語");
	canvas_put(&c, 0, 1, 1, TONE_PLAIN, "x");
	assert_row(&c, 0, " x本語");
	canvas_put(&c, 0, 2, 1, TONE_PLAIN, "y");
	assert_row(&c, 0, " xy 語");
	canvas_put(&c, 0, 5, 2, TONE_PLAIN, "語"); // no room
	canvas_put(&c, -1, 0, 6, TONE_PLAIN, "above");
	canvas_put(&c, 2, 0, 6, TONE_PLAIN, "below");
	canvas_put(&c, 1, -2, 9, TONE_PLAIN, "beside and beside");
	assert_row(&c, 0, " xy 語");
	assert_row(&c, 1, "side a");
}

/* ---- parts ------------------------------------------------------------------------------------ */

static void test_numbers(void **state)
{
	static const struct {
		double share;
		const char *text;
	} shares[] = { { 0, "0.0" }, { 0.1234, "12.3" }, { 0.99949, "99.9" }, { 0.9995, "100" },
		{ 1.452, "145" }, { -1, "-" }, { NAN, "-" }, { INFINITY, "-" }, { 1e9, "99999" } };
	static const struct {
		double seconds;
		const char *text;
	} times[] = { { 0, "0:00" }, { 83.9, "1:23" }, { 3723, "1:02:03" }, { 273900, "3d 04:05" },
		{ -5, "0:00" }, { NAN, "0:00" }, { 1e30, "0:00" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
		_cleanup_buf_ struct buf text = BUF_INIT;

		parts_add_percent(&text, shares[i].share);
		assert_string_equal(buf_str(&text), shares[i].text);
	}
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		_cleanup_buf_ struct buf text = BUF_INIT;

		parts_add_clock(&text, times[i].seconds);
		assert_string_equal(buf_str(&text), times[i].text);
	}
}

static void test_sparkline(void **state)
{
	static const double values[] = { 9, 0, 0.25, 0.5, 1, 7, NAN };
	_cleanup_(canvas_deinit) struct canvas c = { .ascii = false };

	(void)state;
	canvas_resize(&c, 8, 3);
	parts_sparkline(&c, 0, 0, 6, TONE_PLAIN, values, ARRAY_LEN(values), 0, 1);
	assert_row(&c, 0, "▁▂▄██▁");
	parts_sparkline(&c, 1, 0, 8, TONE_PLAIN, values, 2, 0, 0);
	assert_row(&c, 1, "      ▁▁");
	c.ascii = true;
	parts_sparkline(&c, 2, 0, 6, TONE_PLAIN, values, ARRAY_LEN(values), 0, 1);
	assert_row(&c, 2, "_,=##_");
}

static void test_bar(void **state)
{
	_cleanup_(canvas_deinit) struct canvas c = { .ascii = false };

	(void)state;
	canvas_resize(&c, 4, 1);
	parts_bar(&c, 0, 0, 4, TONE_PLAIN, 0.5);
	assert_row(&c, 0, "██");
	parts_bar(&c, 0, 0, 4, TONE_PLAIN, 0.53125);
	assert_row(&c, 0, "██▏");
	parts_bar(&c, 0, 0, 4, TONE_PLAIN, 7);
	assert_row(&c, 0, "████");
	parts_bar(&c, 0, 0, 4, TONE_PLAIN, 0);
	assert_row(&c, 0, "");
	c.ascii = true;
	parts_bar(&c, 0, 0, 4, TONE_PLAIN, 0.5);
	assert_row(&c, 0, "||");
}

/* ---- a host ----------------------------------------------------------------------------------- */

struct world {
	struct top_row rows[200];
	size_t count;
	struct top_query asked; // the last query; its texts are gone
	char filter[64];
	size_t open, shut;
	unsigned int fills, resets;
	int paused; // -1: never asked
	uint64_t saved_ns;
	bool saved_html, ended;
	uint32_t source_line;
	struct top top;
};

static void fill(void *data, const struct top_query *query, struct top_frame *frame)
{
	struct world *w = data;

	w->asked = *query;
	snprintf(w->filter, sizeof(w->filter), "%s", query->filter ? query->filter : "(null)");
	w->open = query->open_count;
	w->shut = query->shut_count;
	w->fills++;
	*frame = (struct top_frame){
		.arena = frame->arena,
		.command = "python3 app.py",
		.pid = 4711,
		.python = "3.12",
		.threads = 2,
		.processes = 1,
		.elapsed_s = 83,
		.rate_asked = 1000,
		.rate_reached = 1000,
		.samples = 5000,
		.frozen = query->frozen,
		.rows = w->rows,
		.count = w->count,
		.source_line = query->view == TOP_SOURCE ? w->source_line : 0,
		.ended = w->ended,
		.how = w->ended ? "killed by SIGKILL" : NULL,
		.window_s = 15,
	};
}

static char *save(void *data, uint64_t window_ns, bool html)
{
	struct world *w = data;

	w->saved_ns = window_ns;
	w->saved_html = html;
	return xstrdup("saved it");
}

static void pause_sampling(void *data, bool paused)
{
	((struct world *)data)->paused = paused;
}

static void reset(void *data)
{
	((struct world *)data)->resets++;
}

/* Functions a, b, c... */
static int setup(void **state)
{
	static char names[200][24];
	struct world *w = xcalloc(1, sizeof(*w));
	const struct top_options options = { .view = TOP_FUNCTIONS };
	const struct top_host host = { w, fill, save, pause_sampling, reset };

	w->count = 200;
	w->paused = -1;
	for (size_t i = 0; i < w->count; i++) {
		snprintf(names[i], sizeof(names[i]), "f%03zu", i);
		w->rows[i] = (struct top_row){ .key = i + 1,
			.function = i + 1,
			.name = names[i],
			.file = "app.py",
			.line = (uint32_t)i + 1,
			.self = 1.0 / (double)(i + 2) };
	}
	top_init(&w->top, &options, &host);
	top_refresh(&w->top);
	top_draw(&w->top);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	top_deinit(&w->top);
	free(w);
	return 0;
}

/* As top_turn() does. */
static void press(struct world *w, uint32_t key)
{
	const struct screen_event event = { .key = key };

	top_key(&w->top, &event);
	if (w->top.stale)
		top_refresh(&w->top);
	top_draw(&w->top);
}

static void type(struct world *w, const char *keys)
{
	for (; *keys; keys++)
		press(w, (uint32_t)*keys);
}

static void click(struct world *w, int y, int x)
{
	const struct screen_event event = { .key = SCREEN_KEY_CLICK, .y = y, .x = x };

	top_key(&w->top, &event);
	if (w->top.stale)
		top_refresh(&w->top);
	top_draw(&w->top);
}

static bool shows(struct world *w, int y, const char *text)
{
	_cleanup_buf_ struct buf row = BUF_INIT;

	canvas_row_text(&w->top.canvas, y, &row);
	return strstr(buf_str(&row), text) != NULL;
}

static const char *selected_name(struct world *w)
{
	return top_selected(&w->top)->name;
}

/* ---- the cursor ------------------------------------------------------------------------------- */

static void swap_rows(struct world *w, size_t a, size_t b)
{
	struct top_row row = w->rows[a];

	w->rows[a] = w->rows[b];
	w->rows[b] = row;
}

static void test_cursor_follows_its_row(void **state)
{
	struct world *w = *state;

	press(w, SCREEN_KEY_DOWN);
	type(w, "jj");
	assert_string_equal(selected_name(w), "f003");
	swap_rows(w, 3, 150);
	top_refresh(&w->top);
	top_draw(&w->top);
	assert_string_equal(selected_name(w), "f003");
	assert_int_equal(w->top.panes[TOP_FUNCTIONS].cursor, 150);
	assert_true(w->top.panes[TOP_FUNCTIONS].first + (size_t)w->top.body_height > 150);
	press(w, SCREEN_KEY_HOME);
	swap_rows(w, 0, 5);
	top_refresh(&w->top);
	assert_string_equal(selected_name(w), "f005"); // the hottest, whichever it is
}

static void test_cursor_stays_in_bounds(void **state)
{
	struct world *w = *state;

	press(w, SCREEN_KEY_UP);
	assert_int_equal(w->top.panes[TOP_FUNCTIONS].cursor, 0);
	press(w, SCREEN_KEY_END);
	assert_string_equal(selected_name(w), "f199");
	press(w, SCREEN_KEY_PAGE_DOWN);
	assert_string_equal(selected_name(w), "f199");
	w->count = 3;
	top_refresh(&w->top);
	top_draw(&w->top);
	assert_string_equal(selected_name(w), "f002");
	assert_int_equal(w->top.panes[TOP_FUNCTIONS].first, 0);
	w->count = 0;
	top_refresh(&w->top);
	top_draw(&w->top);
	assert_null(top_selected(&w->top));
	press(w, SCREEN_KEY_DOWN);
	press(w, SCREEN_KEY_ENTER);
	assert_int_equal(w->asked.view, TOP_FUNCTIONS);
}

static void test_newest_output_is_in_sight(void **state)
{
	struct world *w = *state;

	w->count = 100;
	type(w, "6");
	assert_string_equal(selected_name(w), "f099");
	w->count = 120;
	top_refresh(&w->top);
	assert_string_equal(selected_name(w), "f119");
	press(w, SCREEN_KEY_UP);
	w->count = 140;
	top_refresh(&w->top);
	assert_string_equal(selected_name(w), "f118"); // someone is reading
	press(w, SCREEN_KEY_END);
	w->count = 150;
	top_refresh(&w->top);
	assert_string_equal(selected_name(w), "f149");
}

/* ---- what keys ask for ------------------------------------------------------------------------ */

static void test_views_and_source(void **state)
{
	struct world *w = *state;

	type(w, "jj");
	w->source_line = 150;
	press(w, SCREEN_KEY_ENTER);
	assert_int_equal(w->asked.view, TOP_SOURCE);
	assert_int_equal(w->asked.selected, 3);
	assert_int_equal(top_selected(&w->top)->line, 150); // the line that matters
	press(w, SCREEN_KEY_UP);
	top_refresh(&w->top);
	assert_int_equal(top_selected(&w->top)->line, 149); // but only at first
	press(w, SCREEN_KEY_ESCAPE);
	assert_int_equal(w->asked.view, TOP_FUNCTIONS);
	assert_string_equal(selected_name(w), "f002");
	press(w, SCREEN_KEY_BACK_TAB);
	assert_int_equal(w->asked.view, TOP_OUTPUT);
	press(w, SCREEN_KEY_TAB);
	press(w, SCREEN_KEY_TAB);
	assert_int_equal(w->asked.view, TOP_LINES);
}

static void test_modes_and_window(void **state)
{
	struct world *w = *state;

	type(w, "m");
	assert_int_equal(w->asked.mode, TOP_CPU);
	type(w, "mmm");
	assert_int_equal(w->asked.mode, TOP_WALL);
	type(w, "g");
	assert_int_equal(w->asked.mode, TOP_GIL);
	type(w, "]");
	assert_int_equal(w->asked.window_ns / SECOND, 30);
	type(w, "]]]]]]]]");
	assert_int_equal(w->asked.window_ns / SECOND, 600);
	type(w, "[[[[[[[[[[[[");
	assert_int_equal(w->asked.window_ns / SECOND, 1);
	w->top.query.window_ns = 7 * SECOND;
	type(w, "]");
	assert_int_equal(w->asked.window_ns / SECOND, 10);
	assert_true(w->asked.decaying);
	type(w, "d");
	assert_false(w->asked.decaying);
	type(w, "f");
	assert_true(w->asked.frozen);
	type(w, "p");
	assert_int_equal(w->paused, 1);
	type(w, "pr");
	assert_int_equal(w->paused, 0);
	assert_int_equal(w->resets, 1);
}

static void test_sort(void **state)
{
	struct world *w = *state;

	type(w, "T");
	assert_int_equal(w->asked.sort, TOP_BY_TOTAL);
	assert_false(w->asked.reversed);
	type(w, "T");
	assert_true(w->asked.reversed);
	type(w, "C"); // functions have no such order
	assert_int_equal(w->asked.sort, TOP_BY_TOTAL);
	type(w, "3");
	assert_int_equal(w->asked.sort, TOP_BY_CPU);
	press(w, SCREEN_KEY_F0 + 6);
	assert_int_equal(w->top.prompt, PROMPT_SORT);
	press(w, SCREEN_KEY_DOWN);
	press(w, SCREEN_KEY_ENTER);
	assert_int_equal(w->asked.sort, TOP_BY_GIL);
	type(w, "1");
	assert_int_equal(w->asked.sort, TOP_BY_TOTAL); // each view has its own
	type(w, "I");
	assert_false(w->asked.reversed);
}

static void test_filter(void **state)
{
	struct world *w = *state;

	type(w, "/q");
	press(w, 0xfc);
	assert_string_equal(w->filter, "qü");
	press(w, SCREEN_KEY_BACKSPACE);
	assert_string_equal(w->filter, "q");
	press(w, SCREEN_KEY_ENTER);
	assert_int_equal(w->top.prompt, PROMPT_NONE);
	assert_false(w->top.over);
	press(w, SCREEN_KEY_ESCAPE);
	assert_string_equal(w->filter, "");
	type(w, "/abc");
	press(w, SCREEN_KEY_ESCAPE);
	assert_string_equal(w->filter, "");
	type(w, "/");
	for (int i = 0; i < 1000; i++)
		press(w, 'x');
	assert_true(strlen(buf_str(&w->top.filter)) <= 200);
}

static void test_limits(void **state)
{
	struct world *w = *state;

	type(w, "3j");
	press(w, SCREEN_KEY_ENTER);
	assert_int_equal(w->asked.thread, 2);
	assert_int_equal(w->asked.view, TOP_FUNCTIONS);
	assert_true(shows(w, 2, "only f001"));
	press(w, SCREEN_KEY_ESCAPE);
	assert_int_equal(w->asked.thread, 0);
	w->rows[0].process = "web";
	w->rows[0].pid = 4712;
	top_refresh(&w->top);
	type(w, "P");
	assert_int_equal(w->asked.process, 4712);
	assert_true(shows(w, 2, "only 4712 web"));
	type(w, "P");
	assert_int_equal(w->asked.process, 0);
}

static void test_save(void **state)
{
	struct world *w = *state;

	type(w, "]sh");
	assert_int_equal(w->saved_ns / SECOND, 30);
	assert_true(w->saved_html);
	assert_true(shows(w, 23, "saved it"));
	type(w, "s");
	press(w, SCREEN_KEY_ENTER);
	assert_false(w->saved_html);
	w->saved_ns = 0;
	type(w, "s");
	press(w, SCREEN_KEY_ESCAPE);
	assert_int_equal(w->saved_ns, 0);
	assert_true(shows(w, 23, "F1Help"));
}

static void test_quit(void **state)
{
	struct world *w = *state;

	type(w, "h");
	type(w, "q"); // closes the help only
	assert_false(w->top.over);
	type(w, "q");
	assert_true(w->top.over);
}

static void test_the_end_is_told(void **state)
{
	struct world *w = *state;

	w->ended = true;
	top_refresh(&w->top);
	top_draw(&w->top);
	assert_true(shows(w, 0, " killed by SIGKILL"));
}

/* ---- tree ------------------------------------------------------------------------------------- */

static void test_tree_keys(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < 4; i++) {
		w->rows[i].depth = (int)i;
		w->rows[i].has_children = w->rows[i].is_last = true;
		w->rows[i].is_open = i < 3;
	}
	w->count = 4;
	type(w, "4j ");
	assert_int_equal(w->shut, 1);
	assert_true(top_keys_has(&w->top.shut, 2));
	type(w, "+");
	assert_int_equal(w->shut, 0);
	assert_true(top_keys_has(&w->top.open, 2));
	press(w, SCREEN_KEY_END);
	press(w, SCREEN_KEY_LEFT); // closed already: to its parent
	assert_string_equal(selected_name(w), "f002");
	press(w, SCREEN_KEY_RIGHT); // open already: to its first child
	assert_string_equal(selected_name(w), "f003");
	press(w, SCREEN_KEY_HOME);
	type(w, "*");
	assert_int_equal(w->open, 4);
	assert_int_equal(w->shut, 0);
}

static void test_key_sets(void **state)
{
	struct top_keys keys = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 1000; i++)
		top_keys_add(&keys, i * 7919 % 1009);
	assert_int_equal(keys.count, 1000);
	for (size_t i = 1; i < keys.count; i++)
		assert_true(keys.keys[i - 1] < keys.keys[i]);
	top_keys_add(&keys, 7919 % 1009);
	assert_int_equal(keys.count, 1000);
	top_keys_remove(&keys, 7919 % 1009);
	assert_false(top_keys_has(&keys, 7919 % 1009));
	top_keys_remove(&keys, 5000);
	assert_int_equal(keys.count, 999);
	free(keys.keys);
}

/* ---- mouse ------------------------------------------------------------------------------------ */

static void test_mouse(void **state)
{
	struct world *w = *state;

	click(w, w->top.body_y + 4, 30);
	assert_string_equal(selected_name(w), "f004");
	assert_int_equal(w->asked.view, TOP_FUNCTIONS);
	click(w, w->top.body_y + 4, 30); // again: opens it
	assert_int_equal(w->asked.view, TOP_SOURCE);
	assert_int_equal(w->asked.selected, 5);
	click(w, 3, 1); // the first tab
	assert_int_equal(w->asked.view, TOP_FUNCTIONS);
	click(w, 4, 10); // the heading of TOTAL
	assert_int_equal(w->asked.sort, TOP_BY_TOTAL);
	press(w, SCREEN_KEY_WHEEL_DOWN);
	assert_string_equal(selected_name(w), "f007");
	click(w, 22, 75); // an empty row, or none
	assert_false(w->top.over);
	click(w, 23, 75); // F10
	assert_true(w->top.over);
}

/* ---- all sizes, all keys ---------------------------------------------------------------------- */

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void disturb(struct world *w, uint32_t *seed)
{
	w->count = next(seed) % 3 ? next(seed) % 200 : 0;
	for (size_t i = 0; i < w->count; i++) {
		struct top_row *row = &w->rows[i];

		row->key = 1 + next(seed) % 300;
		row->depth = (int)(next(seed) % 700) - 10;
		row->has_children = next(seed) & 1;
		row->is_open = row->is_last = next(seed) & 1;
		row->file = next(seed) & 1 ? NULL : "日本/\033[1m/x.py";
		row->process = next(seed) % 4 ? NULL : "web";
		row->self = next(seed) % 5 ? (double)next(seed) / 1e6 : NAN;
	}
	w->ended = next(seed) % 2;
}

/* Whatever comes, it stays within its bounds: for the sanitizers. */
static void test_storm(void **state)
{
	struct world *w = *state;
	uint32_t seed = 7;

	for (int i = 0; i < 4000; i++) {
		struct screen_event event = {
			.key = next(&seed) % 3 ? next(&seed) % 128
					       : SCREEN_KEY_NONE + next(&seed) % 31,
			.y = (int)(next(&seed) % 70) - 2,
			.x = (int)(next(&seed) % 220) - 2,
		};

		if (i % 7 == 0)
			canvas_resize(
				&w->top.canvas, (int)(next(&seed) % 210), (int)(next(&seed) % 60));
		if (i % 5 == 0)
			disturb(w, &seed);
		w->top.canvas.ascii = next(&seed) & 1;
		top_key(&w->top, &event);
		w->top.over = false;
		if (w->top.stale || i % 3 == 0)
			top_refresh(&w->top);
		top_draw(&w->top);
		assert_true(w->top.panes[w->top.query.view].cursor <= w->top.frame.count);
	}
	assert_true(w->fills > 1000);
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_fit),
		cmocka_unit_test(test_wide_over_wide),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_sparkline),
		cmocka_unit_test(test_bar),
		cmocka_unit_test_setup_teardown(test_cursor_follows_its_row, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cursor_stays_in_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newest_output_is_in_sight, setup, teardown),
		cmocka_unit_test_setup_teardown(test_views_and_source, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modes_and_window, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sort, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_save, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_end_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tree_keys, setup, teardown),
		cmocka_unit_test(test_key_sets),
		cmocka_unit_test_setup_teardown(test_mouse, setup, teardown),
		cmocka_unit_test_setup_teardown(test_storm, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/* The lines above the rows, and the one below them. */
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "tui/parts.h"
#include "tui/top_state.h"

/* Of lost samples: a share that should be looked at. */
#define MANY_LOST 0.01
/* Narrower terminals show the name of one view only. */
#define TABS_WIDTH 78
#define COMMAND_LEAST 20

void top_add_spot(struct top *t, int y, int x, int width, uint32_t key)
{
	if (t->spot_count < TOP_SPOTS)
		t->spots[t->spot_count++] = (struct top_spot){ y, x, width, key };
}

/* ---- pieces of a line ------------------------------------------------------------------------- */

struct flow {
	struct canvas *c;
	int y, x, end;
};

static void flow_add(struct flow *f, enum tone tone, const char *text)
{
	if (f->x < f->end)
		f->x += canvas_put(f->c, f->y, f->x, f->end - f->x, tone, text);
}

static void flow_space(struct flow *f)
{
	f->x += 2;
}

/* ---- the first line: what is looked at -------------------------------------------------------- */

static void add_count_of(struct buf *out, size_t count, const char *one, const char *many)
{
	buf_printf(out, "%zu %s", count, count == 1 ? one : many);
}

/* The right end, as much of it as leaves room for the command. */
static void add_identity(const struct top *t, struct buf *out, int room)
{
	const struct top_frame *f = &t->frame;
	_cleanup_buf_ struct buf piece = BUF_INIT;

	buf_printf(&piece, "pid %u", f->pid);
	if (f->pid && (int)piece.len <= room) {
		buf_add_str(out, buf_str(&piece));
		room -= (int)piece.len + 2;
	}
	buf_clear(&piece);
	if (f->python && *f->python)
		buf_printf(&piece, "  Python %.20s", f->python);
	if ((int)piece.len <= room) {
		buf_add_str(out, buf_str(&piece));
		room -= (int)piece.len;
	}
	buf_clear(&piece);
	buf_add_str(&piece, "  ");
	if (f->processes > 1) {
		add_count_of(&piece, f->processes, "process", "processes");
		buf_add_str(&piece, "  ");
	}
	add_count_of(&piece, f->threads, "thread", "threads");
	if ((int)piece.len <= room)
		buf_add_str(out, buf_str(&piece));
}

static void draw_identity(struct top *t, int y)
{
	struct canvas *c = &t->canvas;
	const struct top_frame *f = &t->frame;
	_cleanup_buf_ struct buf right = BUF_INIT, clock = BUF_INIT;

	if (f->ended)
		buf_printf(&clock, " %s ", f->how ? f->how : "ended");
	else
		parts_add_clock(&clock, f->elapsed_s);
	int width = c->width - 12, end = c->width - canvas_text_width(c, buf_str(&clock));

	add_identity(t, &right, end - 12 - COMMAND_LEAST);
	canvas_put(c, y, end, c->width - end, f->ended ? TONE_ALERT : TONE_STRONG, buf_str(&clock));
	end -= canvas_text_width(c, buf_str(&right)) + 2;
	if (end > 12)
		canvas_put(c, y, end, width, TONE_PLAIN, buf_str(&right));
	canvas_put(c, y, 0, c->width, TONE_GOOD, " fireglass");
	canvas_put_fit(c, y, 12, end - 14, TONE_STRONG, FIT_LEFT, f->command ? f->command : "");
}

/* ---- meters ----------------------------------------------------------------------------------- */

struct meter {
	const char *label;
	const struct top_history *history;
	double now, lowest, highest;
	bool bytes;
	enum tone tone;
};

static void range_of(struct meter *m)
{
	const struct top_history *h = m->history;

	if (m->bytes && h->count)
		m->lowest = m->highest = h->values[0];
	for (size_t i = 0; i < h->count && i < TOP_HISTORY; i++) {
		m->lowest = fmin(m->lowest, h->values[i]);
		m->highest = fmax(m->highest, h->values[i]);
	}
	// what hardly moves shall not look as if it jumped
	if (m->bytes && m->highest - m->lowest < m->highest / 10)
		m->lowest = m->highest * 0.85;
}

static void draw_meter(struct top *t, int y, int x, int width, struct meter m)
{
	struct canvas *c = &t->canvas;
	_cleanup_buf_ struct buf value = BUF_INIT;
	int value_width = m.bytes ? 8 : 6;

	if (m.bytes)
		units_add_size(&value, (uint64_t)m.now);
	else
		parts_add_percent(&value, m.now);
	if (!m.bytes)
		buf_add_char(&value, '%');
	range_of(&m);
	canvas_put(c, y, x, 4, TONE_FAINT, m.label);
	parts_sparkline(c, y, x + 4, width - 5 - value_width, m.tone, m.history->values,
		m.history->count < TOP_HISTORY ? m.history->count : TOP_HISTORY, m.lowest,
		m.highest);
	canvas_put_fit(c, y, x + width - value_width, value_width, TONE_STRONG, FIT_RIGHT,
		buf_str(&value));
}

static void draw_meters(struct top *t, int y)
{
	const struct top_frame *f = &t->frame;
	const struct meter meters[] = {
		{ "CPU", &f->cpu_history, f->cpu, 0, 1, false, TONE_GOOD },
		{ "GIL", &f->gil_history, f->gil, 0, 1, false, TONE_WARM },
		{ "GC", &f->gc_history, f->gc, 0, 1, false, TONE_HOT },
		{ "RSS", &f->rss_history, (double)f->rss, 0, 1, true, TONE_MARK },
	};
	int shown = t->canvas.width >= 60 ? 4 : t->canvas.width >= 36 ? 2 : 1;
	int width = (t->canvas.width - 1) / shown;

	// a history longer than this is not kept
	if (width > TOP_HISTORY + 14)
		width = TOP_HISTORY + 14;
	for (int i = 0; i < shown; i++)
		draw_meter(t, y, 1 + i * width, width - (i + 1 < shown ? 2 : 1), meters[i]);
}

/* ---- the sampling ----------------------------------------------------------------------------- */

static void add_rate(const struct top *t, struct flow *line, struct buf *text)
{
	const struct top_frame *f = &t->frame;
	bool slow = f->rate_asked > 0 && f->rate_reached < 0.95 * f->rate_asked && !f->ended &&
		!t->paused && f->samples;

	buf_clear(text);
	buf_printf(text, "%.0f", f->rate_reached);
	if (f->rate_asked > 0)
		buf_printf(text, " of %.0f Hz", f->rate_asked);
	else
		buf_add_str(text, " Hz (as fast as it goes)");
	flow_add(line, slow ? TONE_WARM : TONE_PLAIN, buf_str(text));
	flow_space(line);
}

static void add_number(
	struct flow *line, struct buf *text, uint64_t count, const char *what, uint64_t all)
{
	bool bad = all && count > 0;
	bool many = all && (double)count > MANY_LOST * (double)all;

	buf_clear(text);
	units_add_count(text, count);
	buf_printf(text, " %s", what);
	flow_add(line, many ? TONE_HOT : bad ? TONE_WARM : TONE_PLAIN, buf_str(text));
	flow_space(line);
}

static void add_share(struct flow *line, struct buf *text, const char *what, double share)
{
	buf_clear(text);
	buf_printf(text, "%s ", what);
	parts_add_percent(text, share);
	buf_add_char(text, '%');
	flow_add(line, TONE_PLAIN, buf_str(text));
	flow_space(line);
}

/* What is not as usual, at the right end. */
static int draw_limits(struct top *t, int y)
{
	struct canvas *c = &t->canvas;
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (t->limit_name.len)
		buf_printf(&text, " only %s ", buf_str(&t->limit_name));
	if (t->filter.len)
		buf_printf(&text, " /%s/ ", buf_str(&t->filter));
	if (t->frame.frozen)
		buf_add_str(&text, " FROZEN ");
	if (t->paused)
		buf_add_str(&text, " PAUSED ");
	int width = canvas_text_width(c, buf_str(&text));

	if (width > c->width - 12)
		width = c->width - 12;
	if (width > 0)
		canvas_put_fit(c, y, c->width - width, width,
			t->frame.filter_bad ? TONE_ALERT : TONE_TAB, FIT_LEFT, buf_str(&text));
	return c->width - (width > 0 ? width + 1 : 0);
}

static void draw_sampling(struct top *t, int y)
{
	const struct top_frame *f = &t->frame;
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct flow line = { &t->canvas, y, 1, 0 };

	line.end = draw_limits(t, y);
	add_rate(t, &line, &text);
	add_number(&line, &text, f->samples, "samples", 0);
	add_number(&line, &text, f->lost, "lost", f->samples + f->lost);
	if (f->truncated)
		add_number(&line, &text, f->truncated, "truncated", f->samples);
	add_share(&line, &text, "GIL wait", f->gil_wait);
	add_share(&line, &text, "fireglass", f->own_cpu);
}

/* ---- views ------------------------------------------------------------------------------------ */

static void draw_tabs(struct top *t, struct flow *line)
{
	bool all = t->canvas.width >= TABS_WIDTH;
	_cleanup_buf_ struct buf text = BUF_INIT;

	for (int view = 0; view < TOP_VIEWS; view++) {
		bool on = view == (int)t->query.view;
		int x = line->x;

		buf_clear(&text);
		buf_printf(&text, " %d %s", view + 1,
			all || on ? top_view_ops((enum top_view)view)->name : "");
		if (all || on)
			buf_add_char(&text, ' ');
		flow_add(line, on ? TONE_TAB : TONE_PLAIN, buf_str(&text));
		top_add_spot(t, line->y, x, line->x - x, (uint32_t)('1' + view));
	}
}

/* Which samples count, and how far back. */
static void draw_scope(struct top *t, const struct flow *line)
{
	static const char *const modes[TOP_MODES] = { "wall", "CPU", "GIL", "idle" };
	struct canvas *c = &t->canvas;
	_cleanup_buf_ struct buf text = BUF_INIT;
	double asked = (double)t->query.window_ns / 1e9;

	buf_printf(&text, "%s ", modes[t->query.mode < TOP_MODES ? t->query.mode : TOP_WALL]);
	if (t->frame.window_s < asked - 0.95)
		buf_printf(&text, "%.0f/", t->frame.window_s);
	parts_add_span(&text, t->query.window_ns);
	if (!t->query.decaying)
		buf_add_str(&text, " flat");
	int width = canvas_text_width(c, buf_str(&text)), x = c->width - width - 1;

	if (x <= line->x)
		return;
	canvas_put(c, line->y, x, width, TONE_STRONG, buf_str(&text));
	top_add_spot(t, line->y, x, width, 'm');
}

static void draw_views(struct top *t, int y)
{
	struct flow line = { &t->canvas, y, 0, t->canvas.width };

	draw_tabs(t, &line);
	draw_scope(t, &line);
}

/* Small terminals have less of it. */
int top_draw_head(struct top *t, int height)
{
	int y = 0;

	if (height >= 3)
		draw_identity(t, y++);
	if (height >= 9)
		draw_meters(t, y++);
	if (height >= 11)
		draw_sampling(t, y++);
	if (height >= 6)
		draw_views(t, y++);
	return y;
}

/* ---- the last line ---------------------------------------------------------------------------- */

static const struct {
	uint32_t key;
	const char *key_name, *label;
} bar[] = {
	{ SCREEN_KEY_F0 + 1, "F1", "Help" },
	{ SCREEN_KEY_F0 + 2, "F2", "Mode" },
	{ SCREEN_KEY_F0 + 3, "F3", "Save" },
	{ SCREEN_KEY_F0 + 4, "F4", "Filter" },
	{ SCREEN_KEY_F0 + 5, "F5", "Tree" },
	{ SCREEN_KEY_F0 + 6, "F6", "Sort" },
	{ SCREEN_KEY_F0 + 7, "F7", "Window-" },
	{ SCREEN_KEY_F0 + 8, "F8", "Window+" },
	{ SCREEN_KEY_F0 + 9, "F9", "Freeze" },
	{ SCREEN_KEY_F0 + 10, "F10", "Quit" },
};

static void draw_bar(struct top *t, int y)
{
	struct canvas *c = &t->canvas;
	int x = 0, least = c->width >= 110 ? 8 : 0, gap = c->width >= 80 ? 1 : 0;

	for (size_t i = 0; i < ARRAY_LEN(bar) && x < c->width; i++) {
		int from = x, label = (int)strlen(bar[i].label) + gap;

		if (label < least)
			label = least;
		x += canvas_put(c, y, x, c->width - x, TONE_STRONG, bar[i].key_name);
		if (x + label > c->width)
			label = c->width - x;
		canvas_put_fit(c, y, x, label, TONE_LABEL, FIT_LEFT, bar[i].label);
		x += label;
		top_add_spot(t, y, from, x - from, bar[i].key);
		x += least ? 1 : 0;
	}
	canvas_fill(c, y, x, c->width - x, TONE_LABEL);
}

static void draw_filter(struct top *t, int y)
{
	struct canvas *c = &t->canvas;
	const char *notice = t->frame.filter_bad ? t->frame.notice : NULL;
	struct flow line = { c, y, 0, c->width };

	flow_add(&line, TONE_STRONG, "Filter: ");
	int text_width = canvas_text_width(c, buf_str(&t->filter));
	int room = c->width - line.x - 1 - (c->width >= 70 ? 24 : 0);
	if (room > text_width)
		room = text_width;
	canvas_put_fit(c, y, line.x, room, t->frame.filter_bad ? TONE_HOT : TONE_PLAIN, FIT_TAIL,
		buf_str(&t->filter));
	line.x += room > 0 ? room : 0;
	canvas_fill(c, y, line.x, 1, TONE_LABEL);
	line.x += 2;
	if (notice)
		flow_add(&line, TONE_HOT, notice);
	else
		flow_add(&line, TONE_FAINT, "Enter: keep  Esc: none");
}

static void draw_save(struct top *t, int y)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct flow line = { &t->canvas, y, 0, t->canvas.width };
	int x;

	buf_add_str(&text, "Save the last ");
	parts_add_span(&text, t->query.window_ns);
	buf_add_str(&text, " as: ");
	flow_add(&line, TONE_STRONG, buf_str(&text));
	x = line.x;
	flow_add(&line, TONE_LABEL, " c  capture (.fgc) ");
	top_add_spot(t, y, x, line.x - x, 'c');
	line.x++;
	x = line.x;
	flow_add(&line, TONE_LABEL, " h  page (.html) ");
	top_add_spot(t, y, x, line.x - x, 'h');
	line.x++;
	flow_add(&line, TONE_FAINT, " Esc: nothing");
}

static const char *notice_of(const struct top *t)
{
	if (t->notice.len && t->now_ns < t->notice_until_ns)
		return buf_str(&t->notice);
	return t->frame.notice;
}

void top_draw_foot(struct top *t)
{
	int y = t->canvas.height - 1;
	const char *notice = notice_of(t);

	if (t->prompt == PROMPT_FILTER)
		draw_filter(t, y);
	else if (t->prompt == PROMPT_SAVE)
		draw_save(t, y);
	else if (notice)
		canvas_put_fit(&t->canvas, y, 0, t->canvas.width, TONE_SORTED, FIT_LEFT, notice);
	else
		draw_bar(t, y);
}

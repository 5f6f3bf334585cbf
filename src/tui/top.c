// SPDX-License-Identifier: MIT
#include "tui/top.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "tui/top_state.h"

#define DEFAULT_REFRESH_NS ((uint64_t)NS_PER_SEC)
#define DEFAULT_WINDOW_NS ((uint64_t)15 * NS_PER_SEC)
#define NOTICE_NS ((uint64_t)6 * NS_PER_SEC)
/* The terminal's size is looked at so often. */
#define LOOK_NS ((uint64_t)NS_PER_SEC / 10)
/* Keys that are followed before something is drawn: a pasted book must not keep us. */
#define KEYS_AT_ONCE 256

/* ---- state ------------------------------------------------------------------------------------ */

void top_init(struct top *t, const struct top_options *options, const struct top_host *host)
{
	*t = (struct top){
		.host = *host,
		.refresh_ns = options->refresh_ns ? options->refresh_ns : DEFAULT_REFRESH_NS,
		.query = {
			.mode = options->mode,
			.window_ns = options->window_ns ? options->window_ns : DEFAULT_WINDOW_NS,
			.decaying = true,
		},
		.canvas.ascii = options->ascii,
		.back = TOP_FUNCTIONS,
		.stale = true,
		.dirty = true,
	};
	for (int view = 0; view < TOP_VIEWS; view++)
		t->panes[view].sort = top_view_ops((enum top_view)view)->sorts[0];
	top_show_view(t, options->view);
	canvas_resize(&t->canvas, 80, 24);
}

void top_deinit(struct top *t)
{
	canvas_deinit(&t->canvas);
	arena_deinit(&t->frame.arena);
	free(t->open.keys);
	free(t->shut.keys);
	buf_deinit(&t->filter);
	buf_deinit(&t->filter_before);
	buf_deinit(&t->limit_name);
	buf_deinit(&t->notice);
	buf_deinit(&t->host_notice);
	buf_deinit(&t->text);
}

void top_say(struct top *t, const char *text)
{
	buf_clear(&t->notice);
	buf_add_str(&t->notice, text);
	t->notice_until_ns = t->now_ns + NOTICE_NS;
	t->dirty = true;
}

/* ---- frames ----------------------------------------------------------------------------------- */

/* What the host has to say now is newer than what it answered to a key. */
static void take_notice(struct top *t)
{
	const char *notice = t->frame.notice && !t->frame.filter_bad ? t->frame.notice : "";

	if (strcmp(notice, buf_str(&t->host_notice)) == 0)
		return;
	buf_clear(&t->host_notice);
	buf_add_str(&t->host_notice, notice);
	if (*notice)
		top_say(t, notice);
}

void top_refresh(struct top *t)
{
	struct top_pane *pane = &t->panes[t->query.view];

	t->query.sort = pane->sort;
	t->query.reversed = pane->reversed;
	t->query.filter = buf_str(&t->filter);
	t->query.open = t->open.keys;
	t->query.open_count = t->open.count;
	t->query.shut = t->shut.keys;
	t->query.shut_count = t->shut.count;
	t->host.fill(t->host.data, &t->query, &t->frame);
	take_notice(t);
	top_follow(t);
	t->stale = false;
	t->dirty = true;
}

void top_draw(struct top *t)
{
	struct canvas *c = &t->canvas;

	canvas_clear(c);
	t->spot_count = 0;
	int y = top_draw_head(t, c->height);
	int foot = c->height >= 5 ? 1 : 0;

	top_draw_table(t, y, c->height - y - foot);
	if (foot)
		top_draw_foot(t);
	if (t->prompt == PROMPT_SORT)
		top_draw_menu(t);
	if (t->prompt == PROMPT_HELP)
		top_draw_help(t);
	t->dirty = false;
}

/* ---- the terminal ----------------------------------------------------------------------------- */

struct err *top_open(
	struct top **ret, const struct top_options *options, const struct top_host *host)
{
	const struct screen_options wanted = { .ascii = options->ascii,
		.monochrome = options->monochrome };
	struct screen *screen;
	struct err *err = screen_open(&screen, &wanted);

	if (err)
		return err;
	struct top *t = xmalloc(sizeof(*t));
	top_init(t, options, host);
	t->screen = screen;
	t->canvas.ascii = screen_is_ascii(screen);
	*ret = t;
	return NULL;
}

void top_close(struct top *t)
{
	if (!t)
		return;
	screen_close(t->screen);
	top_deinit(t);
	free(t);
}

int top_fd(const struct top *t)
{
	return screen_fd(t->screen);
}

bool top_is_over(const struct top *t)
{
	return t->over;
}

uint64_t top_due_ns(const struct top *t)
{
	uint64_t look = t->turned_ns + LOOK_NS;

	return t->due_ns < look ? t->due_ns : look;
}

static void look_at_terminal(struct top *t)
{
	int width, height;

	if (screen_take_stop_asked(t->screen)) {
		screen_suspend(t->screen);
		t->dirty = true;
	}
	if (screen_take_continued(t->screen))
		t->dirty = true;
	screen_size(t->screen, &width, &height);
	if (width == t->canvas.width && height == t->canvas.height)
		return;
	canvas_resize(&t->canvas, width, height);
	t->dirty = true;
}

static void read_keys(struct top *t)
{
	struct screen_event event;

	for (int i = 0; i < KEYS_AT_ONCE && !t->over; i++) {
		if (!screen_read(t->screen, &event))
			break;
		top_key(t, &event);
	}
	t->over |= screen_is_gone(t->screen);
}

static bool is_time(struct top *t, uint64_t now_ns)
{
	if (now_ns < t->due_ns)
		return false;
	t->due_ns += t->refresh_ns;
	// the first time, or after a pause: not all that was missed
	if (t->due_ns <= now_ns)
		t->due_ns = now_ns + t->refresh_ns;
	return true;
}

void top_turn(struct top *t, uint64_t now_ns)
{
	t->turned_ns = t->now_ns = now_ns;
	look_at_terminal(t);
	read_keys(t);
	if (t->over)
		return;
	if (is_time(t, now_ns) || t->stale)
		top_refresh(t);
	if (!t->dirty)
		return;
	top_draw(t);
	screen_show(t->screen, &t->canvas);
}

// SPDX-License-Identifier: MIT
/* What each key does. */
#include <stdint.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "tui/top_state.h"

#define SHIFT_COLUMNS 8
#define WHEEL_ROWS 3

#define VIEW(view) (1u << (view))
#define TEXTS (VIEW(TOP_SOURCE) | VIEW(TOP_OUTPUT))
#define TREE VIEW(TOP_TREE)

static struct top_pane *pane_of(struct top *t)
{
	return &t->panes[t->query.view];
}

/* ---- views ------------------------------------------------------------------------------------ */

void top_show_view(struct top *t, enum top_view view)
{
	const struct top_row *row = top_selected(t);

	if (view >= TOP_VIEWS || (view == t->query.view && t->frame.count))
		return;
	if (view == TOP_SOURCE) {
		if (row && row->function)
			t->query.selected = row->function;
		if (t->query.selected != t->source_function)
			t->panes[TOP_SOURCE] = (struct top_pane){ .sort = TOP_SORTS };
		t->source_function = t->query.selected;
		t->back = t->query.view;
	}
	t->query.view = view;
	t->frame.count = 0; // rows of another view
	t->stale = true;
}

static void show_view(struct top *t, int view)
{
	top_show_view(t, (enum top_view)view);
}

static void next_view(struct top *t, int step)
{
	top_show_view(t, (enum top_view)(((int)t->query.view + TOP_VIEWS + step) % TOP_VIEWS));
}

static void toggle_tree(struct top *t, int argument)
{
	(void)argument;
	top_show_view(t, t->query.view == TOP_TREE ? TOP_FUNCTIONS : TOP_TREE);
}

/* ---- limits ----------------------------------------------------------------------------------- */

static void forget_limits(struct top *t)
{
	t->query.thread = t->query.process = 0;
	buf_clear(&t->limit_name);
	t->stale = true;
}

static void clear_limits(struct top *t, int argument)
{
	(void)argument;
	forget_limits(t);
}

static void limit_to_thread(struct top *t, const struct top_row *row)
{
	bool again = t->query.thread == row->key;

	forget_limits(t);
	if (again)
		return;
	t->query.thread = row->key;
	if (row->name && *row->name)
		buf_printf(&t->limit_name, "%.60s", row->name);
	else
		buf_printf(&t->limit_name, "thread %u", row->tid);
	top_show_view(t, TOP_FUNCTIONS);
}

static void limit_to_process(struct top *t, int argument)
{
	const struct top_row *row = top_selected(t);

	(void)argument;
	if (t->query.process) {
		forget_limits(t);
		return;
	}
	if (!row || !row->process || !row->pid) {
		top_say(t, "there is one process only, or this row is of several");
		return;
	}
	forget_limits(t);
	t->query.process = row->pid;
	buf_printf(&t->limit_name, "%u %.60s", row->pid, row->process);
}

/* ---- keys ------------------------------------------------------------------------------------- */

static void open_row(struct top *t, int argument)
{
	const struct top_row *row = top_selected(t);

	(void)argument;
	if (t->query.view == TOP_THREADS && row)
		limit_to_thread(t, row);
	else if (row && row->function)
		top_show_view(t, TOP_SOURCE);
}

static void escape(struct top *t, int argument)
{
	(void)argument;
	if (t->query.view == TOP_SOURCE)
		top_show_view(t, t->back);
	else if (t->query.thread || t->query.process)
		forget_limits(t);
	else if (t->filter.len) {
		buf_clear(&t->filter);
		t->stale = true;
	}
}

static void set_mode(struct top *t, int mode)
{
	t->query.mode = (enum top_mode)mode;
	t->stale = true;
}

static void next_mode(struct top *t, int argument)
{
	(void)argument;
	set_mode(t, ((int)t->query.mode + 1) % TOP_MODES);
}

void top_sort_by(struct top *t, int sort)
{
	struct top_pane *pane = pane_of(t);

	for (size_t i = 0; i < top_sort_count(t->query.view); i++) {
		if ((int)top_view_ops(t->query.view)->sorts[i] != sort)
			continue;
		pane->reversed = (int)pane->sort == sort && !pane->reversed;
		pane->sort = (enum top_sort)sort;
		t->stale = true;
	}
}

static void reverse(struct top *t, int argument)
{
	(void)argument;
	pane_of(t)->reversed = !pane_of(t)->reversed;
	t->stale = true;
}

static void change_window(struct top *t, int step)
{
	static const unsigned int seconds[] = { 1, 2, 5, 10, 15, 30, 60, 120, 300, 600 };
	size_t at = 0;

	while (at + 1 < ARRAY_LEN(seconds) &&
		seconds[at] * (uint64_t)NS_PER_SEC < t->query.window_ns)
		at++;
	// one that is none of these goes to its neighbour
	bool between = seconds[at] * (uint64_t)NS_PER_SEC != t->query.window_ns;
	if (step < 0 && at > 0)
		at--;
	else if (step > 0 && !between && at + 1 < ARRAY_LEN(seconds))
		at++;
	t->query.window_ns = seconds[at] * (uint64_t)NS_PER_SEC;
	t->stale = true;
}

static void toggle_decay(struct top *t, int argument)
{
	(void)argument;
	t->query.decaying = !t->query.decaying;
	top_say(t,
		t->query.decaying ? "older samples weigh less"
				  : "all samples of the window weigh the same");
	t->stale = true;
}

static void toggle_freeze(struct top *t, int argument)
{
	(void)argument;
	t->query.frozen = !t->query.frozen;
	t->stale = true;
}

static void toggle_pause(struct top *t, int argument)
{
	(void)argument;
	t->paused = !t->paused;
	t->host.pause(t->host.data, t->paused);
	t->stale = true;
}

static void reset(struct top *t, int argument)
{
	(void)argument;
	t->host.reset(t->host.data);
	top_say(t, "all samples so far are forgotten");
	t->stale = true;
}

static void quit(struct top *t, int argument)
{
	(void)argument;
	t->over = true;
}

static void redraw(struct top *t, int argument)
{
	(void)argument;
	if (t->screen)
		screen_redraw(t->screen);
	t->dirty = true;
}

static void suspend(struct top *t, int argument)
{
	(void)argument;
	if (t->screen)
		screen_suspend(t->screen);
	t->stale = true;
}

static void page(struct top *t, int pages)
{
	top_move(t, (long)pages * (t->body_height > 1 ? t->body_height - 1 : 1));
}

static void step(struct top *t, int rows)
{
	top_move(t, rows);
}

static void go_home(struct top *t, int argument)
{
	(void)argument;
	top_go(t, 0);
}

static void go_end(struct top *t, int argument)
{
	(void)argument;
	top_go(t, SIZE_MAX);
}

static void shift(struct top *t, int columns)
{
	struct top_pane *pane = pane_of(t);

	pane->shift += columns;
	if (pane->shift < 0 || pane->shift > CANVAS_SIDE_MAX)
		pane->shift = columns < 0 ? 0 : CANVAS_SIDE_MAX;
	t->dirty = true;
}

static void ask(struct top *t, int prompt)
{
	if (prompt == PROMPT_SORT && top_sort_count(t->query.view) == 0)
		return;
	t->prompt = (enum top_prompt)prompt;
	t->menu = 0;
	for (size_t i = 0; prompt == PROMPT_SORT && i < top_sort_count(t->query.view); i++)
		if (top_view_ops(t->query.view)->sorts[i] == pane_of(t)->sort)
			t->menu = (int)i;
	t->dirty = true;
}

static const struct top_binding bindings[] = {
	{ 'q', 0, quit, 0, false },
	{ SCREEN_KEY_F0 + 10, 0, quit, 0, false },
	{ SCREEN_CTRL('c'), 0, quit, 0, false },
	{ SCREEN_CTRL('l'), 0, redraw, 0, false },
	{ SCREEN_CTRL('z'), 0, suspend, 0, false },
	{ SCREEN_KEY_F0 + 1, 0, ask, PROMPT_HELP, false },
	{ 'h', 0, ask, PROMPT_HELP, false },
	{ '?', 0, ask, PROMPT_HELP, false },
	{ SCREEN_KEY_F0 + 2, 0, next_mode, 0, false },
	{ 'm', 0, next_mode, 0, false },
	{ 'w', 0, set_mode, TOP_WALL, false },
	{ 'c', 0, set_mode, TOP_CPU, false },
	{ 'g', 0, set_mode, TOP_GIL, false },
	{ 'i', 0, set_mode, TOP_IDLE, false },
	{ SCREEN_KEY_F0 + 3, 0, ask, PROMPT_SAVE, false },
	{ 's', 0, ask, PROMPT_SAVE, false },
	{ SCREEN_KEY_F0 + 4, 0, ask, PROMPT_FILTER, false },
	{ '/', 0, ask, PROMPT_FILTER, false },
	{ '\\', 0, ask, PROMPT_FILTER, false },
	{ SCREEN_KEY_F0 + 5, 0, toggle_tree, 0, false },
	{ 't', 0, toggle_tree, 0, false },
	{ SCREEN_KEY_F0 + 6, 0, ask, PROMPT_SORT, false },
	{ '>', 0, ask, PROMPT_SORT, false },
	{ '.', 0, ask, PROMPT_SORT, false },
	{ 'S', 0, top_sort_by, TOP_BY_SELF, false },
	{ 'T', 0, top_sort_by, TOP_BY_TOTAL, false },
	{ 'N', 0, top_sort_by, TOP_BY_NAME, false },
	{ 'F', 0, top_sort_by, TOP_BY_FILE, false },
	{ 'C', 0, top_sort_by, TOP_BY_CPU, false },
	{ 'G', 0, top_sort_by, TOP_BY_GIL, false },
	{ 'I', 0, reverse, 0, false },
	{ SCREEN_KEY_F0 + 7, 0, change_window, -1, false },
	{ '[', 0, change_window, -1, false },
	{ SCREEN_KEY_F0 + 8, 0, change_window, 1, false },
	{ ']', 0, change_window, 1, false },
	{ 'd', 0, toggle_decay, 0, false },
	{ SCREEN_KEY_F0 + 9, 0, toggle_freeze, 0, false },
	{ 'f', 0, toggle_freeze, 0, false },
	{ 'Z', 0, toggle_freeze, 0, false },
	{ 'p', 0, toggle_pause, 0, false },
	{ 'r', 0, reset, 0, false },
	{ 'P', 0, limit_to_process, 0, true },
	{ 'a', 0, clear_limits, 0, false },
	{ '1', 0, show_view, TOP_FUNCTIONS, false },
	{ '2', 0, show_view, TOP_LINES, false },
	{ '3', 0, show_view, TOP_THREADS, false },
	{ '4', 0, show_view, TOP_TREE, false },
	{ '5', 0, show_view, TOP_SOURCE, false },
	{ '6', 0, show_view, TOP_OUTPUT, false },
	{ SCREEN_KEY_TAB, 0, next_view, 1, false },
	{ SCREEN_KEY_BACK_TAB, 0, next_view, -1, false },
	{ SCREEN_KEY_ENTER, 0, open_row, 0, true },
	{ SCREEN_KEY_ESCAPE, 0, escape, 0, false },
	{ SCREEN_KEY_BACKSPACE, 0, escape, 0, false },
	{ ' ', TREE, top_tree_fold, FOLD_TOGGLE, true },
	{ '+', TREE, top_tree_fold, FOLD_OPEN, true },
	{ '=', TREE, top_tree_fold, FOLD_OPEN, true },
	{ '-', TREE, top_tree_fold, FOLD_SHUT, true },
	{ '*', TREE, top_tree_fold, FOLD_OPEN_BELOW, true },
	{ SCREEN_KEY_LEFT, TREE, top_tree_fold, FOLD_LEFT, true },
	{ SCREEN_KEY_RIGHT, TREE, top_tree_fold, FOLD_RIGHT, true },
	{ SCREEN_KEY_LEFT, TEXTS, shift, -SHIFT_COLUMNS, false },
	{ SCREEN_KEY_RIGHT, TEXTS, shift, SHIFT_COLUMNS, false },
	{ SCREEN_KEY_UP, 0, step, -1, true },
	{ 'k', 0, step, -1, true },
	{ SCREEN_KEY_DOWN, 0, step, 1, true },
	{ 'j', 0, step, 1, true },
	{ SCREEN_KEY_PAGE_UP, 0, page, -1, true },
	{ SCREEN_KEY_PAGE_DOWN, 0, page, 1, true },
	{ ' ', 0, page, 1, true },
	{ SCREEN_KEY_HOME, 0, go_home, 0, true },
	{ SCREEN_KEY_END, 0, go_end, 0, true },
	{ SCREEN_KEY_WHEEL_UP, 0, step, -WHEEL_ROWS, true },
	{ SCREEN_KEY_WHEEL_DOWN, 0, step, WHEEL_ROWS, true },
};

void top_follow_binding(struct top *t, uint32_t key)
{
	for (size_t i = 0; i < ARRAY_LEN(bindings); i++) {
		const struct top_binding *b = &bindings[i];

		if (b->key != key || (b->views && !(b->views & VIEW(t->query.view))))
			continue;
		// keys before it, typed at the same time, may have asked for other rows
		if (b->on_rows && t->stale)
			top_refresh(t);
		b->act(t, b->argument);
		return;
	}
}

/* ---- all -------------------------------------------------------------------------------------- */

/* What a click means; a second one on the same row opens it. */
static uint32_t key_of_click(struct top *t, const struct screen_event *event)
{
	size_t row = pane_of(t)->first + (size_t)(event->y - t->body_y);
	bool on_row = event->y >= t->body_y && event->y < t->body_y + t->body_height &&
		row < t->frame.count;
	bool again = on_row && row == pane_of(t)->cursor;

	for (size_t i = t->spot_count; i-- > 0;) {
		const struct top_spot *s = &t->spots[i];
		bool hit = event->y == s->y && event->x >= s->x && event->x < s->x + s->width;

		// of a row that is not selected yet nothing else happens
		if (hit && (!on_row || again || t->prompt != PROMPT_NONE))
			return s->key;
	}
	if (!on_row || t->prompt != PROMPT_NONE)
		return SCREEN_KEY_NONE;
	if (again)
		return SCREEN_KEY_ENTER;
	top_go(t, row);
	return SCREEN_KEY_NONE;
}

void top_key(struct top *t, const struct screen_event *event)
{
	uint32_t key = event->key == SCREEN_KEY_CLICK ? key_of_click(t, event) : event->key;

	if (key == SCREEN_KEY_NONE) {
		t->dirty |= event->key == SCREEN_KEY_CLICK;
		return;
	}
	t->notice_until_ns = 0;
	t->dirty = true;
	if (t->prompt == PROMPT_NONE)
		top_follow_binding(t, key);
	else
		top_prompt_key(t, key);
}

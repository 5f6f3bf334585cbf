// SPDX-License-Identifier: MIT
/* What lies over the rows for a moment: the help, and the menu of orders. */
#include <string.h>

#include "base/cleanup.h"
#include "tui/top_state.h"

struct entry {
	const char *keys, *text;
};

static const struct entry left[] = {
	{ "1..6 Tab", "views" },
	{ "Up Dn PgUp PgDn", "select; also j k" },
	{ "Home End", "first, last row" },
	{ "Enter", "source; of a thread:" },
	{ "", "  this thread only" },
	{ "Esc", "back; no limits" },
	{ "P", "this process only" },
	{ "a", "all threads, processes" },
	{ "/ F4", "filter, by regex" },
	{ "F6 > S T N F C G", "sort" },
	{ "I", "the other way round" },
	{ "Left Right", "long lines" },
	{ "click wheel", "select, open, sort" },
};

static const struct entry right[] = {
	{ "m F2", "next mode:" },
	{ "w c g i", "wall CPU GIL idle" },
	{ "[ ] F7 F8", "window" },
	{ "d", "decay on or off" },
	{ "f Z F9", "freeze the screen" },
	{ "p", "pause sampling" },
	{ "s F3", "save the window" },
	{ "r", "forget the samples" },
	{ "t F5", "tree" },
	{ "Space + -", "unfold, fold" },
	{ "*", "unfold all below" },
	{ "Ctrl-L", "redraw" },
	{ "q F10", "quit" },
};

#define KEYS_LEFT 17
#define KEYS_RIGHT 11
#define HELP_WIDTH 76
#define HELP_HEIGHT ((int)ARRAY_LEN(left) + 8)

static const char *const about[] = {
	"SELF is time in the function itself, TOTAL also in what it calls: shares",
	"of the samples of the window. +- is half of their 95 % interval.",
};

/* ---- boxes ------------------------------------------------------------------------------------ */

struct box {
	int y, x, height, width;
};

static void draw_edge(struct canvas *c, const struct box *b, int y, const char *ends[2])
{
	const char *line = c->ascii ? "-" : "─";

	canvas_put(c, y, b->x, 1, TONE_STRONG, ends[0]);
	for (int x = 1; x + 1 < b->width; x++)
		canvas_put(c, y, b->x + x, 1, TONE_STRONG, line);
	canvas_put(c, y, b->x + b->width - 1, 1, TONE_STRONG, ends[1]);
}

static void draw_box(struct canvas *c, const struct box *b, const char *title)
{
	const char *top[2] = { c->ascii ? "+" : "┌", c->ascii ? "+" : "┐" };
	const char *bottom[2] = { c->ascii ? "+" : "└", c->ascii ? "+" : "┘" };
	const char *side = c->ascii ? "|" : "│";

	for (int y = 1; y + 1 < b->height; y++) {
		canvas_fill(c, b->y + y, b->x, b->width, TONE_PLAIN);
		canvas_put(c, b->y + y, b->x, 1, TONE_STRONG, side);
		canvas_put(c, b->y + y, b->x + b->width - 1, 1, TONE_STRONG, side);
	}
	draw_edge(c, b, b->y, top);
	draw_edge(c, b, b->y + b->height - 1, bottom);
	canvas_put(c, b->y, b->x + 2, b->width - 4, TONE_TAB, title);
}

/* In the middle, as much of it as there is room for. */
static struct box middle(const struct canvas *c, int height, int width)
{
	struct box b = { 0, 0, height, width };

	if (b.height > c->height)
		b.height = c->height;
	if (b.width > c->width)
		b.width = c->width;
	b.y = (c->height - b.height) / 2;
	b.x = (c->width - b.width) / 2;
	return b;
}

/* ---- help ------------------------------------------------------------------------------------- */

static void draw_entry(
	struct canvas *c, const struct box *b, int row, int x, int keys, const struct entry *e)
{
	if (row + 1 >= b->height)
		return;
	canvas_put(c, b->y + row, b->x + x, b->width - x - 1, TONE_GOOD, e->keys);
	canvas_put(c, b->y + row, b->x + x + keys, b->width - x - keys - 1, TONE_PLAIN, e->text);
}

void top_draw_help(struct top *t)
{
	struct canvas *c = &t->canvas;
	struct box b = middle(c, HELP_HEIGHT, HELP_WIDTH);
	int row = 2;

	draw_box(c, &b, " Help ");
	for (size_t i = 0; i < ARRAY_LEN(left); i++, row++) {
		draw_entry(c, &b, row, 2, KEYS_LEFT, &left[i]);
		draw_entry(c, &b, row, 2 + KEYS_LEFT + 24, KEYS_RIGHT, &right[i]);
	}
	row++;
	for (size_t i = 0; i < ARRAY_LEN(about); i++, row++)
		if (row + 1 < b.height)
			canvas_put(c, b.y + row, b.x + 2, b.width - 4, TONE_FAINT, about[i]);
	if (row + 2 < b.height)
		canvas_put(c, b.y + row + 1, b.x + 2, b.width - 4, TONE_STRONG, "any key: back");
}

/* ---- menu ------------------------------------------------------------------------------------- */

#define MENU_WIDTH 26

void top_draw_menu(struct top *t)
{
	struct canvas *c = &t->canvas;
	int count = (int)top_sort_count(t->query.view);
	struct box b = middle(c, count + 2, MENU_WIDTH);

	draw_box(c, &b, " Sort by ");
	for (int i = 0; i < count && i + 2 < b.height; i++) {
		enum top_sort sort = top_view_ops(t->query.view)->sorts[i];
		enum tone tone = i == t->menu ? TONE_SELECTED : TONE_PLAIN;
		const char key[2] = { (char)top_sort_key(sort), 0 };
		int y = b.y + 1 + i;

		canvas_put_fit(c, y, b.x + 1, b.width - 2, tone, FIT_LEFT, "");
		canvas_put(c, y, b.x + 3, b.width - 6, tone, top_sort_name(sort));
		canvas_put(c, y, b.x + b.width - 4, 1, i == t->menu ? tone : TONE_GOOD, key);
		top_add_spot(t, y, b.x, b.width, top_sort_key(sort));
	}
}

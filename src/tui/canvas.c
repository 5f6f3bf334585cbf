// SPDX-License-Identifier: MIT
#include "tui/canvas.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/alloc.h"
#include "base/utf8.h"

static const struct canvas_cell blank = { { ' ' }, 1, TONE_PLAIN };

void canvas_deinit(struct canvas *c)
{
	free(c->cells);
	*c = (struct canvas){ 0 };
}

static int bounded(int side)
{
	return side < 1 ? 1 : side > CANVAS_SIDE_MAX ? CANVAS_SIDE_MAX : side;
}

void canvas_resize(struct canvas *c, int width, int height)
{
	c->width = bounded(width);
	c->height = bounded(height);
	c->cells =
		xreallocarray(c->cells, (size_t)c->width * (size_t)c->height, sizeof(c->cells[0]));
	canvas_clear(c);
}

void canvas_clear(struct canvas *c)
{
	for (int i = 0; i < c->width * c->height; i++)
		c->cells[i] = blank;
}

static struct canvas_cell *cell_at(struct canvas *c, int y, int x)
{
	return &c->cells[y * c->width + x];
}

/* Half of a wide character that gets something else written over its other half. */
static void mend(struct canvas *c, int y, int x)
{
	struct canvas_cell *cell = cell_at(c, y, x);

	if (cell->width == 0 && x > 0)
		*cell_at(c, y, x - 1) = blank;
	if (cell->width == 2 && x + 1 < c->width)
		*cell_at(c, y, x + 1) = blank;
}

/* Controls, and what is not seen or turns the direction of what follows. */
static bool is_unfit(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
		(c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
		(c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
		c >= 0xe0000;
}

/* One character for the terminal, and how many columns it takes. */
static size_t decode(const struct canvas *c, const char *s, uint32_t *char_ret, int *width_ret)
{
	uint32_t code;
	size_t taken = utf8_decode((const unsigned char *)s, strnlen(s, 4), &code);
	uint32_t instead = c->ascii ? '?' : UTF8_REPLACEMENT;

	if (is_unfit(code) || code == UTF8_REPLACEMENT || (c->ascii && code > 0x7e))
		code = instead;
	int width = code < 0x7f || code == UTF8_REPLACEMENT ? 1 : wcwidth((wchar_t)code);

	if (width < 0 || width > 2) {
		code = instead;
		width = 1;
	}
	*char_ret = code;
	*width_ret = width;
	return taken;
}

static void add_mark(struct canvas_cell *cell, uint32_t mark)
{
	for (size_t i = 1; i <= CANVAS_MARKS; i++) {
		if (cell->chars[i])
			continue;
		cell->chars[i] = mark;
		return;
	}
}

static void put_char(struct canvas *c, int y, int x, uint32_t code, int width, enum tone tone)
{
	if (y < 0 || y >= c->height || x < 0 || x + width > c->width)
		return;
	for (int i = 0; i < width; i++)
		mend(c, y, x + i);
	*cell_at(c, y, x) = (struct canvas_cell){ { code }, (uint16_t)width, (uint16_t)tone };
	if (width == 2)
		*cell_at(c, y, x + 1) = (struct canvas_cell){ { 0 }, 0, (uint16_t)tone };
}

static void put_mark(struct canvas *c, int y, int x, uint32_t mark)
{
	if (y < 0 || y >= c->height || x < 1 || x > c->width)
		return;
	struct canvas_cell *cell = cell_at(c, y, x - 1);

	if (cell->width == 0 && x > 1)
		cell--;
	add_mark(cell, mark);
}

int canvas_put(struct canvas *c, int y, int x, int width, enum tone tone, const char *text)
{
	int used = 0;

	while (*text) {
		uint32_t code;
		int columns;

		text += decode(c, text, &code, &columns);
		if (columns > width - used)
			break;
		if (columns > 0)
			put_char(c, y, x + used, code, columns, tone);
		else if (used > 0)
			put_mark(c, y, x + used, code);
		used += columns;
	}
	return used;
}

int canvas_text_width(const struct canvas *c, const char *text)
{
	int width = 0;

	while (*text && width < 2 * CANVAS_SIDE_MAX) {
		uint32_t code;
		int columns;

		text += decode(c, text, &code, &columns);
		width += columns;
	}
	return width;
}

/* The part of a text that begins after at least `skip` columns; what was skipped too much comes back. */
static const char *after_columns(const struct canvas *c, const char *text, int skip, int *extra_ret)
{
	while (*text && skip > 0) {
		uint32_t code;
		int columns;

		text += decode(c, text, &code, &columns);
		skip -= columns;
	}
	*extra_ret = -skip;
	return text;
}

static void put_tail(struct canvas *c, int y, int x, int width, enum tone tone, const char *text)
{
	int extra, all = canvas_text_width(c, text);
	const char *tail = after_columns(c, text, all - width + 1, &extra);

	canvas_put(c, y, x, 1, tone, c->ascii ? "~" : "…");
	canvas_put(c, y, x + 1 + extra, width - 1 - extra, tone, tail);
}

void canvas_put_fit(struct canvas *c, int y, int x, int width, enum tone tone, enum canvas_fit fit,
	const char *text)
{
	int all = canvas_text_width(c, text);

	if (width <= 0)
		return;
	canvas_fill(c, y, x, width, tone);
	if (all <= width) {
		canvas_put(c, y, fit == FIT_RIGHT ? x + width - all : x, width, tone, text);
		return;
	}
	if (fit == FIT_TAIL) {
		put_tail(c, y, x, width, tone, text);
		return;
	}
	int used = canvas_put(c, y, x, width - 1, tone, text);

	canvas_put(c, y, x + used, 1, tone, c->ascii ? "~" : "…");
}

void canvas_fill(struct canvas *c, int y, int x, int width, enum tone tone)
{
	for (int i = 0; i < width && x + i < c->width; i++)
		put_char(c, y, x + i, ' ', 1, tone);
}

void canvas_set_tone(struct canvas *c, int y, int x, int width, enum tone tone)
{
	if (y < 0 || y >= c->height)
		return;
	for (int i = x < 0 ? 0 : x; i < x + width && i < c->width; i++)
		cell_at(c, y, i)->tone = (uint16_t)tone;
}

void canvas_row_text(const struct canvas *c, int y, struct buf *out)
{
	size_t end = out->len;

	for (int x = 0; x < c->width; x++) {
		const struct canvas_cell *cell = &c->cells[y * c->width + x];

		for (size_t i = 0; i <= CANVAS_MARKS && cell->chars[i]; i++)
			utf8_add(out, cell->chars[i]);
		if (cell->width > 0 && cell->chars[0] != ' ')
			end = out->len;
	}
	if (out->data) {
		out->len = end;
		out->data[end] = 0;
	}
}

// SPDX-License-Identifier: MIT
/* The cursor, and what of the rows is in sight. */
#include "tui/top_state.h"

static struct top_pane *pane_of(struct top *t)
{
	return &t->panes[t->query.view];
}

/* Where the cursor is while nothing was chosen: the hottest row, or the newest line. */
static size_t resting_place(const struct top *t)
{
	size_t count = t->frame.count;

	return t->query.view == TOP_OUTPUT && count ? count - 1 : 0;
}

void top_scroll(struct top *t)
{
	struct top_pane *pane = pane_of(t);
	size_t height = t->body_height > 0 ? (size_t)t->body_height : 1;

	if (pane->cursor < pane->first)
		pane->first = pane->cursor;
	if (pane->cursor >= pane->first + height)
		pane->first = pane->cursor - height + 1;
	// no empty lines below as long as there are rows above
	size_t last_first = t->frame.count > height ? t->frame.count - height : 0;
	if (pane->first > last_first)
		pane->first = last_first;
}

void top_go(struct top *t, size_t row)
{
	struct top_pane *pane = pane_of(t);

	t->dirty = true;
	if (!t->frame.count)
		return;
	pane->cursor = row < t->frame.count ? row : t->frame.count - 1;
	pane->key = pane->cursor == resting_place(t) ? 0 : t->frame.rows[pane->cursor].key;
	top_scroll(t);
}

void top_move(struct top *t, long rows)
{
	size_t cursor = pane_of(t)->cursor;

	if (rows < 0 && (size_t)-rows > cursor)
		top_go(t, 0);
	else
		top_go(t, (size_t)((long)cursor + rows));
}

/* The line that matters, with some lines around it. */
static void place_source(struct top *t)
{
	struct top_pane *pane = pane_of(t);
	size_t row = 0;

	while (row < t->frame.count && t->frame.rows[row].line < t->frame.source_line)
		row++;
	if (row >= t->frame.count)
		return;
	size_t above = (size_t)(t->body_height > 0 ? t->body_height : 20) / 2;
	pane->first = row > above ? row - above : 0;
	pane->placed = true;
	top_go(t, row);
	pane->key = t->frame.rows[row].key;
}

void top_follow(struct top *t)
{
	struct top_pane *pane = pane_of(t);

	pane->count = t->frame.count;
	if (t->query.view == TOP_SOURCE && !pane->placed && t->frame.source_line) {
		place_source(t);
		return;
	}
	if (!pane->key)
		pane->cursor = resting_place(t);
	for (size_t i = 0; pane->key && i < t->frame.count; i++) {
		if (t->frame.rows[i].key != pane->key)
			continue;
		pane->cursor = i;
		break;
	}
	if (pane->cursor >= t->frame.count)
		pane->cursor = t->frame.count ? t->frame.count - 1 : 0;
	top_scroll(t);
}

const struct top_row *top_selected(const struct top *t)
{
	size_t cursor = t->panes[t->query.view].cursor;

	return cursor < t->frame.count ? &t->frame.rows[cursor] : NULL;
}

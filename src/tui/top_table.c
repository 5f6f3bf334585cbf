// SPDX-License-Identifier: MIT
/* The rows of a view, in its columns. */
#include "base/units.h"
#include "tui/parts.h"
#include "tui/top_state.h"

#define COLUMNS_MAX 12

/* ---- layout ----------------------------------------------------------------------------------- */

struct placed {
	const struct top_column *column;
	int x, width;
};

struct layout {
	struct placed columns[COLUMNS_MAX];
	size_t count;
};

static bool has_processes(const struct top *t)
{
	for (size_t i = 0; i < t->frame.count; i++)
		if (t->frame.rows[i].process)
			return true;
	return false;
}

static void choose_columns(const struct top *t, struct layout *l)
{
	bool processes = has_processes(t);
	const struct top_column *column = top_view_ops(t->query.view)->columns;

	for (; column->title && l->count < COLUMNS_MAX; column++) {
		if (t->canvas.width < column->from || (column->processes && !processes))
			continue;
		l->columns[l->count++] = (struct placed){ column, 0, column->width };
	}
}

static void place_columns(const struct top *t, struct layout *l)
{
	int rest = t->canvas.width, weights = 0, x = 0;

	for (size_t i = 0; i < l->count; i++) {
		rest -= l->columns[i].width + (i ? 1 : 0);
		weights += l->columns[i].column->weight;
	}
	for (size_t i = 0; i < l->count; i++) {
		struct placed *p = &l->columns[i];

		if (p->column->weight) {
			p->width = rest > 0 ? rest * p->column->weight / weights : 0;
			rest -= p->width;
			weights -= p->column->weight;
		}
		p->x = x;
		x += p->width + 1;
	}
}

/* ---- drawing ---------------------------------------------------------------------------------- */

static void draw_title(struct top *t, int y, const struct placed *p)
{
	const struct top_pane *pane = &t->panes[t->query.view];
	bool sorted = p->column->sort != TOP_SORTS && p->column->sort == pane->sort;
	const char *arrow =
		pane->reversed ? (t->canvas.ascii ? "^" : "△") : (t->canvas.ascii ? "v" : "▽");

	buf_clear(&t->text);
	buf_add_str(&t->text, p->column->title);
	// there is no room for more in all of them
	if (sorted && (p->column->weight || (int)t->text.len < p->width))
		buf_add_str(&t->text, arrow);
	canvas_put_fit(&t->canvas, y, p->x, p->width, sorted ? TONE_SORTED : TONE_HEADING,
		p->column->fit == FIT_RIGHT ? FIT_RIGHT : FIT_LEFT, buf_str(&t->text));
	if (p->column->sort != TOP_SORTS)
		top_add_spot(t, y, p->x, p->width, top_sort_key(p->column->sort));
}

/* Whose source, or where the output goes too: after the title of the last column. */
static void draw_subject(struct top *t, int y, const struct placed *p)
{
	const struct top_frame *f = &t->frame;
	int x = p->x + 8, width = p->width - 8;

	if (t->query.view != TOP_SOURCE && t->query.view != TOP_OUTPUT)
		return;
	buf_clear(&t->text);
	if (f->source_function)
		buf_printf(&t->text, "%s  ", f->source_function);
	if (f->source_file)
		buf_add_str(&t->text, f->source_file);
	if (t->text.len && width > 0)
		canvas_put_fit(&t->canvas, y, x, width, TONE_SORTED, FIT_LEFT, buf_str(&t->text));
}

static void draw_headings(struct top *t, int y, const struct layout *l)
{
	canvas_fill(&t->canvas, y, 0, t->canvas.width, TONE_HEADING);
	for (size_t i = 0; i < l->count; i++)
		draw_title(t, y, &l->columns[i]);
	if (l->count)
		draw_subject(t, y, &l->columns[l->count - 1]);
}

static void draw_cell(struct top *t, int y, const struct placed *p, const struct top_row *row,
	const struct top_guides *guides)
{
	const struct top_column *column = p->column;
	enum tone tone = column->heat ? parts_heat(column->heat(row)) : column->tone;

	if (column->bar) {
		parts_bar(&t->canvas, y, p->x, p->width, tone, column->heat(row));
		return;
	}
	buf_clear(&t->text);
	if (t->query.view == TOP_TREE && top_column_is_name(column)) {
		top_tree_add_guides(&t->text, guides, row, p->width, t->canvas.ascii);
		tone = parts_heat(row->total);
	}
	column->add(t, row, &t->text);
	canvas_put_fit(&t->canvas, y, p->x, p->width, tone, column->fit, buf_str(&t->text));
	if (column->sort == TOP_BY_NAME && row->has_children && t->query.view == TOP_TREE)
		top_add_spot(t, y, p->x, p->width, ' ');
}

/* Lines that were running are seen as such even in the code. */
static void heat_line(struct top *t, int y, const struct layout *l, const struct top_row *row)
{
	const struct placed *p = &l->columns[l->count - 1];

	if (t->query.view == TOP_SOURCE && row->total > 0)
		canvas_set_tone(
			&t->canvas, y, p->x, p->width, row->total >= 0.1 ? TONE_HOT : TONE_WARM);
}

static void draw_rows(struct top *t, const struct layout *l)
{
	const struct top_pane *pane = &t->panes[t->query.view];
	struct top_guides guides = { { false } };

	for (size_t i = 0; i < t->frame.count && i < pane->first + (size_t)t->body_height; i++) {
		const struct top_row *row = &t->frame.rows[i];
		int y = t->body_y + (int)(i - pane->first);

		top_tree_note(&guides, row);
		if (i < pane->first)
			continue;
		for (size_t k = 0; k < l->count; k++)
			draw_cell(t, y, &l->columns[k], row, &guides);
		heat_line(t, y, l, row);
		if (i == pane->cursor)
			canvas_set_tone(&t->canvas, y, 0, t->canvas.width, TONE_SELECTED);
	}
}

/* What there is to be said where rows would be. */
static void draw_words(struct top *t)
{
	const struct top_frame *f = &t->frame;
	const char *words = top_view_ops(t->query.view)->empty;

	if (f->count)
		return;
	if (f->source_note)
		words = f->source_note;
	else if (t->filter.len)
		words = "nothing that the filter lets through";
	else if (!f->samples && t->query.view != TOP_OUTPUT)
		words = "waiting for the first samples";
	canvas_put_fit(&t->canvas, t->body_y + (t->body_height > 2 ? 1 : 0), 2, t->canvas.width - 3,
		TONE_FAINT, FIT_LEFT, words);
}

/* In a line of its own below the rows. */
static void draw_more(struct top *t, int y)
{
	buf_clear(&t->text);
	units_add_count(&t->text, t->frame.more);
	buf_add_str(&t->text, " more that are not shown; a filter (F4) finds them");
	canvas_put(&t->canvas, y, 2, t->canvas.width - 2, TONE_FAINT, buf_str(&t->text));
}

void top_draw_table(struct top *t, int y, int height)
{
	struct layout layout = { .count = 0 };

	choose_columns(t, &layout);
	place_columns(t, &layout);
	if (height >= 2) {
		draw_headings(t, y++, &layout);
		height--;
	}
	// rows that are not quite what they seem
	if (t->frame.count && t->frame.source_note && height >= 3) {
		canvas_put_fit(&t->canvas, y++, 0, t->canvas.width, TONE_WARM, FIT_LEFT,
			t->frame.source_note);
		height--;
	}
	if (t->frame.count && t->frame.more && height >= 4)
		draw_more(t, y + --height);
	t->body_y = y;
	t->body_height = height > 0 ? height : 0;
	top_scroll(t);
	draw_rows(t, &layout);
	draw_words(t);
}

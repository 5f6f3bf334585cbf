// SPDX-License-Identifier: MIT
#include "store/span_table.h"

#include <stdlib.h>

#include "base/alloc.h"

enum span_column {
	SPAN_META,
	SPAN_ROW,
	SPAN_START,
	SPAN_END,
	SPAN_PROCESS,
	SPAN_THREAD,
	SPAN_PARENT,
	SPAN_NAME,
	SPAN_TEXT,
	SPAN_COLUMNS,
};

_Static_assert(SPAN_COLUMNS == SPAN_TABLE_COLUMNS, "columns are counted");

void sent_spans_deinit(struct sent_spans *sent)
{
	free(sent->watched);
	*sent = (struct sent_spans){ 0 };
}

static bool same_span(const struct capture_span *a, const struct capture_span *b)
{
	return a->start_ns == b->start_ns && a->end_ns == b->end_ns && a->process == b->process &&
		a->thread == b->thread && a->parent == b->parent && a->name == b->name &&
		a->text == b->text;
}

/* ---- writing ---------------------------------------------------------------------------------- */

struct drafted {
	struct columns *columns;
	size_t rows;
	uint32_t last_row;
	uint64_t last_ns;
};

static void put(struct drafted *d, uint32_t row, const struct capture_span *s)
{
	// a parent is always before: what claims otherwise has none
	uint32_t parent = s->parent <= row ? s->parent : 0;

	columns_put(d->columns, SPAN_ROW, row - d->last_row);
	columns_put_signed(d->columns, SPAN_START, (int64_t)(s->start_ns - d->last_ns));
	columns_put_signed(d->columns, SPAN_END, (int64_t)(s->end_ns - s->start_ns));
	columns_put(d->columns, SPAN_PROCESS, s->process);
	columns_put(
		d->columns, SPAN_THREAD, s->thread == CAPTURE_NONE ? 0 : (uint64_t)s->thread + 1);
	columns_put(d->columns, SPAN_PARENT, parent ? row - (parent - 1) : 0);
	columns_put(d->columns, SPAN_NAME, s->name);
	columns_put(d->columns, SPAN_TEXT, s->text);
	d->last_row = row;
	d->last_ns = s->start_ns;
	d->rows++;
}

/*
 * A draft goes over the watched rows, then over the new ones; where it stopped is a place in both of
 * them, one after the other.
 */
bool span_table_draft(const struct sent_spans *sent, const struct capture *c, size_t limit_bytes,
	struct columns *columns, size_t *to_ret)
{
	size_t old = sent->watched_count, all = old + c->span_count - sent->rows, at = 0;
	struct drafted d = { .columns = columns };

	for (; at < all && columns_bytes(columns) < limit_bytes; at++) {
		uint32_t row = (uint32_t)(at < old ? sent->watched[at].row : sent->rows + at - old);

		if (at >= old || !same_span(&sent->watched[at].span, &c->spans[row]))
			put(&d, row, &c->spans[row]);
	}
	if (!d.rows)
		return false;
	columns_put(columns, SPAN_META, d.rows);
	*to_ret = at;
	return true;
}

static uint64_t newest_ns(const struct sent_spans *sent, const struct capture *c)
{
	uint64_t newest = sent->rows ? c->spans[sent->rows - 1].start_ns : 0;

	for (size_t i = 0; i < sent->watched_count; i++)
		if (sent->watched[i].span.end_ns > newest)
			newest = sent->watched[i].span.end_ns;
	return newest;
}

static void forget_settled(struct sent_spans *sent, const struct capture *c)
{
	uint64_t now_ns = newest_ns(sent, c);
	size_t left = 0;

	for (size_t i = 0; i < sent->watched_count; i++) {
		const struct sent_span w = sent->watched[i];

		if (!w.span.end_ns || now_ns < w.span.end_ns + SPAN_SETTLES_NS)
			sent->watched[left++] = w;
	}
	sent->watched_count = left;
}

void span_table_commit(struct sent_spans *sent, const struct capture *c, size_t to)
{
	size_t old = sent->watched_count;

	for (size_t i = 0; i < old && i < to; i++)
		sent->watched[i].span = c->spans[sent->watched[i].row];
	for (size_t i = old; i < to; i++) {
		uint32_t row = (uint32_t)sent->rows++;

		array_reserve(sent->watched, sent->watched_capacity, sent->watched_count + 1);
		sent->watched[sent->watched_count++] = (struct sent_span){ row, c->spans[row] };
	}
	forget_settled(sent, c);
}

/* ---- reading ---------------------------------------------------------------------------------- */

/* False if it names what is not there. */
static bool get(const struct capture *c, struct column *in, uint64_t row, struct capture_span *s)
{
	uint64_t process = column_get(&in[SPAN_PROCESS]), thread = column_get(&in[SPAN_THREAD]);
	uint64_t back = column_get(&in[SPAN_PARENT]);
	uint64_t name = column_get(&in[SPAN_NAME]), text = column_get(&in[SPAN_TEXT]);

	if (process >= c->process_count || thread > c->thread_count || back > row ||
		name >= c->tables.string_count || text >= c->tables.string_count)
		return false;
	s->process = (uint32_t)process;
	s->thread = thread ? (uint32_t)(thread - 1) : CAPTURE_NONE;
	s->parent = back ? (uint32_t)(row - back + 1) : 0;
	s->name = (string_id)name;
	s->text = (string_id)text;
	return true;
}

struct err *span_table_take(struct capture *c, struct columns_reader *in, uint64_t rows)
{
	struct column *columns = in->columns;
	struct capture_span s = { 0 };
	uint64_t row = 0;

	for (uint64_t i = 0; i < rows; i++) {
		row += column_get(&columns[SPAN_ROW]);
		s.start_ns += (uint64_t)column_get_signed(&columns[SPAN_START]);
		s.end_ns = s.start_ns + (uint64_t)column_get_signed(&columns[SPAN_END]);
		if (row > c->span_count || !get(c, columns, row, &s))
			return err_new(ERR_FAILED, "a span that cannot be");
		if (row == c->span_count)
			capture_add_span(c, &s);
		else
			c->spans[row] = s;
	}
	return NULL;
}

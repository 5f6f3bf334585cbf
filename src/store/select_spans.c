// SPDX-License-Identifier: MIT
#include "store/select_spans.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

enum verdict {
	VERDICT_OPEN,
	VERDICT_NO,
	VERDICT_YES,
};

struct err *selected_spans_init(struct selected_spans *s, const struct selection *selection)
{
	*s = (struct selected_spans){ .selection = selection };
	return patterns_init(&s->patterns, selection->spans, "span");
}

void selected_spans_deinit(struct selected_spans *s)
{
	patterns_deinit(&s->patterns);
	free(s->rows);
	*s = (struct selected_spans){ 0 };
}

void selected_spans_reset(struct selected_spans *s)
{
	if (s->capacity)
		memset(s->rows, VERDICT_OPEN, s->capacity * sizeof(*s->rows));
}

void span_label(const struct capture *c, uint32_t row, struct buf *out)
{
	const struct capture_span *span = &c->spans[row];

	buf_add_str(out, capture_text(c, span->name));
	if (c->tables.strings[span->text].len)
		buf_printf(out, " %s", capture_text(c, span->text));
}

/* By itself, not by what it lies in. */
static bool matches(const struct selected_spans *s, const struct capture *c, uint32_t span)
{
	_cleanup_buf_ struct buf label = BUF_INIT;

	if (s->selection->span)
		return span == s->selection->span;
	if (span)
		span_label(c, span - 1, &label);
	return patterns_match(&s->patterns, buf_str(&label)) != 0;
}

static void reserve(struct selected_spans *s, size_t rows)
{
	size_t had = s->capacity;

	if (rows <= had)
		return;
	array_reserve(s->rows, s->capacity, rows);
	memset(s->rows + had, VERDICT_OPEN, (s->capacity - had) * sizeof(*s->rows));
}

bool selected_spans_has(struct selected_spans *s, const struct capture *c, uint32_t span)
{
	enum verdict verdict = VERDICT_OPEN;
	uint32_t at = span;

	if (!s->patterns.count && !s->selection->span)
		return true;
	reserve(s, c->span_count + 1);
	// outwards, to the first that is decided on or matches
	for (;;) {
		verdict = (enum verdict)s->rows[at];
		if (verdict != VERDICT_OPEN)
			break;
		uint32_t parent = at ? c->spans[at - 1].parent : 0;
		if (matches(s, c, at))
			verdict = VERDICT_YES;
		else if (!parent || parent >= at)
			verdict = VERDICT_NO;
		if (verdict != VERDICT_OPEN)
			break;
		at = parent;
	}
	// all on the way are within it
	for (uint32_t i = span; i != at; i = c->spans[i - 1].parent)
		s->rows[i] = (uint8_t)verdict;
	s->rows[at] = (uint8_t)verdict;
	return verdict == VERDICT_YES;
}

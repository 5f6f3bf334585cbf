// SPDX-License-Identifier: MIT
/* The spans that a page has: those of the selection, those that samples are in, and what is around them. */
#include <stdlib.h>

#include "base/alloc.h"
#include "export/page.h"
#include "fmt/varint.h"

enum {
	SPAN_START,
	SPAN_DURATION,
	SPAN_PROCESS,
	SPAN_THREAD,
	SPAN_PARENT,
	SPAN_NAME,
	SPAN_TEXT,
	SPAN_TABLES
};

_Static_assert(SPAN_TABLES == PAGE_SPAN_TABLES, "tables are counted");

static uint32_t parent_of(const struct page *p, size_t row)
{
	uint32_t parent = view_capture(p->view)->spans[row].parent;

	return parent <= row ? parent : 0;
}

void page_use_span(struct page *p, uint32_t span)
{
	if (span)
		p->spans[span - 1] = 1;
}

void page_number_spans(struct page *p)
{
	const struct capture *c = view_capture(p->view);

	for (size_t i = c->span_count; i-- > 0;) {
		uint32_t parent = parent_of(p, i);

		if (!p->spans[i] && p->timed && view_shows_span(p->view, (uint32_t)i))
			p->spans[i] = 1;
		if (p->spans[i])
			page_use_span(p, parent);
	}
	for (size_t i = 0; i < c->span_count; i++) {
		if (!p->spans[i])
			continue;
		p->spans[i] = ++p->span_count;
		page_use_thread(p, c->spans[i].thread);
		if (c->spans[i].process < c->process_count)
			p->processes[c->spans[i].process] = true;
		page_use_text(p, c->spans[i].name);
		page_use_text(p, c->spans[i].text);
	}
}

static void put(struct page_table *t, uint64_t value)
{
	char bytes[VARINT_MAX];

	buf_add(&t->bytes, bytes, (size_t)(varint_put(bytes, value) - bytes));
	t->count++;
}

/* 0: not ended. */
static uint64_t duration_of(const struct page *p, const struct capture_span *s)
{
	if (!s->end_ns)
		return 0;
	return p->timed && s->end_ns > s->start_ns ? s->end_ns - s->start_ns + 1 : 1;
}

void page_make_span_tables(const struct page *p, struct page_table tables[PAGE_SPAN_TABLES])
{
	static const char *const names[PAGE_SPAN_TABLES] = {
		[SPAN_START] = "spans.start",
		[SPAN_DURATION] = "spans.duration",
		[SPAN_PROCESS] = "spans.process",
		[SPAN_THREAD] = "spans.thread",
		[SPAN_PARENT] = "spans.parent",
		[SPAN_NAME] = "spans.name",
		[SPAN_TEXT] = "spans.text",
	};
	const struct capture *c = view_capture(p->view);
	uint64_t before = 0;

	for (int i = 0; i < PAGE_SPAN_TABLES; i++)
		tables[i] = (struct page_table){ .name = names[i] };
	for (size_t i = 0; i < c->span_count; i++) {
		const struct capture_span *s = &c->spans[i];
		uint64_t start = (uint64_t)page_time(p, s->start_ns);
		uint32_t parent = parent_of(p, i);

		if (!p->spans[i])
			continue;
		put(&tables[SPAN_START], varint_zigzag(start - before));
		before = start;
		put(&tables[SPAN_DURATION], duration_of(p, s));
		put(&tables[SPAN_PROCESS],
			s->process < c->process_count ? p->process_rows[s->process] + 1 : 0);
		put(&tables[SPAN_THREAD],
			s->thread < c->thread_count ? p->threads[s->thread].row + 1 : 0);
		put(&tables[SPAN_PARENT], parent ? p->spans[i] - p->spans[parent - 1] : 0);
		put(&tables[SPAN_NAME], page_text(p, s->name));
		put(&tables[SPAN_TEXT], page_text(p, s->text));
	}
}

// SPDX-License-Identifier: MIT
#include "sample/riders.h"

/* Fields closer than this are read as one range: ranges are dear, bytes are cheap. */
#define GAP_BYTES 2048

void riders_clear(struct interp_riders *r)
{
	r->set.count = r->set.whole = 0;
	r->span_count = 0;
}

/* Adds a field, to a span that is near or as one of its own. */
static void add_field(struct interp_riders *r, remote_addr addr, uint32_t len)
{
	for (size_t i = 0; i < r->span_count; i++) {
		remote_addr start = r->spans[i].start, end = r->spans[i].end;

		if (addr + len + GAP_BYTES < start || addr > end + GAP_BYTES)
			continue;
		start = addr < start ? addr : start;
		end = addr + len > end ? addr + len : end;
		if (end - start > RIDERS_BYTES_MAX / RIDERS_SPANS_MAX)
			continue;
		r->spans[i].start = start;
		r->spans[i].end = end;
		return;
	}
	if (r->span_count == RIDERS_SPANS_MAX)
		return;
	r->spans[r->span_count].start = addr;
	r->spans[r->span_count++].end = addr + len;
}

static remote_addr gil_field(
	const struct py_runtime *rt, const struct py_thread *t, uint32_t *len_ret)
{
	*len_ret = 8;
	switch (rt->layout.gil) {
	case GIL_CURRENT_SYMBOL:
	case GIL_RUNTIME_CURRENT:
		return rt->tstate_current;
	case GIL_PER_INTERPRETER:
	case GIL_FREE_THREADED:
		*len_ret = 16;
		return t->gil ? t->gil + rt->layout.at.gil_last_holder : 0;
	}
	return 0;
}

void riders_fill(struct interp_riders *r, const struct py_runtime *rt, const struct py_thread *t)
{
	uint32_t len, collecting = rt->layout.at.interp_gc_collecting;
	remote_addr gil = gil_field(rt, t, &len);

	riders_clear(r);
	add_field(r, t->interp + rt->layout.at.interp_threads_head, 8);
	if (collecting != OFFSET_NONE)
		add_field(r, t->interp + collecting, 4);
	if (gil)
		add_field(r, gil, len);
	size_t offset = 0;
	for (size_t i = 0; i < r->span_count; i++) {
		size_t bytes = (size_t)(r->spans[i].end - r->spans[i].start);

		r->spans[i].offset = offset;
		r->set.ranges[r->set.count++] =
			(struct mem_range){ r->spans[i].start, r->bytes + offset, bytes };
		offset += (bytes + 7) & ~(size_t)7;
	}
}

/* NULL if it was not read. */
static const unsigned char *field(const struct interp_riders *r, remote_addr addr, uint32_t len)
{
	for (size_t i = 0; i < r->span_count && i < r->set.whole; i++)
		if (addr >= r->spans[i].start && addr + len <= r->spans[i].end)
			return r->bytes + r->spans[i].offset + (addr - r->spans[i].start);
	return NULL;
}

void riders_look(const struct interp_riders *r, const struct py_runtime *rt,
	const struct py_thread *t, struct interp_look *ret)
{
	const struct py_offsets *at = &rt->layout.at;
	const unsigned char *head = field(r, t->interp + at->interp_threads_head, 8);
	uint32_t len;
	remote_addr gil = gil_field(rt, t, &len);
	const unsigned char *holder = gil ? field(r, gil, len) : NULL;

	*ret = (struct interp_look){ .known = head && (!gil || holder) };
	if (!ret->known)
		return;
	ret->first_thread = field_u64(head, 0);
	if (at->interp_gc_collecting != OFFSET_NONE) {
		const unsigned char *gc = field(r, t->interp + at->interp_gc_collecting, 4);

		ret->collecting = gc && field_u32(gc, 0) == 1;
	}
	ret->has_gil = holder != NULL;
	if (holder && (len == 8 || field_u32(holder, at->gil_locked - at->gil_last_holder) == 1))
		ret->holder = field_u64(holder, 0);
}

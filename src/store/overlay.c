// SPDX-License-Identifier: MIT
#include "store/overlay.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "store/capture_file.h"

#define NO_CALL UINT32_MAX

/*
 * A span of the result: those of the capture first, the calls behind them. Links are places in that
 * order, plus 1.
 */
struct item {
	struct capture_span span;
	uint32_t group;  // of a call: the first row of its thread's id
	uint32_t own;    // in which of its kind it lies
	uint32_t parent; // in which it lies
	uint32_t row; // in the result
};

/* Where a thread is in its calls while its samples go by. */
struct place {
	uint32_t next, end; // of its calls
	uint32_t in;        // the innermost call it is in, or NO_CALL
};

struct overlay {
	struct capture *c;
	struct item *items; // span_count of the capture, then the calls: by thread, begin and depth
	size_t old, count;
	struct place *places; // by group
	uint32_t *groups;     // by row of threads: a thread may have several rows
	uint32_t *order;      // items by row of the result
	struct capture_span *spans;
};

static void overlay_deinit(struct overlay *o)
{
	free(o->items);
	free(o->places);
	free(o->groups);
	free(o->order);
	free(o->spans);
}

/* ---- the calls -------------------------------------------------------------------------------- */

/* Ids of threads are used again: the last one that began before the call did. */
static uint32_t thread_of(const struct capture *c, const struct overlay_call *call)
{
	uint32_t found = CAPTURE_NONE;

	for (size_t i = 0; i < c->thread_count; i++) {
		const struct capture_thread *t = &c->threads[i];

		// a thread may call before it is first seen
		if (t->tid == call->tid && (found == CAPTURE_NONE || t->start_ns <= call->start_ns))
			found = (uint32_t)i;
	}
	return found;
}

static int compare_times(const struct capture_span *a, const struct capture_span *b)
{
	uint64_t x_end = a->end_ns ? a->end_ns : UINT64_MAX, y_end = b->end_ns ? b->end_ns : UINT64_MAX;

	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	// the outer one first
	return x_end == y_end ? 0 : x_end > y_end ? -1 : 1;
}

static int compare_calls(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int times;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	times = compare_times(&x->span, &y->span);
	// those that took no time: as they were given
	return times ? times : (x->row > y->row) - (x->row < y->row);
}

static uint32_t group_of(const struct capture *c, uint32_t tid)
{
	for (size_t i = 0; i < c->thread_count; i++)
		if (c->threads[i].tid == tid)
			return (uint32_t)i;
	return CAPTURE_NONE;
}

/* Of the threads that were not sampled: they lived from their first call to their last one. */
static void add_threads(struct capture *c, const struct overlay_call *calls, size_t count)
{
	size_t sampled = c->thread_count;

	for (size_t i = 0; i < count; i++) {
		uint32_t row = group_of(c, calls[i].tid);

		if (row == CAPTURE_NONE) {
			const struct capture_thread thread = {
				.tid = calls[i].tid,
				.name = capture_string(c, calls[i].thread),
				.main = c->process_count && c->processes[0].pid == calls[i].tid,
				.start_ns = calls[i].start_ns,
			};

			row = capture_add_thread(c, &thread);
		}
		struct capture_thread *t = &c->threads[row];
		if (row < sampled)
			continue;
		if (t->start_ns > calls[i].start_ns)
			t->start_ns = calls[i].start_ns;
		if (t->end_ns < calls[i].end_ns)
			t->end_ns = calls[i].end_ns;
	}
}

static void add_calls(struct overlay *o, const struct overlay_call *calls, size_t count)
{
	struct capture *c = o->c;

	for (size_t i = 0; i < count; i++) {
		struct item *item = &o->items[o->old + i];

		item->row = (uint32_t)i;
		item->group = group_of(c, calls[i].tid);
		item->span = (struct capture_span){
			.start_ns = calls[i].start_ns,
			.end_ns = calls[i].end_ns,
			.thread = thread_of(c, &calls[i]),
			.name = capture_string(c, calls[i].name),
			.text = capture_string(c, calls[i].text),
		};
	}
	if (count)
		qsort(&o->items[o->old], count, sizeof(*o->items), compare_calls);
}

/* Each call lies in the last one of its thread that has not ended when it begins. */
static void nest_calls(struct overlay *o)
{
	uint32_t in = 0;

	for (size_t i = o->old; i < o->count; i++) {
		struct item *item = &o->items[i];

		if (i > o->old && o->items[i - 1].group != item->group)
			in = 0;
		while (in && o->items[in - 1].span.end_ns <= item->span.start_ns)
			in = o->items[in - 1].own;
		item->own = item->parent = in;
		in = (uint32_t)i + 1;
	}
}

static void find_places(struct overlay *o)
{
	for (size_t i = 0; i < o->c->thread_count; i++)
		o->places[i] = (struct place){ .in = NO_CALL };
	for (size_t i = o->old; i < o->count; i++) {
		uint32_t group = o->items[i].group;

		if (i == o->old || o->items[i - 1].group != group)
			o->places[group].next = (uint32_t)i;
		o->places[group].end = (uint32_t)i + 1;
	}
}

/* The innermost call in which a thread is at a time that is not before the last one asked for. */
static uint32_t call_at(struct overlay *o, uint32_t group, uint64_t time_ns)
{
	struct place *p = &o->places[group];

	for (; p->next < p->end && o->items[p->next].span.start_ns <= time_ns; p->next++)
		p->in = p->next;
	// nothing began since: what has ended stays ended
	while (p->in != NO_CALL && o->items[p->in].span.end_ns <= time_ns)
		p->in = o->items[p->in].own ? o->items[p->in].own - 1 : NO_CALL;
	return p->in;
}

/* Its place plus 1; 0: none. */
static uint32_t call_of(struct overlay *o, const struct capture_sample *sample)
{
	uint32_t call = sample->thread < o->c->thread_count ?
		call_at(o, o->groups[sample->thread], sample->time_ns) :
		NO_CALL;

	return call == NO_CALL ? 0 : call + 1;
}

/* ---- both ------------------------------------------------------------------------------------- */

/* Whether `inner` (a place plus 1) may lie in `outer`. */
static bool encloses(const struct overlay *o, uint32_t outer, uint32_t inner)
{
	const struct capture_span *a = &o->items[outer - 1].span, *b = &o->items[inner - 1].span;

	return a->start_ns <= b->start_ns && (!a->end_ns || (b->end_ns && b->end_ns <= a->end_ns));
}

/* Of a span and a call: the one that began last. */
static uint32_t innermost(const struct overlay *o, uint32_t span, uint32_t call)
{
	if (!span || !call)
		return span ? span : call;
	return o->items[span - 1].span.start_ns >= o->items[call - 1].span.start_ns ? span : call;
}

/* Something of the other kind was around `inner` when a sample was taken, and nothing in between. */
static void put_in(struct overlay *o, uint32_t inner, uint32_t outer)
{
	bool is_call = inner > o->old, in_call = outer > o->old;

	// a span that outlives the call in which it was opened is not a part of it
	if (is_call != in_call && (is_call || encloses(o, outer, inner)))
		o->items[inner - 1].parent = outer;
}

/* A sample was in a span and in a call at once: what lies around them becomes one chain. */
static void join(struct overlay *o, uint32_t span, uint32_t call)
{
	uint32_t inner = 0;

	if (!span || !call)
		return;
	while (span || call) {
		uint32_t at = innermost(o, span, call);

		if (inner)
			put_in(o, inner, at);
		inner = at;
		if (at == span)
			span = o->items[at - 1].own;
		else
			call = o->items[at - 1].own;
	}
}

/* Of several rows of a thread its calls are on that of their samples. */
static void place_calls(struct overlay *o, uint32_t call, uint32_t thread)
{
	for (; call; call = o->items[call - 1].own)
		o->items[call - 1].span.thread = thread;
}

static struct err *each_sample(struct overlay *o, struct capture_writer *w)
{
	const struct capture_sample *sample;
	struct capture_cursor cursor;
	struct err *err = NULL;

	find_places(o);
	capture_cursor_init(&cursor, o->c);
	while (!err && (sample = capture_cursor_next(&cursor)) != NULL) {
		struct capture_sample copy = *sample;
		uint32_t call = call_of(o, &copy);

		copy.span = copy.span <= o->old ? copy.span : 0;
		if (!w) {
			place_calls(o, call, copy.thread);
			join(o, copy.span, call);
			continue;
		}
		uint32_t in = innermost(o, copy.span, call);
		copy.span = in ? o->items[in - 1].row + 1 : 0;
		err = capture_writer_sample(w, &copy);
	}
	if (!err)
		err = capture_cursor_error(&cursor);
	capture_cursor_deinit(&cursor);
	return err;
}

/* ---- rows ------------------------------------------------------------------------------------- */

static int compare_items(const void *a, const void *b, void *data)
{
	const uint32_t *x = a, *y = b;
	const struct overlay *o = data;
	int times = compare_times(&o->items[*x].span, &o->items[*y].span);

	return times ? times : (*x > *y) - (*x < *y);
}

/* By their begins; what lies in another comes behind it, or loses it. */
static void make_rows(struct overlay *o)
{
	for (size_t i = 0; i < o->count; i++)
		o->order[i] = (uint32_t)i;
	qsort_r(o->order, o->count, sizeof(*o->order), compare_items, o);
	for (size_t i = 0; i < o->count; i++)
		o->items[o->order[i]].row = (uint32_t)i;
	for (size_t i = 0; i < o->count; i++) {
		const struct item *item = &o->items[o->order[i]];
		uint32_t parent = item->parent ? o->items[item->parent - 1].row + 1 : 0;

		o->spans[i] = item->span;
		o->spans[i].parent = parent <= i ? parent : 0;
	}
}

static void overlay_init(
	struct overlay *o, struct capture *c, const struct overlay_call *calls, size_t count)
{
	o->c = c;
	o->old = c->span_count;
	o->count = o->old + count;
	o->items = xcalloc(o->count, sizeof(*o->items));
	o->places = xcalloc(c->thread_count, sizeof(*o->places));
	o->groups = xcalloc(c->thread_count, sizeof(*o->groups));
	for (size_t i = 0; i < c->thread_count; i++)
		o->groups[i] = group_of(c, c->threads[i].tid);
	o->order = xcalloc(o->count, sizeof(*o->order));
	o->spans = xcalloc(o->count, sizeof(*o->spans));
	for (size_t i = 0; i < o->old; i++) {
		o->items[i].span = c->spans[i];
		o->items[i].own = c->spans[i].parent <= i ? c->spans[i].parent : 0;
		o->items[i].parent = o->items[i].own;
	}
	add_calls(o, calls, count);
	nest_calls(o);
}

struct err *overlay_write(struct capture *c, const struct overlay_call *calls, size_t count, int fd)
{
	// the times were rounded when they were taken
	const struct capture_writer_options options = { .exact_times = true };
	_cleanup_(overlay_deinit) struct overlay o = { 0 };
	struct capture_writer *w = NULL;

	add_threads(c, calls, count);
	overlay_init(&o, c, calls, count);
	struct err *err = each_sample(&o, NULL);
	if (err)
		return err;
	make_rows(&o);
	// the samples that are read still have the rows of before
	struct capture whole = *c;
	whole.spans = o.spans;
	whole.span_count = o.count;
	err = capture_writer_create(&w, fd, &whole, &options);
	if (err)
		return err;
	err = each_sample(&o, w);
	if (!err)
		err = capture_writer_finish(w);
	capture_writer_destroy(w);
	return err;
}

// SPDX-License-Identifier: MIT
#include "inside/span_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Samples of a span may still be under way after it was closed, but not so long. */
#define CLOSED_KEPT_NS ((uint64_t)3000000000)

struct span_entry {
	struct span_entry *next; // of its bucket
	struct span_entry *next_closed;
	struct span_entry *parent;
	span_key key;
	char *name, *text;
	uint32_t row; // CAPTURE_NONE: none yet
	pid_t tid;
	uint64_t start_ns, end_ns; // wall; end 0: it is open
	uint64_t closed_ns;        // when we heard of it
	size_t children;           // entries of which it is the parent
	bool chosen;
	uint64_t unchosen_ns;      // not any more since then; 0: it still is
};

void span_rows_init(struct span_rows *s, struct collector *collector, bool chosen_only, bool lazy)
{
	*s = (struct span_rows){
		.collector = collector,
		.chosen_only = chosen_only,
		.lazy = lazy || chosen_only,
		.buckets = xcalloc(64, sizeof(*s->buckets)),
		.bucket_mask = 63,
		.reader = span_reader_create(),
	};
	s->closed_end = &s->closed;
}

static void entry_destroy(struct span_entry *e)
{
	free(e->name);
	free(e->text);
	free(e);
}

void span_rows_deinit(struct span_rows *s)
{
	if (s->reader)
		span_reader_destroy(s->reader);
	for (size_t i = 0; s->buckets && i <= s->bucket_mask; i++) {
		struct span_entry *next;

		for (struct span_entry *e = s->buckets[i]; e; e = next) {
			next = e->next;
			entry_destroy(e);
		}
	}
	free(s->buckets);
	*s = (struct span_rows){ 0 };
}

/* ---- entries by key ----------------------------------------------------------------------------- */

static struct span_entry **bucket_of(const struct span_rows *s, span_key key)
{
	return &s->buckets[(key * 0x9e3779b97f4a7c15u >> 32) & s->bucket_mask];
}

static struct span_entry *find(const struct span_rows *s, span_key key)
{
	struct span_entry *e = key && s->buckets ? *bucket_of(s, key) : NULL;

	while (e && e->key != key)
		e = e->next;
	return e;
}

static void grow(struct span_rows *s)
{
	struct span_entry **old = s->buckets;
	size_t count = s->bucket_mask + 1;

	s->bucket_mask = count * 2 - 1;
	s->buckets = xcalloc(count * 2, sizeof(*s->buckets));
	for (size_t i = 0; i < count; i++) {
		struct span_entry *next;

		for (struct span_entry *e = old[i]; e; e = next) {
			struct span_entry **bucket = bucket_of(s, e->key);

			next = e->next;
			e->next = *bucket;
			*bucket = e;
		}
	}
	free(old);
}

static void forget(struct span_rows *s, struct span_entry *e)
{
	struct span_entry **link = bucket_of(s, e->key);

	while (*link != e)
		link = &(*link)->next;
	*link = e->next;
	s->count--;
	if (e->parent)
		e->parent->children--;
	entry_destroy(e);
}

static void append_closed(struct span_rows *s, struct span_entry *e)
{
	e->next_closed = NULL;
	*s->closed_end = e;
	s->closed_end = &e->next_closed;
}

/* Those whose samples have all been seen; who has children stays as long as they do. */
static void forget_closed(struct span_rows *s)
{
	uint64_t now = clock_now_ns();

	while (s->closed && now - s->closed->closed_ns > CLOSED_KEPT_NS) {
		struct span_entry *e = s->closed;

		s->closed = e->next_closed;
		if (!s->closed)
			s->closed_end = &s->closed;
		if (!e->children) {
			forget(s, e);
			continue;
		}
		e->closed_ns = now;
		append_closed(s, e);
	}
}

/* ---- rows --------------------------------------------------------------------------------------- */

static uint32_t thread_row(const struct span_rows *s, pid_t tid)
{
	const struct collector *c = s->collector;

	for (size_t i = 0; i < c->thread_count; i++)
		if (c->threads[i].tid == tid && c->threads[i].name)
			return c->threads[i].row;
	return CAPTURE_NONE;
}

static bool of_interest(const struct span_rows *s, const struct span_entry *e, uint64_t time_ns)
{
	if (!s->chosen_only)
		return true;
	for (; e; e = e->parent)
		if (e->chosen && (!e->unchosen_ns || time_ns <= e->unchosen_ns))
			return true;
	return false;
}

/* Its row, made if there is none; its parents' rows come first. */
static uint32_t row_of(struct span_rows *s, struct span_entry *e, uint64_t time_ns)
{
	struct capture *c = s->collector->capture;

	if (!of_interest(s, e, time_ns))
		return CAPTURE_NONE;
	if (e->row != CAPTURE_NONE)
		return e->row;
	uint32_t parent = e->parent ? row_of(s, e->parent, time_ns) : CAPTURE_NONE;
	const struct capture_span row = {
		.start_ns = e->start_ns,
		.end_ns = e->end_ns,
		.process = s->collector->process,
		.thread = thread_row(s, e->tid),
		.parent = parent == CAPTURE_NONE ? 0 : parent + 1,
		.name = capture_string(c, e->name),
		.text = capture_string(c, e->text),
	};
	e->row = capture_add_span(c, &row);
	return e->row;
}

/* ---- events ------------------------------------------------------------------------------------- */

static void opened(struct span_rows *s, const struct span_event *event)
{
	struct span_entry *e = xcalloc(1, sizeof(*e));

	*e = (struct span_entry){
		.parent = find(s, event->parent),
		.key = event->key,
		.name = xstrdup(event->name ? event->name : ""),
		.text = xstrdup(event->text ? event->text : ""),
		.row = CAPTURE_NONE,
		.tid = event->tid,
		.start_ns = clock_wall_at(&s->wall, event->time_ns),
	};
	if (e->parent)
		e->parent->children++;
	if (++s->count > s->bucket_mask)
		grow(s);
	struct span_entry **bucket = bucket_of(s, e->key);
	e->next = *bucket;
	*bucket = e;
	if (!s->lazy)
		row_of(s, e, e->start_ns);
}

static void described(struct span_rows *s, struct span_entry *e, const char *text)
{
	struct capture *c = s->collector->capture;

	free(e->text);
	e->text = xstrdup(text ? text : "");
	if (e->row != CAPTURE_NONE)
		c->spans[e->row].text = capture_string(c, e->text);
}

static void closed(struct span_rows *s, struct span_entry *e, uint64_t time_ns)
{
	if (e->end_ns)
		return;
	e->end_ns = clock_wall_at(&s->wall, time_ns);
	e->closed_ns = clock_now_ns();
	if (e->row != CAPTURE_NONE)
		s->collector->capture->spans[e->row].end_ns = e->end_ns;
	append_closed(s, e);
}

static void take_event(struct span_rows *s, const struct span_event *event)
{
	struct span_entry *e = find(s, event->key);

	if (event->type == SPAN_OPENED && !e)
		opened(s, event);
	if (!e)
		return;
	switch (event->type) {
	case SPAN_DESCRIBED:
		described(s, e, event->text);
		break;
	case SPAN_CHOSEN:
		e->chosen = true;
		e->unchosen_ns = 0;
		// chosen ones are of interest also if they were never seen at work
		if (s->chosen_only)
			row_of(s, e, e->start_ns);
		break;
	case SPAN_UNCHOSEN:
		e->unchosen_ns = clock_wall_at(&s->wall, event->time_ns);
		break;
	case SPAN_CLOSED:
		closed(s, e, event->time_ns);
		break;
	case SPAN_OPENED:
		break;
	}
}

static void read_events(struct span_rows *s)
{
	struct span_event event;

	clock_wall_at(&s->wall, clock_now_ns());
	while (s->reader && span_reader_next(s->reader, &event))
		take_event(s, &event);
}

void span_rows_update(struct span_rows *s)
{
	read_events(s);
	forget_closed(s);
}

uint32_t span_rows_of(struct span_rows *s, span_key key, const struct collected_thread *thread,
	uint64_t time_ns)
{
	struct capture *c = s->collector->capture;
	struct span_entry *e = find(s, key);

	if (!key)
		return 0;
	if (!e) {
		// opened a moment ago: it was, before its first sample
		read_events(s);
		e = find(s, key);
	}
	while (e && e->end_ns && e->end_ns < time_ns)
		e = e->parent;
	uint32_t row = e ? row_of(s, e, time_ns) : CAPTURE_NONE;
	if (row == CAPTURE_NONE)
		return 0;
	if (c->spans[row].thread == CAPTURE_NONE && thread->tid == e->tid)
		c->spans[row].thread = thread->row;
	return row + 1;
}

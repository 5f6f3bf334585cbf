// SPDX-License-Identifier: MIT
/*
 * Chrome's trace events: a list of them, or an object with one.
 *
 *	X, B E    calls of a thread: from each change of its stack to the next there is a sample
 *	b e, i I  markers: spans and moments
 *	M         names of processes and threads
 *
 * All others (counters, flows, profiles in chunks) are left out.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "import/frame_text.h"
#include "import/json_util.h"
#include "import/stack_sweep.h"

enum { KEY_COMPLETE, KEY_BEGUN }; /* of open calls */

struct edge {
	uint64_t time_ns, length_ns;
	size_t order; // in the file
	uint32_t thread;
	char phase; // X, B or E
};

/* Markers of one category and id whose end is to come: the innermost, or CAPTURE_NONE. */
struct span {
	uint64_t hash;
	uint32_t marker;
};

struct chrome {
	struct build b;
	struct weights weights;
	const struct json_value *events;
	struct edge *edges;
	size_t edge_count, edge_capacity;
	struct sweep *sweeps; // by row of threads
	size_t sweep_count;
	struct intern span_index; // of spans, by hash
	struct span *spans;
	size_t span_count, span_capacity;
	uint32_t *around; // by marker: the one with the same id that it began in
	size_t around_capacity;
};

static struct err *bad(size_t i, const char *what)
{
	return err_new(ERR_FAILED, "traceEvents[%zu]: %s", i, what);
}

static char phase_of(const struct json_value *event)
{
	struct slice phase = json_util_text(event, "ph");

	return phase.len == 1 ? *phase.text : 0;
}

static uint32_t find_thread(struct chrome *r, const struct json_value *event)
{
	uint32_t process = build_process(&r->b, json_util_u64(event, "pid"), SLICE_NONE);

	return build_thread(&r->b, process, json_util_u64(event, "tid"),
		json_util_text(event, "tid")); // some are texts
}

/* ---- names ------------------------------------------------------------------------------------ */

static void read_name(struct chrome *r, const struct json_value *event)
{
	struct slice kind = json_util_text(event, "name");
	struct slice name = json_util_text(json_value_get(event, "args"), "name");

	if (!name.len)
		return;
	if (slice_is(kind, "process_name"))
		build_process(&r->b, json_util_u64(event, "pid"), name);
	else if (slice_is(kind, "thread_name"))
		build_name_thread(&r->b, find_thread(r, event), name);
}

/* ---- markers ---------------------------------------------------------------------------------- */

static uint64_t hash_slice(struct slice s, uint64_t hash)
{
	for (size_t i = 0; i < s.len; i++)
		hash = intern_hash2(hash, (unsigned char)s.text[i]);
	return hash;
}

static uint64_t span_hash(const struct json_value *event)
{
	uint64_t hash = hash_slice(json_util_text(event, "cat"), json_util_u64(event, "id"));

	return hash_slice(
		json_util_text(event, "id"), intern_hash2(hash, json_util_u64(event, "pid")));
}

static void add_marker(struct chrome *r, const struct json_value *event, uint64_t time_ns)
{
	const struct json_value *args = json_value_get(event, "args");
	uint32_t thread = find_thread(r, event);
	struct capture_marker m = {
		.start_ns = time_ns,
		.end_ns = time_ns,
		.thread = thread,
		.process = r->b.c->threads[thread].process,
		.name = build_string(&r->b, json_util_text(event, "name")),
		.text = build_string(&r->b, json_util_text(args, "detail")),
	};

	capture_add_marker(r->b.c, &m);
}

/* The row for a hash; NULL if there is none. */
static struct span *find_span(const struct chrome *r, uint64_t hash)
{
	for (struct intern_probe p = intern_begin(&r->span_index, hash);
		intern_next(&r->span_index, &p);)
		if (r->spans[p.row].hash == hash)
			return &r->spans[p.row];
	return NULL;
}

/* `b`: the marker that was added last */
static void begin_span(struct chrome *r, uint64_t hash)
{
	uint32_t marker = (uint32_t)(r->b.c->marker_count - 1);
	struct span *span = find_span(r, hash);

	if (!span) {
		array_reserve(r->spans, r->span_capacity, r->span_count + 1);
		span = &r->spans[r->span_count];
		*span = (struct span){ hash, CAPTURE_NONE };
		intern_add(&r->span_index, hash, (uint32_t)r->span_count++);
	}
	array_reserve(r->around, r->around_capacity, (size_t)marker + 1);
	r->around[marker] = span->marker;
	span->marker = marker;
}

/* `e`: of the innermost one; what began before the trace has none. */
static void end_span(struct chrome *r, uint64_t hash, uint64_t time_ns)
{
	struct span *span = find_span(r, hash);

	if (!span || span->marker == CAPTURE_NONE)
		return;
	struct capture_marker *m = &r->b.c->markers[span->marker];
	if (time_ns > m->start_ns)
		m->end_ns = time_ns;
	span->marker = r->around[span->marker];
}

static void read_marker(
	struct chrome *r, const struct json_value *event, char phase, uint64_t time_ns)
{
	if (phase == 'e') {
		end_span(r, span_hash(event), time_ns);
		return;
	}
	add_marker(r, event, time_ns);
	if (phase == 'b')
		begin_span(r, span_hash(event));
}

/* ---- calls ------------------------------------------------------------------------------------ */

static struct err *read_event(struct chrome *r, size_t i)
{
	const struct json_value *event = json_value_at(r->events, i);
	char phase = phase_of(event);
	struct edge edge = { .phase = phase, .order = i };

	if (!json_value_is_object(event))
		return bad(i, "it is no event");
	if (phase == 'M')
		read_name(r, event);
	if (!phase || !strchr("XBEbeiI", phase))
		return NULL;
	if (!weights_ns(json_util_number(event, "ts", -1), 1000, &edge.time_ns))
		return bad(i, "it has no time, or none that makes sense");
	if (strchr("beiI", phase)) {
		read_marker(r, event, phase, edge.time_ns);
		return NULL;
	}
	if (!weights_ns(json_util_number(event, "dur", 0), 1000, &edge.length_ns))
		return bad(i, "its length makes no sense");
	edge.thread = find_thread(r, event);
	array_reserve(r->edges, r->edge_capacity, r->edge_count + 1);
	r->edges[r->edge_count++] = edge;
	return NULL;
}

/* Longer calls are around shorter ones that begin at the same time. */
static int compare_edges(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	if ((x->phase == 'X') != (y->phase == 'X'))
		return x->phase == 'X' ? 1 : -1;
	if (x->phase == 'X' && x->length_ns != y->length_ns)
		return x->length_ns > y->length_ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Whether fireglass says so: then a line in the name is the function's first. */
static bool is_own(struct slice category)
{
	static const char *const own[] = { "own", "package", "stdlib" };

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (slice_is(category, own[i]))
			return true;
	return false;
}

static frame_id make_frame(struct chrome *r, const struct json_value *event)
{
	const struct json_value *args = json_value_get(event, "args");
	struct slice name = json_util_text(event, "name");
	struct build_frame f = frame_text_parse(name);

	if (json_util_text(args, "filename").len) { // py-spy
		f = (struct build_frame){ .name = name, .file = json_util_text(args, "filename") };
		f.line = json_util_u64(args, "line");
	} else if (is_own(json_util_text(event, "cat"))) {
		f.first_line = f.line;
		f.line = 0;
	}
	return build_frame(&r->b, &f);
}

static struct err *apply_edge(struct chrome *r, const struct edge *e)
{
	struct sweep *sweep = &r->sweeps[e->thread];
	struct profile *tables = &r->b.c->tables;
	const struct json_value *event = json_value_at(r->events, e->order);
	bool complete = e->phase == 'X';

	sweep_advance(sweep, &r->weights, e->time_ns);
	if (e->phase == 'E') {
		sweep_close(sweep, KEY_BEGUN); // what began before the trace has no begin
		return NULL;
	}
	if (!sweep_open(sweep, tables, make_frame(r, event), complete ? KEY_COMPLETE : KEY_BEGUN,
		    complete ? e->time_ns + e->length_ns : UINT64_MAX))
		return bad(e->order, "too many calls are open");
	return NULL;
}

/* Calls without an end are taken to the last time that is known of the thread. */
static void finish_sweep(struct chrome *r, struct sweep *sweep)
{
	while (sweep->depth) {
		uint64_t end_ns = sweep->calls[sweep->depth - 1].end_ns;

		if (end_ns == UINT64_MAX)
			sweep->depth--;
		else
			sweep_advance(sweep, &r->weights, end_ns);
	}
}

static struct err *sweep_all(struct chrome *r)
{
	struct err *err = NULL;

	r->sweep_count = r->b.c->thread_count;
	r->sweeps = xcalloc(r->sweep_count, sizeof(*r->sweeps));
	for (size_t i = 0; i < r->sweep_count; i++)
		r->sweeps[i].thread = (uint32_t)i;
	if (r->edge_count)
		qsort(r->edges, r->edge_count, sizeof(*r->edges), compare_edges);
	for (size_t i = 0; !err && i < r->edge_count; i++)
		err = apply_edge(r, &r->edges[i]);
	for (size_t i = 0; !err && i < r->sweep_count; i++)
		finish_sweep(r, &r->sweeps[i]);
	return err;
}

/* ---- the file --------------------------------------------------------------------------------- */

static struct err *read_all(struct chrome *r)
{
	struct err *err = NULL;

	if (!json_value_is_array(r->events))
		return err_new(ERR_FAILED, "it has no list of events");
	for (size_t i = 0; !err && i < json_value_count(r->events); i++)
		err = read_event(r, i);
	if (!err)
		err = sweep_all(r);
	if (err)
		return err;
	capture_set_fact(r->b.c, FACT_CLOCK, "of the trace");
	weights_finish(&r->weights, &r->b);
	return build_finish(&r->b);
}

static struct err *chrome_read(const struct import_input *in, struct capture *c)
{
	struct chrome r = { 0 };
	struct json_doc *doc;
	struct err *err = json_doc_parse(&doc, in->data, in->len);

	if (err)
		return err;
	r.events = json_doc_root(doc);
	if (json_value_is_object(r.events))
		r.events = json_value_get(r.events, "traceEvents");
	build_init(&r.b, c, "chrome");
	err = read_all(&r);
	json_doc_destroy(doc);
	for (size_t i = 0; i < r.sweep_count; i++)
		sweep_deinit(&r.sweeps[i]);
	free(r.sweeps);
	free(r.edges);
	intern_deinit(&r.span_index);
	free(r.spans);
	free(r.around);
	weights_deinit(&r.weights);
	build_deinit(&r.b);
	return err;
}

static bool chrome_sniff(const char *data, size_t len)
{
	char first = json_util_first(data, len);

	return (first == '{' && json_util_mentions(data, len, "traceEvents")) ||
		(first == '[' && json_util_mentions(data, len, "ph"));
}

const struct importer import_chrome = {
	.name = "chrome",
	.summary = "Chrome's trace events",
	.sniff = chrome_sniff,
	.read = chrome_read,
};

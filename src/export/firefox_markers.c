// SPDX-License-Identifier: MIT
/*
 * Markers of a thread: those of the capture, its spans, further ones made of the flags of samples that follow each
 * other, and what could not be had, the latter at the profile's first thread. They are made anew for
 * each column of the table.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "export/firefox.h"

#define NOWHERE UINT32_MAX

/* Types of markers: each has a schema. */
enum type {
	TYPE_MARK,
	TYPE_SPAN,
	TYPE_GC,
	TYPE_GIL_WAIT,
	TYPE_LOST,
};

static const struct {
	const char *type;  // the schema's name
	const char *table; // what a table shows of it
	const char *description;
	enum firefox_category category;
} types[] = {
	[TYPE_MARK] = { "mark", "{marker.data.text}", "A marker of the recording", FIREFOX_OTHER },
	[TYPE_SPAN] = { "span", "{marker.data.text}", "What the program was working on",
		FIREFOX_OTHER },
	[TYPE_GC] = { "python-gc", "", "Samples in which the thread was collecting garbage",
		FIREFOX_GC },
	[TYPE_GIL_WAIT] = { "python-gil-wait", "",
		"Samples in which the thread waited for the global interpreter lock",
		FIREFOX_GIL_WAIT },
	[TYPE_LOST] = { "lost", "{marker.data.text}", "Samples that could not be had",
		FIREFOX_OTHER },
};

static const struct {
	uint8_t flag;
	const char *name; // not made of samples if the capture has markers of this name
	enum type type;
} spans[] = {
	{ SAMPLE_IN_GC, "GC", TYPE_GC },
	{ SAMPLE_WAITS_FOR_GIL, "GIL wait", TYPE_GIL_WAIT },
};

static const char *const losses[] = {
	[LOSS_MISSED] = "ticks missed",
	[LOSS_ROOM] = "samples lost: no room",
	[LOSS_SPACE] = "samples lost: disk full",
};

/* ---- which markers belong where ---------------------------------------------------------------- */

static bool has_marker(const struct capture *c, const char *name)
{
	for (size_t i = 0; i < c->marker_count; i++)
		if (strcmp(capture_text(c, c->markers[i].name), name) == 0)
			return true;
	return false;
}

static bool is_selected(const struct firefox *w, uint64_t start_ns, uint64_t end_ns)
{
	const struct selection *s = view_selection(w->view);

	return end_ns >= s->from_ns && (!s->to_ns || start_ns < s->to_ns);
}

/* Places in the profile: of threads, and of the thread that stands for a process. */
struct places {
	uint32_t *threads, *processes;
};

static void places_init(struct places *places, const struct firefox *w)
{
	const struct capture *c = view_capture(w->view);

	places->threads = xcalloc(c->thread_count, sizeof(*places->threads));
	places->processes = xcalloc(c->process_count, sizeof(*places->processes));
	memset(places->threads, 0xff, c->thread_count * sizeof(*places->threads));
	memset(places->processes, 0xff, c->process_count * sizeof(*places->processes));
	for (uint32_t i = 0; i < w->thread_count; i++) {
		if (w->threads[i] >= c->thread_count)
			continue;
		const struct capture_thread *t = &c->threads[w->threads[i]];

		places->threads[w->threads[i]] = i;
		if (t->process < c->process_count &&
			(t->main || places->processes[t->process] == NOWHERE))
			places->processes[t->process] = i;
	}
}

static void places_deinit(struct places *places)
{
	free(places->threads);
	free(places->processes);
}

/* `i`: of the markers of the capture, which its spans follow. */
static uint32_t place_of(const struct firefox *w, const struct places *places, size_t i)
{
	const struct capture *c = view_capture(w->view);
	bool is_span = i >= c->marker_count;
	const struct capture_marker *m = is_span ? NULL : &c->markers[i];
	const struct capture_span *s = is_span ? &c->spans[i - c->marker_count] : NULL;
	uint32_t thread = is_span ? s->thread : m->thread;
	uint32_t process = is_span ? s->process : m->process;

	if (is_span ? !view_shows_span(w->view, (uint32_t)(i - c->marker_count))
		    : !is_selected(w, m->start_ns, m->end_ns))
		return NOWHERE;
	if (thread < c->thread_count)
		return places->threads[thread];
	return process < c->process_count ? places->processes[process] : 0;
}

/* Sorts by place: counts, then begins, then fills. */
static void sort_markers(struct firefox *w, const struct places *places)
{
	const struct capture *c = view_capture(w->view);
	_cleanup_free_ size_t *filled = xcalloc(w->thread_count + 1, sizeof(*filled));

	for (size_t i = 0; i < c->marker_count + c->span_count; i++) {
		uint32_t place = place_of(w, places, i);

		if (place != NOWHERE)
			w->marker_begin[place + 1]++;
	}
	for (size_t i = 0; i < w->thread_count; i++) {
		w->marker_begin[i + 1] += w->marker_begin[i];
		filled[i] = w->marker_begin[i];
	}
	for (size_t i = 0; i < c->marker_count + c->span_count; i++) {
		uint32_t place = place_of(w, places, i);

		if (place != NOWHERE)
			w->markers[filled[place]++] = (uint32_t)i;
	}
}

void firefox_markers_init(struct firefox *w)
{
	const struct capture *c = view_capture(w->view);
	_cleanup_(places_deinit) struct places places;

	places_init(&places, w);
	w->marker_begin = xcalloc(w->thread_count + 1, sizeof(*w->marker_begin));
	w->markers = xcalloc(c->marker_count + c->span_count, sizeof(*w->markers));
	sort_markers(w, &places);
	for (size_t i = 0; i < ARRAY_LEN(spans); i++)
		if (!has_marker(c, spans[i].name))
			w->spans |= spans[i].flag;
}

/* ---- one after the other ---------------------------------------------------------------------- */

struct marker {
	uint64_t begin_ns, end_ns; // from the profile's start
	const char *name;
	enum type type;
	const char *text; // of TYPE_MARK and TYPE_SPAN
	uint64_t lost;    // of TYPE_LOST
};

struct markers {
	const struct firefox *w;
	size_t place;      // of the thread in the profile
	size_t at, loss;   // next of the capture's
	struct spool_reader samples;
	size_t span;       // of `spans`, to be looked at in the sample
	uint8_t now, open; // flags of the sample, and those of which spans are open
	uint64_t now_ns, begin_ns[ARRAY_LEN(spans)];
	bool ended;
};

static void markers_begin(struct markers *m, const struct firefox *w, size_t place)
{
	*m = (struct markers){
		.w = w,
		.place = place,
		.at = w->marker_begin[place],
		.span = ARRAY_LEN(spans),
	};
	spool_reader_init(&m->samples, w->spool, w->threads[place]);
}

static struct err *markers_end(struct markers *m)
{
	struct err *err = spool_reader_error(&m->samples);

	spool_reader_deinit(&m->samples);
	return err;
}

static struct marker marker_of_span(const struct firefox *w, const struct capture_span *s)
{
	const struct capture *c = view_capture(w->view);
	uint64_t end_ns = s->end_ns ? s->end_ns : capture_last_ns(c) + view_period_ns(w->view);

	return (struct marker){
		.begin_ns = sample_clock_from_origin(&w->clock, s->start_ns),
		.end_ns = sample_clock_from_origin(&w->clock, end_ns),
		.name = capture_text(c, s->name),
		.type = TYPE_SPAN,
		.text = capture_text(c, s->text),
	};
}

static bool next_of_capture(struct markers *m, struct marker *ret)
{
	const struct capture *c = view_capture(m->w->view);

	if (m->at == m->w->marker_begin[m->place + 1])
		return false;
	uint32_t row = m->w->markers[m->at++];
	if (row >= c->marker_count) {
		*ret = marker_of_span(m->w, &c->spans[row - c->marker_count]);
		return true;
	}
	const struct capture_marker *marker = &c->markers[row];
	*ret = (struct marker){
		.begin_ns = sample_clock_from_origin(&m->w->clock, marker->start_ns),
		.end_ns = sample_clock_from_origin(&m->w->clock, marker->end_ns),
		.name = capture_text(c, marker->name),
		.type = TYPE_MARK,
		.text = capture_text(c, marker->text),
	};
	return true;
}

/* Goes to the next sample; after the last one, to where that ends. */
static bool next_flags(struct markers *m)
{
	const struct spool_sample *s = spool_reader_next(&m->samples);
	uint32_t thread = m->w->threads[m->place];

	if (!s && m->ended)
		return false;
	m->span = 0;
	m->now = 0;
	if (s) {
		m->now = s->flags & m->w->spans;
		m->now_ns = s->time_ns;
		return true;
	}
	m->ended = true;
	if (thread_spool_count(m->w->spool, thread))
		m->now_ns = sample_clock_end(&m->w->clock, thread);
	return true;
}

static bool next_of_samples(struct markers *m, struct marker *ret)
{
	while (m->span < ARRAY_LEN(spans) || next_flags(m)) {
		size_t i = m->span++;
		uint8_t flag = spans[i].flag;

		if ((m->now & flag) == (m->open & flag))
			continue;
		m->open ^= flag;
		if (m->now & flag) {
			m->begin_ns[i] = m->now_ns;
			continue;
		}
		*ret = (struct marker){
			.begin_ns = m->begin_ns[i],
			.end_ns = m->now_ns,
			.name = spans[i].name,
			.type = spans[i].type,
		};
		return true;
	}
	return false;
}

static bool next_of_losses(struct markers *m, struct marker *ret)
{
	const struct capture *c = view_capture(m->w->view);

	if (m->place != 0)
		return false;
	while (m->loss < c->loss_count) {
		const struct capture_loss *loss = &c->losses[m->loss++];

		if (!is_selected(m->w, loss->time_ns, loss->time_ns))
			continue;
		*ret = (struct marker){
			.begin_ns = sample_clock_from_origin(&m->w->clock, loss->time_ns),
			.end_ns = sample_clock_from_origin(&m->w->clock, loss->time_ns),
			.name = losses[loss->kind],
			.type = TYPE_LOST,
			.lost = loss->count,
		};
		return true;
	}
	return false;
}

static bool markers_next(struct markers *m, struct marker *ret)
{
	return next_of_capture(m, ret) || next_of_samples(m, ret) || next_of_losses(m, ret);
}

/* ---- columns ---------------------------------------------------------------------------------- */

typedef void put_value(struct firefox *w, const struct marker *m);

static bool is_moment(const struct marker *m)
{
	return m->end_ns <= m->begin_ns;
}

static void put_data(struct firefox *w, const struct marker *m)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, m->lost);
	json_begin_object(&w->json);
	json_key(&w->json, "type");
	json_cstring(&w->json, types[m->type].type);
	if (*types[m->type].table) {
		json_key(&w->json, "text");
		json_cstring(&w->json, m->type == TYPE_LOST ? digits : m->text);
	}
	json_end_object(&w->json);
}

static void put_name(struct firefox *w, const struct marker *m)
{
	json_u64(&w->json, profile_string(&w->tables.strings, m->name, strlen(m->name)));
}

static void put_begin(struct firefox *w, const struct marker *m)
{
	json_thousandths(&w->json, m->begin_ns / 1000);
}

static void put_end(struct firefox *w, const struct marker *m)
{
	if (is_moment(m))
		json_null(&w->json);
	else
		json_thousandths(&w->json, m->end_ns / 1000);
}

static void put_phase(struct firefox *w, const struct marker *m)
{
	json_u64(&w->json, is_moment(m) ? 0 : 1);
}

static void put_category(struct firefox *w, const struct marker *m)
{
	json_u64(&w->json, types[m->type].category);
}

static struct err *put_column(
	struct firefox *w, size_t place, const char *key, put_value *put, size_t *count)
{
	struct markers markers;
	struct marker m;

	*count = 0;
	json_key(&w->json, key);
	json_begin_array(&w->json);
	for (markers_begin(&markers, w, place); markers_next(&markers, &m); ++*count)
		put(w, &m);
	json_end_array(&w->json);
	return markers_end(&markers);
}

struct err *firefox_markers_put(struct firefox *w, size_t i)
{
	static const struct {
		const char *key;
		put_value *put;
	} columns[] = {
		{ "data", put_data },
		{ "name", put_name },
		{ "startTime", put_begin },
		{ "endTime", put_end },
		{ "phase", put_phase },
		{ "category", put_category },
	};
	struct err *err = NULL;
	size_t count = 0;

	json_begin_object(&w->json);
	for (size_t k = 0; k < ARRAY_LEN(columns) && !err; k++)
		err = put_column(w, i, columns[k].key, columns[k].put, &count);
	json_key(&w->json, "length");
	json_u64(&w->json, count);
	json_end_object(&w->json);
	return err;
}

/* ---- schema ----------------------------------------------------------------------------------- */

static void put_text_field(struct json_writer *json)
{
	json_begin_object(json);
	json_member_cstring(json, "key", "text");
	json_member_cstring(json, "label", "Details");
	json_member_cstring(json, "format", "string");
	json_end_object(json);
}

void firefox_markers_put_schema(struct firefox *w)
{
	static const char *const places[] = { "marker-chart", "marker-table", "timeline-overview" };
	struct json_writer *json = &w->json;

	json_begin_array(json);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (i == TYPE_SPAN && !view_capture(w->view)->span_count)
			continue;
		json_begin_object(json);
		json_member_cstring(json, "name", types[i].type);
		json_member_cstring(json, "tooltipLabel", "{marker.name}");
		json_member_cstring(
			json, "tableLabel", *types[i].table ? types[i].table : "{marker.name}");
		json_member_cstring(json, "chartLabel", "{marker.name}");
		json_member_cstring(json, "description", types[i].description);
		json_key(json, "display");
		json_begin_array(json);
		for (size_t k = 0; k < ARRAY_LEN(places); k++)
			json_cstring(json, places[k]);
		json_end_array(json);
		json_key(json, "fields");
		json_begin_array(json);
		if (*types[i].table)
			put_text_field(json);
		json_end_array(json);
		json_end_object(json);
	}
	json_end_array(json);
}

// SPDX-License-Identifier: MIT
#include "store/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/gcd.h"
#include "store/transfer.h"

struct source {
	struct merge_input input;
	struct transfer transfer;
	uint32_t first_process, first_thread; // its rows in the merged tables begin there,
	uint32_t first_span;                  // as do these
	uint64_t scale;                       // of counts
	struct capture_cursor cursor;
	const struct capture_sample *next; // NULL: at its end
};

struct merge {
	struct capture *into;
	struct source *sources;
	size_t count;
	struct capture_sample sample;
	struct err *err;
};

static uint64_t shifted(const struct source *s, uint64_t ns)
{
	int64_t offset = s->input.offset_ns;

	if (!ns) // not known stays so
		return 0;
	if (offset < 0)
		return ns > (uint64_t)-offset ? ns - (uint64_t)-offset : 1;
	return ns + (uint64_t)offset;
}

/* ---- rows ------------------------------------------------------------------------------------- */

static void add_processes(struct merge *m, struct source *s)
{
	const struct capture *c = s->input.capture;

	s->first_process = (uint32_t)m->into->process_count;
	for (size_t i = 0; i < c->process_count; i++) {
		struct capture_process p = c->processes[i];

		p.name = transfer_string(&s->transfer, p.name);
		p.command = transfer_string(&s->transfer, p.command);
		p.start_ns = shifted(s, p.start_ns);
		p.end_ns = shifted(s, p.end_ns);
		capture_add_process(m->into, &p);
	}
}

static void add_threads(struct merge *m, struct source *s)
{
	const struct capture *c = s->input.capture;

	s->first_thread = (uint32_t)m->into->thread_count;
	for (size_t i = 0; i < c->thread_count; i++) {
		struct capture_thread t = c->threads[i];

		if (t.process != CAPTURE_NONE)
			t.process += s->first_process;
		t.name = transfer_string(&s->transfer, t.name);
		t.start_ns = shifted(s, t.start_ns);
		t.end_ns = shifted(s, t.end_ns);
		capture_add_thread(m->into, &t);
	}
}

static void add_markers(struct merge *m, struct source *s)
{
	const struct capture *c = s->input.capture;

	for (size_t i = 0; i < c->marker_count; i++) {
		struct capture_marker marker = c->markers[i];

		marker.start_ns = shifted(s, marker.start_ns);
		marker.end_ns = shifted(s, marker.end_ns);
		if (marker.thread != CAPTURE_NONE)
			marker.thread += s->first_thread;
		if (marker.process != CAPTURE_NONE)
			marker.process += s->first_process;
		marker.name = transfer_string(&s->transfer, marker.name);
		marker.text = transfer_string(&s->transfer, marker.text);
		capture_add_marker(m->into, &marker);
	}
}

static void add_spans(struct merge *m, struct source *s)
{
	const struct capture *c = s->input.capture;

	s->first_span = (uint32_t)m->into->span_count;
	for (size_t i = 0; i < c->span_count; i++) {
		struct capture_span span = c->spans[i];

		span.start_ns = shifted(s, span.start_ns);
		span.end_ns = shifted(s, span.end_ns);
		span.process += s->first_process;
		if (span.thread != CAPTURE_NONE)
			span.thread += s->first_thread;
		if (span.parent)
			span.parent += s->first_span;
		span.name = transfer_string(&s->transfer, span.name);
		span.text = transfer_string(&s->transfer, span.text);
		capture_add_span(m->into, &span);
	}
}

static void add_losses(struct merge *m, struct source *s)
{
	const struct capture *c = s->input.capture;

	for (size_t i = 0; i < c->loss_count; i++) {
		struct capture_loss loss = c->losses[i];

		loss.time_ns = shifted(s, loss.time_ns);
		loss.count *= s->scale;
		capture_add_loss(m->into, &loss);
	}
}

/* All stacks, so that the tables are complete before the first sample is asked for. */
static void add_stacks(struct source *s)
{
	for (size_t i = 0; i < s->input.capture->tables.stack_count; i++)
		transfer_stack(&s->transfer, (stack_id)i);
}

/* ---- facts ------------------------------------------------------------------------------------ */

static void merge_period(struct merge *m)
{
	uint64_t period = 0;
	bool all = true;

	for (size_t i = 0; i < m->count; i++) {
		uint64_t own = capture_fact_u64(m->sources[i].input.capture, FACT_PERIOD_NS, 0);

		period = gcd(period, own);
		all &= own > 0;
	}
	for (size_t i = 0; i < m->count; i++) {
		uint64_t own = capture_fact_u64(m->sources[i].input.capture, FACT_PERIOD_NS, 0);

		m->sources[i].scale = all && period ? own / period : 1;
	}
	if (all && period)
		capture_set_fact_u64(m->into, FACT_PERIOD_NS, period);
}

static void merge_span(struct merge *m)
{
	uint64_t start = UINT64_MAX, end = 0;
	bool ended = true;

	for (size_t i = 0; i < m->count; i++) {
		const struct source *s = &m->sources[i];
		uint64_t from = shifted(s, capture_fact_u64(s->input.capture, FACT_START_NS, 0));
		uint64_t to = shifted(s, capture_fact_u64(s->input.capture, FACT_END_NS, 0));

		if (from && from < start)
			start = from;
		if (to > end)
			end = to;
		ended &= to > 0;
	}
	if (start != UINT64_MAX)
		capture_set_fact_u64(m->into, FACT_START_NS, start);
	if (ended)
		capture_set_fact_u64(m->into, FACT_END_NS, end);
}

static bool adds_up(const char *key)
{
	return strcmp(key, FACT_TICKS) == 0 || strncmp(key, FACT_RUNG, strlen(FACT_RUNG)) == 0;
}

static bool is_merged(const char *key)
{
	return strcmp(key, FACT_PERIOD_NS) == 0 || strcmp(key, FACT_START_NS) == 0 ||
		strcmp(key, FACT_END_NS) == 0;
}

static bool all_alike(const struct merge *m, const char *key, const char *value)
{
	for (size_t i = 0; i < m->count; i++) {
		const char *other = capture_fact(m->sources[i].input.capture, key);

		if (!other || strcmp(other, value) != 0)
			return false;
	}
	return true;
}

static void keep_fact(struct merge *m, size_t i, const char *key, const char *value)
{
	_cleanup_free_ char *own = xasprintf("input.%zu.%s", i + 1, key);
	uint64_t number = capture_fact_u64(m->sources[i].input.capture, key, 0);

	if (adds_up(key))
		capture_set_fact_u64(m->into, key, capture_fact_u64(m->into, key, 0) + number);
	if (!adds_up(key) && !is_merged(key) && all_alike(m, key, value))
		capture_set_fact(m->into, key, value);
	else
		capture_set_fact(m->into, own, value);
}

static void merge_facts(struct merge *m)
{
	merge_span(m);
	for (size_t i = 0; i < m->count; i++) {
		const struct capture *c = m->sources[i].input.capture;
		_cleanup_free_ char *key = xasprintf("input.%zu.name", i + 1);

		capture_set_fact(m->into, key, m->sources[i].input.name);
		for (size_t j = 0; j < c->fact_count; j++)
			keep_fact(m, i, capture_text(c, c->facts[j].key),
				capture_text(c, c->facts[j].value));
	}
}

/* ---- samples ---------------------------------------------------------------------------------- */

static void advance(struct merge *m, struct source *s)
{
	s->next = capture_cursor_next(&s->cursor);
	if (!s->next && !m->err)
		m->err = capture_cursor_error(&s->cursor);
}

struct merge *merge_create(struct capture *into, const struct merge_input *inputs, size_t count)
{
	struct merge *m = xcalloc(1, sizeof(*m));

	m->into = into;
	m->count = count;
	m->sources = xcalloc(count, sizeof(*m->sources));
	for (size_t i = 0; i < count; i++) {
		m->sources[i].input = inputs[i];
		m->sources[i].transfer = (struct transfer){ .from = &inputs[i].capture->tables,
			.to = &into->tables };
	}
	merge_period(m);
	merge_facts(m);
	for (size_t i = 0; i < count; i++) {
		struct source *s = &m->sources[i];

		add_processes(m, s);
		add_threads(m, s);
		add_markers(m, s);
		add_spans(m, s);
		add_losses(m, s);
		add_stacks(s);
		capture_cursor_init(&s->cursor, s->input.capture);
		advance(m, s);
	}
	return m;
}

void merge_destroy(struct merge *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->count; i++) {
		capture_cursor_deinit(&m->sources[i].cursor);
		transfer_deinit(&m->sources[i].transfer);
	}
	err_free(m->err);
	free(m->sources);
	free(m);
}

/* Few inputs: a look at each one's next sample. Of equal times the first input's comes first. */
static struct source *earliest(struct merge *m)
{
	struct source *best = NULL;
	uint64_t best_ns = 0;

	for (size_t i = 0; i < m->count; i++) {
		struct source *s = &m->sources[i];

		if (!s->next)
			continue;
		uint64_t ns = shifted(s, s->next->time_ns);
		if (!best || ns < best_ns) {
			best = s;
			best_ns = ns;
		}
	}
	return best;
}

const struct capture_sample *merge_next(struct merge *m)
{
	struct source *s = m->err ? NULL : earliest(m);

	if (!s)
		return NULL;
	m->sample = *s->next;
	m->sample.time_ns = shifted(s, s->next->time_ns);
	m->sample.count *= s->scale;
	m->sample.thread += s->first_thread;
	if (m->sample.span)
		m->sample.span += s->first_span;
	m->sample.stack = transfer_stack(&s->transfer, s->next->stack);
	advance(m, s);
	return &m->sample;
}

struct err *merge_end(struct merge *m)
{
	struct err *err = m->err;

	m->err = NULL;
	return err;
}

// SPDX-License-Identifier: MIT
#include "cmd/top_model.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cmd/top_parts.h"

#define NOTICE_NS ((uint64_t)8 * NS_PER_SEC)

/* ---- samples ---------------------------------------------------------------------------------- */

static struct top_model *model_of(struct sample_sink *sink)
{
	return (struct top_model *)(void *)((char *)sink - offsetof(struct top_model, sink));
}

static void begin(struct top_model *m, const struct capture_sample *first)
{
	m->began_ns = clock_now_ns();
	m->began_wall_ns = first->time_ns;
}

static void take(struct sample_sink *sink, const struct sample *sample)
{
	struct top_model *m = model_of(sink);
	const struct capture_sample *row = &sample->row;

	m->next->sample(m->next, sample);
	if (!m->began_ns)
		begin(m, row);
	m->samples++;
	m->failed += (row->flags & SAMPLE_UNREADABLE) != 0;
	m->truncated += (row->flags & SAMPLE_CUT) != 0;
	array_reserve(m->threads, m->thread_capacity, row->thread + 1u);
	for (; m->thread_count <= row->thread; m->thread_count++)
		m->threads[m->thread_count] = (struct top_thread){ 0 };
	m->threads[row->thread].last = *row;
	m->threads[row->thread].samples++;
	// threads are not quite in order; the clock may have been set back
	if (row->time_ns > m->newest_ns || row->time_ns + NS_PER_SEC < m->newest_ns)
		m->newest_ns = row->time_ns;
	window_sample(m->window, row);
}

static void drained(struct sample_sink *sink)
{
	struct top_model *m = model_of(sink);

	if (m->next->drained)
		m->next->drained(m->next);
}

/* ---- life ------------------------------------------------------------------------------------- */

void top_model_init(struct top_model *m)
{
	struct profile *tables = &m->capture->tables;

	m->sink = (struct sample_sink){ .sample = take, .drained = drained };
	m->window = window_create(m->capture, TOP_WINDOW_MAX_NS);
	m->parts = xcalloc(1, sizeof(*m->parts));
	m->parts->no_frame = profile_plain_frame(tables, FUNCTION_MARK, "(no Python frame)");
	m->parts->unreadable = profile_plain_frame(tables, FUNCTION_MARK, "(not readable)");
	m->parts->truncated = profile_plain_frame(tables, FUNCTION_MARK, "(truncated)");
	m->second_ns = clock_now_ns();
	m->own_cpu_ns = clock_process_cpu_ns();
}

static void parts_destroy(struct top_parts *parts)
{
	if (!parts)
		return;
	free(parts->stacks);
	free(parts->threads);
	free(parts->rows);
	top_tallies_deinit(&parts->places);
	top_tallies_deinit(&parts->tallies);
	top_tree_deinit(&parts->tree);
	top_source_deinit(&parts->source);
	top_filter_deinit(&parts->filter);
	buf_deinit(&parts->text);
	free(parts);
}

void top_model_deinit(struct top_model *m)
{
	window_destroy(m->window);
	parts_destroy(m->parts);
	free(m->groups.items);
	free(m->groups.threads);
	intern_deinit(&m->groups.index);
	free(m->threads);
	free(m->processes);
	free(m->how);
	free(m->notice);
}

void top_model_turn(struct top_model *m, uint64_t now_ns)
{
	top_head_second(m, now_ns);
	if (m->output)
		top_output_turn(m->output, now_ns);
}

void top_model_reset(struct top_model *m)
{
	window_reset(m->window);
	m->samples = m->failed = m->truncated = 0;
	m->losses = top_head_losses(m->capture);
	m->began_ns = m->began_wall_ns = 0;
	m->groups.taken = false;
	m->cpu_history.count = m->gil_history.count = 0;
	m->gc_history.count = m->rss_history.count = 0;
}

void top_model_pause(struct top_model *m, bool paused)
{
	uint64_t now = clock_wall_ns();

	if (paused && !m->paused_since_ns) {
		m->pauses[m->pause_count++ % TOP_PAUSES] = (struct top_pause){ .from_ns = now };
		m->paused_since_ns = now;
	} else if (!paused && m->paused_since_ns) {
		m->pauses[(m->pause_count - 1) % TOP_PAUSES].to_ns = now;
		m->paused_since_ns = 0;
	}
}

void top_model_end(struct top_model *m, const char *how)
{
	m->over_ns = clock_now_ns();
	m->cpu = m->rate = 0;
	m->alive = 0;
	free(m->how);
	m->how = xstrdup(how);
}

void top_model_notice(struct top_model *m, const char *text)
{
	free(m->notice);
	m->notice = xstrdup(text);
	m->notice_until_ns = clock_now_ns() + NOTICE_NS;
}

/* ---- frames ----------------------------------------------------------------------------------- */

uint64_t top_model_now_ns(const struct top_model *m)
{
	if (m->over_ns)
		return m->newest_ns;
	return m->paused_since_ns ? m->paused_since_ns : clock_wall_ns();
}

static void fill_output(struct top_model *m, struct top_frame *frame)
{
	struct top_parts *parts = m->parts;

	if (!m->output) {
		frame->source_note = "it was started by others: what it writes is not seen here";
		return;
	}
	top_output_read(m->output);
	size_t count = m->output->count, skip = count > TOP_ROWS_MAX ? count - TOP_ROWS_MAX : 0;
	for (size_t i = skip; i < count; i++) {
		const struct top_output_line *line = top_output_line(m->output, i);

		if (!top_filter_matches(parts, line->text, NULL, NULL, 0))
			continue;
		*top_add_row(parts) =
			(struct top_row){ .key = line->number + 1, .name = line->text };
	}
	frame->source_file = m->output->path;
}

static void fill_rows(struct top_model *m, const struct top_query *query, struct top_frame *frame)
{
	switch (query->view) {
	case TOP_FUNCTIONS:
		top_rows_functions(m, query);
		break;
	case TOP_LINES:
		top_rows_lines(m, query);
		break;
	case TOP_THREADS:
		top_rows_threads(m, query);
		break;
	case TOP_TREE:
		top_tree_fill(m, query);
		break;
	case TOP_SOURCE:
		top_source_fill(m, query, frame);
		break;
	case TOP_OUTPUT:
		fill_output(m, frame);
		break;
	case TOP_VIEWS:
		break;
	}
}

/* Lists that have an order are sorted by now; what is too much is cut. */
static void hand_out_rows(struct top_model *m, struct top_frame *frame)
{
	struct top_parts *parts = m->parts;

	frame->rows = parts->rows;
	frame->count = parts->row_count < TOP_ROWS_MAX ? parts->row_count : TOP_ROWS_MAX;
	frame->more += parts->row_count - frame->count;
}

static void set_notice(struct top_model *m, struct top_frame *frame)
{
	const struct top_filter *f = &m->parts->filter;

	frame->filter_bad = f->error != NULL;
	if (!f->error)
		return;
	char *text = xasprintf("this filter is no regular expression: %s", f->error);
	frame->notice = arena_strndup(&frame->arena, text, strlen(text));
	free(text);
}

void top_model_fill(struct top_model *m, const struct top_query *query, struct top_frame *frame)
{
	uint64_t now = clock_now_ns();
	struct arena arena = frame->arena;

	arena_deinit(&arena);
	*frame = (struct top_frame){ .arena = arena };
	m->parts->row_count = 0;
	m->parts->arena = &frame->arena;
	top_filter_set(&m->parts->filter, query->filter);
	top_groups_take(m, query, top_model_now_ns(m));
	top_groups_sum(m, query);
	top_head_fill(m, frame, now);
	frame->frozen = query->frozen;
	frame->all = m->parts->all_samples;
	frame->window_s = m->groups.window_s;
	fill_rows(m, query, frame);
	hand_out_rows(m, frame);
	set_notice(m, frame);
}

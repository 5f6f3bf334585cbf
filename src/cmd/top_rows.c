// SPDX-License-Identifier: MIT
/* Functions, lines, threads: what is in the stacks, filtered and in order. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cmd/top_parts.h"
#include "os/syscall_name.h"
#include "store/place.h"

/* ---- filter ----------------------------------------------------------------------------------- */

void top_filter_deinit(struct top_filter *f)
{
	if (f->active)
		regfree(&f->regex);
	free(f->text);
	free(f->error);
	*f = (struct top_filter){ 0 };
}

/* Compiled once for each text. */
void top_filter_set(struct top_filter *f, const char *text)
{
	char message[128];

	if (!text)
		text = "";
	if (strcmp(f->text ? f->text : "", text) == 0)
		return;
	top_filter_deinit(f);
	if (!*text)
		return;
	f->text = xstrdup(text);
	int failed = regcomp(&f->regex, text, REG_EXTENDED | REG_NOSUB | REG_ICASE);
	f->active = !failed;
	if (!failed)
		return;
	regerror(failed, &f->regex, message, sizeof(message));
	f->error = xstrdup(message);
}

static bool matches_in(struct top_parts *parts, const char *name, const char *file, uint32_t line)
{
	buf_clear(&parts->text);
	buf_add_str(&parts->text, name);
	if (file && *file)
		buf_printf(&parts->text, " (%s:%u)", file, line);
	return regexec(&parts->filter.regex, buf_str(&parts->text), 0, NULL, 0) == 0;
}

bool top_filter_matches(struct top_parts *parts, const char *name, const char *file,
	const char *whole_file, uint32_t line)
{
	if (!parts->filter.active)
		return true;
	return matches_in(parts, name, NULL, 0) || matches_in(parts, name, file, line) ||
		(whole_file && matches_in(parts, name, whole_file, line));
}

/* ---- what a row says -------------------------------------------------------------------------- */

static const char *short_file(const struct capture *c, string_id file)
{
	const struct store_string *s = &c->tables.strings[file];

	return place_short(s->text, s->len, capture_fact(c, FACT_CWD));
}

void top_describe(const struct top_model *m, function_id function, struct top_row *row)
{
	const struct capture *c = m->capture;
	const struct store_function *f = &c->tables.functions[function];

	row->function = (uint64_t)function + 1;
	row->name = capture_text(c, f->name);
	if (f->kind != FUNCTION_PYTHON)
		return;
	row->file = short_file(c, f->file);
	row->line = f->first_line;
}

/* Only if there are several. */
void top_describe_process(const struct top_model *m, uint32_t process, struct top_row *row)
{
	const struct capture *c = m->capture;

	if (c->process_count < 2 || process == CAPTURE_NONE)
		return;
	if (process == SEVERAL_PROCESSES) {
		row->process = "(several)";
		return;
	}
	row->process = capture_text(c, c->processes[process].name);
	row->pid = c->processes[process].pid;
}

bool top_function_matches(struct top_model *m, function_id function)
{
	const struct store_function *f = &m->capture->tables.functions[function];
	struct top_row row = { 0 };

	if (!m->parts->filter.active)
		return true;
	top_describe(m, function, &row);
	return top_filter_matches(m->parts, row.name, row.file,
		row.file ? capture_text(m->capture, f->file) : NULL, row.line);
}

double top_half_width(double share, double count)
{
	const double z = 1.959964;

	if (count <= 0)
		return 0;
	double spread = share * (1 - share) / count + z * z / (4 * count * count);
	return z / (1 + z * z / count) * sqrt(spread > 0 ? spread : 0);
}

void top_measure(const struct top_parts *parts, struct top_row *row, double self, double total,
	uint64_t self_samples, uint64_t total_samples)
{
	if (parts->all <= 0)
		return;
	row->self = self / parts->all;
	row->total = total / parts->all;
	row->self_samples = self_samples;
	row->total_samples = total_samples;
	row->half_width = top_half_width(row->self, parts->all);
}

struct top_row *top_add_row(struct top_parts *parts)
{
	array_reserve(parts->rows, parts->row_capacity, parts->row_count + 1);
	parts->rows[parts->row_count] = (struct top_row){ 0 };
	return &parts->rows[parts->row_count++];
}

/* ---- order ------------------------------------------------------------------------------------ */

static int descending(double a, double b)
{
	return (a < b) - (a > b);
}

static int compare_texts(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_files(const struct top_row *a, const struct top_row *b)
{
	int order = compare_texts(a->file, b->file);

	return order ? order : (a->line > b->line) - (a->line < b->line);
}

static int compare_by(enum top_sort sort, const struct top_row *a, const struct top_row *b)
{
	switch (sort) {
	case TOP_BY_TOTAL:
		return descending(a->total, b->total);
	case TOP_BY_NAME:
		return compare_texts(a->name, b->name);
	case TOP_BY_FILE:
		return compare_files(a, b);
	case TOP_BY_CPU:
		return descending(a->cpu, b->cpu);
	case TOP_BY_GIL:
		return descending(a->gil, b->gil);
	case TOP_BY_SELF:
	case TOP_SORTS:
		break;
	}
	return descending(a->self, b->self);
}

/* Ties are in the same order at each refresh. */
int top_compare_rows(const void *a, const void *b, void *data)
{
	const struct top_query *query = data;
	const struct top_row *x = a, *y = b;
	int order = compare_by(query->sort, x, y);

	if (order)
		return query->reversed ? -order : order;
	order = descending(x->self, y->self);
	if (!order)
		order = descending(x->total, y->total);
	if (!order)
		order = compare_texts(x->name, y->name);
	return order ? order : (x->key > y->key) - (x->key < y->key);
}

static void sort_rows(struct top_parts *parts, const struct top_query *query)
{
	if (parts->row_count)
		qsort_r(parts->rows, parts->row_count, sizeof(*parts->rows), top_compare_rows,
			(void *)(uintptr_t)query);
}

/* ---- functions and lines ---------------------------------------------------------------------- */

static uint32_t id_of(const struct profile *p, stack_id stack, bool lines)
{
	frame_id frame = p->stacks[stack].frame;

	return lines ? frame : p->frames[frame].function;
}

static void count_once(struct top_tally *t, const struct top_stack *stack, uint32_t number)
{
	if (t->seen == number) // recursion
		return;
	t->seen = number;
	t->total += stack->weight;
	t->total_samples += stack->samples;
	if (t->process == CAPTURE_NONE)
		t->process = stack->process;
	else if (t->process != stack->process)
		t->process = SEVERAL_PROCESSES;
}

static void tally_stack(struct top_model *m, size_t i, bool lines)
{
	const struct profile *p = &m->capture->tables;
	const struct top_stack *stack = &m->parts->stacks[i];

	for (stack_id s = stack->stack; s != STACK_NONE; s = p->stacks[s].parent) {
		struct top_tally *t = top_tally(&m->parts->tallies, id_of(p, s, lines));

		count_once(t, stack, (uint32_t)i + 1);
		if (s != stack->stack)
			continue;
		t->self += stack->weight;
		t->self_samples += stack->samples;
	}
}

void top_tally_stacks(struct top_model *m, bool lines)
{
	top_tallies_clear(&m->parts->tallies);
	for (size_t i = 0; i < m->parts->stack_count; i++)
		tally_stack(m, i, lines);
}

static void add_tally(struct top_model *m, const struct top_tally *t, bool lines)
{
	const struct profile *p = &m->capture->tables;
	function_id function = lines ? p->frames[t->id].function : t->id;
	struct top_row row = { .key = (uint64_t)t->id + 1 };

	if (!top_function_matches(m, function))
		return;
	top_describe(m, function, &row);
	if (lines && row.file)
		row.line = p->frames[t->id].line;
	top_describe_process(m, t->process, &row);
	top_measure(m->parts, &row, t->self, t->total, t->self_samples, t->total_samples);
	*top_add_row(m->parts) = row;
}

static void add_tallies(struct top_model *m, const struct top_query *query, bool lines)
{
	top_tally_stacks(m, lines);
	for (size_t i = 0; i < m->parts->tallies.count; i++)
		add_tally(m, &m->parts->tallies.items[i], lines);
	sort_rows(m->parts, query);
}

void top_rows_functions(struct top_model *m, const struct top_query *query)
{
	add_tallies(m, query, false);
}

void top_rows_lines(struct top_model *m, const struct top_query *query)
{
	add_tallies(m, query, true);
}

/* ---- threads ---------------------------------------------------------------------------------- */

static const char *waits_for(struct arena *arena, int32_t number)
{
	const char *name = number == SYSCALL_NONE ? NULL : syscall_name(number);
	char text[64];

	if (!name)
		return "waits";
	snprintf(text, sizeof(text), "waits: %s", name);
	return arena_strndup(arena, text, strlen(text));
}

static const char *state_of(struct arena *arena, const struct capture_sample *last)
{
	if (last->flags & SAMPLE_WAITS_FOR_GIL)
		return "waits for the GIL";
	if (last->flags & SAMPLE_IN_GC)
		return "in GC";
	switch (last->state) {
	case SAMPLE_ON_CPU:
		return "runs";
	case SAMPLE_RUNNABLE:
		return "ready";
	case SAMPLE_WAITING:
		return waits_for(arena, last->syscall);
	case SAMPLE_STOPPED:
		return "stopped";
	default:
		return "unknown";
	}
}

/* Where it is now: its innermost function. */
static void describe_place(const struct top_model *m, stack_id stack, struct top_row *row)
{
	const struct profile *p = &m->capture->tables;
	struct top_row place = { 0 };

	if (stack == STACK_NONE)
		return;
	const struct store_frame *frame = &p->frames[p->stacks[stack].frame];
	top_describe(m, frame->function, &place);
	row->function = place.function;
	row->file = place.file;
	row->line = frame->line;
}

/*
 * Of a processor, of the time that it was there: each tick has a sample of it, and the thread with the
 * most samples was there all the time.
 */
static double cpu_of(const struct top_model *m, const struct top_thread_sum *sum)
{
	if (!sum->samples || m->groups.window_s <= 0)
		return 0;
	double present_s = m->groups.window_s * (double)sum->samples / (double)m->parts->most_samples;
	double cpu = (double)sum->cpu_ns / NS_PER_SEC / present_s;

	// what it used before its first sample here counts for that one
	return cpu < 1 ? cpu : 1;
}

static void add_thread(struct top_model *m, const struct top_query *query, uint32_t i,
	const char *state)
{
	const struct top_thread_sum *sum = &m->parts->threads[i];
	const struct capture_thread *thread = &m->capture->threads[i];
	struct top_row row = {
		.key = (uint64_t)i + 1,
		.name = capture_text(m->capture, thread->name),
		.tid = thread->tid,
		.pid = m->capture->processes[thread->process].pid,
		.state = state,
		.cpu = cpu_of(m, sum),
		.main = thread->main,
		.is_open_thread = query->thread == (uint64_t)i + 1,
	};

	if (!top_filter_matches(m->parts, row.name, NULL, NULL, 0))
		return;
	if (sum->weight > 0) {
		row.gil = sum->gil / sum->weight;
		row.gil_wait = sum->gil_wait / sum->weight;
		row.gc = sum->gc / sum->weight;
	}
	describe_place(m, m->groups.threads[i].last.stack, &row);
	top_describe_process(m, thread->process, &row);
	top_measure(m->parts, &row, sum->shown, sum->shown, sum->shown_samples,
		sum->shown_samples);
	*top_add_row(m->parts) = row;
}

/* Those that live, and those that have ended as long as the window has samples of them. */
void top_rows_threads(struct top_model *m, const struct top_query *query)
{
	for (uint32_t i = 0; i < m->groups.thread_count; i++) {
		const struct top_thread *t = &m->groups.threads[i];
		bool ended = m->over_ns || !top_head_lives(m, t, m->groups.newest_ns);
		const struct capture_thread *thread = &m->capture->threads[i];
		uint32_t pid = m->capture->processes[thread->process].pid;

		if (!t->last.time_ns || (ended && !m->parts->threads[i].samples))
			continue;
		if (query->process && query->process != pid)
			continue;
		add_thread(m, query, i, ended ? "ended" : state_of(m->parts->arena, &t->last));
	}
	sort_rows(m->parts, query);
}

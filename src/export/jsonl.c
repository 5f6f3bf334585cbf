// SPDX-License-Identifier: MIT
/*
 * JSON lines for programs: everything a view holds, one object per line. docs/export.md has the
 * fields; "type" says what a line is. What a line refers to by number was on a line before it, and
 * a number is never given twice.
 *
 *	meta      first: version of this format, facts of the recording
 *	process, thread, function, frame, stack
 *	          when they are first needed
 *	sample    in the order of the capture
 *	marker, loss
 *	          before the samples
 *	end       last: how many samples there were; without it the output was cut off
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "export/export.h"
#include "fmt/digits.h"
#include "fmt/json_writer.h"

#define JSONL_VERSION 1

struct jsonl {
	FILE *out;
	struct view *view;
	bool *process_known, *thread_known, *span_known; // by row of the capture
	uint32_t *path; // spans within each other that have no line yet
	size_t path_capacity;
	size_t function_count, frame_count; // of the view's tables that were written
	size_t stack_count;
	uint64_t samples;
};

static void jsonl_deinit(struct jsonl *w)
{
	free(w->process_known);
	free(w->thread_known);
	free(w->span_known);
	free(w->path);
}

static const char *const state_names[SAMPLE_STATES] = {
	[SAMPLE_STATE_UNKNOWN] = "unknown",
	[SAMPLE_ON_CPU] = "running",
	[SAMPLE_RUNNABLE] = "runnable",
	[SAMPLE_WAITING] = "waiting",
	[SAMPLE_STOPPED] = "stopped",
};

static const struct {
	uint8_t flag;
	const char *name;
} flag_names[] = {
	{ SAMPLE_HOLDS_GIL, "holds_gil" },
	{ SAMPLE_WAITS_FOR_GIL, "waits_for_gil" },
	{ SAMPLE_IN_GC, "in_gc" },
	{ SAMPLE_CUT, "cut" },
	{ SAMPLE_UNREADABLE, "unreadable" },
	{ SAMPLE_TAKEN_OVER, "taken_over" },
};

static const char *const loss_names[] = {
	[LOSS_MISSED] = "missed",
	[LOSS_ROOM] = "room",
	[LOSS_SPACE] = "space",
};

static const char *kind_name(enum function_kind kind)
{
	switch (kind) {
	case FUNCTION_PYTHON:
		return "python";
	case FUNCTION_THREAD:
		return "thread";
	case FUNCTION_MARK:
		return "mark";
	case FUNCTION_PLACE:
		return "place";
	}
	return "?";
}

/* ---- lines ------------------------------------------------------------------------------------ */

static void begin_line(struct json_writer *json, const char *type)
{
	json_begin_object(json);
	json_key(json, "type");
	json_cstring(json, type);
}

static void end_line(struct json_writer *json)
{
	json_end_object(json);
	fputc('\n', json->stream);
}

/* null where there is none. */
static void put_row(struct json_writer *json, const char *key, uint32_t row, size_t count)
{
	json_key(json, key);
	if (row < count)
		json_u64(json, row);
	else
		json_null(json);
}

static void put_time_or_null(struct json_writer *json, const char *key, uint64_t ns)
{
	json_key(json, key);
	if (ns)
		json_u64(json, ns);
	else
		json_null(json);
}

/* ---- definitions ------------------------------------------------------------------------------ */

static void put_meta(struct jsonl *w)
{
	const struct capture *c = view_capture(w->view);
	struct json_writer json = { .stream = w->out };

	begin_line(&json, "meta");
	json_member_cstring(&json, "format", "fireglass-jsonl");
	json_member_u64(&json, "version", JSONL_VERSION);
	put_time_or_null(&json, "period_ns", view_period_ns(w->view));
	json_key(&json, "facts");
	json_begin_object(&json);
	for (size_t i = 0; i < c->fact_count; i++)
		json_member_cstring(&json, capture_text(c, c->facts[i].key),
			capture_text(c, c->facts[i].value));
	json_end_object(&json);
	end_line(&json);
}

static void need_process(struct jsonl *w, uint32_t row)
{
	const struct capture *c = view_capture(w->view);
	struct json_writer json = { .stream = w->out };

	if (row >= c->process_count || w->process_known[row])
		return;
	w->process_known[row] = true;
	const struct capture_process *p = &c->processes[row];
	begin_line(&json, "process");
	json_member_u64(&json, "id", row);
	json_member_u64(&json, "pid", p->pid);
	json_member_cstring(&json, "name", capture_text(c, p->name));
	json_member_cstring(&json, "command", capture_text(c, p->command));
	json_member_u64(&json, "start_ns", p->start_ns);
	put_time_or_null(&json, "end_ns", p->end_ns);
	end_line(&json);
}

static void need_thread(struct jsonl *w, uint32_t row)
{
	const struct capture *c = view_capture(w->view);
	struct json_writer json = { .stream = w->out };

	if (row >= c->thread_count || w->thread_known[row])
		return;
	w->thread_known[row] = true;
	const struct capture_thread *t = &c->threads[row];
	need_process(w, t->process);
	begin_line(&json, "thread");
	json_member_u64(&json, "id", row);
	put_row(&json, "process", t->process, c->process_count);
	json_member_u64(&json, "tid", t->tid);
	json_member_cstring(&json, "name", capture_text(c, t->name));
	json_key(&json, "main");
	json_bool(&json, t->main);
	json_member_u64(&json, "start_ns", t->start_ns);
	put_time_or_null(&json, "end_ns", t->end_ns);
	end_line(&json);
}

static void put_function(struct jsonl *w, function_id id)
{
	const struct profile *p = view_tables(w->view);
	const struct store_function *f = &p->functions[id];
	struct json_writer json = { .stream = w->out };

	begin_line(&json, "function");
	json_member_u64(&json, "id", id);
	json_member_cstring(&json, "kind", kind_name(f->kind));
	json_key(&json, "name");
	json_string(&json, p->strings[f->name].text, p->strings[f->name].len);
	json_key(&json, "file");
	json_string(&json, p->strings[f->file].text, p->strings[f->file].len);
	json_member_u64(&json, "first_line", f->first_line);
	end_line(&json);
}

static void put_frame(struct jsonl *w, frame_id id)
{
	const struct store_frame *frame = &view_tables(w->view)->frames[id];
	struct json_writer json = { .stream = w->out };

	begin_line(&json, "frame");
	json_member_u64(&json, "id", id);
	json_member_u64(&json, "function", frame->function);
	json_member_u64(&json, "line", frame->line);
	end_line(&json);
}

static void put_stack(struct jsonl *w, stack_id id)
{
	const struct profile *p = view_tables(w->view);
	struct json_writer json = { .stream = w->out };

	begin_line(&json, "stack");
	json_member_u64(&json, "id", id);
	put_row(&json, "parent", p->stacks[id].parent, p->stack_count);
	json_member_u64(&json, "frame", p->stacks[id].frame);
	end_line(&json);
}

/* The tables grow as samples come, and rows refer only to smaller ones. */
static void need_tables(struct jsonl *w)
{
	const struct profile *p = view_tables(w->view);

	while (w->function_count < p->function_count)
		put_function(w, (function_id)w->function_count++);
	while (w->frame_count < p->frame_count)
		put_frame(w, (frame_id)w->frame_count++);
	while (w->stack_count < p->stack_count)
		put_stack(w, (stack_id)w->stack_count++);
}

/* ---- what happened ---------------------------------------------------------------------------- */

static void put_marker(struct jsonl *w, const struct capture_marker *m)
{
	const struct capture *c = view_capture(w->view);
	struct json_writer json = { .stream = w->out };

	need_process(w, m->process);
	need_thread(w, m->thread);
	begin_line(&json, "marker");
	json_member_u64(&json, "start_ns", m->start_ns);
	json_member_u64(&json, "end_ns", m->end_ns);
	put_row(&json, "thread", m->thread, c->thread_count);
	put_row(&json, "process", m->process, c->process_count);
	json_member_cstring(&json, "name", capture_text(c, m->name));
	json_member_cstring(&json, "text", capture_text(c, m->text));
	end_line(&json);
}

static void put_span(struct jsonl *w, uint32_t row)
{
	const struct capture *c = view_capture(w->view);
	const struct capture_span *s = &c->spans[row];
	struct json_writer json = { .stream = w->out };

	need_process(w, s->process);
	need_thread(w, s->thread);
	begin_line(&json, "span");
	json_member_u64(&json, "id", row);
	json_member_u64(&json, "start_ns", s->start_ns);
	put_time_or_null(&json, "end_ns", s->end_ns);
	put_row(&json, "process", s->process, c->process_count);
	put_row(&json, "thread", s->thread, c->thread_count);
	// what is around it may be of another time than what is selected
	put_row(&json, "parent", s->parent ? s->parent - 1 : CAPTURE_NONE, row);
	json_member_cstring(&json, "name", capture_text(c, s->name));
	json_member_cstring(&json, "text", capture_text(c, s->text));
	end_line(&json);
	w->span_known[row] = true;
}

/* With what lies around it, which is before it in the table. */
static void need_span(struct jsonl *w, uint32_t row)
{
	const struct capture *c = view_capture(w->view);
	size_t depth = 0;

	while (!w->span_known[row]) {
		uint32_t parent = c->spans[row].parent;

		array_reserve(w->path, w->path_capacity, depth + 1);
		w->path[depth++] = row;
		if (!parent || parent > row)
			break;
		row = parent - 1;
	}
	while (depth)
		put_span(w, w->path[--depth]);
}

static void put_loss(struct jsonl *w, const struct capture_loss *loss)
{
	struct json_writer json = { .stream = w->out };

	begin_line(&json, "loss");
	json_member_u64(&json, "time_ns", loss->time_ns);
	json_member_cstring(&json, "reason", loss_names[loss->kind]);
	json_member_u64(&json, "count", loss->count);
	end_line(&json);
}

static bool is_selected(const struct jsonl *w, uint64_t start_ns, uint64_t end_ns)
{
	const struct selection *s = view_selection(w->view);

	return end_ns >= s->from_ns && (!s->to_ns || start_ns < s->to_ns);
}

static void put_events(struct jsonl *w)
{
	const struct capture *c = view_capture(w->view);

	for (size_t i = 0; i < c->marker_count; i++)
		if (is_selected(w, c->markers[i].start_ns, c->markers[i].end_ns))
			put_marker(w, &c->markers[i]);
	for (size_t i = 0; i < c->span_count; i++)
		if (view_shows_span(w->view, (uint32_t)i))
			need_span(w, (uint32_t)i);
	for (size_t i = 0; i < c->loss_count; i++)
		if (is_selected(w, c->losses[i].time_ns, c->losses[i].time_ns))
			put_loss(w, &c->losses[i]);
}

static void put_flags(struct jsonl *w, uint8_t flags)
{
	const char *before = "\"";

	fputs(",\"flags\":[", w->out);
	for (size_t i = 0; i < ARRAY_LEN(flag_names); i++) {
		if (!(flags & flag_names[i].flag))
			continue;
		fputs(before, w->out);
		fputs(flag_names[i].name, w->out);
		fputc('"', w->out);
		before = ",\"";
	}
	fputc(']', w->out);
}

static void put_sample(struct jsonl *w, const struct capture_sample *s)
{
	need_thread(w, s->thread);
	if (s->span)
		need_span(w, s->span - 1);
	need_tables(w);
	fputs("{\"type\":\"sample\",\"time_ns\":", w->out);
	digits_put(w->out, s->time_ns);
	fputs(",\"thread\":", w->out);
	digits_put(w->out, s->thread);
	fputs(",\"stack\":", w->out);
	if (s->stack == STACK_NONE)
		fputs("null", w->out);
	else
		digits_put(w->out, s->stack);
	fputs(",\"count\":", w->out);
	digits_put(w->out, s->count);
	fputs(",\"cpu_ns\":", w->out);
	digits_put(w->out, s->cpu_ns);
	fputs(",\"state\":\"", w->out);
	fputs(state_names[s->state], w->out);
	fputc('"', w->out);
	if (s->syscall == SYSCALL_NONE)
		fputs(",\"syscall\":null", w->out);
	else
		fprintf(w->out, ",\"syscall\":%" PRId32, s->syscall);
	put_flags(w, s->flags);
	if (s->span) {
		fputs(",\"span\":", w->out);
		digits_put(w->out, s->span - 1);
	}
	fputs("}\n", w->out);
	w->samples++;
}

static void put_end(struct jsonl *w)
{
	const struct view_counts *counts = view_counts(w->view);
	struct json_writer json = { .stream = w->out };

	begin_line(&json, "end");
	json_member_u64(&json, "samples", w->samples);
	json_member_u64(&json, "counts", counts->shown);
	json_member_u64(&json, "left_out", counts->left_out);
	end_line(&json);
}

static struct err *jsonl_write(FILE *out, struct view *v, const struct export_options *options)
{
	const struct capture *c = view_capture(v);
	_cleanup_(jsonl_deinit) struct jsonl w = {
		.out = out,
		.view = v,
		.process_known = xcalloc(c->process_count, sizeof(*w.process_known)),
		.thread_known = xcalloc(c->thread_count, sizeof(*w.thread_known)),
		.span_known = xcalloc(c->span_count, sizeof(*w.span_known)),
	};
	const struct capture_sample *s;

	(void)options;
	put_meta(&w);
	view_begin(v); // decides on threads, which what comes first is asked by
	put_events(&w);
	while ((s = view_next(v)))
		put_sample(&w, s);
	struct err *err = view_end(v);
	if (err)
		return err;
	put_end(&w);
	return ferror(out) ? err_errno(errno, "cannot write the lines") : NULL;
}

const struct exporter export_jsonl = {
	.name = "jsonl",
	.extension = "jsonl",
	.summary = "JSON lines for programs: every sample with all that is known of it",
	.write_view = jsonl_write,
};

// SPDX-License-Identifier: MIT
/*
 * speedscope's JSON: one sampled profile per thread over one table of frames.
 *
 * Weights are the time that samples stand for: their counts times the period, or the counts alone
 * where it is not known. speedscope puts samples one behind the other, so that time in which a
 * thread was not there, or was not looked at, is a sample without frames: the time axis is true to a
 * period. Samples of the same stack that follow each other are one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "export/export.h"
#include "export/label.h"
#include "export/thread_names.h"
#include "export/thread_spool.h"
#include "fmt/json_writer.h"

#define SCHEMA "https://www.speedscope.app/file-format-schema.json"
#define MAX_VALUE ((uint64_t)1 << 53) /* numbers of readers are doubles */

struct speedscope {
	struct json_writer json;
	struct view *view;
	const struct export_options *options;
	uint64_t count_weight; // of one count
	uint64_t period_ns;    // 0: no gaps can be told
	uint64_t origin_ns;
	struct thread_spool *spool;
	bool *noted; // by stack: its frames are in the table
	size_t noted_capacity;
	uint32_t *frame_at; // by frame, or by function: place in the table, plus 1
	size_t frame_at_capacity;
	frame_id *frames; // the table
	size_t frame_count, frame_capacity;
	uint32_t *path; // of a sample, leaf first
	size_t path_capacity;
};

static void speedscope_deinit(struct speedscope *w)
{
	thread_spool_destroy(w->spool);
	free(w->noted);
	free(w->frame_at);
	free(w->frames);
	free(w->path);
}

/* ---- frames ----------------------------------------------------------------------------------- */

/* What tells frames apart: with one line per function, the function does. */
static uint32_t frame_key(const struct speedscope *w, frame_id frame)
{
	if (w->options->functions || w->options->no_lines)
		return view_tables(w->view)->frames[frame].function;
	return frame;
}

static void note_frame(struct speedscope *w, frame_id frame)
{
	uint32_t key = frame_key(w, frame);
	size_t had = w->frame_at_capacity;

	array_reserve(w->frame_at, w->frame_at_capacity, key + 1);
	memset(w->frame_at + had, 0, (w->frame_at_capacity - had) * sizeof(*w->frame_at));
	if (w->frame_at[key])
		return;
	array_reserve(w->frames, w->frame_capacity, w->frame_count + 1);
	w->frames[w->frame_count++] = frame;
	w->frame_at[key] = (uint32_t)w->frame_count;
}

static void note_stack(struct speedscope *w, stack_id stack)
{
	const struct profile *p = view_tables(w->view);
	size_t had = w->noted_capacity;

	array_reserve(w->noted, w->noted_capacity, stack + 1);
	memset(w->noted + had, 0, (w->noted_capacity - had) * sizeof(*w->noted));
	for (; stack != STACK_NONE && !w->noted[stack]; stack = p->stacks[stack].parent) {
		w->noted[stack] = true;
		note_frame(w, p->stacks[stack].frame);
	}
}

static uint32_t shown_line(const struct speedscope *w, const struct store_frame *frame)
{
	if (w->options->no_lines)
		return 0;
	if (w->options->functions)
		return view_tables(w->view)->functions[frame->function].first_line;
	return frame->line;
}

static void put_frame(struct speedscope *w, const struct store_frame *frame)
{
	const struct profile *p = view_tables(w->view);
	const struct store_function *f = &p->functions[frame->function];
	const struct store_string *name = &p->strings[f->name];
	struct label_slice file = label_file(p, f, w->options);
	uint32_t line = shown_line(w, frame);

	json_begin_object(&w->json);
	json_key(&w->json, "name");
	json_string(&w->json, name->len ? name->text : "?", name->len ? name->len : 1);
	if (f->kind == FUNCTION_PYTHON && file.len) {
		json_key(&w->json, "file");
		json_string(&w->json, file.text, file.len);
		if (line) {
			json_key(&w->json, "line");
			json_u64(&w->json, line);
		}
	}
	json_end_object(&w->json);
}

static void put_frames(struct speedscope *w)
{
	const struct profile *p = view_tables(w->view);

	json_key(&w->json, "shared");
	json_begin_object(&w->json);
	json_key(&w->json, "frames");
	json_begin_array(&w->json);
	for (size_t i = 0; i < w->frame_count; i++)
		put_frame(w, &p->frames[w->frames[i]]);
	json_end_array(&w->json);
	json_end_object(&w->json);
}

/* ---- a thread --------------------------------------------------------------------------------- */

/* Samples of a thread that are one sample of the profile. */
struct run {
	stack_id stack; // STACK_NONE: a gap
	uint64_t weight;
};

struct runs {
	struct spool_reader samples;
	const struct speedscope *w;
	const struct spool_sample *next; // not yet in a run
	uint64_t begin_ns;               // of the thread's first sample
	uint64_t told_ns;                // since then, as far as runs go; only with a period
};

static void runs_begin(struct runs *r, const struct speedscope *w, uint32_t thread)
{
	*r = (struct runs){ .w = w };
	spool_reader_init(&r->samples, w->spool, thread);
	r->next = spool_reader_next(&r->samples);
	r->begin_ns = r->next ? r->next->time_ns : 0;
}

static uint64_t weight_of(const struct speedscope *w, uint64_t count)
{
	return count > MAX_VALUE / w->count_weight ? MAX_VALUE : count * w->count_weight;
}

/* How late the next sample is, in whole periods; moments within a period are random. */
static uint64_t gap_before(const struct runs *r)
{
	uint64_t now = r->next->time_ns > r->begin_ns ? r->next->time_ns - r->begin_ns : 0;
	uint64_t period = r->w->period_ns;

	return period && now > r->told_ns ? (now - r->told_ns) / period * period : 0;
}

static bool runs_next(struct runs *r, struct run *ret)
{
	if (!r->next)
		return false;
	*ret = (struct run){ STACK_NONE, gap_before(r) };
	r->told_ns += ret->weight;
	if (ret->weight)
		return true;
	ret->stack = r->next->stack;
	do {
		uint64_t weight = weight_of(r->w, r->next->count);

		ret->weight += weight;
		r->told_ns += weight;
		r->next = spool_reader_next(&r->samples);
	} while (r->next && r->next->stack == ret->stack && !gap_before(r));
	return true;
}

static struct err *runs_end(struct runs *r)
{
	struct err *err = spool_reader_error(&r->samples);

	spool_reader_deinit(&r->samples);
	return err;
}

static void put_path(struct speedscope *w, stack_id stack)
{
	const struct profile *p = view_tables(w->view);
	size_t depth = 0;

	for (; stack != STACK_NONE; stack = p->stacks[stack].parent) {
		array_reserve(w->path, w->path_capacity, depth + 1);
		w->path[depth++] = w->frame_at[frame_key(w, p->stacks[stack].frame)] - 1;
	}
	json_begin_array(&w->json);
	while (depth)
		json_u64(&w->json, w->path[--depth]);
	json_end_array(&w->json);
}

static struct err *put_stacks(struct speedscope *w, uint32_t thread, uint64_t *total_ret)
{
	struct runs runs;
	struct run run;
	uint64_t total = 0;

	json_key(&w->json, "samples");
	json_begin_array(&w->json);
	for (runs_begin(&runs, w, thread); runs_next(&runs, &run); total += run.weight)
		put_path(w, run.stack);
	json_end_array(&w->json);
	*total_ret = total;
	return runs_end(&runs);
}

static struct err *put_weights(struct speedscope *w, uint32_t thread)
{
	struct runs runs;
	struct run run;

	json_key(&w->json, "weights");
	json_begin_array(&w->json);
	for (runs_begin(&runs, w, thread); runs_next(&runs, &run);)
		json_u64(&w->json, run.weight);
	json_end_array(&w->json);
	return runs_end(&runs);
}

/* The unit's name, among those that speedscope knows. */
static const char *unit_of(const struct speedscope *w)
{
	const char *unit = capture_fact(view_capture(w->view), FACT_UNIT);

	if (w->period_ns)
		return "nanoseconds";
	return unit && strcmp(unit, "bytes") == 0 ? unit : "none";
}

/* When the thread's first sample was, on the axis that all threads share. */
static uint64_t start_value(const struct speedscope *w, uint32_t thread)
{
	struct runs runs;

	runs_begin(&runs, w, thread);
	uint64_t at = runs.begin_ns > w->origin_ns ? runs.begin_ns - w->origin_ns : 0;
	err_free(runs_end(&runs));
	return w->period_ns ? at : 0;
}

static struct err *put_thread(struct speedscope *w, uint32_t thread, const char *name)
{
	uint64_t start = start_value(w, thread), total = 0;

	json_begin_object(&w->json);
	json_key(&w->json, "type");
	json_cstring(&w->json, "sampled");
	json_key(&w->json, "name");
	json_cstring(&w->json, name);
	json_key(&w->json, "unit");
	json_cstring(&w->json, unit_of(w));
	json_key(&w->json, "startValue");
	json_u64(&w->json, start);
	struct err *err = put_stacks(w, thread, &total);
	if (!err)
		err = put_weights(w, thread);
	json_key(&w->json, "endValue");
	json_u64(&w->json, start + total);
	json_end_object(&w->json);
	return err;
}

/* ---- the whole -------------------------------------------------------------------------------- */

static struct err *read_samples(struct speedscope *w)
{
	const struct capture_sample *s;

	view_begin(w->view);
	while ((s = view_next(w->view))) {
		const struct spool_sample sample = {
			.time_ns = s->time_ns,
			.count = s->count,
			.stack = view_marked_stack(w->view),
		};

		note_stack(w, sample.stack);
		struct err *err = thread_spool_add(w->spool, s->thread, &sample);
		if (err)
			return err;
	}
	return view_end(w->view);
}

static struct err *put_threads(struct speedscope *w)
{
	const struct capture *c = view_capture(w->view);
	struct err *err = NULL;
	bool any = false;

	json_key(&w->json, "profiles");
	json_begin_array(&w->json);
	for (uint32_t i = 0; i < c->thread_count && !err; i++) {
		_cleanup_buf_ struct buf name = BUF_INIT;

		if (!thread_spool_count(w->spool, i))
			continue;
		thread_names_add(&name, c, i);
		err = put_thread(w, i, buf_str(&name));
		any = true;
	}
	// a file without profiles cannot be opened
	if (!any)
		err = put_thread(w, (uint32_t)c->thread_count, "no samples");
	json_end_array(&w->json);
	return err;
}

static struct err *put_file(struct speedscope *w)
{
	const struct capture *c = view_capture(w->view);

	json_begin_object(&w->json);
	json_key(&w->json, "$schema");
	json_cstring(&w->json, SCHEMA);
	json_key(&w->json, "exporter");
	json_cstring(&w->json, "fireglass");
	json_key(&w->json, "name");
	json_cstring(&w->json, thread_names_title(c, w->options->title));
	json_key(&w->json, "activeProfileIndex");
	json_u64(&w->json, 0);
	put_frames(w);
	struct err *err = put_threads(w);
	json_end_object(&w->json);
	return err;
}

static struct err *speedscope_write(
	FILE *out, struct view *v, const struct export_options *options)
{
	const struct capture *c = view_capture(v);
	bool timed = capture_first_ns(c) != capture_last_ns(c);
	uint64_t period = view_period_ns(v);
	_cleanup_(speedscope_deinit) struct speedscope w = {
		.json = { .stream = out },
		.view = v,
		.options = options,
		.count_weight = period ? period : 1,
		.period_ns = period,
		.origin_ns = timed ? capture_first_ns(c) : 0,
		// one more, without samples
		.spool = thread_spool_create(c->thread_count + 1, SPOOL_MEMORY),
	};

	struct err *err = read_samples(&w);
	if (!err)
		err = put_file(&w);
	if (err)
		return err;
	fputc('\n', out);
	return ferror(out) ? err_errno(errno, "cannot write the profile") : NULL;
}

const struct exporter export_speedscope = {
	.name = "speedscope",
	.extension = "speedscope.json",
	.summary = "JSON for speedscope: one profile per thread",
	.write_view = speedscope_write,
};

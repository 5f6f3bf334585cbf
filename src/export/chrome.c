// SPDX-License-Identifier: MIT
/*
 * Chrome's trace events as JSON, for Perfetto, speedscope and the Firefox Profiler. One event per
 * line:
 *
 *	M     names and order of processes and threads
 *	X     a function on the stack of a thread, from the first sample that has it to the first that
 *	      has not: calls between two samples are not seen, so that one event may be many calls
 *	b e   spans that may overlap: those of the program (category "span"), markers of the
 *	      capture, and from the flags of samples
 *	      "holds GIL", "GIL wait" and "GC" (the latter two unless the capture has such markers)
 *	i     markers that are a moment
 *	C     processors in use by a process, over each COUNTER_NS
 *
 * Times are whole microseconds from the first sample: readers compare sums of them as doubles, and
 * nesting must not depend on rounding. Of events that begin and end together the outer ones come
 * first, as readers take them in the order of the file then.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "export/export.h"
#include "export/ids.h"
#include "export/label.h"
#include "export/sample_clock.h"
#include "fmt/digits.h"
#include "fmt/json_writer.h"

#define COUNTER_NS 100000000u

struct open_frame {
	function_id function;
	uint64_t begin_us;
};

static const struct flag_span {
	uint8_t flag;
	const char *name, *category;
	const char *marker; // not derived from samples if the capture has markers of this name
} flag_spans[] = {
	{ SAMPLE_HOLDS_GIL, "holds GIL", "gil", "holds GIL" },
	{ SAMPLE_WAITS_FOR_GIL, "GIL wait", "gil", "GIL wait" },
	{ SAMPLE_IN_GC, "GC", "gc", "GC" },
};

struct chrome_thread {
	struct open_frame *frames; // root first
	size_t depth, capacity;
	uint8_t flags;                            // of its last sample, that are spans
	uint64_t flag_begin_us[ARRAY_LEN(flag_spans)];
};

struct chrome {
	FILE *out;
	struct view *view;
	struct export_options options;
	struct export_ids ids;
	struct sample_clock clock;
	struct chrome_thread *threads;
	uint64_t *cpu_ns; // by process, since counter_ns
	bool *counted;    // by process: its last counter was not 0
	uint64_t counter_ns;
	uint8_t spans;    // flags that are shown
	uint64_t span_count;
	function_id *path; // of the sample, leaf first
	size_t path_capacity;
	struct buf members; // of events of functions, each ended with 0
	size_t *member_at;  // by function: place in `members`, plus 1
	size_t member_capacity;
	bool began;
};

static void chrome_deinit(struct chrome *w)
{
	for (size_t i = 0; w->threads && i < view_capture(w->view)->thread_count; i++)
		free(w->threads[i].frames);
	free(w->threads);
	free(w->cpu_ns);
	free(w->counted);
	free(w->path);
	free(w->member_at);
	buf_deinit(&w->members);
	export_ids_deinit(&w->ids);
	sample_clock_deinit(&w->clock);
}

/* ---- single events ---------------------------------------------------------------------------- */

static void begin_event(struct chrome *w)
{
	fputs(w->began ? ",\n" : "\n", w->out);
	w->began = true;
}

static void put_ids(struct chrome *w, char phase, uint32_t pid, uint32_t tid)
{
	begin_event(w);
	fputs("{\"ph\":\"", w->out);
	fputc(phase, w->out);
	fputs("\",\"pid\":", w->out);
	digits_put(w->out, pid);
	fputs(",\"tid\":", w->out);
	digits_put(w->out, tid);
}

static void put_text(struct chrome *w, const char *text)
{
	struct json_writer json = { .stream = w->out };

	json_cstring(&json, text);
}

static uint32_t pid_of(const struct chrome *w, uint32_t thread)
{
	const struct capture *c = view_capture(w->view);

	return export_ids_pid(&w->ids, c, c->threads[thread].process);
}

static const char *category_of(const struct profile *p, function_id function)
{
	static const char *const names[LABEL_ORIGINS] = {
		[LABEL_OWN] = "own",
		[LABEL_PACKAGE] = "package",
		[LABEL_STDLIB] = "stdlib",
		[LABEL_THREAD] = "thread",
		[LABEL_MARK] = "mark",
	};

	return names[label_origin(p, &p->functions[function])];
}

/* The members of an event that say what function it is; made once. */
static const char *members_of(struct chrome *w, function_id function)
{
	const struct profile *p = view_tables(w->view);
	size_t had = w->member_capacity;

	array_reserve(w->member_at, w->member_capacity, function + 1);
	memset(w->member_at + had, 0, (w->member_capacity - had) * sizeof(*w->member_at));
	if (!w->member_at[function]) {
		_cleanup_buf_ struct buf label = BUF_INIT;
		struct json_writer json = { .buf = &w->members };

		label_add(&label, p, &(struct store_frame){ .function = function }, &w->options);
		w->member_at[function] = w->members.len + 1;
		buf_printf(&w->members, ",\"cat\":\"%s\",\"name\":", category_of(p, function));
		json_string(&json, label.data, label.len);
		buf_add_char(&w->members, 0);
	}
	return w->members.data + w->member_at[function] - 1;
}

static void put_name(
	struct chrome *w, const char *kind, uint32_t pid, uint32_t tid, const char *name)
{
	put_ids(w, 'M', pid, tid);
	fprintf(w->out, ",\"ts\":0,\"cat\":\"__metadata\",\"name\":\"%s\",\"args\":{\"name\":", kind);
	put_text(w, name);
	fputs("}}", w->out);
}

static void put_sort_index(
	struct chrome *w, const char *kind, uint32_t pid, uint32_t tid, uint32_t index)
{
	put_ids(w, 'M', pid, tid);
	fprintf(w->out,
		",\"ts\":0,\"cat\":\"__metadata\",\"name\":\"%s\",\"args\":{\"sort_index\":%" PRIu32
		"}}",
		kind, index);
}

static void put_metadata(struct chrome *w)
{
	const struct capture *c = view_capture(w->view);

	for (size_t i = 0; i < c->process_count; i++) {
		const char *name = capture_text(c, c->processes[i].name);

		put_name(w, "process_name", w->ids.pids[i], w->ids.pids[i],
			*name ? name : "process");
		put_sort_index(w, "process_sort_index", w->ids.pids[i], w->ids.pids[i],
			(uint32_t)i);
	}
	for (size_t i = 0; i < c->thread_count; i++) {
		const char *name = capture_text(c, c->threads[i].name);
		uint32_t pid = pid_of(w, (uint32_t)i);

		put_name(w, "thread_name", pid, w->ids.tids[i], *name ? name : "thread");
		put_sort_index(w, "thread_sort_index", pid, w->ids.tids[i],
			c->threads[i].main ? 0 : (uint32_t)i + 1);
	}
}

/* ---- frames ----------------------------------------------------------------------------------- */

static void put_frame(
	struct chrome *w, uint32_t thread, const struct open_frame *frame, uint64_t end_us)
{
	put_ids(w, 'X', pid_of(w, thread), w->ids.tids[thread]);
	fputs(",\"ts\":", w->out);
	digits_put(w->out, frame->begin_us);
	fputs(",\"dur\":", w->out);
	digits_put(w->out, end_us - frame->begin_us);
	fputs(members_of(w, frame->function), w->out);
	fputc('}', w->out);
}

/* Ends all frames from `depth` on, outer ones first. */
static void close_frames(struct chrome *w, uint32_t thread, size_t depth, uint64_t end_us)
{
	struct chrome_thread *t = &w->threads[thread];

	for (size_t i = depth; i < t->depth; i++)
		put_frame(w, thread, &t->frames[i], end_us);
	if (t->depth > depth)
		t->depth = depth;
}

static size_t read_path(struct chrome *w, stack_id stack)
{
	const struct profile *p = view_tables(w->view);
	size_t depth = 0;

	for (; stack != STACK_NONE; stack = p->stacks[stack].parent) {
		array_reserve(w->path, w->path_capacity, depth + 1);
		w->path[depth++] = p->frames[p->stacks[stack].frame].function;
	}
	return depth;
}

static void change_frames(struct chrome *w, uint32_t thread, stack_id stack, uint64_t now_us)
{
	struct chrome_thread *t = &w->threads[thread];
	size_t depth = read_path(w, stack), common = 0;

	while (common < t->depth && common < depth &&
		t->frames[common].function == w->path[depth - 1 - common])
		common++;
	close_frames(w, thread, common, now_us);
	array_reserve(t->frames, t->capacity, depth);
	for (; t->depth < depth; t->depth++)
		t->frames[t->depth] = (struct open_frame){
			.function = w->path[depth - 1 - t->depth],
			.begin_us = now_us,
		};
}

/* ---- spans ------------------------------------------------------------------------------------ */

static void put_span(struct chrome *w, uint32_t pid, uint32_t tid, const char *category,
	const char *name, const char *detail, uint64_t begin_us, uint64_t end_us)
{
	w->span_count++;
	for (int end = 0; end < 2; end++) {
		put_ids(w, end ? 'e' : 'b', pid, tid);
		fprintf(w->out, ",\"ts\":%" PRIu64 ",\"id\":\"%" PRIu64 "\",\"cat\":\"%s\",\"name\":",
			end ? end_us : begin_us, w->span_count, category);
		put_text(w, name);
		if (detail && *detail && !end) {
			fputs(",\"args\":{\"detail\":", w->out);
			put_text(w, detail);
			fputc('}', w->out);
		}
		fputc('}', w->out);
	}
}

static void change_flags(struct chrome *w, uint32_t thread, uint8_t flags, uint64_t now_us)
{
	struct chrome_thread *t = &w->threads[thread];

	flags &= w->spans;
	for (size_t i = 0; i < ARRAY_LEN(flag_spans); i++) {
		const struct flag_span *span = &flag_spans[i];
		bool was = t->flags & span->flag, is = flags & span->flag;

		if (is && !was)
			t->flag_begin_us[i] = now_us;
		if (was && !is)
			put_span(w, pid_of(w, thread), w->ids.tids[thread], span->category,
				span->name, NULL, t->flag_begin_us[i], now_us);
	}
	t->flags = flags;
}

static bool has_marker(const struct capture *c, const char *name)
{
	for (size_t i = 0; i < c->marker_count; i++)
		if (strcmp(capture_text(c, c->markers[i].name), name) == 0)
			return true;
	return false;
}

static void put_marker(struct chrome *w, const struct capture_marker *m)
{
	const struct capture *c = view_capture(w->view);
	uint64_t begin_us = sample_clock_from_origin(&w->clock, m->start_ns) / 1000;
	uint64_t end_us = sample_clock_from_origin(&w->clock, m->end_ns) / 1000;
	const char *name = capture_text(c, m->name), *text = capture_text(c, m->text);
	bool of_thread = m->thread < c->thread_count;
	uint32_t pid = of_thread ? pid_of(w, m->thread) : export_ids_pid(&w->ids, c, m->process);
	uint32_t tid = of_thread ? w->ids.tids[m->thread] : pid;

	if (m->end_ns > m->start_ns) {
		put_span(w, pid, tid, "marker", name, text, begin_us,
			end_us > begin_us ? end_us : begin_us);
		return;
	}
	put_ids(w, 'i', pid, tid);
	fprintf(w->out, ",\"ts\":%" PRIu64 ",\"s\":\"%c\",\"cat\":\"marker\",\"name\":", begin_us,
		of_thread ? 't' : 'p');
	put_text(w, name);
	fputs(",\"args\":{\"detail\":", w->out);
	put_text(w, text);
	fputs("}}", w->out);
}

static bool marker_is_selected(const struct chrome *w, const struct capture_marker *m)
{
	const struct selection *s = view_selection(w->view);

	return m->end_ns >= s->from_ns && (!s->to_ns || m->start_ns < s->to_ns);
}

static void put_markers(struct chrome *w)
{
	const struct capture *c = view_capture(w->view);

	w->spans = 0;
	for (size_t i = 0; i < ARRAY_LEN(flag_spans); i++)
		if (!has_marker(c, flag_spans[i].marker))
			w->spans |= flag_spans[i].flag;
	for (size_t i = 0; i < c->marker_count; i++)
		if (marker_is_selected(w, &c->markers[i]))
			put_marker(w, &c->markers[i]);
}

/* On the thread on which it began; one that has not ended lasts to the end of the samples. */
static void put_program_span(struct chrome *w, const struct capture_span *s)
{
	const struct capture *c = view_capture(w->view);
	uint64_t end_ns = s->end_ns ? s->end_ns : capture_last_ns(c) + view_period_ns(w->view);
	uint64_t begin_us = sample_clock_from_origin(&w->clock, s->start_ns) / 1000;
	uint64_t end_us = sample_clock_from_origin(&w->clock, end_ns) / 1000;
	bool of_thread = s->thread < c->thread_count;
	uint32_t pid = of_thread ? pid_of(w, s->thread) : export_ids_pid(&w->ids, c, s->process);

	put_span(w, pid, of_thread ? w->ids.tids[s->thread] : pid, "span", capture_text(c, s->name),
		capture_text(c, s->text), begin_us, end_us > begin_us ? end_us : begin_us);
}

static void put_program_spans(struct chrome *w)
{
	const struct capture *c = view_capture(w->view);

	for (size_t i = 0; i < c->span_count; i++)
		if (view_shows_span(w->view, (uint32_t)i))
			put_program_span(w, &c->spans[i]);
}

/* ---- counters --------------------------------------------------------------------------------- */

static void put_counters(struct chrome *w)
{
	const struct capture *c = view_capture(w->view);

	for (size_t i = 0; i < c->process_count; i++) {
		if (!w->cpu_ns[i] && !w->counted[i])
			continue;
		put_ids(w, 'C', w->ids.pids[i], w->ids.pids[i]);
		fprintf(w->out,
			",\"ts\":%" PRIu64 ",\"cat\":\"cpu\",\"name\":\"CPU\",\"args\":{\"cores\":"
			"%" PRIu64 ".%04" PRIu64 "}}",
			w->counter_ns / 1000, w->cpu_ns[i] / COUNTER_NS,
			w->cpu_ns[i] % COUNTER_NS / (COUNTER_NS / 10000));
		w->counted[i] = w->cpu_ns[i] > 0;
		w->cpu_ns[i] = 0;
	}
}

static void count_cpu(struct chrome *w, const struct capture_sample *s, uint64_t now_ns)
{
	const struct capture *c = view_capture(w->view);
	uint32_t process = c->threads[s->thread].process;

	if (now_ns >= w->counter_ns + COUNTER_NS) {
		put_counters(w);
		if (now_ns >= w->counter_ns + 2 * COUNTER_NS) {
			w->counter_ns += COUNTER_NS;
			put_counters(w); // nobody has used any since
		}
		w->counter_ns = now_ns - now_ns % COUNTER_NS;
	}
	if (process < c->process_count)
		w->cpu_ns[process] += s->cpu_ns;
}

/* ---- the whole -------------------------------------------------------------------------------- */

static void put_sample(struct chrome *w, const struct capture_sample *s)
{
	struct sample_time time = sample_clock_next(&w->clock, s);
	stack_id stack = view_marked_stack(w->view);

	if (time.gap) {
		close_frames(w, s->thread, 0, time.gap_from_ns / 1000);
		change_flags(w, s->thread, 0, time.gap_from_ns / 1000);
	}
	change_frames(w, s->thread, stack, time.begin_ns / 1000);
	change_flags(w, s->thread, s->flags, time.begin_ns / 1000);
	count_cpu(w, s, time.begin_ns);
}

static void put_samples(struct chrome *w)
{
	const struct capture *c = view_capture(w->view);
	const struct capture_sample *s;

	view_begin(w->view);
	while ((s = view_next(w->view)))
		put_sample(w, s);
	for (size_t i = 0; i < c->thread_count; i++) {
		uint64_t end_us = sample_clock_end(&w->clock, (uint32_t)i) / 1000;

		close_frames(w, (uint32_t)i, 0, end_us);
		change_flags(w, (uint32_t)i, 0, end_us);
	}
	put_counters(w);
	w->counter_ns += COUNTER_NS;
	put_counters(w);
}

/* What the trace is of, where viewers show it: Perfetto in its info page. */
static void put_other_data(struct chrome *w)
{
	const struct capture *c = view_capture(w->view);
	struct json_writer json = { .stream = w->out };

	fputs("\n],\n\"displayTimeUnit\":\"ms\",\n\"otherData\":", w->out);
	json_begin_object(&json);
	for (size_t i = 0; i < c->fact_count; i++) {
		json_key(&json, capture_text(c, c->facts[i].key));
		json_cstring(&json, capture_text(c, c->facts[i].value));
	}
	json_end_object(&json);
	fputs("}\n", w->out);
}

static struct err *chrome_write(FILE *out, struct view *v, const struct export_options *options)
{
	const struct capture *c = view_capture(v);
	_cleanup_(chrome_deinit) struct chrome w = {
		.out = out,
		.view = v,
		.options = *options,
		.threads = xcalloc(c->thread_count, sizeof(*w.threads)),
		.cpu_ns = xcalloc(c->process_count, sizeof(*w.cpu_ns)),
		.counted = xcalloc(c->process_count, sizeof(*w.counted)),
	};

	w.options.functions = true; // lines come and go within one call
	export_ids_init(&w.ids, c);
	sample_clock_init(&w.clock, v);
	fputs("{\"traceEvents\":[", out);
	put_metadata(&w);
	put_markers(&w);
	view_begin(v); // decides on threads
	put_program_spans(&w);
	put_samples(&w);
	put_other_data(&w);
	struct err *err = view_end(v);
	if (err)
		return err;
	return ferror(out) ? err_errno(errno, "cannot write the trace") : NULL;
}

const struct exporter export_chrome = {
	.name = "chrome",
	.extension = "trace.json",
	.summary = "trace events for Perfetto, speedscope and the Firefox Profiler",
	.write_view = chrome_write,
};

// SPDX-License-Identifier: MIT
/*
 * pprof's protocol buffer, gzipped (google/pprof, proto/profile.proto).
 *
 *	values    samples, wall nanoseconds (if the period is known), CPU nanoseconds (if any are)
 *	labels    thread, process, span, state, gil, gc; thread id and pid, which are numbers, as pprof takes
 *	          `-tagfocus=pid=4711` for one
 *	comments  the facts of the run, and what could not be had
 *
 * There is one sample for each stack with the same labels: memory goes with these. Messages come in
 * the order in which they are complete: samples, what they need, all strings last.
 *
 * Function.system_name is left out: where it equals the name, pprof takes the name for one that C++
 * has mangled and drops what stands in `<>`. Files are those of the target, as pprof opens them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/intern.h"
#include "export/export.h"
#include "export/thread_names.h"
#include "fmt/gzip.h"
#include "fmt/pb_writer.h"
#include "fmt/pprof_fields.h"
#include "store/select_spans.h"

#define ONLY_MAPPING 1u

#define SPAN_SEPARATOR " > "
#define SPANS_NAMED 16 /* of those within each other: the innermost ones */

#define LABELLED_FLAGS (SAMPLE_HOLDS_GIL | SAMPLE_WAITS_FOR_GIL | SAMPLE_IN_GC)

/* Samples of one stack with the same labels. */
struct row {
	stack_id stack;
	uint32_t thread;
	uint8_t state, flags;
	uint32_t span; // string: its text and those around it; 0: none
	uint64_t count, cpu_ns;
};

/* Ids given in the order of first use, from 1 on, to rows of the view's tables. */
struct ids {
	uint32_t *by_key;
	size_t capacity;
	uint32_t *keys;
	size_t count, key_capacity;
};

struct pprof {
	struct view *view;
	const struct export_options *options;
	struct gzip_writer *gzip;
	uint64_t period_ns;
	bool has_cpu;
	struct row *rows;
	size_t row_count, row_capacity;
	struct intern row_index;
	struct ids locations; // keys: frames, or functions if these have no lines
	struct ids functions;
	struct profile strings; // nothing but its strings is used
	uint32_t *spans;        // by row of the capture: the string, 0 is not made yet
	struct buf message, part, inner;
};

static void ids_deinit(struct ids *ids)
{
	free(ids->by_key);
	free(ids->keys);
}

static uint32_t ids_get(struct ids *ids, uint32_t key)
{
	size_t had = ids->capacity;

	array_reserve(ids->by_key, ids->capacity, (size_t)key + 1);
	memset(ids->by_key + had, 0, (ids->capacity - had) * sizeof(*ids->by_key));
	if (!ids->by_key[key]) {
		array_reserve(ids->keys, ids->key_capacity, ids->count + 1);
		ids->keys[ids->count++] = key;
		ids->by_key[key] = (uint32_t)ids->count;
	}
	return ids->by_key[key];
}

static void pprof_init(struct pprof *w, struct view *v, const struct export_options *options)
{
	*w = (struct pprof){
		.view = v,
		.options = options,
		.period_ns = view_period_ns(v),
	};
	profile_init(&w->strings);
	w->spans = xcalloc(view_capture(v)->span_count, sizeof(*w->spans));
	profile_string(&w->strings, "", 0); // the first must be the empty one
}

static void pprof_deinit(struct pprof *w)
{
	gzip_writer_destroy(w->gzip);
	free(w->rows);
	free(w->spans);
	intern_deinit(&w->row_index);
	ids_deinit(&w->locations);
	ids_deinit(&w->functions);
	profile_deinit(&w->strings);
	buf_deinit(&w->message);
	buf_deinit(&w->part);
	buf_deinit(&w->inner);
}

/* ---- adding up -------------------------------------------------------------------------------- */

static bool same_row(const struct row *a, const struct row *b)
{
	return a->stack == b->stack && a->thread == b->thread && a->state == b->state &&
		a->flags == b->flags && a->span == b->span;
}

static struct row *row_of(struct pprof *w, const struct row *key)
{
	uint64_t labels = (uint64_t)key->thread << 16 | (uint64_t)key->state << 8 | key->flags;
	uint64_t hash = intern_hash2((uint64_t)key->span << 32 | key->stack, labels);

	for (struct intern_probe p = intern_begin(&w->row_index, hash);
		intern_next(&w->row_index, &p);)
		if (same_row(&w->rows[p.row], key))
			return &w->rows[p.row];
	intern_add(&w->row_index, hash, (uint32_t)w->row_count);
	array_reserve(w->rows, w->row_capacity, w->row_count + 1);
	w->rows[w->row_count] = *key;
	return &w->rows[w->row_count++];
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > INT64_MAX - b ? INT64_MAX : a + b;
}

static uint64_t product(uint64_t a, uint64_t b)
{
	return b && a > INT64_MAX / b ? INT64_MAX : a * b;
}

/*
 * One label, as pprof's readers want a key once: "request GET / > render index.html". Samples of spans
 * of equal names and texts are one.
 */
static uint32_t span_text(struct pprof *w, uint32_t span)
{
	const struct capture *c = view_capture(w->view);
	_cleanup_buf_ struct buf text = BUF_INIT;
	uint32_t path[SPANS_NAMED], at = span;
	size_t depth = 0;

	if (!span || w->spans[span - 1])
		return span ? w->spans[span - 1] : 0;
	while (at && depth < SPANS_NAMED) {
		uint32_t parent = c->spans[at - 1].parent;

		path[depth++] = at - 1;
		at = parent < at ? parent : 0;
	}
	if (at)
		buf_add_str(&text, "..." SPAN_SEPARATOR);
	while (depth--) {
		span_label(c, path[depth], &text);
		buf_add_str(&text, depth ? SPAN_SEPARATOR : "");
	}
	w->spans[span - 1] = profile_string(&w->strings, buf_str(&text), text.len);
	return w->spans[span - 1];
}

static struct err *add_up(struct pprof *w)
{
	const struct capture_sample *s;

	view_begin(w->view);
	while ((s = view_next(w->view))) {
		struct row *row = row_of(w, &(struct row){
						    .stack = view_marked_stack(w->view),
						    .thread = s->thread,
						    .state = s->state,
						    .flags = s->flags & LABELLED_FLAGS,
						    .span = span_text(w, s->span),
					    });

		row->count = sum(row->count, s->count & INT64_MAX);
		row->cpu_ns = sum(row->cpu_ns, s->cpu_ns & INT64_MAX);
		w->has_cpu |= s->cpu_ns > 0;
	}
	return view_end(w->view);
}

/* ---- parts of messages ------------------------------------------------------------------------ */

static uint32_t string_of(struct pprof *w, const char *text)
{
	return profile_string(&w->strings, text, strlen(text));
}

/* Strings of the view's tables may hold any character. */
static uint32_t string_in(struct pprof *w, const struct profile *p, string_id id)
{
	return profile_string(&w->strings, p->strings[id].text, p->strings[id].len);
}

/* The message that was built goes into the file. */
static void put_message(struct pprof *w, uint32_t field)
{
	buf_clear(&w->part);
	pb_put_element(&w->part, field, w->message.data, w->message.len);
	gzip_writer_add(w->gzip, w->part.data, w->part.len);
	buf_clear(&w->message);
}

static void put_plain(struct pprof *w, uint32_t field, uint64_t value)
{
	buf_clear(&w->part);
	pb_put_u64(&w->part, field, value);
	if (w->part.len)
		gzip_writer_add(w->gzip, w->part.data, w->part.len);
}

static void put_type(struct pprof *w, uint32_t field, const char *type, const char *unit)
{
	pb_put_u64(&w->message, VALUE_TYPE_TYPE, string_of(w, type));
	pb_put_u64(&w->message, VALUE_TYPE_UNIT, string_of(w, unit));
	put_message(w, field);
}

static void add_label(struct pprof *w, const char *key, uint32_t text)
{
	if (!text)
		return;
	buf_clear(&w->inner);
	pb_put_u64(&w->inner, LABEL_KEY, string_of(w, key));
	pb_put_u64(&w->inner, LABEL_TEXT, text);
	pb_put_bytes(&w->message, SAMPLE_LABEL, w->inner.data, w->inner.len);
}

static void add_number_label(struct pprof *w, const char *key, uint32_t number)
{
	if (!number)
		return;
	buf_clear(&w->inner);
	pb_put_u64(&w->inner, LABEL_KEY, string_of(w, key));
	pb_put_u64(&w->inner, LABEL_NUMBER, number);
	pb_put_bytes(&w->message, SAMPLE_LABEL, w->inner.data, w->inner.len);
}

/* ---- samples ---------------------------------------------------------------------------------- */

static const char *const state_names[SAMPLE_STATES] = {
	[SAMPLE_STATE_UNKNOWN] = "",
	[SAMPLE_ON_CPU] = "on-cpu",
	[SAMPLE_RUNNABLE] = "runnable",
	[SAMPLE_WAITING] = "waiting",
	[SAMPLE_STOPPED] = "stopped",
};

static void add_labels(struct pprof *w, const struct row *row)
{
	const struct capture *c = view_capture(w->view);
	const struct capture_thread *t = &c->threads[row->thread];

	add_label(w, "thread", string_in(w, &c->tables, t->name));
	add_number_label(w, "thread id", t->tid);
	if (t->process < c->process_count) {
		add_label(w, "process", string_in(w, &c->tables, c->processes[t->process].name));
		add_number_label(w, "pid", c->processes[t->process].pid);
	}
	add_label(w, "span", row->span);
	add_label(w, "state", string_of(w, state_names[row->state]));
	if (row->flags & SAMPLE_HOLDS_GIL)
		add_label(w, "gil", string_of(w, "holding"));
	if (row->flags & SAMPLE_WAITS_FOR_GIL)
		add_label(w, "gil", string_of(w, "waiting"));
	if (row->flags & SAMPLE_IN_GC)
		add_label(w, "gc", string_of(w, "collecting"));
}

/* Without lines all frames of a function are one location. */
static bool has_lines(const struct pprof *w)
{
	return !w->options->functions && !w->options->no_lines;
}

static void put_sample(struct pprof *w, const struct row *row)
{
	const struct profile *p = view_tables(w->view);

	buf_clear(&w->inner);
	for (stack_id s = row->stack; s != STACK_NONE; s = p->stacks[s].parent) {
		frame_id frame = p->stacks[s].frame;
		uint32_t key = has_lines(w) ? frame : p->frames[frame].function;

		pb_put_number(&w->inner, ids_get(&w->locations, key));
	}
	pb_put_bytes(&w->message, SAMPLE_LOCATION, w->inner.data, w->inner.len);
	buf_clear(&w->inner);
	pb_put_number(&w->inner, row->count);
	if (w->period_ns)
		pb_put_number(&w->inner, product(row->count, w->period_ns));
	if (w->has_cpu)
		pb_put_number(&w->inner, row->cpu_ns);
	pb_put_bytes(&w->message, SAMPLE_VALUE, w->inner.data, w->inner.len);
	add_labels(w, row);
	put_message(w, PROFILE_SAMPLE);
}

/* ---- what samples refer to -------------------------------------------------------------------- */

static void put_location(struct pprof *w, uint32_t id)
{
	const struct profile *p = view_tables(w->view);
	uint32_t key = w->locations.keys[id - 1], function = key, line;

	if (has_lines(w)) {
		function = p->frames[key].function;
		line = p->frames[key].line;
	} else {
		line = w->options->no_lines ? 0 : p->functions[function].first_line;
	}
	buf_clear(&w->inner);
	pb_put_u64(&w->inner, LINE_FUNCTION, ids_get(&w->functions, function));
	pb_put_u64(&w->inner, LINE_LINE, line);
	pb_put_u64(&w->message, LOCATION_ID, id);
	pb_put_u64(&w->message, LOCATION_MAPPING, ONLY_MAPPING);
	pb_put_bytes(&w->message, LOCATION_LINE, w->inner.data, w->inner.len);
	put_message(w, PROFILE_LOCATION);
}

static void put_function(struct pprof *w, uint32_t id)
{
	const struct profile *p = view_tables(w->view);
	const struct store_function *f = &p->functions[w->functions.keys[id - 1]];
	uint32_t name = string_in(w, p, f->name);

	pb_put_u64(&w->message, FUNCTION_ID, id);
	pb_put_u64(&w->message, FUNCTION_NAME, name ? name : string_of(w, "?"));
	pb_put_u64(&w->message, FUNCTION_FILENAME, string_in(w, p, f->file));
	if (!w->options->no_lines)
		pb_put_u64(&w->message, FUNCTION_START_LINE, f->first_line);
	put_message(w, PROFILE_FUNCTION);
}

/* The program. That all is known of it keeps pprof from looking for symbols. */
static void put_mapping(struct pprof *w)
{
	const struct capture *c = view_capture(w->view);

	pb_put_u64(&w->message, MAPPING_ID, ONLY_MAPPING);
	pb_put_u64(&w->message, MAPPING_FILENAME, string_of(w, thread_names_title(c, NULL)));
	for (uint32_t f = MAPPING_HAS_FUNCTIONS; f <= MAPPING_HAS_INLINE_FRAMES; f++)
		pb_put_u64(&w->message, f, 1);
	put_message(w, PROFILE_MAPPING);
}

static void put_strings(struct pprof *w)
{
	for (size_t i = 0; i < w->strings.string_count; i++) {
		buf_add(&w->message, w->strings.strings[i].text, w->strings.strings[i].len);
		put_message(w, PROFILE_STRING);
	}
}

/* ---- the run ---------------------------------------------------------------------------------- */

static void put_comment(struct pprof *w, const char *text)
{
	put_plain(w, PROFILE_COMMENT, string_of(w, text));
}

static void put_fact(struct pprof *w, const char *key, const char *value)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	buf_printf(&text, "%s: %s", key, value);
	put_comment(w, buf_str(&text));
}

static void put_count(struct pprof *w, const char *key, uint64_t count)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
	if (count)
		put_fact(w, key, digits);
}

static void put_comments(struct pprof *w)
{
	static const char *const kinds[] = {
		[LOSS_MISSED] = "ticks missed",
		[LOSS_ROOM] = "samples lost for room",
		[LOSS_SPACE] = "samples lost for disk space",
	};
	const struct capture *c = view_capture(w->view);
	const struct view_counts *counts = view_counts(w->view);
	uint64_t losses[ARRAY_LEN(kinds)] = { 0 };

	for (size_t i = 0; i < c->fact_count; i++)
		put_fact(w, capture_text(c, c->facts[i].key), capture_text(c, c->facts[i].value));
	for (size_t i = 0; i < c->loss_count; i++)
		losses[c->losses[i].kind] = sum(losses[c->losses[i].kind], c->losses[i].count);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		put_count(w, kinds[i], losses[i]);
	put_count(w, "samples left out by the selection", counts->left_out);
	put_count(w, "stacks not readable", counts->unreadable);
	put_count(w, "stacks truncated", counts->cut);
}

/* When the time that is shown began and ended: of the recording, cut to what is selected. */
static void put_times(struct pprof *w)
{
	const struct capture *c = view_capture(w->view);
	const struct selection *s = view_selection(w->view);
	uint64_t last = capture_last_ns(c);
	uint64_t begin = capture_fact_u64(c, FACT_START_NS, capture_first_ns(c));
	uint64_t end = capture_fact_u64(c, FACT_END_NS, last ? last + w->period_ns : 0);

	if (s->from_ns > begin)
		begin = s->from_ns;
	if (s->to_ns && s->to_ns < end)
		end = s->to_ns;
	put_plain(w, PROFILE_TIME_NANOS, begin & INT64_MAX);
	put_plain(w, PROFILE_DURATION_NANOS, end > begin ? (end - begin) & INT64_MAX : 0);
}

static void put_types(struct pprof *w)
{
	const char *unit = capture_fact(view_capture(w->view), FACT_UNIT);
	bool bytes = unit && strcmp(unit, "bytes") == 0;

	put_type(w, PROFILE_SAMPLE_TYPE, unit ? unit : "samples", bytes ? "bytes" : "count");
	if (w->period_ns)
		put_type(w, PROFILE_SAMPLE_TYPE, "wall", "nanoseconds");
	if (w->has_cpu)
		put_type(w, PROFILE_SAMPLE_TYPE, "cpu", "nanoseconds");
	if (!w->period_ns)
		return;
	bool cpu = w->has_cpu && view_selection(w->view)->mode == VIEW_CPU;
	put_type(w, PROFILE_PERIOD_TYPE, "wall", "nanoseconds");
	put_plain(w, PROFILE_PERIOD, w->period_ns);
	put_plain(w, PROFILE_DEFAULT_TYPE, string_of(w, cpu ? "cpu" : "wall"));
}

static void put_file(struct pprof *w)
{
	put_types(w);
	for (size_t i = 0; i < w->row_count; i++)
		if (w->rows[i].count || w->rows[i].cpu_ns)
			put_sample(w, &w->rows[i]);
	put_mapping(w);
	for (uint32_t id = 1; id <= w->locations.count; id++)
		put_location(w, id);
	for (uint32_t id = 1; id <= w->functions.count; id++)
		put_function(w, id);
	put_times(w);
	put_comments(w);
	put_strings(w);
	gzip_writer_finish(w->gzip);
}

static struct err *pprof_write(FILE *out, struct view *v, const struct export_options *options)
{
	_cleanup_(pprof_deinit) struct pprof w;

	pprof_init(&w, v, options);
	struct err *err = add_up(&w);
	if (!err)
		err = gzip_writer_create(&w.gzip, out);
	if (err)
		return err;
	put_file(&w);
	return ferror(out) ? err_errno(errno, "cannot write the profile") : NULL;
}

const struct exporter export_pprof = {
	.name = "pprof",
	.extension = "pb.gz",
	.summary = "gzipped protocol buffer for pprof, Pyroscope, Parca",
	.write_view = pprof_write,
};

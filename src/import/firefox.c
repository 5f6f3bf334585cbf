// SPDX-License-Identifier: MIT
/*
 * The Firefox Profiler's processed profile (firefox-devtools/profiler, src/types/profile.ts), with
 * tables per thread (to version 59) or shared by all: profiling.sampling --gecko, samply, fireglass.
 *
 * Tables are columns of equal length. Times are milliseconds from meta.startTime.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "import/json_util.h"
#include "import/weights.h"

#define MS_NS 1000000u

/* What a category says of a sample. */
struct category {
	uint8_t state, flags;
};

/* The stacks of a thread, or of all. */
struct tables {
	const struct json_value *strings;
	stack_id *stacks;            // by row
	struct category *categories; // by row
	size_t stack_count;
};

struct firefox {
	struct build b;
	struct weights weights;
	const struct json_value *root, *shared;
	struct tables all; // if they are shared
	uint64_t start_ns, period_ns;
	uint64_t cpu_unit_ns; // of threadCPUDelta; 0: none
	size_t number;        // of the thread that is being read
};

static struct err *bad(const struct firefox *r, const char *table, size_t i, const char *what)
{
	return err_new(ERR_FAILED, "threads[%zu].%s[%zu]: %s", r->number, table, i, what);
}

/* ---- tables ----------------------------------------------------------------------------------- */

static const struct json_value *cell(
	const struct json_value *table, const char *column, uint64_t row)
{
	return json_value_at(json_value_get(table, column), row);
}

/* A number of a column that is a row of another table; false if it is none (null too). */
static bool row_of(const struct json_value *v, uint64_t *ret)
{
	int64_t value;

	if (!json_value_whole(v, &value) || value < 0)
		return false;
	*ret = (uint64_t)value;
	return true;
}

static struct slice string_at(const struct tables *t, const struct json_value *index)
{
	uint64_t row;

	return row_of(index, &row) ? json_util_slice(json_value_at(t->strings, row)) : SLICE_NONE;
}

static uint64_t number_at(const struct json_value *v)
{
	uint64_t value;

	return row_of(v, &value) ? value : 0;
}

/* Files are named by the function, or by its source. */
static struct slice file_of(const struct firefox *r, const struct tables *t,
	const struct json_value *functions, uint64_t function)
{
	uint64_t source;

	if (!row_of(cell(functions, "source", function), &source))
		return string_at(t, cell(functions, "fileName", function));
	return string_at(t, cell(json_value_get(r->shared, "sources"), "filename", source));
}

static bool make_frame(struct firefox *r, const struct tables *t, const struct json_value *holder,
	uint64_t frame, frame_id *ret)
{
	const struct json_value *frames = json_value_get(holder, "frameTable");
	const struct json_value *functions = json_value_get(holder, "funcTable");
	uint64_t function;

	if (!row_of(cell(frames, "func", frame), &function))
		return false;
	struct build_frame f = {
		.name = string_at(t, cell(functions, "name", function)),
		.file = file_of(r, t, functions, function),
		.line = number_at(cell(frames, "line", frame)),
		.first_line = number_at(cell(functions, "lineNumber", function)),
	};
	if (!f.file.len && f.name.len > 2 && *f.name.text == '(')
		f.kind = FUNCTION_MARK;
	*ret = build_frame(&r->b, &f);
	return f.name.text != NULL;
}

/* The row that a stack's caller is in; rows of callers come first. */
static bool read_parent(const struct json_value *stacks, size_t i, bool *has_ret, uint64_t *ret)
{
	uint64_t offset;

	if (json_value_get(stacks, "prefixOffset")) {
		if (!row_of(cell(stacks, "prefixOffset", i), &offset) || offset > i)
			return false;
		*has_ret = offset > 0;
		*ret = i - offset;
		return true;
	}
	*has_ret = row_of(cell(stacks, "prefix", i), ret);
	return !*has_ret || *ret < i;
}

/* That of the stack, or of its leaf: transparent ones are idle. */
static struct category read_category(const struct firefox *r, const struct json_value *holder,
	const struct json_value *stacks, size_t i, uint64_t frame)
{
	static const struct {
		const char *name;
		uint8_t flag;
	} flags[] = {
		{ "GC", SAMPLE_IN_GC },
		{ "Garbage collection", SAMPLE_IN_GC },
		{ "Waiting for the GIL", SAMPLE_WAITS_FOR_GIL },
	};
	const struct json_value *all =
		json_value_get(json_value_get(r->root, "meta"), "categories");
	struct category c = { .state = SAMPLE_STATE_UNKNOWN };
	uint64_t row;

	if (!row_of(cell(stacks, "category", i), &row) &&
		!row_of(cell(json_value_get(holder, "frameTable"), "category", frame), &row))
		return c;
	const struct json_value *category = json_value_at(all, row);
	if (slice_is(json_util_text(category, "color"), "transparent"))
		c.state = SAMPLE_WAITING;
	for (size_t k = 0; k < ARRAY_LEN(flags); k++)
		if (slice_is(json_util_text(category, "name"), flags[k].name))
			c.flags = flags[k].flag;
	return c;
}

static struct err *read_tables(struct firefox *r, struct tables *t, const struct json_value *holder)
{
	const struct json_value *stacks = json_value_get(holder, "stackTable");
	uint64_t parent = 0, frame;
	frame_id id;
	bool has_parent;

	t->stack_count = json_value_count(json_value_get(stacks, "frame"));
	t->stacks = xcalloc(t->stack_count, sizeof(*t->stacks));
	t->categories = xcalloc(t->stack_count, sizeof(*t->categories));
	for (size_t i = 0; i < t->stack_count; i++) {
		if (!read_parent(stacks, i, &has_parent, &parent))
			return bad(r, "stackTable", i, "its caller does not come before it");
		if (!row_of(cell(stacks, "frame", i), &frame) ||
			!make_frame(r, t, holder, frame, &id))
			return bad(r, "stackTable", i, "it names a frame that is not there");
		t->categories[i] = read_category(r, holder, stacks, i, frame);
		t->stacks[i] = profile_stack(
			&r->b.c->tables, has_parent ? t->stacks[parent] : STACK_NONE, id);
	}
	return NULL;
}

/* ---- a thread --------------------------------------------------------------------------------- */

static uint64_t id_of(const struct json_value *thread, const char *key)
{
	struct slice text = json_util_text(thread, key);
	uint64_t id;

	// some are texts, and some of these hold more: "4711.2"
	return slice_u64(slice_head(text, slice_find(text, '.')), &id) ? id
								       : json_util_u64(thread, key);
}

static uint32_t find_thread(struct firefox *r, const struct json_value *thread)
{
	uint32_t process =
		build_process(&r->b, id_of(thread, "pid"), json_util_text(thread, "processName"));
	uint32_t row =
		build_thread(&r->b, process, id_of(thread, "tid"), json_util_text(thread, "name"));

	if (json_value_true(json_value_get(thread, "isMainThread")))
		r->b.c->threads[row].main = true;
	return row;
}

static bool read_time(struct firefox *r, const struct json_value *samples, size_t i, double *now_ms,
	uint64_t *ret)
{
	double ms;

	if (json_value_number(cell(samples, "time", i), &ms))
		*now_ms = ms;
	else if (json_value_number(cell(samples, "timeDeltas", i), &ms))
		*now_ms += ms;
	else
		return false;
	return weights_ns(*now_ms, MS_NS, ret) && !__builtin_add_overflow(*ret, r->start_ns, ret);
}

static bool read_weight(
	const struct json_value *samples, size_t i, bool is_time, struct capture_sample *s)
{
	double weight = 1;

	if (!json_value_is_array(json_value_get(samples, "weight")))
		return true;
	if (!json_value_number(cell(samples, "weight", i), &weight))
		return false;
	return weights_ns(weight < 0 ? 0 : weight, is_time ? MS_NS : 1, &s->count);
}

static struct err *read_sample(struct firefox *r, const struct tables *t, uint32_t thread,
	const struct json_value *samples, size_t i, double *now_ms)
{
	bool is_time = slice_is(json_util_text(samples, "weightType"), "tracing-ms");
	struct capture_sample s = build_blank_sample(thread, STACK_NONE);
	const struct json_value *stack = cell(samples, "stack", i);
	double cpu;
	uint64_t row;

	if (!read_time(r, samples, i, now_ms, &s.time_ns))
		return bad(r, "samples.time", i, "no time, or none that makes sense");
	if (!row_of(stack, &row)) // nothing was there
		return NULL;
	if (row >= t->stack_count)
		return bad(r, "samples.stack", i, "it names a stack that is not there");
	if (!read_weight(samples, i, is_time, &s))
		return bad(r, "samples.weight", i, "no number, or none that makes sense");
	s.stack = t->stacks[row];
	s.state = t->categories[row].state;
	s.flags = t->categories[row].flags;
	if (r->cpu_unit_ns && json_value_number(cell(samples, "threadCPUDelta", i), &cpu) &&
		!weights_ns(cpu < 0 ? 0 : cpu, r->cpu_unit_ns, &s.cpu_ns))
		s.cpu_ns = 0;
	if (is_time)
		weights_add(&r->weights, &s);
	else
		build_sample(&r->b, &s);
	return NULL;
}

static void read_markers(struct firefox *r, const struct tables *t, uint32_t thread,
	const struct json_value *markers)
{
	for (size_t i = 0; i < json_value_count(json_value_get(markers, "name")); i++) {
		struct capture_marker m = {
			.thread = thread,
			.process = r->b.c->threads[thread].process,
			.name = build_string(&r->b, string_at(t, cell(markers, "name", i))),
			.text = build_string(&r->b, SLICE_NONE),
		};
		double start, end;

		if (!json_value_number(cell(markers, "startTime", i), &start) ||
			!weights_ns(start, MS_NS, &m.start_ns))
			continue;
		if (!json_value_number(cell(markers, "endTime", i), &end) ||
			!weights_ns(end, MS_NS, &m.end_ns) || m.end_ns < m.start_ns)
			m.end_ns = m.start_ns;
		m.start_ns += r->start_ns;
		m.end_ns += r->start_ns;
		capture_add_marker(r->b.c, &m);
	}
}

static struct err *read_with(
	struct firefox *r, const struct tables *t, const struct json_value *thread)
{
	const struct json_value *samples = json_value_get(thread, "samples");
	size_t count = json_value_count(json_value_get(samples, "stack"));
	uint32_t row = find_thread(r, thread);
	double now_ms = 0;

	if (slice_is(json_util_text(samples, "weightType"), "bytes"))
		capture_set_fact(r->b.c, FACT_UNIT, "bytes");
	for (size_t i = 0; i < count; i++) {
		struct err *err = read_sample(r, t, row, samples, i, &now_ms);

		if (err)
			return err;
	}
	read_markers(r, t, row, json_value_get(thread, "markers"));
	return NULL;
}

static struct err *read_thread(struct firefox *r, const struct json_value *thread)
{
	struct tables own = { .strings = json_value_get(thread, "stringArray") };

	if (r->all.stacks)
		return read_with(r, &r->all, thread);
	if (!own.strings)
		own.strings = json_value_get(r->shared, "stringArray");
	struct err *err = read_tables(r, &own, thread);
	if (!err)
		err = read_with(r, &own, thread);
	free(own.stacks);
	free(own.categories);
	return err;
}

/* ---- the file --------------------------------------------------------------------------------- */

static void read_meta(struct firefox *r, const struct json_value *meta)
{
	struct slice unit = json_util_text(json_value_get(meta, "sampleUnits"), "threadCPUDelta");

	if (!weights_ns(json_util_number(meta, "startTime", 0), MS_NS, &r->start_ns))
		r->start_ns = 0;
	if (!weights_ns(json_util_number(meta, "interval", 0), MS_NS, &r->period_ns))
		r->period_ns = 0;
	if (slice_is(unit, "ns"))
		r->cpu_unit_ns = 1;
	else if (slice_is(unit, "µs"))
		r->cpu_unit_ns = 1000;
	capture_set_fact(r->b.c, FACT_CLOCK, "from the start");
	capture_set_fact_u64(r->b.c, FACT_START_NS, r->start_ns);
	if (json_util_text(meta, "importedFrom").len)
		build_fact(&r->b, FACT_TOOL, json_util_text(meta, "importedFrom"));
}

static struct err *read_all(struct firefox *r)
{
	const struct json_value *threads = json_value_get(r->root, "threads");
	struct err *err = NULL;

	if (!json_value_is_array(threads))
		return err_new(ERR_FAILED, "it has no threads");
	r->shared = json_value_get(r->root, "shared");
	read_meta(r, json_value_get(r->root, "meta"));
	if (json_value_get(r->shared, "stackTable")) {
		r->all.strings = json_value_get(r->shared, "stringArray");
		err = read_tables(r, &r->all, r->shared);
	}
	for (; !err && r->number < json_value_count(threads); r->number++)
		err = read_thread(r, json_value_at(threads, r->number));
	if (err)
		return err;
	if (r->weights.count)
		weights_finish(&r->weights, &r->b);
	else if (r->period_ns && !capture_fact(r->b.c, FACT_UNIT))
		capture_set_fact_u64(r->b.c, FACT_PERIOD_NS, r->period_ns);
	return build_finish(&r->b);
}

static struct err *firefox_read(const struct import_input *in, struct capture *c)
{
	struct firefox r = { 0 };
	struct json_doc *doc;
	struct err *err = json_doc_parse(&doc, in->data, in->len);

	if (err)
		return err;
	r.root = json_doc_root(doc);
	build_init(&r.b, c, "firefox");
	err = read_all(&r);
	json_doc_destroy(doc);
	free(r.all.stacks);
	free(r.all.categories);
	weights_deinit(&r.weights);
	build_deinit(&r.b);
	return err;
}

static bool firefox_sniff(const char *data, size_t len)
{
	return json_util_first(data, len) == '{' &&
		json_util_mentions(data, len, "preprocessedProfileVersion");
}

const struct importer import_firefox = {
	.name = "firefox",
	.summary = "the Firefox Profiler's processed profile",
	.sniff = firefox_sniff,
	.read = firefox_read,
};

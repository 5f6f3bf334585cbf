// SPDX-License-Identifier: MIT
/*
 * Callgrind's text, for kcachegrind, qcachegrind and callgrind_annotate.
 *
 *	events: Samples CPU_ns         CPU_ns only if the CPU time of some sample is known
 *	fl=(1) /srv/app/views.py
 *	fn=(1) View.get
 *	12 40                          samples that ended on this line
 *	cfi=(2) ...                    then calls: samples in which line 12 called this function
 *	cfn=(2) render
 *	calls=800 1285
 *	12 800
 *
 * (1) is a number given to a name the first time; later it stands for the name. What readers show as
 * the total of a function is the cost of all calls to it, which would count a stack of a recursive
 * function several times. So a stack counts once for each of its functions, by the call of the outermost
 * frame; inner calls are written at no cost. The roots of stacks are called by "(all samples)": without
 * a caller they would miss those samples as soon as somebody else calls them too.
 *
 * Readers know a function by its name and file. Functions that have the same ones are told apart by
 * their first lines: `wrapper:12`, `wrapper:40`.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/intern.h"
#include "export/export.h"
#include "export/label.h"
#include "export/rekey.h"

#define NO_FILE "???" /* as callgrind has it */
#define NO_CALLEE UINT32_MAX
#define ALL_SAMPLES "(all samples)"
#define EVENTS 2

/* Cost of a line itself (callee NO_CALLEE), or of calls from it. */
struct cost {
	function_id function;
	uint32_t line;
	function_id callee;
	uint64_t calls;
	uint64_t events[EVENTS];
};

struct callgrind {
	FILE *out;
	struct profile keyed[EVENTS]; // the same tables, each with the weights of an event
	size_t event_count;
	struct store_frame all; // that calls the roots of stacks
	struct cost *costs;
	size_t cost_count, cost_capacity;
	struct intern index;
	stack_id *stamps; // by cost: the stack that counted it last
	size_t stamp_capacity;
	stack_id *seen;                    // by function: the stack it was seen in last
	bool *ambiguous;                   // by function: another one has its name and file
	bool *function_named, *file_named; // by function, by string: its number has been given
};

static void callgrind_deinit(struct callgrind *w)
{
	for (size_t i = 0; i < EVENTS; i++)
		profile_deinit(&w->keyed[i]);
	free(w->costs);
	intern_deinit(&w->index);
	free(w->stamps);
	free(w->seen);
	free(w->ambiguous);
	free(w->function_named);
	free(w->file_named);
}

/* ---- names ------------------------------------------------------------------------------------ */

/* A line can hold it, and readers that cut off spaces at its ends leave it whole. */
static string_id line_text(struct profile *to, const struct store_string *s, const char *missing)
{
	_cleanup_buf_ struct buf escaped = BUF_INIT;
	size_t skip = s->len && s->text[0] == ' ';

	if (!s->len)
		return profile_string(to, missing, strlen(missing));
	if (skip)
		buf_add_str(&escaped, "\\x20");
	label_escape(&escaped, s->text + skip, s->len - skip);
	if (escaped.data[escaped.len - 1] == ' ') {
		escaped.len--;
		buf_add_str(&escaped, "\\x20");
	}
	return profile_string(to, escaped.data, escaped.len);
}

static struct store_function callgrind_key(
	struct profile *to, const struct profile *from, const struct store_function *f)
{
	bool python = f->kind == FUNCTION_PYTHON;

	return (struct store_function){
		.name = line_text(to, &from->strings[f->name], "?"),
		.file = line_text(to, &from->strings[f->file], NO_FILE),
		.first_line = python ? f->first_line : 0,
	};
}

static void add_all_samples(struct callgrind *w)
{
	struct profile *p = &w->keyed[0];
	struct store_function f = {
		.name = profile_string(p, ALL_SAMPLES, strlen(ALL_SAMPLES)),
		.file = profile_string(p, NO_FILE, strlen(NO_FILE)),
	};

	w->all.function = profile_function(p, &f);
}

static void find_ambiguous(struct callgrind *w)
{
	const struct profile *p = &w->keyed[0];
	struct intern index = { 0 };

	w->ambiguous = xcalloc(p->function_count, sizeof(*w->ambiguous));
	for (size_t i = 0; i < p->function_count; i++) {
		const struct store_function *f = &p->functions[i];
		uint64_t hash = intern_hash2(f->name, f->file);
		bool found = false;

		for (struct intern_probe at = intern_begin(&index, hash);
			!found && intern_next(&index, &at);) {
			const struct store_function *g = &p->functions[at.row];

			if (g->name != f->name || g->file != f->file)
				continue;
			found = w->ambiguous[at.row] = w->ambiguous[i] = true;
		}
		if (!found)
			intern_add(&index, hash, (uint32_t)i);
	}
	intern_deinit(&index);
}

/* `key=(7) name` the first time, `key=(7)` afterwards. */
static void put_file(struct callgrind *w, const char *key, function_id function)
{
	string_id file = w->keyed[0].functions[function].file;

	fprintf(w->out, "%s=(%" PRIu32 ")", key, file + 1);
	if (!w->file_named[file])
		fprintf(w->out, " %s", profile_text(&w->keyed[0], file));
	w->file_named[file] = true;
	fputc('\n', w->out);
}

static void put_function(struct callgrind *w, const char *key, function_id function)
{
	const struct store_function *f = &w->keyed[0].functions[function];

	fprintf(w->out, "%s=(%" PRIu32 ")", key, function + 1);
	if (!w->function_named[function]) {
		fprintf(w->out, " %s", profile_text(&w->keyed[0], f->name));
		if (w->ambiguous[function])
			fprintf(w->out, ":%" PRIu32, f->first_line);
	}
	w->function_named[function] = true;
	fputc('\n', w->out);
}

/* ---- costs ------------------------------------------------------------------------------------ */

static size_t cost_row(
	struct callgrind *w, const struct store_frame *frame, function_id callee)
{
	uint64_t hash = intern_hash2((uint64_t)frame->function << 32 | frame->line, callee);

	for (struct intern_probe at = intern_begin(&w->index, hash);
		intern_next(&w->index, &at);) {
		const struct cost *c = &w->costs[at.row];

		if (c->function == frame->function && c->line == frame->line && c->callee == callee)
			return at.row;
	}
	array_reserve(w->costs, w->cost_capacity, w->cost_count + 1);
	array_reserve(w->stamps, w->stamp_capacity, w->cost_count + 1);
	w->costs[w->cost_count] = (struct cost){
		.function = frame->function,
		.line = frame->line,
		.callee = callee,
	};
	w->stamps[w->cost_count] = STACK_NONE;
	intern_add(&w->index, hash, (uint32_t)w->cost_count);
	return w->cost_count++;
}

static void add_events(struct callgrind *w, size_t row, stack_id stack)
{
	for (size_t i = 0; i < w->event_count; i++)
		w->costs[row].events[i] += w->keyed[i].weights[stack];
}

/* `frames` is room for the deepest stack and the caller of its root. */
static void add_stack(struct callgrind *w, stack_id stack, const struct store_frame **frames)
{
	const struct profile *p = &w->keyed[0];
	size_t depth = profile_depth(p, stack), at = depth;

	add_events(w, cost_row(w, &p->frames[p->stacks[stack].frame], NO_CALLEE), stack);
	for (stack_id s = stack; s != STACK_NONE; s = p->stacks[s].parent)
		frames[at--] = &p->frames[p->stacks[s].frame];
	frames[0] = &w->all;
	for (size_t i = 1; i <= depth; i++) {
		function_id callee = frames[i]->function;
		size_t row = cost_row(w, frames[i - 1], callee);

		if (w->seen[callee] != stack)
			add_events(w, row, stack);
		w->seen[callee] = stack;
		if (w->stamps[row] != stack)
			w->costs[row].calls += p->weights[stack];
		w->stamps[row] = stack;
	}
}

static bool has_weight(const struct callgrind *w, size_t stack)
{
	for (size_t i = 0; i < w->event_count; i++)
		if (w->keyed[i].weights[stack])
			return true;
	return false;
}

static void add_stacks(struct callgrind *w)
{
	const struct profile *p = &w->keyed[0];
	size_t deepest = 0;

	for (size_t i = 0; i < p->stack_count; i++) {
		size_t depth = profile_depth(p, (stack_id)i);

		deepest = depth > deepest ? depth : deepest;
	}
	_cleanup_free_ const struct store_frame **frames = xcalloc(deepest + 1, sizeof(*frames));
	w->seen = xcalloc(p->function_count, sizeof(*w->seen));
	memset(w->seen, 0xff, p->function_count * sizeof(*w->seen)); // STACK_NONE
	for (size_t i = 0; i < p->stack_count; i++)
		if (has_weight(w, i))
			add_stack(w, (stack_id)i, frames);
}

/* By function; the lines of the function itself before its calls. */
static int compare_costs(const void *a, const void *b)
{
	const struct cost *x = a, *y = b;
	bool calls_x = x->callee != NO_CALLEE, calls_y = y->callee != NO_CALLEE;

	if (x->function != y->function)
		return x->function < y->function ? -1 : 1;
	if (calls_x != calls_y)
		return calls_x ? 1 : -1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->callee < y->callee ? -1 : x->callee > y->callee;
}

/* ---- output ----------------------------------------------------------------------------------- */

static void put_events(const struct callgrind *w, const uint64_t *events)
{
	for (size_t i = 0; i < w->event_count; i++)
		fprintf(w->out, " %" PRIu64, events[i]);
	fputc('\n', w->out);
}

static void put_cost(struct callgrind *w, const struct cost *c)
{
	if (c->callee != NO_CALLEE) {
		put_file(w, "cfi", c->callee);
		put_function(w, "cfn", c->callee);
		fprintf(w->out, "calls=%" PRIu64 " %" PRIu32 "\n", c->calls,
			w->keyed[0].functions[c->callee].first_line);
	}
	fprintf(w->out, "%" PRIu32, c->line);
	put_events(w, c->events);
}

static void put_header(struct callgrind *w, const struct export_options *options)
{
	fputs("# callgrind format\nversion: 1\ncreator: fireglass\n", w->out);
	if (options->command) {
		_cleanup_buf_ struct buf command = BUF_INIT;

		label_escape(&command, options->command, strlen(options->command));
		fprintf(w->out, "cmd: %s\n", buf_str(&command));
	}
	if (options->unit)
		fprintf(w->out, "desc: a sample every %s\n", options->unit);
	fputs("desc: calls are samples in which the call was on the stack\npositions: line\n"
	      "event: Samples : samples\n",
		w->out);
	if (w->event_count > 1)
		fputs("event: CPU_ns : CPU time in nanoseconds\n", w->out);
	fprintf(w->out, "events: Samples%s\n", w->event_count > 1 ? " CPU_ns" : "");
}

static void put_body(struct callgrind *w)
{
	uint64_t totals[EVENTS];

	for (size_t i = 0; i < w->event_count; i++)
		totals[i] = w->keyed[i].total;
	fputs("summary:", w->out);
	put_events(w, totals);
	for (size_t i = 0; i < w->cost_count; i++) {
		const struct cost *c = &w->costs[i];

		if (i == 0 || c->function != w->costs[i - 1].function) {
			fputc('\n', w->out);
			put_file(w, "fl", c->function);
			put_function(w, "fn", c->function);
		}
		put_cost(w, c);
	}
	fputs("\ntotals:", w->out);
	put_events(w, totals);
}

/* CPU time first, as what a view gives lasts until its next pass. */
static struct err *read_events(struct callgrind *w, struct view *v)
{
	_cleanup_free_ uint64_t *cpu = NULL;
	const struct profile *p;
	struct err *err = view_profile(v, VIEW_CPU_NS, &p);
	size_t known = err ? 0 : p->stack_count;
	bool any_cpu = !err && p->total;

	if (any_cpu) {
		cpu = xcalloc(known, sizeof(*cpu));
		memcpy(cpu, p->weights, known * sizeof(*cpu));
	}
	if (!err)
		err = view_profile(v, VIEW_COUNTS, &p);
	if (err)
		return err;
	rekey_profile(&w->keyed[0], p, callgrind_key);
	w->event_count = 1;
	if (!any_cpu)
		return NULL;
	struct profile other = *p;
	cpu = xreallocarray(cpu, p->stack_count, sizeof(*cpu));
	for (size_t i = known; i < p->stack_count; i++)
		cpu[i] = 0;
	other.weights = cpu;
	rekey_profile(&w->keyed[1], &other, callgrind_key);
	w->event_count = 2;
	return NULL;
}

static struct err *callgrind_write(
	FILE *out, struct view *v, const struct export_options *options)
{
	_cleanup_(callgrind_deinit) struct callgrind w = { .out = out };

	for (size_t i = 0; i < EVENTS; i++)
		profile_init(&w.keyed[i]);
	struct err *err = read_events(&w, v);
	if (err)
		return err;
	add_all_samples(&w);
	find_ambiguous(&w);
	add_stacks(&w);
	if (w.cost_count)
		qsort(w.costs, w.cost_count, sizeof(*w.costs), compare_costs);
	w.function_named = xcalloc(w.keyed[0].function_count, sizeof(*w.function_named));
	w.file_named = xcalloc(w.keyed[0].string_count, sizeof(*w.file_named));
	put_header(&w, options);
	put_body(&w);
	return ferror(out) ? err_errno(errno, "cannot write the call graph") : NULL;
}

const struct exporter export_callgrind = {
	.name = "callgrind",
	.extension = "callgrind",
	.summary = "call graph with lines, for kcachegrind and callgrind_annotate",
	.write_view = callgrind_write,
};

// SPDX-License-Identifier: MIT
/*
 * V8's .cpuprofile, for Chrome's DevTools, VS Code, speedscope and the Firefox Profiler.
 *
 * The format has one line of time, so it holds one thread: the busiest of those selected, by CPU time
 * if that is known, else by samples. (Threads put side by side would each get a part of the time that
 * passed.) `--thread` selects another. Its name is in "title", which readers leave alone.
 *
 *	nodes       the call tree: functions with their place (lines from 0), the lines that were
 *	            executing (positionTicks, from 1) and the samples that ended there (hitCount)
 *	samples     the node of each sample; "(idle)" where the thread was not looked at, and at the end:
 *	            readers take a sample to last until the next one
 *	timeDeltas  microseconds since the sample before it
 *
 * Nodes are written last: they are known when all samples have been read. Memory is for the tree.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/intern.h"
#include "export/export.h"
#include "export/sample_clock.h"
#include "fmt/digits.h"
#include "fmt/json_writer.h"

#define ROOT 0
#define IDLE 1
#define FIRST_NODE 2
#define NODE_NONE UINT32_MAX

struct node {
	uint32_t parent, first_child, last_child, next_sibling;
	function_id function; // of no meaning for ROOT and IDLE
	uint64_t hits;
	uint32_t first_tick; // NODE_NONE: none
};

struct tick {
	uint32_t line, next;
	uint64_t count;
};

struct cpuprofile {
	FILE *out;
	struct view *view;
	struct sample_clock clock;
	uint32_t thread; // CAPTURE_NONE: there is no sample
	struct node *nodes;
	size_t node_count, node_capacity;
	struct tick *ticks;
	size_t tick_count, tick_capacity;
	uint32_t *node_of; // by stack, plus 1
	size_t stack_capacity;
	struct intern index; // of nodes by parent and function
	uint64_t last_us;    // of the sample before, from the origin
	bool began;
};

static void cpuprofile_deinit(struct cpuprofile *w)
{
	free(w->nodes);
	free(w->ticks);
	free(w->node_of);
	intern_deinit(&w->index);
	sample_clock_deinit(&w->clock);
}

/* ---- which thread ----------------------------------------------------------------------------- */

struct use {
	uint64_t cpu_ns, samples;
};

static struct err *choose_thread(struct cpuprofile *w)
{
	const struct capture *c = view_capture(w->view);
	_cleanup_free_ struct use *uses = xcalloc(c->thread_count, sizeof(*uses));
	const struct capture_sample *s;
	struct use best = { 0 };

	view_begin(w->view);
	while ((s = view_next(w->view))) {
		uses[s->thread].cpu_ns += s->cpu_ns;
		uses[s->thread].samples += s->count;
	}
	w->thread = CAPTURE_NONE;
	for (size_t i = 0; i < c->thread_count; i++) {
		const struct use *u = &uses[i];

		if (u->cpu_ns < best.cpu_ns ||
			(u->cpu_ns == best.cpu_ns && u->samples <= best.samples))
			continue;
		best = *u;
		w->thread = (uint32_t)i;
	}
	return view_end(w->view);
}

/* ---- the tree --------------------------------------------------------------------------------- */

static uint32_t add_node(struct cpuprofile *w, uint32_t parent, function_id function)
{
	uint32_t id = (uint32_t)w->node_count++;

	array_reserve(w->nodes, w->node_capacity, w->node_count);
	w->nodes[id] = (struct node){
		.parent = parent,
		.first_child = NODE_NONE,
		.last_child = NODE_NONE,
		.next_sibling = NODE_NONE,
		.function = function,
		.first_tick = NODE_NONE,
	};
	if (parent == NODE_NONE)
		return id;
	struct node *p = &w->nodes[parent];
	if (p->first_child == NODE_NONE)
		p->first_child = id;
	else
		w->nodes[p->last_child].next_sibling = id;
	p->last_child = id;
	return id;
}

static uint32_t child_of(struct cpuprofile *w, uint32_t parent, function_id function)
{
	uint64_t hash = intern_hash2(parent, function);

	for (struct intern_probe at = intern_begin(&w->index, hash);
		intern_next(&w->index, &at);) {
		const struct node *n = &w->nodes[at.row];

		if (n->parent == parent && n->function == function)
			return at.row;
	}
	uint32_t id = add_node(w, parent, function);
	intern_add(&w->index, hash, id);
	return id;
}

/* The nearest known caller first, then nodes for what is below it; no recursion. */
static uint32_t node_of_stack(struct cpuprofile *w, stack_id stack)
{
	const struct profile *p = view_tables(w->view);
	_cleanup_free_ stack_id *missing = NULL;
	size_t count = 0, capacity = 0, had = w->stack_capacity;
	uint32_t node = ROOT;

	array_reserve(w->node_of, w->stack_capacity, p->stack_count);
	memset(w->node_of + had, 0, (w->stack_capacity - had) * sizeof(*w->node_of));
	for (; stack != STACK_NONE && !w->node_of[stack]; stack = p->stacks[stack].parent) {
		array_reserve(missing, capacity, count + 1);
		missing[count++] = stack;
	}
	if (stack != STACK_NONE)
		node = w->node_of[stack] - 1;
	while (count > 0) {
		stack_id s = missing[--count];

		node = child_of(w, node, p->frames[p->stacks[s].frame].function);
		w->node_of[s] = node + 1;
	}
	return node;
}

static void count_tick(struct cpuprofile *w, uint32_t node, uint32_t line, uint64_t count)
{
	uint32_t at = w->nodes[node].first_tick;

	w->nodes[node].hits += count;
	if (!line)
		return;
	while (at != NODE_NONE && w->ticks[at].line != line)
		at = w->ticks[at].next;
	if (at == NODE_NONE) {
		at = (uint32_t)w->tick_count++;
		array_reserve(w->ticks, w->tick_capacity, w->tick_count);
		w->ticks[at] = (struct tick){ .line = line, .next = w->nodes[node].first_tick };
		w->nodes[node].first_tick = at;
	}
	w->ticks[at].count += count;
}

/* ---- samples ---------------------------------------------------------------------------------- */

static void put_number(struct cpuprofile *w, uint64_t number)
{
	if (w->began)
		fputc(',', w->out);
	digits_put(w->out, number);
	w->began = true;
}

static void put_idle(struct cpuprofile *w)
{
	w->nodes[IDLE].hits++;
	put_number(w, IDLE + 1);
}

/* What is put where: of a sample, or of the end if `s` is NULL. */
static void put_sample_node(
	struct cpuprofile *w, const struct capture_sample *s, const struct sample_time *time)
{
	const struct profile *p = view_tables(w->view);

	if (!s || time->gap)
		put_idle(w);
	if (!s)
		return;
	stack_id stack = view_marked_stack(w->view);
	uint32_t node = node_of_stack(w, stack);
	count_tick(w, node, p->frames[p->stacks[stack].frame].line, s->count);
	put_number(w, node + 1);
}

static void put_delta_to(struct cpuprofile *w, uint64_t ns)
{
	uint64_t us = ns / 1000;

	put_number(w, us - w->last_us);
	w->last_us = us;
}

static void put_sample_delta(
	struct cpuprofile *w, const struct capture_sample *s, const struct sample_time *time)
{
	(void)s;
	if (time->gap)
		put_delta_to(w, time->gap_from_ns);
	put_delta_to(w, time->begin_ns);
}

/* One array: what `put` writes for each sample of the thread, and for its end. */
static struct err *put_array(struct cpuprofile *w, const char *name,
	void (*put)(struct cpuprofile *w, const struct capture_sample *s,
		const struct sample_time *time))
{
	const struct capture_sample *s;

	fprintf(w->out, "\"%s\":[", name);
	w->began = false;
	w->last_us = 0;
	sample_clock_reset(&w->clock, w->view);
	view_begin(w->view);
	while ((s = view_next(w->view))) {
		if (s->thread != w->thread)
			continue;
		struct sample_time time = sample_clock_next(&w->clock, s);
		put(w, s, &time);
	}
	if (w->thread != CAPTURE_NONE) {
		struct sample_time end = { .begin_ns = sample_clock_end(&w->clock, w->thread) };
		put(w, NULL, &end);
	}
	fputs("],\n", w->out);
	return view_end(w->view);
}

/* ---- nodes ------------------------------------------------------------------------------------ */

static void put_call_frame(struct cpuprofile *w, struct json_writer *json, uint32_t id)
{
	const struct profile *p = view_tables(w->view);
	const struct store_function *f =
		id < FIRST_NODE ? NULL : &p->functions[w->nodes[id].function];
	const struct store_string *name = f ? &p->strings[f->name] : NULL;
	const struct store_string *file = f ? &p->strings[f->file] : NULL;
	char script[16];

	snprintf(script, sizeof(script), "%" PRIu32, f ? f->file : 0);
	json_key(json, "callFrame");
	json_begin_object(json);
	json_key(json, "functionName");
	if (!f)
		json_cstring(json, id == ROOT ? "(root)" : "(idle)");
	else
		json_string(json, name->len ? name->text : "?", name->len ? name->len : 1);
	json_key(json, "scriptId");
	json_cstring(json, script);
	json_key(json, "url");
	json_string(json, f ? file->text : "", f ? file->len : 0);
	json_key(json, "lineNumber"); // from 0; -1: none
	json_i64(json, f && f->kind == FUNCTION_PYTHON ? (int64_t)f->first_line - 1 : -1);
	json_key(json, "columnNumber");
	json_i64(json, -1);
	json_end_object(json);
}

static void put_ticks(struct cpuprofile *w, struct json_writer *json, const struct node *n)
{
	json_key(json, "positionTicks");
	json_begin_array(json);
	for (uint32_t at = n->first_tick; at != NODE_NONE; at = w->ticks[at].next) {
		json_begin_object(json);
		json_key(json, "line");
		json_u64(json, w->ticks[at].line);
		json_key(json, "ticks");
		json_u64(json, w->ticks[at].count);
		json_end_object(json);
	}
	json_end_array(json);
}

static void put_node(struct cpuprofile *w, uint32_t id)
{
	struct json_writer json = { .stream = w->out };
	const struct node *n = &w->nodes[id];

	json_begin_object(&json);
	json_key(&json, "id");
	json_u64(&json, id + 1);
	put_call_frame(w, &json, id);
	json_key(&json, "hitCount");
	json_u64(&json, n->hits);
	json_key(&json, "children");
	json_begin_array(&json);
	for (uint32_t child = n->first_child; child != NODE_NONE;
		child = w->nodes[child].next_sibling)
		json_u64(&json, child + 1);
	json_end_array(&json);
	if (n->first_tick != NODE_NONE)
		put_ticks(w, &json, n);
	json_end_object(&json);
}

static void put_rest(struct cpuprofile *w)
{
	const struct capture *c = view_capture(w->view);
	bool some = w->thread != CAPTURE_NONE;
	uint64_t origin_us = w->clock.origin_ns / 1000;
	uint64_t start_us = origin_us, end_us = origin_us;
	struct json_writer json = { .stream = w->out };

	if (some) {
		end_us += sample_clock_end(&w->clock, w->thread) / 1000;
		fputs("\"title\":", w->out);
		json_cstring(&json, capture_text(c, c->threads[w->thread].name));
		fputs(",\n", w->out);
	}
	fprintf(w->out, "\"startTime\":%" PRIu64 ",\n\"endTime\":%" PRIu64 ",\n\"nodes\":[\n",
		start_us, end_us);
	for (uint32_t i = 0; i < w->node_count; i++) {
		if (i > 0)
			fputs(",\n", w->out);
		put_node(w, i);
	}
	fputs("\n]}\n", w->out);
}

static struct err *cpuprofile_write(
	FILE *out, struct view *v, const struct export_options *options)
{
	_cleanup_(cpuprofile_deinit) struct cpuprofile w = { .out = out, .view = v };

	(void)options;
	sample_clock_init(&w.clock, v);
	struct err *err = choose_thread(&w);
	if (err)
		return err;
	add_node(&w, NODE_NONE, 0);
	add_node(&w, ROOT, 0);
	fputs("{\n", out);
	err = put_array(&w, "samples", put_sample_node);
	if (!err)
		err = put_array(&w, "timeDeltas", put_sample_delta);
	if (err)
		return err;
	put_rest(&w);
	return ferror(out) ? err_errno(errno, "cannot write the CPU profile") : NULL;
}

const struct exporter export_cpuprofile = {
	.name = "cpuprofile",
	.extension = "cpuprofile",
	.summary = "the busiest thread as a V8 CPU profile, for DevTools and VS Code",
	.write_view = cpuprofile_write,
};

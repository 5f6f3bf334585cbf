// SPDX-License-Identifier: MIT
/*
 * V8's .cpuprofile: a tree of nodes, and for each sample its node and the microseconds since the one
 * before. A sample holds until the next one. Lines count from 0 here.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "import/json_util.h"
#include "import/weights.h"

#define NO_NODE UINT32_MAX

struct node {
	int64_t id;
	const struct json_value *value;
	uint32_t parent;
	bool done;
	stack_id stack;
	enum sample_state state;
	uint8_t flags;
};

struct cpuprofile {
	struct build b;
	struct weights weights;
	const struct json_value *root;
	struct node *nodes;
	size_t node_count;
	struct intern index; // of nodes by id
	uint32_t *path;
	uint32_t thread;
};

/* ---- nodes ------------------------------------------------------------------------------------ */

static uint32_t find_node(const struct cpuprofile *r, const struct json_value *id_value)
{
	int64_t id;

	if (!json_value_whole(id_value, &id))
		return NO_NODE;
	for (struct intern_probe p = intern_begin(&r->index, intern_hash2((uint64_t)id, 0));
		intern_next(&r->index, &p);)
		if (r->nodes[p.row].id == id)
			return p.row;
	return NO_NODE;
}

static struct err *index_nodes(struct cpuprofile *r)
{
	const struct json_value *list = json_value_get(r->root, "nodes");

	r->node_count = json_value_count(list);
	r->nodes = xcalloc(r->node_count, sizeof(*r->nodes));
	r->path = xcalloc(r->node_count, sizeof(*r->path));
	for (size_t i = 0; i < r->node_count; i++) {
		const struct json_value *v = json_value_at(list, i);
		struct node *n = &r->nodes[i];

		if (!json_value_whole(json_value_get(v, "id"), &n->id) ||
			find_node(r, json_value_get(v, "id")) != NO_NODE)
			return err_new(ERR_FAILED, "nodes[%zu]: no id, or not its own", i);
		n->value = v;
		n->parent = NO_NODE;
		intern_add(&r->index, intern_hash2((uint64_t)n->id, 0), (uint32_t)i);
	}
	return NULL;
}

/* Parents are told by the child ("parent") or tell their children ("children"). */
static struct err *link_nodes(struct cpuprofile *r)
{
	for (uint32_t i = 0; i < r->node_count; i++) {
		const struct json_value *children = json_value_get(r->nodes[i].value, "children");
		const struct json_value *parent = json_value_get(r->nodes[i].value, "parent");

		for (size_t k = 0; k < json_value_count(children); k++) {
			uint32_t child = find_node(r, json_value_at(children, k));

			if (child == NO_NODE || r->nodes[child].parent != NO_NODE)
				return err_new(ERR_FAILED,
					"nodes[%u].children[%zu]: no such node, or another's child",
					i, k);
			r->nodes[child].parent = i;
		}
		if (parent)
			r->nodes[i].parent = find_node(r, parent);
	}
	return NULL;
}

/* The line that was executing in all samples of a node, if it was but one. */
static uint64_t only_line(const struct json_value *node)
{
	const struct json_value *ticks = json_value_get(node, "positionTicks");

	return json_value_count(ticks) == 1 ? json_util_u64(json_value_at(ticks, 0), "line") : 0;
}

static void make_frame(struct cpuprofile *r, struct node *n, stack_id parent)
{
	const struct json_value *call = json_value_get(n->value, "callFrame");
	struct build_frame f = {
		.name = json_util_text(call, "functionName"),
		.file = json_util_text(call, "url"),
		.line = only_line(n->value),
	};
	int64_t line;

	if (json_value_whole(json_value_get(call, "lineNumber"), &line) && line >= 0)
		f.first_line = (uint64_t)line + 1;
	if (slice_starts(f.file, "file://"))
		f.file = slice_from(f.file, strlen("file://"));
	if (!f.name.len)
		f.name = SLICE("(anonymous)");
	else if (!f.file.len && *f.name.text == '(')
		f.kind = FUNCTION_MARK;
	n->stack = parent;
	n->done = true;
	if (n->parent == NO_NODE && slice_is(f.name, "(root)"))
		return;
	if (f.kind == FUNCTION_MARK && slice_is(f.name, "(garbage collector)"))
		n->flags = SAMPLE_IN_GC;
	if (f.kind == FUNCTION_MARK && slice_is(f.name, "(idle)"))
		n->state = SAMPLE_WAITING;
	n->stack = build_push(&r->b, parent, &f);
}

/* From the first known caller down; false if the node is its own caller. */
static bool make_stack(struct cpuprofile *r, uint32_t node)
{
	size_t depth = 0;

	for (uint32_t at = node; at != NO_NODE && !r->nodes[at].done; at = r->nodes[at].parent) {
		if (depth == r->node_count)
			return false;
		r->path[depth++] = at;
	}
	while (depth-- > 0) {
		struct node *n = &r->nodes[r->path[depth]];

		make_frame(r, n, n->parent == NO_NODE ? STACK_NONE : r->nodes[n->parent].stack);
	}
	return true;
}

/* ---- samples ---------------------------------------------------------------------------------- */

static bool add_delta(uint64_t *now_ns, const struct json_value *delta)
{
	double us;
	uint64_t step;

	if (!json_value_number(delta, &us))
		return false;
	if (us < 0) { // V8 gives some: samples that came late
		if (!weights_ns(-us, 1000, &step))
			return false;
		*now_ns -= step < *now_ns ? step : *now_ns;
		return true;
	}
	return weights_ns(us, 1000, &step) && !__builtin_add_overflow(*now_ns, step, now_ns);
}

static void weigh(struct cpuprofile *r, const struct node *n, uint64_t from_ns, uint64_t to_ns)
{
	struct capture_sample s = build_blank_sample(r->thread, n->stack);

	s.time_ns = from_ns;
	s.count = to_ns > from_ns ? to_ns - from_ns : 0;
	s.state = (uint8_t)n->state;
	s.flags = n->flags;
	weights_add(&r->weights, &s);
}

static struct err *read_samples(struct cpuprofile *r)
{
	const struct json_value *samples = json_value_get(r->root, "samples");
	const struct json_value *deltas = json_value_get(r->root, "timeDeltas");
	size_t count = json_value_count(samples);
	uint64_t now_ns, next_ns, end_ns;

	if (json_value_count(deltas) != count)
		return err_new(ERR_FAILED, "timeDeltas: there are not as many as samples");
	if (!weights_ns(json_util_number(r->root, "startTime", 0), 1000, &now_ns) ||
		!weights_ns(json_util_number(r->root, "endTime", 0), 1000, &end_ns))
		return err_new(ERR_FAILED, "startTime, endTime: they make no sense");
	if (count && !add_delta(&now_ns, json_value_at(deltas, 0)))
		return err_new(ERR_FAILED, "timeDeltas[0]: no number that makes sense");
	for (size_t i = 0; i < count; i++, now_ns = next_ns) {
		uint32_t node = find_node(r, json_value_at(samples, i));

		if (node == NO_NODE || !make_stack(r, node))
			return err_new(ERR_FAILED, "samples[%zu]: no such node", i);
		next_ns = i + 1 < count ? now_ns : end_ns;
		if (i + 1 < count && !add_delta(&next_ns, json_value_at(deltas, i + 1)))
			return err_new(
				ERR_FAILED, "timeDeltas[%zu]: no number that makes sense", i + 1);
		weigh(r, &r->nodes[node], now_ns, next_ns);
	}
	return NULL;
}

static struct err *read_all(struct cpuprofile *r)
{
	uint32_t process = build_process(&r->b, 0, SLICE_NONE);
	struct err *err;

	if (!json_value_is_array(json_value_get(r->root, "nodes")))
		return err_new(ERR_FAILED, "it has no nodes");
	r->thread = build_thread(&r->b, process, 0, json_util_text(r->root, "title"));
	err = index_nodes(r);
	if (!err)
		err = link_nodes(r);
	if (!err)
		err = read_samples(r);
	if (err)
		return err;
	capture_set_fact(r->b.c, FACT_CLOCK, "the program's");
	weights_finish(&r->weights, &r->b);
	return build_finish(&r->b);
}

static struct err *cpuprofile_read(const struct import_input *in, struct capture *c)
{
	struct cpuprofile r = { 0 };
	struct json_doc *doc;
	struct err *err = json_doc_parse(&doc, in->data, in->len);

	if (err)
		return err;
	r.root = json_doc_root(doc);
	build_init(&r.b, c, "cpuprofile");
	err = read_all(&r);
	json_doc_destroy(doc);
	free(r.nodes);
	free(r.path);
	intern_deinit(&r.index);
	weights_deinit(&r.weights);
	build_deinit(&r.b);
	return err;
}

static bool cpuprofile_sniff(const char *data, size_t len)
{
	return json_util_first(data, len) == '{' && json_util_mentions(data, len, "nodes") &&
		json_util_mentions(data, len, "timeDeltas") &&
		!json_util_mentions(data, len, "traceEvents");
}

const struct importer import_cpuprofile = {
	.name = "cpuprofile",
	.summary = "V8's .cpuprofile, as of Chrome and Node",
	.sniff = cpuprofile_sniff,
	.read = cpuprofile_read,
};

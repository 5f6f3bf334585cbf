// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "trace.h"
#include "trace_sums.h"

#define FIRST_FRAMES 16
#define FIRST_TABLE 256
#define GREENLET_EVERY 16
#define NAME_TRIES 128 // nodes, until `threading` must know a thread

struct trace_node trace_no_node = { .recent = &trace_no_node, .after = &trace_no_node };

static uint32_t place_of(
	const struct trace_slot *slot, const struct trace_node *above, const void *key)
{
	uint64_t mixed = ((uintptr_t)above >> 6) * 0x9e3779b97f4a7c15u ^ (uintptr_t)key;

	return (uint32_t)((mixed * 0xff51afd7ed558ccdu) >> 32) & slot->nodes.table_mask;
}

static void enter_node(struct trace_slot *slot, struct trace_node *node)
{
	uint32_t at = place_of(slot, node->parent, node->key);

	while (slot->nodes.table[at])
		at = (at + 1) & slot->nodes.table_mask;
	slot->nodes.table[at] = node;
}

static bool grow_table(struct trace_slot *slot)
{
	uint32_t places = slot->nodes.table ? (slot->nodes.table_mask + 1) * 2 : FIRST_TABLE;
	struct trace_node **table = calloc(places, sizeof(struct trace_node *));

	if (!table)
		return false;
	free(slot->nodes.table);
	slot->nodes.table = table;
	slot->nodes.table_mask = places - 1;
	for (uint32_t i = 1; i < slot->nodes.count; i++)
		enter_node(slot, &slot->nodes.chunks[i / TRACE_CHUNK][i % TRACE_CHUNK]);
	return true;
}

static bool add_chunk(struct trace_slot *slot)
{
	size_t n = slot->nodes.chunk_count + 1;
	struct trace_node **chunks = realloc(slot->nodes.chunks, n * sizeof(struct trace_node *));

	if (!chunks)
		return false;
	slot->nodes.chunks = chunks;
	PyObject ***objects = realloc(slot->nodes.objects, n * sizeof(PyObject **));
	if (!objects)
		return false;
	slot->nodes.objects = objects;
	struct trace_node *nodes = aligned_alloc(64, TRACE_CHUNK * sizeof(*nodes));
	PyObject **of_nodes = calloc(TRACE_CHUNK, sizeof(PyObject *));
	if (!nodes || !of_nodes) {
		free(nodes);
		free(of_nodes);
		return false;
	}
	chunks[n - 1] = nodes;
	objects[n - 1] = of_nodes;
	slot->nodes.chunk_count++;
	return true;
}

// An empty node, without its object.
static struct trace_node *add_node(
	struct trace_slot *slot, struct trace_node *parent, const void *key)
{
	if (slot->nodes.count == slot->nodes.chunk_count * TRACE_CHUNK && !add_chunk(slot))
		return NULL;
	if (slot->nodes.count >= slot->nodes.table_mask / 2 && !grow_table(slot))
		return NULL;
	struct trace_node *node =
		&slot->nodes
			 .chunks[slot->nodes.count / TRACE_CHUNK][slot->nodes.count % TRACE_CHUNK];
	*node = (struct trace_node){ .key = key,
		.recent = &trace_no_node,
		.after = &trace_no_node,
		.parent = parent,
		.index = slot->nodes.count++ };
	if (parent)
		enter_node(slot, node);
	return node;
}

static void set_object(struct trace_slot *slot, const struct trace_node *node, PyObject *object)
{
	Py_XINCREF(object);
	slot->nodes.objects[node->index / TRACE_CHUNK][node->index % TRACE_CHUNK] = object;
}

PyObject *trace_slot_object(const struct trace_slot *slot, uint32_t index)
{
	return slot->nodes.objects[index / TRACE_CHUNK][index % TRACE_CHUNK];
}

static void free_nodes(struct trace_nodes *nodes)
{
	for (uint32_t i = 0; i < nodes->count; i++)
		Py_XDECREF(nodes->objects[i / TRACE_CHUNK][i % TRACE_CHUNK]);
	for (uint32_t i = 0; i < nodes->chunk_count; i++) {
		free(nodes->chunks[i]);
		free(nodes->objects[i]);
	}
	free(nodes->chunks);
	free(nodes->objects);
	free(nodes->table);
	*nodes = (struct trace_nodes){ 0 };
}

struct trace_slot *trace_slot_create(unsigned flags)
{
	struct trace_slot *slot = calloc(1, sizeof(*slot));

	if (!slot)
		return NULL;
	slot->flags = flags;
	slot->frames = calloc(FIRST_FRAMES, sizeof(*slot->frames));
	if (flags & TRACE_CPU)
		slot->cpu_starts = calloc(FIRST_FRAMES, sizeof(*slot->cpu_starts));
	struct trace_node *root = slot->frames ? add_node(slot, NULL, NULL) : NULL;
	if (!root || (flags & TRACE_CPU && !slot->cpu_starts)) {
		trace_slot_empty(slot);
		free(slot);
		return NULL;
	}
	slot->top = slot->frames;
	slot->last = slot->frames + FIRST_FRAMES - 1;
	slot->top->node = root;
	return slot;
}

void trace_slot_empty(struct trace_slot *slot)
{
	free_nodes(&slot->nodes);
	trace_asides_free(slot);
	trace_sums_destroy(slot->sums);
	free(slot->frames);
	free(slot->cpu_starts);
	free(slot->calls);
	Py_XDECREF(slot->thread_object);
	slot->sums = NULL;
	slot->frames = slot->top = slot->last = NULL;
	slot->cpu_starts = NULL;
	slot->calls = NULL;
	slot->thread_object = NULL;
}

bool trace_slot_grow(struct trace_slot *slot)
{
	size_t depth = (size_t)(slot->top - slot->frames);
	size_t places = (size_t)(slot->last - slot->frames + 1) * 2;
	struct trace_frame *frames = realloc(slot->frames, places * sizeof(*frames));

	if (!frames)
		return false;
	slot->frames = frames;
	slot->top = frames + depth;
	if (slot->flags & TRACE_CPU) {
		uint64_t *starts = realloc(slot->cpu_starts, places * sizeof(*starts));
		if (!starts)
			return false;
		slot->cpu_starts = starts;
	}
	slot->last = frames + places - 1;
	return true;
}

static struct trace_node *find_child(
	const struct trace_slot *slot, const struct trace_node *above, const void *key)
{
	for (uint32_t at = place_of(slot, above, key); slot->nodes.table[at];
		at = (at + 1) & slot->nodes.table_mask)
		if (slot->nodes.table[at]->key == key && slot->nodes.table[at]->parent == above)
			return slot->nodes.table[at];
	return NULL;
}

// What may not have been there at the first event: the thread's name, greenlets.
static void look_around(struct trace_slot *slot)
{
	PyObject *type, *value, *traceback;

	if (!slot->thread_object && slot->nodes.count < NAME_TRIES) {
		PyErr_Fetch(&type, &value, &traceback);
		slot->thread_object = trace_thread_object(slot->thread->ident);
		PyErr_Restore(type, value, traceback);
	}
	if (slot->nodes.count % GREENLET_EVERY == 0)
		trace_greenlets_follow(slot->thread);
}

struct trace_node *trace_slot_child(
	struct trace_slot *slot, struct trace_node *above, const void *key, PyObject *object)
{
	struct trace_node *node = find_child(slot, above, key);

	if (!node && trace_is_own(key))
		return NULL;
	if (!node) {
		if (slot->nodes.count >= TRACE_MAX_NODES && !(slot->flags & TRACE_TIMELINE) &&
			!slot->aside_count && trace_slot_sum_up(slot))
			above = slot->top->node;
		node = add_node(slot, above, key);
		if (!node) {
			slot->lost++;
			return NULL;
		}
		set_object(slot, node, key == object || !object ? object : trace_c_object(object));
		look_around(slot);
	}
	if (above->recent != &trace_no_node)
		above->recent->after = node;
	above->recent = node;
	return node;
}

static void end_top(struct trace_slot *slot, uint64_t now)
{
	slot->top->node->total += now - slot->top->start;
	slot->top->node->calls++;
	slot->top--;
}

void trace_slot_resync(struct trace_slot *slot, const void *key, uint64_t now)
{
	struct trace_frame *f = slot->top;

	while (f > slot->frames && f->node->key != key)
		f--;
	if (f == slot->frames)
		return; // it began before we looked
	slot->resyncs++;
	while (slot->top >= f)
		end_top(slot, now);
}

static PyObject *object_of(const struct trace_nodes *nodes, uint32_t index)
{
	return nodes->objects[index / TRACE_CHUNK][index % TRACE_CHUNK];
}

// The stack again as a path, in a tree that is empty but for it. Returns its last node.
static struct trace_node *begin_anew(
	struct trace_slot *slot, size_t depth, const struct trace_nodes *old)
{
	struct trace_node *node = add_node(slot, NULL, NULL);

	for (size_t i = 1; node && i <= depth; i++) {
		const struct trace_node *was = slot->frames[i].node;
		struct trace_node *above = node;
		node = add_node(slot, above, was->key);
		if (!node)
			return NULL;
		set_object(slot, node, object_of(old, was->index));
		above->recent = node;
	}
	return node;
}

// Hands out the nodes of before; if memory is short, none, and all stays.
static struct trace_nodes restart(struct trace_slot *slot)
{
	size_t depth = (size_t)(slot->top - slot->frames);
	struct trace_nodes old = slot->nodes;

	slot->nodes = (struct trace_nodes){ 0 };
	struct trace_node *node = begin_anew(slot, depth, &old);
	if (!node) {
		free_nodes(&slot->nodes);
		slot->nodes = old;
		return (struct trace_nodes){ 0 };
	}
	for (size_t i = depth + 1; i--; node = node->parent)
		slot->frames[i].node = node;
	return old;
}

bool trace_slot_sum_up(struct trace_slot *slot)
{
	struct trace_records records;

	if (!slot->sums)
		slot->sums = trace_sums_create();
	if (!slot->sums || !trace_records_copy(&records, slot, 0, 0))
		return false;
	bool fine = trace_sums_add(slot->sums, &records);
	if (fine) {
		struct trace_nodes old = restart(slot);
		free_nodes(&old); // the sums keep the objects alive: no code of the program runs
	}
	trace_records_free(&records);
	return fine;
}

struct trace_forgotten trace_slot_clear(struct trace_slot *slot)
{
	struct trace_forgotten forgotten = { .sums = slot->sums };

	slot->sums = NULL;
	trace_asides_free(slot);
	slot->call_count = 0;
	slot->lost = slot->resyncs = 0;
	forgotten.nodes = restart(slot);
	return forgotten;
}

void trace_forgotten_free(struct trace_forgotten *forgotten)
{
	free_nodes(&forgotten->nodes);
	trace_sums_destroy(forgotten->sums);
}

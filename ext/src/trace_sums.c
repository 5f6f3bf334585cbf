// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "trace_slot.h"
#include "trace_sums.h"

#define NOBODY UINT32_MAX

static uint32_t hash(uint64_t key)
{
	return (uint32_t)((key * 0x9e3779b97f4a7c15u) >> 32);
}

static uint64_t pair_key(uint32_t caller, uint32_t callee)
{
	return ((uint64_t)caller << 32 | callee) + 1;
}

// Makes room for one more, in the array and in the table, which is begun anew when it is half full.
static bool grow(
	void **items, size_t size, uint32_t count, uint32_t *room, uint32_t **table, uint32_t *mask)
{
	if (count < *room)
		return true;
	uint32_t more = *room ? *room * 2 : 64;
	void *grown = realloc(*items, more * size);
	if (!grown)
		return false;
	*items = grown;
	uint32_t *new_table = calloc((size_t)more * 2, sizeof(*new_table));
	if (!new_table)
		return false;
	free(*table);
	*table = new_table;
	*mask = more * 2 - 1;
	*room = more;
	return true;
}

static void enter_number(uint32_t *table, uint32_t mask, uint64_t key, uint32_t number)
{
	uint32_t at = hash(key) & mask;

	while (table[at])
		at = (at + 1) & mask;
	table[at] = number + 1;
}

static uint32_t function_number(struct trace_sums *s, const void *key, PyObject *object)
{
	uint32_t was = s->function_room;
	void *items = s->functions;

	if (s->function_mask)
		for (uint32_t at = hash((uintptr_t)key) & s->function_mask; s->function_table[at];
			at = (at + 1) & s->function_mask)
			if (s->functions[s->function_table[at] - 1].key == key)
				return s->function_table[at] - 1;
	bool room = grow(&items, sizeof(*s->functions), s->function_count, &s->function_room,
		&s->function_table, &s->function_mask);
	s->functions = items;
	if (!room)
		return NOBODY;
	if (was != s->function_room)
		for (uint32_t i = 0; i < s->function_count; i++)
			enter_number(s->function_table, s->function_mask,
				(uintptr_t)s->functions[i].key, i);
	Py_XINCREF(object);
	s->functions[s->function_count] =
		(struct trace_function){ .key = key, .object = object, .pairs = NOBODY };
	enter_number(s->function_table, s->function_mask, (uintptr_t)key, s->function_count);
	return s->function_count++;
}

static uint32_t pair_number(struct trace_sums *s, uint32_t caller, uint32_t callee)
{
	uint64_t key = pair_key(caller, callee);
	uint32_t was = s->pair_room;
	void *items = s->pairs;

	if (s->pair_mask)
		for (uint32_t at = hash(key) & s->pair_mask; s->pair_table[at];
			at = (at + 1) & s->pair_mask) {
			const struct trace_pair *pair = &s->pairs[s->pair_table[at] - 1];
			if (pair->caller == caller && pair->callee == callee)
				return s->pair_table[at] - 1;
		}
	bool room = grow(&items, sizeof(*s->pairs), s->pair_count, &s->pair_room, &s->pair_table,
		&s->pair_mask);
	s->pairs = items;
	if (!room)
		return NOBODY;
	if (was != s->pair_room)
		for (uint32_t i = 0; i < s->pair_count; i++)
			enter_number(s->pair_table, s->pair_mask,
				pair_key(s->pairs[i].caller, s->pairs[i].callee), i);
	s->pairs[s->pair_count] = (struct trace_pair){
		.caller = caller, .callee = callee, .next_of_caller = s->functions[caller].pairs
	};
	s->functions[caller].pairs = s->pair_count;
	enter_number(s->pair_table, s->pair_mask, key, s->pair_count);
	return s->pair_count++;
}

struct trace_sums *trace_sums_create(void)
{
	return calloc(1, sizeof(struct trace_sums));
}

void trace_sums_destroy(struct trace_sums *sums)
{
	if (!sums)
		return;
	for (uint32_t i = 0; i < sums->function_count; i++)
		Py_XDECREF(sums->functions[i].object);
	free(sums->functions);
	free(sums->pairs);
	free(sums->function_table);
	free(sums->pair_table);
	free(sums);
}

// What a walk over a tree needs of each node.
struct walk {
	uint32_t *function, *pair, *child, *sibling;
	int64_t *self, *self_cpu;
};

static void walk_free(struct walk *w)
{
	free(w->function);
	free(w->pair);
	free(w->child);
	free(w->sibling);
	free(w->self);
	free(w->self_cpu);
}

static bool walk_begin(struct walk *w, struct trace_sums *sums, const struct trace_records *records)
{
	size_t n = records->count;

	*w = (struct walk){ .function = malloc(n * 4),
		.pair = malloc(n * 4),
		.child = malloc(n * 4),
		.sibling = malloc(n * 4),
		.self = trace_records_self(records, false),
		.self_cpu = trace_records_self(records, true) };
	if (!w->function || !w->pair || !w->child || !w->sibling || !w->self || !w->self_cpu)
		return false;
	memset(w->child, 0xff, n * 4);
	for (uint32_t i = 1; i < n; i++) {
		const struct trace_record *r = &records->at[i];
		w->function[i] = function_number(sums, r->key, r->object);
		w->pair[i] = NOBODY;
		if (w->function[i] == NOBODY)
			return false;
		if (r->parent)
			w->pair[i] = pair_number(sums, w->function[r->parent], w->function[i]);
		if (r->parent && w->pair[i] == NOBODY)
			return false;
		w->sibling[i] = w->child[r->parent];
		w->child[r->parent] = i;
	}
	return true;
}

static void go_in(
	struct trace_sums *sums, const struct walk *w, const struct trace_record *r, uint32_t i)
{
	struct trace_function *f = &sums->functions[w->function[i]];

	if (f->active++ == 0) {
		f->primitive += r->calls;
		f->total += r->total;
		f->cpu += r->cpu;
	}
	f->calls += r->calls;
	f->self += w->self[i];
	f->self_cpu += w->self_cpu[i];
	if (w->pair[i] == NOBODY)
		return;
	struct trace_pair *p = &sums->pairs[w->pair[i]];
	if (p->active++ == 0) {
		p->primitive += r->calls;
		p->total += r->total;
	}
	p->calls += r->calls;
	p->self += w->self[i];
}

static void go_out(struct trace_sums *sums, const struct walk *w, uint32_t i)
{
	sums->functions[w->function[i]].active--;
	if (w->pair[i] != NOBODY)
		sums->pairs[w->pair[i]].active--;
}

bool trace_sums_add(struct trace_sums *sums, const struct trace_records *records)
{
	struct walk w;
	bool fine = walk_begin(&w, sums, records);
	uint32_t at = 0;

	// Down to a child, else to the next sibling of the nearest that has one.
	while (fine) {
		if (w.child[at] != NOBODY) {
			at = w.child[at];
			go_in(sums, &w, &records->at[at], at);
			continue;
		}
		while (at && w.sibling[at] == NOBODY) {
			go_out(sums, &w, at);
			at = records->at[at].parent;
		}
		if (!at)
			break;
		go_out(sums, &w, at);
		at = w.sibling[at];
		go_in(sums, &w, &records->at[at], at);
	}
	walk_free(&w);
	return fine;
}

bool trace_sums_add_sums(struct trace_sums *sums, const struct trace_sums *others)
{
	uint32_t *number = malloc(((size_t)others->function_count + 1) * sizeof(*number));
	bool fine = number != NULL;

	for (uint32_t i = 0; fine && i < others->function_count; i++) {
		const struct trace_function *o = &others->functions[i];
		number[i] = function_number(sums, o->key, o->object);
		if (!(fine = number[i] != NOBODY))
			break;
		struct trace_function *f = &sums->functions[number[i]];
		f->calls += o->calls;
		f->primitive += o->primitive;
		f->total += o->total;
		f->self += o->self;
		f->cpu += o->cpu;
		f->self_cpu += o->self_cpu;
	}
	for (uint32_t i = 0; fine && i < others->pair_count; i++) {
		const struct trace_pair *o = &others->pairs[i];
		uint32_t pair = pair_number(sums, number[o->caller], number[o->callee]);
		if (!(fine = pair != NOBODY))
			break;
		sums->pairs[pair].calls += o->calls;
		sums->pairs[pair].primitive += o->primitive;
		sums->pairs[pair].total += o->total;
		sums->pairs[pair].self += o->self;
	}
	free(number);
	return fine;
}

bool trace_records_copy(struct trace_records *records, const struct trace_slot *slot, uint64_t now,
	uint64_t cpu_now)
{
	records->count = slot->nodes.count;
	records->at = malloc(slot->nodes.count * sizeof(*records->at));
	if (!records->at)
		return false;
	for (uint32_t i = 0; i < slot->nodes.count; i++) {
		const struct trace_node *node =
			&slot->nodes.chunks[i / TRACE_CHUNK][i % TRACE_CHUNK];
		PyObject *object = trace_slot_object(slot, i);
		Py_XINCREF(object);
		records->at[i] = (struct trace_record){ .key = node->key,
			.object = object,
			.parent = node->parent ? node->parent->index : 0,
			.calls = node->calls,
			.total = (int64_t)node->total,
			.cpu = (int64_t)node->cpu };
	}
	for (struct trace_frame *f = slot->frames + 1; now && f <= slot->top; f++) {
		records->at[f->node->index].total += (int64_t)(now - f->start);
		if (slot->cpu_starts && cpu_now)
			records->at[f->node->index].cpu +=
				(int64_t)(cpu_now - slot->cpu_starts[f - slot->frames]);
	}
	return true;
}

void trace_records_free(struct trace_records *records)
{
	for (uint32_t i = 0; records->at && i < records->count; i++)
		Py_XDECREF(records->at[i].object);
	free(records->at);
	records->at = NULL;
}

int64_t *trace_records_self(const struct trace_records *records, bool cpu)
{
	int64_t *self = malloc(records->count * sizeof(*self));

	for (uint32_t i = 0; self && i < records->count; i++)
		self[i] = cpu ? records->at[i].cpu : records->at[i].total;
	for (uint32_t i = 1; self && i < records->count; i++) {
		const struct trace_record *r = &records->at[i];
		self[r->parent] -= cpu ? r->cpu : r->total;
	}
	return self;
}

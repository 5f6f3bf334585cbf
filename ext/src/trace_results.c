// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "trace_results.h"
#include "trace_sums.h"

struct trace_slot **trace_results_slots(const struct tracer *tracer, size_t *count_ret)
{
	size_t count = 0;

	for (struct trace_slot *slot = tracer->slots; slot; slot = slot->next_of_tracer)
		count++;
	struct trace_slot **slots = malloc((count + 1) * sizeof(*slots));
	*count_ret = count;
	for (struct trace_slot *slot = tracer->slots; slots && slot; slot = slot->next_of_tracer)
		slots[--count] = slot;
	if (!slots)
		PyErr_NoMemory();
	return slots;
}

struct trace_scale trace_results_scale(const struct tracer *tracer)
{
	struct trace_scale scale = { .ns_per_tick = 1 };

	if (tracer->timer) {
		if (tracer->timer_unit > 0)
			scale.ns_per_tick = tracer->timer_unit * 1e9;
		return scale;
	}
	Py_BEGIN_ALLOW_THREADS scale = trace_clock_scale();
	Py_END_ALLOW_THREADS return scale;
}

static long long to_ns(const struct trace_scale *scale, int64_t ticks)
{
	double ns = (double)ticks * scale->ns_per_tick;

	return (long long)(ns < 0 ? ns - 0.5 : ns + 0.5);
}

// A copy of a slot's tree; calls in progress count until now, if the clock is ours.
static bool copy(
	struct trace_records *records, struct trace_slot *slot, const struct tracer *tracer)
{
	trace_lock_from_outside(slot->thread);
	uint64_t now = tracer->enabled && !tracer->timer ? trace_ticks() : 0;
	bool fine = trace_records_copy(records, slot, now, 0);
	trace_unlock(slot->thread);
	if (!fine)
		PyErr_NoMemory();
	return fine;
}

// ---- entries ------------------------------------------------------------------------------------

static struct trace_sums *sum_slots(const struct tracer *tracer)
{
	struct trace_sums *sums = trace_sums_create();
	struct trace_records records;
	bool fine = sums != NULL;

	for (struct trace_slot *slot = tracer->slots; fine && slot; slot = slot->next_of_tracer) {
		if (!copy(&records, slot, tracer))
			break;
		fine = trace_sums_add(sums, &records) &&
			(!slot->sums || trace_sums_add_sums(sums, slot->sums));
		trace_records_free(&records);
	}
	if (!fine)
		PyErr_NoMemory();
	if (!PyErr_Occurred())
		return sums;
	trace_sums_destroy(sums);
	return NULL;
}

// Adds to a list, and takes the reference; -1 if there is none.
static int append(PyObject *list, PyObject *item)
{
	int result = item ? PyList_Append(list, item) : -1;

	Py_XDECREF(item);
	return result;
}

// Functions that no call has ended of are left out, as cProfile does: their rows are -1.
static PyObject *callees_of(const struct trace_sums *sums, const struct trace_function *function,
	const long *rows, const struct trace_scale *scale)
{
	PyObject *list = PyList_New(0);
	const struct trace_pair *p;

	for (uint32_t i = function->pairs; list && i != UINT32_MAX; i = p->next_of_caller) {
		p = &sums->pairs[i];
		if (!p->calls || rows[p->callee] < 0)
			continue;
		if (append(list,
			    Py_BuildValue("(lKKLL)", rows[p->callee], (unsigned long long)p->calls,
				    (unsigned long long)p->primitive, to_ns(scale, p->total),
				    to_ns(scale, p->self))) == 0)
			continue;
		Py_CLEAR(list);
	}
	return list;
}

static PyObject *entry_of(
	const struct trace_function *f, PyObject *callees, const struct trace_scale *scale)
{
	PyObject *name = trace_name(f->key, f->object);

	if (!name || !callees) {
		Py_XDECREF(name);
		Py_XDECREF(callees);
		return NULL;
	}
	return Py_BuildValue("(NKKLLLLN)", name, (unsigned long long)f->calls,
		(unsigned long long)f->primitive, to_ns(scale, f->total), to_ns(scale, f->self),
		(long long)f->cpu, (long long)f->self_cpu, callees);
}

static PyObject *entries_of(const struct trace_sums *sums, const struct tracer *tracer,
	const long *rows, const struct trace_scale *scale)
{
	PyObject *list = PyList_New(0);

	for (uint32_t i = 0; list && i < sums->function_count; i++) {
		const struct trace_function *f = &sums->functions[i];
		if (rows[i] < 0)
			continue;
		PyObject *callees =
			tracer->subcalls ? callees_of(sums, f, rows, scale) : PyList_New(0);
		if (append(list, entry_of(f, callees, scale)) < 0)
			Py_CLEAR(list);
	}
	return list;
}

PyObject *trace_results_entries(struct tracer *tracer)
{
	const struct trace_scale scale = trace_results_scale(tracer);
	struct trace_sums *sums = sum_slots(tracer);
	long next = 0;

	if (!sums)
		return NULL;
	long *rows = malloc((sums->function_count + 1) * sizeof(*rows));
	for (uint32_t i = 0; rows && i < sums->function_count; i++)
		rows[i] = sums->functions[i].calls ? next++ : -1;
	PyObject *list = rows ? entries_of(sums, tracer, rows, &scale) : PyErr_NoMemory();
	free(rows);
	trace_sums_destroy(sums);
	return list;
}

// ---- tree ---------------------------------------------------------------------------------------

static int append_node(PyObject *list, long parent, long thread, const void *key, PyObject *object,
	uint64_t calls, int64_t total, int64_t self, int64_t self_cpu,
	const struct trace_scale *scale)
{
	PyObject *name = trace_name(key, object);

	if (!name)
		return -1;
	return append(list,
		Py_BuildValue("(llNKLLL)", parent, thread, name, (unsigned long long)calls,
			to_ns(scale, total), to_ns(scale, self), (long long)self_cpu));
}

// The nodes of a slot but its root; then what was summed up before, as functions without callers.
static int append_slot(PyObject *list, long row, const struct trace_slot *slot,
	const struct trace_records *records, const struct trace_scale *scale)
{
	long base = (long)PyList_Size(list) - 1;
	int64_t *self = trace_records_self(records, false);
	int64_t *cpu = trace_records_self(records, true);
	int result = self && cpu ? 0 : -1;

	for (uint32_t i = 1; result == 0 && i < records->count; i++) {
		const struct trace_record *r = &records->at[i];
		result = append_node(list, r->parent ? base + r->parent : -1, row, r->key,
			r->object, r->calls, r->total, self[i], cpu[i], scale);
	}
	for (uint32_t i = 0; result == 0 && slot->sums && i < slot->sums->function_count; i++) {
		const struct trace_function *f = &slot->sums->functions[i];
		result = append_node(list, -1, row, f->key, f->object, f->calls, f->self, f->self,
			f->self_cpu, scale);
	}
	free(self);
	free(cpu);
	if (result < 0 && !PyErr_Occurred())
		PyErr_NoMemory();
	return result;
}

PyObject *trace_results_tree(struct tracer *tracer)
{
	const struct trace_scale scale = trace_results_scale(tracer);
	struct trace_records records;
	size_t count;
	struct trace_slot **slots = trace_results_slots(tracer, &count);
	PyObject *list = slots ? PyList_New(0) : NULL;

	for (size_t i = 0; list && i < count; i++) {
		int result = copy(&records, slots[i], tracer) ? 0 : -1;
		if (result == 0) {
			result = append_slot(list, (long)i, slots[i], &records, &scale);
			trace_records_free(&records);
		}
		if (result < 0)
			Py_CLEAR(list);
	}
	free(slots);
	return list;
}

// ---- threads ------------------------------------------------------------------------------------

static PyObject *thread_name(struct trace_slot *slot)
{
	PyObject *name = NULL;

	if (!slot->thread_object && !slot->thread->ended)
		slot->thread_object = trace_thread_object(slot->thread->ident);
	if (slot->thread_object)
		name = PyObject_GetAttrString(slot->thread_object, "name");
	if (name && PyUnicode_Check(name))
		return name;
	PyErr_Clear();
	Py_XDECREF(name);
	return PyUnicode_FromFormat("thread %d", (int)slot->thread->tid);
}

PyObject *trace_results_threads(struct tracer *tracer)
{
	size_t count;
	struct trace_slot **slots = trace_results_slots(tracer, &count);
	PyObject *list = slots ? PyList_New(0) : NULL;

	for (size_t i = 0; list && i < count; i++) {
		PyObject *name = thread_name(slots[i]);
		if (!name ||
			append(list, Py_BuildValue("(iN)", (int)slots[i]->thread->tid, name)) < 0)
			Py_CLEAR(list);
	}
	free(slots);
	return list;
}

// SPDX-License-Identifier: MIT
/* The calls of a timeline, and how tracing went. */
#include <stdlib.h>
#include <string.h>

#include "trace_results.h"

struct row_call {
	uint64_t start, end;
	uint32_t node, thread;
};

struct calls_object {
	PyObject_HEAD struct row_call *calls;
	size_t count, at;
	struct trace_scale scale;
	bool of_clock; // else a timer's own numbers
};

static void calls_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

	free(((struct calls_object *)(void *)self)->calls);
	release(self);
	Py_DECREF((PyObject *)type);
}

static long long moment(const struct calls_object *c, uint64_t ticks)
{
	if (!c->of_clock)
		return (long long)((double)ticks * c->scale.ns_per_tick);
	return (long long)c->scale.ns -
		(long long)((double)(int64_t)(c->scale.ticks - ticks) * c->scale.ns_per_tick);
}

static PyObject *calls_next(PyObject *self)
{
	struct calls_object *c = (struct calls_object *)(void *)self;

	if (c->at >= c->count)
		return NULL;
	const struct row_call *call = &c->calls[c->at++];
	return Py_BuildValue("(kkLL)", (unsigned long)call->thread, (unsigned long)call->node,
		moment(c, call->start), moment(c, call->end));
}

static PyObject *calls_iter(PyObject *self)
{
	Py_INCREF(self);
	return self;
}

static PyType_Slot calls_slots[] = {
	{ Py_tp_dealloc, calls_dealloc },
	{ Py_tp_iter, calls_iter },
	{ Py_tp_iternext, calls_next },
	{ 0, NULL },
};

static PyType_Spec calls_spec = {
	.name = "fireglass._fireglass.TraceCalls",
	.basicsize = sizeof(struct calls_object),
	.flags = Py_TPFLAGS_DEFAULT,
	.slots = calls_slots,
};

static int by_end(const void *a, const void *b)
{
	const struct row_call *x = a, *y = b;

	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return x->thread != y->thread ? (x->thread < y->thread ? -1 : 1) : 0;
}

// Appends those of a slot. Its nodes have the numbers that tree() gives them.
static bool gather_slot(
	struct calls_object *c, struct trace_slot *slot, uint32_t row, uint32_t base)
{
	struct row_call *calls =
		realloc(c->calls, (c->count + slot->call_count + 1) * sizeof(*calls));

	if (!calls)
		return false;
	c->calls = calls;
	for (size_t i = 0; i < slot->call_count; i++)
		calls[c->count++] = (struct row_call){ .start = slot->calls[i].start,
			.end = slot->calls[i].end,
			.node = base + slot->calls[i].node - 1,
			.thread = row };
	return true;
}

static bool gather(struct calls_object *c, struct tracer *tracer)
{
	size_t count;
	struct trace_slot **slots = trace_results_slots(tracer, &count);
	uint32_t base = 0;
	bool fine = slots != NULL;

	for (size_t i = 0; fine && i < count; i++) {
		trace_lock_from_outside(slots[i]->thread);
		fine = gather_slot(c, slots[i], (uint32_t)i, base);
		base += slots[i]->nodes.count - 1;
		trace_unlock(slots[i]->thread);
	}
	free(slots);
	if (!fine)
		PyErr_NoMemory();
	else if (count > 1)
		qsort(c->calls, c->count, sizeof(*c->calls), by_end);
	return fine;
}

PyObject *trace_results_calls(struct tracer *tracer)
{
	const struct trace_scale scale = trace_results_scale(tracer);
	PyObject *type = PyType_FromSpec(&calls_spec);

	if (!type)
		return NULL;
	allocfunc allocate = (allocfunc)PyType_GetSlot((PyTypeObject *)type, Py_tp_alloc);
	PyObject *self = allocate((PyTypeObject *)type, 0);
	Py_DECREF(type);
	if (!self)
		return NULL;
	struct calls_object *c = (struct calls_object *)(void *)self;
	c->scale = scale;
	c->of_clock = !tracer->timer;
	if (gather(c, tracer))
		return self;
	Py_DECREF(self);
	return NULL;
}

// ---- info ---------------------------------------------------------------------------------------

static int set(PyObject *dict, const char *key, PyObject *value)
{
	int result = value ? PyDict_SetItemString(dict, key, value) : -1;

	Py_XDECREF(value);
	return result;
}

struct counts {
	unsigned long long nodes, calls, lost, resyncs;
};

static struct counts count_slots(const struct tracer *tracer)
{
	struct counts n = { 0 };

	for (struct trace_slot *slot = tracer->slots; slot; slot = slot->next_of_tracer) {
		trace_lock_from_outside(slot->thread);
		n.nodes += slot->nodes.count - 1;
		n.lost += slot->lost;
		n.resyncs += slot->resyncs;
		for (uint32_t i = 1; i < slot->nodes.count; i++)
			n.calls += slot->nodes.chunks[i / TRACE_CHUNK][i % TRACE_CHUNK].calls;
		trace_unlock(slot->thread);
	}
	return n;
}

static int append_note(PyObject *notes, bool applies, const char *text)
{
	PyObject *note = applies ? PyUnicode_FromString(text) : NULL;
	int result = !applies ? 0 : note ? PyList_Append(notes, note) : -1;

	Py_XDECREF(note);
	return result;
}

static PyObject *notes_of(const struct tracer *tracer, const struct counts *n)
{
	const struct trace_hook *hook = tracer->hook;
	PyObject *notes = PyList_New(0);

	if (!notes)
		return NULL;
	if (append_note(notes, hook->displaced,
		    "another profiler took the place of this one in a thread, whose calls are missing "
		    "from then on") < 0 ||
		append_note(notes, hook->deep_calls,
			"calls came near the end of the C stack; those below were followed in a slower "
			"way") < 0 ||
		append_note(notes, n->lost && tracer->timeline,
			"not all calls are in the timeline: raise max_events") < 0 ||
		append_note(notes, !tracer->builtins && !tracer->builtins_wanted && !tracer->only,
			"time in C functions counts as their caller's") < 0)
		Py_CLEAR(notes);
	return notes;
}

static const char *backend_name(const struct tracer *tracer)
{
	if (tracer->hook->backend)
		return tracer->hook->backend->name;
	if (trace_monitoring_available())
		return trace_monitoring.name;
	return !tracer->builtins && trace_frames_available() ? trace_frames.name
							     : trace_profile.name;
}

PyObject *trace_results_info(struct tracer *tracer)
{
	const struct counts n = count_slots(tracer);
	PyObject *dict = PyDict_New();

	if (!dict)
		return NULL;
	if (set(dict, "backend", PyUnicode_FromString(backend_name(tracer))) < 0 ||
		set(dict, "clock",
			PyUnicode_FromString(tracer->timer ? "timer" : trace_clock_name())) < 0 ||
		set(dict, "events", PyLong_FromUnsignedLongLong(2 * n.calls)) < 0 ||
		set(dict, "lost", PyLong_FromUnsignedLongLong(n.lost)) < 0 ||
		set(dict, "resyncs", PyLong_FromUnsignedLongLong(n.resyncs)) < 0 ||
		set(dict, "paths", PyLong_FromUnsignedLongLong(n.nodes)) < 0 ||
		set(dict, "overhead_ns", PyFloat_FromDouble(trace_overhead_ns())) < 0 ||
		set(dict, "notes", notes_of(tracer, &n)) < 0)
		Py_CLEAR(dict);
	return dict;
}

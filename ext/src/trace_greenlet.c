// SPDX-License-Identifier: MIT
/*
 * Greenlets: each has calls of its own, so each gets a stack of its own in every slot of its thread.
 * While one is switched away its calls do not run: when it comes back, their starts are moved by that
 * time. greenlet.settrace() tells of the switches; who was told before us is told after us.
 */
#include <stdlib.h>
#include <string.h>

#include "trace.h"

// The stack of a greenlet that is switched away and has calls.
struct trace_aside {
	const void *greenlet;
	struct trace_frame *frames;
	uint64_t *cpu_starts;
	size_t depth;
	uint64_t since, cpu_since;
};

struct follower {
	PyObject_HEAD struct trace_hook *hook;
	struct trace_thread *thread;
	PyObject *before;
};

static void aside_free(struct trace_aside *aside)
{
	free(aside->frames);
	free(aside->cpu_starts);
}

void trace_asides_free(struct trace_slot *slot)
{
	for (size_t i = 0; i < slot->aside_count; i++)
		aside_free(&slot->asides[i]);
	free(slot->asides);
	slot->asides = NULL;
	slot->aside_count = 0;
}

void trace_asides_flush(struct trace_slot *slot)
{
	for (size_t i = 0; i < slot->aside_count; i++) {
		const struct trace_aside *aside = &slot->asides[i];
		for (size_t k = 0; k < aside->depth; k++) {
			struct trace_node *node = aside->frames[k].node;
			node->total += aside->since - aside->frames[k].start;
			node->calls++;
		}
	}
	trace_asides_free(slot);
}

static void *copied(const void *from, size_t bytes)
{
	void *to = malloc(bytes);

	return to ? memcpy(to, from, bytes) : NULL;
}

static void put_aside(struct trace_slot *slot, const void *greenlet, uint64_t now, uint64_t cpu)
{
	struct trace_aside aside = { .greenlet = greenlet,
		.depth = (size_t)(slot->top - slot->frames),
		.since = now,
		.cpu_since = cpu };

	slot->top = slot->frames;
	if (!aside.depth)
		return;
	struct trace_aside *asides =
		realloc(slot->asides, (slot->aside_count + 1) * sizeof(*asides));
	if (!asides)
		return;
	slot->asides = asides;
	aside.frames = copied(slot->frames + 1, aside.depth * sizeof(*aside.frames));
	if (slot->cpu_starts)
		aside.cpu_starts =
			copied(slot->cpu_starts + 1, aside.depth * sizeof(*aside.cpu_starts));
	if (!aside.frames || (slot->cpu_starts && !aside.cpu_starts))
		aside_free(&aside);
	else
		asides[slot->aside_count++] = aside;
}

static void bring_back(
	struct trace_slot *slot, struct trace_aside *aside, uint64_t now, uint64_t cpu)
{
	for (size_t i = 0; i < aside->depth; i++) {
		if (slot->top == slot->last && !trace_slot_grow(slot))
			break;
		*++slot->top = aside->frames[i];
		slot->top->start += now - aside->since;
		if (slot->cpu_starts)
			slot->cpu_starts[slot->top - slot->frames] =
				aside->cpu_starts[i] + cpu - aside->cpu_since;
	}
	aside_free(aside);
	*aside = slot->asides[--slot->aside_count];
}

static void switch_slot(struct trace_slot *slot, const void *origin, const void *target)
{
	uint64_t now = trace_ticks(), cpu = slot->flags & TRACE_CPU ? trace_cpu_ns() : 0;

	put_aside(slot, origin, now, cpu);
	for (size_t i = 0; i < slot->aside_count; i++)
		if (slot->asides[i].greenlet == target) {
			bring_back(slot, &slot->asides[i], now, cpu);
			break;
		}
}

// ---- greenlet.settrace --------------------------------------------------------------------------

static PyObject *greenlet_module(void)
{
	PyObject *modules = PyImport_GetModuleDict(); // borrowed
	PyObject *module = modules ? PyMapping_GetItemString(modules, "greenlet") : NULL;

	PyErr_Clear();
	return module;
}

// Nobody traces any more: the one before gets his place back, if nobody took it from us.
static void let_go(struct follower *follower)
{
	PyObject *module = greenlet_module();
	PyObject *now = module ? PyObject_CallMethod(module, "gettrace", NULL) : NULL;

	if (now == (PyObject *)follower) {
		Py_XDECREF(PyObject_CallMethod(
			module, "settrace", "O", follower->before ? follower->before : Py_None));
		if (trace_current == follower->thread)
			follower->thread->greenlets_followed = false;
	}
	PyErr_Clear();
	Py_XDECREF(now);
	Py_XDECREF(module);
}

static void switched(struct follower *follower, PyObject *pair)
{
	if (!PyTuple_Check(pair) || PyTuple_Size(pair) != 2)
		return;
	struct trace_thread *thread = trace_begin(follower->hook);
	if (!thread)
		return;
	for (struct trace_slot *slot = thread->slots; slot; slot = slot->next_on_thread)
		switch_slot(slot, PyTuple_GetItem(pair, 0), PyTuple_GetItem(pair, 1));
	trace_unlock(thread);
}

static PyObject *follower_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
	struct follower *follower = (struct follower *)(void *)self;
	PyObject *event, *pair, *before = follower->before;

	(void)kwargs;
	if (!PyArg_ParseTuple(args, "OO:TraceGreenlets", &event, &pair))
		return NULL;
	switched(follower, pair);
	Py_XINCREF(before);
	if (!follower->hook->tracers)
		let_go(follower);
	PyObject *result = before ? PyObject_CallObject(before, args) : Py_None;
	if (!before)
		Py_INCREF(Py_None);
	Py_XDECREF(before);
	return result;
}

static void follower_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

	Py_XDECREF(((struct follower *)(void *)self)->before);
	release(self);
	Py_DECREF((PyObject *)type);
}

static PyType_Slot follower_slots[] = {
	{ Py_tp_dealloc, follower_dealloc },
	{ Py_tp_call, follower_call },
	{ 0, NULL },
};

static PyType_Spec follower_spec = {
	.name = "fireglass._fireglass.TraceGreenlets",
	.basicsize = sizeof(struct follower),
	.flags = Py_TPFLAGS_DEFAULT,
	.slots = follower_slots,
};

static void install(struct trace_thread *thread, PyObject *module)
{
	PyObject *type = PyType_FromSpec(&follower_spec);

	if (!type)
		return;
	allocfunc allocate = (allocfunc)PyType_GetSlot((PyTypeObject *)type, Py_tp_alloc);
	PyObject *self = allocate((PyTypeObject *)type, 0);
	Py_DECREF(type);
	if (!self)
		return;
	struct follower *follower = (struct follower *)(void *)self;
	follower->hook = thread->hook;
	follower->thread = thread; // its thread: it lives longer than greenlets of it run
	PyObject *before = PyObject_CallMethod(module, "settrace", "O", self);
	if (before == Py_None)
		Py_CLEAR(before);
	follower->before = before;
	Py_DECREF(self);
}

void trace_greenlets_follow(struct trace_thread *thread)
{
	PyObject *type, *value, *traceback;

	if (thread->greenlets_followed)
		return;
	PyErr_Fetch(&type, &value, &traceback);
	PyObject *module = greenlet_module();
	if (module) {
		thread->greenlets_followed = true;
		install(thread, module);
		Py_DECREF(module);
	}
	PyErr_Restore(type, value, traceback);
}

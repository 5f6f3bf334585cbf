// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "trace.h"
#include "trace_set.h"

// The user's clock. What it raises is shown, as cProfile does, and the time is 0. The thread is the calling one, NULL if it was never traced.
static uint64_t ask(struct trace_thread *thread, struct tracer *tracer)
{
	PyObject *type, *value, *traceback;
	uint64_t ticks = 0;

	PyErr_Fetch(&type, &value, &traceback);
	Py_INCREF((PyObject *)tracer);
	if (thread)
		thread->inside = true;
	PyObject *answer = PyObject_CallObject(tracer->timer, NULL);
	if (answer && tracer->timer_unit > 0) {
		ticks = (uint64_t)PyLong_AsLongLong(answer);
	} else if (answer) {
		double seconds = PyFloat_AsDouble(answer);
		ticks = seconds > 0 ? (uint64_t)(seconds * 1e9 + 0.5) : 0;
	}
	if (PyErr_Occurred()) {
		PyErr_WriteUnraisable(tracer->timer);
		ticks = 0;
	}
	Py_XDECREF(answer);
	if (thread)
		thread->inside = false; // what is raised may have been shown by code of Python's, too
	PyErr_Restore(type, value, traceback);
	Py_DECREF((PyObject *)tracer);
	return ticks;
}

// The same from an event: the thread is locked, but not while the timer runs, which may be Python code.
static uint64_t ask_timer(struct trace_thread *thread, struct tracer *tracer)
{
	trace_unlock(thread);
	uint64_t ticks = ask(thread, tracer);
	trace_lock(thread);
	return ticks;
}

// Whether the tracer was disabled while its timer ran.
static bool still_there(const struct trace_thread *thread, const struct trace_slot *slot)
{
	return thread->version == thread->hook->version && slot->tracer;
}

static bool wants(const struct trace_slot *slot, const void *key, const void *from)
{
	if (from && !slot->builtins)
		return false;
	return !(slot->flags & TRACE_ONLY) ||
		trace_set_has(slot->tracer->chosen, from ? from : key);
}

static void enter(
	struct trace_thread *thread, struct trace_slot *slot, const void *key, PyObject *object)
{
	uint64_t start = 0;

	if (slot->flags & TRACE_TIMER) {
		start = ask_timer(thread, slot->tracer);
		if (!still_there(thread, slot))
			return;
	}
	if (!trace_slot_enter(slot, key, object))
		return;
	if (slot->flags & TRACE_CPU)
		slot->cpu_starts[slot->top - slot->frames] = trace_cpu_ns();
	if (slot->flags & TRACE_TIMER)
		slot->top->start = start;
}

void trace_enter_slots(
	struct trace_thread *thread, const void *key, PyObject *object, const void *from)
{
	struct trace_slot *next;

	for (struct trace_slot *slot = thread->slots; slot; slot = next) {
		next = slot->next_on_thread;
		if (!wants(slot, key, from))
			continue;
		uint64_t version = thread->version;
		enter(thread, slot, key, object);
		if (version != thread->hook->version)
			return;
	}
}

static void keep_call(struct trace_slot *slot, const struct trace_frame *frame, uint64_t end)
{
	if (slot->call_count == slot->call_capacity) {
		size_t room = slot->call_capacity ? slot->call_capacity * 2 : 256;
		struct trace_call *calls = realloc(slot->calls, room * sizeof(*calls));
		if (!calls) {
			slot->lost++;
			return;
		}
		slot->calls = calls;
		slot->call_capacity = room;
	}
	if ((long long)atomic_fetch_sub(&slot->tracer->events_left, 1) <= 0) {
		atomic_fetch_add(&slot->tracer->events_left, 1);
		slot->lost++;
		return;
	}
	slot->calls[slot->call_count++] =
		(struct trace_call){ frame->node->index, frame->start, end };
}

// The innermost call of a slot ends.
static void end_top(struct trace_slot *slot, uint64_t now, uint64_t cpu)
{
	struct trace_frame *top = slot->top;

	if (slot->flags & TRACE_CPU)
		top->node->cpu += cpu - slot->cpu_starts[top - slot->frames];
	if (slot->flags & TRACE_TIMELINE)
		keep_call(slot, top, now);
	trace_slot_leave(slot, top->node->key, now);
}

static void leave(
	struct trace_thread *thread, struct trace_slot *slot, const void *key, uint64_t now)
{
	uint64_t cpu = slot->flags & TRACE_CPU ? trace_cpu_ns() : 0;
	struct trace_frame *f = slot->top;

	while (f > slot->frames && f->node->key != key)
		f--;
	if (f == slot->frames)
		return; // it began before we looked
	size_t depth = (size_t)(f - slot->frames);
	if (slot->flags & TRACE_TIMER) {
		now = ask_timer(thread, slot->tracer);
		if (!still_there(thread, slot))
			return;
	}
	while ((size_t)(slot->top - slot->frames) >= depth)
		end_top(slot, now, cpu);
}

void trace_leave_slots(struct trace_thread *thread, const void *key, const void *from, uint64_t now)
{
	struct trace_slot *next;

	for (struct trace_slot *slot = thread->slots; slot; slot = next) {
		next = slot->next_on_thread;
		if (!wants(slot, key, from))
			continue;
		uint64_t version = thread->version;
		leave(thread, slot, key, now);
		if (version != thread->hook->version)
			return;
	}
}

uint64_t trace_timer_at_end(struct tracer *tracer)
{
	for (const struct trace_slot *slot = tracer->slots; slot; slot = slot->next_of_tracer)
		if (slot->flags & TRACE_TIMER && slot->top > slot->frames)
			return ask(trace_current, tracer);
	return 0;
}

void trace_slot_flush(struct trace_slot *slot, uint64_t timer)
{
	uint64_t now = slot->flags & TRACE_TIMER ? timer : trace_ticks(), cpu = 0;

	trace_asides_flush(slot);
	// The CPU time of another thread is not ours to read: its last calls end where they began.
	if (slot->flags & TRACE_CPU && slot->thread == trace_current)
		cpu = trace_cpu_ns();
	while (slot->top > slot->frames) {
		size_t depth = (size_t)(slot->top - slot->frames);
		end_top(slot, now, cpu || !slot->cpu_starts ? cpu : slot->cpu_starts[depth]);
	}
}

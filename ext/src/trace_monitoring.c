// SPDX-License-Identifier: MIT
/*
 * Events by sys.monitoring (3.12 and newer): callbacks of a type of our own with a vectorcall, the
 * cheapest form. Python functions by start, resume, throw, return, yield and unwind; C functions by
 * call, C return and C raise.
 *
 * A call event costs as much as a start event, and most calls are of Python functions, which the
 * start tells anyway. So a place that called a Python function LEARN times, and nothing else, is left
 * out from then on (DISABLE), until something is enabled anew; `exact` leaves none out.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

#include <structmember.h> // after Python.h

#ifndef Py_TPFLAGS_HAVE_VECTORCALL
#define Py_TPFLAGS_HAVE_VECTORCALL (1UL << 11)
#endif

#define LEARN 4000
#define MIXED UINT16_MAX
#define PLACES (1u << 15)
#define FIRST_TOOL 4
#define LAST_TOOL 2 // cProfile's own: the last resort

typedef PyObject *(*vectorcall)(PyObject *, PyObject *const *, size_t, PyObject *);

struct callback {
	PyObject_HEAD vectorcall call;
	struct trace_hook *hook;
};

// What a hook keeps of its interpreter, from the first start on.
struct monitoring {
	PyObject *module, *disable, *missing; // sys.monitoring and its constants
	PyObject *callbacks[9];
	int events[9];
	int tool; // -1: none is held
	bool all_exact;
	bool local_exits;        // unwind and throw may be asked for by code object (3.15)
	uint16_t places[PLACES]; // calls of Python functions by place in the code; MIXED: of C, too
};

static struct trace_hook *hook_of(PyObject *callback)
{
	return ((struct callback *)(void *)callback)->hook;
}

// ---- callbacks ----------------------------------------------------------------------------------
// They return None, which is immortal here.

static PyObject *on_enter(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
	(void)count;
	(void)names;
	trace_enter(hook_of(self), args[0]);
	return Py_None;
}

static PyObject *on_leave(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
	(void)count;
	(void)names;
	trace_leave(hook_of(self), args[0]);
	return Py_None;
}

// Of a small int its only digit; places beyond that are told apart less well.
static uint16_t *place_of(struct monitoring *m, PyObject *code, PyObject *offset)
{
	uint32_t digit = *(uint32_t *)((char *)offset + sizeof(PyObject) + sizeof(void *));
	uint64_t mixed = (((uintptr_t)code >> 4) + digit) * 0x9e3779b97f4a7c15u;

	return &m->places[(mixed >> 40) % PLACES];
}

static PyObject *not_of_c(struct monitoring *m, PyObject *const *args)
{
	uint16_t *place = place_of(m, args[0], args[1]);

	if (m->all_exact || *place == MIXED)
		return Py_None;
	if (++*place < LEARN)
		return Py_None;
	*place = LEARN;
	Py_INCREF(m->disable);
	return m->disable;
}

// The PyMethodDef of what is called, if it is a C function.
static const void *c_key(const struct monitoring *m, PyObject *const *args)
{
	PyObject *callee = args[2];

	if (trace_is_c_function(callee))
		return trace_def_at(callee, trace_def_offset);
	if (Py_TYPE(callee) == &PyMethodDescr_Type)
		return args[3] == m->missing ? NULL : trace_def_at(callee, trace_descriptor_offset);
	if (PyObject_TypeCheck(callee, &PyCFunction_Type))
		return trace_def_at(callee, trace_def_offset);
	return NULL;
}

static PyObject *on_call(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
	struct trace_hook *hook = hook_of(self);
	struct monitoring *m = hook->backend_data;
	const void *key = c_key(m, args);

	(void)count;
	(void)names;
	if (!key)
		return not_of_c(m, args);
	*place_of(m, args[0], args[1]) = MIXED;
	trace_enter_c(hook, key, args[2], args[0]);
	return Py_None;
}

static PyObject *on_c_leave(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
	struct trace_hook *hook = hook_of(self);
	const void *key = c_key(hook->backend_data, args);

	(void)count;
	(void)names;
	if (key)
		trace_leave_c(hook, key, args[0]);
	return Py_None;
}

static const struct event {
	const char *name;
	vectorcall call;
	enum { FUNCTIONS, EXITS, C } kind; // exits: what 3.12 to 3.14 tell of all code or none
	bool comes_with_call;
} events[9] = {
	{ "PY_START", on_enter, FUNCTIONS, false },
	{ "PY_RESUME", on_enter, FUNCTIONS, false },
	{ "PY_RETURN", on_leave, FUNCTIONS, false },
	{ "PY_YIELD", on_leave, FUNCTIONS, false },
	{ "PY_THROW", on_enter, EXITS, false },
	{ "PY_UNWIND", on_leave, EXITS, false },
	{ "CALL", on_call, C, false },
	{ "C_RETURN", on_c_leave, C, true },
	{ "C_RAISE", on_c_leave, C, true },
};

// ---- the type -----------------------------------------------------------------------------------

static void callback_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

	release(self);
	Py_DECREF((PyObject *)type);
}

static PyMemberDef callback_members[] = {
	{ "__vectorcalloffset__", T_PYSSIZET, offsetof(struct callback, call), READONLY, NULL },
	{ NULL, 0, 0, 0, NULL },
};

static PyType_Slot callback_slots[] = {
	{ Py_tp_members, callback_members },
	{ Py_tp_dealloc, callback_dealloc },
	{ 0, NULL },
};

static PyType_Spec callback_spec = {
	.name = "fireglass._fireglass.TraceCallback",
	.basicsize = sizeof(struct callback),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
	.slots = callback_slots,
};

static int make_callbacks(struct trace_hook *hook, struct monitoring *m)
{
	PyObject *type = PyType_FromSpec(&callback_spec);

	if (!type)
		return -1;
	allocfunc allocate = (allocfunc)PyType_GetSlot((PyTypeObject *)type, Py_tp_alloc);
	for (size_t i = 0; i < 9; i++) {
		m->callbacks[i] = allocate((PyTypeObject *)type, 0);
		if (!m->callbacks[i])
			return -1;
		struct callback *callback = (struct callback *)(void *)m->callbacks[i];
		callback->call = events[i].call;
		callback->hook = hook;
	}
	Py_DECREF(type);
	return 0;
}

// ---- start --------------------------------------------------------------------------------------

bool trace_monitoring_available(void)
{
	return PySys_GetObject("monitoring") != NULL;
}

static int read_events(struct monitoring *m)
{
	PyObject *all = PyObject_GetAttrString(m->module, "events");

	for (size_t i = 0; all && i < 9; i++) {
		PyObject *number = PyObject_GetAttrString(all, events[i].name);
		m->events[i] = number ? (int)PyLong_AsLong(number) : 0;
		Py_XDECREF(number);
	}
	Py_XDECREF(all);
	return PyErr_Occurred() ? -1 : 0;
}

static struct monitoring *create(struct trace_hook *hook)
{
	struct monitoring *m = calloc(1, sizeof(*m));

	if (!m) {
		PyErr_NoMemory();
		return NULL;
	}
	m->tool = -1;
	m->module = PySys_GetObject("monitoring");
	Py_INCREF(m->module);
	m->disable = PyObject_GetAttrString(m->module, "DISABLE");
	m->missing = m->disable ? PyObject_GetAttrString(m->module, "MISSING") : NULL;
	if (!m->missing || read_events(m) < 0 || make_callbacks(hook, m) < 0)
		return NULL; // it stays, half made: this interpreter is out of memory
	return m;
}

static int call(struct monitoring *m, const char *name, const char *format, int tool, int number,
	PyObject *object)
{
	PyObject *result;

	if (object)
		result = PyObject_CallMethod(m->module, name, format, tool, object, number);
	else
		result = PyObject_CallMethod(m->module, name, format, tool, number);
	Py_XDECREF(result);
	return result ? 0 : -1;
}

// Claims a tool that nobody has.
static int claim_tool(struct monitoring *m)
{
	for (int tool = FIRST_TOOL; tool >= LAST_TOOL; tool--) {
		PyObject *result =
			PyObject_CallMethod(m->module, "use_tool_id", "is", tool, "fireglass");
		if (result) {
			Py_DECREF(result);
			m->tool = tool;
			return 0;
		}
		if (!PyErr_ExceptionMatches(PyExc_ValueError))
			return -1;
		PyErr_Clear();
	}
	PyErr_SetString(ext_error,
		"cannot trace: the tools 2 to 4 of sys.monitoring are all in use; "
		"end one of the others");
	return -1;
}

static int register_callbacks(struct monitoring *m, bool on)
{
	for (size_t i = 0; i < 9; i++) {
		PyObject *result = PyObject_CallMethod(m->module, "register_callback", "iiO",
			m->tool, m->events[i], on ? m->callbacks[i] : Py_None);
		if (!result)
			return -1;
		Py_DECREF(result);
	}
	return 0;
}

static int mask_of(const struct monitoring *m, bool functions, bool exits, bool c)
{
	int mask = 0;

	for (size_t i = 0; i < 9; i++)
		if ((events[i].kind == FUNCTIONS && functions) ||
			(events[i].kind == EXITS && exits) || (events[i].kind == C && c))
			mask |= m->events[i];
	return mask;
}

static int set_local(struct monitoring *m, PyObject *codes, int mask)
{
	Py_ssize_t count = PyTuple_Size(codes);

	for (Py_ssize_t i = 0; i < count; i++)
		if (call(m, "set_local_events", "iOi", m->tool, mask, PyTuple_GetItem(codes, i)) <
			0)
			return -1;
	return 0;
}

struct chosen {
	PyObject *codes; // a reference of its own
	bool builtins;
};

// Of all tracers that are enabled now: others may come and go while Python is called. NULL: no memory.
static struct chosen *chosen_now(const struct trace_hook *hook, size_t *count_ret)
{
	size_t count = 0;

	pthread_mutex_lock(&trace_mutex);
	for (const struct tracer *t = hook->tracers; t; t = t->next)
		count += t->only != NULL;
	struct chosen *chosen = calloc(count + 1, sizeof(*chosen));
	*count_ret = chosen ? count : 0;
	for (const struct tracer *t = hook->tracers; chosen && t; t = t->next)
		if (t->only) {
			Py_INCREF(t->only);
			chosen[--count] = (struct chosen){ t->only, t->builtins };
		}
	pthread_mutex_unlock(&trace_mutex);
	return chosen;
}

static int set_one_chosen(struct monitoring *m, const struct chosen *chosen, bool *exits)
{
	if (m->local_exits &&
		set_local(m, chosen->codes, mask_of(m, true, true, chosen->builtins)) == 0)
		return 0;
	if (m->local_exits && !PyErr_ExceptionMatches(PyExc_ValueError))
		return -1;
	PyErr_Clear();
	m->local_exits = false;
	*exits = true;
	return set_local(m, chosen->codes, mask_of(m, true, false, chosen->builtins));
}

// The events of chosen code objects. Where the exits of single code objects cannot be had, those of all
// code are: few, as they are exceptions.
static int set_chosen(const struct trace_hook *hook, struct monitoring *m, bool *exits)
{
	size_t count;
	struct chosen *chosen = chosen_now(hook, &count);
	int result = 0;

	*exits = false;
	if (!chosen)
		PyErr_NoMemory();
	for (int c = 0; c <= 1; c++)
		for (size_t i = 0; i < count && result == 0; i++)
			if (chosen[i].builtins == (c == 1))
				result = set_one_chosen(m, &chosen[i], exits);
	for (size_t i = 0; i < count; i++)
		Py_DECREF(chosen[i].codes);
	free(chosen);
	return PyErr_Occurred() ? -1 : result;
}

static int update(struct trace_hook *hook, const struct trace_needs *needs)
{
	struct monitoring *m = hook->backend_data;
	bool exits;

	if (!m)
		m = hook->backend_data = create(hook);
	if (!m)
		return -1;
	m->all_exact = needs->exact;
	memset(m->places, 0, sizeof(m->places));
	if (m->tool < 0) {
		m->local_exits = true;
		if (claim_tool(m) < 0 || register_callbacks(m, true) < 0)
			return -1;
	}
	if (set_chosen(hook, m, &exits) < 0)
		return -1;
	int mask = mask_of(m, needs->functions, needs->functions || exits, needs->builtins);
	if (call(m, "set_events", "ii", m->tool, mask, NULL) < 0)
		return -1;
	PyObject *result = PyObject_CallMethod(m->module, "restart_events", NULL);
	Py_XDECREF(result);
	return result ? 0 : -1;
}

static void stop(struct trace_hook *hook)
{
	struct monitoring *m = hook->backend_data;

	if (!m || m->tool < 0)
		return;
	if (call(m, "set_events", "ii", m->tool, 0, NULL) < 0 || register_callbacks(m, false) < 0)
		PyErr_Clear();
	PyObject *result = PyObject_CallMethod(m->module, "free_tool_id", "i", m->tool);
	Py_XDECREF(result);
	if (!result)
		PyErr_Clear();
	m->tool = -1;
}

static void forget(struct trace_hook *hook, PyObject *codes)
{
	struct monitoring *m = hook->backend_data;

	if (m && m->tool >= 0 && set_local(m, codes, 0) < 0)
		PyErr_Clear();
}

const struct trace_backend trace_monitoring = {
	.name = "sys.monitoring",
	.update = update,
	.stop = stop,
	.forget = forget,
};

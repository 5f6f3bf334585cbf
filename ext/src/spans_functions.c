// SPDX-License-Identifier: MIT
#include "span_object.h"

#include "inside/spans.h"

#ifndef METH_FASTCALL
#define METH_FASTCALL 0x0080
#endif

static PyObject *none(void)
{
	Py_INCREF(Py_None);
	return Py_None;
}

static PyObject *open_method(PyObject *module, PyObject *args)
{
	unsigned long long parent;
	const char *name, *text = "";
	span_key key;

	(void)module;
	if (!PyArg_ParseTuple(args, "Ks|s:span_open", &parent, &name, &text))
		return NULL;
	span_sync_hooks();
	key = spans_open(parent, name, text);
	return key ? PyLong_FromUnsignedLongLong(key) : PyErr_NoMemory();
}

static PyObject *describe_method(PyObject *module, PyObject *args)
{
	unsigned long long key;
	const char *text;

	(void)module;
	if (!PyArg_ParseTuple(args, "Ks:span_describe", &key, &text))
		return NULL;
	spans_describe(key, text);
	return none();
}

static PyObject *choose_method(PyObject *module, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "key", "chosen", NULL };
	unsigned long long key;
	int chosen = 1;

	(void)module;
	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "K|p:span_choose", names, &key, &chosen))
		return NULL;
	spans_choose(key, chosen);
	return none();
}

/* False with an exception. */
static bool key_from(PyObject *object, span_key *ret)
{
	*ret = PyLong_AsUnsignedLongLong(object);
	return *ret != (span_key)-1 || !PyErr_Occurred();
}

static PyObject *close_method(PyObject *module, PyObject *argument)
{
	span_key key;

	(void)module;
	if (!key_from(argument, &key))
		return NULL;
	spans_close(key);
	return none();
}

static PyObject *enter_method(PyObject *module, PyObject *argument)
{
	span_key key;

	(void)module;
	if (!key_from(argument, &key))
		return NULL;
	PyObject *value = span_value_of_key(key);
	if (!value)
		return NULL;
	key = span_set_value(value);
	Py_DECREF(value);
	return PyLong_FromUnsignedLongLong(key);
}

static PyObject *current_method(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	return PyLong_FromUnsignedLongLong(span_current_key());
}

static PyObject *wanted_method(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	return PyBool_FromLong(spans_wanted());
}

static PyObject *follow_method(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	return PyBool_FromLong(span_follow_contexts());
}

/* ---- what a sampler sees ---------------------------------------------------------------------- */

static PyObject *look_method(PyObject *module, PyObject *args)
{
	struct span_look look = { 0 };
	unsigned long long tid, state = 0;

	(void)module;
	if (!PyArg_ParseTuple(args, "K|K:_span_look", &tid, &state))
		return NULL;
	if (!state && (pid_t)tid == gettid())
		state = (unsigned long long)(uintptr_t)PyThreadState_Get();
	spans_look(&look, (pid_t)tid, state);
	return PyLong_FromUnsignedLongLong(look.key);
}

static PyObject *state_method(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	return PyLong_FromVoidPtr(PyThreadState_Get());
}

/* A reader of events, for tests. */
static void reader_free(PyObject *capsule)
{
	span_reader_destroy(PyCapsule_GetPointer(capsule, "reader"));
}

static PyObject *reader_method(PyObject *module, PyObject *unused)
{
	struct span_reader *reader = span_reader_create();

	(void)module;
	(void)unused;
	if (!reader)
		return PyErr_NoMemory();
	return PyCapsule_New(reader, "reader", reader_free);
}

static PyObject *next_method(PyObject *module, PyObject *capsule)
{
	static const char *const types[] = {
		[SPAN_OPENED] = "opened", [SPAN_DESCRIBED] = "described", [SPAN_CHOSEN] = "chosen",
		[SPAN_UNCHOSEN] = "unchosen", [SPAN_CLOSED] = "closed",
	};
	struct span_reader *reader = PyCapsule_GetPointer(capsule, "reader");
	struct span_event event;

	(void)module;
	if (!reader)
		return NULL;
	if (!span_reader_next(reader, &event))
		return none();
	return Py_BuildValue("(sKKKkzz)", types[event.type], event.key, event.parent, event.time_ns,
		(unsigned long)event.tid, event.name, event.text);
}

/* ---- the functions ---------------------------------------------------------------------------- */

#define AS_METHOD(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef functions[] = {
	{ "span", AS_METHOD(span_make), METH_FASTCALL | METH_KEYWORDS,
		"span(name, text=None, **labels)\n\nA part of what the program works on: with, async with, "
		"or a decorator." },
	{ "span_open", open_method, METH_VARARGS,
		"span_open(parent, name, text=''): the key of a new span, which is not entered." },
	{ "span_describe", describe_method, METH_VARARGS,
		"span_describe(key, text): more is known of it; replaces its text." },
	{ "span_close", close_method, METH_O, "span_close(key): it is over." },
	{ "span_enter", enter_method, METH_O,
		"span_enter(key): this context is in it from now on (0: in none); returns the key before." },
	{ "span_current", current_method, METH_NOARGS,
		"span_current(): the key of the innermost span of this context, 0 if it is in none." },
	{ "span_choose", AS_METHOD(choose_method), METH_VARARGS | METH_KEYWORDS,
		"span_choose(key, chosen=True): sessions with spans_only keep its samples." },
	{ "span_wanted", wanted_method, METH_NOARGS,
		"span_wanted(): whether a session is there that would see spans." },
	{ "span_follow", follow_method, METH_NOARGS,
		"span_follow(): whether samplers can tell in which span a task or greenlet is." },
	{ "_span_carry", span_carry, METH_O,
		"_span_carry(function): does what it does, in the span in which this context is." },
	{ "_span_outside", span_outside, METH_O,
		"_span_outside(function): does what it does, in no span." },
	{ "_span_look", look_method, METH_VARARGS,
		"_span_look(tid, state=0): what a sampler sees of a thread." },
	{ "_thread_state", state_method, METH_NOARGS, "The address of this thread's state." },
	{ "_span_reader", reader_method, METH_NOARGS, "As a session has one." },
	{ "_span_next", next_method, METH_O, "_span_next(reader): its next event, or None." },
	{ NULL, NULL, 0, NULL },
};

int ext_add_spans(PyObject *module)
{
	if (span_add_types(module) < 0)
		return -1;
	return PyModule_AddFunctions(module, functions);
}

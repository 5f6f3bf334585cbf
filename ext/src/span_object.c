// SPDX-License-Identifier: MIT
#include "span_parts.h"

#include "context_api.h"

/* The calling convention is as old as 3.7; the limited API has its name from 3.10 on. */
#ifndef METH_FASTCALL
#define METH_FASTCALL 0x0080
#endif

static PyTypeObject *done_type;
static PyObject *done; // awaitable, its result is None

static struct span_object *of(PyObject *self)
{
	return (struct span_object *)(void *)self;
}

static PyObject *none(void)
{
	Py_INCREF(Py_None);
	return Py_None;
}

/* ---- text ------------------------------------------------------------------------------------- */

/* Valid as long as `text`; never fails: what has no UTF-8 is "?". */
static const char *utf8_of(PyObject *text)
{
	const char *utf8 = context_api() ? context_api()->utf8(text, NULL) : NULL;

	if (utf8)
		return utf8;
	PyErr_Clear();
	return "?";
}

/* "TEXT k=v k=v", a new reference; labels that cannot be made text are left out. */
static PyObject *join(PyObject *text, PyObject *labels)
{
	PyObject *key, *value, *joined = text ? text : PyUnicode_FromString("");
	Py_ssize_t at = 0;

	Py_XINCREF(text);
	while (joined && labels && PyDict_Next(labels, &at, &key, &value)) {
		bool first = PyUnicode_GetLength(joined) == 0;
		PyObject *longer = PyUnicode_FromFormat(first ? "%U%U=%S" : "%U %U=%S", joined, key, value);

		if (!longer) {
			PyErr_Clear();
			continue;
		}
		Py_DECREF(joined);
		joined = longer;
	}
	if (!joined)
		PyErr_Clear();
	return joined;
}

/* ---- opening and closing ---------------------------------------------------------------------- */

/* Labels cost their str(): that is done while somebody will see them. */
static const char *shown_text(struct span_object *self)
{
	Py_XDECREF(self->shown);
	self->shown = NULL;
	if (self->labels && spans_wanted())
		self->shown = join(self->text, self->labels);
	else if (self->text)
		Py_INCREF(self->shown = self->text);
	return self->shown ? utf8_of(self->shown) : NULL;
}

static bool enter(struct span_object *self)
{
	if (atomic_exchange(&self->entered, 1)) {
		PyErr_SetString(PyExc_RuntimeError, "this span is entered already; make one for each time");
		return false;
	}
	span_sync_hooks();
	const char *text = shown_text(self);
	span_key parent = span_current_key();
	self->key = spans_open_at(&self->open, parent, utf8_of(self->name), text);
	atomic_store_explicit(&self->seen, self->key, memory_order_relaxed);
	span_context_enter(self);
	return true;
}

/* Labels whose text nobody wanted when it was opened. */
static void describe_late(struct span_object *self)
{
	PyObject *text = join(self->text, self->labels);

	if (text)
		spans_describe(self->key, utf8_of(text));
	Py_XDECREF(text);
}

/* Whatever else has been entered and left in between, and in which context: this one is over. */
static void leave(struct span_object *self)
{
	span_key outer = span_context_leave(self);

	if (self->labels && !self->shown && spans_wanted())
		describe_late(self);
	atomic_store_explicit(&self->seen, outer, memory_order_relaxed);
	spans_close(self->open.key);
}

static PyObject *span_enter_method(PyObject *self, PyObject *unused)
{
	(void)unused;
	if (!enter(of(self)))
		return NULL;
	Py_INCREF(self);
	return self;
}

static PyObject *span_exit_method(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
	(void)args;
	(void)count;
	if (atomic_exchange(&of(self)->entered, 0))
		leave(of(self));
	return none();
}

/* ---- async with ------------------------------------------------------------------------------- */

/* An awaitable that never waits. */
struct done_object {
	PyObject_HEAD
	PyObject *result; // NULL: None
};

static PyObject *done_next(PyObject *self)
{
	PyObject *result = ((struct done_object *)(void *)self)->result;

	if (result)
		PyErr_SetObject(PyExc_StopIteration, result);
	return NULL;
}

static PyObject *done_self(PyObject *self)
{
	Py_INCREF(self);
	return self;
}

static void done_dealloc(PyObject *self)
{
	Py_XDECREF(((struct done_object *)(void *)self)->result);
	span_release(self);
}

static PyType_Slot done_slots[] = {
	{ Py_tp_dealloc, done_dealloc },
	{ Py_tp_iter, done_self },
	{ Py_tp_iternext, done_next },
	{ Py_am_await, done_self },
	{ 0, NULL },
};

static PyType_Spec done_spec = {
	.name = "fireglass._fireglass._Done",
	.basicsize = sizeof(struct done_object),
	.flags = Py_TPFLAGS_DEFAULT,
	.slots = done_slots,
};

static PyObject *span_aenter(PyObject *self, PyObject *unused)
{
	(void)unused;
	struct done_object *entered = span_allocate(done_type);
	if (!entered)
		return NULL;
	if (!enter(of(self))) {
		Py_DECREF((PyObject *)entered);
		return NULL;
	}
	Py_INCREF(entered->result = self);
	return (PyObject *)entered;
}

static PyObject *span_aexit(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
	PyObject *result = span_exit_method(self, args, count);

	Py_XDECREF(result);
	Py_INCREF(done);
	return done;
}

/* ---- the rest of a span ----------------------------------------------------------------------- */

static PyObject *span_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
	struct span_object *span = of(self);
	PyObject *function, *module, *wrapped;

	if (kwargs && PyDict_Size(kwargs)) {
		PyErr_SetString(PyExc_TypeError, "a span decorates one function");
		return NULL;
	}
	if (!PyArg_ParseTuple(args, "O:span", &function))
		return NULL;
	module = PyImport_ImportModule("fireglass._spans");
	if (!module)
		return NULL;
	wrapped = PyObject_CallMethod(module, "decorate", "OOOO", function, span->name,
		span->text ? span->text : Py_None, span->labels ? span->labels : Py_None);
	Py_DECREF(module);
	return wrapped;
}

static void set_text(struct span_object *self, PyObject *text, PyObject *labels)
{
	Py_XDECREF(self->text);
	Py_XDECREF(self->labels);
	Py_XINCREF(self->text = text);
	Py_XINCREF(self->labels = labels);
}

static PyObject *span_describe_method(PyObject *self, PyObject *args, PyObject *kwargs)
{
	PyObject *text = NULL;

	if (!PyArg_ParseTuple(args, "|O:describe", &text))
		return NULL;
	if (text == Py_None)
		text = NULL;
	if (text && !PyUnicode_Check(text)) {
		PyErr_SetString(PyExc_TypeError, "the text of a span is a str");
		return NULL;
	}
	set_text(of(self), text, kwargs);
	PyObject *joined = of(self)->key ? join(text, kwargs) : NULL;
	if (joined) {
		spans_describe(of(self)->key, utf8_of(joined)); // copies it: the old one is free now
		Py_XDECREF(of(self)->shown);
		of(self)->shown = joined;
	}
	return none();
}

static PyObject *span_key_of(PyObject *self, void *unused)
{
	(void)unused;
	return PyLong_FromUnsignedLongLong(of(self)->key);
}

static PyObject *span_name_of(PyObject *self, void *unused)
{
	PyObject *name = of(self)->name;

	(void)unused;
	if (!name)
		return none();
	Py_INCREF(name);
	return name;
}

static PyObject *span_text_of(PyObject *self, void *unused)
{
	(void)unused;
	return join(of(self)->text, of(self)->labels);
}

static PyObject *span_repr(PyObject *self)
{
	struct span_object *span = of(self);
	PyObject *text = span_text_of(self, NULL);

	if (!text)
		return NULL;
	PyObject *repr = PyUnicode_FromFormat("<fireglass.span %R %R, %s>",
		span->name ? span->name : Py_None, text, span->open.key ? "open" : "not open");
	Py_DECREF(text);
	return repr;
}

static void span_dealloc(PyObject *self)
{
	struct span_object *span = of(self);

	span_context_forget(span);
	spans_close(span->open.key);
	Py_XDECREF(span->name);
	Py_XDECREF(span->text);
	Py_XDECREF(span->labels);
	Py_XDECREF(span->shown);
	Py_XDECREF(span->outer);
	span_release(self);
}

#define AS_METHOD(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef span_methods[] = {
	{ "__enter__", span_enter_method, METH_NOARGS, NULL },
	{ "__exit__", AS_METHOD(span_exit_method), METH_FASTCALL, NULL },
	{ "__aenter__", span_aenter, METH_NOARGS, NULL },
	{ "__aexit__", AS_METHOD(span_aexit), METH_FASTCALL, NULL },
	{ "describe", AS_METHOD(span_describe_method), METH_VARARGS | METH_KEYWORDS,
		"describe(text=None, **labels): more is known of it now; replaces text and labels." },
	{ NULL, NULL, 0, NULL },
};

static PyGetSetDef span_attributes[] = {
	{ "key", span_key_of, NULL, "Its number in this process; 0: it was not entered yet.", NULL },
	{ "name", span_name_of, NULL, "The kind.", NULL },
	{ "text", span_text_of, NULL, "This one: the text, and the labels as k=v.", NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

static PyType_Slot span_slots[] = {
	{ Py_tp_dealloc, span_dealloc },
	{ Py_tp_methods, span_methods },
	{ Py_tp_getset, span_attributes },
	{ Py_tp_call, span_call },
	{ Py_tp_repr, span_repr },
	{ Py_tp_doc, "A part of what the program works on; made by fireglass.span()." },
	{ 0, NULL },
};

static PyType_Spec span_spec = {
	.name = "fireglass._fireglass.Span",
	.basicsize = sizeof(struct span_object),
	.flags = Py_TPFLAGS_DEFAULT,
	.slots = span_slots,
};

/* ---- span() ----------------------------------------------------------------------------------- */

/* Takes the keywords that are not labels out; the others become the dict of labels. */
static bool take_keywords(struct span_object *self, PyObject *const *values, PyObject *names)
{
	for (Py_ssize_t i = 0; i < PyTuple_Size(names); i++) {
		PyObject *name = PyTuple_GetItem(names, i);

		if (!self->name && PyUnicode_CompareWithASCIIString(name, "name") == 0) {
			Py_INCREF(self->name = values[i]);
		} else if (!self->text && PyUnicode_CompareWithASCIIString(name, "text") == 0) {
			Py_INCREF(self->text = values[i]);
		} else {
			if (!self->labels)
				self->labels = PyDict_New();
			if (!self->labels || PyDict_SetItem(self->labels, name, values[i]) < 0)
				return false;
		}
	}
	return true;
}

static bool check(struct span_object *self)
{
	if (self->text == Py_None) {
		Py_DECREF(self->text);
		self->text = NULL;
	}
	if (self->name && PyUnicode_Check(self->name)
		&& (!self->text || PyUnicode_Check(self->text)))
		return true;
	PyErr_SetString(PyExc_TypeError,
		"span(name, text=None, **labels): name and text are str; give values as labels");
	return false;
}

/* `@span` without parentheses: the function's own name. */
static PyObject *decorate_plainly(PyObject *function)
{
	PyObject *module = PyImport_ImportModule("fireglass._spans"), *wrapped = NULL;

	if (module)
		wrapped = PyObject_CallMethod(module, "decorate", "O", function);
	Py_XDECREF(module);
	return wrapped;
}

PyObject *span_make(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
	(void)module;
	if (count == 1 && !names && !PyUnicode_Check(args[0]) && PyCallable_Check(args[0]))
		return decorate_plainly(args[0]);
	if (count > 2) {
		PyErr_SetString(PyExc_TypeError, "span() takes a name and a text; the rest are labels: k=v");
		return NULL;
	}
	struct span_object *self = span_allocate(span_type);
	if (!self)
		return NULL;
	if (count > 0)
		Py_INCREF(self->name = args[0]);
	if (count > 1)
		Py_INCREF(self->text = args[1]);
	if ((!names || take_keywords(self, args + count, names)) && check(self))
		return (PyObject *)self;
	Py_DECREF((PyObject *)self);
	return NULL;
}

/* ---- types ------------------------------------------------------------------------------------ */

int span_add_types(PyObject *module)
{
	PyObject *type = PyType_FromSpec(&span_spec);

	if (!type || span_add_carrier() < 0)
		return -1;
	if (!span_type) { // sub-interpreters share what the first has made
		Py_INCREF(type);
		span_type = (PyTypeObject *)(void *)type;
		done_type = (PyTypeObject *)(void *)PyType_FromSpec(&done_spec);
		done = done_type ? span_allocate(done_type) : NULL;
		if (!done || !span_make_variable())
			return -1;
	}
	return PyModule_AddObject(module, "Span", type);
}

// SPDX-License-Identifier: MIT
/*
 * What a pool of threads is given instead of a function: does what the function does, in the span in
 * which it was handed over. In C, so that no frame of ours is in the stacks of the pool's threads.
 */
#include "span_object.h"

struct carrier_object {
	PyObject_HEAD
	PyObject *function;
	PyObject *value; // of the context variable
};

static PyTypeObject *carrier_type;

static struct carrier_object *of(PyObject *self)
{
	return (struct carrier_object *)(void *)self;
}

/* With an exception set, too. */
static void set_value_back(PyObject *value)
{
	PyObject *type, *error, *traceback;

	PyErr_Fetch(&type, &error, &traceback);
	span_set_value(value);
	PyErr_Restore(type, error, traceback);
}

static PyObject *carrier_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
	PyObject *before = span_value();

	if (!before)
		before = span_value_of_key(0);
	if (!before)
		return NULL;
	span_set_value(of(self)->value);
	PyObject *result = PyObject_Call(of(self)->function, args, kwargs);
	set_value_back(before);
	Py_DECREF(before);
	return result;
}

static int carrier_traverse(PyObject *self, visitproc visit, void *arg)
{
	Py_VISIT(of(self)->function);
	return 0;
}

static int carrier_clear(PyObject *self)
{
	Py_CLEAR(of(self)->function);
	return 0;
}

static void carrier_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);
	freefunc set_free = (freefunc)PyType_GetSlot(type, Py_tp_free);

	PyObject_GC_UnTrack(self);
	Py_XDECREF(of(self)->function);
	Py_XDECREF(of(self)->value);
	set_free(self);
	Py_DECREF(type);
}

/* As the function itself to whoever asks: its name, what it is made of. */
static PyObject *carrier_attribute(PyObject *self, PyObject *name)
{
	PyObject *own = PyObject_GenericGetAttr(self, name);

	if (own || !PyErr_ExceptionMatches(PyExc_AttributeError))
		return own;
	PyErr_Clear();
	return PyObject_GetAttr(of(self)->function, name);
}

static PyObject *carrier_repr(PyObject *self)
{
	return PyObject_Repr(of(self)->function);
}

static PyType_Slot slots[] = {
	{ Py_tp_dealloc, carrier_dealloc },
	{ Py_tp_traverse, carrier_traverse },
	{ Py_tp_clear, carrier_clear },
	{ Py_tp_call, carrier_call },
	{ Py_tp_getattro, carrier_attribute },
	{ Py_tp_repr, carrier_repr },
	{ 0, NULL },
};

static PyType_Spec spec = {
	.name = "fireglass._fireglass._Carrier",
	.basicsize = sizeof(struct carrier_object),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
	.slots = slots,
};

/* The value is the carrier's now. */
static PyObject *make_carrier(PyObject *function, PyObject *value)
{
	allocfunc make = (allocfunc)PyType_GetSlot(carrier_type, Py_tp_alloc);
	PyObject *self = make(carrier_type, 0);

	if (!self) {
		Py_DECREF(value);
		return NULL;
	}
	Py_INCREF(of(self)->function = function);
	of(self)->value = value;
	return self;
}

PyObject *span_carry(PyObject *module, PyObject *function)
{
	PyObject *value = span_value();

	(void)module;
	if (!value || !span_current_key()) {
		Py_XDECREF(value);
		Py_INCREF(function);
		return function;
	}
	return make_carrier(function, value);
}

PyObject *span_outside(PyObject *module, PyObject *function)
{
	PyObject *value = span_value_of_key(0);

	(void)module;
	return value ? make_carrier(function, value) : NULL;
}

int span_add_carrier(void)
{
	if (!carrier_type)
		carrier_type = (PyTypeObject *)(void *)PyType_FromSpec(&spec);
	return carrier_type ? 0 : -1;
}

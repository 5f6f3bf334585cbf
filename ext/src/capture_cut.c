// SPDX-License-Identifier: MIT
/*
 * capture_cut(fd, inputs): some spans of captures, as one capture.
 */
#include "capture_object.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "store/cut.h"

struct inputs {
	PyObject *capture_type, *keep; // keep: the captures, which are locked
	struct cut_input *rows;
	size_t count;
};

static void inputs_deinit(struct inputs *in)
{
	for (size_t i = 0; i < in->count; i++) {
		capture_unlock(capture_of(PyList_GetItem(in->keep, (Py_ssize_t)i)));
		free((void *)(uintptr_t)in->rows[i].spans);
	}
	free(in->rows);
	Py_XDECREF(in->keep);
	Py_XDECREF(in->capture_type);
}

/* The numbers of a sequence; false with an exception. */
static bool read_rows(PyObject *sequence, uint32_t **ret, size_t *count_ret)
{
	PyObject *tuple = PySequence_Tuple(sequence);
	Py_ssize_t count = tuple ? PyTuple_Size(tuple) : -1;

	if (count < 0)
		return false;
	uint32_t *rows = xcalloc((size_t)count + 1, sizeof(*rows));
	for (Py_ssize_t i = 0; i < count && !PyErr_Occurred(); i++)
		rows[i] = (uint32_t)PyLong_AsUnsignedLong(PyTuple_GetItem(tuple, i));
	Py_DECREF(tuple);
	if (PyErr_Occurred()) {
		free(rows);
		return false;
	}
	*ret = rows;
	*count_ret = (size_t)count;
	return true;
}

static bool add_capture(struct inputs *in, PyObject *capture, PyObject *spans)
{
	struct cut_input *row = &in->rows[in->count];
	uint32_t *rows;
	int is = PyObject_IsInstance(capture, in->capture_type);

	if (is == 0)
		PyErr_SetString(PyExc_TypeError, "a Capture is expected");
	if (is <= 0 || !read_rows(spans, &rows, &row->span_count))
		return false;
	row->spans = rows;
	row->capture = &capture_of(capture)->capture;
	if (capture_lock(capture_of(capture))) {
		if (PyList_Append(in->keep, capture) == 0) {
			in->count++;
			return true;
		}
		capture_unlock(capture_of(capture));
	}
	free(rows);
	return false;
}

/* False with an exception. */
static bool inputs_read(struct inputs *in, PyObject *module, PyObject *given)
{
	PyObject *tuple = PySequence_Tuple(given);
	Py_ssize_t count = tuple ? PyTuple_Size(tuple) : -1;
	bool fine = count >= 0;

	in->keep = PyList_New(0);
	in->capture_type = PyObject_GetAttrString(module, "Capture");
	in->rows = xcalloc(fine ? (size_t)count + 1 : 1, sizeof(*in->rows));
	fine = fine && in->keep && in->capture_type;
	for (Py_ssize_t i = 0; fine && i < count; i++) {
		PyObject *capture, *spans;

		fine = PyArg_ParseTuple(PyTuple_GetItem(tuple, i), "OO", &capture, &spans) &&
			add_capture(in, capture, spans);
	}
	Py_XDECREF(tuple);
	return fine;
}

static PyObject *capture_cut(PyObject *module, PyObject *args)
{
	_cleanup_(inputs_deinit) struct inputs in = { 0 };
	PyObject *given;
	struct err *err;
	int fd;

	if (!PyArg_ParseTuple(args, "iO:capture_cut", &fd, &given) ||
		!inputs_read(&in, module, given))
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	err = cut_write(in.rows, in.count, fd);
	Py_END_ALLOW_THREADS
	if (err)
		return ext_raise(err);
	Py_INCREF(Py_None);
	return Py_None;
}

static PyMethodDef functions[] = {
	{ "capture_cut", capture_cut, METH_VARARGS,
		"capture_cut(fd, inputs): writes some spans of captures, with all that lies in them, to the "
		"empty file `fd`. inputs: (Capture, rows of its spans)." },
	{ NULL, NULL, 0, NULL },
};

int ext_add_cut(PyObject *module)
{
	return PyModule_AddFunctions(module, functions);
}

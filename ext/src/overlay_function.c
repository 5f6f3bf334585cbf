// SPDX-License-Identifier: MIT
/*
 * overlay(path, fd, calls): a capture with calls that were traced, as spans.
 */
#include "ext.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "store/capture_file.h"
#include "store/overlay.h"

struct calls {
	struct overlay_call *rows;
	size_t count;
	PyObject *keep; // the sequence whose texts they have
};

static void calls_deinit(struct calls *calls)
{
	free(calls->rows);
	Py_CLEAR(calls->keep);
}

/* False with an exception. */
static bool calls_init(struct calls *calls, PyObject *given)
{
	calls->keep = PySequence_Tuple(given);
	Py_ssize_t count = calls->keep ? PyTuple_Size(calls->keep) : -1;
	if (count < 0)
		return false;
	calls->rows = xcalloc((size_t)count + 1, sizeof(*calls->rows));
	for (; calls->count < (size_t)count; calls->count++) {
		struct overlay_call *row = &calls->rows[calls->count];
		PyObject *tuple = PyTuple_GetItem(calls->keep, (Py_ssize_t)calls->count);
		unsigned long long start_ns, end_ns;

		if (!PyTuple_Check(tuple)) {
			PyErr_SetString(PyExc_TypeError, "calls are tuples");
			return false;
		}
		if (!PyArg_ParseTuple(tuple, "IsssKK", &row->tid, &row->thread, &row->name,
			    &row->text, &start_ns, &end_ns))
			return false;
		row->start_ns = start_ns;
		row->end_ns = end_ns;
	}
	return true;
}

static struct err *lay_over(const char *path, const struct calls *calls, int fd)
{
	struct capture c;
	struct err *err = capture_file_open(&c, path, NULL);

	if (err)
		return err;
	err = overlay_write(&c, calls->rows, calls->count, fd);
	capture_deinit(&c);
	return err;
}

static PyObject *overlay(PyObject *module, PyObject *args)
{
	_cleanup_(calls_deinit) struct calls calls = { 0 };
	PyObject *path, *given;
	struct err *err;
	int fd;

	(void)module;
	if (!PyArg_ParseTuple(args, "O&iO:overlay", PyUnicode_FSConverter, &path, &fd, &given))
		return NULL;
	if (calls_init(&calls, given)) {
		const char *name = PyBytes_AsString(path);

		Py_BEGIN_ALLOW_THREADS
		err = lay_over(name, &calls, fd);
		Py_END_ALLOW_THREADS
		if (err)
			ext_raise(err);
	}
	Py_DECREF(path);
	if (PyErr_Occurred())
		return NULL;
	Py_INCREF(Py_None);
	return Py_None;
}

static PyMethodDef functions[] = {
	{ "overlay", overlay, METH_VARARGS,
		"overlay(path, fd, calls): writes the capture of `path` to the empty file `fd`, with calls as "
		"spans: (tid, thread's name, name, text, start_ns, end_ns), in any order." },
	{ NULL, NULL, 0, NULL },
};

int ext_add_overlay(PyObject *module)
{
	return PyModule_AddFunctions(module, functions);
}

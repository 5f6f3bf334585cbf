// SPDX-License-Identifier: MIT
#include "capture_object.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/iofd.h"
#include "import/import.h"

#define MAGIC_BYTES 8

/* ---- the lock --------------------------------------------------------------------------------- */

bool capture_lock(struct capture_object *self)
{
	int errnum;

	if (pthread_mutex_trylock(&self->lock) == 0)
		return true;
	Py_BEGIN_ALLOW_THREADS
	errnum = pthread_mutex_lock(&self->lock);
	Py_END_ALLOW_THREADS
	if (errnum == 0)
		return true;
	PyErr_SetString(PyExc_RuntimeError,
		"a capture cannot be used by what it calls while it is being read");
	return false;
}

void capture_unlock(struct capture_object *self)
{
	pthread_mutex_unlock(&self->lock);
}

/* ---- helpers ---------------------------------------------------------------------------------- */

PyObject *capture_str(const char *text)
{
	return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

bool capture_put(PyObject *dict, const char *key, PyObject *value)
{
	if (!value)
		return false;
	int status = PyDict_SetItemString(dict, key, value);
	Py_DECREF(value);
	return status == 0;
}

bool capture_append(PyObject *list, PyObject *value)
{
	if (!value)
		return false;
	int status = PyList_Append(list, value);
	Py_DECREF(value);
	return status == 0;
}

/* The base type is kept by the class itself, which a sub-interpreter has one of its own of. */
bool capture_check(PyObject *self, PyObject *object)
{
	PyObject *type = PyObject_GetAttrString(self, "_base");

	if (!type)
		return false;
	int is = PyObject_IsInstance(object, type);
	Py_DECREF(type);
	if (is == 0)
		PyErr_SetString(PyExc_TypeError, "a Capture is expected");
	return is == 1;
}

/* ---- opening ---------------------------------------------------------------------------------- */

/* OSError, with the name, for what cannot be read at all; readers would word it otherwise. */
static bool can_be_read(const char *path, PyObject *name)
{
	int fd;

	Py_BEGIN_ALLOW_THREADS
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	Py_END_ALLOW_THREADS
	if (fd < 0) {
		PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, name);
		return false;
	}
	close(fd);
	return true;
}

static struct err *open_path(struct capture_object *c, const char *path, const char *format)
{
	_cleanup_buf_ struct buf magic = BUF_INIT;

	if (!format) {
		int errnum = iofd_read_file(path, MAGIC_BYTES, &magic);

		if (errnum)
			return err_errno(errnum, "cannot read '%s'", path);
		c->native = capture_file_is(buf_str(&magic), magic.len);
	} else {
		c->native = strcmp(format, "fgc") == 0;
	}
	if (c->native)
		return capture_file_open(&c->capture, path, &c->info);
	capture_init(&c->capture);
	return import_file(&c->capture, path, format, NULL);
}

static PyObject *open_into(PyObject *self, PyObject *name, const char *format)
{
	struct capture_object *c = capture_of(self);
	struct err *err;
	PyObject *bytes;
	char *path;

	if (!PyUnicode_FSConverter(name, &bytes))
		return NULL;
	if (PyBytes_AsStringAndSize(bytes, &path, NULL) < 0 || !can_be_read(path, name)) {
		Py_DECREF(bytes);
		return NULL;
	}
	Py_BEGIN_ALLOW_THREADS
	err = open_path(c, path, format);
	Py_END_ALLOW_THREADS
	Py_DECREF(bytes);
	c->open = !err;
	return err ? ext_raise(err) : self;
}

/* Another thread may wait for the lock only after it has the object. */
static void init_lock(struct capture_object *c)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&c->lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

static PyObject *capture_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "path", "format", NULL };
	const char *format = NULL;
	PyObject *path;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|z:Capture", names, &path, &format))
		return NULL;
	allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
	PyObject *self = allocate(type, 0);
	if (!self)
		return NULL;
	init_lock(capture_of(self));
	if (open_into(self, path, format))
		return self;
	Py_DECREF(self);
	return NULL;
}

static void capture_dealloc(PyObject *self)
{
	struct capture_object *c = capture_of(self);
	PyTypeObject *type = Py_TYPE(self);

	if (c->open)
		capture_deinit(&c->capture);
	pthread_mutex_destroy(&c->lock);
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
	release(self);
	Py_DECREF(type);
}

/* ---- the type --------------------------------------------------------------------------------- */

#define KEYWORDS (METH_VARARGS | METH_KEYWORDS)
#define WITH_KEYWORDS(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef methods[] = {
	{ "facts", capture_facts, METH_NOARGS, "What was recorded, where and how: a dict of texts." },
	{ "processes", capture_processes, METH_NOARGS, "A dict for each process." },
	{ "threads", capture_threads, METH_NOARGS,
		"A dict for each thread, with its samples and its CPU time." },
	{ "spans", capture_spans, METH_NOARGS,
		"A dict for each span; samples and cpu_ns are those of all that lies in it." },
	{ "markers", capture_markers, METH_NOARGS, "A dict for each marker." },
	{ "losses", capture_losses, METH_NOARGS, "Ticks and samples that could not be had, by kind." },
	{ "extent", capture_extent, METH_NOARGS,
		"Of the whole: first_ns, last_ns, samples, period_ns, and whether the file is finished or "
		"cut." },
	{ "functions", WITH_KEYWORDS(capture_functions), KEYWORDS,
		"functions(**selection): a dict for each function, the largest self time first." },
	{ "lines", WITH_KEYWORDS(capture_lines), KEYWORDS,
		"lines(**selection): a dict for each line, the largest self time first." },
	{ "counts", WITH_KEYWORDS(capture_counts), KEYWORDS,
		"counts(**selection): how many samples are shown, left out, cut, unreadable, lost." },
	{ "samples", WITH_KEYWORDS(capture_samples_method), KEYWORDS,
		"samples(**selection): an iterator of a dict for each sample, in order of time." },
	{ "export", WITH_KEYWORDS(capture_export), KEYWORDS,
		"export(format, fd=None, **options): writes it; without fd the bytes are returned." },
	{ NULL, NULL, 0, NULL },
};

static PyType_Slot slots[] = {
	{ Py_tp_doc, "Capture(path, format=None)\n--\n\n"
		     "A capture file, or a file of another profiler, read." },
	{ Py_tp_new, capture_new },
	{ Py_tp_dealloc, capture_dealloc },
	{ Py_tp_methods, methods },
	{ 0, NULL },
};

static PyType_Spec spec = {
	.name = "fireglass._fireglass.Capture",
	.basicsize = sizeof(struct capture_object),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
	.slots = slots,
};

static PyMethodDef functions[] = {
	{ "formats", capture_formats, METH_NOARGS,
		"All formats that can be written: (name, extension, what it is)." },
	{ NULL, NULL, 0, NULL },
};

int ext_add_capture(PyObject *module)
{
	PyObject *type = PyType_FromSpec(&spec), *samples;

	if (!type)
		return -1;
	samples = capture_samples_type();
	if (!samples || PyObject_SetAttrString(type, "_base", type) < 0 ||
		PyObject_SetAttrString(type, "_samples", samples) < 0) {
		Py_XDECREF(samples);
		Py_DECREF(type);
		return -1;
	}
	Py_DECREF(samples);
	if (PyModule_AddObject(module, "Capture", type) < 0) {
		Py_DECREF(type);
		return -1;
	}
	return PyModule_AddFunctions(module, functions);
}

// SPDX-License-Identifier: MIT
#include <string.h>

#include "base/buf.h"
#include "ext.h"
#include "inside/session.h"
#include "span_object.h"

struct session_object {
	PyObject_HEAD
	struct session *session; // NULL: not started, or forgotten
};

static struct session_object *of(PyObject *self)
{
	return (struct session_object *)(void *)self;
}

static PyObject *none(void)
{
	Py_INCREF(Py_None);
	return Py_None;
}

static PyObject *finish_call(struct err *err)
{
	return err ? ext_raise(err) : none();
}

/* ---- the interpreter's end ---------------------------------------------------------------------- */

/* atexit: `type` is this interpreter's. */
static PyObject *finish_all(PyObject *type, PyObject *unused)
{
	(void)unused;
	Py_BEGIN_ALLOW_THREADS
	sessions_finish(type);
	Py_END_ALLOW_THREADS
	return none();
}

static PyMethodDef finish_method = { "finish_sessions", finish_all, METH_NOARGS,
	"Finishes the files of the sessions that were not stopped." };

/* Once per interpreter, when its first session is made; -1 with an exception. */
static int follow_exit(PyTypeObject *type)
{
	PyObject *self = (PyObject *)type;

	if (PyObject_HasAttrString(self, "_finishes"))
		return 0;
	PyObject *atexit = PyImport_ImportModule("atexit");
	PyObject *function = atexit ? PyCFunction_NewEx(&finish_method, self, NULL) : NULL;
	PyObject *done = function ? PyObject_CallMethod(atexit, "register", "O", function) : NULL;
	int result = done ? PyObject_SetAttrString(self, "_finishes", Py_True) : -1;

	Py_XDECREF(done);
	Py_XDECREF(function);
	Py_XDECREF(atexit);
	return result;
}

/* ---- life --------------------------------------------------------------------------------------- */

static int parse_clock(const char *text, struct session_options *options)
{
	options->clock = strcmp(text, "cpu") == 0 ? SESSION_CPU : SESSION_WALL;
	if (options->clock == SESSION_CPU || strcmp(text, "wall") == 0)
		return 0;
	PyErr_Format(PyExc_ValueError, "no clock '%s': it is 'wall' or 'cpu'", text);
	return -1;
}

static int parse_options(PyObject *args, PyObject *kwargs, int *fd, struct session_options *ret)
{
	static char *names[] = { "fd", "period_ns", "clock", "jitter", "idle", "gil_only",
		"spans_only", "max_age_ns", "max_bytes", "command", NULL };
	int jitter = 1, idle = 1, gil_only = 0, spans_only = 0;
	unsigned long long period_ns = 10000000, max_age_ns = 0, max_bytes = 0;
	const char *command = NULL, *clock = "wall";

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i|$KsppppKKz:Session", names, fd,
		    &period_ns, &clock, &jitter, &idle, &gil_only, &spans_only, &max_age_ns,
		    &max_bytes, &command))
		return -1;
	*ret = (struct session_options){
		.period_ns = period_ns,
		.no_jitter = !jitter,
		.no_idle = !idle,
		.gil_only = gil_only,
		.spans_only = spans_only,
		.max_age_ns = max_age_ns,
		.max_bytes = max_bytes,
		.command = command,
	};
	return parse_clock(clock, ret);
}

static PyObject *session_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	struct session_options options;
	struct err *err;
	int fd;

	if (parse_options(args, kwargs, &fd, &options) < 0 || follow_exit(type) < 0)
		return NULL;
	options.owner = type;
	allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
	PyObject *self = allocate(type, 0);
	if (!self)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	err = session_start(&of(self)->session, fd, &options);
	Py_END_ALLOW_THREADS
	span_sync_hooks();
	if (!err)
		return self;
	Py_DECREF(self);
	return ext_raise(err);
}

static void session_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);
	struct session *session = of(self)->session;

	of(self)->session = NULL;
	Py_BEGIN_ALLOW_THREADS
	session_destroy(session);
	Py_END_ALLOW_THREADS
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
	release(self);
	Py_DECREF(type);
}

/* ---- methods ------------------------------------------------------------------------------------ */

static PyObject *stop_method(PyObject *self, PyObject *unused)
{
	struct session *session = of(self)->session;
	struct err *err;

	(void)unused;
	if (!session)
		return none();
	Py_BEGIN_ALLOW_THREADS
	err = session_stop(session);
	Py_END_ALLOW_THREADS
	span_sync_hooks();
	return finish_call(err);
}

static struct session *known(PyObject *self)
{
	if (!of(self)->session)
		PyErr_SetString(PyExc_ValueError, "this session was abandoned");
	return of(self)->session;
}

static PyObject *flush_method(PyObject *self, PyObject *unused)
{
	struct session *session = known(self);
	struct err *err;

	(void)unused;
	if (!session)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	err = session_flush(session);
	Py_END_ALLOW_THREADS
	return finish_call(err);
}

static PyObject *dump_method(PyObject *self, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "fd", "last_ns", NULL };
	struct session *session = known(self);
	unsigned long long last_ns = 0;
	struct err *err;
	int fd;

	if (!session || !PyArg_ParseTupleAndKeywords(args, kwargs, "i|$K:dump", names, &fd, &last_ns))
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	err = session_dump(session, fd, last_ns);
	Py_END_ALLOW_THREADS
	return finish_call(err);
}

static PyObject *pause_method(PyObject *self, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "paused", NULL };
	struct session *session = known(self);
	int paused = 1;

	if (!session || !PyArg_ParseTupleAndKeywords(args, kwargs, "|p:pause", names, &paused))
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	session_pause(session, paused);
	Py_END_ALLOW_THREADS
	return none();
}

static PyObject *counts_method(PyObject *self, PyObject *unused)
{
	struct session_counts n = { 0 };

	(void)unused;
	if (of(self)->session)
		session_count(of(self)->session, &n);
	return Py_BuildValue("{s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K}", "ticks", n.ticks, "missed",
		n.missed, "samples", n.samples, "truncated", n.truncated, "failed", n.failed,
		"lost", n.lost, "bytes", n.bytes, "write_errors", n.write_errors, "spans_lost",
		n.spans_lost);
}

static PyObject *problem_method(PyObject *self, PyObject *unused)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	(void)unused;
	if (of(self)->session)
		session_problem(of(self)->session, &text);
	return text.len ? PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.len, "replace") : none();
}

/* Only in a child can a session be forgotten: its threads are the parent's. */
static PyObject *abandon_method(PyObject *self, PyObject *unused)
{
	(void)unused;
	if (of(self)->session && session_left_behind(of(self)->session))
		of(self)->session = NULL;
	else if (of(self)->session)
		return stop_method(self, NULL);
	return none();
}

static PyObject *get_left_behind(PyObject *self, void *unused)
{
	(void)unused;
	return PyBool_FromLong(!of(self)->session || session_left_behind(of(self)->session));
}

#define WITH_KEYWORDS(function) (PyCFunction)(void (*)(void))(function)

static PyMethodDef methods[] = {
	{ "stop", stop_method, METH_NOARGS,
		"stop()\n--\n\nEnds sampling and finishes the file. Does nothing when it has ended; an\n"
		"error if the file could not be finished." },
	{ "flush", flush_method, METH_NOARGS,
		"flush()\n--\n\nWrites all that was sampled until now: the file can be read then." },
	{ "dump", WITH_KEYWORDS(dump_method), METH_VARARGS | METH_KEYWORDS,
		"dump(fd, *, last_ns=0)\n--\n\nWrites what a flight recorder keeps (of the last so many\n"
		"nanoseconds) to another file, as a whole capture, and goes on." },
	{ "pause", WITH_KEYWORDS(pause_method), METH_VARARGS | METH_KEYWORDS,
		"pause(paused=True)\n--\n\nNo ticks are taken, and none is missed, while it is paused." },
	{ "counts", counts_method, METH_NOARGS,
		"counts()\n--\n\nWhat was sampled and lost so far, as of at most 50 ms ago." },
	{ "problem", problem_method, METH_NOARGS,
		"problem()\n--\n\nThe first error that writing had, as text; None if there was none." },
	{ "abandon", abandon_method, METH_NOARGS,
		"abandon()\n--\n\nIn the child of a fork: forgets the session, which is the parent's." },
	{ NULL, NULL, 0, NULL },
};

static PyGetSetDef attributes[] = {
	{ "left_behind", get_left_behind, NULL,
		"Whether a fork left it behind: it is the parent's, and does nothing here.", NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

static PyType_Slot slots[] = {
	{ Py_tp_doc, "Session(fd, *, period_ns=10_000_000, clock='wall', jitter=True, idle=True, "
		     "gil_only=False, spans_only=False, max_age_ns=0, max_bytes=0, command=None)\n--\n\n"
		     "Samples this process into the file `fd`, which stays the caller's, until stop(),\n"
		     "or until the interpreter ends. What the file had in it is replaced, unless this\n"
		     "raises: PermissionError if the system refuses." },
	{ Py_tp_new, session_new },
	{ Py_tp_dealloc, session_dealloc },
	{ Py_tp_methods, methods },
	{ Py_tp_getset, attributes },
	{ 0, NULL },
};

static PyType_Spec spec = {
	.name = "fireglass._fireglass.Session",
	.basicsize = sizeof(struct session_object),
	.flags = Py_TPFLAGS_DEFAULT,
	.slots = slots,
};

int ext_add_session(PyObject *module)
{
	PyObject *type = PyType_FromSpec(&spec);

	if (!type)
		return -1;
	if (PyModule_AddObject(module, "Session", type) == 0)
		return 0;
	Py_DECREF(type);
	return -1;
}

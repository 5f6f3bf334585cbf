// SPDX-License-Identifier: MIT
/*
 * Events by PyEval_SetProfile (to 3.11): a C function per thread, called for each call and return.
 *
 * Threads that run already are armed through their thread states; threads that `threading` starts,
 * by threading.setprofile. A profile function that was there before is called after ours and put
 * back at the end. One that replaces ours later takes the thread's events; that is noted.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"
#include "trace_frame.h"

#define STATE_BYTES 256 // of a thread state, in which its profile function is found

enum { WHAT_CALL = 0, WHAT_RETURN = 3, WHAT_C_CALL = 4, WHAT_C_EXCEPTION = 5, WHAT_C_RETURN = 6 };

typedef int (*profile_function)(PyObject *, PyFrameObject *, int, PyObject *);

// The argument of our profile function, one per thread.
struct armed {
	PyObject_HEAD struct trace_hook *hook;
	profile_function before; // whom we displaced
	PyObject *before_object;
};

static struct {
	void (*set)(profile_function, PyObject *);
	int (*set_of)(PyThreadState *, profile_function, PyObject *); // 3.9 and newer
	PyThreadState *(*first)(PyInterpreterState *);
	PyThreadState *(*next)(PyThreadState *);
	PyInterpreterState *(*interpreter)(void);
	PyObject *type;
	// Found by looking: where a thread state has its profile function, its argument, and whether
	// it is traced at all.
	size_t function_at, object_at, tracing_at;
} api;

static int on_profile(PyObject *self, PyFrameObject *frame, int what, PyObject *arg)
{
	struct armed *armed = (struct armed *)(void *)self;
	PyObject *code = trace_frame_code(frame);

	switch (what) {
	case WHAT_CALL:
		trace_enter(armed->hook, code);
		break;
	case WHAT_RETURN:
		trace_leave(armed->hook, code);
		break;
	case WHAT_C_CALL:
		if (arg && trace_is_c_function(arg))
			trace_enter_c(armed->hook, trace_def_at(arg, trace_def_offset), arg, code);
		break;
	case WHAT_C_RETURN:
	case WHAT_C_EXCEPTION:
		if (arg && trace_is_c_function(arg))
			trace_leave_c(armed->hook, trace_def_at(arg, trace_def_offset), code);
		break;
	default:
		break;
	}
	return armed->before ? armed->before(armed->before_object, frame, what, arg) : 0;
}

// ---- arming -------------------------------------------------------------------------------------

static PyObject *field(PyThreadState *state, size_t offset)
{
	return *(PyObject **)((char *)state + offset);
}

static bool is_armed(PyThreadState *state)
{
	return api.function_at && (void *)field(state, api.function_at) == (void *)on_profile;
}

// As PyEval_SetProfile does it, for another thread, where CPython has no function for that (3.8).
static void set_fields(PyThreadState *state, profile_function function, PyObject *object)
{
	PyObject *old = field(state, api.object_at);
	int traced = function != NULL;

	Py_XINCREF(object);
	memcpy((char *)state + api.function_at, &function, sizeof(function));
	memcpy((char *)state + api.object_at, &object, sizeof(object));
	// The trace function lies behind the profile function.
	traced |= field(state, api.function_at + sizeof(void *)) != NULL;
	memcpy((char *)state + api.tracing_at, &traced, sizeof(traced));
	Py_XDECREF(old);
}

static int set(PyThreadState *state, profile_function function, PyObject *object)
{
	if (state == PyThreadState_Get())
		api.set(function, object);
	else if (api.set_of)
		return api.set_of(state, function, object);
	else if (api.tracing_at)
		set_fields(state, function, object);
	return 0;
}

static int arm(struct trace_hook *hook, PyThreadState *state)
{
	if (is_armed(state))
		return 0;
	allocfunc allocate = (allocfunc)PyType_GetSlot((PyTypeObject *)api.type, Py_tp_alloc);
	PyObject *object = allocate((PyTypeObject *)api.type, 0);
	if (!object)
		return -1;
	struct armed *armed = (struct armed *)(void *)object;
	armed->hook = hook;
	if (api.function_at) {
		PyObject *before = field(state, api.function_at);
		memcpy(&armed->before, &before, sizeof(before));
		armed->before_object = field(state, api.object_at);
		Py_XINCREF(armed->before_object);
	}
	int result = set(state, on_profile, object);
	Py_DECREF(object);
	return result;
}

static void disarm(PyThreadState *state)
{
	if (!is_armed(state))
		return;
	PyObject *object = field(state, api.object_at);
	const struct armed *armed = (struct armed *)(void *)object;
	profile_function before = armed->before;
	PyObject *before_object = armed->before_object;

	Py_XINCREF(before_object);
	if (set(state, before, before_object) < 0)
		PyErr_Clear();
	Py_XDECREF(before_object);
}

// ---- the object in the thread's state -------------------------------------------------------------

static void armed_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

	Py_XDECREF(((struct armed *)(void *)self)->before_object);
	release(self);
	Py_DECREF((PyObject *)type);
}

// As a profile function of Python's: what threading.setprofile calls in a new thread, and what a
// program gets from sys.getprofile() and may put back. From then on the C function has the thread.
static PyObject *armed_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
	struct armed *armed = (struct armed *)(void *)self;
	PyObject *frame, *event, *arg;

	(void)kwargs;
	if (!PyArg_ParseTuple(args, "OOO:TraceHook", &frame, &event, &arg))
		return NULL;
	if (!armed->hook->backend) {
		api.set(NULL, NULL); // tracing has ended meanwhile
	} else {
		// The trampoline of sys.setprofile stands where a profile function of before would.
		api.set(NULL, NULL);
		if (arm(armed->hook, PyThreadState_Get()) < 0)
			return NULL;
		if (PyUnicode_CompareWithASCIIString(event, "call") == 0)
			trace_enter(armed->hook, trace_frame_code((PyFrameObject *)frame));
	}
	Py_INCREF(Py_None);
	return Py_None;
}

static PyType_Slot armed_slots[] = {
	{ Py_tp_dealloc, armed_dealloc },
	{ Py_tp_call, armed_call },
	{ 0, NULL },
};

static PyType_Spec armed_spec = {
	.name = "fireglass._fireglass.TraceHook",
	.basicsize = sizeof(struct armed),
	.flags = Py_TPFLAGS_DEFAULT,
	.slots = armed_slots,
};

// ---- what this Python has -------------------------------------------------------------------------

// Sets our function and takes it back, looking at the thread state meanwhile. Who profiles this thread
// already (`before`, not None) is put back.
static void find_fields(PyObject *before)
{
	PyThreadState *state = PyThreadState_Get();
	int on[STATE_BYTES / sizeof(int)], off[STATE_BYTES / sizeof(int)];
	char was[STATE_BYTES];
	profile_function function = NULL;
	void *found, *object = api.type;

	memcpy(was, state, sizeof(was));
	api.set(on_profile, object);
	memcpy(on, state, sizeof(on));
	api.set(NULL, NULL);
	memcpy(off, state, sizeof(off));
	for (size_t at = 0; at + sizeof(void *) <= STATE_BYTES; at += sizeof(void *)) {
		memcpy(&found, (char *)on + at, sizeof(found));
		if (found == (void *)on_profile && !api.function_at)
			api.function_at = at;
		else if (found == object && !api.object_at)
			api.object_at = at;
	}
	for (size_t i = 0; i < STATE_BYTES / sizeof(int) && i * sizeof(int) < api.function_at; i++)
		if (off[i] == 0 && on[i] == 1)
			api.tracing_at = i * sizeof(int);
	if (!api.object_at)
		api.function_at = 0;
	if (api.function_at && before != Py_None) {
		memcpy(&function, was + api.function_at, sizeof(function));
		memcpy(&found, was + api.object_at, sizeof(found));
		api.set(function, found);
	}
}

static int load(void)
{
	if (api.type)
		return 0;
	*(void **)&api.set = dlsym(RTLD_DEFAULT, "PyEval_SetProfile");
	*(void **)&api.set_of = dlsym(RTLD_DEFAULT, "_PyEval_SetProfile");
	*(void **)&api.first = dlsym(RTLD_DEFAULT, "PyInterpreterState_ThreadHead");
	*(void **)&api.next = dlsym(RTLD_DEFAULT, "PyThreadState_Next");
	*(void **)&api.interpreter = dlsym(RTLD_DEFAULT, "PyInterpreterState_Get");
	if (!api.interpreter)
		*(void **)&api.interpreter = dlsym(RTLD_DEFAULT, "_PyInterpreterState_Get");
	if (!api.set || !api.first || !api.next || !api.interpreter) {
		PyErr_SetString(ext_error, "cannot trace: this Python has no PyEval_SetProfile");
		return -1;
	}
	if (trace_frame_init() < 0)
		return -1;
	api.type = PyType_FromSpec(&armed_spec);
	if (!api.type)
		return -1;
	PyObject *before = PySys_GetObject("getprofile"); // borrowed
	before = before ? PyObject_CallObject(before, NULL) : NULL;
	if (before)
		find_fields(before);
	Py_XDECREF(before);
	PyErr_Clear();
	return 0;
}

// ---- all threads ----------------------------------------------------------------------------------

static PyObject *threading_module(void)
{
	PyObject *modules = PyImport_GetModuleDict(); // borrowed
	PyObject *module = modules ? PyMapping_GetItemString(modules, "threading") : NULL;

	PyErr_Clear();
	return module;
}

// For threads that `threading` will start. What the program had set there comes back at the end. As
// threading.setprofile() does, but without a call that others who profile would see.
static void follow_new_threads(struct trace_hook *hook)
{
	PyObject *threading = hook->new_threads ? NULL : threading_module();

	if (!threading)
		return;
	allocfunc allocate = (allocfunc)PyType_GetSlot((PyTypeObject *)api.type, Py_tp_alloc);
	PyObject *object = allocate((PyTypeObject *)api.type, 0);
	if (object) {
		((struct armed *)(void *)object)->hook = hook;
		hook->new_threads = object;
		hook->new_threads_before = PyObject_GetAttrString(threading, "_profile_hook");
		PyErr_Clear();
		PyObject_SetAttrString(threading, "_profile_hook", object);
	}
	PyErr_Clear();
	Py_DECREF(threading);
}

static void forget_new_threads(struct trace_hook *hook)
{
	PyObject *threading = hook->new_threads ? threading_module() : NULL;
	PyObject *now = threading ? PyObject_GetAttrString(threading, "_profile_hook") : NULL;

	if (now && now == hook->new_threads)
		PyObject_SetAttrString(threading, "_profile_hook",
			hook->new_threads_before ? hook->new_threads_before : Py_None);
	PyErr_Clear();
	Py_XDECREF(now);
	Py_XDECREF(threading);
	Py_XDECREF(hook->new_threads);
	Py_XDECREF(hook->new_threads_before);
	hook->new_threads = hook->new_threads_before = NULL;
}

int trace_profile_prepare(void)
{
	PyObject *module = PyImport_ImportModule("threading");

	Py_XDECREF(module);
	return module && load() == 0 ? 0 : -1;
}

static int update(struct trace_hook *hook, const struct trace_needs *needs)
{
	if (load() < 0)
		return -1;
	if (!needs->all_threads)
		return arm(hook, PyThreadState_Get());
	follow_new_threads(hook);
	for (PyThreadState *state = api.first(api.interpreter()); state; state = api.next(state))
		if (arm(hook, state) < 0)
			return -1;
	return 0;
}

static void stop(struct trace_hook *hook)
{
	if (!api.type)
		return;
	forget_new_threads(hook);
	if (!is_armed(PyThreadState_Get()) && trace_current && trace_current->slots)
		hook->displaced++;
	for (PyThreadState *state = api.first(api.interpreter()); state; state = api.next(state))
		disarm(state);
	if (!api.function_at)
		api.set(NULL, NULL);
}

int trace_profile_arm_here(struct trace_hook *hook)
{
	if (load() < 0 || !api.function_at || arm(hook, PyThreadState_Get()) < 0) {
		PyErr_Clear();
		return -1;
	}
	return 0;
}

void trace_profile_disarm_here(struct trace_hook *hook)
{
	(void)hook;
	disarm(PyThreadState_Get());
}

bool trace_profile_armed_here(void)
{
	return api.function_at && is_armed(PyThreadState_Get());
}

const struct trace_backend trace_profile = {
	.name = "PyEval_SetProfile",
	.update = update,
	.stop = stop,
};

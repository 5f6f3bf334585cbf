// SPDX-License-Identifier: MIT
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>

#include "trace.h"

#include <structmember.h> // after Python.h
#include "trace_results.h"
#include "trace_set.h"

static struct tracer *of(PyObject *self)
{
	return (struct tracer *)(void *)self;
}

// The hook of the interpreter that the type was made for.
static struct trace_hook *hook_of(PyTypeObject *type)
{
	PyObject *capsule = PyObject_GetAttrString((PyObject *)type, "_hook");
	struct trace_hook *hook = capsule ? PyCapsule_GetPointer(capsule, "fireglass.hook") : NULL;

	Py_XDECREF(capsule);
	return hook;
}

static int choose_only(struct tracer *tracer, PyObject *only)
{
	PyTypeObject *code_type = (PyTypeObject *)dlsym(RTLD_DEFAULT, "PyCode_Type");

	if (!only || only == Py_None)
		return 0;
	tracer->only = PySequence_Tuple(only);
	if (!tracer->only)
		return -1;
	Py_ssize_t count = PyTuple_Size(tracer->only);
	tracer->chosen = trace_set_create((size_t)count);
	if (!tracer->chosen) {
		PyErr_NoMemory();
		return -1;
	}
	for (Py_ssize_t i = 0; i < count; i++) {
		PyObject *code = PyTuple_GetItem(tracer->only, i);
		if (code_type && !PyObject_TypeCheck(code, code_type)) {
			PyErr_Format(PyExc_TypeError, "only: code objects, not %R; give f.__code__",
				code);
			return -1;
		}
		trace_set_add(tracer->chosen, code);
	}
	return 0;
}

// What `builtins=None` means: where it costs no more than the rest.
static bool default_builtins(struct tracer *tracer)
{
	if (tracer->only)
		return false;
	return trace_monitoring_available() || !trace_frames_known();
}

static int set_options(struct tracer *tracer, PyObject *only, PyObject *builtins, PyObject *timer)
{
	int wanted = 0;

	if (choose_only(tracer, only) < 0)
		return -1;
	if (builtins && builtins != Py_None)
		wanted = PyObject_IsTrue(builtins);
	else
		wanted = default_builtins(tracer);
	if (wanted < 0)
		return -1;
	tracer->builtins_wanted = tracer->builtins = wanted;
	if (timer && timer != Py_None) {
		if (!PyCallable_Check(timer)) {
			PyErr_SetString(PyExc_TypeError, "timer: a function that returns a number");
			return -1;
		}
		Py_INCREF(timer);
		tracer->timer = timer;
	}
	return 0;
}

static PyObject *tracer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "builtins", "threads", "only", "exact", "timeline", "max_events",
		"cpu", "timer", "timer_unit", NULL };
	PyObject *builtins = NULL, *only = NULL, *timer = NULL;
	int threads = 1, exact = 0, timeline = 0, cpu = 0;
	unsigned long long max_events = 10000000;
	double timer_unit = 0;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OpOppKpOd:Tracer", names, &builtins,
		    &threads, &only, &exact, &timeline, &max_events, &cpu, &timer, &timer_unit))
		return NULL;
	struct trace_hook *hook = hook_of(type);
	if (!hook)
		return NULL;
	allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
	PyObject *self = allocate(type, 0);
	if (!self)
		return NULL;
	struct tracer *tracer = of(self);
	tracer->hook = hook;
	tracer->all_threads = threads;
	tracer->exact = exact;
	tracer->timeline = timeline;
	tracer->cpu = cpu;
	tracer->subcalls = true;
	tracer->max_events = max_events;
	atomic_store(&tracer->events_left, max_events);
	tracer->timer_unit = timer_unit;
	if (set_options(tracer, only, builtins, timer) == 0 &&
		(trace_monitoring_available() || trace_profile_prepare() == 0))
		return self;
	Py_DECREF(self);
	return NULL;
}

// The slots lose what they hold at once; threads that know one let go of it at their next event.
static void free_slots(struct tracer *tracer)
{
	struct trace_slot *next;

	for (struct trace_slot *slot = tracer->slots; slot; slot = next) {
		next = slot->next_of_tracer;
		slot->tracer = NULL;
		trace_slot_empty(slot);
		trace_slot_release(slot);
	}
	tracer->slots = NULL;
}

static void tracer_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);
	struct tracer *tracer = of(self);

	PyObject_GC_UnTrack(self);
	for (struct trace_slot *slot = tracer->slots; slot; slot = slot->next_of_tracer)
		slot->flags &= ~(unsigned)TRACE_TIMER; // nobody will read what it would say
	trace_hook_disable(tracer->hook, tracer);
	free_slots(tracer);
	Py_XDECREF(tracer->timer);
	Py_XDECREF(tracer->only);
	free(tracer->chosen);
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
	release(self);
	Py_DECREF((PyObject *)type);
}

static int tracer_traverse(PyObject *self, visitproc visit, void *arg)
{
	Py_VISIT(of(self)->timer);
	return 0;
}

static int tracer_clear_cycle(PyObject *self)
{
	trace_hook_disable(of(self)->hook, of(self));
	return 0;
}

// Nothing can be asked of a tracer by a timer that it waits for.
static int not_in_timer(void)
{
	if (!trace_current || !trace_current->inside)
		return 0;
	PyErr_SetString(PyExc_RuntimeError, "a timer cannot use the tracer that asks it");
	return -1;
}

static PyObject *none(void)
{
	Py_INCREF(Py_None);
	return Py_None;
}

static PyObject *tracer_enable(PyObject *self, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "subcalls", "builtins", NULL };
	struct tracer *tracer = of(self);
	PyObject *builtins = NULL;
	int subcalls = 1;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|pO:enable", names, &subcalls, &builtins) ||
		not_in_timer() < 0)
		return NULL;
	int wanted = !builtins || builtins == Py_None ? tracer->builtins_wanted
						      : PyObject_IsTrue(builtins);
	if (wanted < 0)
		return NULL;
	if (tracer->enabled) {
		if (tracer->builtins == wanted && tracer->subcalls == subcalls)
			return none();
		trace_hook_disable(tracer->hook, tracer);
	}
	tracer->subcalls = subcalls;
	tracer->builtins = wanted;
	return trace_hook_enable(tracer->hook, tracer) < 0 ? NULL : none();
}

static PyMethodDef methods[];

bool trace_is_own(const void *key)
{
	for (const PyMethodDef *method = methods; method->ml_name; method++)
		if (key == method)
			return true;
	return false;
}

static PyObject *tracer_disable(PyObject *self, PyObject *unused)
{
	(void)unused;
	if (not_in_timer() < 0)
		return NULL;
	trace_hook_disable(of(self)->hook, of(self));
	return none();
}

static PyObject *tracer_clear(PyObject *self, PyObject *unused)
{
	struct tracer *tracer = of(self);

	(void)unused;
	if (not_in_timer() < 0)
		return NULL;
	for (struct trace_slot *slot = tracer->slots; slot; slot = slot->next_of_tracer) {
		trace_lock_from_outside(slot->thread);
		struct trace_forgotten forgotten = trace_slot_clear(slot);
		trace_unlock(slot->thread);
		trace_forgotten_free(&forgotten);
	}
	atomic_store(&tracer->events_left, tracer->max_events);
	return none();
}

static PyObject *asked(PyObject *self, PyObject *(*answer)(struct tracer *))
{
	return not_in_timer() < 0 ? NULL : answer(of(self));
}

static PyObject *tracer_entries(PyObject *self, PyObject *unused)
{
	(void)unused;
	return asked(self, trace_results_entries);
}

static PyObject *tracer_tree(PyObject *self, PyObject *unused)
{
	(void)unused;
	return asked(self, trace_results_tree);
}

static PyObject *tracer_threads(PyObject *self, PyObject *unused)
{
	(void)unused;
	return asked(self, trace_results_threads);
}

static PyObject *tracer_calls(PyObject *self, PyObject *unused)
{
	(void)unused;
	return asked(self, trace_results_calls);
}

static PyObject *tracer_info(PyObject *self, PyObject *unused)
{
	(void)unused;
	return asked(self, trace_results_info);
}

static PyMethodDef methods[] = {
	{ "enable", (PyCFunction)(void (*)(void))tracer_enable, METH_VARARGS | METH_KEYWORDS,
		"enable(subcalls=True, builtins=None)\n--\n\nFollows calls from now on." },
	{ "disable", tracer_disable, METH_NOARGS,
		"disable()\n--\n\nEnds it. Calls that are going on end now." },
	{ "clear", tracer_clear, METH_NOARGS, "clear()\n--\n\nForgets what was counted." },
	{ "entries", tracer_entries, METH_NOARGS,
		"entries()\n--\n\nOne tuple per function: (code object or text, calls, calls that were not "
		"recursive, total_ns, self_ns, total_cpu_ns, self_cpu_ns, callees)." },
	{ "tree", tracer_tree, METH_NOARGS,
		"tree()\n--\n\nOne tuple per path of calls, parents first: (parent or -1, thread row, code "
		"object or text, calls, total_ns, self_ns, self_cpu_ns)." },
	{ "threads", tracer_threads, METH_NOARGS, "threads()\n--\n\n(tid, name) of each thread." },
	{ "calls", tracer_calls, METH_NOARGS,
		"calls()\n--\n\nWith timeline: (thread row, tree node, start_ns, end_ns), by their ends." },
	{ "info", tracer_info, METH_NOARGS, "info()\n--\n\nHow it goes, as a dict." },
	{ NULL, NULL, 0, NULL },
};

static PyMemberDef members[] = {
	{ "enabled", T_BOOL, offsetof(struct tracer, enabled), READONLY,
		"Whether it follows calls." },
	{ NULL, 0, 0, 0, NULL },
};

static PyType_Slot slots[] = {
	{ Py_tp_doc,
		"Tracer(*, builtins=None, threads=True, only=None, exact=False, timeline=False, "
		"max_events=10_000_000, cpu=False, timer=None, timer_unit=0.0)\n--\n\n"
		"Counts and times every call." },
	{ Py_tp_new, tracer_new },
	{ Py_tp_dealloc, tracer_dealloc },
	{ Py_tp_traverse, tracer_traverse },
	{ Py_tp_clear, tracer_clear_cycle },
	{ Py_tp_methods, methods },
	{ Py_tp_members, members },
	{ 0, NULL },
};

static PyType_Spec spec = {
	.name = "fireglass._fireglass.Tracer",
	.basicsize = sizeof(struct tracer),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
	.slots = slots,
};

int ext_add_tracer(PyObject *module)
{
	struct trace_hook *hook = NULL;

	if (trace_hook_init() < 0 || trace_names_init() < 0)
		return -1;
	PyObject *type = PyType_FromSpec(&spec);
	if (!type)
		return -1;
	hook = trace_hook_create(); // for the life of the process
	PyObject *capsule = hook ? PyCapsule_New(hook, "fireglass.hook", NULL) : PyErr_NoMemory();
	int result = capsule ? PyObject_SetAttrString(type, "_hook", capsule) : -1;
	Py_XDECREF(capsule);
	if (result == 0 && PyModule_AddObject(module, "Tracer", type) == 0)
		return 0;
	Py_DECREF(type);
	return -1;
}

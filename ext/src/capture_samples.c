// SPDX-License-Identifier: MIT
#include "capture_object.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "capture_options.h"
#include "store/view.h"

/*
 * An iterator over the samples of a view. Its stacks are tuples, which samples share: each is made
 * once.
 */
struct samples_object {
	PyObject_HEAD
	PyObject *capture; // what is read
	PyObject *keep;    // the texts of the selection
	struct view *view; // NULL: it is over
	PyObject **stacks; // by row of the view's stacks, or NULL
	size_t stack_capacity;
};

static struct samples_object *samples_of(PyObject *self)
{
	return (struct samples_object *)(void *)self;
}

static void samples_end(struct samples_object *s)
{
	view_destroy(s->view);
	s->view = NULL;
	for (size_t i = 0; i < s->stack_capacity; i++)
		Py_XDECREF(s->stacks[i]);
	free(s->stacks);
	s->stacks = NULL;
	s->stack_capacity = 0;
}

static void samples_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);

	samples_end(samples_of(self));
	Py_XDECREF(samples_of(self)->capture);
	Py_XDECREF(samples_of(self)->keep);
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
	release(self);
	Py_DECREF(type);
}

/* ---- stacks ----------------------------------------------------------------------------------- */

static PyObject *frame_tuple(const struct profile *p, frame_id id)
{
	const struct store_frame *frame = &p->frames[id];
	const struct store_function *f = &p->functions[frame->function];

	return Py_BuildValue("(NNk)", capture_str(profile_text(p, f->name)),
		capture_str(profile_text(p, f->file)), (unsigned long)frame->line);
}

/* Root first. */
static PyObject *make_stack(const struct profile *p, stack_id id)
{
	Py_ssize_t at = (Py_ssize_t)profile_depth(p, id);
	PyObject *stack = PyTuple_New(at);

	for (; stack && id != STACK_NONE; id = p->stacks[id].parent) {
		PyObject *frame = frame_tuple(p, p->stacks[id].frame);

		if (frame && PyTuple_SetItem(stack, --at, frame) == 0)
			continue;
		Py_CLEAR(stack);
	}
	return stack;
}

static PyObject *stack_of(struct samples_object *s, stack_id id)
{
	size_t before = s->stack_capacity;

	if (id == STACK_NONE)
		return PyTuple_New(0);
	array_reserve(s->stacks, s->stack_capacity, (size_t)id + 1);
	for (size_t i = before; i < s->stack_capacity; i++)
		s->stacks[i] = NULL;
	if (!s->stacks[id])
		s->stacks[id] = make_stack(view_tables(s->view), id);
	Py_XINCREF(s->stacks[id]);
	return s->stacks[id];
}

/* ---- samples ---------------------------------------------------------------------------------- */

static PyObject *number(uint64_t n)
{
	return PyLong_FromUnsignedLongLong(n);
}

static PyObject *known_row(uint32_t plus_1)
{
	if (plus_1)
		return number(plus_1 - 1);
	Py_INCREF(Py_None);
	return Py_None;
}

static bool put_flags(PyObject *row, uint8_t flags)
{
	static const struct {
		const char *name;
		uint8_t flag;
	} known[] = {
		{ "holds_gil", SAMPLE_HOLDS_GIL },
		{ "waits_for_gil", SAMPLE_WAITS_FOR_GIL },
		{ "in_gc", SAMPLE_IN_GC },
		{ "cut", SAMPLE_CUT },
		{ "unreadable", SAMPLE_UNREADABLE },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (!capture_put(row, known[i].name, PyBool_FromLong(flags & known[i].flag)))
			return false;
	return true;
}

static PyObject *sample_dict(struct samples_object *s, const struct capture_sample *sample)
{
	static const char *const states[SAMPLE_STATES] = { "unknown", "on cpu", "runnable", "waiting",
		"stopped" };
	const struct capture *c = &capture_of(s->capture)->capture;
	uint32_t tid = sample->thread < c->thread_count ? c->threads[sample->thread].tid : 0;
	PyObject *row = PyDict_New();

	if (row && capture_put(row, "time_ns", number(sample->time_ns)) &&
		capture_put(row, "thread", number(sample->thread)) &&
		capture_put(row, "tid", number(tid)) &&
		capture_put(row, "stack", stack_of(s, sample->stack)) &&
		capture_put(row, "count", number(sample->count)) &&
		capture_put(row, "cpu_ns", number(sample->cpu_ns)) &&
		capture_put(row, "state", capture_str(states[sample->state % SAMPLE_STATES])) &&
		capture_put(row, "span", known_row(sample->span)) && put_flags(row, sample->flags))
		return row;
	Py_XDECREF(row);
	return NULL;
}

static PyObject *finish(struct samples_object *s)
{
	struct err *err = view_end(s->view);

	samples_end(s);
	return err ? ext_raise(err) : NULL;
}

static PyObject *samples_next(PyObject *self)
{
	struct samples_object *s = samples_of(self);
	struct capture_object *capture = capture_of(s->capture);
	PyObject *row = NULL;

	if (!capture_lock(capture))
		return NULL;
	const struct capture_sample *sample = s->view ? view_next(s->view) : NULL;
	if (sample)
		row = sample_dict(s, sample);
	else if (s->view)
		finish(s);
	capture_unlock(capture);
	return row;
}

static PyObject *samples_iter(PyObject *self)
{
	Py_INCREF(self);
	return self;
}

/* ---- making one ------------------------------------------------------------------------------- */

/* Takes the view. */
static PyObject *make_iterator(PyObject *capture, struct view *view, PyObject *keep)
{
	PyObject *type = PyObject_GetAttrString(capture, "_samples");
	PyObject *self = NULL;

	if (type) {
		allocfunc allocate = (allocfunc)PyType_GetSlot((PyTypeObject *)type, Py_tp_alloc);

		self = allocate((PyTypeObject *)type, 0);
		Py_DECREF(type);
	}
	if (!self) {
		view_destroy(view);
		return NULL;
	}
	Py_INCREF(capture);
	Py_INCREF(keep);
	samples_of(self)->capture = capture;
	samples_of(self)->keep = keep;
	samples_of(self)->view = view; // owned by it now
	return self;
}

PyObject *capture_samples_method(PyObject *self, PyObject *args, PyObject *kwargs)
{
	struct capture_options options;
	struct view *view = NULL;

	if (!PyArg_ParseTuple(args, "") || !capture_options_init(&options, kwargs, false))
		return NULL;
	struct err *err = view_create(&view, &capture_of(self)->capture, &options.selection);
	PyObject *samples = NULL;
	if (err) {
		ext_raise(err);
	} else {
		view_begin(view);
		samples = make_iterator(self, view, options.keep);
	}
	capture_options_deinit(&options);
	return samples;
}

static PyType_Slot slots[] = {
	{ Py_tp_doc, "The samples of a selection, in order of time: see Capture.samples()." },
	{ Py_tp_dealloc, samples_dealloc },
	{ Py_tp_iter, samples_iter },
	{ Py_tp_iternext, samples_next },
	{ 0, NULL },
};

static PyType_Spec spec = {
	.name = "fireglass._fireglass.Samples",
	.basicsize = sizeof(struct samples_object),
	.flags = Py_TPFLAGS_DEFAULT,
	.slots = slots,
};

PyObject *capture_samples_type(void)
{
	return PyType_FromSpec(&spec);
}

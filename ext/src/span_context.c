// SPDX-License-Identifier: MIT
/*
 * The context variable in which the current span is.
 *
 * Setting it twice costs three times as much as all the rest of a span. So while nobody is listening
 * spans are entered lightly: the slot of the thread says in which context it is in which span, and the
 * span is put on a list. When a session comes, the variable is set in the contexts of all on the list,
 * but for those in which another thread is just now: there the slot has to do, until it is left.
 */
#include "span_parts.h"

#include "inside/contexts.h"

#define LIGHT_LOOKS 64

PyTypeObject *span_type;

static struct {
	PyObject *variable; // NULL: there are only slots
	PyObject *none;     // the value for no span
	int followed;       // -1: not tried yet
	uint64_t state_context; // where a thread's state has its context; 0: not known
	_Atomic bool hooked;    // as the package was last told
	struct span_object *light; // with the GIL
} spans = { .followed = -1 };

static struct span_object *of(PyObject *self)
{
	return (struct span_object *)(void *)self;
}

void *span_allocate(PyTypeObject *type)
{
	return PyType_GenericAlloc(type, 0);
}

void span_release(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);

	PyObject_Free(self);
	Py_DECREF(type);
}

/* ---- the variable ----------------------------------------------------------------------------- */

bool span_make_variable(void)
{
	const struct context_api *api = context_api();

	if (api)
		spans.variable = api->variable_new("fireglass.span", NULL);
	spans.none = span_value_of_key(0);
	return (!api || spans.variable) && spans.none;
}

bool span_follow_contexts(void)
{
	if (spans.followed < 0) {
		PyObject *probe = span_value_of_key(0x5eed5eed5eed);

		spans.followed = spans.variable && probe
			&& context_map_find(spans.variable, probe, offsetof(struct span_object, seen),
				&spans.state_context);
		Py_XDECREF(probe);
		PyErr_Clear();
	}
	return spans.followed > 0;
}

PyObject *span_value(void)
{
	PyObject *value = NULL;

	if (spans.variable && context_api()->variable_get(spans.variable, NULL, &value) < 0)
		PyErr_Clear();
	return value;
}

static span_key key_of(PyObject *value)
{
	return value ? atomic_load_explicit(&of(value)->seen, memory_order_relaxed) : 0;
}

static void set_variable(PyObject *value)
{
	PyObject *token = context_api()->variable_set(spans.variable, value);

	if (!token)
		PyErr_Clear();
	Py_XDECREF(token);
}

span_key span_set_value(PyObject *value)
{
	span_key before;

	if (!spans.variable)
		return spans_enter(key_of(value));
	before = span_current_key();
	set_variable(value);
	spans_enter(key_of(value));
	return before;
}

PyObject *span_value_of_key(span_key key)
{
	if (!key && spans.none) {
		Py_INCREF(spans.none);
		return spans.none;
	}
	struct span_object *self = span_allocate(span_type);
	if (!self)
		return NULL;
	self->key = key;
	atomic_store_explicit(&self->seen, key, memory_order_relaxed);
	return (PyObject *)self;
}

/* ---- light ------------------------------------------------------------------------------------ */

/* The context of this thread; NULL: none, or it is not known where it is. */
static PyObject *context_here(void)
{
	if (!spans.state_context)
		return NULL;
	return *(PyObject **)(void *)((char *)PyThreadState_Get() + spans.state_context);
}

/* The newest that was entered lightly in this context, as far as it is worth while to look. */
static span_key light_key(const PyObject *here)
{
	size_t left = LIGHT_LOOKS;

	for (const struct span_object *span = spans.light; span && left--; span = span->next)
		if (span->context == here)
			return span->key;
	return 0;
}

span_key span_current_key(void)
{
	if (!spans.variable)
		return spans_current();
	if (spans.light) {
		const struct span_place place = spans_place();
		const PyObject *here = context_here();
		span_key key = place.context && place.context == (uint64_t)(uintptr_t)here
			? place.key : here ? light_key(here) : 0;

		if (key)
			return key;
	}
	PyObject *value = span_value();
	span_key key = key_of(value);
	Py_XDECREF(value);
	return key;
}

static void take_off_list(struct span_object *self)
{
	*self->link = self->next;
	if (self->next)
		self->next->link = self->link;
	self->link = NULL;
	self->light = false;
}

#ifdef Py_GIL_DISABLED // the list would want a lock
static bool enter_lightly(struct span_object *self)
{
	(void)self;
	return false;
}
#else
static void put_on_list(struct span_object *self)
{
	self->next = spans.light;
	self->link = &spans.light;
	if (self->next)
		self->next->link = &self->next;
	spans.light = self;
}

static bool enter_lightly(struct span_object *self)
{
	PyObject *here = context_here();

	if (!here || spans_wanted())
		return false;
	Py_INCREF(self->context = here);
	self->light = true;
	put_on_list(self);
	self->place = spans_place();
	spans_set_place((struct span_place){ self->key, (uint64_t)(uintptr_t)here });
	return true;
}
#endif

/* The slot says what it said before, if that is of this context. */
static void put_place_back(struct span_object *self, span_key outer)
{
	uint64_t here = (uint64_t)(uintptr_t)context_here();

	if (here && self->place.context == here)
		spans_set_place(self->place);
	else
		spans_enter(self->light ? 0 : outer);
}

/* A session is there: sets the variable where `self` was entered. */
static void make_heavy(struct span_object *self)
{
	bool elsewhere = self->context != context_here();

	if (elsewhere && context_api()->context_enter(self->context) < 0) {
		PyErr_Clear(); // another thread is in it
		return;
	}
	self->outer = span_value();
	set_variable((PyObject *)self);
	if (elsewhere && context_api()->context_exit(self->context) < 0)
		PyErr_Clear();
	take_off_list(self); // but it keeps the context: the slot may name it
}

static void make_all_heavy(void)
{
	struct span_object *span = spans.light;

	while (span && span->next)
		span = span->next;
	while (span) { // outer ones first: the newest is at the head
		struct span_object *newer = NULL;

		if (span->link != &spans.light)
			newer = (struct span_object *)(void *)((char *)span->link
				- offsetof(struct span_object, next));
		make_heavy(span);
		span = newer;
	}
}

/* ---- entering and leaving --------------------------------------------------------------------- */

void span_context_enter(struct span_object *self)
{
	if (enter_lightly(self))
		return;
	self->place = spans_place();
	if (spans.variable) {
		self->outer = span_value();
		set_variable((PyObject *)self);
	}
	spans_enter(self->key);
}

static void drop_context(struct span_object *self)
{
	PyObject *context = self->context;

	self->context = NULL;
	Py_XDECREF(context);
}

static span_key leave_light(struct span_object *self)
{
	const struct span_place place = spans_place();
	bool innermost = place.key == self->key && place.context;

	if (innermost)
		put_place_back(self, 0);
	take_off_list(self);
	drop_context(self);
	return self->open.parent;
}

static span_key leave_variable(struct span_object *self)
{
	PyObject *outer = self->outer, *value = span_value();
	span_key key = outer ? key_of(outer) : 0;

	self->outer = NULL;
	if (key_of(value) == self->key) {
		set_variable(outer ? outer : spans.none);
		put_place_back(self, key);
	}
	drop_context(self);
	Py_XDECREF(value);
	Py_XDECREF(outer);
	return key;
}

span_key span_context_leave(struct span_object *self)
{
	if (self->light)
		return leave_light(self);
	if (spans.variable)
		return leave_variable(self);
	if (spans_current() == self->key)
		spans_enter(self->open.parent);
	return self->open.parent;
}

void span_context_forget(struct span_object *self)
{
	if (self->light)
		take_off_list(self);
	drop_context(self);
}

/* ---- sessions come and go --------------------------------------------------------------------- */

static void tell_package(bool wanted)
{
	PyObject *module = PyImport_ImportModule("fireglass._spans");
	PyObject *result = module ? PyObject_CallMethod(module, "_sessions_are", "i", wanted) : NULL;

	if (!result)
		PyErr_Clear();
	Py_XDECREF(result);
	Py_XDECREF(module);
}

void span_sync_hooks(void)
{
	bool wanted = spans_wanted();

	if (spans.followed < 0)
		span_follow_contexts();
	if (atomic_load_explicit(&spans.hooked, memory_order_relaxed) == wanted
		|| atomic_exchange(&spans.hooked, wanted) == wanted)
		return;
	if (wanted)
		make_all_heavy();
	tell_package(wanted);
}

// SPDX-License-Identifier: MIT
/* What the files of spans as Python objects share: the object itself (span_object.c) and the context
 * variable that it goes to (span_context.c). */
#ifndef FIREGLASS_EXT_SPAN_PARTS_H
#define FIREGLASS_EXT_SPAN_PARTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "context_api.h"
#include "span_object.h"

struct span_object {
	PyObject_HEAD
	/*
	 * What samplers see (context_map.c): the key while it is open, afterwards that of the innermost
	 * span around it that was open then.
	 */
	_Atomic uint64_t seen;
	_Atomic uint32_t entered;
	bool light;   // entered without setting the variable: see span_context.c
	span_key key; // of the last time it was opened
	struct open_span open;
	PyObject *name, *text; // text: NULL if there is none
	PyObject *labels;      // dict, NULL
	PyObject *shown;       // text and labels, that open.text points into
	PyObject *outer;       // value of the variable before; NULL: it was not set
	PyObject *context;     // in which it was entered lightly; NULL: it was not
	struct span_place place; // of the thread, before
	struct span_object *next, **link; // of those that are entered lightly, the newest first
};

extern PyTypeObject *span_type;

void *span_allocate(PyTypeObject *type);
void span_release(PyObject *self);

/* This context is in it from now on. */
void span_context_enter(struct span_object *self);

/* Undoes it, if this context is (still) in it. Returns the key of what is around it; 0: nothing. */
span_key span_context_leave(struct span_object *self);

/* It goes without having been left. */
void span_context_forget(struct span_object *self);

/* False with an exception. */
bool span_make_variable(void);

#endif

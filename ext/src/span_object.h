// SPDX-License-Identifier: MIT
/* Spans as Python objects: what fireglass.span() returns, and what the context variable holds. */
#ifndef FIREGLASS_EXT_SPAN_OBJECT_H
#define FIREGLASS_EXT_SPAN_OBJECT_H

#include "ext.h"
#include "inside/spans.h"

/* The module's function: span(name, text=None, **labels). */
PyObject *span_make(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names);

/* The value of the context variable here: a new reference, NULL if it is not set. No exception. */
PyObject *span_value(void);

/* Sets it; returns the key that it had before. No exception. */
span_key span_set_value(PyObject *value);

/* A value for a span that was opened by its key; 0: for none. NULL with an exception. */
PyObject *span_value_of_key(span_key key);

/* In which span this context is. */
span_key span_current_key(void);

/* Whether contexts can be followed, looked up once. */
bool span_follow_contexts(void);

/* The package's hooks (_spans.py) are there while a session is; looked at whenever spans are used. */
void span_sync_hooks(void);

/* The module's function: _span_carry(function). What to give to another thread instead of it. */
PyObject *span_carry(PyObject *module, PyObject *function);

/* The same with no span: what is to be done apart from that in which this context is. */
PyObject *span_outside(PyObject *module, PyObject *function);

int span_add_types(PyObject *module);
int span_add_carrier(void);

#endif

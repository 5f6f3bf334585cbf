// SPDX-License-Identifier: MIT
/*
 * Python's context variables, from C: public since 3.7.1 but not of the limited API, so they are looked
 * up at run time; and the variable that says in which span a context is.
 *
 * Its values are instances of one type of ours (span_object.c).
 */
#ifndef FIREGLASS_EXT_CONTEXT_API_H
#define FIREGLASS_EXT_CONTEXT_API_H

#include <stdbool.h>

#include "ext.h"

struct context_api {
	PyObject *(*context_new)(void);
	int (*context_enter)(PyObject *context);
	int (*context_exit)(PyObject *context);
	PyObject *(*variable_new)(const char *name, PyObject *missing);
	int (*variable_get)(PyObject *variable, PyObject *missing, PyObject **ret);
	PyObject *(*variable_set)(PyObject *variable, PyObject *value);
	const char *(*utf8)(PyObject *text, Py_ssize_t *size_ret);
};

/* NULL: this Python has none of it. */
const struct context_api *context_api(void);

/*
 * Finds out where the interpreter keeps the value of `variable`, an instance of `value_type` with a
 * key (uint64_t) at `value_key`, and tries it; src/inside/contexts.h uses it from then on. `probe`: one
 * such value, with a key that is not 0. False, without an exception: it cannot be found.
 * `*state_context_ret`: where a PyThreadState has its context.
 */
bool context_map_find(
	PyObject *variable, PyObject *probe, size_t value_key, uint64_t *state_context_ret);

#endif

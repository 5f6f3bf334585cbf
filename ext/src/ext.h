// SPDX-License-Identifier: MIT
/*
 * What the files of the extension module share. Built once for all CPythons from 3.8 on (limited
 * API of 3.8, abi3), and once per release where there is no stable ABI (free-threaded 3.13, 3.14).
 * What a release has beyond the limited API is looked up at run time with dlsym().
 *
 * The rules here: nothing aborts, nothing prints; a `struct err` becomes a Python exception; work that
 * takes long, or waits for our threads, gives up the GIL.
 */
#ifndef FIREGLASS_EXT_H
#define FIREGLASS_EXT_H

#ifndef FIREGLASS_ABI_OF_RELEASE
#define Py_LIMITED_API 0x03080000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "base/err.h"

/* fireglass.Error and its kinds, set up by the module. */
extern PyObject *ext_error;

/* Raises `err`, which is freed; returns NULL. */
PyObject *ext_raise(struct err *err);

/* Each adds its types to the module; -1 with an exception. */
int ext_add_session(PyObject *module);
int ext_add_capture(PyObject *module);
int ext_add_builder(PyObject *module);
int ext_add_tracer(PyObject *module);
int ext_add_overlay(PyObject *module);
int ext_add_cut(PyObject *module);
int ext_add_spans(PyObject *module);

#endif

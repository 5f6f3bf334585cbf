// SPDX-License-Identifier: MIT
/*
 * Capture: a capture file (or a file of any profiler that can be imported), read, as a Python object.
 *
 * What is in memory is read without a lock: a capture that is open never changes. Samples come from
 * the file through buffers of the capture's, so whoever reads them holds its lock. All that takes long
 * goes on without the GIL.
 */
#ifndef FIREGLASS_EXT_CAPTURE_OBJECT_H
#define FIREGLASS_EXT_CAPTURE_OBJECT_H

#include "ext.h"

#include <pthread.h>

#include "store/capture.h"
#include "store/capture_file.h"

struct capture_object {
	PyObject_HEAD
	struct capture capture;
	struct capture_file_info info; // of fireglass's own files
	bool native, open;
	pthread_mutex_t lock;
};

static inline struct capture_object *capture_of(PyObject *self)
{
	return (struct capture_object *)(void *)self;
}

/* Waits without the GIL. False with an exception: this thread holds it already. */
bool capture_lock(struct capture_object *self);
void capture_unlock(struct capture_object *self);

/* Object is one of the type Capture, or of a subclass. */
bool capture_check(PyObject *self, PyObject *object);

/* ---- methods, in their files ------------------------------------------------------------------ */

/* capture_rows.c: lists of dicts. */
PyObject *capture_facts(PyObject *self, PyObject *unused);
PyObject *capture_processes(PyObject *self, PyObject *unused);
PyObject *capture_threads(PyObject *self, PyObject *unused);
PyObject *capture_spans(PyObject *self, PyObject *unused);
PyObject *capture_markers(PyObject *self, PyObject *unused);
PyObject *capture_losses(PyObject *self, PyObject *unused);
PyObject *capture_extent(PyObject *self, PyObject *unused);

/* capture_stats.c: sums over the samples of a selection. */
PyObject *capture_functions(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *capture_lines(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *capture_counts(PyObject *self, PyObject *args, PyObject *kwargs);

/* capture_samples.c: one by one. */
PyObject *capture_samples_method(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *capture_samples_type(void);

/* capture_export.c */
PyObject *capture_export(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *capture_formats(PyObject *module, PyObject *unused);

/* ---- for these files -------------------------------------------------------------------------- */

/* Text as str: never fails for what is no UTF-8. */
PyObject *capture_str(const char *text);

/* Sets dict[key] to value, a new reference that is taken; false with an exception, also if it is NULL. */
bool capture_put(PyObject *dict, const char *key, PyObject *value);

/* Appends value (taken) to list; false with an exception, also if it is NULL. */
bool capture_append(PyObject *list, PyObject *value);

#endif

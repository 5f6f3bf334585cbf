// SPDX-License-Identifier: MIT
/* What a tracer has found, as Python objects: see the stub of the module for their shapes. */
#ifndef FIREGLASS_TRACE_RESULTS_H
#define FIREGLASS_TRACE_RESULTS_H

#include "trace.h"

PyObject *trace_results_entries(struct tracer *tracer);
PyObject *trace_results_tree(struct tracer *tracer);
PyObject *trace_results_threads(struct tracer *tracer);
PyObject *trace_results_calls(struct tracer *tracer);
PyObject *trace_results_info(struct tracer *tracer);

/* Of one call and its return, without CPython's part; measured once. */
double trace_overhead_ns(void);
/* The slots of a tracer, the oldest first, in an array to free(). */
struct trace_slot **trace_results_slots(const struct tracer *tracer, size_t *count_ret);
/* How its ticks are to be read. Gives up the GIL. */
struct trace_scale trace_results_scale(const struct tracer *tracer);

#endif

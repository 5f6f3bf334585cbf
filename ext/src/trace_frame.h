// SPDX-License-Identifier: MIT
/*
 * The code object of a frame, to 3.11, by a load or two. Which loads is found out once, by comparing
 * with what f_code says of a frame; else CPython's own function is asked.
 */
#ifndef FIREGLASS_TRACE_FRAME_H
#define FIREGLASS_TRACE_FRAME_H

#include "ext.h"

extern size_t trace_frame_code_at;  // in the frame object; 0: not there
extern size_t trace_frame_inner_at; // where the frame object points to its inside (3.11)
extern PyObject *(*trace_frame_get_code)(PyFrameObject *);

/* What is behind trace_frame_inner_at has its code object, and who owns it, here. */
#define TRACE_INNER_CODE 32
#define TRACE_INNER_OWNER 69

int trace_frame_init(void);

static inline PyObject *trace_frame_code(PyFrameObject *frame)
{
	const char *bytes = (const char *)frame;

	if (trace_frame_code_at)
		return *(PyObject *const *)(bytes + trace_frame_code_at);
	if (trace_frame_inner_at)
		return *(PyObject *const *)(*(const char *const *)(bytes + trace_frame_inner_at) +
			TRACE_INNER_CODE);
	PyObject *code = trace_frame_get_code(frame);
	Py_DECREF(code); // the frame has it
	return code;
}

#endif

// SPDX-License-Identifier: MIT
/*
 * Some spans of captures, and all that lies in them, as one capture: their samples, the threads that
 * these are of, what else was noted while they lasted. All the rest is left out.
 */
#ifndef FIREGLASS_STORE_CUT_H
#define FIREGLASS_STORE_CUT_H

#include "base/err.h"
#include "store/capture.h"

struct cut_input {
	const struct capture *capture;
	const uint32_t *spans; // rows, in any order; those that there are not are no error
	size_t span_count;
};

/* Writes it to an empty file. No inputs: a capture without samples. */
struct err *cut_write(const struct cut_input *inputs, size_t count, int fd);

#endif

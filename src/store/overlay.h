// SPDX-License-Identifier: MIT
/*
 * A capture with calls that were traced laid over it, as spans of its timeline: each sample that was
 * taken during a call of its thread belongs to the innermost one. Spans that the capture has stay, and
 * lie around the calls or within them, as their times and samples say.
 */
#ifndef FIREGLASS_STORE_OVERLAY_H
#define FIREGLASS_STORE_OVERLAY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/capture.h"

/* Those of one thread lie within one another or do not overlap. */
struct overlay_call {
	uint32_t tid; // of the kernel, as in the capture's threads
	const char *thread; // what it is called
	uint64_t start_ns, end_ns;
	const char *name, *text; // of the span
};

/*
 * Writes the capture (of one process, opened from its file; its tables are changed) with `calls`, in
 * any order, to another file, which is empty. A thread that was never sampled gets a row.
 */
struct err *overlay_write(
	struct capture *c, const struct overlay_call *calls, size_t count, int fd);

#endif

// SPDX-License-Identifier: MIT
/*
 * Calls with a begin and an end, made into samples: from each change of a thread's stack to the next
 * there is one sample, which weighs the time between them.
 */
#ifndef FIREGLASS_IMPORT_STACK_SWEEP_H
#define FIREGLASS_IMPORT_STACK_SWEEP_H

#include "import/build.h"
#include "import/weights.h"

#define SWEEP_MAX_DEPTH 100000u

struct sweep_call {
	stack_id stack;  // with this call as the leaf
	uint64_t key;    // what the end of the call is told by
	uint64_t end_ns; // UINT64_MAX: it is told later
};

/* The open calls of a thread, root first. */
struct sweep {
	uint32_t thread;
	struct sweep_call *calls;
	size_t depth, capacity;
	uint64_t now_ns; // of the last change
};

void sweep_deinit(struct sweep *s);

/* Time goes on to `time_ns`; calls whose end is known end by then. Never backwards. */
void sweep_advance(struct sweep *s, struct weights *w, uint64_t time_ns);

/* A call begins now. False if there are too many. */
bool sweep_open(
	struct sweep *s, struct profile *tables, frame_id frame, uint64_t key, uint64_t end_ns);

/* The innermost open call with this key, and all within it, end now. False if there is none. */
bool sweep_close(struct sweep *s, uint64_t key);

#endif

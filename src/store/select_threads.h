// SPDX-License-Identifier: MIT
/* Which threads of a capture are selected, and what stands below their stacks. */
#ifndef FIREGLASS_STORE_SELECT_THREADS_H
#define FIREGLASS_STORE_SELECT_THREADS_H

#include "store/capture.h"
#include "store/select_patterns.h"
#include "store/view.h"

struct selected_thread {
	bool selected;
	uint32_t base;       // number of the base: 0 if there is but one
	stack_id base_stack; // of the view's tables: process and thread as asked for, or STACK_NONE
	// the last decision on a stack: threads mostly stay where they are
	stack_id last, last_own;
	bool last_shown;
};

struct selected_threads {
	struct patterns threads, processes;
	struct selected_thread *rows; // by row of the capture's threads
	size_t count, capacity;
};

struct err *selected_threads_init(struct selected_threads *t, const struct selection *selection);
void selected_threads_deinit(struct selected_threads *t);

/* Decides on the capture's threads that are not decided on yet; rows for the bases go into `to`. */
void selected_threads_add(struct selected_threads *t, const struct capture *c,
	const struct selection *selection, struct profile *to);

#endif

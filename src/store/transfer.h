// SPDX-License-Identifier: MIT
/*
 * Rows of one profile as rows of another: each is copied when it is first asked for, with all that
 * it is made of. Zero-initialise but for `from` and `to`, which must outlive it.
 */
#ifndef FIREGLASS_STORE_TRANSFER_H
#define FIREGLASS_STORE_TRANSFER_H

#include "store/profile.h"

struct transfer {
	const struct profile *from; // may grow meanwhile
	struct profile *to;
	uint32_t *strings, *functions, *frames, *stacks; // by row of `from`: row of `to`, plus 1
	size_t string_capacity, function_capacity, frame_capacity, stack_capacity;
	stack_id *path;
	size_t path_capacity;
};

void transfer_deinit(struct transfer *t);

string_id transfer_string(struct transfer *t, string_id id);
function_id transfer_function(struct transfer *t, function_id id);
frame_id transfer_frame(struct transfer *t, frame_id id);
/* STACK_NONE stays what it is. */
stack_id transfer_stack(struct transfer *t, stack_id id);

#endif

// SPDX-License-Identifier: MIT
/*
 * Pooling of what is small: each stack ends before the first frame whose function, at that place of
 * the call tree, has less than a share of the whole; "(below 1 %)" stands for what follows.
 */
#ifndef FIREGLASS_STORE_SELECT_POOL_H
#define FIREGLASS_STORE_SELECT_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "store/transfer.h"

struct pool {
	struct transfer transfer;
	bool *small; // by stack of the profile: it, or a frame below it, is too small
	size_t count;
	stack_id *pooled; // by stack: of the other tables, plus 1
	frame_id mark;
};

/* From the weights of a profile; stacks are to be made in `to`. Both must outlive the pool. */
void pool_init(struct pool *p, const struct profile *from, struct profile *to, double percent);
void pool_deinit(struct pool *p);

/* What becomes of a stack; STACK_NONE stays, and so does what was not there when the pool was made. */
stack_id pool_stack(struct pool *p, stack_id stack);

/* True if frames of the stack are pooled. */
static inline bool pool_cuts(const struct pool *p, stack_id stack)
{
	return stack < p->count && p->small[stack];
}

#endif

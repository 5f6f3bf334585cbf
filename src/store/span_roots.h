// SPDX-License-Identifier: MIT
/*
 * Spans as the roots of stacks: outermost first, above the thread if that is a root as well. Spans of the
 * same names and texts are one root.
 */
#ifndef FIREGLASS_STORE_SPAN_ROOTS_H
#define FIREGLASS_STORE_SPAN_ROOTS_H

#include "base/intern.h"
#include "store/capture.h"

/* Zero-initialise but for `to`. */
struct span_roots {
	struct profile *to; // tables that the stacks are of
	struct rooted_stack {
		stack_id root;  // what it was moved onto
		uint32_t moved; // a stack; of roots: the span, with `is_root`
		stack_id result;
		bool is_root;
	} * rows;
	size_t count, capacity;
	struct intern index;
	uint32_t *path;
	size_t path_capacity;
};

void span_roots_deinit(struct span_roots *r);

/*
 * A stack that stands on `base` (or is it; STACK_NONE: on nothing), with the span (row plus 1; 0: none)
 * between the two.
 */
stack_id span_roots_stack(struct span_roots *r, const struct capture *c, uint32_t span,
	stack_id base, stack_id stack);

#endif

// SPDX-License-Identifier: MIT
/*
 * Functions with their self and total weights. Total counts a stack once per function, however
 * often the function is in it.
 */
#ifndef FIREGLASS_STORE_AGG_H
#define FIREGLASS_STORE_AGG_H

#include <stddef.h>
#include <stdint.h>

#include "store/profile.h"

struct agg_row {
	function_id function;
	uint64_t self, total;
};

struct agg {
	struct agg_row *rows; // of functions with a total above 0
	size_t count;
};

enum agg_order {
	AGG_BY_SELF,
	AGG_BY_TOTAL,
};

/* Ties are in order of the other number, then of the function's id. */
void agg_functions(struct agg *agg, const struct profile *p);
void agg_sort(struct agg *agg, enum agg_order order);
void agg_deinit(struct agg *agg);

#endif

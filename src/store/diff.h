// SPDX-License-Identifier: MIT
/*
 * Two views compared: what changed from A to B, and how sure that is.
 *
 * Functions are matched by name and shortened file (store/place.h), not by the line where they
 * begin, so that code may move, and lie elsewhere. Stacks of both are in one set of tables, with a
 * weight for each side.
 *
 * Values: normalised, a weight is a share of its side's whole; absolute, it is seconds, or a plain
 * count if one of the two has no period. A change counts as certain if it is beyond DIFF_ERRORS
 * standard errors of sampling. That says nothing of how much runs of the program differ by themselves.
 */
#ifndef FIREGLASS_STORE_DIFF_H
#define FIREGLASS_STORE_DIFF_H

#include <stdbool.h>

#include "base/err.h"
#include "store/view.h"

#define DIFF_A 0
#define DIFF_B 1
#define DIFF_SIDES 2

/* At 3, about one comparison in 370 is called certain though nothing changed. */
#define DIFF_ERRORS 3.0

struct diff_weights {
	uint64_t of[DIFF_SIDES];
};

struct diff_row {
	function_id function;
	struct diff_weights self, total;
};

struct diff {
	struct profile tables;        // its weights are not used
	struct diff_weights *weights; // by stack
	size_t weight_capacity;
	struct diff_row *rows; // functions of either side, in order of their ids
	size_t row_count;
	struct diff_weights total;
	uint64_t taken[DIFF_SIDES]; // all samples of the captures, selected or not
	double samples[DIFF_SIDES]; // independent samples that the total stands for
	uint64_t period_ns[DIFF_SIDES];
	bool absolute, seconds; // seconds: that is what absolute values are
};

struct diff_options {
	bool absolute;
	bool full_paths; // files are not shortened
};

/* Views are A and B; they need not outlive the diff. */
struct err *diff_init(
	struct diff *d, struct view *const views[DIFF_SIDES], const struct diff_options *options);
void diff_deinit(struct diff *d);

/* A share (0 to 1), seconds, or a count. */
double diff_value(const struct diff *d, int side, uint64_t weight);

struct diff_change {
	double a, b;
	double change; // b - a
	double error;  // DIFF_ERRORS standard errors of the change
	bool certain;  // the change is larger
};

struct diff_change diff_change(const struct diff *d, const struct diff_weights *weights);

/* The same, absolute whatever the diff is. */
struct diff_change diff_change_absolute(const struct diff *d, const struct diff_weights *weights);

/* Weights of the stacks with a frame that matches; an error: no regular expression. */
struct err *diff_match(const struct diff *d, const char *pattern, struct diff_weights *ret);

/* Sorts rows: certain changes first, the largest first, of total or of self. */
enum diff_order {
	DIFF_BY_SELF,
	DIFF_BY_TOTAL,
};
void diff_sort(struct diff *d, enum diff_order order);

#endif

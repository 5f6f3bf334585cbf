// SPDX-License-Identifier: MIT
/* Comparisons out: one row per format. */
#ifndef FIREGLASS_EXPORT_DIFFERENTIAL_H
#define FIREGLASS_EXPORT_DIFFERENTIAL_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "export/export.h"
#include "store/diff.h"

struct differential_options {
	const char *names[DIFF_SIDES]; // of A and B
	const char *units[DIFF_SIDES]; // what one sample is: "1 ms", or NULL
	bool colour;                   // of the table, for a terminal
	struct export_options export;
};

struct differential {
	const char *name, *extension, *summary;
	/* Sorts the rows of `d` as it likes. */
	struct err *(*write)(FILE *out, struct diff *d, const struct differential_options *options);
};

/* All formats, ending with NULL; the table is the first. */
extern const struct differential *const differentials[];
extern const struct differential differential_text, differential_svg, differential_folded;

/* NULL if there is no such format. */
const struct differential *differential_find(const char *name);

/* By the ending of a file name; NULL if it says nothing. */
const struct differential *differential_guess(const char *path);

/*
 * Appends a value as people read it: "12.30 %", "1.234 s", "5120"; a change with
 * its sign: "+2.10 pp" (percentage points), "-0.200 s".
 */
void differential_add_value(struct buf *out, const struct diff *d, double value, bool sign);

/* The same without the unit, for tables. */
void differential_add_number(struct buf *out, const struct diff *d, double value, bool sign);

#endif

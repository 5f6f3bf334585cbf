// SPDX-License-Identifier: MIT
/*
 * What a differential flame graph has beyond a plain one; inside of export/ only.
 *
 * A frame is as wide as its value in B, plus what is gone below it, so that frames of A alone are
 * seen at their place; colour is the change, by ratio, and grey where that may be sampling error. The
 * tree's weights are such widths. In the data:
 *
 *	diff
 *		names     of A and B
 *		totals    of A and B: counts
 *		each      of A and B: the value of one count
 *		kind      "share" (values 0 to 1), "seconds" or "count"
 *		self      packed, for each node but the root: A's and B's self count
 *		classes   packed, for each node but the root: enum svg_diff_class
 */
#ifndef FIREGLASS_EXPORT_SVG_DIFF_H
#define FIREGLASS_EXPORT_SVG_DIFF_H

#include "export/differential.h"
#include "export/svg.h"
#include "fmt/json_writer.h"

#define SVG_DIFF_TONES 8 /* of what grew, and of what shrank */

enum svg_diff_class {
	SVG_DIFF_EQUAL, // within the error
	SVG_DIFF_GREW,  // and SVG_DIFF_TONES - 1 after it, as for the next
	SVG_DIFF_SHRANK = SVG_DIFF_GREW + SVG_DIFF_TONES,
	SVG_DIFF_NEW = SVG_DIFF_SHRANK + SVG_DIFF_TONES,
	SVG_DIFF_GONE,
};

struct svg_diff_node {
	struct diff_weights self, total;
};

struct svg_diff {
	const struct diff *diff;
	const struct differential_options *options;
	struct svg_diff_node *nodes; // by node of the tree
};

/* "g3", the class in picture.css. */
void svg_diff_css(const struct svg_diff *s, uint32_t node, char css[8]);

/* Appends what a node's title says: " - 3.20 % -> 4.10 %, +0.90 %". */
void svg_diff_add_facts(struct buf *out, const struct svg_diff *s, uint32_t node);

/* Appends "before.fgc -> after.fgc". */
void svg_diff_add_names(struct buf *out, const struct svg_diff *s);

void svg_diff_write_data(struct json_writer *w, const struct svg_picture *picture);

#endif

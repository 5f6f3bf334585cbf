// SPDX-License-Identifier: MIT
/*
 * The parts of the SVG flame graph; inside of export/ only.
 *
 * The file holds the profile three times over, each for a reader of its own: a still picture for
 * viewers without scripts (svg_still.c), the whole tree as JSON (svg_data.c), and the program that
 * replaces the former by a page drawn from the latter (the scripts in svg/). Names come from the
 * target, so nothing is written but through fmt/xml_out and fmt/json_writer.
 */
#ifndef FIREGLASS_EXPORT_SVG_H
#define FIREGLASS_EXPORT_SVG_H

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "export/export.h"
#include "export/label.h"
#include "store/tree.h"

#define SVG_TONES 8

struct svg_diff;

struct svg_picture {
	const struct profile *profile;
	const struct export_options *options;
	struct tree tree; // TREE_FUNCTIONS, TREE_CALLEES
	const struct svg_diff *diff; // of a differential flame graph, else NULL: see svg_diff.h
};

/* The whole file. Errors stay in the stream: see ferror(). */
void svg_write_picture(FILE *out, const struct svg_picture *picture);

/*
 * Origin and tone of a function: stable over runs and machines, as it is made of the name and the
 * shortened file. svg_classes[origin] and the tone are the class in picture.css.
 */
struct svg_colour {
	enum label_origin origin;
	unsigned int tone; // below SVG_TONES
};

struct svg_colour svg_colour(const struct svg_picture *picture, function_id function);

extern const char svg_classes[LABEL_ORIGINS];

const char *svg_title(const struct svg_picture *picture);

/* The initial view at a fixed width, as one <g>; *height_ret is the height of the picture. */
#define SVG_STILL_WIDTH 1200
void svg_add_still(struct buf *out, const struct svg_picture *picture, unsigned int *height_ret);

/*
 * The tree as a JSON object:
 *
 *	title, command, unit     strings or null
 *	inverted                 bool
 *	total                    samples
 *	count                    nodes
 *	names, files             strings
 *	functions                5 numbers each: name, file, first line, origin, tone
 *	nodes                    all nodes but the root, in preorder, as packed numbers:
 *	                         2 * function, plus 1 if two more follow: how many levels up from
 *	                         the node before (else 0: its child), and self samples (else 0)
 *	lines                    packed, for each of these nodes: how many lines, less 1; then for
 *	                         each, largest first, its distance from the function's first line as
 *	                         a signed number (n >= 0: 2n, else -2n - 1), and, if there are
 *	                         several, its samples. Missing with no_lines
 *
 *	diff                     of a differential flame graph only, see svg_diff.h; then self samples
 *	                         in `nodes` are 0, and there are no lines
 *
 * A packed number is digits of 5 bits, lowest first, each as the letter A-Z a-z 0-9 - _ of its
 * value, plus 32 if more follow: half the size of numbers in decimal, and half the time to read.
 */
void svg_write_data(FILE *out, const struct svg_picture *picture);

/* Appends a packed number. */
void svg_pack(struct buf *out, uint64_t value);

#endif

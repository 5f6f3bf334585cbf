// SPDX-License-Identifier: MIT
/*
 * Cells of the text format: of a fixed width in columns of a terminal, where letters of East Asian
 * scripts take two and combining marks none.
 */
#ifndef FIREGLASS_EXPORT_TEXT_CELLS_H
#define FIREGLASS_EXPORT_TEXT_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "export/export.h"
#include "export/label.h"

#define TEXT_COLUMNS 80

enum text_tone {
	TONE_PLAIN,
	TONE_HOT,
	TONE_WARM,
	TONE_OWN,
	TONE_FAINT,
	TONE_MARK,
	TONE_HEAD,
};

enum text_clip {
	CLIP_MIDDLE, // names: beginning and end tell most
	CLIP_START,  // files: the end does
};

size_t text_width(const char *text, size_t len);

/* As label_visible(), and a space at the end can be seen too. */
void text_add_visible(struct buf *out, const char *text, size_t len);

/* The text in `columns`, clipped or followed by spaces. */
void text_add_cell(struct buf *out, const char *text, size_t len, size_t columns,
	enum text_clip clip, enum text_tone tone, bool color);

/* "12.5%", six columns, the hotter the larger; blank for nothing. */
void text_add_percent(struct buf *out, uint64_t part, uint64_t whole, bool color);

/*
 * Eight columns at least: a time if the period is known, in the unit that `largest` reads best in,
 * else a count; "-" for nothing.
 */
void text_add_amount(struct buf *out, uint64_t samples, uint64_t largest,
	const struct export_options *options);

/* Of a function: whose code it is. */
enum text_tone text_tone_of(const struct profile *p, const struct store_function *f);

/* The line without spaces at its end, and a line feed. Empties `line`. */
void text_end_line(FILE *out, struct buf *line);

/* ---- the parts of the format ------------------------------------------------------------------ */

void text_write_tree(FILE *out, const struct profile *p, const struct export_options *options);

#endif

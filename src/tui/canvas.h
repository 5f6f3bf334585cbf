// SPDX-License-Identifier: MIT
/*
 * A sheet of character cells, drawn by the views and shown by the screen; also what unit tests look
 * at. Text that is put on it may be any bytes: what is no UTF-8, controls, and what changes the
 * direction or hides itself becomes U+FFFD ("?" in ASCII), so that nothing from outside commands the
 * terminal. Widths are those of wcwidth() in the process's locale, as the terminal's library has them.
 */
#ifndef FIREGLASS_TUI_CANVAS_H
#define FIREGLASS_TUI_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* What a piece of text is; the screen has a colour, or an attribute, for each. */
enum tone {
	TONE_PLAIN,
	TONE_FAINT,
	TONE_STRONG,
	TONE_HOT,
	TONE_WARM,
	TONE_GOOD,
	TONE_MARK,     // names of things: files, states, keys
	TONE_HEADING,  // over the rows
	TONE_SORTED,   // the heading by which rows are sorted
	TONE_SELECTED, // the row on which the cursor is
	TONE_LABEL,    // of a key in the last line
	TONE_TAB,      // the view that is shown
	TONE_ALERT,
	TONES,
};

#define CANVAS_MARKS 2 /* combining marks of a cell, more are dropped */
#define CANVAS_SIDE_MAX 2000

struct canvas_cell {
	uint32_t chars[1 + CANVAS_MARKS]; // 0: no more
	uint16_t width;                   // 1, 2; 0: the right half of a wide character
	uint16_t tone;
};

struct canvas {
	int width, height;
	bool ascii;
	struct canvas_cell *cells; // rows one after the other
};

void canvas_deinit(struct canvas *c);

/* All blank. Sides are brought to 1..CANVAS_SIDE_MAX. */
void canvas_resize(struct canvas *c, int width, int height);
void canvas_clear(struct canvas *c);

/*
 * Writes text from column x on, at most `width` columns of it, and returns how many it took. What
 * lies outside of the canvas is cut off.
 */
int canvas_put(struct canvas *c, int y, int x, int width, enum tone tone, const char *text);

enum canvas_fit {
	FIT_LEFT,  // too long: its end is cut off
	FIT_RIGHT, // flush right, for numbers
	FIT_TAIL,  // too long: its begin is cut off, for paths
};

/* Exactly `width` columns: filled with blanks, or cut with a mark for it. */
void canvas_put_fit(struct canvas *c, int y, int x, int width, enum tone tone, enum canvas_fit fit,
	const char *text);

/* Blanks. */
void canvas_fill(struct canvas *c, int y, int x, int width, enum tone tone);

/* Another tone for what is there. */
void canvas_set_tone(struct canvas *c, int y, int x, int width, enum tone tone);

/* Columns that canvas_put() would take. */
int canvas_text_width(const struct canvas *c, const char *text);

/* A row as UTF-8, without blanks at its end. */
void canvas_row_text(const struct canvas *c, int y, struct buf *out);

#endif

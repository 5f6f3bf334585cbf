// SPDX-License-Identifier: MIT
/* Small drawn things: lines of little bars, shares, times. */
#ifndef FIREGLASS_TUI_PARTS_H
#define FIREGLASS_TUI_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "tui/canvas.h"

/* The newest values, one column each, flush right; lowest..highest as bars of growing height. */
void parts_sparkline(struct canvas *c, int y, int x, int width, enum tone tone,
	const double *values, size_t count, double lowest, double highest);

/* A bar of share (0..1) of the width, blank after it. */
void parts_bar(struct canvas *c, int y, int x, int width, enum tone tone, double share);

/* Per cent without the sign: "0.0", "12.3", "100", "1234" (of processors). What is no number: "-". */
void parts_add_percent(struct buf *out, double share);

/* "0:42", "12:03", "1:02:03", "3d 04:05". */
void parts_add_clock(struct buf *out, double seconds);

/* "500 ms", "15 s", "2 min". */
void parts_add_span(struct buf *out, uint64_t ns);

/* How hot a share is. */
enum tone parts_heat(double share);

#endif

// SPDX-License-Identifier: MIT
/*
 * Where ticks are expected: on a line that advances by the period. A tick is told as its distance
 * from the line; one that is far off moves the line by whole periods, since slots were missed.
 * Without a period the line goes through the last tick.
 *
 * Sums are modulo 2^64: any numbers will do.
 */
#ifndef FIREGLASS_STORE_TICK_LINE_H
#define FIREGLASS_STORE_TICK_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/capture.h"

/* A period of centuries is none. */
#define TICK_PERIOD_MAX_NS (1ull << 60)

struct tick_line {
	uint64_t at_ns; // where the next tick is expected
	uint64_t period_ns;
};

/* A tick came at `time_ns`. */
static inline void tick_line_follow(struct tick_line *line, uint64_t time_ns)
{
	bool early = (int64_t)(time_ns - line->at_ns) < 0;
	uint64_t off = early ? line->at_ns - time_ns : time_ns - line->at_ns;
	uint64_t period = line->period_ns;

	if (!period) {
		line->at_ns = time_ns;
		return;
	}
	if (off > period - period / 4) { // to the nearest multiple
		off = (off / period + (off % period >= period - period / 2)) * period;
		line->at_ns += early ? 0 - off : off;
	}
}

/* Expect the next one. */
static inline void tick_line_advance(struct tick_line *line)
{
	line->at_ns += line->period_ns;
}

/* The end of the tick that begins at row `from`: rows of one time. */
size_t tick_line_rows(const struct capture_sample *rows, size_t count, size_t from);

/*
 * The line that goes through the middle of the ticks, whose slots it thereby finds: expecting the
 * first row. False if they keep to no such line, or there is no period.
 */
bool tick_line_find(struct tick_line *line, const struct capture_sample *rows, size_t count,
	uint64_t period_ns);

#endif

// SPDX-License-Identifier: MIT
/*
 * Captures by name, each hard on exporters in its own way. What they hold is fixed: tests compare
 * what clients make of them with what is in them.
 */
#ifndef FIREGLASS_TESTS_GOLDEN_CAPTURES_H
#define FIREGLASS_TESTS_GOLDEN_CAPTURES_H

#include <stdbool.h>

#include "store/capture.h"

struct golden_capture {
	const char *name;
	void (*fill)(struct capture *c);
};

/* All of them, ending with a NULL name. */
extern const struct golden_capture golden_captures[];

/*
 * Fills a capture (after capture_init()). "big:N" is not in the list: N samples of four threads, with
 * a few hundred stacks. "large:SAMPLES:STACKS", with ":THREADS:PERIOD_MS" or without, is one of
 * large_capture.h. False if there is none of this name.
 */
bool golden_capture_fill(struct capture *c, const char *name);

#endif

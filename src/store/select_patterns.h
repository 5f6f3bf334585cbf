// SPDX-License-Identifier: MIT
/* A selection's regular expressions, compiled: POSIX extended, on bytes, case counts. */
#ifndef FIREGLASS_STORE_SELECT_PATTERNS_H
#define FIREGLASS_STORE_SELECT_PATTERNS_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/view.h"

struct patterns {
	regex_t compiled[SELECTION_PATTERNS_MAX];
	const char *const *texts;
	size_t count;
};

/*
 * From an array of SELECTION_PATTERNS_MAX, NULL ending it earlier, which must stay. `what` names
 * them in errors.
 */
struct err *patterns_init(struct patterns *p, const char *const *texts, const char *what);
void patterns_deinit(struct patterns *p);

/* A bit for each pattern that matches somewhere in the text. */
uint16_t patterns_match(const struct patterns *p, const char *text);

/* The same for a frame: "function (file:line)", the file as recorded or shortened below `cwd`. */
uint16_t patterns_match_frame(const struct patterns *p, const struct profile *profile,
	const struct store_frame *frame, const char *cwd);

/* All of the bits. */
uint16_t patterns_all(const struct patterns *p);

/* True if there are none, one matches the name, or one is the id. */
bool patterns_name(const struct patterns *p, const char *name, uint32_t id);

#endif

// SPDX-License-Identifier: MIT
/*
 * Output held against files in tests/golden.
 *
 * Re-record all of them with one command, then look at the diff:
 *
 *	FIREGLASS_RECORD_GOLDEN=1 meson test -C build
 *
 * The folder is $FIREGLASS_GOLDEN_DIR, else tests/golden of the working directory.
 */
#ifndef FIREGLASS_TESTS_GOLDEN_H
#define FIREGLASS_TESTS_GOLDEN_H

#include <stddef.h>

/* Fails the running test, showing the first differing line, unless the file holds this text. */
void golden_check(const char *name, const char *text, size_t len);

#endif

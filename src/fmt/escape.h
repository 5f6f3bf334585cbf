// SPDX-License-Identifier: MIT
/* Names as parts of lines of text. */
#ifndef FIREGLASS_FMT_ESCAPE_H
#define FIREGLASS_FMT_ESCAPE_H

#include <stddef.h>

#include "base/buf.h"

/*
 * Appends `text` as a part of a line of folded text. Reversible:
 *
 *	\\          a backslash
 *	\n \r \t    newline, carriage return, tab
 *	\xHH        `;` (\x3b), other characters below U+0100 that are control characters
 *	\uHHHH      U+2028 and U+2029, which some readers take for the end of a line
 */
void escape_folded(struct buf *out, const char *text, size_t len);

/* The reverse; a backslash that begins none of the above stands for itself. */
void unescape_folded(struct buf *out, const char *text, size_t len);

/*
 * Appends `text` so that a person sees every character of it, in order: control characters, those
 * without width and those that turn the direction of writing come as \xHH and \uHHHH. For pictures
 * and terminals; not reversible, as backslashes are left alone.
 */
void escape_visible(struct buf *out, const char *text, size_t len);

#endif

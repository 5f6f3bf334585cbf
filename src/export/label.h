// SPDX-License-Identifier: MIT
/*
 * How frames read in text, the same in every format.
 *
 *	function (file:line)      a frame; the executing line
 *	function (file:first)     options->functions: the line where the function begins, so that
 *	                          two functions of one name in one file stay apart
 *	function (file)           options->no_lines, or the line is not known
 *	name                      threads, marks such as (idle), and what has no file
 *
 * Files are shortened unless options->full_paths: what follows the last `site-packages/`,
 * `dist-packages/` or `lib/pythonX.Y/` (also `lib64`, `python3`); else relative to options->cwd if
 * below it; else as it is, as are `<frozen importlib._bootstrap>` and `<string>`.
 */
#ifndef FIREGLASS_EXPORT_LABEL_H
#define FIREGLASS_EXPORT_LABEL_H

#include <stddef.h>

#include "base/buf.h"
#include "export/export.h"
#include "store/profile.h"

/* Where code comes from, told by its path. */
enum label_origin {
	LABEL_OWN,     // the program itself, and whatever is none of the others
	LABEL_PACKAGE, // site-packages and dist-packages
	LABEL_STDLIB,  // lib/pythonX.Y and frozen modules
	LABEL_THREAD,
	LABEL_MARK,
};

#define LABEL_ORIGINS 5

struct label_slice {
	const char *text; // not ended with 0
	size_t len;
};

/* The file of a function as options ask for it: a part of the stored text. */
struct label_slice label_file(const struct profile *p, const struct store_function *f,
	const struct export_options *options);

enum label_origin label_origin(const struct profile *p, const struct store_function *f);

/* Appends a frame as in the table above, not escaped: it can hold any character. */
void label_add(struct buf *out, const struct profile *p, const struct store_frame *frame,
	const struct export_options *options);

/*
 * Appends `text` as a part of a line of folded text. Reversible:
 *
 *	\\          a backslash
 *	\n \r \t    newline, carriage return, tab
 *	\xHH        `;` (\x3b), other characters below U+0100 that are control characters
 *	\uHHHH      U+2028 and U+2029, which some readers take for the end of a line
 */
void label_escape(struct buf *out, const char *text, size_t len);

/* The reverse; a backslash that begins none of the above stands for itself. */
void label_unescape(struct buf *out, const char *text, size_t len);

/*
 * Appends `text` so that a person sees every character of it, in order: control characters, those
 * without width and those that turn the direction of writing come as \xHH and \uHHHH. For pictures
 * and terminals; not reversible, as backslashes are left alone.
 */
void label_visible(struct buf *out, const char *text, size_t len);

#endif

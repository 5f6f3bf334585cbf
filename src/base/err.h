// SPDX-License-Identifier: MIT
/*
 * Errors of the cold paths: opening, attaching, parsing, writing files.
 *
 * A function that can fail returns `struct err *`, NULL meaning success, and hands its results out
 * through last parameters named `*_ret`, which it leaves untouched on failure. The caller owns the
 * error: it passes it on or ends it with err_free(). Failures of single reads while sampling are
 * normal and do not come this way: see enum read_status in os/mem_reader.h.
 *
 * A message is lower case without a full stop: what failed first, the subject quoted, then the
 * remedy after a semicolon: "cannot read process 4711: permission denied; run as root".
 */
#ifndef FIREGLASS_BASE_ERR_H
#define FIREGLASS_BASE_ERR_H

enum err_kind {
	ERR_FAILED,     // the operation could not be done
	ERR_USAGE,      // the caller asked for something that makes no sense
	ERR_PERMISSION, // a gate of the system refused
	ERR_NOT_PYTHON, // no Python, or none we can read
	ERR_GONE,       // the process does not exist (any more)
};

struct err {
	enum err_kind kind;
	char *message;
};

/* Never returns NULL. */
struct err *err_new(enum err_kind kind, const char *format, ...)
	__attribute__((__format__(printf, 2, 3)));

/* As err_new(), with ": " and the text of `errnum` appended; EPERM and EACCES make it ERR_PERMISSION. */
struct err *err_errno(int errnum, const char *format, ...)
	__attribute__((__format__(printf, 2, 3)));

/* Puts "PREFIX: " before the message; returns `e`. */
struct err *err_prefix(struct err *e, const char *format, ...)
	__attribute__((__format__(printf, 2, 3)));

/* Puts more text after the message; returns `e`. */
struct err *err_suffix(struct err *e, const char *format, ...)
	__attribute__((__format__(printf, 2, 3)));

/* NULL is fine. */
void err_free(struct err *e);

#endif

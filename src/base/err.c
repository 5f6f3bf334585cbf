// SPDX-License-Identifier: MIT
#include "base/err.h"

#include <ctype.h>
#include <stdbool.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

static char *format_args(const char *format, va_list args)
{
	char *s;

	if (vasprintf(&s, format, args) < 0)
		return xstrdup(format);
	return s;
}

static struct err *err_take(enum err_kind kind, char *message)
{
	struct err *e = xmalloc(sizeof(*e));

	*e = (struct err){ .kind = kind, .message = message };
	return e;
}

struct err *err_new(enum err_kind kind, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	char *message = format_args(format, args);
	va_end(args);
	return err_take(kind, message);
}

struct err *err_errno(int errnum, const char *format, ...)
{
	bool denied = errnum == EPERM || errnum == EACCES;
	va_list args;

	va_start(args, format);
	_cleanup_free_ char *what = format_args(format, args);
	va_end(args);
	char *message = xasprintf("%s: %s", what, strerror(errnum));
	// libc's texts begin with a capital letter
	char *reason = message + strlen(what) + 2;
	*reason = (char)tolower((unsigned char)*reason);
	return err_take(denied ? ERR_PERMISSION : ERR_FAILED, message);
}

static struct err *err_join(struct err *e, const char *before, const char *after)
{
	char *message = xasprintf("%s%s%s", before, e->message, after);

	free(e->message);
	e->message = message;
	return e;
}

struct err *err_prefix(struct err *e, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	_cleanup_free_ char *prefix = format_args(format, args);
	va_end(args);
	_cleanup_free_ char *before = xasprintf("%s: ", prefix);
	return err_join(e, before, "");
}

struct err *err_suffix(struct err *e, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	_cleanup_free_ char *after = format_args(format, args);
	va_end(args);
	return err_join(e, "", after);
}

void err_free(struct err *e)
{
	if (!e)
		return;
	free(e->message);
	free(e);
}

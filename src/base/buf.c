// SPDX-License-Identifier: MIT
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void buf_deinit(struct buf *b)
{
	free(b->data);
	*b = BUF_INIT;
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = 0;
}

void buf_reserve(struct buf *b, size_t extra)
{
	array_reserve(b->data, b->capacity, b->len + extra + 1);
	b->data[b->len] = 0;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	buf_reserve(b, len);
	if (len)
		memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = 0;
}

void buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;

	buf_reserve(b, 64);
	va_start(args, format);
	int n = vsnprintf(b->data + b->len, b->capacity - b->len, format, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n >= b->capacity - b->len) {
		buf_reserve(b, (size_t)n);
		va_start(args, format);
		vsnprintf(b->data + b->len, b->capacity - b->len, format, args);
		va_end(args);
	}
	b->len += (size_t)n;
}

const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

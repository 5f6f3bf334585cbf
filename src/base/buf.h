// SPDX-License-Identifier: MIT
/*
 * A growable run of bytes.
 *
 * `data` is NULL while nothing was ever added; after the first addition data[len] is always 0, so
 * that a buffer that holds text is a C string. Zero-initialise (BUF_INIT), end with buf_deinit().
 */
#ifndef FIREGLASS_BASE_BUF_H
#define FIREGLASS_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t len;
	size_t capacity; // bytes allocated, the final 0 included
};

#define BUF_INIT ((struct buf){ 0 })
#define _cleanup_buf_ __attribute__((__cleanup__(buf_deinit)))

/* Frees the storage; the buffer can be used again. */
void buf_deinit(struct buf *b);

/* Makes it empty, keeps the storage. */
void buf_clear(struct buf *b);

/* Room for `extra` more bytes (and the final 0). */
void buf_reserve(struct buf *b, size_t extra);

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_add_str(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((__format__(printf, 2, 3)));

/* The text, "" when empty; valid until the next change. */
const char *buf_str(const struct buf *b);

#endif

// SPDX-License-Identifier: MIT
/*
 * Gzipped bytes into a stream, compressed as they come. The same bytes always give the same file:
 * no time and no name are in it.
 */
#ifndef FIREGLASS_FMT_GZIP_H
#define FIREGLASS_FMT_GZIP_H

#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

struct gzip_writer;

/* The stream stays the caller's; its errors stay in it: see ferror(). */
struct err *gzip_writer_create(struct gzip_writer **ret, FILE *out);

void gzip_writer_add(struct gzip_writer *w, const void *bytes, size_t len);

/* The end of the file; nothing may be added after it. */
void gzip_writer_finish(struct gzip_writer *w);

void gzip_writer_destroy(struct gzip_writer *w);

#endif

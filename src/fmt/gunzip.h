// SPDX-License-Identifier: MIT
/* Gzipped bytes, made whole again. */
#ifndef FIREGLASS_FMT_GUNZIP_H
#define FIREGLASS_FMT_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

bool gunzip_is(const char *data, size_t len);

/*
 * Appends what all members of `data` hold. An error if they are damaged or cut, if other bytes
 * follow, or if it would be more than `cap` bytes.
 */
struct err *gunzip(struct buf *out, const char *data, size_t len, size_t cap);

#endif

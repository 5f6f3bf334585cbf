// SPDX-License-Identifier: MIT
/* Bytes compressed with zstd, made whole again. */
#ifndef FIREGLASS_FMT_UNZSTD_H
#define FIREGLASS_FMT_UNZSTD_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Appends what all frames of `data` hold. An error if they are damaged or cut, or if it would be
 * more than `cap` bytes.
 */
struct err *unzstd(struct buf *out, const char *data, size_t len, size_t cap);

#endif

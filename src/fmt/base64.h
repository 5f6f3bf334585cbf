// SPDX-License-Identifier: MIT
/* Bytes as base64 (RFC 4648, section 4), encoded as they come: one line without an end. */
#ifndef FIREGLASS_FMT_BASE64_H
#define FIREGLASS_FMT_BASE64_H

#include <stdio.h>

#include "base/err.h"

/*
 * A stream that encodes what is written to it into `out`, which stays the caller's, as do its
 * errors: see ferror(). fclose() writes what is left.
 */
struct err *base64_open(FILE **ret, FILE *out);

#endif

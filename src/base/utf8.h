// SPDX-License-Identifier: MIT
/*
 * Text that comes from outside is made into valid UTF-8 once, where it enters: bad bytes, lone
 * surrogates and code points that do not exist become U+FFFD.
 */
#ifndef FIREGLASS_BASE_UTF8_H
#define FIREGLASS_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define UTF8_REPLACEMENT 0xfffdu

/* Appends one code point, or U+FFFD for what is none. */
void utf8_add(struct buf *out, uint32_t code_point);

/* Appends bytes that should be UTF-8, repaired. */
void utf8_add_bytes(struct buf *out, const void *bytes, size_t len);

/* Code points of fixed width (1: Latin-1, 2: UCS-2, 4: UCS-4) in native byte order, `count` of them. */
void utf8_add_fixed(struct buf *out, const void *units, size_t count, unsigned int width);

/*
 * Decodes the code point at `s` (`len` bytes, at least 1) and returns how many bytes it took; a bad
 * sequence gives U+FFFD and takes at least one byte.
 */
size_t utf8_decode(const unsigned char *s, size_t len, uint32_t *code_point_ret);

#endif

// SPDX-License-Identifier: MIT
/* Numbers as few bytes (LEB128): seven bits each, the low ones first; all but the last have bit 7. */
#ifndef FIREGLASS_FMT_VARINT_H
#define FIREGLASS_FMT_VARINT_H

#include <stdint.h>

#define VARINT_MAX 10 /* bytes of a number at most */

/* Writes it and returns what follows it. */
static inline char *varint_put(char *at, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*at++ = (char)(value | 0x80);
	*at++ = (char)value;
	return at;
}

/* A difference as a number: small ones of either sign become small. */
static inline uint64_t varint_zigzag(uint64_t difference)
{
	return difference << 1 ^ (0 - (difference >> 63));
}

static inline uint64_t varint_unzigzag(uint64_t value)
{
	return value >> 1 ^ (0 - (value & 1));
}

#endif

// SPDX-License-Identifier: MIT
/*
 * Walking over bytes of a binary format.
 *
 * Past the end, reads give 0 and `bad` stays set, so that a record can be read in one go and checked
 * once. Numbers that do not fit in 64 bits are bad, too.
 */
#ifndef FIREGLASS_IMPORT_BYTES_H
#define FIREGLASS_IMPORT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "import/build.h"

struct bytes {
	const unsigned char *data;
	size_t len, at;
	bool bad;
};

struct bytes bytes_of(const void *data, size_t len);

uint8_t bytes_u8(struct bytes *b);
uint32_t bytes_u32(struct bytes *b, bool swapped); // native order, or the other
uint64_t bytes_u64(struct bytes *b, bool swapped);
uint64_t bytes_varint(struct bytes *b); // LEB128
int64_t bytes_zigzag(struct bytes *b);
struct slice bytes_take(struct bytes *b, uint64_t len);
struct slice bytes_cstring(struct bytes *b); // up to a 0, which is taken

#endif

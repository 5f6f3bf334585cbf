// SPDX-License-Identifier: MIT
#include "import/bytes.h"

#include <string.h>

struct bytes bytes_of(const void *data, size_t len)
{
	return (struct bytes){ .data = data, .len = len };
}

struct slice bytes_take(struct bytes *b, uint64_t len)
{
	struct slice s = { (const char *)b->data + b->at, len };

	if (b->bad || len > b->len - b->at) {
		b->bad = true;
		return SLICE_NONE;
	}
	b->at += len;
	return s;
}

uint8_t bytes_u8(struct bytes *b)
{
	struct slice s = bytes_take(b, 1);

	return s.len ? (uint8_t)*s.text : 0;
}

uint32_t bytes_u32(struct bytes *b, bool swapped)
{
	struct slice s = bytes_take(b, 4);
	uint32_t value = 0;

	if (s.len)
		memcpy(&value, s.text, 4);
	return swapped ? __builtin_bswap32(value) : value;
}

uint64_t bytes_u64(struct bytes *b, bool swapped)
{
	struct slice s = bytes_take(b, 8);
	uint64_t value = 0;

	if (s.len)
		memcpy(&value, s.text, 8);
	return swapped ? __builtin_bswap64(value) : value;
}

uint64_t bytes_varint(struct bytes *b)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint8_t byte = bytes_u8(b);

		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	b->bad = true;
	return 0;
}

int64_t bytes_zigzag(struct bytes *b)
{
	uint64_t value = bytes_varint(b);

	return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

struct slice bytes_cstring(struct bytes *b)
{
	const unsigned char *start = b->data + b->at;
	const unsigned char *end = b->bad ? NULL : memchr(start, 0, b->len - b->at);

	if (!end) {
		b->bad = true;
		return SLICE_NONE;
	}
	b->at += (size_t)(end - start) + 1;
	return (struct slice){ (const char *)start, (size_t)(end - start) };
}

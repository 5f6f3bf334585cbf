// SPDX-License-Identifier: MIT
#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

static bool is_scalar(uint32_t c)
{
	return c < 0xd800 || (c >= 0xe000 && c <= 0x10ffff);
}

void utf8_add(struct buf *out, uint32_t c)
{
	char s[4];
	size_t n;

	if (!is_scalar(c))
		c = UTF8_REPLACEMENT;
	if (c < 0x80) {
		buf_add_char(out, (char)c);
		return;
	}
	n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		s[i] = (char)(0x80 | (c & 0x3f));
	s[0] = (char)((0xf00u >> n & 0xf0) | c);
	buf_add(out, s, n);
}

static size_t sequence_length(unsigned char lead, uint32_t *bits_ret, uint32_t *least_ret)
{
	static const struct {
		unsigned char mask, lead, payload;
		uint32_t least;
	} forms[] = {
		{ 0xe0, 0xc0, 0x1f, 0x80 },
		{ 0xf0, 0xe0, 0x0f, 0x800 },
		{ 0xf8, 0xf0, 0x07, 0x10000 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if ((lead & forms[i].mask) != forms[i].lead)
			continue;
		*bits_ret = lead & forms[i].payload;
		*least_ret = forms[i].least;
		return i + 2;
	}
	return 0;
}

size_t utf8_decode(const unsigned char *s, size_t len, uint32_t *code_point_ret)
{
	uint32_t c, least;

	*code_point_ret = UTF8_REPLACEMENT;
	if (s[0] < 0x80) {
		*code_point_ret = s[0];
		return 1;
	}
	size_t n = sequence_length(s[0], &c, &least);
	if (!n)
		return 1;
	for (size_t i = 1; i < n; i++) {
		if (i >= len || (s[i] & 0xc0) != 0x80)
			return i;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c >= least && is_scalar(c))
		*code_point_ret = c;
	return n;
}

void utf8_add_bytes(struct buf *out, const void *bytes, size_t len)
{
	const unsigned char *s = bytes;

	buf_reserve(out, len);
	while (len) {
		uint32_t c;
		size_t n = utf8_decode(s, len, &c);

		utf8_add(out, c);
		s += n;
		len -= n;
	}
}

void utf8_add_fixed(struct buf *out, const void *units, size_t count, unsigned int width)
{
	const unsigned char *s = units;

	buf_reserve(out, count);
	for (size_t i = 0; i < count; i++, s += width) {
		uint32_t wide;
		uint16_t narrow;

		if (width == 4) {
			memcpy(&wide, s, sizeof(wide));
		} else if (width == 2) {
			memcpy(&narrow, s, sizeof(narrow));
			wide = narrow;
		} else {
			wide = *s;
		}
		utf8_add(out, wide);
	}
}

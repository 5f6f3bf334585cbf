// SPDX-License-Identifier: MIT
#include "fmt/escape.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/utf8.h"

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

static bool is_line_end(uint32_t c)
{
	return c == 0x2028 || c == 0x2029;
}

/* No width, or turns the direction of what follows. */
static bool is_unseen(uint32_t c)
{
	return c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
		(c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
		(c >= 0xfff9 && c <= 0xfffb) || c == 0xfffe || c == 0xffff;
}

static void add_hex(struct buf *out, uint32_t c)
{
	buf_printf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
}

static const char *named_escape(uint32_t c)
{
	switch (c) {
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		return NULL;
	}
}

void escape_folded(struct buf *out, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;

	for (size_t i = 0; i < len;) {
		uint32_t c;
		size_t n = utf8_decode(s + i, len - i, &c);
		const char *named = named_escape(c);

		if (named)
			buf_add_str(out, named);
		else if (c == ';' || is_control(c) || is_line_end(c))
			add_hex(out, c);
		else
			utf8_add(out, c);
		i += n;
	}
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* `digits` hex digits at `s`, or -1. */
static int hex_read(const char *s, const char *end, size_t digits)
{
	int value = 0;

	if ((size_t)(end - s) < digits)
		return -1;
	for (size_t i = 0; i < digits; i++) {
		int v = hex_value(s[i]);

		if (v < 0)
			return -1;
		value = value * 16 + v;
	}
	return value;
}

/* Reads the escape after a backslash at `s`; how many bytes it took, 0 if it is none. */
static size_t read_escape(const char *s, const char *end, uint32_t *c_ret)
{
	static const char named[] = "\\\\n\nr\rt\t";
	size_t digits;

	if (s == end)
		return 0;
	for (size_t i = 0; i + 1 < sizeof(named); i += 2) {
		if (named[i] != *s)
			continue;
		*c_ret = (uint32_t)named[i + 1];
		return 1;
	}
	if (*s != 'x' && *s != 'u')
		return 0;
	digits = *s == 'x' ? 2 : 4;
	int value = hex_read(s + 1, end, digits);
	if (value < 0)
		return 0;
	*c_ret = (uint32_t)value;
	return digits + 1;
}

void unescape_folded(struct buf *out, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		uint32_t c;
		size_t n = *text == '\\' ? read_escape(text + 1, end, &c) : 0;

		if (n)
			utf8_add(out, c);
		else
			buf_add_char(out, *text);
		text += 1 + n;
	}
}

void escape_visible(struct buf *out, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;

	for (size_t i = 0; i < len;) {
		uint32_t c;

		i += utf8_decode(s + i, len - i, &c);
		if (is_control(c) || is_line_end(c) || is_unseen(c))
			add_hex(out, c);
		else
			utf8_add(out, c);
	}
}

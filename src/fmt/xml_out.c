// SPDX-License-Identifier: MIT
#include "fmt/xml_out.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/utf8.h"

static bool is_xml_char(uint32_t c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n' || c == '\r';
	return c != 0xfffe && c != 0xffff;
}

static void add_char(struct buf *out, uint32_t c)
{
	switch (c) {
	case '<':
		buf_add_str(out, "&lt;");
		return;
	case '>':
		buf_add_str(out, "&gt;");
		return;
	case '&':
		buf_add_str(out, "&amp;");
		return;
	case '"':
	case '\'':
	case '\t':
	case '\n':
	case '\r':
		buf_printf(out, "&#%u;", c);
		return;
	default:
		utf8_add(out, is_xml_char(c) ? c : UTF8_REPLACEMENT);
	}
}

void xml_add_text(struct buf *out, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;

	for (size_t i = 0; i < len;) {
		uint32_t c;

		i += utf8_decode(s + i, len - i, &c);
		add_char(out, c);
	}
}

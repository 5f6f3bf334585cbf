// SPDX-License-Identifier: MIT
#include "export/label.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"

static bool starts_with(const char *s, const char *end, const char *prefix)
{
	size_t len = strlen(prefix);

	return (size_t)(end - s) >= len && memcmp(s, prefix, len) == 0;
}

/* What follows `lib/pythonX.Y/` if `s` begins with it, else NULL. A `t` marks free threading. */
static const char *after_stdlib(const char *s, const char *end)
{
	if (starts_with(s, end, "lib64/python"))
		s += strlen("lib64/python");
	else if (starts_with(s, end, "lib/python"))
		s += strlen("lib/python");
	else
		return NULL;
	while (s < end && ((*s >= '0' && *s <= '9') || *s == '.'))
		s++;
	if (s < end && *s == 't')
		s++;
	return s < end && *s == '/' ? s + 1 : NULL;
}

static const char *after_packages(const char *s, const char *end)
{
	static const char *const names[] = { "site-packages/", "dist-packages/" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (starts_with(s, end, names[i]))
			return s + strlen(names[i]);
	return NULL;
}

/*
 * Looks at each part of the path, last one first. Packages live below the standard library
 * (lib/python3.11/site-packages), so the last hit is the one that counts.
 */
static const char *library_part(const char *s, size_t len, enum label_origin *origin_ret)
{
	const char *end = s + len;

	for (const char *at = end; at-- > s;) {
		const char *rest;

		if (at > s && at[-1] != '/')
			continue;
		if ((rest = after_packages(at, end)) != NULL) {
			*origin_ret = LABEL_PACKAGE;
			return rest;
		}
		if ((rest = after_stdlib(at, end)) != NULL) {
			*origin_ret = LABEL_STDLIB;
			return rest;
		}
	}
	return NULL;
}

static const char *below(const char *s, const char *end, const char *directory)
{
	size_t len = directory ? strlen(directory) : 0;

	while (len && directory[len - 1] == '/')
		len--;
	if (!len || (size_t)(end - s) < len + 2 || memcmp(s, directory, len) != 0 || s[len] != '/')
		return NULL;
	return s + len + 1;
}

struct label_slice label_file(const struct profile *p, const struct store_function *f,
	const struct export_options *options)
{
	const struct store_string *file = &p->strings[f->file];
	const char *end = file->text + file->len, *rest = NULL;
	enum label_origin origin;

	if (!options->full_paths)
		rest = library_part(file->text, file->len, &origin);
	if (!options->full_paths && (!rest || rest == end))
		rest = below(file->text, end, options->cwd);
	if (!rest)
		rest = file->text;
	return (struct label_slice){ rest, (size_t)(end - rest) };
}

enum label_origin label_origin(const struct profile *p, const struct store_function *f)
{
	const struct store_string *file = &p->strings[f->file];
	enum label_origin origin = LABEL_OWN;

	if (f->kind == FUNCTION_THREAD)
		return LABEL_THREAD;
	if (f->kind == FUNCTION_MARK)
		return LABEL_MARK;
	if (starts_with(file->text, file->text + file->len, "<frozen "))
		return LABEL_STDLIB;
	library_part(file->text, file->len, &origin);
	return origin;
}

void label_add(struct buf *out, const struct profile *p, const struct store_frame *frame,
	const struct export_options *options)
{
	const struct store_function *f = &p->functions[frame->function];
	const struct store_string *name = &p->strings[f->name];
	uint32_t line = options->functions ? f->first_line : frame->line;

	if (name->len)
		buf_add(out, name->text, name->len);
	else
		buf_add_char(out, '?');
	struct label_slice file = label_file(p, f, options);
	if (f->kind != FUNCTION_PYTHON || !file.len)
		return;
	buf_add_str(out, " (");
	buf_add(out, file.text, file.len);
	if (line && !options->no_lines)
		buf_printf(out, ":%u", line);
	buf_add_char(out, ')');
}

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

void label_escape(struct buf *out, const char *text, size_t len)
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

void label_unescape(struct buf *out, const char *text, size_t len)
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

void label_visible(struct buf *out, const char *text, size_t len)
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

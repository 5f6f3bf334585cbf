// SPDX-License-Identifier: MIT
#include "fmt/json_writer.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static void emit(struct json_writer *w, const void *bytes, size_t len)
{
	if (w->stream)
		fwrite_unlocked(bytes, 1, len, w->stream);
	else
		buf_add(w->buf, bytes, len);
}

static void emit_str(struct json_writer *w, const char *s)
{
	emit(w, s, strlen(s));
}

static uint64_t level_bit(const struct json_writer *w)
{
	return (uint64_t)1 << (w->depth - 1);
}

static void new_line(struct json_writer *w)
{
	if (!w->pretty)
		return;
	emit(w, "\n", 1);
	for (unsigned int i = 0; i < w->depth; i++)
		emit(w, "  ", 2);
}

/* The comma and line break before an element of an array, or before a key. */
static void begin_element(struct json_writer *w)
{
	if (w->filled & level_bit(w))
		emit(w, ",", 1);
	w->filled |= level_bit(w);
	new_line(w);
}

static void begin_value(struct json_writer *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (w->depth == 0)
		return;
	assert(!(w->objects & level_bit(w)) && "a value in an object needs a key");
	begin_element(w);
}

static void begin_level(struct json_writer *w, bool object)
{
	begin_value(w);
	emit(w, object ? "{" : "[", 1);
	assert(w->depth < JSON_MAX_DEPTH);
	w->depth++;
	w->filled &= ~level_bit(w);
	if (object)
		w->objects |= level_bit(w);
	else
		w->objects &= ~level_bit(w);
}

static void end_level(struct json_writer *w, bool object)
{
	assert(w->depth > 0 && !w->after_key);
	assert(!!(w->objects & level_bit(w)) == object);
	bool filled = w->filled & level_bit(w);
	w->depth--;
	if (filled)
		new_line(w);
	emit(w, object ? "}" : "]", 1);
	if (w->depth == 0 && w->pretty)
		emit(w, "\n", 1);
}

void json_begin_object(struct json_writer *w)
{
	begin_level(w, true);
}

void json_end_object(struct json_writer *w)
{
	end_level(w, true);
}

void json_begin_array(struct json_writer *w)
{
	begin_level(w, false);
}

void json_end_array(struct json_writer *w)
{
	end_level(w, false);
}

static bool needs_escape(const struct json_writer *w, uint32_t c)
{
	if (c < 0x20 || c == '"' || c == '\\')
		return true;
	if (!w->embedded)
		return false;
	return c == '<' || c == '>' || c == '&' || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
		c == 0x2029 || c == 0xfffe || c == 0xffff;
}

static void emit_escape(struct json_writer *w, uint32_t c)
{
	static const char named[] = "\"\"\\\\\nn\rr\tt\bb\ff";
	char text[8];

	for (size_t i = 0; i + 1 < sizeof(named); i += 2) {
		if ((uint32_t)named[i] != c)
			continue;
		emit(w, (char[]){ '\\', named[i + 1] }, 2);
		return;
	}
	snprintf(text, sizeof(text), "\\u%04x", c & 0xffff);
	emit_str(w, text);
}

static void emit_quoted(struct json_writer *w, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t plain = 0; // start of what can be written as it is

	emit(w, "\"", 1);
	for (size_t i = 0; i < len;) {
		uint32_t c;
		size_t n = utf8_decode(s + i, len - i, &c);
		bool broken =
			c == UTF8_REPLACEMENT && !(n == 3 && memcmp(s + i, "\xef\xbf\xbd", 3) == 0);

		if (broken || needs_escape(w, c)) {
			emit(w, text + plain, i - plain);
			if (broken)
				emit(w, "\xef\xbf\xbd", 3);
			else
				emit_escape(w, c);
			plain = i + n;
		}
		i += n;
	}
	emit(w, text + plain, len - plain);
	emit(w, "\"", 1);
}

void json_key(struct json_writer *w, const char *name)
{
	assert(w->depth > 0 && w->objects & level_bit(w) && !w->after_key);
	begin_element(w);
	emit_quoted(w, name, strlen(name));
	emit_str(w, w->pretty ? ": " : ":");
	w->after_key = true;
}

void json_string(struct json_writer *w, const char *text, size_t len)
{
	begin_value(w);
	emit_quoted(w, text, len);
}

void json_cstring(struct json_writer *w, const char *text)
{
	if (text)
		json_string(w, text, strlen(text));
	else
		json_null(w);
}

#define DIGITS_MAX 20

/* Writes the digits before `end`; where they begin. By hand: exports have many millions of numbers. */
static char *digits_before(char *end, uint64_t value)
{
	do {
		*--end = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	return end;
}

void json_u64(struct json_writer *w, uint64_t value)
{
	char digits[DIGITS_MAX], *end = digits + sizeof(digits);
	char *begin = digits_before(end, value);

	begin_value(w);
	emit(w, begin, (size_t)(end - begin));
}

void json_thousandths(struct json_writer *w, uint64_t value)
{
	char text[DIGITS_MAX + 4], *point = text + DIGITS_MAX;
	char *begin = digits_before(point, value / 1000), *end = point;
	unsigned int rest = (unsigned int)(value % 1000);

	if (rest) {
		*end++ = '.';
		for (unsigned int unit = 100; rest; unit /= 10) {
			*end++ = (char)('0' + rest / unit);
			rest %= unit;
		}
	}
	begin_value(w);
	emit(w, begin, (size_t)(end - begin));
}

void json_i64(struct json_writer *w, int64_t value)
{
	char digits[24];

	begin_value(w);
	snprintf(digits, sizeof(digits), "%" PRId64, value);
	emit_str(w, digits);
}

void json_double(struct json_writer *w, double value)
{
	char digits[32];

	if (!isfinite(value)) {
		json_null(w);
		return;
	}
	begin_value(w);
	for (int precision = 15; precision <= 17; precision++) {
		snprintf(digits, sizeof(digits), "%.*g", precision, value);
		if (strtod(digits, NULL) == value)
			break;
	}
	// the locale may say that the point is a comma
	char *point = digits + strspn(digits, "+-0123456789eE");
	if (*point)
		*point = '.';
	emit_str(w, digits);
}

void json_bool(struct json_writer *w, bool value)
{
	begin_value(w);
	emit_str(w, value ? "true" : "false");
}

void json_null(struct json_writer *w)
{
	begin_value(w);
	emit_str(w, "null");
}

void json_member_cstring(struct json_writer *w, const char *name, const char *text)
{
	json_key(w, name);
	json_cstring(w, text);
}

void json_member_u64(struct json_writer *w, const char *name, uint64_t value)
{
	json_key(w, name);
	json_u64(w, value);
}

void json_member_bool(struct json_writer *w, const char *name, bool value)
{
	json_key(w, name);
	json_bool(w, value);
}

// SPDX-License-Identifier: MIT
/* Numbers and text as repr() has them. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "pyabi/value_parts.h"

/* ---- integers --------------------------------------------------------------------------------- */

#define INT_DIGIT_BITS 30
/* Larger ones are shown by their size only: about 9000 decimal digits. */
#define INT_DIGITS_SHOWN 1024
#define INT_DIGITS_PLAUSIBLE ((uint64_t)1 << 32)
#define BILLION 1000000000u

/* Divides in place by 10^9 and returns the remainder. */
static uint32_t divide(uint32_t *digits, size_t *count)
{
	uint64_t rest = 0;

	for (size_t i = *count; i-- > 0;) {
		uint64_t n = rest << INT_DIGIT_BITS | digits[i];

		digits[i] = (uint32_t)(n / BILLION);
		rest = n % BILLION;
	}
	while (*count && !digits[*count - 1])
		--*count;
	return (uint32_t)rest;
}

/* Appends the number; digits of 30 bits, lowest first, are used up. */
static void add_decimal(struct buf *out, uint32_t *digits, size_t count)
{
	_cleanup_free_ uint32_t *parts = xcalloc(count * 2 + 1, sizeof(*parts));
	size_t n = 0;

	do
		parts[n++] = divide(digits, &count);
	while (count);
	buf_printf(out, "%" PRIu32, parts[--n]);
	while (n--)
		buf_printf(out, "%09" PRIu32, parts[n]);
}

/* A number that has more digits than strings may have characters loses those in the middle. */
static void add_number(struct describer *d, const char *number, size_t len)
{
	size_t most = d->options->chars < 20 ? 20 : d->options->chars;

	if (len <= most) {
		buf_add(&d->out->text, number, len);
		return;
	}
	buf_add(&d->out->text, number, most / 2);
	describe_cut(d);
	buf_add(&d->out->text, number + len - most / 2, most / 2);
	buf_printf(&d->out->text, " (%zu digits)", len);
}

enum read_status describe_int(struct describer *d, remote_addr object)
{
	const struct py_offsets *at = &d->py->layout->at;
	uint32_t size = at->int_size == OFFSET_NONE ? at->object_size : at->int_size;
	uint32_t digits[INT_DIGITS_SHOWN];
	_cleanup_buf_ struct buf number = BUF_INIT;
	uint64_t size_field;
	enum read_status status = read_word(d->py, object, size, &size_field);

	if (status != READ_OK)
		return status;
	struct int_shape shape = int_shape(d->py->layout, size_field);
	if (shape.digits > INT_DIGITS_PLAUSIBLE)
		return READ_TORN;
	if (shape.digits > INT_DIGITS_SHOWN) {
		buf_printf(&d->out->text, "<%sint of about %" PRIu64 " bits>",
			shape.negative ? "negative " : "", shape.digits * INT_DIGIT_BITS);
		d->out->cut = true;
		return READ_OK;
	}
	status = mem_read(d->py->mem, object + size + 8, digits, shape.digits * sizeof(digits[0]));
	if (status != READ_OK && shape.digits)
		return status;
	for (uint64_t i = 0; i < shape.digits; i++)
		if (digits[i] >> INT_DIGIT_BITS)
			return READ_TORN;
	if (shape.negative)
		buf_add_char(&d->out->text, '-');
	add_decimal(&number, digits, (size_t)shape.digits);
	add_number(d, buf_str(&number), number.len);
	if (d->py->layout->python_2)
		buf_add_char(&d->out->text, 'L');
	return READ_OK;
}

enum read_status describe_c_long(struct describer *d, remote_addr object)
{
	uint64_t value;
	enum read_status status =
		read_word(d->py, object, d->py->layout->at.int_digits, &value);

	if (status == READ_OK)
		buf_printf(&d->out->text, "%" PRId64, (int64_t)value);
	return status;
}

/* ---- floating point --------------------------------------------------------------------------- */

/* The fewest digits that read back as `value`, without the point, and the decimal exponent. */
static int shortest_digits(double value, char digits[24])
{
	char text[40];

	for (int precision = 0; precision <= 16; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}
	size_t n = 0;
	const char *s = text;
	for (; *s && *s != 'e'; s++)
		if (*s >= '0' && *s <= '9' && n < 23)
			digits[n++] = *s;
	digits[n] = 0;
	return *s ? atoi(s + 1) : 0;
}

/* As repr() has it; `point`: whole numbers get ".0". */
static void add_double(struct buf *out, double value, bool point)
{
	char digits[24];

	if (isnan(value) || isinf(value)) {
		buf_add_str(out, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
		return;
	}
	if (signbit(value))
		buf_add_char(out, '-');
	int exponent = shortest_digits(fabs(value), digits), n = (int)strlen(digits);
	if (exponent < -4 || exponent >= 16) {
		buf_printf(out, "%c%s%se%c%02d", digits[0], n > 1 ? "." : "", digits + 1,
			exponent < 0 ? '-' : '+', abs(exponent));
		return;
	}
	if (exponent < 0) {
		buf_printf(out, "0.%.*s%s", -exponent - 1, "0000", digits);
		return;
	}
	for (int i = 0; i <= exponent; i++)
		buf_add_char(out, i < n ? digits[i] : '0');
	if (n > exponent + 1)
		buf_printf(out, ".%s", digits + exponent + 1);
	else if (point)
		buf_add_str(out, ".0");
}

enum read_status describe_float(struct describer *d, remote_addr object)
{
	double value;
	enum read_status status = mem_read(
		d->py->mem, object + d->py->layout->at.object_size, &value, sizeof(value));

	if (status == READ_OK)
		add_double(&d->out->text, value, true);
	return status;
}

enum read_status describe_complex(struct describer *d, remote_addr object)
{
	struct buf *out = &d->out->text;
	double value[2];
	enum read_status status = mem_read(
		d->py->mem, object + d->py->layout->at.object_size, value, sizeof(value));

	if (status != READ_OK)
		return status;
	if (value[0] == 0 && !signbit(value[0])) {
		add_double(out, value[1], false);
		buf_add_char(out, 'j');
		return READ_OK;
	}
	buf_add_char(out, '(');
	add_double(out, value[0], false);
	if (!signbit(value[1]) || isnan(value[1]))
		buf_add_char(out, '+');
	add_double(out, value[1], false);
	buf_add_str(out, "j)");
	return READ_OK;
}

/* ---- text ------------------------------------------------------------------------------------- */

/*
 * Characters that nobody sees, or that turn the direction of writing; not all that Python escapes,
 * as it goes by the Unicode tables.
 */
static const struct {
	uint32_t first, last;
} unseen[] = {
	{ 0x7f, 0xa0 }, { 0xad, 0xad }, { 0x600, 0x605 }, { 0x61c, 0x61c }, { 0x180e, 0x180e },
	{ 0x1680, 0x1680 }, { 0x2000, 0x200f }, { 0x2028, 0x202f }, { 0x205f, 0x206f },
	{ 0x3000, 0x3000 }, { 0xd800, 0xf8ff }, { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb },
	{ 0xe0000, 0x10ffff },
};

static bool is_unseen(uint32_t c)
{
	for (size_t i = 0; i < ARRAY_LEN(unseen); i++)
		if (c >= unseen[i].first && c <= unseen[i].last)
			return true;
	return c < 0x20;
}

static void add_escape(struct buf *out, uint32_t c)
{
	if (c == '\n')
		buf_add_str(out, "\\n");
	else if (c == '\r')
		buf_add_str(out, "\\r");
	else if (c == '\t')
		buf_add_str(out, "\\t");
	else if (c < 0x100)
		buf_printf(out, "\\x%02" PRIx32, c);
	else if (c < 0x10000)
		buf_printf(out, "\\u%04" PRIx32, c);
	else
		buf_printf(out, "\\U%08" PRIx32, c);
}

/* Characters of 1, 2 or 4 bytes. `ascii`: what is beyond is escaped too. */
struct characters {
	const unsigned char *bytes;
	size_t count;
	unsigned int width;
	bool ascii;
};

/* The two halves of a code point beyond U+FFFF, as builds of 2.7 with narrow characters have them. */
static uint32_t join_halves(uint32_t high, uint32_t low)
{
	if (high >> 10 != 0xd800 >> 10 || low >> 10 != 0xdc00 >> 10)
		return 0;
	return 0x10000 + ((high & 0x3ff) << 10 | (low & 0x3ff));
}

static uint32_t character(const struct characters *s, size_t i)
{
	uint16_t two;
	uint32_t four;

	if (s->width == 1)
		return s->bytes[i];
	if (s->width == 2) {
		memcpy(&two, s->bytes + i * 2, sizeof(two));
		return two;
	}
	memcpy(&four, s->bytes + i * 4, sizeof(four));
	return four;
}

static bool has_character(const struct characters *s, uint32_t c)
{
	for (size_t i = 0; i < s->count; i++)
		if (character(s, i) == c)
			return true;
	return false;
}

/* In quotes, which are double ones where that spares escapes. */
static void add_quoted(struct describer *d, const char *prefix, const struct characters *s)
{
	struct buf *out = &d->out->text;
	char quote = has_character(s, '\'') && !has_character(s, '"') ? '"' : '\'';

	buf_printf(out, "%s%c", prefix, quote);
	for (size_t i = 0; i < s->count; i++) {
		uint32_t c = character(s, i), joined = 0;

		if (s->ascii && s->width == 2 && i + 1 < s->count)
			joined = join_halves(c, character(s, i + 1));
		if (joined) {
			c = joined;
			i++;
		}
		if (c == '\\' || c == (unsigned char)quote)
			buf_printf(out, "\\%c", (char)c);
		else if (is_unseen(c) || c > 0x10ffff || (s->ascii && c > 0x7e))
			add_escape(out, c);
		else
			utf8_add(out, c);
	}
	buf_add_char(out, quote);
}

static void add_length(struct describer *d, uint64_t shown, uint64_t length, const char *unit)
{
	if (shown >= length)
		return;
	describe_cut(d);
	buf_printf(&d->out->text, " (%" PRIu64 " %s)", length, unit);
}

enum read_status describe_str(struct describer *d, remote_addr object)
{
	struct text_units units = { 0 };
	enum read_status status =
		object_text_units(d->py, object, d->options->chars, &units);

	if (status == READ_OK) {
		const struct characters s = { (const unsigned char *)buf_str(&units.bytes),
			(size_t)units.count, units.width, false };

		add_quoted(d, "", &s);
		add_length(d, units.count, units.length, "characters");
	}
	buf_deinit(&units.bytes);
	return status;
}

#define LENGTH_PLAUSIBLE ((uint64_t)1 << 40)

static enum read_status quote_bytes(
	struct describer *d, const char *prefix, remote_addr data, uint64_t length)
{
	uint64_t count = length < d->options->chars ? length : d->options->chars;
	_cleanup_free_ unsigned char *bytes = xmalloc((size_t)count + 1);
	enum read_status status =
		count ? mem_read(d->py->mem, data, bytes, (size_t)count) : READ_OK;

	if (status != READ_OK)
		return status;
	const struct characters s = { bytes, (size_t)count, 1, true };
	add_quoted(d, prefix, &s);
	add_length(d, count, length, "bytes");
	return READ_OK;
}

enum read_status describe_bytes(struct describer *d, remote_addr object)
{
	const struct py_offsets *at = &d->py->layout->at;
	uint64_t length;
	enum read_status status = read_word(d->py, object, at->bytes_size, &length);

	if (status != READ_OK)
		return status;
	if (length > LENGTH_PLAUSIBLE)
		return READ_TORN;
	return quote_bytes(
		d, d->py->layout->python_2 ? "" : "b", object + at->bytes_data, length);
}

enum read_status describe_bytearray(struct describer *d, remote_addr object)
{
	const struct py_offsets *at = &d->py->layout->at;
	uint64_t length;
	remote_addr data = 0;
	enum read_status status = read_word(d->py, object, at->object_size, &length);

	if (status == READ_OK && length)
		status = read_word(d->py, object, at->bytearray_start, &data);
	if (status != READ_OK)
		return status;
	if (length > LENGTH_PLAUSIBLE)
		return READ_TORN;
	status = quote_bytes(d, "bytearray(b", data, length);
	if (status == READ_OK)
		buf_add_char(&d->out->text, ')');
	return status;
}

/* 2.7 is built with characters of 2 or of 4 bytes: those of 4 are all code points, or it is 2. */
static bool are_code_points(const unsigned char *bytes, size_t count)
{
	const struct characters s = { bytes, count, 4, false };

	for (size_t i = 0; i < count; i++)
		if (character(&s, i) > 0x10ffff)
			return false;
	return true;
}

/* PyUnicodeObject of 2.7: length, then a pointer to the characters. */
enum read_status describe_unicode_2(struct describer *d, remote_addr object)
{
	uint32_t head = d->py->layout->at.object_size;
	uint64_t length;
	remote_addr data;
	enum read_status status = read_word(d->py, object, head, &length);

	if (status == READ_OK)
		status = read_word(d->py, object, head + 8, &data);
	if (status != READ_OK)
		return status;
	if (length > LENGTH_PLAUSIBLE)
		return READ_TORN;
	size_t count = (size_t)(length < d->options->chars ? length : d->options->chars);
	_cleanup_free_ unsigned char *bytes = xcalloc(count + 1, 4);
	unsigned int width = 4;
	status = count ? mem_read(d->py->mem, data, bytes, count * 4) : READ_OK;
	if (status == READ_FAULT || (status == READ_OK && !are_code_points(bytes, count))) {
		width = 2;
		status = mem_read(d->py->mem, data, bytes, count * 2);
	}
	if (status != READ_OK)
		return status;
	const struct characters s = { bytes, count, width, true };
	add_quoted(d, "u", &s);
	add_length(d, count, length, "characters");
	return READ_OK;
}

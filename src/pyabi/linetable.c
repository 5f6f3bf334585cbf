// SPDX-License-Identifier: MIT
#include "pyabi/linetable.h"

#include <stdlib.h>

#include "base/alloc.h"

void line_table_deinit(struct line_table *table)
{
	free(table->ranges);
	*table = (struct line_table){ 0 };
}

/* From `start` on it is `line`; a start seen again replaces what was said of it. */
static bool add_range(struct line_table *t, uint32_t start, int64_t line)
{
	if (line < 0 || line > UINT32_MAX || t->count >= LINE_RANGES_MAX)
		return false;
	if (t->count && t->ranges[t->count - 1].start == start)
		t->count--;
	if (t->count && t->ranges[t->count - 1].line == (uint32_t)line)
		return true;
	array_reserve(t->ranges, t->capacity, t->count + 1);
	t->ranges[t->count++] = (struct line_range){ .start = start, .line = (uint32_t)line };
	return true;
}

/* Pairs (bytes of code, lines); an entry says what begins after that many more bytes. */
static bool decode_lnotab(
	struct line_table *t, const uint8_t *bytes, size_t len, int64_t line, bool is_signed)
{
	uint32_t start = 0;

	for (size_t i = 0; i + 1 < len; i += 2) {
		start += bytes[i];
		line += is_signed ? (int8_t)bytes[i + 1] : bytes[i + 1];
		if (start > BYTECODE_BYTES_MAX || !add_range(t, start, line))
			return false;
	}
	return true;
}

#define RANGES_NO_LINE (-128)

/* Pairs (bytes of code covered, lines); an entry says what its own bytes are. */
static bool decode_ranges(struct line_table *t, const uint8_t *bytes, size_t len, int64_t line)
{
	uint32_t start = 0;

	for (size_t i = 0; i + 1 < len; i += 2) {
		int8_t delta = (int8_t)bytes[i + 1];

		if (delta != RANGES_NO_LINE)
			line += delta;
		if (bytes[i] && delta != RANGES_NO_LINE && !add_range(t, start, line))
			return false;
		start += bytes[i];
		if (start > BYTECODE_BYTES_MAX)
			return false;
	}
	t->end = start;
	return true;
}

/* ---- 3.11: one entry per instruction or run of them ------------------------------------------ */

struct location_reader {
	const uint8_t *at, *end;
	bool bad;
};

static uint32_t read_varint(struct location_reader *r)
{
	uint32_t value = 0;

	for (unsigned int shift = 0; shift < 32; shift += 6) {
		// bit 7 is only ever set in the first byte of an entry
		if (r->at == r->end || *r->at & 0x80)
			break;
		uint8_t byte = *r->at++;
		value |= (uint32_t)(byte & 63) << shift;
		if (!(byte & 64))
			return value;
	}
	r->bad = true;
	return 0;
}

static int64_t read_signed_varint(struct location_reader *r)
{
	uint32_t value = read_varint(r);

	return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

static void skip_bytes(struct location_reader *r, size_t count)
{
	if ((size_t)(r->end - r->at) < count)
		r->bad = true;
	else
		r->at += count;
}

/* Location kinds of Objects/locations.md. */
enum {
	LOCATION_ONE_LINE_0 = 10,
	LOCATION_ONE_LINE_2 = 12,
	LOCATION_NO_COLUMNS = 13,
	LOCATION_LONG = 14,
	LOCATION_NONE = 15,
};

/* Reads the payload of an entry; returns by how many lines it moves. */
static int64_t read_location(struct location_reader *r, unsigned int kind)
{
	int64_t delta = 0;

	if (kind < LOCATION_ONE_LINE_0) {
		skip_bytes(r, 1);
	} else if (kind <= LOCATION_ONE_LINE_2) {
		delta = kind - LOCATION_ONE_LINE_0;
		skip_bytes(r, 2);
	} else if (kind == LOCATION_NO_COLUMNS) {
		delta = read_signed_varint(r);
	} else if (kind == LOCATION_LONG) {
		delta = read_signed_varint(r);
		for (int i = 0; i < 3; i++)
			read_varint(r);
	}
	return delta;
}

static bool decode_locations(struct line_table *t, const uint8_t *bytes, size_t len, int64_t line)
{
	struct location_reader r = { .at = bytes, .end = bytes + len };
	uint32_t start = 0;

	while (r.at < r.end) {
		uint8_t first = *r.at++;
		unsigned int kind = first >> 3 & 15;

		if (!(first & 0x80))
			return false;
		line += read_location(&r, kind);
		if (r.bad || (kind != LOCATION_NONE && !add_range(t, start, line)))
			return false;
		start += ((first & 7) + 1) * 2u;
		if (start > BYTECODE_BYTES_MAX)
			return false;
	}
	t->end = start;
	return true;
}

/* The first range must be at 0: what lies before the first line known is the first line. */
static bool decode(struct line_table *t, enum py_linetable_kind kind, const uint8_t *bytes,
	size_t len, uint32_t first_line)
{
	if (!add_range(t, 0, first_line))
		return false;
	switch (kind) {
	case LINETABLE_LNOTAB_UNSIGNED:
		return decode_lnotab(t, bytes, len, first_line, false);
	case LINETABLE_LNOTAB_SIGNED:
		return decode_lnotab(t, bytes, len, first_line, true);
	case LINETABLE_RANGES:
		return decode_ranges(t, bytes, len, first_line);
	case LINETABLE_LOCATIONS:
		return decode_locations(t, bytes, len, first_line);
	}
	return false;
}

bool line_table_decode(struct line_table *ret, enum py_linetable_kind kind, const uint8_t *bytes,
	size_t len, uint32_t first_line, uint32_t code_bytes)
{
	struct line_table t = { .end = code_bytes };

	if (code_bytes > BYTECODE_BYTES_MAX || !decode(&t, kind, bytes, len, first_line)) {
		line_table_deinit(&t);
		return false;
	}
	*ret = t;
	return true;
}

void line_table_only(struct line_table *ret, uint32_t line)
{
	*ret = (struct line_table){ .end = BYTECODE_BYTES_MAX };
	add_range(ret, 0, line);
}

uint32_t line_table_find(const struct line_table *table, uint32_t offset)
{
	size_t low = 0, high = table->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (table->ranges[middle].start <= offset)
			low = middle;
		else
			high = middle;
	}
	return table->ranges[low].line;
}

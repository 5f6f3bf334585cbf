// SPDX-License-Identifier: MIT
#include "store/columns.h"

#include <string.h>

/* Lead bytes: below SHORT the number itself; below LONG one more byte; else how many follow. */
#define LEAD_SHORT 0xc0u
#define LEAD_LONG 0xf0u

void columns_deinit(struct columns *c)
{
	for (size_t i = 0; i < COLUMNS_STREAMS; i++)
		buf_deinit(&c->streams[i]);
}

void columns_clear(struct columns *c)
{
	for (size_t i = 0; i < COLUMNS_STREAMS; i++)
		buf_clear(&c->streams[i]);
}

static void put_byte(struct buf *b, unsigned int byte)
{
	if (b->capacity - b->len < 2)
		buf_reserve(b, 256);
	b->data[b->len++] = (char)byte;
}

static void put_number(struct buf *leads, struct buf *tails, uint64_t value)
{
	unsigned int more = 0;

	if (value < LEAD_SHORT) {
		put_byte(leads, (unsigned int)value);
		return;
	}
	if (value - LEAD_SHORT < (LEAD_LONG - LEAD_SHORT) << 8) {
		put_byte(leads, LEAD_SHORT + (unsigned int)((value - LEAD_SHORT) >> 8));
		put_byte(tails, (value - LEAD_SHORT) & 0xff);
		return;
	}
	for (uint64_t rest = value; rest; rest >>= 8, more++)
		put_byte(tails, rest & 0xff);
	put_byte(leads, LEAD_LONG + more);
}

void columns_put(struct columns *c, unsigned int column, uint64_t value)
{
	put_number(&c->streams[2 * column], &c->streams[2 * column + 1], value);
}

void columns_put_signed(struct columns *c, unsigned int column, int64_t value)
{
	uint64_t v = (uint64_t)value;

	columns_put(c, column, v << 1 ^ (0 - (v >> 63)));
}

void columns_put_bytes(struct columns *c, unsigned int column, const void *bytes, size_t len)
{
	buf_add(&c->streams[2 * column], bytes, len);
}

size_t columns_bytes(const struct columns *c)
{
	size_t bytes = 0;

	for (size_t i = 0; i < COLUMNS_STREAMS; i++)
		bytes += c->streams[i].len;
	return bytes;
}

void columns_finish(const struct columns *c, unsigned int count, struct buf *out)
{
	buf_reserve(out, columns_bytes(c) + 2 * count * COLUMNS_NUMBER_BYTES);
	for (size_t i = 0; i < 2 * (size_t)count; i++) {
		struct buf tail = BUF_INIT;

		// here the bytes of a number are next to each other
		put_number(out, &tail, c->streams[i].len);
		buf_add(out, tail.data, tail.len);
		buf_deinit(&tail);
	}
	for (size_t i = 0; i < 2 * (size_t)count; i++)
		buf_add(out, c->streams[i].data, c->streams[i].len);
}

uint64_t column_get_long(struct column *c, unsigned int lead)
{
	size_t more = lead < LEAD_LONG ? 1 : lead - LEAD_LONG;
	uint64_t value = 0;

	if (!more || more > 8 || (size_t)(c->tail_end - c->tail) < more) {
		c->short_of = true;
		return 0;
	}
	if (lead < LEAD_LONG)
		return LEAD_SHORT + ((uint64_t)(lead - LEAD_SHORT) << 8 | *c->tail++);
	for (size_t i = 0; i < more; i++)
		value |= (uint64_t)*c->tail++ << 8 * i;
	return value;
}

const char *column_get_bytes(struct column *c, size_t len)
{
	const char *at = (const char *)c->lead;

	if (column_left(c) < len) {
		c->short_of = true;
		return NULL;
	}
	c->lead += len;
	return at;
}

size_t columns_parts(
	const void *bytes, size_t len, unsigned int count, size_t parts[COLUMNS_STREAMS + 1])
{
	const unsigned char *start = bytes, *end = start + len;
	struct column c = { .lead = start, .lead_end = end };

	for (size_t i = 1; i <= 2 * (size_t)count; i++) {
		c.tail = c.lead < c.lead_end ? c.lead + 1 : c.lead;
		c.tail_end = c.lead_end;
		const unsigned char *before = c.tail;
		uint64_t part = column_get(&c);
		if (c.short_of || part > len)
			return 0;
		parts[i] = (size_t)part;
		c.lead += c.tail - before;
	}
	parts[0] = (size_t)(c.lead - start);
	return 2 * (size_t)count + 1;
}

bool columns_open(struct columns_reader *r, const void *bytes, size_t len, unsigned int count)
{
	size_t parts[COLUMNS_STREAMS + 1], at;

	*r = (struct columns_reader){ .count = count };
	if (!len || !columns_parts(bytes, len, count, parts))
		return false;
	at = parts[0];
	for (unsigned int i = 0; i < 2 * count; i++) {
		const unsigned char *start = (const unsigned char *)bytes + at;
		struct column *c = &r->columns[i / 2];

		if (parts[i + 1] > len - at)
			return false;
		at += parts[i + 1];
		*(i % 2 ? &c->tail : &c->lead) = start;
		*(i % 2 ? &c->tail_end : &c->lead_end) = start + parts[i + 1];
	}
	return at == len;
}

bool columns_done(const struct columns_reader *r)
{
	for (unsigned int i = 0; i < r->count; i++) {
		const struct column *c = &r->columns[i];

		if (c->short_of || c->lead != c->lead_end || c->tail != c->tail_end)
			return false;
	}
	return true;
}

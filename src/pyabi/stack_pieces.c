// SPDX-License-Identifier: MIT
#include "pyabi/stack_pieces.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Two pieces closer than this are read as one: ranges are dear, bytes are cheap. */
#define PIECE_GAP_BYTES 2048u
#define PIECE_BYTES_MAX (64u << 10)
/* After so many samples what was not needed since the last time is forgotten. */
#define TRIM_SAMPLES 256

void pieces_deinit(struct stack_pieces *p)
{
	free(p->items);
	*p = (struct stack_pieces){ 0 };
}

void pieces_clear(struct stack_pieces *p)
{
	p->count = p->bytes = 0;
}

/* The index of the last piece that begins at or before `addr`, or count if none does. */
static size_t piece_before(const struct stack_pieces *p, remote_addr addr)
{
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->items[middle].addr <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : p->count;
}

static bool piece_holds(const struct stack_piece *piece, remote_addr addr, uint32_t len)
{
	return addr >= piece->addr && addr - piece->addr + len <= piece->len;
}

bool pieces_hold(const struct stack_pieces *p, remote_addr addr, uint32_t len)
{
	size_t i = piece_before(p, addr);

	return i < p->count && piece_holds(&p->items[i], addr, len);
}

static void count_bytes(struct stack_pieces *p)
{
	p->bytes = 0;
	for (size_t i = 0; i < p->count; i++)
		p->bytes += p->items[i].len;
}

static void take_out(struct stack_pieces *p, size_t i)
{
	memmove(&p->items[i], &p->items[i + 1], (p->count - i - 1) * sizeof(p->items[0]));
	p->count--;
}

void pieces_remove(struct stack_pieces *p, size_t i)
{
	take_out(p, i);
	count_bytes(p);
}

/* Joins piece i with the next one if they touch or nearly do. */
static bool join_next(struct stack_pieces *p, size_t i)
{
	if (i + 1 >= p->count)
		return false;
	struct stack_piece *a = &p->items[i], *b = &p->items[i + 1];
	remote_addr a_end = a->addr + a->len, b_end = b->addr + b->len;

	if (b->addr > a_end && b->addr - a_end > PIECE_GAP_BYTES)
		return false;
	if (b->addr >= a_end && b_end - a->addr > PIECE_BYTES_MAX)
		return false;
	uint32_t used = b->used_len ? (uint32_t)(b->addr - a->addr) + b->used_len : 0;
	if (used > a->used_len)
		a->used_len = used;
	if (b_end > a_end)
		a->len = (uint32_t)(b_end - a->addr);
	take_out(p, i + 1);
	return true;
}

void pieces_add(struct stack_pieces *p, remote_addr addr, uint32_t len)
{
	size_t before = piece_before(p, addr);
	size_t i = before == p->count ? 0 : before + 1;

	array_reserve(p->items, p->capacity, p->count + 1);
	memmove(&p->items[i + 1], &p->items[i], (p->count - i) * sizeof(p->items[0]));
	p->items[i] = (struct stack_piece){ .addr = addr, .len = len, .used_len = len };
	p->count++;
	while (join_next(p, i))
		;
	if (i)
		join_next(p, i - 1);
	count_bytes(p);
}

bool pieces_find(struct stack_pieces *p, struct piece_cursor *cursor, remote_addr addr,
	uint32_t len, size_t *offset_ret)
{
	if (cursor->piece >= p->count || !piece_holds(&p->items[cursor->piece], addr, len)) {
		size_t i = piece_before(p, addr);

		if (i == p->count || !piece_holds(&p->items[i], addr, len))
			return false;
		cursor->piece = i;
		cursor->offset = 0;
		for (size_t k = 0; k < i; k++)
			cursor->offset += p->items[k].len;
	}
	struct stack_piece *piece = &p->items[cursor->piece];
	uint32_t needed = (uint32_t)(addr - piece->addr) + len;
	if (needed > piece->used_len)
		piece->used_len = needed;
	*offset_ret = cursor->offset + (size_t)(addr - piece->addr);
	return true;
}

void pieces_trim(struct stack_pieces *p)
{
	size_t kept = 0;

	if (++p->samples < TRIM_SAMPLES)
		return;
	p->samples = 0;
	for (size_t i = 0; i < p->count; i++) {
		struct stack_piece *piece = &p->items[i];

		if (!piece->used_len)
			continue;
		if (piece->used_len + PIECE_SLACK_BYTES < piece->len)
			piece->len = piece->used_len + PIECE_SLACK_BYTES;
		piece->used_len = 0;
		p->items[kept++] = *piece;
	}
	p->count = kept;
	count_bytes(p);
}

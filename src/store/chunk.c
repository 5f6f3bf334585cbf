// SPDX-License-Identifier: MIT
#include "store/chunk.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/hash.h"

#define LEVEL 3
#define PART_MIN_BYTES 128 /* smaller parts are not worth a block of their own */

void chunk_put_u32(unsigned char *at, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		at[i] = (unsigned char)(value >> 8 * i);
}

void chunk_put_u64(unsigned char *at, uint64_t value)
{
	chunk_put_u32(at, (uint32_t)value);
	chunk_put_u32(at + 4, (uint32_t)(value >> 32));
}

uint32_t chunk_get_u32(const unsigned char *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint64_t chunk_get_u64(const unsigned char *at)
{
	return chunk_get_u32(at) | (uint64_t)chunk_get_u32(at + 4) << 32;
}

/* ---- heads ------------------------------------------------------------------------------------ */

/* Of the head, but for the four bytes in which it is kept. */
static uint32_t head_check(const unsigned char *fixed, const unsigned char *extra, size_t extra_len)
{
	unsigned char bytes[CHUNK_HEAD_MAX];

	memcpy(bytes, fixed, 16);
	memcpy(bytes + 16, extra, extra_len);
	return (uint32_t)hash_bytes(bytes, 16 + extra_len);
}

static void add_head(struct buf *out, const struct chunk *c)
{
	unsigned char fixed[CHUNK_FIXED_BYTES] = { c->type, c->flags, (unsigned char)c->extra_len,
		(unsigned char)(c->extra_len >> 8) };

	chunk_put_u32(fixed + 4, c->stored_len);
	chunk_put_u32(fixed + 8, c->raw_len);
	chunk_put_u32(fixed + 12, c->body_check);
	chunk_put_u32(fixed + 16, head_check(fixed, c->extra, c->extra_len));
	buf_add(out, fixed, sizeof(fixed));
	buf_add(out, c->extra, c->extra_len);
}

static bool sizes_fit(const struct chunk *c)
{
	if (c->raw_len > CHUNK_RAW_MAX || c->stored_len > c->raw_len)
		return false;
	return c->flags & CHUNK_ZSTD || c->stored_len == c->raw_len;
}

enum chunk_status chunk_parse(struct chunk *c, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	struct chunk read;

	if (len < CHUNK_FIXED_BYTES)
		return CHUNK_SHORT;
	read.type = at[0];
	read.flags = at[1];
	read.extra_len = (uint16_t)(at[2] | at[3] << 8);
	read.stored_len = chunk_get_u32(at + 4);
	read.raw_len = chunk_get_u32(at + 8);
	read.body_check = chunk_get_u32(at + 12);
	if (read.extra_len > CHUNK_EXTRA_MAX)
		return CHUNK_BAD;
	if (len < (size_t)CHUNK_FIXED_BYTES + read.extra_len)
		return CHUNK_SHORT;
	memset(read.extra, 0, sizeof(read.extra));
	memcpy(read.extra, at + CHUNK_FIXED_BYTES, read.extra_len);
	if (chunk_get_u32(at + 16) != head_check(at, read.extra, read.extra_len))
		return CHUNK_BAD;
	if (!sizes_fit(&read))
		return CHUNK_BAD;
	*c = read;
	return CHUNK_OK;
}

/* ---- bodies ----------------------------------------------------------------------------------- */

struct chunk_codec {
	ZSTD_CCtx *pack; // made when first needed
	ZSTD_DCtx *unpack;
	struct buf packed;
};

struct chunk_codec *chunk_codec_create(void)
{
	return xcalloc(1, sizeof(struct chunk_codec));
}

void chunk_codec_destroy(struct chunk_codec *codec)
{
	if (!codec)
		return;
	ZSTD_freeCCtx(codec->pack);
	ZSTD_freeDCtx(codec->unpack);
	buf_deinit(&codec->packed);
	free(codec);
}

/* Adds the next `len` bytes; false if it would get longer than it was. */
static bool compress_part(struct chunk_codec *codec, const char *bytes, size_t len, bool last)
{
	ZSTD_inBuffer in = { bytes, len, 0 };
	ZSTD_outBuffer out = { codec->packed.data, codec->packed.capacity, codec->packed.len };
	size_t left =
		ZSTD_compressStream2(codec->pack, &out, &in, last ? ZSTD_e_end : ZSTD_e_flush);

	codec->packed.len = out.pos;
	return left == 0;
}

/* Each part with statistics of its own: zstd has them per block, and a flush ends a block. */
static bool compress(struct chunk_codec *codec, const char *raw, size_t raw_len,
	const size_t *parts, size_t part_count)
{
	size_t from = 0, to = 0;

	buf_clear(&codec->packed);
	buf_reserve(&codec->packed, raw_len);
	if (!codec->pack)
		codec->pack = ZSTD_createCCtx();
	if (!codec->pack)
		return false;
	ZSTD_CCtx_reset(codec->pack, ZSTD_reset_session_only);
	ZSTD_CCtx_setParameter(codec->pack, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setPledgedSrcSize(codec->pack, raw_len);
	for (size_t i = 0; i < part_count; i++) {
		to += parts[i];
		if (to - from < PART_MIN_BYTES || raw_len - to < PART_MIN_BYTES)
			continue;
		if (!compress_part(codec, raw + from, to - from, false))
			return false;
		from = to;
	}
	return compress_part(codec, raw + from, raw_len - from, true) &&
		codec->packed.len < raw_len;
}

void chunk_pack(struct chunk_codec *codec, struct buf *out, struct chunk *c, const void *raw,
	size_t raw_len, const size_t *parts, size_t part_count)
{
	const void *body = raw;

	c->raw_len = c->stored_len = (uint32_t)raw_len;
	c->flags &= CHUNK_SKIPPABLE;
	if (raw_len && compress(codec, raw, raw_len, parts, part_count)) {
		c->flags |= CHUNK_ZSTD;
		c->stored_len = (uint32_t)codec->packed.len;
		body = codec->packed.data;
	}
	c->body_check = (uint32_t)hash_bytes(body, c->stored_len);
	add_head(out, c);
	buf_add(out, body, c->stored_len);
}

bool chunk_unpack(
	struct chunk_codec *codec, const struct chunk *c, const void *stored, struct buf *raw)
{
	if ((uint32_t)hash_bytes(stored, c->stored_len) != c->body_check)
		return false;
	buf_clear(raw);
	if (!(c->flags & CHUNK_ZSTD)) {
		buf_add(raw, stored, c->stored_len);
		return true;
	}
	if (!codec->unpack)
		codec->unpack = ZSTD_createDCtx();
	if (!codec->unpack)
		return false;
	buf_reserve(raw, c->raw_len);
	size_t len =
		ZSTD_decompressDCtx(codec->unpack, raw->data, c->raw_len, stored, c->stored_len);
	if (ZSTD_isError(len) || len != c->raw_len)
		return false;
	raw->len = len;
	raw->data[len] = 0;
	return true;
}

// SPDX-License-Identifier: MIT
/*
 * Chunks: the pieces a capture file is made of. Each says what it is and how long, is compressed
 * with zstd if that makes it smaller, and has checksums of its head and of its body.
 *
 * The head can be checked and understood without the body, so that bodies need not be read to find
 * the next chunk. docs/capture-format.md has the bytes.
 */
#ifndef FIREGLASS_STORE_CHUNK_H
#define FIREGLASS_STORE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define CHUNK_FIXED_BYTES 20 /* of the head, before what each type adds */
#define CHUNK_EXTRA_MAX 64
#define CHUNK_HEAD_MAX (CHUNK_FIXED_BYTES + CHUNK_EXTRA_MAX)
#define CHUNK_RAW_MAX (2u << 20) /* of a body; a writer splits what is longer */

enum chunk_flags {
	CHUNK_SKIPPABLE = 1, // who does not know the type may go on with the next chunk
	CHUNK_ZSTD = 2,      // the body is compressed
};
#define CHUNK_FLAGS 3u

struct chunk {
	uint8_t type, flags;
	uint16_t extra_len;
	uint32_t stored_len; // of the body in the file
	uint32_t raw_len;    // of the body as it was
	uint32_t body_check;
	unsigned char extra[CHUNK_EXTRA_MAX];
};

/* Of the whole chunk in the file. */
static inline uint64_t chunk_bytes(const struct chunk *c)
{
	return (uint64_t)CHUNK_FIXED_BYTES + c->extra_len + c->stored_len;
}

enum chunk_status {
	CHUNK_OK,
	CHUNK_SHORT, // there are not enough bytes
	CHUNK_BAD,   // these are none of a chunk
};

/* Reads the head at the beginning of `len` bytes. */
enum chunk_status chunk_parse(struct chunk *c, const void *bytes, size_t len);

/* Compresses and decompresses; keeps what that takes. */
struct chunk_codec;
struct chunk_codec *chunk_codec_create(void);
void chunk_codec_destroy(struct chunk_codec *codec);

/*
 * Appends a chunk to `out`: type, flags (CHUNK_ZSTD is set as needed), extra_len and extra are
 * those of `c`, the rest is filled in. `parts` are lengths of parts of the body that differ in nature
 * (they add up to it): these are compressed apart, within one frame. `raw_len` is at most
 * CHUNK_RAW_MAX.
 */
void chunk_pack(struct chunk_codec *codec, struct buf *out, struct chunk *c, const void *raw,
	size_t raw_len, const size_t *parts, size_t part_count);

/* Replaces `raw` with the body, of which `stored` has the bytes in the file. False: damaged. */
bool chunk_unpack(
	struct chunk_codec *codec, const struct chunk *c, const void *stored, struct buf *raw);

/* Little-endian numbers of fixed width. */
void chunk_put_u32(unsigned char *at, uint32_t value);
void chunk_put_u64(unsigned char *at, uint64_t value);
uint32_t chunk_get_u32(const unsigned char *at);
uint64_t chunk_get_u64(const unsigned char *at);

#endif

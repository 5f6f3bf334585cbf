// SPDX-License-Identifier: MIT
#include "store/capture_out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/iofd.h"
#include "store/sample_block.h"
#include "store/sample_spans.h"

/* Entries in one chunk of the index, so that it can be read again. */
#define INDEX_ENTRIES 16384

_Static_assert(INDEX_ENTRIES *COLUMNS_NUMBER_BYTES * 6 < CHUNK_RAW_MAX, "an index chunk fits");

/* Returns 0 or an errno value. */
static int write_at(int fd, const char *bytes, size_t len, uint64_t offset)
{
	while (len) {
		ssize_t n = pwrite(fd, bytes, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : ENOSPC;
		bytes += n;
		len -= (size_t)n;
		offset += (size_t)n;
	}
	return 0;
}

/* All of it or nothing. */
static struct err *append(struct capture_out *o, const void *bytes, size_t len)
{
	int errnum = o->stream ? iofd_write_all(o->fd, bytes, len)
			       : write_at(o->fd, bytes, len, o->offset);

	if (!errnum) {
		o->offset += len;
		return NULL;
	}
	// should this fail too: readers stop at the torn chunk, and the next one is written over it
	bool torn = !o->stream && ftruncate(o->fd, (off_t)o->offset) != 0;
	struct err *err = err_errno(errnum,
		torn ? "cannot write the capture, nor cut it back" : "cannot write the capture");
	// a file's permissions are not the kind of permission that reading a process lacks
	err->kind = ERR_FAILED;
	return err;
}

static void file_head(unsigned char head[CAPTURE_HEAD_BYTES])
{
	memcpy(head, CAPTURE_MAGIC, CAPTURE_MAGIC_BYTES);
	chunk_put_u32(head + 8, CAPTURE_VERSION);
	chunk_put_u32(head + 12, (uint32_t)hash_bytes(head, 12));
}

struct err *capture_out_init(struct capture_out *o, int fd, struct chunk_codec *codec)
{
	unsigned char head[CAPTURE_HEAD_BYTES];

	*o = (struct capture_out){ .fd = fd, .codec = codec };
	o->stream = lseek(fd, 0, SEEK_CUR) < 0;
	file_head(head);
	return append(o, head, sizeof(head));
}

void capture_out_deinit(struct capture_out *o)
{
	tables_sent_deinit(&o->sent);
	columns_deinit(&o->columns);
	buf_deinit(&o->raw);
	buf_deinit(&o->packed);
	free(o->blocks);
	free(o->tables);
	*o = (struct capture_out){ .fd = -1 };
}

/* ---- tables ----------------------------------------------------------------------------------- */

/* Writes what is in o->columns; they are empty afterwards. */
static struct err *append_columns(struct capture_out *o, uint8_t type, unsigned int count)
{
	struct chunk chunk = { .type = type, .flags = type == CHUNK_SPANS ? CHUNK_SKIPPABLE : 0 };
	size_t parts[COLUMNS_STREAMS + 1];

	buf_clear(&o->raw);
	buf_clear(&o->packed);
	columns_finish(&o->columns, count, &o->raw);
	columns_clear(&o->columns);
	size_t part_count = columns_parts(o->raw.data, o->raw.len, count, parts);
	chunk_pack(o->codec, &o->packed, &chunk, o->raw.data, o->raw.len, parts, part_count);
	return append(o, o->packed.data, o->packed.len);
}

static struct err *append_table(struct capture_out *o, enum chunk_type type)
{
	uint64_t at = o->offset;
	struct err *err = append_columns(o, (uint8_t)type, tables_columns(type));

	if (err)
		return err;
	array_reserve(o->tables, o->table_capacity, o->table_count + 1);
	o->tables[o->table_count++] = at;
	return NULL;
}

struct err *capture_out_tables(struct capture_out *o, const struct capture *c)
{
	for (unsigned int i = 1; i < CHUNK_TYPES; i++) {
		enum chunk_type type = (enum chunk_type)i;
		size_t to = 0;

		while (tables_are((uint8_t)i) &&
			tables_draft(&o->sent, c, type, &o->columns, &to)) {
			struct err *err = append_table(o, type);

			if (err)
				return err;
			tables_commit(&o->sent, c, type, to);
		}
	}
	return NULL;
}

struct err *capture_out_loss(struct capture_out *o, const struct capture_loss *loss)
{
	columns_put(&o->columns, 0, 1);
	tables_put_loss(&o->columns, loss);
	return append_table(o, CHUNK_LOSSES);
}

struct err *capture_out_fact(
	struct capture_out *o, const struct capture *c, const char *key, const char *value)
{
	const char *texts[] = { key, value };
	size_t row = c->tables.string_count;

	columns_put(&o->columns, 0, 2);
	columns_put(&o->columns, 0, row);
	for (size_t i = 0; i < 2; i++) {
		columns_put(&o->columns, 1, strlen(texts[i]));
		columns_put_bytes(&o->columns, 2, texts[i], strlen(texts[i]));
	}
	struct err *err = append_table(o, CHUNK_STRINGS);
	if (err)
		return err;
	columns_put(&o->columns, 0, 1);
	columns_put(&o->columns, 1, row);
	columns_put(&o->columns, 2, row + 1);
	return append_table(o, CHUNK_FACTS);
}

/* ---- samples ---------------------------------------------------------------------------------- */

static void pack_spans(struct chunk_codec *codec, const struct buf *spans, struct buf *packed)
{
	struct chunk chunk = { .type = CHUNK_SAMPLE_SPANS, .flags = CHUNK_SKIPPABLE };
	size_t parts[COLUMNS_STREAMS + 1];
	size_t count = columns_parts(spans->data, spans->len, SAMPLE_SPANS_COLUMNS, parts);

	chunk_pack(codec, packed, &chunk, spans->data, spans->len, parts, count);
}

void capture_out_pack(struct chunk_codec *codec, const struct capture_block *block,
	const struct buf *encoded, const struct buf *spans, struct buf *packed)
{
	struct chunk chunk = { .type = CHUNK_SAMPLES, .extra_len = SAMPLES_EXTRA_BYTES };
	_cleanup_buf_ struct buf beside = BUF_INIT;
	size_t parts[COLUMNS_STREAMS + 1];
	size_t count = columns_parts(encoded->data, encoded->len, SAMPLE_BLOCK_COLUMNS, parts);

	chunk_put_u64(chunk.extra, block->first_ns);
	chunk_put_u64(chunk.extra + 8, block->last_ns);
	chunk_put_u64(chunk.extra + 16, block->rows);
	chunk_put_u64(chunk.extra + 24, block->samples);
	if (spans->len) {
		pack_spans(codec, spans, &beside);
		chunk_put_u64(chunk.extra + SAMPLES_EXTRA_BYTES, beside.len);
		chunk.extra_len = SAMPLES_EXTRA_SPANS_BYTES;
	}
	chunk_pack(codec, packed, &chunk, encoded->data, encoded->len, parts, count);
	buf_add(packed, beside.data, beside.len);
}

struct err *capture_out_samples(
	struct capture_out *o, const struct capture_block *block, const struct buf *packed)
{
	struct out_block entry = {
		.at = o->offset,
		.first_ns = block->first_ns,
		.last_ns = block->last_ns,
		.rows = block->rows,
		.samples = block->samples,
	};
	struct err *err = append(o, packed->data, packed->len);

	if (err)
		return err;
	array_reserve(o->blocks, o->block_capacity, o->block_count + 1);
	o->blocks[o->block_count++] = entry;
	return NULL;
}

/* ---- the index -------------------------------------------------------------------------------- */

static size_t at_most(size_t count, size_t limit)
{
	return count < limit ? count : limit;
}

/* Each chunk of the index stands for itself: its differences begin at 0. */
static void put_index(
	struct capture_out *o, size_t block, size_t blocks, size_t table, size_t tables)
{
	uint64_t at = 0, first_ns = 0;

	columns_put(&o->columns, INDEX_META, blocks);
	columns_put(&o->columns, INDEX_META, tables);
	for (size_t i = block; i < block + blocks; i++) {
		const struct out_block *b = &o->blocks[i];

		columns_put(&o->columns, INDEX_SAMPLES_AT, b->at - at);
		columns_put_signed(&o->columns, INDEX_FIRST, (int64_t)(b->first_ns - first_ns));
		columns_put(&o->columns, INDEX_LAST, b->last_ns - b->first_ns);
		columns_put(&o->columns, INDEX_ROWS, b->rows);
		columns_put(&o->columns, INDEX_COUNTS, b->samples);
		at = b->at;
		first_ns = b->first_ns;
	}
	at = 0;
	for (size_t i = table; i < table + tables; i++) {
		columns_put(&o->columns, INDEX_TABLES_AT, o->tables[i] - at);
		at = o->tables[i];
	}
}

struct err *capture_out_finish(struct capture_out *o)
{
	struct chunk end = { .type = CHUNK_END, .extra_len = END_EXTRA_BYTES };
	size_t block = 0, table = 0;

	chunk_put_u64(end.extra, o->offset);
	do {
		size_t blocks = at_most(o->block_count - block, INDEX_ENTRIES);
		size_t tables = at_most(o->table_count - table, INDEX_ENTRIES);

		put_index(o, block, blocks, table, tables);
		block += blocks;
		table += tables;
		struct err *err = append_columns(o, CHUNK_INDEX, INDEX_COLUMNS);
		if (err)
			return err;
	} while (block < o->block_count || table < o->table_count);
	buf_clear(&o->packed);
	chunk_pack(o->codec, &o->packed, &end, NULL, 0, NULL, 0);
	return append(o, o->packed.data, o->packed.len);
}

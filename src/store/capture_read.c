// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "store/capture_file.h"
#include "store/capture_out.h"
#include "store/sample_block.h"

/* Blocks so near to the end of an unfinished file are checked when it is opened. */
#define TAIL_BYTES (8u << 20)

/* Tables that are so much larger than their file are not believed. */
#define BLOW_UP 1024u
#define BLOW_UP_FREE_BYTES (64u << 20)

struct capture_in {
	int fd;
	uint64_t size;
	struct chunk_codec *codec;
	struct buf stored, raw;
	struct out_block *blocks;
	size_t block_count, block_capacity;
	uint64_t raw_bytes; // of tables and index so far
	uint64_t samples;   // sum of the blocks' counts
};

static void in_destroy(struct capture_in *in)
{
	if (!in)
		return;
	close(in->fd);
	chunk_codec_destroy(in->codec);
	buf_deinit(&in->stored);
	buf_deinit(&in->raw);
	free(in->blocks);
	free(in);
}

/* ---- chunks ----------------------------------------------------------------------------------- */

/* How many bytes there are from `at` on, up to `len`; the file may have become shorter. */
static size_t read_at(const struct capture_in *in, uint64_t at, void *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(in->fd, (char *)bytes + done, len - done, (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

/* False if there is no whole chunk at `at`. */
static bool read_head(const struct capture_in *in, uint64_t at, struct chunk *chunk)
{
	unsigned char head[CHUNK_HEAD_MAX];

	if (at >= in->size)
		return false;
	size_t len = read_at(in, at, head, sizeof(head));
	return chunk_parse(chunk, head, len) == CHUNK_OK && chunk_bytes(chunk) <= in->size - at;
}

static bool read_body(
	struct capture_in *in, uint64_t at, const struct chunk *chunk, struct buf *raw)
{
	size_t len = chunk->stored_len;

	buf_clear(&in->stored);
	buf_reserve(&in->stored, len);
	at += CHUNK_FIXED_BYTES + (uint64_t)chunk->extra_len;
	return read_at(in, at, in->stored.data, len) == len &&
		chunk_unpack(in->codec, chunk, in->stored.data, raw);
}

/* What the head of a chunk of samples says; `spans_ret`: the length of the chunk that belongs to it. */
static bool block_of(
	const struct chunk *chunk, uint64_t at, struct out_block *b, uint64_t *spans_ret)
{
	if (chunk->type != CHUNK_SAMPLES || chunk->extra_len < SAMPLES_EXTRA_BYTES)
		return false;
	*b = (struct out_block){
		.at = at,
		.first_ns = chunk_get_u64(chunk->extra),
		.last_ns = chunk_get_u64(chunk->extra + 8),
		.rows = chunk_get_u64(chunk->extra + 16),
		.samples = chunk_get_u64(chunk->extra + 24),
	};
	*spans_ret = chunk->extra_len >= SAMPLES_EXTRA_SPANS_BYTES
		? chunk_get_u64(chunk->extra + SAMPLES_EXTRA_BYTES)
		: 0;
	return true;
}

/* The chunk with the spans of samples. False if there is no such whole one. */
static bool read_spans_head(
	const struct capture_in *in, uint64_t at, uint64_t len, struct chunk *chunk)
{
	return read_head(in, at, chunk) && chunk->type == CHUNK_SAMPLE_SPANS &&
		chunk_bytes(chunk) == len;
}

static bool load_spans(struct capture_in *in, uint64_t at, uint64_t len, struct buf *spans)
{
	struct chunk chunk;

	return !len || (read_spans_head(in, at, len, &chunk) && read_body(in, at, &chunk, spans));
}

static struct err *load_block(void *data, size_t i, struct buf *encoded, struct buf *spans)
{
	struct capture_in *in = data;
	const struct out_block *b = &in->blocks[i];
	struct out_block found;
	struct chunk chunk;
	uint64_t len;

	if (!read_head(in, b->at, &chunk) || !block_of(&chunk, b->at, &found, &len) ||
		memcmp(b, &found, sizeof(found)) != 0 || !read_body(in, b->at, &chunk, encoded) ||
		!load_spans(in, b->at + chunk_bytes(&chunk), len, spans))
		return err_new(ERR_FAILED, "the capture is damaged at byte %" PRIu64, b->at);
	return NULL;
}

static void close_file(void *data)
{
	in_destroy(data);
}

static const struct capture_blocks_ops file_ops = { .load = load_block, .close = close_file };

/* ---- what is in chunks ------------------------------------------------------------------------ */

static struct err *damaged(uint64_t at, const char *what)
{
	return err_new(ERR_FAILED, "damaged at byte %" PRIu64 ": %s", at, what);
}

static bool add_block(struct capture_in *in, const struct out_block *b)
{
	if (!b->rows || b->rows > SAMPLE_BLOCK_ROWS || b->last_ns < b->first_ns)
		return false;
	if (b->samples > UINT64_MAX - in->samples)
		return false;
	in->samples += b->samples;
	array_reserve(in->blocks, in->block_capacity, in->block_count + 1);
	in->blocks[in->block_count++] = *b;
	return true;
}

/* Counts what was read for tables and index. */
static struct err *count_raw(struct capture_in *in, uint64_t at)
{
	in->raw_bytes += in->raw.len;
	if (in->raw_bytes / BLOW_UP > in->size + BLOW_UP_FREE_BYTES / BLOW_UP)
		return damaged(at, "tables out of all proportion to the file");
	return NULL;
}

/* Takes the table in in->raw. */
static struct err *take_table(
	struct capture_in *in, struct tables_reader *r, uint64_t at, const struct chunk *chunk)
{
	struct err *err = count_raw(in, at);

	if (err)
		return err;
	err = tables_take(r, (enum chunk_type)chunk->type, in->raw.data, in->raw.len);
	return err ? err_prefix(err, "damaged at byte %" PRIu64, at) : NULL;
}

/* The rule for what is not known. */
static struct err *refuse_unknown(uint64_t at, const struct chunk *chunk)
{
	bool known = chunk->type >= CHUNK_STRINGS && chunk->type < CHUNK_TYPES;

	if (chunk->flags & ~CHUNK_FLAGS || (!known && !(chunk->flags & CHUNK_SKIPPABLE)))
		return err_new(ERR_FAILED,
			"a newer fireglass wrote something at byte %" PRIu64
			" that this one does not know (chunk of type %u); read it with a newer one",
			at, chunk->type);
	return NULL;
}

/* ---- from the first chunk to the last --------------------------------------------------------- */

/* False: bytes that are no whole chunk, or one without that which belongs to it. */
static bool scan_samples(struct capture_in *in, uint64_t at, const struct chunk *chunk)
{
	bool check = at + TAIL_BYTES >= in->size;
	uint64_t next = at + chunk_bytes(chunk), len;
	struct out_block b;
	struct chunk spans;

	if (!block_of(chunk, at, &b, &len) || (check && !read_body(in, at, chunk, &in->raw)))
		return false;
	if (len && !read_spans_head(in, next, len, &spans))
		return false;
	if (len && check && !read_body(in, next, &spans, &in->raw))
		return false;
	return add_block(in, &b);
}

static struct err *scan(
	struct capture_in *in, struct tables_reader *r, struct capture_file_info *info)
{
	uint64_t at = CAPTURE_HEAD_BYTES;
	struct chunk chunk;

	info->finished = false;
	while (!info->finished && read_head(in, at, &chunk)) {
		struct err *err = refuse_unknown(at, &chunk);

		if (err)
			return err;
		bool whole = chunk.type == CHUNK_SAMPLES ? scan_samples(in, at, &chunk)
							 : read_body(in, at, &chunk, &in->raw);
		if (!whole)
			break;
		if (tables_are(chunk.type))
			err = take_table(in, r, at, &chunk);
		if (err)
			return err;
		info->finished = chunk.type == CHUNK_END;
		at += chunk_bytes(&chunk);
	}
	info->bytes = at;
	info->cut = at < in->size;
	return NULL;
}

/* ---- by the index ----------------------------------------------------------------------------- */

struct index_reader {
	uint64_t end_at;    // of the index
	uint64_t block_end; // blocks begin there or later, as do tables
	uint64_t table_end;
	uint64_t *tables;
	size_t table_count, table_capacity;
};

/* Reads one chunk of it; chunks may not overlap, so that the work is bounded by the file. */
static bool take_index(struct capture_in *in, struct index_reader *ix, uint64_t index_at)
{
	struct columns_reader columns;
	struct column *c = columns.columns;
	uint64_t at = 0, first_ns = 0;

	if (!columns_open(&columns, in->raw.data, in->raw.len, INDEX_COLUMNS))
		return false;
	uint64_t blocks = column_get(&c[INDEX_META]), tables = column_get(&c[INDEX_META]);
	if (blocks != column_left(&c[INDEX_SAMPLES_AT]) ||
		tables != column_left(&c[INDEX_TABLES_AT]))
		return false;
	for (uint64_t i = 0; i < blocks; i++) {
		at += column_get(&c[INDEX_SAMPLES_AT]);
		first_ns += (uint64_t)column_get_signed(&c[INDEX_FIRST]);
		struct out_block b = { .at = at, .first_ns = first_ns };
		b.last_ns = first_ns + column_get(&c[INDEX_LAST]);
		b.rows = column_get(&c[INDEX_ROWS]);
		b.samples = column_get(&c[INDEX_COUNTS]);
		if (at < ix->block_end || at >= index_at || !add_block(in, &b))
			return false;
		ix->block_end = at + CHUNK_FIXED_BYTES + SAMPLES_EXTRA_BYTES;
	}
	at = 0;
	for (uint64_t i = 0; i < tables; i++) {
		at += column_get(&c[INDEX_TABLES_AT]);
		if (at < ix->table_end || at >= index_at)
			return false;
		array_reserve(ix->tables, ix->table_capacity, ix->table_count + 1);
		ix->tables[ix->table_count++] = at;
		ix->table_end = at + CHUNK_FIXED_BYTES;
	}
	return columns_done(&columns);
}

static struct err *read_index(struct capture_in *in, struct index_reader *ix, uint64_t at)
{
	uint64_t index_at = at;
	struct chunk chunk;

	while (at < ix->end_at) {
		if (!read_head(in, at, &chunk) || chunk.type != CHUNK_INDEX)
			return damaged(at, "no index");
		struct err *err = read_body(in, at, &chunk, &in->raw)
			? count_raw(in, at)
			: damaged(at, "a checksum is wrong");
		if (err)
			return err;
		if (!take_index(in, ix, index_at))
			return damaged(at, "an index that cannot be");
		at += chunk_bytes(&chunk);
	}
	return at == ix->end_at ? NULL : damaged(at, "no index");
}

static struct err *read_tables(
	struct capture_in *in, struct tables_reader *r, const struct index_reader *ix)
{
	uint64_t end = CAPTURE_HEAD_BYTES;

	for (size_t i = 0; i < ix->table_count; i++) {
		uint64_t at = ix->tables[i];
		struct chunk chunk;

		if (at < end || !read_head(in, at, &chunk))
			return damaged(at, "no chunk");
		end = at + chunk_bytes(&chunk);
		struct err *err = refuse_unknown(at, &chunk);
		if (err || !tables_are(chunk.type))
			return err ? err : damaged(at, "an index that names no table");
		err = read_body(in, at, &chunk, &in->raw) ? take_table(in, r, at, &chunk)
							  : damaged(at, "a checksum is wrong");
		if (err)
			return err;
	}
	return NULL;
}

/* An error: there is no index that can be used. */
static struct err *open_by_index(
	struct capture_in *in, struct tables_reader *r, struct capture_file_info *info)
{
	const uint64_t end_bytes = CHUNK_FIXED_BYTES + END_EXTRA_BYTES;
	struct index_reader ix = {
		.block_end = CAPTURE_HEAD_BYTES,
		.table_end = CAPTURE_HEAD_BYTES,
	};
	struct chunk end;

	if (in->size < CAPTURE_HEAD_BYTES + end_bytes)
		return damaged(in->size, "no end");
	ix.end_at = in->size - end_bytes;
	if (!read_head(in, ix.end_at, &end) || end.type != CHUNK_END ||
		end.extra_len != END_EXTRA_BYTES || end.stored_len)
		return damaged(ix.end_at, "no end");
	uint64_t at = chunk_get_u64(end.extra);
	struct err *err = at < CAPTURE_HEAD_BYTES || at > ix.end_at
		? damaged(ix.end_at, "an end that cannot be")
		: read_index(in, &ix, at);
	if (!err)
		err = read_tables(in, r, &ix);
	free(ix.tables);
	info->finished = true;
	info->cut = false;
	info->bytes = in->size;
	return err;
}

/* ---- opening ---------------------------------------------------------------------------------- */

bool capture_file_is(const void *bytes, size_t len)
{
	return len >= CAPTURE_MAGIC_BYTES && memcmp(bytes, CAPTURE_MAGIC, CAPTURE_MAGIC_BYTES) == 0;
}

static struct err *check_head(struct capture_in *in, uint32_t *version_ret)
{
	unsigned char head[CAPTURE_HEAD_BYTES];
	size_t len = read_at(in, 0, head, sizeof(head));

	if (!len)
		return err_new(ERR_FAILED, "it is empty: nothing was recorded");
	if (!capture_file_is(head, len))
		return err_new(ERR_FAILED, "it is no capture of fireglass");
	if (len < sizeof(head))
		return err_new(ERR_FAILED, "the capture ends within its first bytes");
	if (chunk_get_u32(head + 12) != (uint32_t)hash_bytes(head, 12))
		return damaged(0, "a checksum is wrong");
	*version_ret = chunk_get_u32(head + 8);
	if (*version_ret != CAPTURE_VERSION)
		return err_new(ERR_FAILED,
			"the capture has version %" PRIu32
			" of the format, this fireglass reads %d",
			*version_ret, CAPTURE_VERSION);
	return NULL;
}

static struct err *open_in(struct capture_in **ret, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		struct err *err = err_errno(errno, "cannot open it");

		// a file's permissions are not the kind of permission that reading a process lacks
		err->kind = ERR_FAILED;
		return err;
	}
	if (!S_ISREG(st.st_mode))
		return err_new(ERR_FAILED, "it is no regular file; copy it to one first");
	struct capture_in *in = xcalloc(1, sizeof(*in));
	in->fd = take_fd(&fd);
	in->size = (uint64_t)st.st_size;
	in->codec = chunk_codec_create();
	*ret = in;
	return NULL;
}

static struct err *try_reading(
	struct capture *c, struct capture_in *in, struct capture_file_info *info, bool by_index)
{
	struct tables_reader r = { .capture = c };

	capture_init(c);
	in->block_count = 0;
	in->raw_bytes = in->samples = 0;
	struct err *err = by_index ? open_by_index(in, &r, info) : scan(in, &r, info);
	tables_reader_deinit(&r);
	if (err)
		capture_deinit(c);
	return err;
}

static struct err *read_file(
	struct capture *c, struct capture_in *in, struct capture_file_info *info)
{
	struct err *err = check_head(in, &info->version);

	if (err)
		return err;
	err = try_reading(c, in, info, true);
	if (!err)
		return NULL;
	err_free(err);
	return try_reading(c, in, info, false);
}

/* From here on the file is the capture's. */
static void give_blocks(struct capture *c, struct capture_in *in)
{
	for (size_t i = 0; i < in->block_count; i++) {
		const struct out_block *b = &in->blocks[i];

		array_reserve(c->blocks, c->block_capacity, c->block_count + 1);
		c->blocks[c->block_count++] = (struct capture_block){
			.first_ns = b->first_ns,
			.last_ns = b->last_ns,
			.rows = b->rows,
			.samples = b->samples,
		};
	}
	c->ops = &file_ops;
	c->ops_data = in;
}

struct err *capture_file_open(struct capture *c, const char *path, struct capture_file_info *info)
{
	struct capture_file_info read = { 0 };
	struct capture_in *in = NULL;
	struct err *err = open_in(&in, path);

	if (!err)
		err = read_file(c, in, &read);
	if (err) {
		in_destroy(in);
		capture_init(c);
		return err_prefix(err, "cannot read '%s'", path);
	}
	give_blocks(c, in);
	if (info)
		*info = read;
	return NULL;
}

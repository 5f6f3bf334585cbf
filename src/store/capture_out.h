// SPDX-License-Identifier: MIT
/*
 * One capture file being written: whole chunks are appended, or nothing is.
 *
 * After a failed write the file is cut back to its last whole chunk; what comes next goes there.
 */
#ifndef FIREGLASS_STORE_CAPTURE_OUT_H
#define FIREGLASS_STORE_CAPTURE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/capture.h"
#include "store/capture_tables.h"
#include "store/chunk.h"

#define CAPTURE_MAGIC \
	"\x89"        \
	"FGC\r\n\x1a\n"
#define CAPTURE_MAGIC_BYTES 8
#define CAPTURE_VERSION 1
#define CAPTURE_HEAD_BYTES 16

/* What a chunk of samples says without being decompressed: times, rows, samples. */
#define SAMPLES_EXTRA_BYTES 32
/* And, if its rows have spans: how long the chunk with them is, which comes right after. */
#define SAMPLES_EXTRA_SPANS_BYTES 40
/* The last chunk says where the index begins. */
#define END_EXTRA_BYTES 8

/* Columns of the index. */
enum index_column {
	INDEX_META,
	INDEX_SAMPLES_AT,
	INDEX_FIRST,
	INDEX_LAST,
	INDEX_ROWS,
	INDEX_COUNTS,
	INDEX_TABLES_AT,
	INDEX_COLUMNS,
};

struct out_block {
	uint64_t at, first_ns, last_ns, rows, samples;
};

struct capture_out {
	int fd;
	bool stream;     // cannot be written at a place: a pipe
	uint64_t offset; // where the next chunk goes
	struct tables_sent sent;
	struct out_block *blocks; // written so far
	uint64_t *tables;         // where chunks of tables are
	size_t block_count, block_capacity, table_count, table_capacity;
	struct chunk_codec *codec; // the caller's
	struct columns columns;
	struct buf raw, packed;
};

/* Sets up, writes the file's head. What it holds is to be freed in any case. */
struct err *capture_out_init(struct capture_out *o, int fd, struct chunk_codec *codec);
void capture_out_deinit(struct capture_out *o);

/* What is new in all tables. After an error the rest is still new. */
struct err *capture_out_tables(struct capture_out *o, const struct capture *c);

/* A loss, or a fact, that is not in the capture. */
struct err *capture_out_loss(struct capture_out *o, const struct capture_loss *loss);
struct err *capture_out_fact(
	struct capture_out *o, const struct capture *c, const char *key, const char *value);

/* Makes a chunk of an encoded block, and one of its spans if there are any: appends them to `packed`. */
void capture_out_pack(struct chunk_codec *codec, const struct capture_block *block,
	const struct buf *encoded, const struct buf *spans, struct buf *packed);

/* Writes a chunk made by capture_out_pack(). */
struct err *capture_out_samples(
	struct capture_out *o, const struct capture_block *block, const struct buf *packed);

/* The index and the end. */
struct err *capture_out_finish(struct capture_out *o);

#endif

// SPDX-License-Identifier: MIT
/*
 * Captures as files (*.fgc): append-only chunks, each with its length and checksum, compressed.
 * docs/capture-format.md has the bytes.
 *
 * A writer appends what is new in a capture since the last flush; whatever moment it is killed at,
 * what was flushed before can be read. A reader takes a file as it is: finished, still being
 * written, or cut off anywhere; it reads up to the last whole chunk.
 */
#ifndef FIREGLASS_STORE_CAPTURE_FILE_H
#define FIREGLASS_STORE_CAPTURE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/capture.h"

struct capture_writer;

struct capture_writer_options {
	uint64_t max_bytes; // > 0: a ring: keep about so many bytes of the newest samples
};

/*
 * Writes to the file descriptor (the caller's, opened for reading and writing, empty). The capture's
 * tables, facts, threads... are read at each flush; its samples go through
 * capture_writer_sample() and are not kept in the capture.
 */
struct err *capture_writer_create(struct capture_writer **ret, int fd, const struct capture *c,
	const struct capture_writer_options *options);

/* Takes a sample; flushes by itself when a block is full. */
struct err *capture_writer_sample(
	struct capture_writer *w, const struct capture_sample *sample);

/*
 * Writes all that is new. After an error (a full disk) the file still ends in a whole chunk, what
 * could not be written is counted and said in the file when there is room again.
 */
struct err *capture_writer_flush(struct capture_writer *w);

/* Flushes and writes the footer: the capture is complete. */
struct err *capture_writer_finish(struct capture_writer *w);

/* Bytes written and samples lost so far (to errors; to the ring's limit). */
uint64_t capture_writer_bytes(const struct capture_writer *w);
uint64_t capture_writer_lost(const struct capture_writer *w);

void capture_writer_destroy(struct capture_writer *w);

struct capture_file_info {
	bool finished;     // it has its footer
	bool cut;          // bytes after the last whole chunk were left out
	uint64_t bytes;    // of the file that were taken
	uint32_t version;  // of the format
};

/*
 * Opens a capture file; samples are read from it as a cursor comes to them, so the file must stay
 * (the descriptor is the capture's from then on). An error if it is no capture, or of a version that
 * cannot be read; `c` is as after capture_init() then.
 */
struct err *capture_file_open(struct capture *c, const char *path, struct capture_file_info *info);

/* True if these first bytes of a file (8 are enough) are those of a capture. */
bool capture_file_is(const void *bytes, size_t len);

/* Writes a whole capture, in memory or from a file, as one file. */
struct err *capture_file_write(int fd, const struct capture *c);

#endif

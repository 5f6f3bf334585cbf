// SPDX-License-Identifier: MIT
/*
 * Captures as files (*.fgc): append-only chunks, each with its length and checksums, compressed.
 * docs/capture-format.md has the bytes.
 *
 * A writer appends what is new in a capture since the last flush; whatever moment it is killed at,
 * what was flushed before can be read. A reader takes a file as it is: finished, still being
 * written, or cut off anywhere; it reads up to the last whole chunk.
 *
 * A flight recorder is a writer with a limit: it keeps the newest samples, compressed, in memory,
 * and writes a whole file whenever it is asked for one (capture_writer_dump()) and at the end.
 */
#ifndef FIREGLASS_STORE_CAPTURE_FILE_H
#define FIREGLASS_STORE_CAPTURE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/capture.h"

struct capture_writer;

struct capture_writer_options {
	/* Flight recorder: keep so much of the newest samples, in whole blocks. 0: no limit. */
	uint64_t max_bytes;  // compressed; the tables are not counted
	uint64_t max_age_ns; // before the newest sample
	/*
	 * Times and CPU times as they are. Otherwise those of a recording (a capture that has the
	 * fact FACT_PERIOD_NS by its first sample) are rounded: see store/sample_round.h.
	 */
	bool exact_times;
};

/*
 * Writes to the file descriptor (the caller's, open for reading and writing, an empty file). The
 * capture's tables, facts, threads... are read at each flush; its samples go through
 * capture_writer_sample() and are not kept in the capture. Facts, processes and threads may change
 * between flushes, and counts of losses may grow; markers are as they were at the flush after they
 * were added. `options` may be NULL. The file's head is written at once, except by a flight
 * recorder, which writes nothing to `fd` before the end.
 */
struct err *capture_writer_create(struct capture_writer **ret, int fd, const struct capture *c,
	const struct capture_writer_options *options);

/*
 * Takes a sample; flushes by itself when a block is full. Its thread and stack must be in the
 * capture by then. A file that is read while it grows, or after a kill, has what was flushed: flush
 * about once a second.
 */
struct err *capture_writer_sample(struct capture_writer *w, const struct capture_sample *sample);

/*
 * Writes all that is new. After an error (a full disk) the file still ends in a whole chunk;
 * samples that could not be written are counted and said in the file (LOSS_SPACE) when there is
 * room again, all else is written then. A flight recorder only ends its block, so that it can be thrown away.
 */
struct err *capture_writer_flush(struct capture_writer *w);

/*
 * Writes all that is kept to another file (empty, as above), finished; the recording goes on. Only
 * of flight recorders: ERR_USAGE otherwise.
 */
struct err *capture_writer_dump(struct capture_writer *w, int fd);

/* The same without the blocks that have only samples before `from_ns`. */
struct err *capture_writer_dump_from(struct capture_writer *w, int fd, uint64_t from_ns);

/* Flushes (a flight recorder: writes its file) and writes the footer: the capture is complete. */
struct err *capture_writer_finish(struct capture_writer *w);

/*
 * Bytes written (a flight recorder: kept) and samples (their counts) lost so far to errors, or
 * dropped because of a limit; what was dropped is said in the file as the fact FACT_DROPPED.
 */
uint64_t capture_writer_bytes(const struct capture_writer *w);
uint64_t capture_writer_lost(const struct capture_writer *w);

void capture_writer_destroy(struct capture_writer *w);

struct capture_file_info {
	bool finished;    // it has its footer
	bool cut;         // bytes after the last whole chunk were left out: torn, or being written
	uint64_t bytes;   // of the file that were taken
	uint32_t version; // of the format
};

/*
 * Opens a capture file, which must be a regular file; samples are read from it as a cursor comes to
 * them, so the file must stay (its descriptor is the capture's from then on). An error if it is no
 * capture, or of a version that cannot be read; `c`, which nothing need have been done to, is as
 * after capture_init() then. `info` may be NULL. In an unfinished file the last blocks are checked
 * at once; any other that is damaged is found by the cursor.
 */
struct err *capture_file_open(struct capture *c, const char *path, struct capture_file_info *info);

/* True if these first bytes of a file (8 are enough) are those of a capture. */
bool capture_file_is(const void *bytes, size_t len);

/*
 * Writes a whole capture, in memory or from a file, as one file, to an empty file or a pipe.
 * Nothing is rounded.
 */
struct err *capture_file_write(int fd, const struct capture *c);

#endif

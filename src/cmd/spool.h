// SPDX-License-Identifier: MIT
/*
 * Where the samples of a recording go while it lasts: a capture file, of the name that was asked
 * for or of none. What is written at the end is made from it, so that a recording takes little
 * memory however long it is.
 *
 * A disk that is full does not end the recording: what cannot be written is counted, said once, and
 * written in the file when there is room again.
 */
#ifndef FIREGLASS_CMD_SPOOL_H
#define FIREGLASS_CMD_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cmd/inputs.h"
#include "cmd/recording.h"
#include "os/file_root.h"
#include "store/capture_file.h"

struct spool {
	struct capture capture; // its tables; samples are in the file
	uint32_t process;       // row of the target
	struct file_root files; // as the target has them
	struct sample_sink sink;
	struct recording *recording;

	const char *path; // as given, or NULL: a file without a name
	struct capture_writer_options limits; // of a flight recorder
	int fd;
	struct capture_writer *writer; // NULL: the file could not be made
	uint64_t flushed_ns;
	uint64_t missed, ring_full; // ticks and samples lost, as far as they are in a capture
	struct recording_counts now, before; // as far as in a capture; of the files before this one
	bool failed;                // writing has failed, and that was said
	uint64_t samples;           // in this file, or lost
	uint64_t homeless, homeless_known; // lost as there was no file; as far as in a capture
};

/* Opens the file; an error names it. `limits` with a limit: a flight recorder. */
struct err *spool_open(
	struct spool *s, const char *path, const struct capture_writer_options *limits);

/* The same to a file that is open for reading and writing; the spool closes it. */
struct err *spool_open_file(struct spool *s, int fd, const char *path,
	const struct capture_writer_options *limits);

/* What is being recorded; before the first sample. */
void spool_describe(struct spool *s, struct recording *recording, const char *command,
	const char *cwd, int argc, char **argv);

/* Writes the rest. Not an error: samples that were lost to a full disk (see capture_writer_lost()). */
struct err *spool_finish(struct spool *s);

/*
 * Finishes the file and goes on in another one, as a capture of its own; no sample is in both or in
 * neither. Both texts and descriptors are the caller's as in spool_open_file(). From the collecting
 * thread. An error: the new file cannot be written to; nothing is, until there is another.
 */
struct err *spool_next(struct spool *s, int fd, const char *path);

bool spool_is_flight_recorder(const struct spool *s);

/*
 * What there is, while it goes on: a flight recorder writes it to `fd`, as a whole capture. Else it
 * is in the spool's own file afterwards, but for the end of that. From the collecting thread.
 */
struct err *spool_copy(struct spool *s, int fd);

/* The finished capture, to be read. */
struct err *spool_read(const struct spool *s, struct input *in);

/* Closes the file; with `discard` it is removed. */
void spool_close(struct spool *s, bool discard);

#endif

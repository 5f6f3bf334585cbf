// SPDX-License-Identifier: MIT
/* Whole files in, whole buffers out, and files that appear complete or not at all. */
#ifndef FIREGLASS_BASE_IOFD_H
#define FIREGLASS_BASE_IOFD_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Appends what can be read from `path`, at most `cap` bytes (a file that is longer is cut there).
 * For /proc and small files. Returns 0 or an errno value.
 */
int iofd_read_file(const char *path, size_t cap, struct buf *out);

/* Writes everything, retrying short writes and EINTR. Returns 0 or an errno value. */
int iofd_write_all(int fd, const void *bytes, size_t len);

/*
 * A file without a name, to read and write, that goes when it is closed: in $TMPDIR or /tmp, in
 * memory if there is no place for it. -1 and errno if there is not even that.
 */
int iofd_nameless(void);
FILE *iofd_nameless_stream(void); // the same, as a stream; NULL

/*
 * An output file that replaces `path` only when it is complete: written to a temporary file beside
 * it and renamed by outfile_commit(). "-" is the standard output. What is no regular file (a pipe,
 * /dev/null) is written in place.
 */
struct outfile {
	FILE *stream;
	char *path;
	char *temp_path; // NULL when written in place
};

#define OUTFILES_GUARDED_MAX 16

/*
 * From now on signals that end the program first remove the temporary files of outfiles that are
 * opened later, of so many at most. Once per program.
 */
void outfile_guard(void);

struct err *outfile_open(struct outfile *f, const char *path);

/* Flushes, closes and renames. The outfile is closed whether or not it succeeds. */
struct err *outfile_commit(struct outfile *f);

/* Closes and removes what was written; nothing to do after a commit. */
void outfile_abort(struct outfile *f);

#endif

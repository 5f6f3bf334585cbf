// SPDX-License-Identifier: MIT
/*
 * What a launched command writes, kept away from the terminal: its last lines.
 *
 * It writes to a file, not to a pipe: it never waits for us, and if we are killed it goes on
 * undisturbed. A file without a name is freed from its beginning as it grows.
 */
#ifndef FIREGLASS_CMD_TOP_OUTPUT_H
#define FIREGLASS_CMD_TOP_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

#define TOP_OUTPUT_LINES 2000
#define TOP_OUTPUT_LINE_BYTES 2000

struct top_output_line {
	uint64_t number; // from 0, of all lines
	char *text;      // UTF-8 without control characters
};

/* Where the bytes of the command are in what terminals understand. */
enum top_output_escape {
	ESCAPE_NONE,
	ESCAPE_BEGUN,    // after ESC
	ESCAPE_CONTROL,  // after ESC [
	ESCAPE_STRING,   // after ESC ], ESC P: up to BEL or ESC \.
	ESCAPE_STRING_END,
	ESCAPE_CHARSET,  // one more byte
};

struct top_output {
	const char *path; // as given, or NULL: without a name
	int fd;           // to write to, and to read from
	uint64_t offset;  // read so far
	uint64_t freed;   // of a nameless file
	uint64_t freed_at_ns;
	struct top_output_line lines[TOP_OUTPUT_LINES]; // a ring
	size_t first, count;
	uint64_t next_number;
	struct buf partial; // the line that has no end yet
	bool open_line;     // it is the last one of the lines
	bool returned;      // after "\r": what comes next replaces the line
	enum top_output_escape escape;
};

/* `path` NULL: no name. An error names the file. */
struct err *top_output_open(struct top_output *o, const char *path);
void top_output_close(struct top_output *o);

/* Reads what is new; of very much only the end. */
void top_output_read(struct top_output *o);

/* Frees what was read of a nameless file, now and then. */
void top_output_turn(struct top_output *o, uint64_t now_ns);

/* The i-th of those that are kept, oldest first; the last one may have no end yet. */
const struct top_output_line *top_output_line(const struct top_output *o, size_t i);

/* Takes bytes as if they had been read; for tests and the fuzzer too. */
void top_output_take(struct top_output *o, const char *bytes, size_t len);

#endif

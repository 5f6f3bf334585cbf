// SPDX-License-Identifier: MIT
/*
 * JSON, written as it comes: no tree in memory. Into a stream or a buffer.
 *
 *	struct json_writer w = { .stream = stdout, .pretty = true };
 *	json_begin_object(&w);
 *	json_key(&w, "pid");
 *	json_u64(&w, 4711);
 *	json_end_object(&w);
 *
 * Commas, colons and indentation come by themselves. Strings should be UTF-8; what is not is
 * written as U+FFFD. Calls in an order that makes no JSON, and nesting deeper than JSON_MAX_DEPTH,
 * are bugs of the caller and end in an assertion. Errors of the stream stay in it: see ferror().
 */
#ifndef FIREGLASS_FMT_JSON_WRITER_H
#define FIREGLASS_FMT_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

#define JSON_MAX_DEPTH 64u

/* Zero-initialise but for the first four; nothing to release. */
struct json_writer {
	FILE *stream;    // either this
	struct buf *buf; // or this; the caller's
	bool pretty;     // one element per line, two spaces a level
	bool embedded;   // safe inside HTML or XML: < > & and what XML forbids become \u escapes

	unsigned int depth;
	uint64_t objects; // bit d: level d is an object
	uint64_t filled;  // bit d: level d has an element
	bool after_key;
};

/*
 * Not for the dynamic linker: libjansson (fmt/json_reader.c) has functions of the same names, and
 * would call ours.
 */
#pragma GCC visibility push(hidden)

void json_begin_object(struct json_writer *w);
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w);
void json_end_array(struct json_writer *w);

/* The name of the next value; in objects only. */
void json_key(struct json_writer *w, const char *name);

void json_string(struct json_writer *w, const char *text, size_t len);
void json_cstring(struct json_writer *w, const char *text); // NULL is written as null
void json_u64(struct json_writer *w, uint64_t value);
void json_i64(struct json_writer *w, int64_t value);
void json_thousandths(struct json_writer *w, uint64_t value); // 1500 is written as 1.5
void json_double(struct json_writer *w, double value); // shortest that reads back; NaN, Inf: null
void json_bool(struct json_writer *w, bool value);
void json_null(struct json_writer *w);

/* The name and its value. */
void json_member_cstring(struct json_writer *w, const char *name, const char *text);
void json_member_u64(struct json_writer *w, const char *name, uint64_t value);
void json_member_bool(struct json_writer *w, const char *name, bool value);

#pragma GCC visibility pop

#endif

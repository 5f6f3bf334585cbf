// SPDX-License-Identifier: MIT
/*
 * Protocol buffers, read field by field from bytes in memory.
 *
 *	struct pb_reader r = pb_reader_of(data, len);
 *	struct pb_field f;
 *	while (pb_reader_next(&r, &f))
 *		switch (f.number) ...
 *	if (r.bad) ... r.at is where
 */
#ifndef FIREGLASS_FMT_PB_READER_H
#define FIREGLASS_FMT_PB_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pb_reader {
	const char *data;
	size_t len, at;
	bool bad; // it stopped because the bytes make no sense, not at their end
};

struct pb_field {
	uint32_t number;
	bool is_bytes;    // a text, a message or packed numbers: data and len; else value
	uint64_t value;   // of a varint or a fixed number
	const char *data; // part of what is read
	size_t len;
};

struct pb_reader pb_reader_of(const char *data, size_t len);

/* The next field; false at the end or when the bytes make no sense. */
bool pb_reader_next(struct pb_reader *r, struct pb_field *field_ret);

/*
 * The next number of packed ones: a reader of the bytes of a field. (A field that is not packed has
 * its one number in `value`.)
 */
bool pb_reader_number(struct pb_reader *r, uint64_t *ret);

#endif

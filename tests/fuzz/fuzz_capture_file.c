// SPDX-License-Identifier: MIT
/*
 * Any bytes as a capture file, after its checksums were made right (those are for accidents; who
 * means harm has right ones). What opens is read to its end and written again; the copy must hold
 * the same rows.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/iofd.h"
#include "store/capture_file.h"
#include "store/capture_out.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* Returns how many bytes the chunk has, 0 if it is not whole. */
static size_t repair_chunk(unsigned char *at, size_t left)
{
	unsigned char head[CHUNK_HEAD_MAX];

	if (left < CHUNK_FIXED_BYTES)
		return 0;
	size_t extra = (size_t)(at[2] | at[3] << 8), stored = chunk_get_u32(at + 4);
	if (extra > CHUNK_EXTRA_MAX || left - CHUNK_FIXED_BYTES < extra + stored)
		return 0;
	unsigned char *body = at + CHUNK_FIXED_BYTES + extra;
	chunk_put_u32(at + 12, (uint32_t)hash_bytes(body, stored));
	memcpy(head, at, 16);
	memcpy(head + 16, at + CHUNK_FIXED_BYTES, extra);
	chunk_put_u32(at + 16, (uint32_t)hash_bytes(head, 16 + extra));
	return CHUNK_FIXED_BYTES + extra + stored;
}

static void repair(unsigned char *bytes, size_t len)
{
	if (len < CAPTURE_HEAD_BYTES)
		return;
	memcpy(bytes, CAPTURE_MAGIC, CAPTURE_MAGIC_BYTES);
	chunk_put_u32(bytes + 12, (uint32_t)hash_bytes(bytes, 12));
	for (size_t at = CAPTURE_HEAD_BYTES, n; at < len; at += n) {
		n = repair_chunk(bytes + at, len - at);
		if (!n)
			return;
	}
}

static uint64_t count_rows(const struct capture *c, bool *whole)
{
	struct capture_cursor cursor;
	uint64_t rows = 0;

	capture_cursor_init(&cursor, c);
	while (capture_cursor_next(&cursor))
		rows++;
	struct err *err = capture_cursor_error(&cursor);
	*whole = !err;
	err_free(err);
	capture_cursor_deinit(&cursor);
	return rows;
}

static void check_copy(const struct capture *c, uint64_t rows)
{
	_cleanup_close_ int fd = memfd_create("copy", MFD_CLOEXEC);
	_cleanup_(capture_deinit) struct capture copy;
	bool whole;
	char path[40];

	struct err *err = capture_file_write(fd, c);
	check(!err);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = capture_file_open(&copy, path, NULL);
	check(!err);
	check(count_rows(&copy, &whole) == rows && whole);
	check(copy.tables.stack_count == c->tables.stack_count);
	check(copy.thread_count == c->thread_count && copy.marker_count == c->marker_count);
	check(copy.span_count == c->span_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create("capture", MFD_CLOEXEC);
	_cleanup_free_ unsigned char *bytes = xmalloc(size + 1);
	_cleanup_(capture_deinit) struct capture c;
	bool whole;
	char path[40];

	memcpy(bytes, data, size);
	repair(bytes, size);
	check(iofd_write_all(fd, bytes, size) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct err *err = capture_file_open(&c, path, NULL);
	if (err) {
		check(err->message[0] != 0);
		err_free(err);
		return 0;
	}
	uint64_t rows = count_rows(&c, &whole);
	if (whole)
		check_copy(&c, rows);
	return 0;
}

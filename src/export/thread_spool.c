// SPDX-License-Identifier: MIT
#include "export/thread_spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/iofd.h"
#include "fmt/varint.h"

/* What a sample differs in from the one before of its thread: its first byte. */
#define OTHER_STACK 1u
#define OTHER_COUNT 2u
#define OTHER_CPU 4u
#define OTHER_STATE 8u

#define RECORD_MAX 64u

/* A run of a thread's samples in the file. */
struct chunk {
	off_t offset;
	size_t len;
};

struct spooled_thread {
	struct buf bytes; // not yet in the file
	struct chunk *chunks;
	size_t chunk_count, chunk_capacity;
	struct spool_sample last;
	uint64_t count;
};

struct thread_spool {
	struct spooled_thread *threads;
	size_t thread_count;
	size_t held, memory; // bytes that are in memory, and that may be
	FILE *file;
	off_t file_len;
};

struct thread_spool *thread_spool_create(size_t thread_count, size_t memory)
{
	struct thread_spool *spool = xcalloc(1, sizeof(*spool));

	spool->threads = xcalloc(thread_count, sizeof(*spool->threads));
	spool->thread_count = thread_count;
	spool->memory = memory;
	return spool;
}

void thread_spool_destroy(struct thread_spool *spool)
{
	if (!spool)
		return;
	for (size_t i = 0; i < spool->thread_count; i++) {
		buf_deinit(&spool->threads[i].bytes);
		free(spool->threads[i].chunks);
	}
	free(spool->threads);
	if (spool->file)
		fclose(spool->file);
	free(spool);
}

uint64_t thread_spool_count(const struct thread_spool *spool, uint32_t thread)
{
	return spool->threads[thread].count;
}

/* ---- writing ---------------------------------------------------------------------------------- */

static struct err *flush_thread(struct thread_spool *spool, struct spooled_thread *t)
{
	if (!t->bytes.len)
		return NULL;
	array_reserve(t->chunks, t->chunk_capacity, t->chunk_count + 1);
	t->chunks[t->chunk_count++] = (struct chunk){ spool->file_len, t->bytes.len };
	if (fwrite(t->bytes.data, 1, t->bytes.len, spool->file) != t->bytes.len)
		return err_errno(errno, "cannot write to a temporary file");
	spool->file_len += (off_t)t->bytes.len;
	buf_deinit(&t->bytes);
	return NULL;
}

static struct err *flush_all(struct thread_spool *spool)
{
	if (!spool->file)
		spool->file = iofd_nameless_stream();
	if (!spool->file)
		return err_errno(errno, "cannot make a temporary file");
	for (size_t i = 0; i < spool->thread_count; i++) {
		struct err *err = flush_thread(spool, &spool->threads[i]);

		if (err)
			return err;
	}
	if (fflush(spool->file) != 0)
		return err_errno(errno, "cannot write to a temporary file");
	spool->held = 0;
	return NULL;
}

struct err *thread_spool_add(
	struct thread_spool *spool, uint32_t thread, const struct spool_sample *s)
{
	struct spooled_thread *t = &spool->threads[thread];
	const struct spool_sample *last = &t->last;
	char record[RECORD_MAX], *at = record + 1;
	unsigned int other = (s->stack != last->stack ? OTHER_STACK : 0) |
		(s->count != last->count ? OTHER_COUNT : 0) |
		(s->cpu_ns != last->cpu_ns ? OTHER_CPU : 0) |
		(s->state != last->state || s->flags != last->flags ? OTHER_STATE : 0);

	record[0] = (char)other;
	at = varint_put(at, varint_zigzag(s->time_ns - last->time_ns));
	if (other & OTHER_STACK)
		at = varint_put(at, s->stack);
	if (other & OTHER_COUNT)
		at = varint_put(at, s->count);
	if (other & OTHER_CPU)
		at = varint_put(at, s->cpu_ns);
	if (other & OTHER_STATE) {
		*at++ = (char)s->state;
		*at++ = (char)s->flags;
	}
	buf_add(&t->bytes, record, (size_t)(at - record));
	spool->held += (size_t)(at - record);
	t->last = *s;
	t->count++;
	return spool->held < spool->memory ? NULL : flush_all(spool);
}

/* ---- reading ---------------------------------------------------------------------------------- */

void spool_reader_init(
	struct spool_reader *reader, const struct thread_spool *spool, uint32_t thread)
{
	*reader = (struct spool_reader){ .spool = spool, .thread = thread };
}

void spool_reader_deinit(struct spool_reader *reader)
{
	buf_deinit(&reader->bytes);
	err_free(reader->err);
	reader->err = NULL;
}

struct err *spool_reader_error(struct spool_reader *reader)
{
	return take_ptr(&reader->err);
}

static bool load_chunk(struct spool_reader *r, const struct chunk *chunk)
{
	int fd = fileno(r->spool->file);

	buf_clear(&r->bytes);
	buf_reserve(&r->bytes, chunk->len);
	while (r->bytes.len < chunk->len) {
		ssize_t got = pread(fd, r->bytes.data + r->bytes.len, chunk->len - r->bytes.len,
			chunk->offset + (off_t)r->bytes.len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			r->err = err_errno(got ? errno : EIO, "cannot read a temporary file");
			return false;
		}
		r->bytes.len += (size_t)got;
	}
	r->at = r->bytes.data;
	r->end = r->at + r->bytes.len;
	return true;
}

/* The next bytes of the thread: a chunk of the file, at last what is in memory. */
static bool next_bytes(struct spool_reader *r)
{
	const struct spooled_thread *t = &r->spool->threads[r->thread];

	if (r->chunk > t->chunk_count || r->err)
		return false;
	if (r->chunk < t->chunk_count)
		return load_chunk(r, &t->chunks[r->chunk++]);
	r->chunk++;
	if (!t->bytes.len)
		return false;
	r->at = t->bytes.data;
	r->end = r->at + t->bytes.len;
	return true;
}

static uint64_t take_number(const char **at)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		unsigned char byte = (unsigned char)*(*at)++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			break;
	}
	return value;
}

const struct spool_sample *spool_reader_next(struct spool_reader *r)
{
	struct spool_sample *s = &r->last;

	if (r->at == r->end && !next_bytes(r))
		return NULL;
	unsigned int other = (unsigned char)*r->at++;
	s->time_ns += varint_unzigzag(take_number(&r->at));
	if (other & OTHER_STACK)
		s->stack = (stack_id)take_number(&r->at);
	if (other & OTHER_COUNT)
		s->count = take_number(&r->at);
	if (other & OTHER_CPU)
		s->cpu_ns = take_number(&r->at);
	if (other & OTHER_STATE) {
		s->state = (uint8_t)*r->at++;
		s->flags = (uint8_t)*r->at++;
	}
	return s;
}

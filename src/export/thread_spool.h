// SPDX-License-Identifier: MIT
/*
 * Samples sorted by thread, for formats that want all of a thread's samples in one place, several
 * times. A few bytes each; what is more than SPOOL_MEMORY bytes lies in a temporary file, so that
 * memory does not grow with the number of samples.
 *
 * All are added first, then they can be read, one thread after the other, any number of times.
 */
#ifndef FIREGLASS_EXPORT_THREAD_SPOOL_H
#define FIREGLASS_EXPORT_THREAD_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/profile.h"

#define SPOOL_MEMORY ((size_t)16 << 20)

struct spool_sample {
	uint64_t time_ns;
	uint64_t count;
	uint64_t cpu_ns;
	stack_id stack;
	uint8_t state, flags; // as of struct capture_sample
};

struct thread_spool;

/* `memory` bytes are kept in memory: SPOOL_MEMORY, less in tests. */
struct thread_spool *thread_spool_create(size_t thread_count, size_t memory);
void thread_spool_destroy(struct thread_spool *spool);

/* An error: the temporary file cannot be made or written. */
struct err *thread_spool_add(
	struct thread_spool *spool, uint32_t thread, const struct spool_sample *sample);

/* Samples of a thread. */
uint64_t thread_spool_count(const struct thread_spool *spool, uint32_t thread);

struct spool_reader {
	const struct thread_spool *spool;
	uint32_t thread;
	size_t chunk;    // the next one of the thread
	struct buf bytes; // of the last one
	const char *at, *end;
	struct spool_sample last;
	struct err *err; // why it stopped before the end
};

void spool_reader_init(
	struct spool_reader *reader, const struct thread_spool *spool, uint32_t thread);
void spool_reader_deinit(struct spool_reader *reader);

/* The next sample; NULL at the end, or at an error. Valid until the next call. */
const struct spool_sample *spool_reader_next(struct spool_reader *reader);

/* NULL if all was read; the error is the caller's to free, once. */
struct err *spool_reader_error(struct spool_reader *reader);

#endif

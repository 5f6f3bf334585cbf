// SPDX-License-Identifier: MIT
/*
 * Reading the memory of a target: a live process (mem_live), a buffer in tests and fuzzers
 * (mem_image), later a core file. Strictly read-only: there is no way to write through this.
 *
 * Reads fail normally while sampling (a thread ends, memory is unmapped), so failure is an enum,
 * not a struct err. Nothing is ever logged or allocated here. A reader may be used from several
 * threads at once.
 */
#ifndef FIREGLASS_OS_MEM_READER_H
#define FIREGLASS_OS_MEM_READER_H

#include <stddef.h>
#include <stdint.h>

/* An address in the target. Never turned into a C pointer. */
typedef uint64_t remote_addr;

enum read_status {
	READ_OK,
	READ_TORN,   // what was read is not consistent with itself
	READ_FAULT,  // an address is not mapped in the target
	READ_GONE,   // the process has ended
	READ_DENIED, // the system refuses, or began to refuse, to let us read
};

/* `len` bytes at `addr` go to `buf`. */
struct mem_range {
	remote_addr addr;
	void *buf;
	size_t len;
};

/* The most ranges one readv may be given. */
#define MEM_RANGES_MAX 512

struct mem_reader;

struct mem_reader_ops {
	/*
	 * Reads the ranges in order, as close together in time as the system can, in one system
	 * call for a live process. On anything but READ_OK, *whole_ret says how many ranges were
	 * read whole before the first that failed; the others' buffers hold garbage.
	 */
	enum read_status (*readv)(struct mem_reader *reader, const struct mem_range *ranges,
		size_t count, size_t *whole_ret);
};

struct mem_reader {
	const struct mem_reader_ops *ops;
};

static inline enum read_status mem_readv(struct mem_reader *reader, const struct mem_range *ranges,
	size_t count, size_t *whole_ret)
{
	return reader->ops->readv(reader, ranges, count, whole_ret);
}

static inline enum read_status mem_read(
	struct mem_reader *reader, remote_addr addr, void *buf, size_t len)
{
	struct mem_range range = { .addr = addr, .buf = buf, .len = len };
	size_t whole;

	return reader->ops->readv(reader, &range, 1, &whole);
}

static inline enum read_status mem_read_u64(
	struct mem_reader *reader, remote_addr addr, uint64_t *value_ret)
{
	return mem_read(reader, addr, value_ret, sizeof(*value_ret));
}

#endif

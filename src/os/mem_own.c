// SPDX-License-Identifier: MIT
#include "os/mem_own.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"

#define OWN_BYTES ((size_t)1 << 20)
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u // Linux 6.3: without it the kernel complains in its log
#endif

/*
 * The call itself, not the C library's function, which sanitizers wrap: they would have it that all of what is
 * read is ours to read.
 */
static ssize_t copy_in(int fd, const struct iovec *parts, size_t count)
{
	return syscall(SYS_pwritev, fd, parts, count, 0L, 0L);
}

static enum read_status own_readv(struct mem_reader *reader, const struct mem_range *ranges,
	size_t count, size_t *whole_ret)
{
	const struct mem_own *own = (const struct mem_own *)reader;
	struct iovec parts[MEM_RANGES_MAX];
	size_t total = 0;

	for (size_t i = 0; i < count && i < MEM_RANGES_MAX; i++) {
		parts[i].iov_base = (void *)(uintptr_t)ranges[i].addr;
		parts[i].iov_len = ranges[i].len;
		total += ranges[i].len;
	}
	if (count < 2 || count > MEM_RANGES_MAX || total > OWN_BYTES ||
		copy_in(own->fd, parts, count) != (ssize_t)total)
		return mem_readv(own->other, ranges, count, whole_ret);
	const unsigned char *from = own->map;
	for (size_t i = 0; i < count; i++) {
		memcpy(ranges[i].buf, from, ranges[i].len);
		from += ranges[i].len;
	}
	*whole_ret = count;
	return READ_OK;
}

static enum read_status other_readv(struct mem_reader *reader, const struct mem_range *ranges,
	size_t count, size_t *whole_ret)
{
	return mem_readv(((const struct mem_own *)reader)->other, ranges, count, whole_ret);
}

static int open_file(void)
{
	int fd = memfd_create("fireglass", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("fireglass", MFD_CLOEXEC);
	if (fd >= 0 && ftruncate(fd, OWN_BYTES) != 0)
		close(take_fd(&fd));
	return fd;
}

void mem_own_open(struct mem_own *own, struct mem_reader *other)
{
	static const struct mem_reader_ops ops = { .readv = own_readv },
					   other_ops = { .readv = other_readv };

	*own = (struct mem_own){ .reader.ops = &other_ops, .other = other, .fd = open_file() };
	if (own->fd < 0)
		return;
	void *map = mmap(NULL, OWN_BYTES, PROT_READ, MAP_SHARED, own->fd, 0);
	if (map == MAP_FAILED) {
		close(take_fd(&own->fd));
		return;
	}
	// a child has no use for it, nor has who looks at a core
	madvise(map, OWN_BYTES, MADV_DONTFORK);
	madvise(map, OWN_BYTES, MADV_DONTDUMP);
	own->map = map;
	own->reader.ops = &ops;
}

void mem_own_close(struct mem_own *own)
{
	if (own->fd < 0)
		return;
	munmap(own->map, OWN_BYTES);
	close(take_fd(&own->fd));
}

// SPDX-License-Identifier: MIT
#include "os/mem_live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"

static enum read_status status_of(int errnum)
{
	if (errnum == ESRCH)
		return READ_GONE;
	if (errnum == EPERM || errnum == EACCES)
		return READ_DENIED;
	return READ_FAULT;
}

static size_t whole_ranges(const struct mem_range *ranges, size_t count, size_t bytes)
{
	size_t whole = 0;

	while (whole < count && bytes >= ranges[whole].len)
		bytes -= ranges[whole++].len;
	return whole;
}

/* One range at a time through /proc/PID/mem: slower, and ranges are further apart in time. */
static enum read_status pread_ranges(
	struct mem_live *live, const struct mem_range *ranges, size_t count, size_t *whole_ret)
{
	*whole_ret = 0;
	for (size_t i = 0; i < count; i++) {
		ssize_t n = pread(live->mem_fd, ranges[i].buf, ranges[i].len, (off_t)ranges[i].addr);

		atomic_fetch_add_explicit(&live->calls, 1, memory_order_relaxed);
		if (n < 0)
			return errno == EIO ? READ_FAULT : status_of(errno);
		if (n == 0 && ranges[i].len)
			return READ_GONE;
		if ((size_t)n < ranges[i].len)
			return READ_FAULT;
		(*whole_ret)++;
	}
	return READ_OK;
}

static bool fall_back_to_mem_file(struct mem_live *live)
{
	char path[64];

	if (live->mem_file_tried)
		return false;
	live->mem_file_tried = true;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)live->pid);
	live->mem_fd = open(path, O_RDONLY | O_CLOEXEC);
	return live->mem_fd >= 0;
}

static enum read_status live_readv(struct mem_reader *reader, const struct mem_range *ranges,
	size_t count, size_t *whole_ret)
{
	struct mem_live *live = (struct mem_live *)reader;
	struct iovec local[MEM_RANGES_MAX], remote[MEM_RANGES_MAX];
	size_t total = 0;

	*whole_ret = 0;
	if (count > MEM_RANGES_MAX)
		return READ_FAULT;
	if (live->mem_fd >= 0)
		return pread_ranges(live, ranges, count, whole_ret);
	for (size_t i = 0; i < count; i++) {
		local[i] = (struct iovec){ .iov_base = ranges[i].buf, .iov_len = ranges[i].len };
		remote[i].iov_base = (void *)(uintptr_t)ranges[i].addr;
		remote[i].iov_len = ranges[i].len;
		total += ranges[i].len;
	}
	atomic_fetch_add_explicit(&live->calls, 1, memory_order_relaxed);
	ssize_t n = process_vm_readv(live->pid, local, count, remote, count, 0);
	if (n == (ssize_t)total) {
		*whole_ret = count;
		return READ_OK;
	}
	if (n >= 0) {
		*whole_ret = whole_ranges(ranges, count, (size_t)n);
		return READ_FAULT;
	}
	// system call filters refuse the call with either; where the kernel itself does, so it will here
	int errnum = errno;
	if ((errnum == ENOSYS || errnum == EPERM) && fall_back_to_mem_file(live))
		return pread_ranges(live, ranges, count, whole_ret);
	return status_of(errnum == ENOSYS ? EPERM : errnum);
}

void mem_live_init(struct mem_live *live, pid_t pid)
{
	static const struct mem_reader_ops ops = { .readv = live_readv };

	*live = (struct mem_live){ .reader.ops = &ops, .pid = pid, .mem_fd = -1 };
}

void mem_live_deinit(struct mem_live *live)
{
	if (live->mem_fd >= 0)
		close(take_fd(&live->mem_fd));
}

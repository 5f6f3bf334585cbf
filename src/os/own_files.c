// SPDX-License-Identifier: MIT
#include "os/own_files.h"

#include <dirent.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define RANGE_UNSHARE 2u // CLOSE_RANGE_UNSHARE of linux/close_range.h

/* Kernels from 5.9 on: what is to be closed is not even copied. */
static bool by_range(int keep)
{
	if (syscall(SYS_close_range, (unsigned int)(keep + 1), ~0u, RANGE_UNSHARE) != 0)
		return false;
	if (keep > 0)
		syscall(SYS_close_range, 0u, (unsigned int)keep - 1, 0u);
	return true;
}

static void close_all_but(DIR *folder, int keep)
{
	const struct dirent *entry;

	while ((entry = readdir(folder))) {
		char *end;
		long fd = strtol(entry->d_name, &end, 10);

		if (end != entry->d_name && !*end && fd != keep && fd != dirfd(folder))
			close((int)fd);
	}
}

bool own_files(int keep)
{
	if (by_range(keep < 0 ? -1 : keep))
		return true;
	DIR *folder = opendir("/proc/thread-self/fd");

	if (!folder)
		return false;
	bool own = unshare(CLONE_FILES) == 0;
	if (own)
		close_all_but(folder, keep);
	closedir(folder);
	return own;
}

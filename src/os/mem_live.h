// SPDX-License-Identifier: MIT
/*
 * The memory of a running process, by process_vm_readv(2): the target is neither stopped nor
 * written to. Where the kernel has no such call or a sandbox forbids it, /proc/PID/mem is used.
 */
#ifndef FIREGLASS_OS_MEM_LIVE_H
#define FIREGLASS_OS_MEM_LIVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "os/mem_reader.h"

struct mem_live {
	struct mem_reader reader;
	pid_t pid;
	int mem_fd;              // of /proc/PID/mem when process_vm_readv is not to be had, else -1
	bool mem_file_tried;
	atomic_ullong calls;     // system calls made, for statistics
};

/* Does not touch the process yet. */
void mem_live_init(struct mem_live *live, pid_t pid);
void mem_live_deinit(struct mem_live *live);

#endif

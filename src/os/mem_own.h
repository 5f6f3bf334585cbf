// SPDX-License-Identifier: MIT
/*
 * The memory of our own process, many ranges at a time. process_vm_readv(2) pins the pages of each range, which
 * takes it most of a microsecond a range, also for one's own memory. Here the kernel copies them into a file in
 * memory, by one pwritev(2), and that file is mapped: a quarter of the time, and an address that is not mapped is
 * an error as there, not a signal.
 *
 * One range, and what is more than the file holds, is read as the reader beside it does (mem_live): so what is
 * read for the first time, from an address that may be anything, is checked by the kernel to be plain memory.
 *
 * For the thread that opened it only. Where there is no such file, all is read by the other reader.
 */
#ifndef FIREGLASS_OS_MEM_OWN_H
#define FIREGLASS_OS_MEM_OWN_H

#include "os/mem_reader.h"

struct mem_own {
	struct mem_reader reader;
	struct mem_reader *other;
	int fd;
	unsigned char *map;
};

/* `other` reads the same memory. */
void mem_own_open(struct mem_own *own, struct mem_reader *other);
void mem_own_close(struct mem_own *own);

#endif

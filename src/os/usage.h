// SPDX-License-Identifier: MIT
/* What processes use of the machine, as the kernel counts it. */
#ifndef FIREGLASS_OS_USAGE_H
#define FIREGLASS_OS_USAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct usage {
	uint64_t cpu_ns;    // CPU time of all its threads since it began, ended ones too
	uint64_t rss_bytes; // resident memory
};

/*
 * False if the process is gone, also if it has ended and was not waited for. Some microseconds; the
 * CPU time of a thread that is running is some milliseconds old.
 */
bool usage_read(pid_t pid, struct usage *ret);

#endif

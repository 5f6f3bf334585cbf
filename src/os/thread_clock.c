// SPDX-License-Identifier: MIT
#include "os/thread_clock.h"

#include <time.h>

#include "base/clock.h"

clockid_t thread_clock_of(pid_t tid)
{
	return (clockid_t)(~(unsigned int)tid << 3 | 6);
}

bool thread_clock_read(pid_t tid, uint64_t *cpu_ns_ret)
{
	struct timespec ts;

	if (!tid || clock_gettime(thread_clock_of(tid), &ts) != 0)
		return false;
	*cpu_ns_ret = (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
	return true;
}

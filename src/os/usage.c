// SPDX-License-Identifier: MIT
#include "os/usage.h"

#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/proc.h"

/* In clock ticks, mostly of 10 ms. */
static uint64_t cpu_from_stat(const struct proc_stat *stat)
{
	long per_second = sysconf(_SC_CLK_TCK);

	return per_second > 0 ? (stat->utime + stat->stime) * (NS_PER_SEC / (uint64_t)per_second)
			      : 0;
}

/* In nanoseconds; false where the kernel has no such clock for us. */
static bool cpu_from_clock(pid_t pid, uint64_t *ns_ret)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &ts) != 0)
		return false;
	*ns_ret = (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
	return true;
}

bool usage_read(pid_t pid, struct usage *ret)
{
	struct proc_stat stat;
	struct usage u = { 0 };

	if (!proc_stat(pid, 0, &stat) || stat.state == 'Z' || stat.state == 'X')
		return false;
	if (!cpu_from_clock(pid, &u.cpu_ns))
		u.cpu_ns = cpu_from_stat(&stat);
	u.rss_bytes = proc_resident_bytes(pid);
	*ret = u;
	return true;
}

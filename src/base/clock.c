// SPDX-License-Identifier: MIT
#include "base/clock.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_now_ns(void)
{
	return now(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ns(void)
{
	return now(CLOCK_REALTIME);
}

/* A clock that is set or slewed is followed so soon. */
#define OFFSET_NS ((uint64_t)10000000)

uint64_t clock_wall_at(struct clock_offset *o, uint64_t now_ns)
{
	if (!o->looked_ns || now_ns - o->looked_ns >= OFFSET_NS) {
		o->offset_ns = clock_wall_ns() - clock_now_ns();
		o->looked_ns = now_ns;
	}
	return now_ns + o->offset_ns;
}

uint64_t clock_process_cpu_ns(void)
{
	return now(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t clock_thread_cpu_ns(void)
{
	return now(CLOCK_THREAD_CPUTIME_ID);
}

bool clock_sleep_until(uint64_t deadline_ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(deadline_ns / NS_PER_SEC),
		.tv_nsec = (long)(deadline_ns % NS_PER_SEC),
	};

	return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == 0;
}

void clock_wait(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
	struct timespec timeout = {
		.tv_sec = (time_t)(timeout_ns / NS_PER_SEC),
		.tv_nsec = (long)(timeout_ns % NS_PER_SEC),
	};

	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &timeout, NULL, 0);
}

void clock_wait_until(_Atomic uint32_t *word, uint32_t value, uint64_t deadline_ns)
{
	struct timespec deadline = {
		.tv_sec = (time_t)(deadline_ns / NS_PER_SEC),
		.tv_nsec = (long)(deadline_ns % NS_PER_SEC),
	};

	syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value, &deadline, NULL,
		FUTEX_BITSET_MATCH_ANY);
}

void clock_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* struct sched_attr of sched_setattr(2), which glibc 2.36 does not declare. */
struct scheduling {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};

/* From kernel 6.12 on a slice asked for is how long a thread wants to run, and how soon it may. */
#define SHORT_SLICE_NS 100000

void clock_sharpen(void)
{
	struct scheduling want = { .size = sizeof(want) };

	prctl(PR_SET_TIMERSLACK, 1);
	if (syscall(SYS_sched_getattr, 0, &want, sizeof(want), 0) != 0 || want.policy != 0)
		return;
	want.size = sizeof(want);
	want.runtime_ns = SHORT_SLICE_NS;
	syscall(SYS_sched_setattr, 0, &want, 0);
}

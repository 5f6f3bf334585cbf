// SPDX-License-Identifier: MIT
#include "os/stop.h"

#include <errno.h>
#include <signal.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

/* Spinning is faster than being woken; after so many looks the processor is left to others. */
#define SPINS_BEFORE_YIELD 200
#define SPINS_MAX 200000

/* True once the thread has stopped; *status_ret says how. */
static bool wait_stopped(pid_t tid, int *status_ret)
{
	for (int i = 0; i < SPINS_MAX; i++) {
		pid_t waited = waitpid(tid, status_ret, __WALL | WNOHANG);

		if (waited == tid)
			return WIFSTOPPED(*status_ret);
		if (waited < 0 && errno != EINTR)
			return false;
		if (i > SPINS_BEFORE_YIELD)
			sched_yield();
	}
	return false;
}

static void let_go(pid_t tid, int signum)
{
	ptrace(PTRACE_DETACH, tid, NULL, (void *)(long)signum);
}

bool stop_thread(pid_t tid)
{
	int status;

	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0)
		return false;
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) != 0 || !wait_stopped(tid, &status)) {
		let_go(tid, 0);
		return false;
	}
	if (status >> 16 == PTRACE_EVENT_STOP)
		return true;
	// a signal came first: it is the thread's, and goes on to it
	let_go(tid, WSTOPSIG(status));
	return false;
}

void stop_release(pid_t tid)
{
	let_go(tid, 0);
}

// SPDX-License-Identifier: MIT
#include "sample/watch.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "os/proc.h"
#include "os/thread_clock.h"

#define FD_UNOPENED (-1)
#define FD_REFUSED (-2)
/*
 * A thread that is ready for a processor but has not run for so long is not on one: longer than the
 * scheduler's tick on any kernel (100 Hz), at which the CPU time of a running thread is refreshed.
 */
#define NOT_ON_CPU_NS ((uint64_t)12000000)

void watch_init(struct thread_watch *w, pid_t pid, pid_t tid, bool own)
{
	*w = (struct thread_watch){ .pid = pid, .tid = tid, .own = own, .schedstat_fd = FD_REFUSED,
		.stat_fd = tid ? FD_UNOPENED : FD_REFUSED,
		.syscall_fd = tid ? FD_UNOPENED : FD_REFUSED };
	if (tid)
		w->schedstat_fd = proc_open_schedstat(pid, tid);
}

void watch_deinit(struct thread_watch *w)
{
	const int fds[] = { w->schedstat_fd, w->stat_fd, w->syscall_fd };

	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*w = (struct thread_watch){ .schedstat_fd = FD_REFUSED, .stat_fd = FD_REFUSED,
		.syscall_fd = FD_REFUSED };
}

static bool read_times(const struct thread_watch *w, struct proc_schedstat *ret)
{
	if (w->own) {
		*ret = (struct proc_schedstat){ 0 };
		return thread_clock_read(w->tid, &ret->run_ns);
	}
	return w->schedstat_fd >= 0 && proc_pread_schedstat(w->schedstat_fd, ret);
}

bool watch_schedule(struct thread_watch *w, uint64_t now_ns, uint64_t *cpu_ns_ret)
{
	struct proc_schedstat now;
	bool first = !w->looked_ns;

	*cpu_ns_ret = 0;
	if (!read_times(w, &now)) {
		w->looked_ns = 0;
		return false;
	}
	bool same = !first && now.slices == w->slices && now.run_ns == w->run_ns;
	if (!first && now.run_ns > w->run_ns)
		*cpu_ns_ret = now.run_ns - w->run_ns;
	w->slices = now.slices;
	w->run_ns = now.run_ns;
	w->looked_ns = now_ns;
	if (!same)
		w->changed_ns = now_ns;
	return same;
}

int watch_stat_fd(struct thread_watch *w)
{
	if (w->stat_fd == FD_UNOPENED) {
		w->stat_fd = proc_open_stat(w->pid, w->tid);
		if (w->stat_fd < 0)
			w->stat_fd = FD_REFUSED;
	}
	return w->stat_fd;
}

static enum thread_run run_by_stat(struct thread_watch *w)
{
	struct proc_stat stat;
	int fd = watch_stat_fd(w);

	if (fd < 0 || !proc_pread_stat(fd, &stat))
		return THREAD_UNKNOWN;
	switch (stat.state) {
	case 'R':
		return THREAD_ON_CPU;
	case 'T':
	case 't':
		return THREAD_STOPPED;
	default:
		return THREAD_WAITING;
	}
}

static bool read_syscall(struct thread_watch *w, struct proc_syscall *ret)
{
	if (w->syscall_fd == FD_UNOPENED) {
		w->syscall_fd = proc_open_syscall(w->pid, w->tid);
		if (w->syscall_fd < 0)
			w->syscall_fd = FD_REFUSED;
	}
	return w->syscall_fd >= 0 && proc_pread_syscall(w->syscall_fd, ret);
}

void watch_look(struct thread_watch *w, uint64_t now_ns, struct thread_look *ret)
{
	struct proc_syscall call;

	*ret = (struct thread_look){ .run = THREAD_WAITING, .syscall = -1 };
	if (!read_syscall(w, &call)) {
		ret->run = run_by_stat(w);
	} else if (call.running) {
		ret->run = THREAD_ON_CPU;
	} else if (call.number < 0) {
		ret->run = run_by_stat(w); // not in a system call: a page fault, or stopped
	} else {
		ret->syscall = call.number;
		ret->argument = call.argument;
	}
	if (ret->run == THREAD_ON_CPU && w->ran && w->looked_ns &&
		now_ns - w->changed_ns > NOT_ON_CPU_NS)
		ret->run = THREAD_RUNNABLE;
}

bool look_waits_in(const struct thread_look *look, uint64_t start, uint64_t end)
{
	return look->run == THREAD_WAITING && look->syscall == SYS_futex && look->argument >= start &&
	       look->argument < end;
}

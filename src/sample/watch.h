// SPDX-License-Identifier: MIT
/*
 * What the kernel says of one thread: whether it has run since the last look, how much, and what it
 * waits for. Each question is one pread of a file that stays open, and is asked only when nothing
 * else has answered it.
 *
 *	schedstat  CPU time and time slices. Those of a thread that is running are refreshed only at
 *	           scheduler ticks; those of one that is blocked are exact. Of our own process the
 *	           thread's CPU clock is read instead, which is exact always
 *	syscall    "running", or the system call in which it waits (kernel: fs/proc/base.c)
 *	stat       state and processor: where syscall is not to be had, and for stopped threads
 */
#ifndef FIREGLASS_SAMPLE_WATCH_H
#define FIREGLASS_SAMPLE_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sample/record.h"

struct thread_watch {
	pid_t pid, tid;
	bool own;                  // of this process: its CPU clock tells instead of schedstat
	int schedstat_fd;          // -1: not to be had
	int stat_fd, syscall_fd;   // opened when first needed: -1 not yet, -2 not to be had
	uint64_t slices, run_ns;   // of the last look at schedstat
	uint64_t looked_ns;        // when that was, 0 never
	uint64_t changed_ns;       // when it was last seen to have run
	bool ran;                  // it was running at its last sample
};

/* A tid of 0 is not known: nothing can be said of it. `own`: it is of this process. */
void watch_init(struct thread_watch *w, pid_t pid, pid_t tid, bool own);
void watch_deinit(struct thread_watch *w);

/*
 * Looks at schedstat. *cpu_ns_ret: CPU time since the last look (0 the first time). True if the
 * thread has not run since the last look, provided that it was blocked then.
 */
bool watch_schedule(struct thread_watch *w, uint64_t now_ns, uint64_t *cpu_ns_ret);

/* The descriptor of its stat file, or a negative number. */
int watch_stat_fd(struct thread_watch *w);

struct thread_look {
	enum thread_run run;
	int32_t syscall;   // number, or -1
	uint64_t argument; // the first of that call
};

/* Asks the kernel what the thread does right now. */
void watch_look(struct thread_watch *w, uint64_t now_ns, struct thread_look *ret);

/* True if `look` is a thread that waits for a futex in [start, end). */
bool look_waits_in(const struct thread_look *look, uint64_t start, uint64_t end);

#endif

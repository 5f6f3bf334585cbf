// SPDX-License-Identifier: MIT
/*
 * What /proc knows of a process and its threads.
 *
 * A file that is missing means that the process or thread has ended: that is a result, not an
 * error. Parsers are pure functions of text (proc_parse_*), so that they can be tested and fuzzed.
 */
#ifndef FIREGLASS_OS_PROC_H
#define FIREGLASS_OS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

/* From /proc/PID/stat or /proc/PID/task/TID/stat. */
struct proc_stat {
	char comm[64]; // may hold any byte; cut at 63
	char state;    // R S D T t Z X I ...
	pid_t ppid, pgrp;
	uint64_t flags;        // the kernel's PF_* of include/linux/sched.h
	uint64_t start_time;   // clock ticks since boot: with the pid it identifies the process
	uint64_t utime, stime; // clock ticks
	int processor;         // last run on
};

#define PROC_FLAG_KERNEL_THREAD 0x00200000u // PF_KTHREAD

/* From /proc/PID/status. */
struct proc_status {
	uid_t uid, euid, suid;
	gid_t gid, egid, sgid;
	pid_t tgid, ns_tgid; // ns_tgid: the id in the innermost pid namespace (last of NStgid)
	pid_t ns_pid;        // last of NSpid
	pid_t tracer;        // 0 = none
	int seccomp;         // 0 none, 1 strict, 2 filter; -1 unknown
	bool no_new_privs;
	uint64_t cap_effective, cap_permitted;
};

/* From /proc/PID/task/TID/schedstat. */
struct proc_schedstat {
	uint64_t run_ns;  // time on a processor
	uint64_t wait_ns; // time runnable but waiting for one
	uint64_t slices;  // number of times it was put on one
};

/* False if the text is not what the kernel writes. */
bool proc_parse_stat(const char *text, struct proc_stat *ret);
bool proc_parse_status(const char *text, struct proc_status *ret);
bool proc_parse_schedstat(const char *text, struct proc_schedstat *ret);

/* False if the process or thread is gone (or /proc is not readable). tid 0 = the process itself. */
bool proc_stat(pid_t pid, pid_t tid, struct proc_stat *ret);
bool proc_status(pid_t pid, pid_t tid, struct proc_status *ret);

/* As proc_stat() and schedstat, from file descriptors kept open: one pread each, no allocation. */
/* /proc/PID/task/TID/syscall */
struct proc_syscall {
	bool running;      // or ready to run
	int32_t number;    // of the call it waits in; -1: none
	uint64_t argument; // the first one
	uint64_t fourth;   // the fourth; 0 if it is not told
};
bool proc_parse_syscall(const char *text, struct proc_syscall *ret);

int proc_open_stat(pid_t pid, pid_t tid);      // -1 if gone
int proc_open_syscall(pid_t pid, pid_t tid);   // -1 if gone, refused, or not supported
int proc_open_schedstat(pid_t pid, pid_t tid); // -1 if gone or not supported by the kernel
bool proc_pread_stat(int fd, struct proc_stat *ret);
bool proc_pread_schedstat(int fd, struct proc_schedstat *ret);
bool proc_pread_syscall(int fd, struct proc_syscall *ret);

/*
 * The thread ids of a process. Returns how many there are and fills at most `capacity`; 0 if the
 * process is gone.
 */
size_t proc_threads(pid_t pid, pid_t *tids, size_t capacity);

/* A thread's name as the kernel has it, without newline; empty if gone. */
void proc_thread_comm(pid_t pid, pid_t tid, struct buf *out);

/* Where /proc/PID/NAME points to ("exe", "cwd", "root"); empty if it cannot be read. */
void proc_link(pid_t pid, const char *name, struct buf *out);

/* The command line, arguments quoted for a shell where needed, at most `cap` bytes. */
void proc_command_line(pid_t pid, size_t cap, struct buf *out);

/* The same from the text of /proc/PID/cmdline; valid UTF-8, what is cut ends in "...". */
void proc_quote_arguments(const char *text, size_t len, size_t cap, struct buf *out);

/* The ids of all processes that can be seen; as proc_threads(). */
size_t proc_processes(pid_t *pids, size_t capacity);

/* Identity of the executable file: changes at execve. False if it cannot be read. */
bool proc_exe_identity(pid_t pid, uint64_t *dev_ret, uint64_t *inode_ret);

/* Resident set size in bytes; 0 if gone. */
uint64_t proc_resident_bytes(pid_t pid);

#endif

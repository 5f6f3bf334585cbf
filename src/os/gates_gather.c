// SPDX-License-Identifier: MIT
#include "os/gates.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/iofd.h"
#include "base/utf8.h"
#include "os/mem_live.h"

#define YAMA_PATH "/proc/sys/kernel/yama/ptrace_scope"
#define ANCESTORS_MAX 256
#define USER_NS_DEPTH_MAX 33  // the kernel allows 32 below the first
#define UNMAPPED_ADDRESS 4096 // below any vm.mmap_min_addr in use; not that it matters

#define CAP_BIT_SYS_PTRACE 19

/* The name of a user; the number where there is none. */
static void user_name(uid_t uid, char *name, size_t capacity)
{
	const struct passwd *entry = getpwuid(uid);

	if (entry && entry->pw_name)
		snprintf(name, capacity, "%s", entry->pw_name);
	else
		snprintf(name, capacity, "%u", (unsigned int)uid);
}

/* The first line of a small file, made printable; "" if it cannot be read. */
static void first_line(const char *path, char *line, size_t capacity)
{
	_cleanup_buf_ struct buf raw = BUF_INIT, text = BUF_INIT;

	line[0] = 0;
	if (iofd_read_file(path, capacity, &raw) != 0 || raw.len == 0)
		return;
	utf8_add_bytes(&text, raw.data, strcspn(raw.data, "\n"));
	snprintf(line, capacity, "%s", buf_str(&text));
}

static int yama_scope(void)
{
	char line[16];

	first_line(YAMA_PATH, line, sizeof(line));
	return line[0] >= '0' && line[0] <= '9' ? atoi(line) : -1;
}

static enum gate_container container_kind(void)
{
	if (getenv("KUBERNETES_SERVICE_HOST") || access("/run/secrets/kubernetes.io", F_OK) == 0)
		return CONTAINER_KUBERNETES;
	if (access("/.dockerenv", F_OK) == 0)
		return CONTAINER_DOCKER;
	if (access("/run/.containerenv", F_OK) == 0)
		return CONTAINER_PODMAN;
	return CONTAINER_NONE;
}

static enum read_status try_read(pid_t pid, remote_addr addr)
{
	struct mem_live mem;
	char byte;

	mem_live_init(&mem, pid);
	enum read_status status = mem_read(&mem.reader, addr, &byte, 1);
	mem_live_deinit(&mem);
	return status;
}

static int vm_read_errno(void)
{
	char from = 1, to = 0;
	struct iovec local = { .iov_base = &to, .iov_len = 1 };
	struct iovec remote = { .iov_base = &from, .iov_len = 1 };

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1 ? 0 : errno;
}

static void wait_for_end(int fd)
{
	char byte;

	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
}

/* Reads a child that waits for us to close a pipe. */
static enum read_status try_child(void)
{
	static const char constant = 1;
	int pipe_fds[2];

	if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		return READ_OK; // says nothing about reading
	_cleanup_close_ int read_fd = pipe_fds[0], write_fd = pipe_fds[1];
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); // no handler of ours may run in the child
	pid_t child = fork();
	if (child == 0) {
		close(write_fd);
		wait_for_end(read_fd);
		_exit(0);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (child < 0)
		return READ_OK;
	enum read_status status = try_read(child, (uintptr_t)&constant);
	close(take_fd(&write_fd));
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return status;
}

static void gather_self(struct gate_facts *f)
{
	char here = 1;

	proc_status(getpid(), 0, &f->self);
	user_name(f->self.uid, f->self_user, sizeof(f->self_user));
	first_line("/proc/self/attr/current", f->self_label, sizeof(f->self_label));
	f->container = container_kind();
	f->yama_scope = yama_scope();
	f->vm_read_errno = vm_read_errno();
	f->self_read = try_read(getpid(), (uintptr_t)&here);
	f->child_read = try_child();
}

/*
 * The files in /proc/PID belong to root when the process is not dumpable (task_dump_owner in the
 * kernel's fs/proc/base.c; the directory itself does not show it).
 */
static enum gate_fact dumpable(const struct gate_facts *f)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)f->pid);
	if (!f->status_known || f->status.euid == 0 || stat(path, &st) != 0)
		return FACT_UNKNOWN;
	return st.st_uid == f->status.euid ? FACT_YES : FACT_NO;
}

static bool in_first_user_ns(void)
{
	char line[64];
	unsigned int inside, outside, count;

	first_line("/proc/self/uid_map", line, sizeof(line));
	return sscanf(line, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 &&
		outside == 0 && count == UINT32_MAX;
}

static bool is_same_ns(int fd, const struct stat *ours)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_dev == ours->st_dev && st.st_ino == ours->st_ino;
}

/*
 * Whether our capabilities count in a user namespace below ours: they do, and the user who made
 * the namespace directly below ours has them all there (user_namespaces(7)).
 */
static enum gate_fact cap_counts_below(
	int ns_fd, const struct stat *ours, const struct gate_facts *f)
{
	bool held = f->self.cap_effective >> CAP_BIT_SYS_PTRACE & 1;
	_cleanup_close_ int fd = fcntl(ns_fd, F_DUPFD_CLOEXEC, 0);

	for (int depth = 0; depth < USER_NS_DEPTH_MAX && fd >= 0; depth++) {
		int parent = ioctl(fd, NS_GET_PARENT);
		uid_t owner;

		if (parent < 0)
			return errno == EPERM ? FACT_NO : FACT_UNKNOWN;
		if (is_same_ns(parent, ours)) {
			close(parent);
			if (ioctl(fd, NS_GET_OWNER_UID, &owner) == 0 && owner == f->self.euid)
				held = true;
			return held ? FACT_YES : FACT_NO;
		}
		close(fd);
		fd = parent;
	}
	return FACT_UNKNOWN;
}

static void gather_user_ns(struct gate_facts *f)
{
	bool held = f->self.cap_effective >> CAP_BIT_SYS_PTRACE & 1;
	char path[64];
	struct stat ours;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)f->pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || stat("/proc/self/ns/user", &ours) != 0) {
		bool first = in_first_user_ns(); // all others are below it

		f->cap_counts = held && first ? FACT_YES : FACT_NO;
		if (held && !first) // in our own namespace we could have opened this
			f->same_user_ns = FACT_NO;
		return;
	}
	if (is_same_ns(fd, &ours)) {
		f->same_user_ns = FACT_YES;
		f->cap_counts = held ? FACT_YES : FACT_NO;
		return;
	}
	f->same_user_ns = FACT_NO;
	f->cap_counts = cap_counts_below(fd, &ours, f);
}

static enum gate_fact is_descendant(pid_t pid)
{
	for (int i = 0; i < ANCESTORS_MAX && pid > 0; i++) {
		struct proc_stat stat;

		if (pid == getpid())
			return FACT_YES;
		if (!proc_stat(pid, 0, &stat))
			return FACT_UNKNOWN;
		pid = stat.ppid;
	}
	return FACT_NO;
}

static void gather_target(struct gate_facts *f)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", (int)f->pid);
	f->exists = access(path, F_OK) == 0;
	if (!f->exists) {
		// signal 0 is not sent, only checked
		f->hidden = kill(f->pid, 0) == 0 || errno == EPERM;
		return;
	}
	f->stat_known = proc_stat(f->pid, 0, &f->stat);
	f->status_known = proc_status(f->pid, 0, &f->status);
	f->threads = proc_threads(f->pid, NULL, 0);
	if (f->status_known)
		user_name(f->status.euid, f->user, sizeof(f->user));
	snprintf(path, sizeof(path), "/proc/%d/attr/current", (int)f->pid);
	first_line(path, f->label, sizeof(f->label));
	f->dumpable = dumpable(f);
	gather_user_ns(f);
	f->descendant = is_descendant(f->pid);
	// permission is asked before the address: READ_FAULT means that we may
	f->read = try_read(f->pid, UNMAPPED_ADDRESS);
}

void gates_gather(struct gate_facts *facts, pid_t pid)
{
	*facts = (struct gate_facts){ .pid = pid };
	gather_self(facts);
	if (pid > 0)
		gather_target(facts);
}

// SPDX-License-Identifier: MIT
#include "os/children.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "os/proc.h"

/* Threads of a process whose children are looked for. */
#define TASKS_MAX 16384
#define LIST_BYTES_MAX ((size_t)1 << 16)

void pid_list_deinit(struct pid_list *list)
{
	free(list->items);
	*list = (struct pid_list){ 0 };
}

static void add(struct pid_list *out, long pid)
{
	if (pid <= 0 || pid > INT32_MAX || out->count == CHILDREN_MAX)
		return;
	array_reserve(out->items, out->capacity, out->count + 1);
	out->items[out->count++] = (pid_t)pid;
}

/* Numbers between spaces; the one at the end is left out if the text was cut there. */
static void add_numbers(char *text, struct pid_list *out)
{
	for (char *end;; text = end + 1) {
		long pid = strtol(text, &end, 10);

		if (end == text || *end != ' ')
			return;
		add(out, pid);
	}
}

static void add_list(int tasks, const char *tid, struct pid_list *out)
{
	static const size_t first_bytes = 4096;
	char path[64], small[4096 + 1];

	snprintf(path, sizeof(path), "%s/children", tid);
	_cleanup_close_ int fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = pread(fd, small, first_bytes, 0);
	if (n <= 0)
		return;
	// the kernel gives whole numbers only: of a list that goes on, not quite as many bytes
	if ((size_t)n < first_bytes - 64) {
		small[n] = '\0';
		add_numbers(small, out);
		return;
	}
	_cleanup_free_ char *large = xmalloc(LIST_BYTES_MAX + 1);
	size_t len = 0;
	while (len < LIST_BYTES_MAX && (n = read(fd, large + len, LIST_BYTES_MAX - len)) > 0)
		len += (size_t)n;
	large[len] = '\0';
	add_numbers(large, out);
}

static void add_children(pid_t pid, struct pid_list *out)
{
	char path[64];
	size_t count = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *tasks = opendir(path);
	if (!tasks)
		return;
	for (struct dirent *entry; (entry = readdir(tasks)) && count < TASKS_MAX;) {
		if (entry->d_name[0] == '.')
			continue;
		add_list(dirfd(tasks), entry->d_name, out);
		count++;
	}
	closedir(tasks);
}

void children_from_lists(const pid_t *parents, size_t count, struct pid_list *out)
{
	for (size_t i = 0; i < count; i++)
		add_children(parents[i], out);
}

static bool is_among(pid_t pid, const pid_t *pids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

void children_from_parents(const pid_t *parents, size_t count, struct pid_list *out)
{
	DIR *processes = opendir("/proc");

	if (!processes)
		return;
	for (struct dirent *entry; (entry = readdir(processes));) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);
		struct proc_stat stat;

		if (*end || pid <= 0 || !proc_stat((pid_t)pid, 0, &stat))
			continue;
		if (is_among(stat.ppid, parents, count))
			add(out, pid);
	}
	closedir(processes);
}

void children_find(const pid_t *parents, size_t count, struct pid_list *out)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%ld/children", syscall(SYS_gettid));
	if (access(path, R_OK) == 0)
		children_from_lists(parents, count, out);
	else
		children_from_parents(parents, count, out);
}

bool children_share_memory(pid_t a, pid_t b)
{
	return syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0) == 0;
}

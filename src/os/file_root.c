// SPDX-License-Identifier: MIT
#include "os/file_root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "os/proc.h"

void file_root_deinit(struct file_root *root)
{
	if (root->kind == FILE_ROOT_OTHER) {
		close(root->fd);
		if (root->mounts >= 0)
			close(root->mounts);
	}
	*root = (struct file_root){ .kind = FILE_ROOT_OURS };
}

/* A directory other than ours, or ours with other mounts. */
static bool differs(pid_t pid, const char *name)
{
	_cleanup_buf_ struct buf its = BUF_INIT, own = BUF_INIT;

	proc_link(pid, name, &its);
	proc_link(getpid(), name, &own);
	return its.len && strcmp(buf_str(&its), buf_str(&own)) != 0;
}

static struct file_root look(pid_t pid)
{
	char path[64];

	if (!differs(pid, "ns/mnt") && !differs(pid, "root"))
		return (struct file_root){ .kind = FILE_ROOT_OURS };
	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return (struct file_root){ .kind = FILE_ROOT_REFUSED };
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	return (struct file_root){
		.kind = FILE_ROOT_OTHER,
		.fd = fd,
		.mounts = open(path, O_RDONLY | O_CLOEXEC),
	};
}

void file_root_follow(struct file_root *root, pid_t pid)
{
	_cleanup_buf_ struct buf link = BUF_INIT;

	// of a process that has ended (also one that was not waited for) there is none
	proc_link(pid, "root", &link);
	if (!link.len)
		return;
	file_root_deinit(root);
	*root = look(pid);
}

static int open_as(const struct file_root *root, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned int)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

	switch (root->kind) {
	case FILE_ROOT_OURS:
		return open(path, flags | O_CLOEXEC);
	case FILE_ROOT_OTHER:
		return (int)syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
	case FILE_ROOT_REFUSED:
		break;
	}
	errno = EACCES;
	return -1;
}

static int check_regular(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -1;
	if (S_ISREG(st.st_mode))
		return 0;
	errno = EINVAL;
	return -1;
}

/* What is no file is only looked at: opening a device can do things. */
int file_root_open(const struct file_root *root, const char *path)
{
	_cleanup_close_ int looked = open_as(root, path, O_PATH);

	if (looked < 0 || check_regular(looked) != 0)
		return -1;
	_cleanup_close_ int fd = open_as(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || check_regular(fd) != 0)
		return -1;
	return take_fd(&fd);
}

// SPDX-License-Identifier: MIT
/*
 * Files as another process names them: it may have another root directory, or other mounts (a
 * container). What is held keeps working after the process has ended.
 */
#ifndef FIREGLASS_OS_FILE_ROOT_H
#define FIREGLASS_OS_FILE_ROOT_H

#include <sys/types.h>

enum file_root_kind {
	FILE_ROOT_OURS,    // its files are ours
	FILE_ROOT_OTHER,   // they are others, and can be read
	FILE_ROOT_REFUSED, // they are others, and cannot
};

/* Zero is FILE_ROOT_OURS. */
struct file_root {
	enum file_root_kind kind;
	int fd;     // of FILE_ROOT_OTHER: the directory
	int mounts; // and its mount namespace, whose mounts go with its last process else; or -1
};

/* As the process has it now. A process that is gone changes nothing. */
void file_root_follow(struct file_root *root, pid_t pid);
void file_root_deinit(struct file_root *root);

/*
 * Opens a regular file for reading: -1 with errno if it cannot be, EINVAL if it is something else
 * (which is not opened). Symbolic links lead where they do for the process.
 */
int file_root_open(const struct file_root *root, const char *path);

#endif

// SPDX-License-Identifier: MIT
/*
 * The files that were mapped into a process that left a core file, as far as they are on this
 * machine: a core file leaves out pages that can be read there.
 *
 * Their names come from the core file, which may be anybody's. Only regular files that are ELF
 * objects are read, and only if the first bytes are those of the mapped one, where the core file
 * has them: a file that was replaced since, or is another on this machine, is refused.
 */
#ifndef FIREGLASS_OS_CORE_FILES_H
#define FIREGLASS_OS_CORE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "os/core_notes.h"
#include "os/file_root.h"

enum core_file_state {
	CORE_FILE_UNTRIED,
	CORE_FILE_GOOD,
	CORE_FILE_UNPROVEN, // the core file has nothing to compare it with
	CORE_FILE_MISSING,  // there is none, or it is no regular file
	CORE_FILE_DENIED,   // it may not be read
	CORE_FILE_OTHER,    // it is another file, or no ELF object
};

#define CORE_FILE_HEAD_BYTES 4096

struct core_file {
	enum core_file_state state;
	char *path;   // where it is looked for, through the root
	bool outside; // not through the root: it was named by the user
	int fd;       // -1: not open
	uint64_t bytes;
	dev_t dev;
	ino_t inode;
	// its first bytes as they were mapped; NULL: the core file does not have them
	unsigned char *head;
	size_t head_bytes;
};

struct core_files {
	struct file_root root;
	struct core_file *files;
	size_t count;
};

/* One for each of the names; `root`: a directory in which they are looked for, NULL: in "/". */
void core_files_init(
	struct core_files *files, char *const *paths, size_t count, const struct file_root *root);
void core_files_deinit(struct core_files *files);

/* Finds out what there is. True if it can be read. */
bool core_file_check(const struct core_files *files, struct core_file *file);

/* A descriptor to read it from; -1 if it cannot be read. */
int core_file_open(const struct core_files *files, struct core_file *file);

/*
 * Reads at most `len` bytes as a mapping shows them: zeros from the end of the file to the end of the
 * page. Returns how many; 0 if there are none.
 */
size_t core_file_read(const struct core_files *files, struct core_file *file, uint64_t offset,
	void *buf, size_t len);

#endif

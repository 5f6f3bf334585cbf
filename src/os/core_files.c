// SPDX-License-Identifier: MIT
#include "os/core_files.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define PAGE_BYTES 4096
#define DELETED_SUFFIX " (deleted)"

/* The kernel says so of a file whose name is gone; another one may have taken its place. */
static char *name_of(const char *path)
{
	size_t len = strlen(path), suffix = strlen(DELETED_SUFFIX);

	if (len > suffix && strcmp(path + len - suffix, DELETED_SUFFIX) == 0)
		len -= suffix;
	return xstrndup(path, len);
}

void core_files_init(
	struct core_files *files, char *const *paths, size_t count, const struct file_root *root)
{
	*files = (struct core_files){ .root = *root, .count = count };
	files->files = xcalloc(count + 1, sizeof(*files->files));
	for (size_t i = 0; i < count; i++)
		files->files[i] = (struct core_file){ .path = name_of(paths[i]), .fd = -1 };
}

void core_files_deinit(struct core_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		struct core_file *f = &files->files[i];

		if (f->fd >= 0)
			close(f->fd);
		free(f->path);
		free(f->head);
	}
	free(files->files);
	file_root_deinit(&files->root);
	*files = (struct core_files){ 0 };
}

static int open_file(const struct core_files *files, const struct core_file *file)
{
	static const struct file_root ours = { .kind = FILE_ROOT_OURS };

	if (file->path[0] != '/' && !file->outside) {
		errno = ENOENT;
		return -1;
	}
	return file_root_open(file->outside ? &ours : &files->root, file->path);
}

static enum core_file_state judge(const struct core_file *file, int fd)
{
	unsigned char head[CORE_FILE_HEAD_BYTES];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n < (ssize_t)sizeof(Elf64_Ehdr) || memcmp(head, ELFMAG, SELFMAG) != 0)
		return CORE_FILE_OTHER;
	if (!file->head)
		return CORE_FILE_UNPROVEN;
	// the mapped page goes on with zeros behind the end of a short file
	size_t common = (size_t)n < file->head_bytes ? (size_t)n : file->head_bytes;
	return memcmp(head, file->head, common) == 0 ? CORE_FILE_GOOD : CORE_FILE_OTHER;
}

static bool is_readable(const struct core_file *file)
{
	return file->state == CORE_FILE_GOOD || file->state == CORE_FILE_UNPROVEN;
}

bool core_file_check(const struct core_files *files, struct core_file *file)
{
	struct stat st;

	if (file->state != CORE_FILE_UNTRIED)
		return is_readable(file);
	_cleanup_close_ int fd = open_file(files, file);
	if (fd < 0 || fstat(fd, &st) != 0) {
		file->state =
			errno == EACCES || errno == EPERM ? CORE_FILE_DENIED : CORE_FILE_MISSING;
		return false;
	}
	file->dev = st.st_dev;
	file->inode = st.st_ino;
	file->bytes = (uint64_t)st.st_size;
	file->state = judge(file, fd);
	return is_readable(file);
}

int core_file_open(const struct core_files *files, struct core_file *file)
{
	struct stat st;

	if (!core_file_check(files, file))
		return -1;
	_cleanup_close_ int fd = open_file(files, file);
	if (fd < 0 || fstat(fd, &st) != 0 || st.st_dev != file->dev || st.st_ino != file->inode)
		return -1;
	return take_fd(&fd);
}

/* Opened when it is read first: a process may map more files than we may open at once. */
static bool is_open(const struct core_files *files, struct core_file *file)
{
	if (file->fd < 0)
		file->fd = core_file_open(files, file);
	return file->fd >= 0;
}

size_t core_file_read(const struct core_files *files, struct core_file *file, uint64_t offset,
	void *buf, size_t len)
{
	if (!is_open(files, file) || offset > INT64_MAX - PAGE_BYTES)
		return 0;
	if (offset < file->bytes) {
		size_t want = file->bytes - offset < len ? (size_t)(file->bytes - offset) : len;
		ssize_t n = pread(file->fd, buf, want, (off_t)offset);

		return n > 0 ? (size_t)n : 0;
	}
	uint64_t page_end = (file->bytes + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
	if (offset >= page_end)
		return 0;
	size_t zeros = page_end - offset < len ? (size_t)(page_end - offset) : len;
	memset(buf, 0, zeros);
	return zeros;
}

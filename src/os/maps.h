// SPDX-License-Identifier: MIT
/*
 * The memory map of a process, from the text of /proc/PID/maps.
 *
 * Parsing is pure (text in, array out); lines that make no sense are skipped and counted.
 */
#ifndef FIREGLASS_OS_MAPS_H
#define FIREGLASS_OS_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "os/mem_reader.h"

struct map;

/* Opens files of mappings that are not those of a process: descriptors to read from, -1 for none. */
struct map_opener {
	int (*open)(struct map_opener *opener, const struct map *map);
};

struct map {
	remote_addr start, end; // [start, end)
	uint64_t offset;        // into the file
	uint64_t inode;         // 0 = anonymous
	uint32_t dev_major, dev_minor;
	bool readable, writable, executable;
	bool deleted;           // the file is gone from its directory; the suffix is cut from `path`
	const char *path;       // "" for anonymous memory; "[heap]", "[stack]", "[vdso]" as they are
	struct map_opener *opener; // NULL: by way of the process
};

/* Sorted by address. Everything is freed by maps_deinit(). */
struct maps {
	struct map *entries;
	size_t count;
	size_t bad_lines;
	char *text; // the paths point into it
};

#define MAPS_TEXT_BYTES_MAX ((size_t)64 << 20)

/* Takes `text` over (changes and frees it). */
void maps_parse(struct maps *m, char *text, size_t len);

struct err *maps_read(struct maps *m, pid_t pid);
void maps_deinit(struct maps *m);

/* The entry that holds `addr`, or NULL. */
const struct map *maps_find(const struct maps *m, remote_addr addr);

/* True if both map the same file: device and inode, not the name. */
bool map_same_file(const struct map *a, const struct map *b);

#endif

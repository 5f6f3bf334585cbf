// SPDX-License-Identifier: MIT
/*
 * The memory of a process as a core file has it, of 64-bit little-endian machines that fireglass
 * knows (x86-64, aarch64): written by the kernel when a program crashed, or by gdb's gcore.
 *
 * Pages that are not in the file because they are those of a mapped file are read from that file, if
 * it is on this machine and still the same one (core_files.h). The core file is hostile input: tables
 * are capped, what is beyond its end does not exist.
 */
#ifndef FIREGLASS_OS_MEM_CORE_H
#define FIREGLASS_OS_MEM_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "os/core_files.h"
#include "os/core_notes.h"
#include "os/maps.h"
#include "os/mem_reader.h"

struct core_segment {
	remote_addr start, end; // [start, end) in memory
	uint64_t offset;        // in the core file
	uint64_t written,
		there; // bytes of it: that its writer meant to put there, and that are there
	bool readable, writable, executable;
};

struct mem_core {
	struct mem_reader reader;
	struct map_opener opener;
	int fd;
	uint64_t file_bytes, missing_bytes; // missing: cut off at the end
	uint16_t machine;
	struct core_segment *segments; // sorted, none overlaps another
	size_t count;
	struct buf note_bytes; // the notes point into it
	struct core_notes notes;
	struct core_files files;
	struct core_file *program; // the one that ran; NULL: it is not known which
};

/*
 * Opens a core file. `exe`: the program that left it, if not to be found under the name that it had,
 * or a directory in which the files that were mapped are; or NULL. ERR_FAILED names what is wrong
 * with it: no core file, another machine's, compressed, too short. deinit also after failure.
 */
struct err *mem_core_open(struct mem_core *core, const char *path, const char *exe);
/* The same from a descriptor, which is owned by `core` from then on; `path` for messages. */
struct err *mem_core_open_fd(struct mem_core *core, int fd, const char *path, const char *exe);
void mem_core_deinit(struct mem_core *core);

/* The last segment that begins at or below `addr`, or NULL; *next_ret: where the next one begins. */
const struct core_segment *mem_core_segment_below(
	const struct mem_core *core, remote_addr addr, remote_addr *next_ret);

/*
 * The memory map: what files were mapped to, and the rest without a name. It uses `core`, which must
 * outlive it. Inodes are not known: files have numbers of our own instead. "deleted": the file
 * cannot be read on this machine, or is another.
 */
void mem_core_maps(struct mem_core *core, struct maps *maps);

/* The whole command line as it was at the start, quoted for a shell, at most `cap` bytes. */
void mem_core_command_line(struct mem_core *core, size_t cap, struct buf *out);

#endif

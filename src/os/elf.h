// SPDX-License-Identifier: MIT
/*
 * ELF objects of a target: as they lie in its memory (no file needed: deleted files, containers,
 * chroots, stripped executables), and as files for what memory does not hold (.symtab, sections).
 *
 * Both are hostile input: every offset is checked, every table capped, every chain bounded.
 */
#ifndef FIREGLASS_OS_ELF_H
#define FIREGLASS_OS_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "os/maps.h"
#include "os/mem_reader.h"

#define ELF_BUILD_ID_MAX 64

/* An object as mapped in a target. */
struct elf_image {
	remote_addr base; // where its ELF header is
	remote_addr bias; // add to an address in the file to get one in memory; 0 for ET_EXEC
	uint16_t machine; // EM_X86_64, EM_AARCH64, ...
	remote_addr symtab, strtab, gnu_hash, sysv_hash; // 0 = none
	uint64_t strtab_bytes;
	uint8_t build_id[ELF_BUILD_ID_MAX];
	size_t build_id_len; // 0 = none
};

struct elf_symbol {
	remote_addr address; // bias added
	uint64_t size;       // st_size
};

/*
 * Reads headers and dynamic section of the object whose first mapping (file offset 0) is `first`.
 * READ_FAULT also if it is no 64-bit little-endian ELF object.
 */
enum read_status elf_image_open(
	struct mem_reader *mem, const struct map *first, struct elf_image *ret);

/* Looks a defined dynamic symbol up by its name, through the hash tables. */
bool elf_image_symbol(struct mem_reader *mem, const struct elf_image *image, const char *name,
	struct elf_symbol *ret);

/*
 * The GNU build id in the contents of a PT_NOTE segment whose alignment is `align`. Returns its
 * length, 0 if there is none.
 */
size_t elf_notes_build_id(
	const void *notes, size_t len, uint64_t align, uint8_t id_ret[ELF_BUILD_ID_MAX]);

/* An object as a file, opened by elf_file_open(). */
struct elf_file;

/*
 * Opens the file behind `map`, a mapping of process `pid`, whichever way leads to the very same
 * file: /proc/PID/exe, /proc/PID/map_files/..., /proc/PID/root + path, the plain path. Accepted
 * only if device and inode agree with the map, or else (overlayfs and btrfs show other devices in
 * maps than in stat) the build id with the image's, or else, where there is no build id, the inode
 * and the first page, read from the target. A file of the same name that is another is refused. A
 * mapping that has an opener (of a core file) is opened by it, and `pid` is not used.
 */
struct err *elf_file_open(
	pid_t pid, const struct map *map, const struct elf_image *image, struct elf_file **ret);
void elf_file_close(struct elf_file *file);

/*
 * A defined symbol of .symtab or .dynsym by name, local ones too. The address is the file's, add
 * the image's bias.
 */
bool elf_file_symbol(struct elf_file *file, const char *name, struct elf_symbol *ret);

/* A section by name; address as in the file. */
bool elf_file_section(struct elf_file *file, const char *name, struct elf_symbol *ret);

#endif

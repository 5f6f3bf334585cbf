// SPDX-License-Identifier: MIT
#include "os/elf.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "os/mem_live.h"

#define NOTE_BYTES_MAX 4096
#define FIRST_PAGE_BYTES 4096

struct elf_file {
	Elf *elf;
	int fd;
};

static struct elf_file *elf_file_create(int fd)
{
	elf_version(EV_CURRENT);
	// not mapped into memory: a file that shrinks would kill us
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);

	if (!elf || elf_kind(elf) != ELF_K_ELF || gelf_getclass(elf) != ELFCLASS64) {
		elf_end(elf);
		return NULL;
	}
	struct elf_file *file = xmalloc(sizeof(*file));
	*file = (struct elf_file){ .elf = elf, .fd = fd };
	return file;
}

void elf_file_close(struct elf_file *file)
{
	if (!file)
		return;
	elf_end(file->elf);
	close(file->fd);
	free(file);
}

static size_t file_build_id(struct elf_file *file, uint8_t id_ret[ELF_BUILD_ID_MAX])
{
	unsigned char notes[NOTE_BYTES_MAX];
	size_t count, len = 0;
	GElf_Phdr phdr;

	if (elf_getphdrnum(file->elf, &count) != 0)
		return 0;
	for (size_t i = 0; i < count && i < INT_MAX && len == 0; i++) {
		if (!gelf_getphdr(file->elf, (int)i, &phdr))
			return 0;
		if (phdr.p_type != PT_NOTE)
			continue;
		size_t want = phdr.p_filesz < sizeof(notes) ? phdr.p_filesz : sizeof(notes);
		ssize_t n = pread(file->fd, notes, want, (off_t)phdr.p_offset);
		if (n > 0)
			len = elf_notes_build_id(notes, (size_t)n, phdr.p_align, id_ret);
	}
	return len;
}

static bool same_first_page(pid_t pid, const struct elf_image *image, int fd)
{
	unsigned char in_file[FIRST_PAGE_BYTES], in_memory[FIRST_PAGE_BYTES];
	ssize_t n = pread(fd, in_file, sizeof(in_file), 0);
	struct mem_live mem;

	if (n < (ssize_t)sizeof(GElf_Ehdr))
		return false;
	mem_live_init(&mem, pid);
	enum read_status status = mem_read(&mem.reader, image->base, in_memory, (size_t)n);
	mem_live_deinit(&mem);
	return status == READ_OK && memcmp(in_file, in_memory, (size_t)n) == 0;
}

/* The object that is looked for, and what happened on the way. */
struct search {
	pid_t pid;
	const struct map *map;
	const struct elf_image *image;
	bool denied;     // a way was closed to us by permissions
	bool other_file; // a file was there, but another one
};

static bool is_same_file(const struct search *s, const struct stat *st, struct elf_file *file)
{
	uint8_t id[ELF_BUILD_ID_MAX];
	bool inode = st->st_ino == s->map->inode;

	if (inode && st->st_dev == makedev(s->map->dev_major, s->map->dev_minor))
		return true;
	size_t len = file_build_id(file, id);
	if (len || s->image->build_id_len)
		return len == s->image->build_id_len && memcmp(id, s->image->build_id, len) == 0;
	return inode && same_first_page(s->pid, s->image, file->fd);
}

/* Opens for reading what an O_PATH descriptor stands for. */
static int reopen(int path_fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* NULL if there is no such file there. */
static struct elf_file *try_path(struct search *s, const char *path)
{
	// O_PATH first: the target's file system may hold a device or FIFO under this name
	_cleanup_close_ int path_fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (path_fd < 0) {
		s->denied |= errno == EACCES || errno == EPERM;
		return NULL;
	}
	if (fstat(path_fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		s->other_file = true;
		return NULL;
	}
	_cleanup_close_ int fd = reopen(path_fd);
	if (fd < 0) {
		s->denied |= errno == EACCES || errno == EPERM;
		return NULL;
	}
	struct elf_file *file = elf_file_create(fd);
	if (!file) {
		s->other_file = true;
		return NULL;
	}
	take_fd(&fd); // owned by `file` now
	if (is_same_file(s, &st, file))
		return file;
	elf_file_close(file);
	s->other_file = true;
	return NULL;
}

static struct elf_file *try_proc(struct search *s, const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)s->pid, name);
	return try_path(s, path);
}

static struct elf_file *try_map_file(struct search *s)
{
	char name[64];

	snprintf(name, sizeof(name), "map_files/%llx-%llx", (unsigned long long)s->map->start,
		(unsigned long long)s->map->end);
	return try_proc(s, name);
}

/* The path as the target sees it, then as we see it. */
static struct elf_file *try_names(struct search *s)
{
	if (s->map->path[0] != '/')
		return NULL;
	_cleanup_free_ char *inside = xasprintf("/proc/%d/root%s", (int)s->pid, s->map->path);
	struct elf_file *file = try_path(s, inside);
	return file ? file : try_path(s, s->map->path);
}

static struct err *search_error(const struct search *s)
{
	const char *path = s->map->path;
	int pid = (int)s->pid;

	if (s->other_file || s->map->deleted)
		return err_new(ERR_FAILED,
			"cannot open '%s' of process %d: the file was deleted or replaced%s", path,
			pid, s->denied ? "; root can open it all the same" : "");
	if (s->denied)
		return err_new(ERR_PERMISSION,
			"cannot open '%s' of process %d: permission denied; run as root", path,
			pid);
	return err_new(ERR_FAILED, "cannot open '%s' of process %d: no such file", path, pid);
}

static struct err *open_by_opener(const struct map *map, struct elf_file **ret)
{
	_cleanup_close_ int fd = map->opener->open(map->opener, map);

	if (fd < 0)
		return err_new(ERR_FAILED, "cannot open '%s': not there, or another file", map->path);
	struct elf_file *file = elf_file_create(fd);
	if (!file)
		return err_new(ERR_FAILED, "cannot open '%s': no 64-bit ELF object", map->path);
	take_fd(&fd); // owned by `file` now
	*ret = file;
	return NULL;
}

struct err *elf_file_open(
	pid_t pid, const struct map *map, const struct elf_image *image, struct elf_file **ret)
{
	if (map->opener)
		return open_by_opener(map, ret);
	struct search s = { .pid = pid, .map = map, .image = image };
	struct elf_file *file = try_map_file(&s);

	if (!file) {
		// the executable is not what most maps show, so this proves nothing
		bool other_file = s.other_file;

		file = try_proc(&s, "exe");
		s.other_file = other_file;
	}
	if (!file)
		file = try_names(&s);
	if (!file)
		return search_error(&s);
	*ret = file;
	return NULL;
}

static bool table_symbol(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, const char *name,
	struct elf_symbol *ret)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t count = data && header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
	GElf_Sym symbol;

	for (size_t i = 1; i < count && i < INT_MAX && gelf_getsym(data, (int)i, &symbol); i++) {
		if (symbol.st_shndx == SHN_UNDEF || GELF_ST_TYPE(symbol.st_info) == STT_TLS)
			continue;
		const char *found = elf_strptr(elf, header->sh_link, symbol.st_name);
		if (!found || strcmp(found, name) != 0)
			continue;
		*ret = (struct elf_symbol){ .address = symbol.st_value, .size = symbol.st_size };
		return true;
	}
	return false;
}

static bool symbol_in(Elf *elf, uint32_t section_type, const char *name, struct elf_symbol *ret)
{
	GElf_Shdr header;

	for (Elf_Scn *s = elf_nextscn(elf, NULL); s; s = elf_nextscn(elf, s)) {
		if (gelf_getshdr(s, &header) && header.sh_type == section_type &&
			table_symbol(elf, s, &header, name, ret))
			return true;
	}
	return false;
}

bool elf_file_symbol(struct elf_file *file, const char *name, struct elf_symbol *ret)
{
	return symbol_in(file->elf, SHT_SYMTAB, name, ret) ||
		symbol_in(file->elf, SHT_DYNSYM, name, ret);
}

bool elf_file_section(struct elf_file *file, const char *name, struct elf_symbol *ret)
{
	GElf_Shdr header;
	size_t names;

	if (elf_getshdrstrndx(file->elf, &names) != 0)
		return false;
	for (Elf_Scn *s = elf_nextscn(file->elf, NULL); s; s = elf_nextscn(file->elf, s)) {
		if (!gelf_getshdr(s, &header))
			return false;
		const char *found = elf_strptr(file->elf, names, header.sh_name);
		if (!found || strcmp(found, name) != 0)
			continue;
		*ret = (struct elf_symbol){ .address = header.sh_addr, .size = header.sh_size };
		return true;
	}
	return false;
}

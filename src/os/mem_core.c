// SPDX-License-Identifier: MIT
#include "os/mem_core.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define SEGMENTS_MAX ((size_t)1 << 20)
#define NOTE_BYTES_MAX ((size_t)256 << 20)

static void core_init(struct mem_core *core);

void mem_core_deinit(struct mem_core *core)
{
	if (core->fd >= 0)
		close(core->fd);
	free(core->segments);
	buf_deinit(&core->note_bytes);
	core_notes_deinit(&core->notes);
	core_files_deinit(&core->files);
	core_init(core);
}

/* ---- reading ---------------------------------------------------------------------------------- */

const struct core_segment *mem_core_segment_below(
	const struct mem_core *core, remote_addr addr, remote_addr *next_ret)
{
	size_t low = 0, high = core->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (core->segments[middle].start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	*next_ret = low < core->count ? core->segments[low].start : UINT64_MAX;
	return low ? &core->segments[low - 1] : NULL;
}

static size_t at_most(size_t len, uint64_t limit)
{
	return limit < len ? (size_t)limit : len;
}

static size_t read_mapped(struct mem_core *core, remote_addr addr, void *buf, size_t len)
{
	remote_addr next;
	const struct core_mapping *map = core_notes_mapping(&core->notes, addr, &next);
	uint64_t offset;

	if (!map || __builtin_add_overflow(map->offset, addr - map->start, &offset))
		return 0;
	return core_file_read(&core->files, &core->files.files[map->file], offset, buf,
		at_most(len, map->end - addr));
}

/* What one place has of it: how many bytes at `addr` were read, 0 if there are none. */
static size_t read_piece(struct mem_core *core, remote_addr addr, void *buf, size_t len)
{
	remote_addr next;
	const struct core_segment *s = mem_core_segment_below(core, addr, &next);

	if (!s || addr >= s->end)
		return read_mapped(core, addr, buf, at_most(len, next - addr));
	uint64_t at = addr - s->start;
	if (at < s->there) {
		ssize_t n =
			pread(core->fd, buf, at_most(len, s->there - at), (off_t)(s->offset + at));

		return n > 0 ? (size_t)n : 0;
	}
	// what was cut off may have been written to, unless nobody could
	if (at < s->written && s->writable)
		return 0;
	uint64_t end = at < s->written ? s->written : s->end - s->start;
	return read_mapped(core, addr, buf, at_most(len, end - at));
}

static enum read_status read_range(struct mem_core *core, const struct mem_range *range)
{
	for (size_t done = 0; done < range->len;) {
		remote_addr addr;

		if (__builtin_add_overflow(range->addr, done, &addr))
			return READ_FAULT;
		size_t n = read_piece(core, addr, (char *)range->buf + done, range->len - done);
		if (n == 0)
			return READ_FAULT;
		done += n;
	}
	return READ_OK;
}

static enum read_status core_readv(
	struct mem_reader *reader, const struct mem_range *ranges, size_t count, size_t *whole_ret)
{
	struct mem_core *core = (struct mem_core *)reader;

	*whole_ret = 0;
	if (count > MEM_RANGES_MAX)
		return READ_FAULT;
	for (size_t i = 0; i < count; i++) {
		enum read_status status = read_range(core, &ranges[i]);

		if (status != READ_OK)
			return status;
		(*whole_ret)++;
	}
	return READ_OK;
}

static int open_mapped(struct map_opener *opener, const struct map *map)
{
	struct mem_core *core =
		(struct mem_core *)(void *)((char *)opener - offsetof(struct mem_core, opener));

	return core_file_open(&core->files, &core->files.files[map->inode - 1]);
}

static void core_init(struct mem_core *core)
{
	static const struct mem_reader_ops ops = { .readv = core_readv };

	*core = (struct mem_core){ .reader.ops = &ops, .opener.open = open_mapped, .fd = -1 };
}

/* ---- headers ---------------------------------------------------------------------------------- */

static bool pread_all(const struct mem_core *core, void *buf, size_t len, uint64_t offset)
{
	size_t done = 0;

	if (offset > core->file_bytes || len > core->file_bytes - offset)
		return false;
	while (done < len) {
		ssize_t n = pread(core->fd, (char *)buf + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* Core files are put away compressed by systemd and others. NULL: with nothing known. */
static const char *unpacker(const unsigned char *head)
{
	static const struct {
		unsigned char magic[4];
		size_t bytes;
		const char *command;
	} packers[] = {
		{ { 0x28, 0xb5, 0x2f, 0xfd }, 4, "zstd -d" },
		{ { 0x1f, 0x8b }, 2, "gunzip" },
		{ { 0xfd, '7', 'z', 'X' }, 4, "unxz" },
		{ { 0x04, 0x22, 0x4d, 0x18 }, 4, "lz4 -d" },
		{ { 'B', 'Z', 'h' }, 3, "bunzip2" },
	};

	for (size_t i = 0; i < ARRAY_LEN(packers); i++)
		if (memcmp(head, packers[i].magic, packers[i].bytes) == 0)
			return packers[i].command;
	return NULL;
}

static struct err *check_header(const Elf64_Ehdr *ehdr)
{
	const char *command = unpacker(ehdr->e_ident);

	if (command)
		return err_new(ERR_FAILED, "it is compressed; unpack it first, with '%s'", command);
	if (memcmp(ehdr->e_ident, ELFMAG, SELFMAG) != 0)
		return err_new(ERR_FAILED, "it is no core file (not ELF)");
	if (ehdr->e_ident[EI_CLASS] != ELFCLASS64)
		return err_new(
			ERR_FAILED, "it is of a 32-bit program; fireglass reads 64-bit ones");
	if (ehdr->e_ident[EI_DATA] != ELFDATA2LSB ||
		(ehdr->e_machine != EM_X86_64 && ehdr->e_machine != EM_AARCH64))
		return err_new(ERR_FAILED,
			"it is of another kind of machine (ELF machine %d, %s-endian); fireglass reads "
			"those of x86-64 and aarch64",
			ehdr->e_ident[EI_DATA] == ELFDATA2LSB ? ehdr->e_machine
							      : __builtin_bswap16(ehdr->e_machine),
			ehdr->e_ident[EI_DATA] == ELFDATA2LSB ? "little" : "big");
	if (ehdr->e_type != ET_CORE)
		return err_new(ERR_FAILED,
			"it is a program or a library, not a core file; give a program with --exe");
	if (ehdr->e_phentsize != sizeof(Elf64_Phdr))
		return err_new(ERR_FAILED, "it is damaged: its headers make no sense");
	return NULL;
}

/* With 65535 segments and more their number is in the first section header. */
static bool segment_count(const struct mem_core *core, const Elf64_Ehdr *ehdr, size_t *ret)
{
	Elf64_Shdr first;

	*ret = ehdr->e_phnum;
	if (ehdr->e_phnum != PN_XNUM)
		return true;
	if (!pread_all(core, &first, sizeof(first), ehdr->e_shoff) || first.sh_info > SEGMENTS_MAX)
		return false;
	*ret = first.sh_info;
	return true;
}

static struct err *read_phdrs(struct mem_core *core, Elf64_Phdr **ret, size_t *count_ret)
{
	Elf64_Ehdr ehdr = { 0 };

	if (!pread_all(core, &ehdr, at_most(sizeof(ehdr), core->file_bytes), 0) ||
		core->file_bytes < EI_NIDENT)
		return err_new(ERR_FAILED, "it is no core file (too short)");
	struct err *err = check_header(&ehdr);
	if (err)
		return err;
	core->machine = ehdr.e_machine;
	if (!segment_count(core, &ehdr, count_ret))
		return err_new(ERR_FAILED, "it is cut short: the list of what is in it is missing");
	// before memory is taken for it
	if (*count_ret > core->file_bytes / sizeof(Elf64_Phdr))
		return err_new(ERR_FAILED, "it is cut short: the list of what is in it is missing");
	_cleanup_free_ Elf64_Phdr *phdrs = xcalloc(*count_ret + 1, sizeof(*phdrs));
	if (!pread_all(core, phdrs, *count_ret * sizeof(*phdrs), ehdr.e_phoff))
		return err_new(ERR_FAILED, "it is cut short: the list of what is in it is missing");
	*ret = take_ptr(&phdrs);
	return NULL;
}

/* ---- segments and notes ------------------------------------------------------------------------ */

static uint64_t bytes_there(const struct mem_core *core, uint64_t offset, uint64_t bytes)
{
	if (offset >= core->file_bytes)
		return 0;
	return bytes < core->file_bytes - offset ? bytes : core->file_bytes - offset;
}

static int compare_segments(const void *a, const void *b)
{
	const struct core_segment *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void take_segments(struct mem_core *core, const Elf64_Phdr *phdrs, size_t count)
{
	size_t kept = 0;

	core->segments = xcalloc(count + 1, sizeof(*core->segments));
	for (size_t i = 0; i < count; i++) {
		const Elf64_Phdr *p = &phdrs[i];
		struct core_segment s = {
			.start = p->p_vaddr,
			.offset = p->p_offset,
			.written = p->p_filesz < p->p_memsz ? p->p_filesz : p->p_memsz,
			.readable = p->p_flags & PF_R,
			.writable = p->p_flags & PF_W,
			.executable = p->p_flags & PF_X,
		};

		if (p->p_type != PT_LOAD || !p->p_memsz || p->p_offset > INT64_MAX / 2 ||
			__builtin_add_overflow(p->p_vaddr, p->p_memsz, &s.end))
			continue;
		s.there = bytes_there(core, s.offset, s.written);
		core->missing_bytes += s.written - s.there;
		core->segments[core->count++] = s;
	}
	qsort(core->segments, core->count, sizeof(*core->segments), compare_segments);
	for (size_t i = 0; i < core->count; i++)
		if (!kept || core->segments[i].start >= core->segments[kept - 1].end)
			core->segments[kept++] = core->segments[i];
	core->count = kept;
}

static void take_notes(struct mem_core *core, const Elf64_Phdr *phdrs, size_t count)
{
	size_t total = 0;

	for (size_t i = 0; i < count; i++)
		if (phdrs[i].p_type == PT_NOTE && total < NOTE_BYTES_MAX)
			total += at_most(NOTE_BYTES_MAX - total,
				bytes_there(core, phdrs[i].p_offset, phdrs[i].p_filesz));
	// all at once: what is parsed points into it
	buf_reserve(&core->note_bytes, total);
	for (size_t i = 0; i < count; i++) {
		struct buf *b = &core->note_bytes;
		char *at = b->data + b->len;

		if (phdrs[i].p_type != PT_NOTE || b->len >= total)
			continue;
		size_t bytes = at_most(
			total - b->len, bytes_there(core, phdrs[i].p_offset, phdrs[i].p_filesz));
		if (!pread_all(core, at, bytes, phdrs[i].p_offset))
			return;
		b->len += bytes;
		core_notes_add(&core->notes, core->machine, at, bytes);
	}
}

/* ---- the files -------------------------------------------------------------------------------- */

/* What the core file itself has at `addr`, nothing of other files; returns how many bytes. */
static size_t read_own(struct mem_core *core, remote_addr addr, void *buf, size_t len)
{
	remote_addr next;
	const struct core_segment *s = mem_core_segment_below(core, addr, &next);

	if (!s || addr >= s->end || addr - s->start >= s->there)
		return 0;
	uint64_t at = addr - s->start;
	len = at_most(len, s->there - at);
	return pread_all(core, buf, len, s->offset + at) ? len : 0;
}

/* Of a page that could be written to, the headers alone are what they are in the file. */
static size_t constant_bytes(const struct mem_core *core, const unsigned char *head, size_t len,
	const struct core_mapping *m)
{
	remote_addr next;
	const struct core_segment *s = mem_core_segment_below(core, m->start, &next);
	Elf64_Ehdr ehdr;

	if (!s || !s->writable)
		return len;
	memcpy(&ehdr, head, sizeof(ehdr));
	return ehdr.e_phoff != sizeof(ehdr)
		? sizeof(ehdr)
		: at_most(len, sizeof(ehdr) + ehdr.e_phnum * sizeof(Elf64_Phdr));
}

static void take_heads(struct mem_core *core)
{
	unsigned char head[CORE_FILE_HEAD_BYTES];

	for (size_t i = 0; i < core->notes.mapping_count; i++) {
		const struct core_mapping *m = &core->notes.mappings[i];
		struct core_file *file = &core->files.files[m->file];

		if (m->offset != 0 || file->head)
			continue;
		size_t n = read_own(core, m->start, head, at_most(sizeof(head), m->end - m->start));
		if (n < sizeof(Elf64_Ehdr))
			continue;
		n = constant_bytes(core, head, n, m);
		file->head = xmalloc(n);
		file->head_bytes = n;
		memcpy(file->head, head, n);
	}
}

static bool is_named(const char *path, const char *comm)
{
	const char *slash = strrchr(path, '/');

	return *comm && strncmp(slash ? slash + 1 : path, comm, strlen(comm)) == 0;
}

/* What holds the first instruction; or has the name of the process; or comes first in memory. */
static struct core_file *find_program(struct mem_core *core)
{
	remote_addr next;
	const struct core_mapping *m = core_notes_mapping(&core->notes, core->notes.entry, &next);

	if (m)
		return &core->files.files[m->file];
	for (size_t i = 0; i < core->files.count; i++)
		if (is_named(core->files.files[i].path, core->notes.comm))
			return &core->files.files[i];
	return core->notes.mapping_count ? &core->files.files[core->notes.mappings[0].file] : NULL;
}

static struct err *use_program(struct mem_core *core, const char *exe)
{
	struct core_file *program = core->program;

	if (!program)
		return err_new(ERR_FAILED,
			"it does not say which files were mapped (no NT_FILE note), so that '%s' is of no use",
			exe);
	_cleanup_free_ char *was = program->path;
	program->path = xstrdup(exe);
	program->outside = true;
	if (core_file_check(&core->files, program))
		return NULL;
	if (program->state == CORE_FILE_OTHER)
		return err_new(ERR_FAILED,
			"'%s' is not the program that left it, which was '%s' (their first bytes differ: "
			"another build)",
			exe, was);
	return program->state == CORE_FILE_DENIED ? err_errno(EACCES, "cannot read '%s'", exe)
						  : err_errno(ENOENT, "cannot read '%s'", exe);
}

static struct err *take_files(struct mem_core *core, const char *exe)
{
	struct file_root root = { .kind = FILE_ROOT_OURS };
	struct stat st;
	bool is_dir = exe && stat(exe, &st) == 0 && S_ISDIR(st.st_mode);

	if (is_dir) {
		root = (struct file_root){
			.kind = FILE_ROOT_OTHER,
			.fd = open(exe, O_PATH | O_DIRECTORY | O_CLOEXEC),
			.mounts = -1,
		};
		if (root.fd < 0)
			return err_errno(errno, "cannot open '%s'", exe);
	}
	core_files_init(&core->files, core->notes.paths, core->notes.path_count, &root);
	take_heads(core);
	core->program = find_program(core);
	return exe && !is_dir ? use_program(core, exe) : NULL;
}

/* ---- opening ---------------------------------------------------------------------------------- */

static struct err *open_core(struct mem_core *core, const char *exe)
{
	_cleanup_free_ Elf64_Phdr *phdrs = NULL;
	struct stat st;
	size_t count = 0;

	if (fstat(core->fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_new(ERR_FAILED, "it is no regular file");
	core->file_bytes = (uint64_t)st.st_size;
	struct err *err = read_phdrs(core, &phdrs, &count);
	if (err)
		return err;
	take_segments(core, phdrs, count);
	take_notes(core, phdrs, count);
	if (!core->notes.thread_count)
		return err_new(ERR_FAILED,
			"it is damaged: it says nothing of threads (no NT_PRSTATUS note)");
	return take_files(core, exe);
}

struct err *mem_core_open_fd(struct mem_core *core, int fd, const char *path, const char *exe)
{
	core_init(core);
	core->fd = fd;
	struct err *err = open_core(core, exe);
	return err ? err_prefix(err, "cannot read core file '%s'", path) : NULL;
}

struct err *mem_core_open(struct mem_core *core, const char *path, const char *exe)
{
	core_init(core);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_errno(errno, "cannot open core file '%s'", path);
	return mem_core_open_fd(core, fd, path, exe);
}

// SPDX-License-Identifier: MIT
/*
 * Finding the runtime, from the surest way to the last resort: exported symbols in the object's own
 * dynamic section in memory; the file's symbol table and sections; the debug-offsets cookie in
 * writable memory (3.13 and newer).
 */
#include "pyabi/runtime.h"

#include <ctype.h>
#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "os/elf.h"

/* One object that might hold Python. */
struct candidate {
	const struct map *first; // its mapping at file offset 0
	int rank;                // the lower, the sooner it is looked at
};

#define CANDIDATES_MAX 512

/* ---- which objects, in which order ------------------------------------------------------------ */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int candidate_rank(const struct map *map, const char *exe_path)
{
	if (exe_path && strcmp(map->path, exe_path) == 0)
		return 0;
	return strstr(base_name(map->path), "python") ? 1 : 2;
}

static bool has_executable_part(const struct maps *maps, const struct map *first)
{
	for (const struct map *m = first; m < maps->entries + maps->count; m++) {
		if (m->inode && !map_same_file(m, first))
			return false;
		if (m->executable && map_same_file(m, first))
			return true;
	}
	return false;
}

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->first->start < y->first->start ? -1 : x->first->start > y->first->start;
}

static size_t find_candidates(
	const struct maps *maps, const char *exe_path, struct candidate found[CANDIDATES_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < maps->count && count < CANDIDATES_MAX; i++) {
		const struct map *m = &maps->entries[i];

		if (m->offset != 0 || !m->inode || !m->readable || !has_executable_part(maps, m))
			continue;
		found[count++] = (struct candidate){ m, candidate_rank(m, exe_path) };
	}
	qsort(found, count, sizeof(*found), compare_candidates);
	return count;
}

/* ---- symbols ---------------------------------------------------------------------------------- */

/* An object in memory, and its file once something was asked of it that memory does not have. */
struct object {
	struct mem_reader *mem;
	pid_t pid;
	const struct map *map;
	struct elf_image image;
	struct elf_file *file;
	bool file_tried;
};

static struct elf_file *object_file(struct object *o)
{
	if (!o->file_tried) {
		o->file_tried = true;
		err_free(elf_file_open(o->pid, o->map, &o->image, &o->file));
	}
	return o->file;
}

static bool object_exports(struct object *o, const char *name, struct elf_symbol *ret)
{
	return elf_image_symbol(o->mem, &o->image, name, ret);
}

/* A symbol or, failing that, a section of the file; both with the bias added. */
static bool file_symbol(struct object *o, const char *symbol, const char *section,
	struct elf_symbol *ret)
{
	struct elf_file *file = object_file(o);

	if (!file)
		return false;
	if (!elf_file_symbol(file, symbol, ret) &&
		(!section || !elf_file_section(file, section, ret)))
		return false;
	ret->address += o->image.bias;
	return true;
}

/* ---- versions --------------------------------------------------------------------------------- */

static uint32_t hex(unsigned int major, unsigned int minor)
{
	return (uint32_t)major << 24 | (uint32_t)minor << 16;
}

/* 3.7 to 3.10 are told by the size of _PyRuntime. */
static uint32_t version_by_runtime_size(uint16_t machine, uint64_t size)
{
	static const struct {
		uint16_t machine;
		uint64_t size;
		unsigned int minor;
	} sizes[] = {
		{ EM_X86_64, 1432, 7 }, { EM_X86_64, 1520, 7 }, { EM_X86_64, 1464, 8 },
		{ EM_X86_64, 656, 9 }, { EM_X86_64, 672, 10 },
		{ EM_AARCH64, 1536, 7 }, { EM_AARCH64, 1480, 8 }, { EM_AARCH64, 672, 9 },
		{ EM_AARCH64, 688, 10 },
	};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		if (sizes[i].machine == machine && sizes[i].size == size)
			return hex(3, sizes[i].minor);
	return 0;
}

/* "libpython3.8.so.1.0", "python3.8": what the name claims, 0 if nothing. */
static uint32_t version_by_name(const char *path)
{
	const char *name = strstr(base_name(path), "python");
	unsigned int major, minor;

	if (!name || sscanf(name, "python%u.%u", &major, &minor) != 2 || major > 9 || minor > 99)
		return 0;
	return hex(major, minor);
}

static uint32_t version_by_symbol(struct object *o)
{
	struct elf_symbol symbol;
	uint64_t version;

	if (!object_exports(o, "Py_Version", &symbol) && !file_symbol(o, "Py_Version", NULL, &symbol))
		return 0;
	if (mem_read_u64(o->mem, symbol.address, &version) != READ_OK || version >> 24 != 3)
		return 0;
	return (uint32_t)version;
}

static uint32_t runtime_version_hex(struct object *o, uint64_t runtime_bytes)
{
	uint32_t version = version_by_symbol(o);

	if (!version)
		version = version_by_runtime_size(o->image.machine, runtime_bytes);
	return version ? version : version_by_name(o->map->path);
}

/* Before 3.7 there is no runtime structure: told by functions that came with a release. */
static uint32_t old_version(struct object *o)
{
	struct elf_symbol ignored;

	if (object_exports(o, "PyInt_FromLong", &ignored))
		return object_exports(o, "PyCapsule_New", &ignored) ? hex(2, 7) : hex(2, 6);
	if (object_exports(o, "PyOS_FSPath", &ignored))
		return hex(3, 6);
	uint32_t named = version_by_name(o->map->path);
	return named ? named : hex(3, 5);
}

/* ---- 3.7 and newer ---------------------------------------------------------------------------- */

static struct err *describe_runtime(
	struct object *o, remote_addr address, uint64_t runtime_bytes, struct py_runtime *rt)
{
	unsigned char bytes[DEBUG_OFFSETS_BYTES_MAX];
	struct py_debug_header header;
	struct err *err;

	*rt = (struct py_runtime){ .address = address, .machine = o->image.machine };
	if (mem_read(o->mem, address, bytes, sizeof(bytes)) == READ_OK &&
		layout_parse_debug_header(bytes, sizeof(bytes), &header)) {
		rt->version_hex = (uint32_t)header.version;
		err = layout_from_debug_offsets(&rt->layout, bytes, sizeof(bytes), &rt->guessed);
	} else {
		rt->version_hex = runtime_version_hex(o, runtime_bytes);
		if (!rt->version_hex)
			return err_new(ERR_NOT_PYTHON,
				"'%s' holds a Python runtime of unknown version", o->map->path);
		err = layout_for_version(
			&rt->layout, rt->version_hex, rt->machine, runtime_bytes);
	}
	if (err)
		return err;
	rt->interp_head = address + rt->layout.at.runtime_interpreters_head;
	if (rt->layout.at.runtime_tstate_current != OFFSET_NONE)
		rt->tstate_current = address + rt->layout.at.runtime_tstate_current;
	return NULL;
}

/* ---- 2.7 and 3.6 ------------------------------------------------------------------------------ */

/*
 * PyInterpreterState_Head() is "return interp_head": on x86-64 `mov rel32(%rip),%rax; ret`, on
 * aarch64 `adrp x0, page; ldr x0, [x0, #imm]; ret`. The exported function survives stripping, the
 * static variable's name does not.
 */
static remote_addr head_from_x86_64(remote_addr function, const unsigned char *code)
{
	static const unsigned char endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	static const unsigned char mov_rip[] = { 0x48, 0x8b, 0x05 };
	int32_t relative;

	if (memcmp(code, endbr64, sizeof(endbr64)) == 0) {
		code += sizeof(endbr64);
		function += sizeof(endbr64);
	}
	if (memcmp(code, mov_rip, sizeof(mov_rip)) != 0 || code[7] != 0xc3)
		return 0;
	memcpy(&relative, code + 3, sizeof(relative));
	return function + 7 + (remote_addr)(int64_t)relative;
}

static remote_addr head_from_aarch64(remote_addr function, const unsigned char *code)
{
	uint32_t adrp, ldr;

	memcpy(&adrp, code, sizeof(adrp));
	memcpy(&ldr, code + 4, sizeof(ldr));
	if ((adrp & 0x9f00001f) != 0x90000000 || (ldr & 0xffc003ff) != 0xf9400000)
		return 0;
	uint64_t page = (uint64_t)(adrp >> 5 & 0x7ffff) << 2 | (adrp >> 29 & 3);
	int64_t offset = (int64_t)(page << 43) >> 31; // sign-extended from 21 bits, times 4096
	return (function & ~(remote_addr)0xfff) + (remote_addr)offset + (ldr >> 10 & 0xfff) * 8;
}

static remote_addr interp_head_address(struct object *o)
{
	struct elf_symbol symbol;
	unsigned char code[16];

	if (object_exports(o, "PyInterpreterState_Head", &symbol) &&
		mem_read(o->mem, symbol.address, code, sizeof(code)) == READ_OK) {
		remote_addr head = o->image.machine == EM_AARCH64 ?
			head_from_aarch64(symbol.address, code) :
			head_from_x86_64(symbol.address, code);
		if (head)
			return head;
	}
	return file_symbol(o, "interp_head", NULL, &symbol) ? symbol.address : 0;
}

static struct err *describe_old_python(struct object *o, remote_addr current, struct py_runtime *rt)
{
	*rt = (struct py_runtime){ .machine = o->image.machine, .tstate_current = current };
	rt->version_hex = old_version(o);
	struct err *err = layout_for_version(&rt->layout, rt->version_hex, rt->machine, 0);
	if (err)
		return err;
	rt->interp_head = interp_head_address(o);
	if (!rt->interp_head)
		return err_new(ERR_NOT_PYTHON,
			"'%s' holds Python %s, but where it keeps its interpreters cannot be found "
			"(no symbol table)",
			o->map->path, rt->layout.name);
	return NULL;
}

/* ---- one object ------------------------------------------------------------------------------- */

/* NULL and *found_ret false: no Python in here. */
static struct err *inspect(struct object *o, struct py_runtime *rt, bool *found_ret)
{
	struct elf_symbol symbol;

	*found_ret = true;
	if (object_exports(o, "_PyRuntime", &symbol))
		return describe_runtime(o, symbol.address, symbol.size, rt);
	if (object_exports(o, "_PyThreadState_Current", &symbol))
		return describe_old_python(o, symbol.address, rt);
	*found_ret = false;
	return NULL;
}

/* For what exports nothing: symbol table and sections of the file, which cost more to look at. */
static struct err *inspect_file(struct object *o, struct py_runtime *rt, bool *found_ret)
{
	struct elf_symbol symbol;

	*found_ret = true;
	if (file_symbol(o, "_PyRuntime", ".PyRuntime", &symbol))
		return describe_runtime(o, symbol.address, symbol.size, rt);
	if (file_symbol(o, "_PyThreadState_Current", NULL, &symbol))
		return describe_old_python(o, symbol.address, rt);
	*found_ret = false;
	return NULL;
}

typedef struct err *(*inspector)(struct object *o, struct py_runtime *rt, bool *found_ret);

static bool open_object(
	struct object *o, struct mem_reader *mem, pid_t pid, const struct candidate *candidate)
{
	*o = (struct object){ .mem = mem, .pid = pid, .map = candidate->first };
	return elf_image_open(mem, candidate->first, &o->image) == READ_OK;
}

/*
 * Looks at the candidates in order. Two may hold a runtime (an embedder with a library it does not
 * use): the one with an interpreter wins; else the first.
 */
static struct err *inspect_all(struct py_runtime *ret, bool *found_ret, struct mem_reader *mem,
	pid_t pid, const struct candidate *candidates, size_t count, inspector inspect_one)
{
	struct err *failure = NULL;

	*found_ret = false;
	for (size_t i = 0; i < count; i++) {
		struct py_runtime rt;
		struct object object;
		bool found;

		if (!open_object(&object, mem, pid, &candidates[i]))
			continue;
		struct err *err = inspect_one(&object, &rt, &found);
		elf_file_close(object.file);
		if (err) {
			err_free(failure);
			failure = err;
			continue;
		}
		if (!found)
			continue;
		bool ready = runtime_ready(&rt, mem) == READ_OK;
		if (ready || !*found_ret)
			*ret = rt;
		*found_ret = true;
		if (ready)
			break;
	}
	if (!*found_ret)
		return failure;
	err_free(failure);
	return NULL;
}

/* ---- last resort: the cookie in memory -------------------------------------------------------- */

#define SCAN_BYTES_MAX ((uint64_t)64 << 20)
#define SCAN_CHUNK_BYTES ((size_t)256 << 10)

static bool scan_chunk(const unsigned char *bytes, size_t len, remote_addr base, remote_addr *found)
{
	struct py_debug_header header;

	for (size_t i = 0; i + 24 <= len; i += 8) {
		if (!layout_parse_debug_header(bytes + i, len - i, &header))
			continue;
		*found = base + i;
		return true;
	}
	return false;
}

static bool scan_map(struct mem_reader *mem, const struct map *map, remote_addr *found)
{
	_cleanup_free_ unsigned char *bytes = xmalloc(SCAN_CHUNK_BYTES);
	remote_addr end = map->end - map->start > SCAN_BYTES_MAX ? map->start + SCAN_BYTES_MAX :
								  map->end;

	for (remote_addr at = map->start; at < end; at += SCAN_CHUNK_BYTES) {
		size_t len = end - at < SCAN_CHUNK_BYTES ? (size_t)(end - at) : SCAN_CHUNK_BYTES;

		if (mem_read(mem, at, bytes, len) == READ_OK && scan_chunk(bytes, len, at, found))
			return true;
	}
	return false;
}

/* Writable memory of a file only: read-only data of other profilers hold the cookie as a constant. */
static struct err *scan_all(
	struct py_runtime *ret, bool *found_ret, struct mem_reader *mem, const struct maps *maps)
{
	for (size_t i = 0; i < maps->count; i++) {
		const struct map *m = &maps->entries[i];
		struct object o = { .mem = mem, .map = m, .file_tried = true };
		remote_addr address;

		if (!m->inode || !m->writable || !m->readable || !scan_map(mem, m, &address))
			continue;
		// the machine only matters to releases that do not describe themselves
		struct err *err = describe_runtime(&o, address, 0, ret);
		*found_ret = !err;
		return err;
	}
	return NULL;
}

/* ---- putting it together ---------------------------------------------------------------------- */

static struct err *no_python(const struct maps *maps, pid_t pid, const char *exe_path)
{
	const char *exe = exe_path && *exe_path ? exe_path : "the program";

	for (size_t i = 0; i < maps->count; i++)
		if (strstr(base_name(maps->entries[i].path), "pypy") ||
			strstr(base_name(maps->entries[i].path), "libgraal"))
			return err_new(ERR_NOT_PYTHON,
				"'%s' is another Python than CPython; fireglass reads CPython %s", exe,
				layout_versions_text());
	return err_new(ERR_NOT_PYTHON, "'%s' has no Python in it%s", exe,
		pid ? "; give the process id of the Python process itself, not of its shell or "
		      "launcher" :
		      "");
}

struct err *runtime_detect(struct py_runtime *ret, struct mem_reader *mem, const struct maps *maps,
	pid_t pid, const char *exe_path)
{
	struct candidate candidates[CANDIDATES_MAX] = { 0 };
	size_t count = find_candidates(maps, exe_path, candidates);
	struct py_runtime rt;
	bool found;
	struct err *err = inspect_all(&rt, &found, mem, pid, candidates, count, inspect);

	if (!found && !err) {
		// only what might be an interpreter: reading every library's file takes long
		size_t likely = 0;
		while (likely < count && candidates[likely].rank < 2)
			likely++;
		err = inspect_all(&rt, &found, mem, pid, candidates, likely, inspect_file);
	}
	if (!found && !err)
		err = scan_all(&rt, &found, mem, maps);
	if (err)
		return err;
	if (!found)
		return no_python(maps, pid, exe_path);
	*ret = rt;
	return NULL;
}

enum read_status runtime_ready(const struct py_runtime *rt, struct mem_reader *mem)
{
	const struct py_offsets *at = &rt->layout.at;
	remote_addr interp, thread, back;
	enum read_status status = mem_read_u64(mem, rt->interp_head, &interp);

	if (status != READ_OK)
		return status;
	if (!remote_plausible(interp))
		return READ_TORN;
	status = mem_read_u64(mem, interp + at->interp_threads_head, &thread);
	if (status != READ_OK)
		return status;
	if (!remote_plausible(thread))
		return READ_TORN;
	status = mem_read_u64(mem, thread + at->thread_interp, &back);
	if (status != READ_OK)
		return status;
	return back == interp ? READ_OK : READ_TORN;
}

/* sys.version of the newest interpreter, up to the first blank. */
static enum read_status read_sys_version(
	const struct py_runtime *rt, struct mem_reader *mem, struct buf *out)
{
	struct py_memory py = runtime_memory(rt, mem);
	const struct py_offsets *at = &rt->layout.at;
	remote_addr interp, modules, sys = 0, dict, version = 0;
	enum read_status status = mem_read_u64(mem, rt->interp_head, &interp);

	if (status == READ_OK)
		status = mem_read_u64(mem, interp + at->interp_modules, &modules);
	if (status == READ_OK)
		status = object_dict_get(&py, modules, "sys", &sys);
	if (status == READ_OK)
		status = mem_read_u64(mem, sys + at->module_dict, &dict);
	if (status == READ_OK)
		status = object_dict_get(&py, dict, "version", &version);
	return status == READ_OK ? object_text(&py, version, out) : status;
}

void runtime_version(const struct py_runtime *rt, struct mem_reader *mem, struct buf *out)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (read_sys_version(rt, mem, &text) == READ_OK && isdigit((unsigned char)*buf_str(&text))) {
		buf_add(out, text.data, strcspn(text.data, " "));
		return;
	}
	buf_printf(out, "%u.%u", py_hex_major(rt->version_hex), py_hex_minor(rt->version_hex));
	// the lower half is the patch level and the kind of release; 0 if it is not known
	if (rt->version_hex & 0xffff)
		buf_printf(out, ".%u", rt->version_hex >> 8 & 0xff);
}

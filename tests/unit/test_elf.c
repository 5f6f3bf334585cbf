// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/iofd.h"
#include "os/elf.h"
#include "os/mem_image.h"
#include "os/mem_live.h"

/* ---- objects made by hand ---- */

#define OBJECT_BYTES 0x2000
#define NOTE_AT 0x300
#define DYNAMIC_AT 0x400
#define STRTAB_AT 0x600
#define SYMTAB_AT 0x700
#define GNU_HASH_AT 0x800
#define SYSV_HASH_AT 0xa00
#define SYMBOLS 6 // none, "alpha" (undefined), "beta", "gamma", "delta" (absolute), "tls"

struct object {
	unsigned char bytes[OBJECT_BYTES];
	uint64_t vaddr; // of its first byte
	remote_addr base;
};

enum {
	WITH_GNU_HASH = 1,
	WITH_SYSV_HASH = 2,
	RELOCATED = 4, // d_ptr as glibc leaves them
	EXECUTABLE = 8,
};

#define PUT(object, at, value) memcpy((object)->bytes + (at), &(value), sizeof(value))

static const char *const names[SYMBOLS] = { "", "alpha", "beta", "gamma", "delta", "tls" };

static uint32_t gnu_hash(const char *name)
{
	uint32_t h = 5381;

	while (*name)
		h = h * 33 + (unsigned char)*name++;
	return h;
}

static uint32_t sysv_hash(const char *name)
{
	uint32_t h = 0;

	while (*name) {
		h = (h << 4) + (unsigned char)*name++;
		uint32_t top = h & 0xf0000000;
		h ^= top >> 24;
		h &= ~top;
	}
	return h;
}

static void put_symbols(struct object *o)
{
	uint32_t at = 1;

	for (uint32_t i = 1; i < SYMBOLS; i++) {
		Elf64_Sym symbol = {
			.st_name = at,
			.st_info = ELF64_ST_INFO(STB_GLOBAL, i == 5 ? STT_TLS : STT_OBJECT),
			.st_shndx = i == 1 ? SHN_UNDEF
				: i == 4   ? SHN_ABS
					   : 7,
			.st_value = 0x1000 + i * 16 + (i == 4 ? 0 : o->vaddr),
			.st_size = i * 100,
		};

		PUT(o, SYMTAB_AT + i * sizeof(symbol), symbol);
		strcpy((char *)o->bytes + STRTAB_AT + at, names[i]);
		at += (uint32_t)strlen(names[i]) + 1;
	}
}

static void put_gnu_hash(struct object *o)
{
	uint32_t header[] = { 1, 1, 1, 5 }; // all in one bucket, from symbol 1 on
	uint64_t bloom = 0;
	uint32_t bucket = 1;

	for (uint32_t i = 1; i < SYMBOLS; i++) {
		uint32_t hash = gnu_hash(names[i]), chain = hash & ~1u;

		bloom |= (uint64_t)1 << hash % 64 | (uint64_t)1 << (hash >> 5) % 64;
		if (i == SYMBOLS - 1)
			chain |= 1;
		PUT(o, GNU_HASH_AT + 28 + (i - 1) * 4, chain);
	}
	PUT(o, GNU_HASH_AT, header);
	PUT(o, GNU_HASH_AT + 16, bloom);
	PUT(o, GNU_HASH_AT + 24, bucket);
}

static void put_sysv_hash(struct object *o)
{
	uint32_t header[] = { 3, SYMBOLS };
	uint32_t buckets[3] = { 0 }, chains[SYMBOLS] = { 0 };

	for (uint32_t i = 1; i < SYMBOLS; i++) {
		uint32_t bucket = sysv_hash(names[i]) % 3;

		chains[i] = buckets[bucket];
		buckets[bucket] = i;
	}
	PUT(o, SYSV_HASH_AT, header);
	PUT(o, SYSV_HASH_AT + 8, buckets);
	PUT(o, SYSV_HASH_AT + 8 + sizeof(buckets), chains);
}

static void put_dynamic(struct object *o, unsigned int options)
{
	uint64_t to = options & RELOCATED ? o->base : o->vaddr;
	Elf64_Dyn dynamic[8] = {
		{ DT_STRTAB, { to + STRTAB_AT } },
		{ DT_SYMTAB, { to + SYMTAB_AT } },
		{ DT_STRSZ, { 64 } },
	};
	size_t count = 3;

	if (options & WITH_GNU_HASH)
		dynamic[count++] = (Elf64_Dyn){ DT_GNU_HASH, { to + GNU_HASH_AT } };
	if (options & WITH_SYSV_HASH)
		dynamic[count++] = (Elf64_Dyn){ DT_HASH, { to + SYSV_HASH_AT } };
	PUT(o, DYNAMIC_AT, dynamic);
}

static void put_headers(struct object *o, unsigned int options)
{
	Elf64_Ehdr ehdr = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = options & EXECUTABLE ? ET_EXEC : ET_DYN,
		.e_machine = EM_AARCH64,
		.e_phoff = sizeof(ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 3,
	};
	Elf64_Phdr phdrs[3] = {
		{ .p_type = PT_LOAD,
			.p_vaddr = o->vaddr,
			.p_filesz = OBJECT_BYTES,
			.p_memsz = OBJECT_BYTES },
		{ .p_type = PT_DYNAMIC,
			.p_offset = DYNAMIC_AT,
			.p_vaddr = o->vaddr + DYNAMIC_AT,
			.p_filesz = 128,
			.p_memsz = 128 },
		{ .p_type = PT_NOTE,
			.p_offset = NOTE_AT,
			.p_vaddr = o->vaddr + NOTE_AT,
			.p_filesz = 48,
			.p_memsz = 48,
			.p_align = 4 },
	};
	static const uint32_t other[] = { 4, 4, 9, 0x554e47, 0 };
	static const uint32_t id[] = { 4, 8, NT_GNU_BUILD_ID, 0x554e47, 0x33221100, 0x77665544 };

	PUT(o, 0, ehdr);
	PUT(o, sizeof(ehdr), phdrs);
	PUT(o, NOTE_AT, other);
	PUT(o, NOTE_AT + sizeof(other), id);
}

static void object_make(struct object *o, remote_addr base, uint64_t vaddr, unsigned int options)
{
	*o = (struct object){ .base = base, .vaddr = vaddr };
	put_headers(o, options);
	put_dynamic(o, options);
	put_symbols(o);
	put_gnu_hash(o);
	put_sysv_hash(o);
}

struct target {
	struct mem_image mem;
	struct map map;
	struct elf_image image;
	enum read_status status;
};

/* Opens the first `len` bytes of the object. */
static void target_init(struct target *t, const struct object *o, size_t len)
{
	*t = (struct target){ .map = { .start = o->base, .end = o->base + OBJECT_BYTES } };
	mem_image_init(&t->mem);
	assert_true(mem_image_add(&t->mem, o->base, o->bytes, len));
	t->status = elf_image_open(&t->mem.reader, &t->map, &t->image);
}

static bool look_up(struct target *t, const char *name, struct elf_symbol *ret)
{
	return elf_image_symbol(&t->mem.reader, &t->image, name, ret);
}

static void check_symbols(struct target *t, remote_addr bias, uint64_t vaddr)
{
	struct elf_symbol symbol;

	assert_true(look_up(t, "beta", &symbol));
	assert_true(symbol.address == bias + vaddr + 0x1020);
	assert_int_equal(symbol.size, 200);
	assert_true(look_up(t, "gamma", &symbol));
	assert_true(symbol.address == bias + vaddr + 0x1030);
	assert_true(look_up(t, "delta", &symbol));
	assert_true(symbol.address == 0x1040);
	assert_false(look_up(t, "alpha", &symbol)); // undefined
	assert_false(look_up(t, "tls", &symbol));
	assert_false(look_up(t, "omega", &symbol));
	assert_false(look_up(t, "bet", &symbol));
	assert_false(look_up(t, "beta2", &symbol));
	assert_false(look_up(t, "", &symbol));
}

static void test_every_shape(void **state)
{
	static const struct {
		remote_addr base;
		uint64_t vaddr;
		unsigned int options;
	} rows[] = {
		{ 0x7f0000000000, 0, WITH_GNU_HASH | RELOCATED },
		{ 0x7f0000000000, 0, WITH_SYSV_HASH | RELOCATED },
		{ 0x7f0000000000, 0, WITH_GNU_HASH }, // musl, vDSO
		{ 0x7f0000000000, 0, WITH_SYSV_HASH | WITH_GNU_HASH },
		{ 0x7f0000000000, 0x10000, WITH_GNU_HASH | RELOCATED },
		{ 0x7f0000000000, 0x10000, WITH_GNU_HASH },
		{ 0x400000, 0x400000, WITH_GNU_HASH | EXECUTABLE },
		{ 0x1000, 0x7f0000000000, WITH_GNU_HASH }, // a bias below zero
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct object o;
		struct target t;

		object_make(&o, rows[i].base, rows[i].vaddr, rows[i].options);
		target_init(&t, &o, OBJECT_BYTES);
		assert_int_equal(t.status, READ_OK);
		assert_true(t.image.base == rows[i].base);
		assert_true(t.image.bias == rows[i].base - rows[i].vaddr);
		assert_int_equal(t.image.machine, EM_AARCH64);
		assert_int_equal(t.image.build_id_len, 8);
		assert_memory_equal(t.image.build_id, "\x00\x11\x22\x33\x44\x55\x66\x77", 8);
		assert_true(t.mem.reads <= 2);
		check_symbols(&t, t.image.bias, rows[i].vaddr);
		mem_image_deinit(&t.mem);
	}
}

/* Headers at the end of the first map, not in its first page. */
static void test_program_headers_elsewhere(void **state)
{
	uint64_t phoff = OBJECT_BYTES - 3 * sizeof(Elf64_Phdr);
	struct object o;
	struct target t;

	(void)state;
	object_make(&o, 0x7f0000000000, 0, WITH_GNU_HASH | RELOCATED);
	memmove(o.bytes + phoff, o.bytes + sizeof(Elf64_Ehdr), 3 * sizeof(Elf64_Phdr));
	PUT(&o, offsetof(Elf64_Ehdr, e_phoff), phoff);
	target_init(&t, &o, OBJECT_BYTES);
	assert_int_equal(t.status, READ_OK);
	check_symbols(&t, o.base, 0);
	mem_image_deinit(&t.mem);
}

static void test_no_dynamic_section(void **state)
{
	uint32_t type = PT_NULL;
	struct object o;
	struct target t;
	struct elf_symbol symbol;

	(void)state;
	object_make(&o, 0x400000, 0x400000, WITH_GNU_HASH | EXECUTABLE);
	PUT(&o, sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr), type);
	target_init(&t, &o, OBJECT_BYTES);
	assert_int_equal(t.status, READ_OK);
	assert_int_equal(t.image.build_id_len, 8);
	assert_false(look_up(&t, "beta", &symbol));
	mem_image_deinit(&t.mem);
}

static void test_not_an_object_for_us(void **state)
{
	static const struct {
		size_t at;
		unsigned char value;
	} rows[] = {
		{ 0, 'X' }, // magic
		{ EI_CLASS, ELFCLASS32 }, { EI_DATA, ELFDATA2MSB },
		{ offsetof(Elf64_Ehdr, e_type), ET_CORE }, { offsetof(Elf64_Ehdr, e_phnum), 0 },
		{ offsetof(Elf64_Ehdr, e_phnum) + 1, 0xff },
		{ offsetof(Elf64_Ehdr, e_phentsize), 32 }, { offsetof(Elf64_Ehdr, e_phoff) + 4, 1 },
		{ sizeof(Elf64_Ehdr), PT_NULL },           // no PT_LOAD
		{ offsetof(Elf64_Ehdr, e_type), ET_EXEC }, // not where it says
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct object o;
		struct target t;

		object_make(&o, 0x7f0000000000, 0, WITH_GNU_HASH | RELOCATED);
		o.bytes[rows[i].at] = rows[i].value;
		target_init(&t, &o, OBJECT_BYTES);
		assert_int_equal(t.status, READ_FAULT);
		assert_int_equal(t.image.base, 0); // untouched
		mem_image_deinit(&t.mem);
	}
}

static void test_cut_anywhere(void **state)
{
	struct object o;
	struct elf_symbol symbol;

	(void)state;
	object_make(&o, 0x7f0000000000, 0, WITH_GNU_HASH | WITH_SYSV_HASH | RELOCATED);
	for (size_t len = 1; len < OBJECT_BYTES; len += 13) {
		struct target t;

		target_init(&t, &o, len);
		if (t.status == READ_OK)
			look_up(&t, "gamma", &symbol);
		if (elf_image_open(&t.mem.reader,
			    &(struct map){ .start = o.base, .end = o.base + len },
			    &t.image) == READ_OK)
			look_up(&t, "gamma", &symbol);
		mem_image_deinit(&t.mem);
	}
}

static void expect_not_found(const struct object *o)
{
	struct target t;
	struct elf_symbol symbol;

	target_init(&t, o, OBJECT_BYTES);
	assert_int_equal(t.status, READ_OK);
	assert_false(look_up(&t, "gamma", &symbol));
	assert_true(t.mem.reads < 20000);
	mem_image_deinit(&t.mem);
}

static void test_hostile_gnu_hash(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
	} rows[] = {
		{ GNU_HASH_AT, 0 },                                           // no buckets
		{ GNU_HASH_AT, UINT32_MAX }, { GNU_HASH_AT + 4, UINT32_MAX }, // first symbol
		{ GNU_HASH_AT + 8, 0 },                                       // bloom words
		{ GNU_HASH_AT + 8, UINT32_MAX }, { GNU_HASH_AT + 16, 0 },     // bloom filter
		{ GNU_HASH_AT + 24, 0 },                                      // bucket
		{ GNU_HASH_AT + 24, UINT32_MAX }, { DYNAMIC_AT + 40, 0 },     // DT_STRSZ
		{ DYNAMIC_AT + 8, 0xffffff00 },                               // DT_STRTAB
		{ DYNAMIC_AT + 24, 0xffffff00 },                              // DT_SYMTAB
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct object o;

		object_make(&o, 0x7f0000000000, 0, WITH_GNU_HASH | RELOCATED);
		PUT(&o, rows[i].at, rows[i].value);
		if (rows[i].at == GNU_HASH_AT + 16)
			PUT(&o, rows[i].at + 4, rows[i].value);
		expect_not_found(&o);
	}
}

static void test_endless_gnu_chain(void **state)
{
	struct object o;

	(void)state;
	object_make(&o, 0x7f0000000000, 0, WITH_GNU_HASH | RELOCATED);
	// no end mark, and every entry looks like the one that is wanted
	for (size_t at = GNU_HASH_AT + 28; at < OBJECT_BYTES; at += 4) {
		uint32_t chain = gnu_hash("gamma") & ~1u;

		PUT(&o, at, chain);
	}
	memset(o.bytes + STRTAB_AT, 'x', 64);
	expect_not_found(&o);
}

static void test_endless_sysv_chain(void **state)
{
	uint32_t one_bucket[] = { 1, UINT32_MAX, 2 }, itself = 2;
	struct object o;

	(void)state;
	object_make(&o, 0x7f0000000000, 0, WITH_SYSV_HASH | RELOCATED);
	PUT(&o, SYSV_HASH_AT, one_bucket);
	PUT(&o, SYSV_HASH_AT + 12 + 2 * 4, itself);
	expect_not_found(&o);
}

static void test_notes(void **state)
{
	static const uint32_t aligned8[] = { 4, 4, 5, 0x554e47, 1, 0, 4, 4, 3, 0x554e47, 0x04030201,
		0 };
	static const uint32_t huge_name[] = { UINT32_MAX, 4, 3, 0x554e47, 1 };
	static const uint32_t huge_id[] = { 4, UINT32_MAX, 3, 0x554e47, 1 };
	uint32_t too_long[4 + 17] = { 4, 65, 3, 0x554e47 };
	uint8_t id[ELF_BUILD_ID_MAX];

	(void)state;
	assert_int_equal(elf_notes_build_id(aligned8, sizeof(aligned8), 8, id), 4);
	assert_memory_equal(id, "\x01\x02\x03\x04", 4);
	assert_int_equal(elf_notes_build_id(aligned8, sizeof(aligned8) - 8, 8, id), 0);
	assert_int_equal(elf_notes_build_id(huge_name, sizeof(huge_name), 4, id), 0);
	assert_int_equal(elf_notes_build_id(huge_id, sizeof(huge_id), 4, id), 0);
	assert_int_equal(elf_notes_build_id(too_long, sizeof(too_long), 4, id), 0);
	assert_int_equal(elf_notes_build_id("", 0, 4, id), 0);
}

/* ---- this process ---- */

static int local_thing = 7; // in .symtab only

struct self {
	struct maps maps;
	struct mem_live mem;
};

static int self_setup(void **state)
{
	struct self *self = xcalloc(1, sizeof(*self));

	mem_live_init(&self->mem, getpid());
	assert_null(maps_read(&self->maps, getpid()));
	*state = self;
	return 0;
}

static int self_teardown(void **state)
{
	struct self *self = *state;

	maps_deinit(&self->maps);
	mem_live_deinit(&self->mem);
	free(self);
	return 0;
}

/* The first mapping of the file that `addr` lies in. */
static const struct map *first_map_of(const struct maps *maps, const void *addr)
{
	const struct map *inside = maps_find(maps, (uintptr_t)addr);

	assert_non_null(inside);
	for (size_t i = 0; i < maps->count; i++) {
		if (map_same_file(&maps->entries[i], inside) && maps->entries[i].offset == 0)
			return &maps->entries[i];
	}
	fail();
	return NULL;
}

static void test_own_libc(void **state)
{
	struct self *self = *state;
	const void *here = dlsym(RTLD_DEFAULT, "getloadavg");
	const struct map *first = first_map_of(&self->maps, here);
	struct elf_image image;
	struct elf_symbol in_memory, in_file;
	struct elf_file *file;

	assert_int_equal(elf_image_open(&self->mem.reader, first, &image), READ_OK);
	assert_true(elf_image_symbol(&self->mem.reader, &image, "getloadavg", &in_memory));
	assert_true(in_memory.address == (uintptr_t)here);
	assert_false(
		elf_image_symbol(&self->mem.reader, &image, "no_such_symbol_here", &in_memory));
	assert_null(elf_file_open(getpid(), first, &image, &file));
	assert_true(elf_file_symbol(file, "getloadavg", &in_file));
	assert_true(in_file.address + image.bias == (uintptr_t)here);
	assert_int_equal(in_file.size, in_memory.size);
	assert_false(elf_file_symbol(file, "no_such_symbol_here", &in_file));
	elf_file_close(file);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LOCAL_PADDING 64
#endif
#endif
#ifndef LOCAL_PADDING
#define LOCAL_PADDING 0
#endif

static void test_own_executable(void **state)
{
	struct self *self = *state;
	const struct map *first = first_map_of(&self->maps, &local_thing);
	struct elf_image image;
	struct elf_symbol symbol;
	struct elf_file *file;

	assert_int_equal(elf_image_open(&self->mem.reader, first, &image), READ_OK);
	assert_null(elf_file_open(getpid(), first, &image, &file));
	assert_true(elf_file_symbol(file, "local_thing", &symbol));
	assert_true(symbol.address + image.bias == (uintptr_t)&local_thing);
	// AddressSanitizer pads variables
	assert_in_range(symbol.size, sizeof(local_thing), sizeof(local_thing) + LOCAL_PADDING);
	assert_true(elf_file_section(file, ".data", &symbol));
	assert_true((uintptr_t)&local_thing - (symbol.address + image.bias) < symbol.size);
	assert_false(elf_file_section(file, ".no-such-section", &symbol));
	assert_false(elf_file_section(file, "", &symbol) && symbol.size);
	elf_file_close(file);
	elf_file_close(NULL);
}

/* A copy of our executable, of another build id, mapped. */
struct copy {
	char dir[64], path[96];
	struct buf bytes;
	void *address;
	struct maps maps;
	struct map map;
	struct elf_image image;
};

static void write_file(const char *path, const struct buf *bytes)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(iofd_write_all(fd, bytes->data, bytes->len), 0);
}

/* Where the build id's note begins in the copy. */
static char *find_note(const struct buf *bytes)
{
	char *note = memmem(bytes->data, bytes->len, "\4\0\0\0\24\0\0\0\3\0\0\0GNU", 16);

	assert_non_null(note); // linked with a SHA-1 build id
	return note;
}

static void copy_make(struct copy *c, bool with_build_id)
{
	*c = (struct copy){ .dir = "/tmp/fireglass-test-XXXXXX" };
	assert_non_null(mkdtemp(c->dir));
	chmod(c->dir, 0755);
	snprintf(c->path, sizeof(c->path), "%s/object", c->dir);
	assert_int_equal(iofd_read_file("/proc/self/exe", (size_t)256 << 20, &c->bytes), 0);
	char *note = find_note(&c->bytes);
	if (with_build_id) {
		note[16] ^= 0x55; // or else /proc/self/exe would do for it
		c->image.build_id_len = 20;
		memcpy(c->image.build_id, note + 16, 20);
	} else {
		note[8] = 99;
	}
	write_file(c->path, &c->bytes);
	_cleanup_close_ int fd = open(c->path, O_RDONLY | O_CLOEXEC);
	c->address = mmap(NULL, c->bytes.len, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(c->address, MAP_FAILED);
	assert_null(maps_read(&c->maps, getpid()));
	c->map = *maps_find(&c->maps, (uintptr_t)c->address);
	c->image.base = c->map.start;
}

static void copy_end(struct copy *c)
{
	munmap(c->address, c->bytes.len);
	maps_deinit(&c->maps);
	unlink(c->path);
	rmdir(c->dir);
	buf_deinit(&c->bytes);
}

static bool opens(const struct map *map, const struct elf_image *image)
{
	struct elf_file *file;
	struct err *err = elf_file_open(getpid(), map, image, &file);

	if (!err)
		elf_file_close(file);
	err_free(err);
	return !err;
}

/* Another device number than stat's, as on overlayfs and btrfs. */
static void test_device_differs(void **state)
{
	struct copy c;

	(void)state;
	copy_make(&c, true);
	assert_true(opens(&c.map, &c.image));
	c.map.dev_minor++;
	assert_true(opens(&c.map, &c.image));
	c.image.build_id[3] ^= 1;
	assert_false(opens(&c.map, &c.image));
	c.image.build_id_len = 0;
	assert_false(opens(&c.map, &c.image));
	copy_end(&c);
}

static void test_message_names_the_file(void **state)
{
	struct elf_file *file;
	struct copy c;

	(void)state;
	copy_make(&c, true);
	c.map.inode++;
	c.image.build_id[0] ^= 1;
	struct err *err = elf_file_open(getpid(), &c.map, &c.image, &file);
	assert_non_null(err);
	assert_int_equal(err->kind, ERR_FAILED);
	assert_non_null(strstr(err->message, c.path));
	assert_non_null(strstr(err->message, "deleted or replaced"));
	err_free(err);
	copy_end(&c);
}

static void test_device_differs_without_build_id(void **state)
{
	struct copy c;

	(void)state;
	copy_make(&c, false);
	assert_true(opens(&c.map, &c.image));
	c.map.dev_minor++;
	assert_true(opens(&c.map, &c.image));
	c.image.base += 4096; // then the first page is another
	assert_false(opens(&c.map, &c.image));
	c.image.base -= 4096;
	c.map.inode++;
	assert_false(opens(&c.map, &c.image));
	copy_end(&c);
}

/* In a process without rights, to which /proc/PID/map_files is shut. */
static void opens_without_rights(const struct copy *c, bool expected)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		if (getuid() == 0 &&
			(setgroups(0, NULL) || setresgid(65534, 65534, 65534) ||
				setresuid(65534, 65534, 65534)))
			_exit(2);
		_exit(opens(&c->map, &c->image) == expected ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_replaced_file_is_refused(void **state)
{
	struct copy c;

	(void)state;
	copy_make(&c, true);
	opens_without_rights(&c, true);
	assert_int_equal(unlink(c.path), 0);
	opens_without_rights(&c, false);
	// a package upgrade: the same name, another build
	find_note(&c.bytes)[16] ^= 1;
	write_file(c.path, &c.bytes);
	opens_without_rights(&c, false);
	// the very same build put there again will do
	find_note(&c.bytes)[16] ^= 1;
	unlink(c.path);
	write_file(c.path, &c.bytes);
	opens_without_rights(&c, true);
	copy_end(&c);
}

static void test_name_is_now_a_fifo(void **state)
{
	struct copy c;

	(void)state;
	copy_make(&c, true);
	unlink(c.path);
	assert_int_equal(mkfifo(c.path, 0644), 0);
	opens_without_rights(&c, false); // and does not hang
	copy_end(&c);
}

#define SELF(test) cmocka_unit_test_setup_teardown(test, self_setup, self_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_shape),
		cmocka_unit_test(test_program_headers_elsewhere),
		cmocka_unit_test(test_no_dynamic_section),
		cmocka_unit_test(test_not_an_object_for_us),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_hostile_gnu_hash),
		cmocka_unit_test(test_endless_gnu_chain),
		cmocka_unit_test(test_endless_sysv_chain),
		cmocka_unit_test(test_notes),
		SELF(test_own_libc),
		SELF(test_own_executable),
		cmocka_unit_test(test_device_differs),
		cmocka_unit_test(test_message_names_the_file),
		cmocka_unit_test(test_device_differs_without_build_id),
		cmocka_unit_test(test_replaced_file_is_refused),
		cmocka_unit_test(test_name_is_now_a_fifo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

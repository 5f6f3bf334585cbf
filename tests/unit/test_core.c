// SPDX-License-Identifier: MIT
/*
 * Core files: notes, segments, files that were mapped. The cores of tests/fuzz/seeds/core are those of
 * tests/images, made by tests/tools/write_core.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/iofd.h"
#include "images.h"
#include "os/mem_core.h"
#include "pyabi/code.h"
#include "pyabi/stack.h"
#include "pyabi/threads.h"

/* ---- notes ------------------------------------------------------------------------------------ */

static void add_note(struct buf *b, uint32_t type, const void *desc, size_t len)
{
	const Elf64_Nhdr header = { .n_namesz = 5, .n_descsz = (uint32_t)len, .n_type = type };

	buf_add(b, &header, sizeof(header));
	buf_add(b, "CORE\0\0\0", 8);
	buf_add(b, desc, len);
	buf_add(b, "\0\0\0", -len & 3);
}

struct prstatus {
	int32_t info[3];
	int16_t signal, pad;
	uint64_t pending, held;
	int32_t pid, parent, group, session;
	uint64_t times[8];
	uint64_t registers[27];
	uint64_t valid;
};

static void add_thread(struct buf *b, pid_t tid, uint64_t orig_ax, int64_t ax)
{
	struct prstatus status = { .signal = 6, .pid = tid };

	status.registers[15] = orig_ax;
	status.registers[10] = (uint64_t)ax;
	status.registers[14] = 0xf00;
	status.registers[21] = 0x7000 + (uint64_t)tid;
	add_note(b, NT_PRSTATUS, &status, sizeof(status));
}

static void test_what_threads_did(void **state)
{
	static const struct {
		uint64_t orig_ax;
		int64_t ax;
		bool waits;
	} cases[] = {
		{ 202, -512, true }, { 202, -516, true }, { 232, -4, true }, { 0, -512, true },
		{ 234, 0, false }, { UINT64_MAX, -4, false }, { 202, -110, false },
		{ (uint64_t)1 << 40, -512, false },
	};
	_cleanup_(core_notes_deinit) struct core_notes notes = { 0 };
	_cleanup_buf_ struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		add_thread(&b, (pid_t)i + 1, cases[i].orig_ax, cases[i].ax);
	add_thread(&b, 0, 0, 0); // no thread
	core_notes_add(&notes, EM_X86_64, b.data, b.len);
	assert_int_equal(notes.thread_count, ARRAY_LEN(cases));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct core_thread *t = &notes.threads[i];

		assert_int_equal(t->tid, i + 1);
		assert_int_equal(t->signal.number, 6);
		assert_int_equal(t->pthread, 0x7001 + i);
		assert_int_equal(t->waits, cases[i].waits);
		assert_int_equal(t->syscall, cases[i].waits ? (int)cases[i].orig_ax : -1);
		assert_int_equal(t->arguments[0], cases[i].waits ? 0xf00 : 0);
	}
}

static void test_signal(void **state)
{
	_cleanup_(core_notes_deinit) struct core_notes notes = { 0 };
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct {
		int32_t number, error, code, pad;
		uint64_t address;
		char rest[104];
	} info = { .number = 6, .code = -6, .address = 77 };

	(void)state;
	add_note(&b, NT_SIGINFO, &info, sizeof(info)); // of nobody
	add_thread(&b, 1, 0, 0);
	add_note(&b, NT_SIGINFO, &info, sizeof(info));
	add_thread(&b, 2, 0, 0);
	info.number = 11;
	add_note(&b, NT_SIGINFO, &info, sizeof(info)); // another signal than the thread has
	core_notes_add(&notes, EM_X86_64, b.data, b.len);
	assert_int_equal(notes.thread_count, 2);
	assert_int_equal(notes.threads[0].signal.sender, 77);
	assert_false(notes.threads[0].signal.fault);
	assert_int_equal(notes.threads[1].signal.sender, 0);
	assert_string_equal(core_signal_name(6), "SIGABRT");
	assert_null(core_signal_name(9));
}

static void test_files(void **state)
{
	_cleanup_(core_notes_deinit) struct core_notes notes = { 0 };
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct {
		uint64_t count, page;
		uint64_t maps[4][3];
		char names[16];
	} files = {
		.count = 4,
		.page = 4096,
		.maps = { { 0x5000, 0x7000, 2 }, { 0x1000, 0x2000, 0 }, { 0x6000, 0x8000, 0 },
			{ 0x9000, 0x9000, 0 } },
		.names = "/a\0/b\0/c\0/d",
	};
	remote_addr next;

	(void)state;
	add_note(&b, NT_FILE, &files, sizeof(files));
	core_notes_add(&notes, EM_X86_64, b.data, b.len);
	// sorted, without the empty one and the one that overlaps another
	assert_int_equal(notes.mapping_count, 2);
	assert_null(core_notes_mapping(&notes, 0xfff, &next));
	assert_int_equal(next, 0x1000);
	const struct core_mapping *m = core_notes_mapping(&notes, 0x1fff, &next);
	assert_non_null(m);
	assert_string_equal(notes.paths[m->file], "/b");
	assert_int_equal(next, 0x5000);
	m = core_notes_mapping(&notes, 0x5000, &next);
	assert_int_equal(m->offset, 0x2000);
	assert_string_equal(notes.paths[m->file], "/a");
	assert_null(core_notes_mapping(&notes, 0x7000, &next));
	assert_int_equal(next, UINT64_MAX);
}

/* Whatever is cut off, what is left is read, and nothing beyond (ASan looks on). */
static void test_cut_notes(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t most = 0;

	(void)state;
	for (pid_t tid = 1; tid <= 3; tid++)
		add_thread(&b, tid, 0, 0);
	for (size_t len = 0; len <= b.len; len++) {
		_cleanup_(core_notes_deinit) struct core_notes notes = { 0 };
		_cleanup_free_ char *bytes = malloc(len + 1);

		memcpy(bytes, b.data, len);
		core_notes_add(&notes, EM_X86_64, bytes, len);
		assert_in_range(notes.thread_count, most, most + 1);
		most = notes.thread_count;
	}
	assert_int_equal(most, 3);
}

/* ---- cores ------------------------------------------------------------------------------------ */

static struct err *open_bytes(struct mem_core *core, const void *bytes, size_t len)
{
	int fd = memfd_create("core", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(iofd_write_all(fd, bytes, len), 0);
	return mem_core_open_fd(core, fd, "made-up", NULL);
}

static void check_frames(const struct recorded_thread *wanted, struct py_runtime *rt,
	struct mem_reader *mem, const struct raw_stack *stack)
{
	size_t shown = 0;

	for (size_t i = 0; i < stack->count; i++) {
		struct py_code code;

		assert_int_equal(code_read(rt, mem, stack->frames[i].code, &code), READ_OK);
		if (!code.place.internal) {
			assert_in_range(shown, 0, wanted->frame_count - 1);
			assert_string_equal(buf_str(&code.name), wanted->frames[shown].name);
			assert_string_equal(buf_str(&code.file), wanted->frames[shown].file);
			shown++;
		}
		code_deinit(&code);
	}
	assert_int_equal(shown, wanted->frame_count);
}

/* Found and read as from the image, although the program is not on this machine. */
static void check_recording(const char *release)
{
	_cleanup_(threads_deinit) struct py_threads threads = { 0 };
	_cleanup_(maps_deinit) struct maps maps = { 0 };
	_cleanup_buf_ struct buf file = BUF_INIT, command = BUF_INIT;
	struct recording r;
	struct mem_core core;
	struct py_runtime rt;
	char name[64];

	recording_load(&r, release);
	snprintf(name, sizeof(name), "fuzz/seeds/core/%s", release);
	test_file_read(name, &file);
	assert_null(open_bytes(&core, file.data, file.len));
	mem_core_maps(&core, &maps);
	assert_null(runtime_detect(&rt, &core.reader, &maps, 0, NULL));
	rt.partial = true;
	assert_int_equal(rt.address, r.rt.address);
	assert_int_equal(rt.version_hex, r.rt.version_hex);
	assert_int_equal(threads_list(&rt, &core.reader, &threads), READ_OK);
	assert_int_equal(threads.count, r.thread_count);
	for (size_t i = 0; i < threads.count; i++) {
		const struct recorded_thread *wanted =
			recording_thread(&r, threads.items[i].pthread);
		const struct raw_stack *stack;
		struct stack_reader reader;

		assert_non_null(wanted);
		stack_reader_init(&reader, threads.items[i].state, threads.items[i].interp);
		assert_int_equal(stack_reader_read(&reader, &rt, &core.reader, 8, &stack), READ_OK);
		check_frames(wanted, &rt, &core.reader, stack);
		stack_reader_deinit(&reader);
	}
	mem_core_command_line(&core, 100, &command);
	assert_string_equal(buf_str(&command), "python kiln.py");
	mem_core_deinit(&core);
	recording_deinit(&r);
}

static void test_recordings(void **state)
{
	(void)state;
	check_recording("3.13");
	check_recording("3.14");
	check_recording("3.15");
}

/* A core of two segments with a gap of a page; the second is 100 bytes short of what it promises. */
static void test_segments(void **state)
{
	struct {
		Elf64_Ehdr ehdr;
		Elf64_Phdr phdrs[3];
		char first[4096], second[4096];
	} *file = calloc(1, sizeof(*file));
	_cleanup_buf_ struct buf notes = BUF_INIT;
	struct mem_core core;
	char out[4096];

	(void)state;
	assert_non_null(file);
	add_thread(&notes, 1, 0, 0);
	assert_in_range(notes.len, 1, 1000);
	memcpy(file->first, notes.data, notes.len);
	memcpy(file->ehdr.e_ident, ELFMAG "\2\1\1", 7);
	file->ehdr.e_type = ET_CORE;
	file->ehdr.e_machine = EM_X86_64;
	file->ehdr.e_phoff = sizeof(file->ehdr);
	file->ehdr.e_phentsize = sizeof(Elf64_Phdr);
	file->ehdr.e_phnum = 3;
	size_t at = sizeof(file->ehdr) + sizeof(file->phdrs);
	file->phdrs[0] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = at, .p_filesz = notes.len };
	file->phdrs[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_W,
		.p_offset = at + 4096, .p_vaddr = 0x30000, .p_filesz = 4096, .p_memsz = 4096 };
	file->phdrs[2] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R, .p_offset = at,
		.p_vaddr = 0x10000, .p_filesz = 4096, .p_memsz = 8192 };
	memset(file->second, 7, sizeof(file->second));
	assert_null(open_bytes(&core, file, sizeof(*file) - 100));
	assert_int_equal(core.missing_bytes, 100);
	assert_int_equal(mem_read(&core.reader, 0x10000, out, 4096), READ_OK);
	assert_memory_equal(out, file->first, 4096);
	// left out, and no file to read it from
	assert_int_equal(mem_read(&core.reader, 0x10fff, out, 2), READ_FAULT);
	assert_int_equal(mem_read(&core.reader, 0x20000, out, 1), READ_FAULT);
	assert_int_equal(mem_read(&core.reader, 0x30000, out, 4096 - 100), READ_OK);
	assert_memory_equal(out, file->second, 4096 - 100);
	assert_int_equal(mem_read(&core.reader, 0x30000, out, 4096 - 99), READ_FAULT);
	assert_int_equal(mem_read(&core.reader, UINT64_MAX, out, 2), READ_FAULT);
	mem_core_deinit(&core);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_threads_did),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_cut_notes),
		cmocka_unit_test(test_recordings),
		cmocka_unit_test(test_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

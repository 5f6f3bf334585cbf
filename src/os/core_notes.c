// SPDX-License-Identifier: MIT
#include "os/core_notes.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

void core_notes_deinit(struct core_notes *notes)
{
	for (size_t i = 0; i < notes->path_count; i++)
		free(notes->paths[i]);
	free(notes->paths);
	free(notes->threads);
	free(notes->mappings);
	*notes = (struct core_notes){ 0 };
}

/* The contents of one note. */
struct note {
	uint32_t type;
	const unsigned char *bytes;
	size_t len;
};

static uint16_t u16_at(const struct note *note, size_t offset)
{
	uint16_t value = 0;

	if (offset + sizeof(value) <= note->len)
		memcpy(&value, note->bytes + offset, sizeof(value));
	return value;
}

static uint32_t u32_at(const struct note *note, size_t offset)
{
	uint32_t value = 0;

	if (offset + sizeof(value) <= note->len)
		memcpy(&value, note->bytes + offset, sizeof(value));
	return value;
}

static uint64_t u64_at(const struct note *note, size_t offset)
{
	uint64_t value = 0;

	if (offset <= note->len && sizeof(value) <= note->len - offset)
		memcpy(&value, note->bytes + offset, sizeof(value));
	return value;
}

/* ---- threads ---------------------------------------------------------------------------------- */

/* struct elf_prstatus, before the registers. */
enum {
	PRSTATUS_SIGNAL = 12,
	PRSTATUS_PID = 32,
	PRSTATUS_REGISTERS = 112,
};

/* Kernel-internal results of calls that a signal, or a dump, cut short. */
#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ERESTART_RESTARTBLOCK 516

static bool is_restart(int64_t result)
{
	return result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND ||
		result == -ERESTART_RESTARTBLOCK;
}

static uint64_t register_at(const struct note *note, size_t index)
{
	return u64_at(note, PRSTATUS_REGISTERS + index * 8);
}

/* struct user_regs_struct: where rdi, rsi, rdx, r10, r8 and r9 are. */
static const unsigned char x86_arguments[6] = { 14, 13, 12, 7, 9, 8 };
enum {
	X86_AX = 10,
	X86_ORIG_AX = 15,
	X86_FS_BASE = 21,
	X86_REGISTERS = 27,
};

/* On the way back from a call orig_rax is its number; anywhere else it is negative. */
static void use_x86_registers(struct core_thread *thread, const struct note *note)
{
	int64_t result = (int64_t)register_at(note, X86_AX);
	uint64_t number = register_at(note, X86_ORIG_AX);

	if (note->len < PRSTATUS_REGISTERS + X86_REGISTERS * 8)
		return;
	thread->pthread = register_at(note, X86_FS_BASE);
	if (number > INT16_MAX || (!is_restart(result) && result != -EINTR))
		return;
	thread->waits = true;
	thread->syscall = (int32_t)number;
	thread->has_arguments = true;
	for (size_t i = 0; i < ARRAY_LEN(x86_arguments); i++)
		thread->arguments[i] = register_at(note, x86_arguments[i]);
}

/* x8 keeps the number of a call, x0 has its result in place of the first argument. */
static void use_aarch64_registers(struct core_thread *thread, const struct note *note)
{
	uint64_t number = register_at(note, 8);

	if (!is_restart((int64_t)register_at(note, 0)) || number > INT16_MAX)
		return;
	thread->waits = true;
	thread->syscall = (int32_t)number;
}

static void add_thread(struct core_notes *notes, uint16_t machine, const struct note *note)
{
	struct core_thread thread = {
		.tid = (pid_t)u32_at(note, PRSTATUS_PID),
		.signal.number = u16_at(note, PRSTATUS_SIGNAL),
		.syscall = -1,
	};

	if (note->len < PRSTATUS_REGISTERS || thread.tid <= 0 ||
		notes->thread_count >= CORE_THREADS_MAX)
		return;
	if (machine == EM_X86_64)
		use_x86_registers(&thread, note);
	else if (machine == EM_AARCH64)
		use_aarch64_registers(&thread, note);
	array_reserve(notes->threads, notes->thread_capacity, notes->thread_count + 1);
	notes->threads[notes->thread_count++] = thread;
}

/* siginfo_t of the thread whose notes these are. */
static void use_siginfo(struct core_notes *notes, const struct note *note)
{
	int number = (int)u32_at(note, 0), code = (int)u32_at(note, 8);

	if (!notes->thread_count || note->len < 24)
		return;
	struct core_signal *signal = &notes->threads[notes->thread_count - 1].signal;
	if (signal->number != number)
		return;
	bool with_address =
		number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE;
	signal->fault = code > 0 && code != SI_KERNEL && with_address;
	if (signal->fault)
		signal->address = u64_at(note, 16);
	else if (code <= 0)
		signal->sender = (pid_t)u32_at(note, 16);
}

/* ---- the process ------------------------------------------------------------------------------ */

/* struct elf_prpsinfo */
enum {
	PRPSINFO_PID = 24,
	PRPSINFO_COMM = 40,
	PRPSINFO_ARGUMENTS = 56,
	PRPSINFO_BYTES = 136,
};

static void use_psinfo(struct core_notes *notes, const struct note *note)
{
	if (note->len < PRPSINFO_BYTES)
		return;
	notes->pid = (pid_t)u32_at(note, PRPSINFO_PID);
	memcpy(notes->comm, note->bytes + PRPSINFO_COMM, sizeof(notes->comm) - 1);
	memcpy(notes->arguments, note->bytes + PRPSINFO_ARGUMENTS, sizeof(notes->arguments) - 1);
	// the kernel puts a blank after the last one
	for (size_t len = strlen(notes->arguments); len && notes->arguments[len - 1] == ' '; len--)
		notes->arguments[len - 1] = 0;
}

static void use_auxv(struct core_notes *notes, const struct note *note)
{
	notes->auxv = note->bytes;
	notes->auxv_bytes = note->len;
	for (size_t i = 0; i + 16 <= note->len; i += 16) {
		uint64_t value = u64_at(note, i + 8);

		switch (u64_at(note, i)) {
		case AT_ENTRY:
			notes->entry = value;
			break;
		case AT_EXECFN:
			notes->execfn = value;
			break;
		default:
			break;
		}
	}
}

/* ---- mapped files ----------------------------------------------------------------------------- */

static int compare_mappings(const void *a, const void *b)
{
	const struct core_mapping *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Sorted, and without those that begin in the one before. */
static void order_mappings(struct core_notes *notes)
{
	size_t kept = 0;

	if (notes->mapping_count)
		qsort(notes->mappings, notes->mapping_count, sizeof(*notes->mappings),
			compare_mappings);
	for (size_t i = 0; i < notes->mapping_count; i++)
		if (!kept || notes->mappings[i].start >= notes->mappings[kept - 1].end)
			notes->mappings[kept++] = notes->mappings[i];
	notes->mapping_count = kept;
}

/* The kernel lists pieces of a file one after the other, mostly. */
#define PATHS_LOOKED_BACK 8

static size_t path_index(struct core_notes *notes, const char *path)
{
	for (size_t i = notes->path_count; i-- > 0 && notes->path_count - i <= PATHS_LOOKED_BACK;)
		if (strcmp(notes->paths[i], path) == 0)
			return i;
	array_reserve(notes->paths, notes->path_capacity, notes->path_count + 1);
	notes->paths[notes->path_count] = xstrdup(path);
	return notes->path_count++;
}

/*
 * NT_FILE: u64 count, u64 size of a page, per mapping u64 start, end and offset in pages, then the
 * names, each with a final 0.
 */
static void use_files(struct core_notes *notes, const struct note *note)
{
	uint64_t count = u64_at(note, 0), page_bytes = u64_at(note, 8);

	if (note->len < 16 || count > (note->len - 16) / 24 || count > CORE_MAPPINGS_MAX)
		return;
	const char *path = (const char *)note->bytes + 16 + count * 24;
	size_t left = note->len - 16 - (size_t)count * 24;
	for (size_t i = 0; i < count; i++) {
		size_t bytes = strnlen(path, left) + 1, at = 16 + i * 24;
		struct core_mapping map = { .start = u64_at(note, at),
			.end = u64_at(note, at + 8) };

		if (bytes > left)
			break;
		if (map.start < map.end && notes->mapping_count < CORE_MAPPINGS_MAX &&
			!__builtin_mul_overflow(u64_at(note, at + 16), page_bytes, &map.offset)) {
			map.file = path_index(notes, path);
			array_reserve(
				notes->mappings, notes->mapping_capacity, notes->mapping_count + 1);
			notes->mappings[notes->mapping_count++] = map;
		}
		path += bytes;
		left -= bytes;
	}
	order_mappings(notes);
}

const struct core_mapping *core_notes_mapping(
	const struct core_notes *notes, remote_addr addr, remote_addr *next_ret)
{
	size_t low = 0, high = notes->mapping_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (notes->mappings[middle].start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	*next_ret = low < notes->mapping_count ? notes->mappings[low].start : UINT64_MAX;
	if (low == 0 || addr >= notes->mappings[low - 1].end)
		return NULL;
	return &notes->mappings[low - 1];
}

/* ---- all notes -------------------------------------------------------------------------------- */

static void use_note(struct core_notes *notes, uint16_t machine, const struct note *note)
{
	switch (note->type) {
	case NT_PRSTATUS:
		add_thread(notes, machine, note);
		break;
	case NT_PRPSINFO:
		use_psinfo(notes, note);
		break;
	case NT_SIGINFO:
		use_siginfo(notes, note);
		break;
	case NT_AUXV:
		use_auxv(notes, note);
		break;
	case NT_FILE:
		use_files(notes, note);
		break;
	default:
		break;
	}
}

static size_t padded(size_t bytes)
{
	return (bytes + 3) & ~(size_t)3;
}

void core_notes_add(struct core_notes *notes, uint16_t machine, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	Elf64_Nhdr header;

	while (len >= sizeof(header)) {
		memcpy(&header, at, sizeof(header));
		size_t body = sizeof(header) + padded(header.n_namesz);
		if (body > len || header.n_descsz > len - body)
			return;
		const struct note note = { header.n_type, at + body, header.n_descsz };
		if (header.n_namesz == 5 && memcmp(at + sizeof(header), "CORE", 5) == 0)
			use_note(notes, machine, &note);
		size_t whole = body + padded(header.n_descsz);
		if (whole > len)
			return;
		at += whole;
		len -= whole;
	}
}

bool core_machine_is_ours(uint16_t machine)
{
#if defined(__x86_64__)
	return machine == EM_X86_64;
#elif defined(__aarch64__)
	return machine == EM_AARCH64;
#else
	return false;
#endif
}

const char *core_signal_name(int number)
{
	static const struct {
		int number;
		const char *name;
	} signals[] = {
		{ SIGQUIT, "SIGQUIT" },
		{ SIGILL, "SIGILL" },
		{ SIGTRAP, "SIGTRAP" },
		{ SIGABRT, "SIGABRT" },
		{ SIGBUS, "SIGBUS" },
		{ SIGFPE, "SIGFPE" },
		{ SIGSEGV, "SIGSEGV" },
		{ SIGXCPU, "SIGXCPU" },
		{ SIGXFSZ, "SIGXFSZ" },
		{ SIGSYS, "SIGSYS" },
	};

	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (signals[i].number == number)
			return signals[i].name;
	return NULL;
}

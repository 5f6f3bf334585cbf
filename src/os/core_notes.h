// SPDX-License-Identifier: MIT
/*
 * What the notes of a core file say: threads and what each was doing, the signal, the program, the
 * files that were mapped.
 *
 * Pure: bytes in, structures out; the bytes may be anything. Layouts as in the kernel's
 * include/uapi/linux/elfcore.h and fs/binfmt_elf.c, of x86-64 and aarch64, where both agree but for
 * the registers. gdb's gcore writes the same notes.
 */
#ifndef FIREGLASS_OS_CORE_NOTES_H
#define FIREGLASS_OS_CORE_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "os/mem_reader.h"

#define CORE_THREADS_MAX 65536
#define CORE_MAPPINGS_MAX ((size_t)1 << 20)

/* How it came to a signal, from its siginfo. */
struct core_signal {
	int number; // 0: none
	bool fault; // raised by an instruction, with an address
	remote_addr address;
	pid_t sender; // 0: not known
};

struct core_thread {
	pid_t tid; // in the pid namespace of whoever wrote the core
	struct core_signal signal;
	remote_addr pthread; // what pthread_self() gave it; 0 where registers do not tell (aarch64)
	bool waits;          // it was in a system call, waiting
	int32_t syscall;     // the number of that call, else -1
	bool has_arguments;
	uint64_t arguments[6]; // of the call
};

/* A piece of memory that a file was mapped to. */
struct core_mapping {
	remote_addr start, end; // [start, end)
	uint64_t offset;        // into the file, in bytes
	size_t file;            // index of its name in core_notes.paths
};

struct core_notes {
	struct core_thread *threads; // the one that got the signal first, if the kernel wrote it
	size_t thread_count, thread_capacity;
	struct core_mapping *mappings; // sorted, none overlaps another
	size_t mapping_count, mapping_capacity;
	char **paths; // seldom the same one twice
	size_t path_count, path_capacity;
	pid_t pid;          // 0: not known
	char comm[17];      // the kernel's name of the process, "" if not known
	char arguments[81]; // the beginning of its command line, "" if not known
	const unsigned char
		*auxv; // the auxiliary vector, within the bytes that were given; NULL: none
	size_t auxv_bytes;
	remote_addr entry,
		execfn; // of it: where the program begins, where its name is; 0: not known
};

/*
 * Adds what the contents of a PT_NOTE segment say. What is cut or makes no sense is left out.
 * `bytes` must live as long as `notes`.
 */
void core_notes_add(struct core_notes *notes, uint16_t machine, const void *bytes, size_t len);
void core_notes_deinit(struct core_notes *notes);

/* The mapping that holds `addr`, or NULL; *next_ret: where the next one after `addr` begins. */
const struct core_mapping *core_notes_mapping(
	const struct core_notes *notes, remote_addr addr, remote_addr *next_ret);

/* Whether numbers of system calls are those of this machine. */
bool core_machine_is_ours(uint16_t machine);

/* "SIGSEGV"; NULL for a signal that leaves no core file. */
const char *core_signal_name(int number);

#endif

// SPDX-License-Identifier: MIT
/*
 * A Python runtime found in a target: which release it is and where its roots are.
 *
 * Found by detect.c once per attach (and once more after an execve); read-only afterwards, but for
 * what is learnt on the way (code_type). Forked children share it: same addresses.
 */
#ifndef FIREGLASS_PYABI_RUNTIME_H
#define FIREGLASS_PYABI_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "os/maps.h"
#include "os/mem_reader.h"
#include "pyabi/layout.h"
#include "pyabi/object.h"

struct py_runtime {
	struct py_layout layout;
	uint32_t version_hex;       // patch level 0 where the target does not tell it
	uint16_t machine;           // ELF e_machine
	bool guessed;               // a newer release than we know, read by the newest known map
	remote_addr address;        // of _PyRuntime; 0 in 2.7 and 3.6
	remote_addr interp_head;    // of the pointer to the first interpreter
	remote_addr tstate_current; // of the pointer to the GIL holder; 0 if there is none
	bool partial;               // a core file without the program's constants (names of types)
	remote_addr code_type;      // the type object of code objects, learnt from the first; or 0
	bool has_tid_offset;        // learnt by threads_calibrate()
	uint32_t tid_offset;        // where a pthread keeps its kernel thread id (before 3.11)
};

/* Interpreters and threads beyond these are taken as a broken list. */
#define INTERPRETERS_MAX 1024
#define THREADS_MAX 16384

static inline struct py_memory runtime_memory(const struct py_runtime *rt, struct mem_reader *mem)
{
	return (struct py_memory){ .mem = mem, .layout = &rt->layout };
}

/*
 * Finds the runtime in a process whose memory map is `maps`. `exe_path` is what /proc/PID/exe says,
 * NULL if unknown: that object is looked at first. For a core file `pid` is 0.
 *
 * ERR_NOT_PYTHON: there is none, or none we can read (the message says which). ERR_PERMISSION or
 * ERR_GONE as reading fails. A runtime that has not made its first interpreter yet is found too:
 * look at runtime_ready().
 */
struct err *runtime_detect(struct py_runtime *ret, struct mem_reader *mem, const struct maps *maps,
	pid_t pid, const char *exe_path);

/* READ_OK if it has an interpreter with a thread, READ_TORN if it has none yet (or any more). */
enum read_status runtime_ready(const struct py_runtime *rt, struct mem_reader *mem);

/* Appends the version as sys.version begins ("3.11.7"), or "3.11" where it cannot be read. */
void runtime_version(const struct py_runtime *rt, struct mem_reader *mem, struct buf *out);

#endif

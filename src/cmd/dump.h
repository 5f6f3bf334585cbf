// SPDX-License-Identifier: MIT
/*
 * What `fireglass dump` shows of a process: taken first, printed afterwards.
 *
 *	dump.c         options, which processes
 *	dump_live.c    takes it from a running process
 *	dump_core.c    takes it from a core file
 *	dump_still.c   stacks, names, states from memory that stands still
 *	dump_process.c what was taken: making it, frames of a stack
 *	dump_values.c  local variables of the frames, with either
 *	dump_locks.c   which lock a thread waits for, who has it, deadlocks; with either
 *	dump_text.c, dump_json.c   printing
 *
 * One thread of ours does it all.
 */
#ifndef FIREGLASS_CMD_DUMP_H
#define FIREGLASS_CMD_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "pyabi/locals.h"
#include "pyabi/runtime.h"
#include "pyabi/stack.h"
#include "pyabi/threads.h"
#include "pyabi/value.h"
#include "sample/record.h"
#include "store/capture.h"

struct dump_options {
	pid_t pid;
	bool all;             // every Python process
	const char *core;     // a core file instead of a process, or NULL
	const char *exe;      // the program that left it, or NULL
	bool json, full_paths;
	bool locals;
	bool stop;            // the process stands still meanwhile
	struct value_options values;
};

/* ---- what was taken --------------------------------------------------------------------------- */

struct dumped_local {
	char *name, *type; // valid UTF-8
	char *value;       // as repr() would say it, more or less; NULL: not readable
	enum local_kind kind;
	bool masked, cut;
};

struct dumped_frame {
	frame_id id;         // in the tables of the process
	remote_addr address; // of the frame in the target
	remote_addr code;    // its code object
	int32_t offset;      // of its instruction in the bytecode, in bytes
	struct dumped_local *locals;
	size_t local_count;
	bool no_locals;      // they were asked for, but the function had returned by then
	bool left_out;       // some are missing: there was too much of it
};

/* The lock that a thread waits for. */
struct dumped_wait {
	bool waits;
	bool forever;        // without a time limit, as far as is known
	remote_addr lock;    // the object, 0: it could not be told
	char *what;          // "<_thread.lock object at 0x7f...>"; NULL without an object
	char *name;          // what a frame calls it: "self.lock"; NULL
	remote_addr owner;   // thread state of the one that holds it; 0: not known
	size_t owner_thread; // its place in the process's threads, if there is an owner
	bool owner_by_with;  // told by a `with` statement of that thread, not by the lock itself
};

struct dumped_thread {
	struct py_thread py; // native_id as we see it, 0 if it is not known
	char *name;
	enum thread_run run;
	int32_t syscall;     // number, -1: none
	uint64_t futex;      // the address it waits at in the target, 0: at none
	bool futex_timed;    // with a time limit
	bool holds_gil, waits_for_gil, in_gc;
	bool unreadable;     // no stack could be had
	bool cut;            // only a part of it
	bool moved;          // it ran while its local variables were read: they may be of two moments
	char *note;          // anything else to be said of it ("killed by SIGSEGV"), or NULL
	struct dumped_frame *frames; // leaf first
	size_t count, capacity;
	struct dumped_wait wait;
};

struct dumped_process {
	pid_t pid;
	struct buf version, exe, cwd, command_line; // valid UTF-8
	char *note;             // a line about all of it ("core of ..., killed by SIGABRT"), or NULL
	struct capture capture; // only its tables are used
	struct dumped_thread *threads; // main first, then by thread id
	size_t count, capacity;
	size_t *deadlock;       // threads that wait for each other in a ring, in this order
	size_t deadlock_count;  // 0: no such ring was found
	bool all_wait;          // every thread waits for a lock, without a time limit
};

void dumped_process_init(struct dumped_process *p);
void dumped_process_deinit(struct dumped_process *p);

/* Forgets the threads, to take them again. */
void dumped_process_clear(struct dumped_process *p);

/* Appends a thread, for the caller to fill in; the pointer is good until the next. */
struct dumped_thread *dumped_process_add(struct dumped_process *p);

/* Main first, then by thread id. To be called before locks are looked at. */
void dumped_process_sort(struct dumped_process *p);

/* ---- taking it -------------------------------------------------------------------------------- */

/* From a running process. */
struct err *dump_take_live(struct dumped_process *p, const struct dump_options *options);

/* From the core file options->core; fills in all of `p`. */
struct err *dump_take_core(struct dumped_process *p, const struct dump_options *options);

/*
 * From memory that does not change: threads, their names and stacks, who holds the GIL, local
 * variables if asked for. `tids` are the kernel threads of the process (a thread state
 * without one of them is left out, unless there are none at all); they serve to find out the ids of
 * threads before 3.11. Sets version. What memory does not tell is left to the caller: pid, exe, cwd,
 * command line; run (THREAD_UNKNOWN), syscall (-1) and futex of threads, and then
 * dump_take_locks().
 *
 * ERR_GONE: no interpreter, or its lists make no sense.
 */
struct err *dump_take_still(struct dumped_process *p, struct py_runtime *rt,
	struct mem_reader *mem, const pid_t *tids, size_t tid_count,
	const struct dump_options *options);

/* ---- what both have in common ------------------------------------------------------------------ */

/* Appends a frame: leaf first. */
void dumped_thread_add_frame(struct dumped_thread *t, const struct dumped_frame *frame);

/*
 * Frames of a stack that was read, with their names and lines; functions of the interpreter itself
 * are left out.
 */
void dump_take_frames(struct dumped_process *p, struct dumped_thread *t, struct py_runtime *rt,
	struct mem_reader *mem, const struct raw_stack *stack);

/* Local variables of all frames of a thread. */
void dump_take_locals(struct dumped_thread *t, const struct py_runtime *rt, struct mem_reader *mem,
	const struct dump_options *options);
void dump_drop_locals(struct dumped_frame *frame);

/* Which locks threads wait for, who has them, and whether that is a deadlock. */
void dump_take_locks(struct dumped_process *p, const struct py_runtime *rt, struct mem_reader *mem);

/* ---- printing --------------------------------------------------------------------------------- */

/* What the frames alone do not say of a stack; NULL for nothing. */
const char *dump_remark(const struct dumped_thread *t);
const char *dump_run_name(enum thread_run run);

void dump_print_text(const struct dumped_process *p, const struct dump_options *options);

struct json_writer;
void dump_print_json(struct json_writer *w, const struct dumped_process *p,
	const struct dump_options *options);

#endif

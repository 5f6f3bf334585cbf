// SPDX-License-Identifier: MIT
/*
 * The interpreters and threads of a runtime: what CPython itself knows of them.
 */
#ifndef FIREGLASS_PYABI_THREADS_H
#define FIREGLASS_PYABI_THREADS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "pyabi/runtime.h"

struct py_thread {
	remote_addr state;     // the PyThreadState
	remote_addr interp;    // the PyInterpreterState
	uint64_t interp_id;    // 0 is the main interpreter; position in the list before 3.7
	uint64_t pthread;      // pthread_self(), as threading.get_ident() gives it
	uint64_t native_id;    // gettid() in the target's pid namespace; 0 = not known
	remote_addr gil;       // the lock its interpreter uses (3.12 and newer), or 0
	remote_addr first_thread; // head of its interpreter's list when it was listed
	bool main;             // the main thread of the main interpreter
};

/* Grows; owned by the caller. */
struct py_threads {
	struct py_thread *items;
	size_t count, capacity;
	remote_addr first_interp; // head of the list of interpreters
	bool unstarted; // some thread states were left out whose threads have not started yet
};

/* Lists all threads of all interpreters. READ_TORN: the lists changed under way, try again. */
enum read_status threads_list(
	const struct py_runtime *rt, struct mem_reader *mem, struct py_threads *threads);
void threads_deinit(struct py_threads *threads);

/* False on a free-threaded build that runs without a GIL. */
bool threads_have_gil(const struct py_runtime *rt, struct mem_reader *mem);

/* Where the futexes are at which a thread waits for the GIL: in [*start_ret, *end_ret). */
bool threads_gil_futexes(const struct py_runtime *rt, const struct py_thread *thread,
	remote_addr *start_ret, remote_addr *end_ret);

/*
 * Before 3.11 Python does not keep kernel thread ids, but libc does, at the same place in every
 * pthread. Finds that place by looking for words that are thread ids of the process (`tids`), and
 * fills native_id; sets rt->has_tid_offset. Does nothing where native ids are known.
 */
void threads_calibrate(struct py_runtime *rt, struct mem_reader *mem, struct py_threads *threads,
	const pid_t *tids, size_t tid_count);

/* Called for each name found: `pthread` as in struct py_thread. */
typedef void (*thread_name_visitor)(void *data, uint64_t pthread, const char *name);

/* The names that threading.Thread objects have, if the target imported threading. */
enum read_status threads_names(const struct py_runtime *rt, struct mem_reader *mem,
	remote_addr interp, thread_name_visitor visit, void *data);

#endif

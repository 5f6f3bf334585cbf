// SPDX-License-Identifier: MIT
/*
 * One process that is looked at: its memory, its runtime, and how its thread ids map to ours.
 */
#ifndef FIREGLASS_SAMPLE_TARGET_H
#define FIREGLASS_SAMPLE_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "os/mem_live.h"
#include "pyabi/runtime.h"
#include "pyabi/threads.h"

struct target {
	pid_t pid;
	uint64_t start_time;        // with the pid, identifies the process
	uint64_t exe_dev, exe_inode; // of the program: changes at execve
	bool foreign_pid_namespace; // its own thread ids are not ours
	bool own;                   // it is this very process
	struct mem_live live;
	struct py_runtime rt;
	struct buf exe;             // path, for messages
};

/*
 * Finds the Python in process `pid`. ERR_GONE, ERR_PERMISSION (names the gate), ERR_NOT_PYTHON.
 * Without an interpreter yet, *ready_ret is false and the target is usable except for threads;
 * attach again later. deinit also after failure.
 */
struct err *target_attach(struct target *t, pid_t pid, bool *ready_ret);
void target_deinit(struct target *t);

enum target_life {
	TARGET_ALIVE,
	TARGET_REPLACED, // another program runs in the process (execve)
	TARGET_ENDED,
};

enum target_life target_look(const struct target *t);

/*
 * All Python threads with the kernel's thread ids as we see them in native_id (0 where unknown).
 * READ_TORN after several tries: the lists never stood still, or the interpreter is gone.
 */
enum read_status target_threads(struct target *t, struct py_threads *threads);

#endif

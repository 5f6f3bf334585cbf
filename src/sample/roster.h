// SPDX-License-Identifier: MIT
/*
 * The threads of a target that are being followed: who they are, and what is kept of each between
 * two samples.
 */
#ifndef FIREGLASS_SAMPLE_ROSTER_H
#define FIREGLASS_SAMPLE_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "pyabi/stack.h"
#include "sample/codes.h"
#include "sample/ladder.h"
#include "sample/record.h"
#include "sample/target.h"
#include "sample/watch.h"

/* What a thread says it works on, and by what that was found: the sampler's caller knows. */
struct sample_tag {
	uint64_t tag; // 0: nothing
	uint64_t found_by[3];
};

/* One thread of the target, as long as it lives. */
struct sampled_thread {
	struct py_thread py;
	pid_t tid;      // 0 = not known
	uint32_t index; // its number in records, unique among those that live
	bool announced; // its thread record went through the ring
	struct stack_reader reader;
	struct ladder_thread ladder;
	struct thread_codes codes;   // of its last stack
	uint64_t *frames;            // its last stack as it went through the ring, root first
	size_t depth, frame_capacity;
	uint64_t *fresh;             // the stack being packed
	size_t fresh_capacity;
	struct thread_watch watch;
	bool still;                  // it was waiting then, and its last stack can be used again
	uint64_t rode_ns;            // when the interpreter was last read with its stack
	bool last_gil, last_gc;      // as it was then
	struct record_header last;   // of its last sample that was read
	int32_t last_syscall;
	uint64_t pushed_epoch;       // in which its whole stack was last handed over
	uint64_t listed;  // number of the list it was last in
	uint64_t sampled; // number of the tick it was last sampled in
	bool gone;        // its state could not be read: not looked at until the next list
	/*
	 * A kernel thread that runs a sub-interpreter has a thread state in each interpreter it is
	 * in. Only the innermost one runs; interpreters are listed newest, so innermost, first.
	 */
	bool shares_tid;
	bool has_frames; // at its last sample
	struct sampler *sampler;
	struct sample_tag said; // right before its stack was last read
	bool said_again;        // and right after
};

struct roster {
	struct target *target;
	struct sampled_thread **threads;
	size_t count, capacity;
	struct py_threads list;
	uint64_t lists; // how often it was made
	uint64_t listed_at_ns;
	uint32_t next_index;
	uint32_t *free_indexes; // of threads that ended
	size_t free_count, free_capacity;
};

void roster_init(struct roster *r, struct target *target);
void roster_deinit(struct roster *r);

/* Forgets all threads: another program runs in the process. */
void roster_clear(struct roster *r);

/* True if it is time to list the threads again. */
bool roster_stale(const struct roster *r, uint64_t now_ns);

/*
 * Lists the threads anew: those that ended are forgotten, those that are new are added. Results as
 * target_threads().
 */
enum read_status roster_update(struct roster *r, uint64_t now_ns);

#endif

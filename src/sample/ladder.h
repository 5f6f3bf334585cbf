// SPDX-License-Identifier: MIT
/*
 * The ladder of ways to read a stack truly, cheapest first.
 *
 *	direct        two images in one system call, from wherever we run
 *	co-scheduled  the same, from the processor on which the thread runs: while we run there, the
 *	              thread does not, so that the images agree. Costs the target the time it takes.
 *	              That it did not run is proven by what the kernel says of its processor and its
 *	              time slices; in our own process by its CPU clock, which is so much cheaper that
 *	              it is better still to have its processor held (os/park.h) and look from elsewhere
 *	stopped       the thread is stopped by ptrace for the time of the read; only if asked for
 *	truncated     nothing settled: the proven part
 *
 * On most code a direct read settles nearly always. Where it often does not (very short calls), a
 * read that fails and is then replaced by a later one would favour the quiet moments of the
 * program. So the way is chosen before looking: a thread whose direct reads fail in more than
 * 1 of LADDER_FLUTTER_LIMIT is read co-scheduled every time, until probes say otherwise; so is a
 * thread of which nothing is known yet.
 */
#ifndef FIREGLASS_SAMPLE_LADDER_H
#define FIREGLASS_SAMPLE_LADDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "os/park.h"
#include "os/pin.h"
#include "pyabi/stack.h"

#define LADDER_FLUTTER_LIMIT 64

enum ladder_rung {
	LADDER_DIRECT,
	LADDER_COSCHEDULED,
	LADDER_STOPPED,
	LADDER_TRUNCATED,
	LADDER_RUNGS,
};

/* What to do; all but the first two are for measurement. */
enum ladder_strategy {
	LADDER_AUTO,        // as above
	LADDER_EXACT,       // as above, and stop the thread rather than truncate
	LADDER_ONLY_DIRECT,
	LADDER_ONLY_COSCHEDULED,
	LADDER_ONLY_STOP,
};

struct ladder {
	enum ladder_strategy strategy;
	struct park park;
	struct pin pin;
	int held;              // the processor that is held for us; -1: none
	unsigned int park_rest; // so many reads are to do without
	bool realtime;         // the sampling thread has real-time priority
	bool pinned_this_tick; // someone needed it: stay there until the next tick
	_Atomic uint64_t counts[LADDER_RUNGS]; // written by the sampling thread only
};

/* What is known of one thread. */
struct ladder_thread {
	uint32_t flutter; // share of direct reads that do not settle, as a moving average; of 65536
	uint32_t samples; // since the last probe
	uint32_t probes;  // made so far; a new thread is not trusted before it was probed some times
	bool settled;     // the last direct read did; not counted yet
	bool ran;         // it was seen running, and we came to where it ran, in the last sample
};

void ladder_init(struct ladder *l, enum ladder_strategy strategy);
/* Puts our thread back to where it may run. */
void ladder_deinit(struct ladder *l);

/* Around each tick. */
void ladder_begin_tick(struct ladder *l);
void ladder_end_tick(struct ladder *l);

/* A thread to be read. */
struct ladder_target {
	struct stack_reader *reader;
	const struct py_runtime *rt;
	struct mem_reader *mem;
	pid_t tid;    // 0: not known, so that it can neither be followed nor stopped
	int stat_fd;  // its stat file (os/proc.h), negative if there is none
	int schedstat_fd; // the same
	bool own;     // of this process: its CPU clock can be read
	void (*before)(void *data); // called right before each read of the stack; NULL: nothing is
	void *data;
};

/* Reads a stack. Results as stack_reader_read(). */
enum read_status ladder_read(struct ladder *l, struct ladder_thread *t,
	const struct ladder_target *target, const struct raw_stack **stack_ret);

/*
 * To be told after each sample whether the thread ran: reads of a thread that waits settle always
 * and say nothing of how it is when it runs.
 */
void ladder_note(struct ladder_thread *t, bool ran);

#endif

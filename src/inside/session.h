// SPDX-License-Identifier: MIT
/*
 * A recording of this very process, by two threads of its own: one keeps the clock and reads stacks
 * through process_vm_readv, one collects them and writes the capture. Neither is a Python thread:
 * they take no GIL, handle no signals and are not in the list of threads that is sampled. Each has
 * a table of file descriptors of its own (os/own_files.h), where the system allows it.
 *
 * Nothing here is printed, and no error ends the process. Any thread may call anything; any number
 * of sessions may run at once.
 *
 * A fork leaves the threads behind: in the child every session of the parent is left behind, which
 * is known by itself. All that can be done with it there is session_destroy(), which then touches
 * nothing of the parent's; what else is asked of it is an error (ERR_USAGE), or does nothing.
 */
#ifndef FIREGLASS_INSIDE_SESSION_H
#define FIREGLASS_INSIDE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct session;

enum session_clock {
	SESSION_WALL, // all threads at the same moments
	SESSION_CPU,  // each thread by the CPU time that it uses (inside/timers.h)
};

struct session_options {
	uint64_t period_ns;   // between two ticks; 0: as fast as it goes
	enum session_clock clock;
	bool no_jitter;       // ticks at equal distances
	bool no_idle;         // only threads that run
	bool gil_only;        // only samples that hold the GIL
	bool spans_only;      // only samples in spans that were chosen (spans_choose()); while no such
			      // span is open nothing is looked at
	uint64_t max_age_ns;  // flight recorder: keep so much of the newest; 0: keep all, in the file
	uint64_t max_bytes;   // the same by size
	const char *command;  // the program's command line, for people; NULL: from /proc
	const void *owner;    // for sessions_finish()
};

struct session_counts {
	uint64_t ticks, missed;    // of the clock
	uint64_t samples;          // in the capture
	uint64_t truncated, failed;
	uint64_t lost;             // no room in the ring, or on the disk
	uint64_t bytes;            // of the capture so far
	uint64_t write_errors;     // see session_problem()
	uint64_t spans_lost;       // spans that there was no time to read
};

/*
 * Starts sampling into `fd`, a file open for reading and writing, which is the caller's. What it has in
 * it is replaced, but not before it is known that this process can be read.
 * Returns when the first tick is due. An error: what refused, and the remedy.
 */
struct err *session_start(struct session **ret, int fd, const struct session_options *options);

/* No ticks are taken while it is paused, and none is missed. */
void session_pause(struct session *s, bool paused);

/* As it is now, while it goes on, or was at its end. */
void session_count(struct session *s, struct session_counts *ret);

/* Appends the first error that writing had; nothing if there was none. Samples are lost to it. */
void session_problem(struct session *s, struct buf *out);

/*
 * All that was sampled until now is in the file when it returns, which then reads as a capture that
 * goes on. A flight recorder writes nothing before the end: see session_dump().
 */
struct err *session_flush(struct session *s);

/*
 * Flight recorders: writes what is kept to another file (empty, as above), of the last `last_ns`
 * only if that is not 0; goes on.
 */
struct err *session_dump(struct session *s, int fd, uint64_t last_ns);

/* Ends sampling and finishes the file. The session can still be counted. Again: does nothing. */
struct err *session_stop(struct session *s);

/* Stops it if it runs. NULL is fine. No other thread may be in a call with it. */
void session_destroy(struct session *s);

/* Stops all sessions of an owner that run, at its end; none is freed. */
void sessions_finish(const void *owner);

/* A fork left it behind, in the process that calls. */
bool session_left_behind(const struct session *s);

#endif

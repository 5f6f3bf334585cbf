// SPDX-License-Identifier: MIT
/*
 * A capture: all that a recording knows, in order of time.
 *
 *	facts      what was recorded, where and how: pairs of texts
 *	processes  each with its pid, name, command line, begin and end
 *	threads    each of one process
 *	samples    time, thread, stack, state, CPU time; a stack is one number (store/profile.h)
 *	markers    named times: garbage collections, waits for the GIL, pauses
 *	spans      what the program itself says it was working on: requests, tasks, parts of them
 *	losses     ticks and samples that could not be had, with the reason
 *
 * All but the samples are in memory. Samples are kept in blocks (store/sample_block.h), in memory or
 * in a file, and are read in order with a cursor, any number of times, so that a capture of many
 * millions of samples takes little memory. Blocks are in the order in which they were recorded:
 * times of one thread never run backwards, those of different threads may a little.
 *
 * Times are nanoseconds since the epoch. Not thread-safe: one thread owns a capture.
 */
#ifndef FIREGLASS_STORE_CAPTURE_H
#define FIREGLASS_STORE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/profile.h"

#define CAPTURE_NONE UINT32_MAX /* no thread, no process */

/* What a thread was doing when it was sampled. */
enum sample_state {
	SAMPLE_STATE_UNKNOWN,
	SAMPLE_ON_CPU,   // on a processor
	SAMPLE_RUNNABLE, // ready, but not on a processor
	SAMPLE_WAITING,  // for a lock, a device, a timer
	SAMPLE_STOPPED,  // by a signal or a debugger
};

#define SAMPLE_STATES 5

/* Flags of a sample. */
#define SAMPLE_HOLDS_GIL 1u
#define SAMPLE_WAITS_FOR_GIL 2u
#define SAMPLE_IN_GC 4u
#define SAMPLE_CUT 8u         // only the part of the stack towards the root could be had
#define SAMPLE_UNREADABLE 16u // nothing could: stack is STACK_NONE
#define SAMPLE_TAKEN_OVER 32u // the thread is known not to have run since its sample before
#define SAMPLE_FLAGS 63u

#define SYSCALL_NONE (-1)

struct capture_sample {
	uint64_t time_ns;
	uint64_t count;  // ticks it stands for: 1 in recordings; any weight in what was imported
	uint64_t cpu_ns; // CPU time of the thread since its sample before; 0 also: not known
	uint32_t thread; // row in threads
	stack_id stack;  // STACK_NONE: no Python frame. Threads are not frames of it
	int32_t syscall; // in which the thread waits (number of the machine), or SYSCALL_NONE
	uint32_t span;   // the innermost that it worked on: row in spans, plus 1; 0: none
	uint8_t state;   // enum sample_state
	uint8_t flags;
};

struct capture_process {
	uint32_t pid;
	string_id name;     // for people: "python3", or the program's file
	string_id command;  // command line as a shell would take it, may be empty
	uint64_t start_ns;  // when it was first seen
	uint64_t end_ns;    // 0: not ended
};

struct capture_thread {
	uint32_t process; // row in processes
	uint32_t tid;     // of the kernel, 0 = not known
	string_id name;
	bool main;
	uint64_t start_ns; // when it was first seen
	uint64_t end_ns;   // 0: not ended
};

struct capture_marker {
	uint64_t start_ns, end_ns; // equal: a moment
	uint32_t thread;           // CAPTURE_NONE: of the process or of all
	uint32_t process;          // CAPTURE_NONE: of all
	string_id name;            // the kind: "GC", "GIL wait", "request"
	string_id text;            // this one: "GET /", may be empty
};

/*
 * One thing that was worked on, from its begin to its end, be it on one thread, by turns with others
 * on the same one (asyncio), or on several. Which samples belong to it they say themselves.
 */
struct capture_span {
	uint64_t start_ns, end_ns; // end_ns 0: not ended
	uint32_t process;          // row in processes
	uint32_t thread;           // on which it began; CAPTURE_NONE: not known
	uint32_t parent;           // in which it lies: row in spans, an earlier one, plus 1; 0: none
	string_id name;            // the kind, of which there are few: "request", "render"
	string_id text;            // this one: "GET /cart/{id} 200", may be empty
};

enum capture_loss_kind {
	LOSS_MISSED, // ticks at which nothing was looked at: late, suspended
	LOSS_ROOM,   // samples there was no room for
	LOSS_SPACE,  // samples that could not be written: disk full
};

struct capture_loss {
	uint64_t time_ns;
	enum capture_loss_kind kind;
	uint64_t count;
};

struct capture_fact {
	string_id key, value;
};

/* Keys of facts; others are kept and shown as they are. Numbers are decimal. */
#define FACT_PERIOD_NS "period_ns"      /* time between two ticks; absent: samples are just counts */
#define FACT_START_NS "start_ns"        /* of the recording */
#define FACT_END_NS "end_ns"            /* absent while it goes on, and when it was cut off */
#define FACT_TICKS "ticks"              /* that were looked at */
#define FACT_SAMPLER "sampler"          /* of recordings from inside, for people: who sampled */
#define FACT_TRACED "traced"            /* "calls": each call was traced, and samples are its nanoseconds */
#define FACT_TOOL "tool"                /* "fireglass 0.1.0", "austin 3.7.0" */
#define FACT_FORMAT "format"            /* that it was imported from; absent in recordings */
#define FACT_HOST "host"
#define FACT_KERNEL "kernel"
#define FACT_ARCH "arch"
#define FACT_PYTHON "python"            /* "3.11.7" */
#define FACT_PYTHON_BUILD "python_build" /* path of the executable, "free-threaded" */
#define FACT_COMMAND "command"          /* of the profiler: how to do it again */
#define FACT_CWD "cwd"                  /* of the target */
#define FACT_FILES "files"              /* "elsewhere": it saw other files than its profiler */
#define FACT_CLOCK "clock"              /* "CLOCK_REALTIME" */
#define FACT_UNIT "unit"                /* what count counts, if not ticks: "bytes" */
#define FACT_DROPPED "dropped"          /* samples that a flight recorder did not keep */
#define FACT_RUNG "rung."               /* + "direct", "coscheduled", ...: samples read so */

/* Where blocks of samples come from when they are not in memory. */
struct capture_blocks_ops {
	/*
	 * Fills `encoded` and `spans` (cleared) with block `i`. An error: the file cannot be read (any
	 * more).
	 */
	struct err *(*load)(void *data, size_t i, struct buf *encoded, struct buf *spans);
	void (*close)(void *data);
};

struct capture_block {
	uint64_t first_ns, last_ns; // smallest and largest time in it
	uint64_t rows;              // struct capture_sample in it
	uint64_t samples;           // sum of their counts
	struct buf encoded;         // empty when it is loaded by ops
	struct buf spans;           // of its rows (store/sample_spans.h); empty also: none
};

struct capture {
	struct profile tables; // strings to stacks; its weights are not used
	struct capture_fact *facts;
	struct capture_process *processes;
	struct capture_thread *threads;
	struct capture_marker *markers;
	struct capture_span *spans;
	struct capture_loss *losses;
	struct capture_block *blocks;
	size_t fact_count, process_count, thread_count, marker_count, span_count, loss_count,
		block_count;
	size_t fact_capacity, process_capacity, thread_capacity, marker_capacity, span_capacity,
		loss_capacity, block_capacity;

	struct capture_sample *pending; // added, not yet in a block
	size_t pending_count;

	const struct capture_blocks_ops *ops; // NULL: all in memory
	void *ops_data;
};

/* Counts a sample for the block that it is in. */
void capture_block_note(struct capture_block *block, const struct capture_sample *sample);

void capture_init(struct capture *c);
void capture_deinit(struct capture *c);

string_id capture_string(struct capture *c, const char *text); // "" too
const char *capture_text(const struct capture *c, string_id id);

/* The last value wins. */
void capture_set_fact(struct capture *c, const char *key, const char *value);
void capture_set_fact_u64(struct capture *c, const char *key, uint64_t value);
/* NULL if there is no such fact. */
const char *capture_fact(const struct capture *c, const char *key);
/* `missing` if there is none or it is no number. */
uint64_t capture_fact_u64(const struct capture *c, const char *key, uint64_t missing);

/* Each returns the new row. Rows may be changed later: names, ends. */
uint32_t capture_add_process(struct capture *c, const struct capture_process *process);
uint32_t capture_add_thread(struct capture *c, const struct capture_thread *thread);
void capture_add_marker(struct capture *c, const struct capture_marker *marker);
/* Returns the row; end and text may be changed later. */
uint32_t capture_add_span(struct capture *c, const struct capture_span *span);
void capture_add_loss(struct capture *c, const struct capture_loss *loss);

/* To a capture in memory. Thread, stack and span must exist. */
void capture_add_sample(struct capture *c, const struct capture_sample *sample);

/* Sum of the counts of all samples, and the smallest and largest time of any (0 if there is none). */
uint64_t capture_samples(const struct capture *c);
uint64_t capture_first_ns(const struct capture *c);
uint64_t capture_last_ns(const struct capture *c);

/* ---- reading samples ---- */

struct capture_cursor {
	const struct capture *capture;
	size_t block;  // the next one to be decoded; block_count: the pending ones come next
	size_t row;    // the next of `rows`
	struct capture_sample *rows;
	size_t row_count, row_capacity;
	struct buf encoded, spans;
	struct err *err; // why it stopped before the end
};

void capture_cursor_init(struct capture_cursor *cursor, const struct capture *c);
void capture_cursor_deinit(struct capture_cursor *cursor);

/* From here on, at the next call: the first block that may hold times from `time_ns` on. */
void capture_cursor_seek(struct capture_cursor *cursor, uint64_t time_ns);

/* The next sample, NULL at the end (or at an error: see below). Valid until the next call. */
const struct capture_sample *capture_cursor_next(struct capture_cursor *cursor);

/* NULL if all was read; the error is the caller's to free, once. */
struct err *capture_cursor_error(struct capture_cursor *cursor);

#endif

// SPDX-License-Identifier: MIT
/*
 * The other end of the ring: names, lines, threads, and the samples of a capture.
 *
 * It runs on a thread of its own, apart from the clock. What it reads of the target (the names of
 * threads) it reads through the same memory reader. It owns the capture's tables while it collects;
 * samples go to a sink.
 */
#ifndef FIREGLASS_SAMPLE_COLLECTOR_H
#define FIREGLASS_SAMPLE_COLLECTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sample/record.h"
#include "sample/ring.h"
#include "sample/target.h"
#include "store/capture.h"
#include "store/transfer.h"

/* A thread of the target, as long as it lives. */
struct collected_thread {
	uint32_t index; // that the sampler gave it; used again when it has ended
	uint32_t row;   // in the capture's threads; CAPTURE_NONE: it had no sample since collector_move()
	pid_t tid;      // 0 = not known
	uint64_t pthread;
	remote_addr interp;
	uint64_t interp_id;
	bool main;
	char *name;           // Python's name, else the kernel's, else "Thread-TID"
	bool named_by_python;
	stack_id *stacks;     // of its last stack, root first
	size_t depth, capacity;
	uint64_t start_ns;    // when it was first seen
	uint64_t last_ns;     // time of its last sample
};

struct sample {
	struct capture_sample row;
	const struct collected_thread *thread;
	uint64_t tag; // as the sampler read it of the thread; 0: none
	enum thread_run run;
	enum sample_proof proof;
	bool left_out; // it was not asked for (struct collector_options)
};

struct sample_sink {
	void (*sample)(struct sample_sink *sink, const struct sample *sample);
	void (*drained)(struct sample_sink *sink); // now and then; NULL: need not be told
};

struct collector_options {
	bool no_idle;  // count samples of threads that do not run as left out
	bool gil_only; // count samples that do not hold the GIL as left out
};

struct collector_counts {
	uint64_t samples;  // given to the sink
	uint64_t left_out; // of them: not asked for
	uint64_t reused, truncated, failed;
};

struct collected_code;

struct collector {
	struct ring *ring;
	struct target *target;
	struct capture *capture;
	uint32_t process; // row in the capture
	struct collector_options options;
	struct sample_sink *sink;
	struct collected_code *codes; // by serial
	size_t code_count, code_capacity;
	struct collected_thread *threads; // by index
	size_t thread_count, thread_capacity;
	bool unnamed;          // there are threads without a name of Python's
	uint64_t named_at_ns;
	frame_id unknown_frame;
	struct collector_counts counts;
};

void collector_init(struct collector *c, struct ring *ring, struct target *target,
	struct capture *capture, uint32_t process, const struct collector_options *options,
	struct sample_sink *sink);
void collector_deinit(struct collector *c);

/* The recording is over, or the target is another program: its threads have ended. */
void collector_end_threads(struct collector *c);

/*
 * What comes from now on goes to another capture, in which the process has row `process`: code objects
 * and living threads are entered there. `tables` goes from the old one's tables to the new one's.
 */
void collector_move(
	struct collector *c, struct capture *to, uint32_t process, struct transfer *tables);

/* Takes all that is in the ring. */
void collector_drain(struct collector *c);

/* Reads the names of threads that have none, and now and then those of all. */
void collector_name_threads(struct collector *c);

#endif

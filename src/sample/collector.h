// SPDX-License-Identifier: MIT
/*
 * The other end of the ring: names, lines, threads, and the profile.
 *
 * It runs on a thread of its own, apart from the clock. What it reads of the target (the names of
 * threads) it reads through the same memory reader. It owns the profile while it collects.
 */
#ifndef FIREGLASS_SAMPLE_COLLECTOR_H
#define FIREGLASS_SAMPLE_COLLECTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sample/record.h"
#include "sample/ring.h"
#include "sample/target.h"
#include "store/profile.h"

/* A thread of the target, as long as it lives. */
struct collected_thread {
	uint32_t index; // that the sampler gave it; used again when it has ended
	pid_t tid;      // 0 = not known
	uint64_t pthread;
	remote_addr interp;
	uint64_t interp_id;
	bool main;
	char *name;            // Python's name, else the kernel's, else "Thread-TID"
	bool named_by_python;
	function_id function;  // that stands for it as a root
	stack_id *stacks;      // of its last stack, root first
	size_t depth, capacity;
};

struct sample {
	uint64_t time_ns; // since the epoch
	const struct collected_thread *thread;
	stack_id stack;
	enum thread_run run;
	enum sample_proof proof;
	bool holds_gil, waits_for_gil, in_gc;
	uint64_t cpu_ns; // CPU time of the thread since its last sample, as far as it is known yet
	int32_t syscall; // it waits in, or -1
};

struct sample_sink {
	void (*sample)(struct sample_sink *sink, const struct sample *sample);
};

struct collector_options {
	bool thread_roots; // the thread as the root frame
	bool no_idle;      // leave out samples of threads that do not run
	bool gil_only;     // leave out samples that do not hold the GIL
};

struct collector_counts {
	uint64_t samples;  // given to the sink
	uint64_t filtered; // taken, but not asked for
	uint64_t reused, truncated, failed;
};

struct collected_code;

struct collector {
	struct ring *ring;
	struct target *target;
	struct profile *profile;
	struct collector_options options;
	struct sample_sink *sink;
	struct collected_code *codes; // by serial
	size_t code_count, code_capacity;
	struct collected_thread *threads; // by index
	size_t thread_count, thread_capacity;
	bool unnamed;          // there are threads without a name of Python's
	uint64_t named_at_ns;
	uint64_t threads_seen;
	frame_id unknown_frame, truncated_frame, failed_frame, empty_frame;
	struct collector_counts counts;
};

void collector_init(struct collector *c, struct ring *ring, struct target *target,
	struct profile *profile, const struct collector_options *options, struct sample_sink *sink);
void collector_deinit(struct collector *c);

/* Takes all that is in the ring. */
void collector_drain(struct collector *c);

/* Reads the names of threads that have none, and now and then those of all. */
void collector_name_threads(struct collector *c);

#endif

// SPDX-License-Identifier: MIT
/*
 * Sampling all Python threads of one target: who runs, where, since the last look.
 *
 * sampler_tick() takes one sample of each thread and hands it to the sink. The caller keeps the
 * clock (see sample/ticker.h). The sampler owns what it knows of the threads; the target and the
 * profile are the caller's.
 */
#ifndef FIREGLASS_SAMPLE_SAMPLER_H
#define FIREGLASS_SAMPLE_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sample/ladder.h"
#include "sample/resolver.h"
#include "sample/target.h"
#include "store/profile.h"

/* What the kernel says of a thread. */
enum thread_run {
	THREAD_RUNNING, // on a processor, or ready for one (R)
	THREAD_WAITING, // sleeps, waits for a lock or a device (S, D)
	THREAD_STOPPED, // by a signal or a debugger (T, t)
	THREAD_UNKNOWN, // its kernel thread is not known
};

/* How a stack was come by. */
enum sample_proof {
	SAMPLE_VERIFIED,  // read twice, both agree
	SAMPLE_REUSED,    // the thread has not run since its last verified sample
	SAMPLE_TRUNCATED, // only a part towards the root is proven, or it is too deep
	SAMPLE_FAILED,    // nothing could be proven: no stack
};

struct sample {
	uint64_t time_ns; // since the epoch
	const struct sampled_thread *thread;
	stack_id stack;
	enum thread_run run;
	enum sample_proof proof;
	bool holds_gil;
};

struct sample_sink {
	void (*sample)(struct sample_sink *sink, const struct sample *sample);
};

/* One thread of the target, as long as it lives. */
struct sampled_thread {
	struct py_thread py;
	pid_t tid;  // 0 = not known
	char *name; // Python's name, else the kernel's, else "Thread-TID"
	struct stack_reader reader;
	struct ladder_thread ladder;
	int stat_fd, schedstat_fd;
	uint64_t slices, run_ns; // of schedstat at the last verified sample
	bool still;              // it was waiting then, and has a sample to reuse
	stack_id last_stack;
	bool last_gil;
	uint64_t seen;           // the list it was last in
};

struct sampler_options {
	bool thread_roots; // the thread's name as the root frame
	bool no_idle;      // leave out samples of threads that do not run
	bool gil_only;     // leave out samples that do not hold the GIL
};

struct sampler_counts {
	uint64_t samples;   // given to the sink
	uint64_t filtered;  // taken, but not asked for
	uint64_t reused, truncated, failed;
	uint64_t reads_failed; // reads that had to be repeated or given up
};

enum sampler_state {
	SAMPLER_OK,
	SAMPLER_LOST,  // there is no interpreter (any more): attach again, or find the process ended
	SAMPLER_DENIED, // reading is refused now
};

struct sampler {
	struct target *target;
	struct profile *profile;
	struct sampler_options options;
	struct sample_sink *sink;
	struct resolver resolver;
	struct ladder ladder;
	struct sampled_thread **threads;
	size_t thread_count, thread_capacity;
	struct py_threads list;
	uint64_t list_digest, list_number, listed_at_ns, named_at_ns;
	bool relist;
	frame_id truncated_frame, failed_frame, idle_frame;
	struct sampler_counts counts;
};

/* ERR_USAGE if the options make no sense for this target. */
struct err *sampler_init(struct sampler *s, struct target *target, struct profile *profile,
	const struct sampler_options *options, struct sample_sink *sink);
void sampler_deinit(struct sampler *s);

/* After the target was attached anew: all threads and code objects are others. */
void sampler_restart(struct sampler *s);

/* One sample of every thread. */
enum sampler_state sampler_tick(struct sampler *s);

#endif

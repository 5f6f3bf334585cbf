// SPDX-License-Identifier: MIT
/*
 * Sampling all Python threads of one target: who runs, where, since the last look.
 *
 * sampler_tick() takes one sample of each thread and hands it to the sink. The caller keeps the
 * clock (see sample/ticker.h). The sampler owns what it knows of the threads; the target and the
 * profile are the caller's.
 *
 * A thread that runs costs one pread (its state) and one process_vm_readv per tick: with its stack
 * come, in the same call, the head of the list of threads (new threads), the holder of the GIL, and
 * what proves its code objects. A thread that has not run since its last sample costs one pread.
 */
#ifndef FIREGLASS_SAMPLE_SAMPLER_H
#define FIREGLASS_SAMPLE_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sample/ladder.h"
#include "sample/resolver.h"
#include "sample/roster.h"
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

struct sampler_options {
	bool thread_roots; // the thread's name as the root frame
	bool no_idle;      // leave out samples of threads that do not run
	bool gil_only;     // leave out samples that do not hold the GIL
};

struct sampler_counts {
	uint64_t samples;  // given to the sink
	uint64_t filtered; // taken, but not asked for
	uint64_t reused, truncated, failed;
};

enum sampler_state {
	SAMPLER_OK,
	SAMPLER_LOST,   // there is no interpreter (any more): attach again, or find the process ended
	SAMPLER_DENIED, // reading is refused now
};

/* What is read along with a stack. */
struct sampler_riders {
	struct stack_riders set;
	remote_addr first_interp, first_thread; // heads of the lists
	unsigned char gil[16];                  // holder, then (3.12, 3.13) whether it is locked
	bool has_gil;
};

struct sampler {
	struct target *target;
	struct profile *profile;
	struct sampler_options options;
	struct sample_sink *sink;
	struct roster roster;
	struct resolver resolver;
	struct ladder ladder;
	struct sampler_riders riders;
	uint64_t ticks;
	bool relist; // the list of threads is known to have changed
	frame_id truncated_frame, failed_frame, empty_frame;
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

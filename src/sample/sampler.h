// SPDX-License-Identifier: MIT
/*
 * The sampling thread: the clock, and one sample of every Python thread of one target per tick.
 *
 * sampler_run() keeps the clock until it is told to stop or the target is lost; what it finds goes
 * through the ring to a collector on another thread. It formats nothing, writes nothing, and after
 * warm-up allocates nothing: a new thread or a new code object of the target is warm-up.
 *
 * A thread that runs costs one process_vm_readv per tick, with its stack come, in the same call, the
 * head of the list of threads (new threads), the holder of the GIL and the collector's state; and,
 * at most every millisecond, one pread (its CPU time). Whether it runs is seen from its stack, which
 * changes between the two images; only if it does not is the kernel asked. A thread that has not run
 * since its last sample costs one pread.
 */
#ifndef FIREGLASS_SAMPLE_SAMPLER_H
#define FIREGLASS_SAMPLE_SAMPLER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "sample/codes.h"
#include "sample/ladder.h"
#include "sample/record.h"
#include "sample/riders.h"
#include "sample/ring.h"
#include "sample/roster.h"
#include "sample/target.h"
#include "sample/ticker.h"

/* Written by the sampling thread, read by others while it goes. */
struct sampler_counts {
	_Atomic uint64_t ticks, missed;
	_Atomic uint64_t lost; // samples for which the ring had no room
	_Atomic uint64_t voided; // frames whose code object could not be proven afterwards
};

enum sampler_state {
	SAMPLER_OK,     // told to stop, or the time is up
	SAMPLER_LOST,   // there is no interpreter (any more): attach again, or find the process ended
	SAMPLER_DENIED, // reading is refused now
};

/* What a sample's record has besides its stack. */
struct sample_facts {
	uint64_t time_ns, cpu_ns;
	int32_t syscall;
};

struct sampler {
	struct target *target;
	struct ring *ring;
	struct roster roster;
	struct codes codes;
	struct ladder ladder;
	struct interp_riders riders;
	struct ticker ticker;
	uint64_t duration_ns; // 0: until told to stop
	_Atomic uint64_t started_ns; // when sampler_run() first began; 0 before
	uint64_t ended_ns;    // when it was over
	uint64_t ticks;
	uint64_t now_ns;      // of the tick
	struct clock_offset wall;
	uint64_t proved_ns;   // when the last epoch ended
	uint64_t stopped_ns;  // when it was last looked whether the process is stopped
	bool stopped;
	bool no_realtime;     // set by the caller: run as any other thread
	bool realtime;        // it has real-time priority (os/realtime.h)
	uint64_t checked_ns, checked_cpu_ns; // when it was last seen whether it may, and had used
	bool relist; // the list of threads is known to have changed
	struct {
		remote_addr gil, holder; // a GIL has one holder in a tick, whenever threads are read
	} holders[16];
	size_t holder_count;
	struct sampler_counts counts;
	atomic_bool stop;
	_Atomic uint32_t pause; // sampler_pause(): no ticks are taken while it is 1
	_Atomic uint64_t paused_ns; // how long that was in all
};

/*
 * Target and ring stay the caller's. The ticker's period and jitter, and the duration, may be set
 * before sampler_run(); it starts the clock.
 */
void sampler_init(struct sampler *s, struct target *target, struct ring *ring,
	enum ladder_strategy strategy);
void sampler_deinit(struct sampler *s);

/* From another thread: no ticks, until it is told to go on. */
void sampler_pause(struct sampler *s, bool paused);

/* After the target was attached anew: all threads and code objects are others. */
void sampler_restart(struct sampler *s);

/* One sample of every thread. */
enum sampler_state sampler_tick(struct sampler *s);

/*
 * Ticks, at least once (unless it is paused), until s->stop is set, the duration is over, or the
 * target is lost. Rings the ring at the end. Called again after the target was attached anew, it goes
 * on with the same clock.
 *
 * While it is paused nothing is read; ticks are neither taken nor missed, and what the threads do is
 * not counted to the first samples afterwards. The duration goes on.
 */
enum sampler_state sampler_run(struct sampler *s);

#endif

// SPDX-License-Identifier: MIT
/*
 * The sampling thread: the clock, and one sample of every Python thread of one target per tick.
 *
 * sampler_run() keeps the clock until it is told to stop or the target is lost; what it finds goes
 * through the ring to a collector on another thread. It formats nothing, writes nothing, and after
 * warm-up allocates nothing: a new thread or a new code object of the target is warm-up.
 *
 * A thread that runs costs one read of memory per tick, with its stack come, in the same call, the
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
	uint64_t tag;
	int32_t syscall;
	uint32_t weight; // ticks that it stands for
};

struct sampler {
	struct target *target;
	struct mem_reader *memory; // by which stacks are read: the target's, or one that the caller set
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
	/*
	 * Set by the caller: looks what a thread says of itself; true if that has been so all the time
	 * since the look before (inside/spans.h). Looked at right before and after the stack is read:
	 * only what did not change meanwhile is the sample's tag. NULL: nobody says anything.
	 */
	bool (*look_at_tag)(struct sample_tag *tag, pid_t tid, remote_addr state);
	bool tagged_only;     // set by the caller: threads that say nothing are not looked at
	_Atomic uint32_t *gate; // set by the caller: paused while this is 0 (clock_wait()); NULL: never
	bool realtime;        // it has real-time priority (os/realtime.h)
	uint64_t checked_ns, checked_cpu_ns; // when it was last seen whether it may, and had used
	bool relist; // the list of threads is known to have changed
	struct {
		remote_addr gil, holder; // a GIL has one holder in a tick, whenever threads are read
	} holders[16];
	size_t holder_count;
	struct sampler_counts counts;
	atomic_bool stop;
	_Atomic uint32_t bell;  // rung for what is asked of the sampling thread
	_Atomic uint32_t pause; // sampler_pause(): no ticks are taken while it is 1
	_Atomic uint32_t hand_over; // 1: hand over what there is, soon
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

/* From another thread: the sampling thread ends; it is woken for it. */
void sampler_stop(struct sampler *s);

/*
 * From another thread: waits until all that was sampled is in the ring for its reader, at most
 * `timeout_ns`; sampler_run() must be going on.
 */
void sampler_hand_over(struct sampler *s, uint64_t timeout_ns);

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

/* ---- for those who keep another clock (inside/timers.h), on the sampling thread ----------------- */

/* Obeys what was asked for; the next wait ends for what is asked from here on. True: it is paused. */
bool sampler_hear(struct sampler *s);

/* Lists the threads anew. */
enum read_status sampler_list(struct sampler *s);

/*
 * A sample of one thread, which uses the CPU, that stands for `weight` ticks. `still`: it does not move
 * until this returns; READ_TORN then means that it must first move on, and that nothing was handed
 * over. READ_GONE: it is no Python thread.
 */
enum read_status sampler_take(struct sampler *s, pid_t tid, uint32_t weight, bool still);

#endif

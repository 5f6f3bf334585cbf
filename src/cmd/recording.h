// SPDX-License-Identifier: MIT
/*
 * The time between the first sample and the last: follows a process through its life (waiting for
 * its interpreter, execve, its end), and its children if wanted, and shows progress.
 *
 * Each process is sampled by a thread of its own, which has a clock and one target; the calling
 * thread collects what comes through their rings, keeps the capture, and looks after everything else:
 * it looks for processes and attaches to them. When a sampling thread loses its target it ends; it is
 * started again once the target was attached anew.
 */
#ifndef FIREGLASS_CMD_RECORDING_H
#define FIREGLASS_CMD_RECORDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "cmd/family.h"
#include "os/spawn.h"
#include "sample/collector.h"
#include "sample/sampler.h"

enum recording_end {
	RECORDING_STOPPED, // Ctrl-C
	RECORDING_DURATION,
	RECORDING_TARGET_ENDED, // all of them have ended
	RECORDING_DENIED, // reading was refused later on
};

/* Of all processes, also those that have ended. */
struct recording_counts {
	uint64_t ticks, missed;
	uint64_t samples, left_out; // left out of them: not asked for
	uint64_t reused, truncated, failed, voided;
	uint64_t no_room; // samples for which a ring had none
	uint64_t rungs[LADDER_RUNGS];
	uint64_t sampled_ns; // sum of the times that processes were sampled
	size_t processes;    // that were
};

struct recording {
	pid_t pid;
	struct spawn *spawn; // NULL when attached to what others started
	bool children;       // also what the process starts
	uint64_t period_ns;   // 0: as fast as it goes
	uint64_t duration_ns; // 0: until the end
	bool no_jitter;       // ticks at equal distances
	bool no_realtime;     // run as any other thread
	enum ladder_strategy strategy;
	bool quiet;
	struct collector_options options;
	struct sample_sink *sink;
	struct capture *capture;
	uint32_t process; // the first one's row in the capture; those of children are added to it
	/*
	 * Called by the collecting thread between two looks into the rings, at least every 50 ms, also
	 * while an interpreter is waited for; NULL: none. What it does must be short, or a ring may run full.
	 */
	void (*turn)(void *data);
	void *turn_data;

	struct family family;
	struct recording_counts past; // of processes that are gone
	_Atomic uint32_t bell;        // of all rings; rung too when something is asked for
	atomic_bool stop_asked, pause_asked;
	bool paused;
	uint64_t paused_wall_ns;       // since when, as far as the capture does not have it yet
	uint64_t started_ns, ended_ns; // of the first and the last tick
	uint64_t cpu_start_ns;
	uint64_t turned_ns; // when the turn last was
	uint64_t shown_ns;  // when the progress line was last written
	bool progress;      // a terminal is there to show it
	bool first_denied;  // reading the process that was asked for was refused later on
	size_t unread;      // children that could not be sampled
	enum recording_end end;
	char *version;      // of the first Python that was found
	char *exe;          // and its program
};

/* Attaches and samples until the end. An error means that not one sample could be taken. */
struct err *recording_run(struct recording *r);
void recording_deinit(struct recording *r);

/* Ends the recording as Ctrl-C does. From any thread. */
void recording_stop(struct recording *r);

/*
 * While it is paused no tick is taken (nor counted as missed); what it shows of the time goes on, and
 * so does its duration. The capture gets a marker "paused" when it goes on, or ends. From any thread.
 */
void recording_pause(struct recording *r, bool paused);

/* The collecting thread does what recording_pause() has asked for. */
void recording_follow_pause(struct recording *r);

/* From the collecting thread, or when it is over. */
void recording_count(const struct recording *r, struct recording_counts *ret);

/*
 * The capture is to be whole as it is now: a pause that goes on gets its marker up to now. From the
 * collecting thread.
 */
void recording_mark_pause(struct recording *r);

/*
 * What comes from now on goes to another, empty capture, which gets the processes that are left and
 * their threads. From the collecting thread; the sink is to put samples into the new one from now on.
 */
void recording_move(struct recording *r, const struct capture *from, struct capture *to);

/* So many processes are sampled that the threads must not all go before others. */
bool recording_is_crowded(const struct recording *r);

/* The time between two ticks: as asked for, or as it turned out to be. */
uint64_t recording_period_ns(const struct recording *r);

/* One line to the standard error: what was taken, what was lost, what it cost. */
void recording_summary(const struct recording *r);

#endif

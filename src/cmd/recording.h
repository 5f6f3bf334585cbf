// SPDX-License-Identifier: MIT
/*
 * The time between the first sample and the last: follows a target through its life (waiting for
 * its interpreter, execve, its end), and shows progress.
 *
 * Two threads: the sampling thread has the clock and the target; the calling thread collects what
 * comes through the ring, keeps the profile, and looks after everything else. When the sampling
 * thread loses the target it ends; it is started again once the target was attached anew.
 */
#ifndef FIREGLASS_CMD_RECORDING_H
#define FIREGLASS_CMD_RECORDING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "os/spawn.h"
#include "sample/collector.h"
#include "sample/sampler.h"

enum recording_end {
	RECORDING_STOPPED, // Ctrl-C
	RECORDING_DURATION,
	RECORDING_TARGET_ENDED,
	RECORDING_DENIED, // reading was refused later on
};

struct recording {
	pid_t pid;
	struct spawn *spawn; // NULL when attached to what others started
	uint64_t period_ns;   // 0: as fast as it goes
	uint64_t duration_ns; // 0: until the end
	bool no_jitter;       // ticks at equal distances
	bool no_realtime;     // run as any other thread
	enum ladder_strategy strategy;
	bool quiet;
	struct collector_options options;
	struct sample_sink *sink;
	struct capture *capture;
	uint32_t process; // its row in the capture

	struct target target;
	struct ring ring;
	struct sampler sampler;
	struct collector collector;
	bool attached, has_sampler;
	pthread_t thread;             // the sampling thread
	enum sampler_state state;     // why it ended
	atomic_bool sampling;         // it runs
	uint64_t started_ns, ended_ns; // of the first and the last tick
	uint64_t cpu_start_ns;
	uint64_t shown_ns; // when the progress line was last written
	bool progress;     // a terminal is there to show it
	enum recording_end end;
	char *version;     // of the target's Python
};

/* Attaches and samples until the end. An error means that not one sample could be taken. */
struct err *recording_run(struct recording *r);
void recording_deinit(struct recording *r);

/* The time between two ticks: as asked for, or as it turned out to be. */
uint64_t recording_period_ns(const struct recording *r);

/* One line to the standard error: what was taken, what was lost, what it cost. */
void recording_summary(const struct recording *r);

#endif

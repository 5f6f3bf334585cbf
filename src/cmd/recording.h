// SPDX-License-Identifier: MIT
/*
 * The time between the first sample and the last: follows a target through its life (waiting for
 * its interpreter, execve, its end), keeps the clock, shows progress.
 */
#ifndef FIREGLASS_CMD_RECORDING_H
#define FIREGLASS_CMD_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "os/spawn.h"
#include "sample/sampler.h"
#include "sample/ticker.h"

enum recording_end {
	RECORDING_STOPPED, // Ctrl-C
	RECORDING_DURATION,
	RECORDING_TARGET_ENDED,
	RECORDING_DENIED, // reading was refused later on
};

struct recording {
	pid_t pid;
	struct spawn *spawn; // NULL when attached to what others started
	uint64_t period_ns, duration_ns; // duration 0: until the end
	bool quiet;
	struct sampler_options options;
	struct sample_sink *sink;
	struct profile *profile;

	struct target target;
	struct sampler sampler;
	bool attached, has_sampler;
	struct ticker ticker;
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

/* One line to the standard error: what was taken, what was lost, what it cost. */
void recording_summary(const struct recording *r);

#endif

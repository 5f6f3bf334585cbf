// SPDX-License-Identifier: MIT
/*
 * One process of a recording, from when it is first seen until it has ended: it waits for an
 * interpreter, is sampled by a thread of its own, may become another program, ends.
 *
 * All of it but the sampling thread's part belongs to the collecting thread.
 */
#ifndef FIREGLASS_CMD_FOLLOWED_H
#define FIREGLASS_CMD_FOLLOWED_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sample/collector.h"
#include "sample/sampler.h"

struct recording;

enum followed_state {
	FOLLOWED_WAITS,   // no Python, or not yet
	FOLLOWED_SAMPLED, // its sampling thread runs
	FOLLOWED_ENDED,
};

struct followed {
	pid_t pid;
	bool first;          // the one that was asked for
	bool denied;         // reading it was refused, and that was counted
	bool vain;           // it was looked into, and was no Python
	enum followed_state state;
	uint64_t since_ns;   // since when it has waited, as the program that it is
	uint64_t due_ns;     // when it is to be looked at
	uint64_t start_time; // of /proc: with the pid it identifies the process; 0: not looked at yet
	uint64_t exe_dev, exe_inode;
	uint32_t row; // in the capture's processes; CAPTURE_NONE: has none yet
	struct target target;
	struct ring ring;
	struct sampler sampler;
	struct collector collector;
	bool attached, has_sampler;
	pthread_t thread;          // the sampling thread
	atomic_bool sampling;      // it runs
	enum sampler_state result; // why it ended
	uint64_t result_wall_ns;   // when
	char *version;             // of its Python
};

struct followed *followed_create(pid_t pid, uint64_t now_ns);
void followed_destroy(struct followed *f);

/* False if the process has ended (or its pid is another's by now); notes when it became another program. */
bool followed_look(struct followed *f, uint64_t now_ns);

/* Finds its interpreter; *ready_ret as target_attach(). */
struct err *followed_attach(struct followed *f, bool *ready_ret);

/* Starts the sampling thread; *f was attached and is ready. */
struct err *followed_start(struct followed *f, struct recording *r);

/* The sampling thread has ended, or is to end now; what it left in the ring is collected. */
void followed_stop(struct followed *f);

/* Reads the version of its Python, until it is known. */
void followed_learn_version(struct followed *f);

/* It has ended, at that time: as are its rows in the capture. */
void followed_end_rows(struct followed *f, struct capture *c, uint64_t wall_ns);

#endif

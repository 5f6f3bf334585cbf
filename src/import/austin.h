// SPDX-License-Identifier: MIT
/*
 * What austin's text and its binary form have in common.
 *
 * A sample weighs the time since the tick before, or bytes; it has no time of its own. All threads
 * of a process are sampled at each tick, so the next tick begins where a thread comes a second time
 * or the weight changes, and the ticks of a process add up to its clock.
 */
#ifndef FIREGLASS_IMPORT_AUSTIN_H
#define FIREGLASS_IMPORT_AUSTIN_H

#include "import/build.h"

enum austin_mode {
	AUSTIN_WALL,
	AUSTIN_CPU,
	AUSTIN_MEMORY,
	AUSTIN_FULL,
};

struct austin_clock {
	uint64_t now_us, step_us;
	uint64_t tick;
};

struct austin {
	struct build b;
	enum austin_mode mode;
	struct austin_clock *clocks; // by row of processes
	uint64_t *last_ticks;        // by row of threads: the tick of its last sample
	size_t clock_count, clock_capacity, last_count, last_capacity;
};

struct austin_sample {
	uint32_t thread;
	stack_id stack;
	bool has_time, has_bytes;
	uint64_t time_us;
	int64_t bytes;
	bool idle_known, idle, gc;
};

void austin_init(struct austin *a, struct capture *c, const char *format);
void austin_deinit(struct austin *a);

/* A pair of the header or the trailer. */
void austin_fact(struct austin *a, struct slice key, struct slice value);

/* `name`: digits of the given base are an id, all else is a name. */
uint32_t austin_thread(struct austin *a, uint64_t pid, struct slice name, unsigned int base);

void austin_add(struct austin *a, const struct austin_sample *s);

#endif

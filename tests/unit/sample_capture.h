// SPDX-License-Identifier: MIT
/* Captures for tests, built from short texts. */
#ifndef FIREGLASS_TESTS_SAMPLE_CAPTURE_H
#define FIREGLASS_TESTS_SAMPLE_CAPTURE_H

#include "store/capture.h"

#define SAMPLE_START_NS 1700000000000000000u
#define SAMPLE_MS 1000000u

/* "name@file:line;name;..." root first; first lines are 1. "" is STACK_NONE. */
stack_id sample_stack(struct capture *c, const char *text);

uint32_t sample_process(struct capture *c, uint32_t pid, const char *name);
uint32_t sample_thread(struct capture *c, uint32_t process, uint32_t tid, const char *name);

/* `count` samples, one each ms from `ms` after the start, on a processor and holding the GIL. */
void sample_run(struct capture *c, uint32_t thread, uint32_t ms, uint32_t count, const char *stack);

/* One sample with all that it can have. */
void sample_one(struct capture *c, uint32_t thread, uint32_t ms, const char *stack,
	enum sample_state state, unsigned int flags);

/* A span from `ms` to `to_ms` (0: not ended); `parent` as what this returns: its row plus 1. */
uint32_t sample_span(struct capture *c, uint32_t thread, uint32_t ms, uint32_t to_ms,
	uint32_t parent, const char *name, const char *text);

/* Samples made from now on are in it; 0: in none. */
void sample_in_span(uint32_t span);

/* All stacks of a profile with weights, folded and sorted: "a;b 3\n..."; lines only if not 0. */
char *sample_folded(const struct profile *p); // the caller's to free

#endif

// SPDX-License-Identifier: MIT
/* Profiles for the tests of trees and exporters, built from short descriptions. */
#ifndef FIREGLASS_TESTS_SAMPLE_PROFILE_H
#define FIREGLASS_TESTS_SAMPLE_PROFILE_H

#include "store/profile.h"

/* A Python frame. */
frame_id sample_frame(
	struct profile *p, const char *name, const char *file, uint32_t first, uint32_t line);

/* Counts `weight` samples of the stack of `count` frames, root first; returns the stack. */
stack_id sample_add(struct profile *p, const frame_id *frames, size_t count, uint64_t weight);

#define SAMPLE_ADD(p, weight, ...)                         \
	sample_add((p), (const frame_id[]){ __VA_ARGS__ }, \
		sizeof((const frame_id[]){ __VA_ARGS__ }) / sizeof(frame_id), (weight))

/*
 * A little of everything: two threads, a mark, a function on several lines, two functions of one
 * name in one file, packages, the standard library, recursion, names that are not ASCII.
 */
void sample_profile_init(struct profile *p);

/* Names and files that try to be markup, to end lines and scripts, to hide and to turn around. */
void sample_hostile_init(struct profile *p);
extern const char *const sample_hostile_names[];

#endif

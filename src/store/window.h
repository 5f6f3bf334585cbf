// SPDX-License-Identifier: MIT
/*
 * The newest samples of a running capture, summed up: what a live view needs, without reading the
 * capture again. Samples are counted by (thread, stack, state, flags) in slices of time; a slice that
 * is too old leaves. Memory grows with the different stacks of the window, not with its samples.
 *
 * Slices are a tenth of a second when they are new and grow with their age, to at most 1/32 of it:
 * the beginning of any part of the window that is asked for is so exact.
 *
 * Not thread-safe: belongs to the thread that owns the capture.
 */
#ifndef FIREGLASS_STORE_WINDOW_H
#define FIREGLASS_STORE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "store/capture.h"

struct window;

struct window *window_create(const struct capture *c, uint64_t length_ns);
void window_destroy(struct window *w);

/*
 * Times are those of the samples. A clock that was set back by more than some seconds empties the
 * window, as nobody knows any more how old what it holds is.
 */
void window_sample(struct window *w, const struct capture_sample *sample);

/* Lets go what is older than the length; to be called now and then also when there are no samples. */
void window_advance(struct window *w, uint64_t now_ns);
void window_reset(struct window *w);

/* A group of equal samples; SAMPLE_TAKEN_OVER, which says how a stack was had, does not tell them apart. */
struct window_group {
	uint32_t thread;
	stack_id stack;
	uint8_t state, flags;
	double weight;    // ticks; with decay less than there were
	uint64_t samples;
	uint64_t cpu_ns;
};

/*
 * Calls `each` for the groups of the last `length_ns` (at most the window's), the newest first; a group
 * comes once for each slice that it is in. half_ns: age at which a sample weighs half, 0: all weigh the
 * same. "The last" is before the later of the newest sample and window_advance()'s time.
 */
void window_each(const struct window *w, uint64_t length_ns, uint64_t half_ns,
	void (*each)(void *data, const struct window_group *group), void *data);

#endif

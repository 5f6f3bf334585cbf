// SPDX-License-Identifier: MIT
/*
 * Rounds the samples of a recording to what can be known of them, so that they take little room.
 *
 * The random moment of its slot at which a tick was taken is worth little, and dear to keep: it is
 * the one thing that differs between a thousand samples of a program that stands still. So
 *
 *	times     are rounded to the nearest 1/64 of the period (at most 50 us)
 *	CPU times are rounded to the same; what is rounded off counts with the thread's next
 *	          sample, so that the sum over a thread is off by less than one unit
 *	a tick at which nothing at all had changed, nothing of any thread's sample, is put in the
 *	          middle of its slot (unless it is the last of a block): half a period or so from
 *	          where it was, at most 3/4
 *
 * The order of samples stays.
 */
#ifndef FIREGLASS_STORE_SAMPLE_ROUND_H
#define FIREGLASS_STORE_SAMPLE_ROUND_H

#include <stddef.h>
#include <stdint.h>

#include "store/capture.h"

struct rounded_thread {
	struct capture_sample last; // its last sample; count 0: it had none
	uint64_t rest_ns;           // CPU time that was rounded off so far
};

struct sample_round {
	uint64_t period_ns, unit_ns;
	struct rounded_thread *threads; // by row
	size_t thread_count, thread_capacity;
	uint64_t last_ns, time_ns; // of the last tick: as it was, as rounded
};

/* Period 0: nothing is rounded. */
void sample_round_init(struct sample_round *r, uint64_t period_ns);
void sample_round_deinit(struct sample_round *r);

/* Rounds the next samples; best as many as make a block. */
void sample_round(struct sample_round *r, struct capture_sample *rows, size_t count);

#endif

// SPDX-License-Identifier: MIT
/*
 * When samples begin and until when they hold, for formats that draw them on a time axis.
 *
 * A sample holds until the next one of its thread; if that comes later than two periods after it,
 * the thread was not looked at in between (or those samples are not selected), and it holds for as
 * many periods as it counts. Times count from the first sample of the capture. A capture without
 * times (imported text) gets some: each thread's samples follow each other, SAMPLE_CLOCK_MADE_UP_NS
 * for each count.
 */
#ifndef FIREGLASS_EXPORT_SAMPLE_CLOCK_H
#define FIREGLASS_EXPORT_SAMPLE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "store/view.h"

#define SAMPLE_CLOCK_MADE_UP_NS 1000000u

struct sample_clock {
	uint64_t origin_ns; // since the epoch; 0 if times are made up
	uint64_t count_ns;  // that one count stands for
	bool has_period;    // it is known, not made up
	bool made_up;       // times are
	struct sample_clock_thread {
		bool seen;
		uint64_t begin_ns; // of its last sample
		uint64_t end_ns;   // until when that holds if no other comes
		uint64_t limit_ns; // it holds until the next one if that comes by then
	} *threads;                // by row of the capture's threads
};

void sample_clock_init(struct sample_clock *clock, const struct view *v);
void sample_clock_deinit(struct sample_clock *clock);

/* Begins another pass over the samples. */
void sample_clock_reset(struct sample_clock *clock, const struct view *v);

struct sample_time {
	uint64_t begin_ns;    // of this sample, from the origin; not before the one before
	bool gap;             // the thread's sample before it ended earlier:
	uint64_t gap_from_ns; // then
};

/* The next sample of its thread. */
struct sample_time sample_clock_next(struct sample_clock *clock, const struct capture_sample *s);

/* When a thread's last sample ends, from the origin; 0 if it had none. */
uint64_t sample_clock_end(const struct sample_clock *clock, uint32_t thread);

/* A time since the epoch from the origin, at least 0. */
uint64_t sample_clock_from_origin(const struct sample_clock *clock, uint64_t time_ns);

#endif

// SPDX-License-Identifier: MIT
/*
 * What is taken out of a running flight recorder, for many at once.
 *
 * Who wants samples waits here; the collecting thread, between two looks into the rings, writes what
 * all of them want to one file without a name, and goes on: that is all it ever does for clients. It
 * does so seldom enough that this takes it at most 1/20 of its time.
 *
 * A snapshot has all samples before its cut, which is a little in the past: those that a sampling
 * thread was just taking are not missed by it.
 */
#ifndef FIREGLASS_CMD_SERVE_TAP_H
#define FIREGLASS_CMD_SERVE_TAP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/capture_file.h"

/* Shared by who wanted it; nobody's to change. */
struct snapshot {
	atomic_int refs;
	int fd;          // of a whole capture file
	uint64_t cut_ns; // samples before are there, as far back as they are kept or were wanted
};

struct tap_wait;

struct tap {
	struct capture_writer *writer;
	pthread_mutex_t lock;
	pthread_cond_t change;
	struct tap_wait *waits;
	atomic_uint waiting; // how many
	uint64_t due_ns;     // not before then, of clock_now_ns()
	bool ended;          // no more samples will come
	bool over;           // nobody is served any more
	uint64_t cut_ns;     // of the last snapshot
	_Atomic uint64_t snapshots, spent_ns, late;
};

void tap_init(struct tap *t, struct capture_writer *writer);
void tap_deinit(struct tap *t);

/* From the collecting thread, right after it took all there was. */
void tap_turn(struct tap *t);

/* A sample that comes; counts those that come too late for a snapshot. */
void tap_sample(struct tap *t, uint64_t time_ns);

/* The recording is over: who waits for samples to come gets what there is. From the same thread. */
void tap_end(struct tap *t);

/* Whoever waits, or comes later, is sent away. */
void tap_close(struct tap *t);

/*
 * A snapshot with what is kept of [from_ns, to_ns), or more, whose cut is not before to_ns; to_ns 0:
 * as of now. Waits for it; ERR_GONE if `gone`, which is asked now and then, says so, or the tap is
 * closed.
 */
struct err *tap_take(struct tap *t, uint64_t from_ns, uint64_t to_ns, bool (*gone)(void *data),
	void *data, struct snapshot **ret);
void snapshot_release(struct snapshot *s);

#endif

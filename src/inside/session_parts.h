// SPDX-License-Identifier: MIT
/* What a session is made of; private to session*.c. */
#ifndef FIREGLASS_INSIDE_SESSION_PARTS_H
#define FIREGLASS_INSIDE_SESSION_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "inside/session.h"
#include "inside/span_rows.h"
#include "sample/collector.h"
#include "sample/sampler.h"
#include "store/capture_file.h"

/* What the collecting thread is asked to do by another, one at a time. */
enum session_request {
	REQUEST_NONE,
	REQUEST_FLUSH,
	REQUEST_DUMP, // what belongs in the capture is to be in it; then the thread is to wait
	REQUEST_TURN, // it waits: the one that asked may read the capture
	REQUEST_GO,   // it need not wait any longer
};

struct session {
	struct session_options options;
	struct session *next, **link; // session_list.c
	pid_t owner; // the process that started it
	unsigned int forks; // session_forks() at that time
	int fd;
	bool owns_files; // its threads have file descriptors of their own, unless memory is read from a file
	struct target target;
	struct ring ring;
	struct sampler sampler;

	// the collecting thread's, from its start to its end
	struct capture capture;
	struct collector collector;
	struct capture_writer *writer;
	struct sample_sink sink;
	struct span_rows spans;
	uint32_t process;
	uint64_t missed_known, lost_known, spans_lost_known;
	uint64_t unwanted;       // samples that are in no span that was chosen
	uint64_t paused_wall_ns; // since when, as far as the capture does not have it yet; 0: it is not

	pthread_t sampling, collecting;
	pthread_mutex_t life;   // held by who stops it
	bool running;           // with life: both threads are there
	atomic_bool collect_stop;
	atomic_bool pause_asked;

	pthread_mutex_t lock;   // of what follows
	pthread_cond_t changed;
	unsigned int ready;     // threads that have begun
	enum session_request request;
	struct err *answer;     // of a flush
	struct session_counts counts;
	struct err *problem;    // the first that the writer had
	struct err *end;        // that finishing the file had
};

/* ---- session_store.c: the capture, on the collecting thread --------------------------------------- */

/* Before the threads are there. */
struct err *session_store_begin(struct session *s, int fd);
/* All that is in the ring, and what was asked for; `flush`: to the file. */
void session_store_turn(struct session *s, bool flush);
/* The capture is finished. */
void session_store_finish(struct session *s);
void session_store_free(struct session *s);

/* ---- session_list.c ------------------------------------------------------------------------------- */

/* From its start to its end it is in the list of all that run. */
void session_enlist(struct session *s);
void session_delist(struct session *s);

/* How many forks lie between the first process that asked and this one. */
unsigned int session_forks(void);

#endif

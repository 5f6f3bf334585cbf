// SPDX-License-Identifier: MIT
/*
 * fireglass serve, as its parts see it: one recording, whose newest samples are kept in memory, and an
 * HTTP server beside it (docs/serve.md). The collecting thread knows of the server only that it is to
 * call serve_turn(); every answer is made by the thread of its connection from what it takes out of
 * the tap (cmd/serve_tap.h).
 */
#ifndef FIREGLASS_CMD_SERVE_H
#define FIREGLASS_CMD_SERVE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cmd/inputs.h"
#include "cmd/recording.h"
#include "cmd/serve_tap.h"
#include "cmd/spool.h"
#include "fmt/json_writer.h"
#include "http/guard.h"
#include "http/listen.h"
#include "http/server.h"
#include "os/usage.h"

/* What the collecting thread says of itself, some times a second. */
struct serve_facts {
	struct recording_counts counts;
	uint32_t pid;
	bool sampling; // samples have come, and it is not over
	bool paused, ended;
	size_t processes, threads; // that have not ended
	uint64_t started_ns;       // of the first sample, since the epoch; 0: none yet
	uint64_t newest_ns;        // of the last sample
	uint64_t kept_bytes, dropped; // of the flight recorder
	uint64_t own_cpu_ns;
	struct usage target;
	char python[64];
};

/* Where captures are saved. */
struct serve_store {
	const char *path; // NULL: nowhere
	int fd;           // of the directory
	uint64_t max_bytes;
	pthread_mutex_t lock; // one saves at a time
	unsigned int number;  // of the last temporary name
};

/* How many may do something at once. */
struct serve_slots {
	atomic_int used;
	int most;
};

struct serve {
	struct recording recording;
	struct spool spool;
	struct capture_writer_options limits;
	struct sample_sink sink; // in front of the spool's
	struct tap tap;
	struct listener listener;
	struct http_server *server;
	struct guard_names names;
	struct guard_rate rate;
	pthread_mutex_t rate_lock;
	const char *token; // NULL: none is asked for
	struct serve_store store;
	bool no_source;

	pthread_mutex_t facts_lock;
	struct serve_facts facts;
	uint64_t facts_ns; // when they were last brought up to date
	uint64_t first_ns, newest_ns; // of samples; of the collecting thread

	struct serve_slots profiles, streams;
	pthread_mutex_t work_lock; // few compute at once: sampling comes first
	pthread_cond_t work_change;
	int working;
	pthread_mutex_t folded_lock;
	uint64_t folded_ns; // what /folded?reset=1 has given already ends there
	_Atomic uint64_t refused; // requests: rate, host, origin, token
	struct buf command_line;
	uint64_t begun_ns; // of this program, since the epoch
};

void serve_init(struct serve *s);
void serve_deinit(struct serve *s);

/* As the recording's turn and, with `ended`, after it. */
void serve_turn(struct serve *s, bool ended);
struct serve_facts serve_facts(struct serve *s);

/* Answers a request: looks whether it may be, and finds its route. Of any thread. */
void serve_handle(void *data, struct http_request *r);

/* ---- answers (serve_reply.c) ---- */

#define TYPE_JSON "application/json"
#define TYPE_TEXT "text/plain; charset=utf-8"

void reply_text(struct http_request *r, unsigned int status, const char *type, const struct buf *text);
void reply_error(struct http_request *r, unsigned int status, const char *format, ...)
	__attribute__((__format__(printf, 3, 4)));
/* By its kind; frees it. */
void reply_err(struct http_request *r, struct err *err);

/* A file without a name that an answer is written to. */
struct reply_file {
	FILE *stream;
};
struct err *reply_file_open(struct reply_file *f);
void reply_file_abort(struct reply_file *f);
void reply_file_send(struct http_request *r, struct reply_file *f, const char *type);

/* False and answered if a parameter is not among the NULL-terminated names. */
bool reply_know_parameters(struct http_request *r, const char *const *names);

/* "2", "0.5", "1m": seconds; false and answered if it is none, or not within (0, most]. */
bool reply_seconds(
	struct serve *s, struct http_request *r, const char *name, uint64_t missing_ns, uint64_t *ns_ret);

/* Only some at once: false and answered 429. */
bool serve_slot_take(struct serve_slots *slots, struct http_request *r);
void serve_slot_give(struct serve_slots *slots);

/* Between these it is computed; false: the client has gone meanwhile. */
bool serve_work_begin(struct serve *s, struct http_request *r);
void serve_work_end(struct serve *s);

bool serve_request_gone(void *request);

/* Opens what a snapshot has. */
struct err *serve_open_snapshot(const struct snapshot *snapshot, struct input *in);

/* ---- routes ---- */

/* `rest`: of the path, after what the route is for. */
typedef void serve_route(struct serve *s, struct http_request *r, const char *rest);

serve_route serve_page, serve_openapi;                               // serve_page.c
serve_route serve_status, serve_start, serve_stop, serve_metrics;    // serve_status.c
serve_route serve_profile, serve_pprof, serve_folded;                // serve_profile.c
serve_route serve_pprof_index, serve_pprof_cmdline;                  // serve_page.c
serve_route serve_stream;                                            // serve_stream.c
serve_route serve_list, serve_save, serve_fetch, serve_delete;       // serve_store.c

struct err *serve_store_open(struct serve_store *store);
void serve_store_close(struct serve_store *store);

/* A saved capture in another format, as the parameters say; takes the descriptor. */
void serve_convert(struct serve *s, struct http_request *r, int fd);

#endif

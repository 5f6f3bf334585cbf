// SPDX-License-Identifier: MIT
/*
 * An HTTP server for few, patient or impatient, clients (libmicrohttpd, which only server.c knows).
 *
 * Each connection has a thread of its own, of low priority, so that a handler may wait and compute as
 * it needs to; a client that reads slowly, or not at all, holds up nobody but itself. Connections
 * that do not get on - a request that is not complete after some seconds, an answer that is not
 * taken - are cut off. All threads of the server leave signals to others.
 *
 * Everything that comes from a request is untrusted bytes: bounded by the server, and 0 and other
 * control characters never reach a handler in a path or parameter (the request is answered 400).
 */
#ifndef FIREGLASS_HTTP_SERVER_H
#define FIREGLASS_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct http_server;
struct http_request;

#define HTTP_PARAMETERS_MAX 64
#define HTTP_BODY_MAX 4096 /* bytes; larger ones are answered 413 */

struct http_options {
	int fd; // listening; stays the caller's
	unsigned int max_clients;
	unsigned int idle_seconds; // without a byte in either direction, while it is the client's turn
	/*
	 * Answers a request, by exactly one of the http_answer functions. Called by many threads at
	 * once.
	 */
	void (*handle)(void *data, struct http_request *r);
	void *data;
};

/* *ret is there before the first request, and NULL after an error. */
struct err *http_server_start(struct http_server **ret, const struct http_options *options);

/*
 * Ends all connections, after the answers that are under way, if they are done within `grace_ns`, and
 * waits for all handlers. NULL is fine.
 */
void http_server_stop(struct http_server *s, uint64_t grace_ns);

struct http_server_counts {
	uint64_t connections; // now
	uint64_t accepted;
	uint64_t requests;
	uint64_t answers[6]; // by the first digit of their status
	uint64_t cut_off;    // connections
	uint64_t bytes;      // of answers, given to be sent
};
struct http_server_counts http_server_counts(struct http_server *s);

/* ---- requests ---- */

struct http_parameter {
	const char *name, *value; // decoded; value "" if there is none
};

const char *http_method(const struct http_request *r);
const char *http_path(const struct http_request *r); // decoded, without parameters
const char *http_header(const struct http_request *r, const char *name); // NULL if there is none
const struct http_parameter *http_parameters(const struct http_request *r, size_t *count_ret);
/* The first of that name, NULL if there is none. */
const char *http_parameter(const struct http_request *r, const char *name);
/* True once the client has hung up; for handlers that wait. */
bool http_gone(const struct http_request *r);

/* ---- answers ---- */

/* A header of the answer to come; texts are copied. At most some; what has control characters is none. */
void http_answer_header(struct http_request *r, const char *name, const char *value);

/* A text or bytes, copied. */
void http_answer_bytes(
	struct http_request *r, unsigned int status, const char *type, const void *bytes, size_t len);

/* A whole file, whose descriptor is the server's then. */
void http_answer_file(
	struct http_request *r, unsigned int status, const char *type, int fd, uint64_t size);

struct http_stream {
	/* Appends what comes next to `out` (empty); may wait. False: that was all. */
	bool (*next)(void *data, struct buf *out);
	void (*close)(void *data);
	void *data;
};

/* What comes as long as the client takes it; next() is called when all before has been taken. */
void http_answer_stream(struct http_request *r, const char *type, const struct http_stream *stream);

/*
 * For next(): true if it should give up waiting, as the client has hung up or the server ends. Of the
 * request that was answered with the stream, which lives as long.
 */
bool http_stream_over(const struct http_request *r);

#endif

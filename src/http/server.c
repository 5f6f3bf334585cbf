// SPDX-License-Identifier: MIT
#include "http/server.h"

#include <microhttpd.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

#define HEADERS_MAX 8
/* For the whole head of a request, and what is kept of its answer. */
#define CONNECTION_BYTES ((size_t)48 << 10)
#define STACK_BYTES ((size_t)1 << 20)
/* A request, from its first byte to its last, may take so long; an answer so long, and more by its size. */
#define REQUEST_NS ((uint64_t)20 * NS_PER_SEC)
#define ANSWER_NS ((uint64_t)60 * NS_PER_SEC)
#define SLOWEST_BYTES_PER_SECOND ((uint64_t)16 << 10)
#define NICE 10

static const struct {
	const char *name, *value;
} common_headers[] = {
	{ "Cache-Control", "no-store" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
};

/* A connection, in the list of the server as long as its socket is open. */
struct connection {
	struct connection *next, **link;
	struct http_server *server;
	int fd;
	uint64_t deadline_ns; // when it is cut off; 0: it is our turn
	bool cut_off;
	bool nice; // its thread is
};

struct http_server {
	struct MHD_Daemon *daemon;
	struct http_options options;
	pthread_mutex_t lock; // of the list and what is in it
	pthread_cond_t wake;  // of the janitor, and of who waits for the last request
	struct connection *connections;
	pthread_t janitor;
	bool over;            // for the janitor
	unsigned int pending; // requests that are not answered to the end
	atomic_bool ending;   // streams are to end
	atomic_bool cutting;  // handlers are to give up
	_Atomic uint64_t open, accepted, requests, answers[6], cut_off, bytes;
};

struct http_request {
	atomic_int refs; // MHD's, and its stream's
	struct http_server *server;
	struct connection *connection;
	struct MHD_Connection *mhd;
	const char *method, *path;
	struct http_parameter parameters[HTTP_PARAMETERS_MAX];
	size_t parameter_count;
	bool bad;      // control characters, or too many parameters
	bool too_long; // its body
	bool answered;
	size_t body;
	struct {
		char *name, *value;
	} headers[HEADERS_MAX];
	size_t header_count;
	enum MHD_Result queued;
};

/* ---- requests --------------------------------------------------------------------------------- */

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

static enum MHD_Result take_parameter(
	void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct http_request *r = data;
	const struct http_parameter parameter = { name ? name : "", value ? value : "" };

	(void)kind;
	if (r->parameter_count == HTTP_PARAMETERS_MAX || has_control(parameter.name) ||
		has_control(parameter.value)) {
		r->bad = true;
		return MHD_NO;
	}
	r->parameters[r->parameter_count++] = parameter;
	return MHD_YES;
}

static void release(struct http_request *r)
{
	if (atomic_fetch_sub(&r->refs, 1) > 1)
		return;
	for (size_t i = 0; i < r->header_count; i++) {
		free(r->headers[i].name);
		free(r->headers[i].value);
	}
	free(r);
}

static struct connection *connection_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void set_deadline(struct connection *c, uint64_t deadline_ns)
{
	pthread_mutex_lock(&c->server->lock);
	c->deadline_ns = deadline_ns;
	pthread_mutex_unlock(&c->server->lock);
}

/* Sampling comes first. The connection's thread is the calling one. */
static void be_nice(struct connection *c)
{
	if (!c->nice)
		setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	c->nice = true;
}

static struct http_request *begin_request(
	struct http_server *s, struct MHD_Connection *mhd, const char *path, const char *method)
{
	struct http_request *r = xcalloc(1, sizeof(*r));

	*r = (struct http_request){ .refs = 1, .server = s, .mhd = mhd, .path = path,
		.method = method, .connection = connection_of(mhd) };
	r->bad = has_control(path);
	MHD_get_connection_values(mhd, MHD_GET_ARGUMENT_KIND, take_parameter, r);
	be_nice(r->connection);
	atomic_fetch_add(&s->requests, 1);
	pthread_mutex_lock(&s->lock);
	s->pending++;
	pthread_mutex_unlock(&s->lock);
	return r;
}

const char *http_method(const struct http_request *r)
{
	return r->method;
}

const char *http_path(const struct http_request *r)
{
	return r->path;
}

const char *http_header(const struct http_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, name);
}

const struct http_parameter *http_parameters(const struct http_request *r, size_t *count_ret)
{
	*count_ret = r->parameter_count;
	return r->parameters;
}

const char *http_parameter(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->parameter_count; i++)
		if (strcmp(r->parameters[i].name, name) == 0)
			return r->parameters[i].value;
	return NULL;
}

static bool hung_up(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

bool http_gone(const struct http_request *r)
{
	return atomic_load(&r->server->cutting) || hung_up(r->connection->fd);
}

bool http_stream_over(const struct http_request *r)
{
	return atomic_load(&r->server->ending) || http_gone(r);
}

/* ---- answers ---------------------------------------------------------------------------------- */

void http_answer_header(struct http_request *r, const char *name, const char *value)
{
	if (r->header_count == HEADERS_MAX || has_control(name) || has_control(value))
		return;
	r->headers[r->header_count].name = xstrdup(name);
	r->headers[r->header_count++].value = xstrdup(value);
}

static void add_headers(const struct http_request *r, struct MHD_Response *response, const char *type)
{
	for (size_t i = 0; i < sizeof(common_headers) / sizeof(common_headers[0]); i++)
		MHD_add_response_header(
			response, common_headers[i].name, common_headers[i].value);
	MHD_add_response_header(response, "Content-Type", type);
	for (size_t i = 0; i < r->header_count; i++)
		MHD_add_response_header(response, r->headers[i].name, r->headers[i].value);
}

/* From now on it is the client's turn: it must take what there is. */
static void queue(struct http_request *r, unsigned int status, const char *type,
	struct MHD_Response *response, uint64_t deadline_ns)
{
	struct http_server *s = r->server;

	add_headers(r, response, type);
	set_deadline(r->connection, deadline_ns);
	MHD_set_connection_option(
		r->mhd, MHD_CONNECTION_OPTION_TIMEOUT, s->options.idle_seconds);
	r->answered = true;
	r->queued = MHD_queue_response(r->mhd, status, response);
	MHD_destroy_response(response);
	if (status < 600)
		atomic_fetch_add(&s->answers[status / 100], 1);
}

static uint64_t answer_deadline(uint64_t bytes)
{
	return clock_now_ns() + ANSWER_NS + bytes / SLOWEST_BYTES_PER_SECOND * NS_PER_SEC;
}

void http_answer_bytes(
	struct http_request *r, unsigned int status, const char *type, const void *bytes, size_t len)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		len, (void *)(uintptr_t)bytes, MHD_RESPMEM_MUST_COPY);

	if (!response)
		return;
	atomic_fetch_add(&r->server->bytes, len);
	queue(r, status, type, response, answer_deadline(len));
}

void http_answer_file(
	struct http_request *r, unsigned int status, const char *type, int fd, uint64_t size)
{
	struct MHD_Response *response = MHD_create_response_from_fd64(size, fd);

	if (!response) {
		close(fd);
		return;
	}
	atomic_fetch_add(&r->server->bytes, size);
	queue(r, status, type, response, answer_deadline(size));
}

/* ---- streams ---------------------------------------------------------------------------------- */

struct sending {
	struct http_request *request;
	struct http_stream stream;
	struct buf bytes;
	size_t sent;
};

/* What is computed does not count as time in which the client did nothing. */
static bool fill(struct sending *s)
{
	struct http_request *r = s->request;
	bool more = true;

	MHD_set_connection_option(r->mhd, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
	buf_clear(&s->bytes);
	s->sent = 0;
	while (more && !s->bytes.len)
		more = !http_stream_over(r) && s->stream.next(s->stream.data, &s->bytes);
	MHD_set_connection_option(
		r->mhd, MHD_CONNECTION_OPTION_TIMEOUT, r->server->options.idle_seconds);
	atomic_fetch_add(&r->server->bytes, s->bytes.len);
	return s->bytes.len > 0;
}

static ssize_t read_stream(void *data, uint64_t position, char *to, size_t most)
{
	struct sending *s = data;

	(void)position;
	if (s->sent == s->bytes.len && !fill(s))
		return MHD_CONTENT_READER_END_OF_STREAM;
	size_t len = s->bytes.len - s->sent;
	if (len > most)
		len = most;
	memcpy(to, s->bytes.data + s->sent, len);
	s->sent += len;
	return (ssize_t)len;
}

static void free_stream(void *data)
{
	struct sending *s = data;

	s->stream.close(s->stream.data);
	buf_deinit(&s->bytes);
	release(s->request);
	free(s);
}

void http_answer_stream(struct http_request *r, const char *type, const struct http_stream *stream)
{
	struct sending *s = xcalloc(1, sizeof(*s));

	*s = (struct sending){ .request = r, .stream = *stream };
	atomic_fetch_add(&r->refs, 1);
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, 16384, read_stream, s, free_stream);
	if (response)
		queue(r, 200, type, response, 0);
	else
		free_stream(s);
}

/* ---- what libmicrohttpd calls ----------------------------------------------------------------- */

static void refuse(struct http_request *r, unsigned int status, const char *why)
{
	http_answer_header(r, "Connection", "close");
	http_answer_bytes(r, status, "text/plain; charset=utf-8", why, strlen(why));
}

/* A body is not wanted, but a small one does no harm. */
static bool is_long_body(const struct http_request *r)
{
	const char *length = http_header(r, "Content-Length");

	return length && strtoull(length, NULL, 10) > HTTP_BODY_MAX;
}

static void answer(struct http_request *r)
{
	struct http_server *s = r->server;

	if (r->too_long)
		refuse(r, 413, "the body is too long: none is needed\n");
	else if (r->bad)
		refuse(r, 400, "control characters, or too many parameters\n");
	else
		s->options.handle(s->options.data, r);
	if (!r->answered)
		refuse(r, 500, "no answer\n");
}

/* First when the head is there, then for pieces of the body, at last when all is there. */
static enum MHD_Result on_request(void *data, struct MHD_Connection *mhd, const char *path,
	const char *method, const char *version, const char *body, size_t *body_len, void **state)
{
	struct http_request *r = *state;

	(void)version;
	(void)body;
	if (!r) {
		*state = r = begin_request(data, mhd, path, method);
		r->too_long = is_long_body(r);
		if (!r->too_long)
			return MHD_YES;
	} else if (*body_len) {
		r->body += *body_len;
		r->too_long |= r->body > HTTP_BODY_MAX;
		*body_len = 0;
		return MHD_YES;
	}
	// it is our turn, however long it takes
	set_deadline(r->connection, 0);
	MHD_set_connection_option(mhd, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
	answer(r);
	return r->queued;
}

static void on_completed(void *data, struct MHD_Connection *mhd, void **state,
	enum MHD_RequestTerminationCode code)
{
	struct http_server *s = data;
	struct http_request *r = *state;

	(void)mhd;
	(void)code;
	if (!r)
		return;
	*state = NULL;
	set_deadline(r->connection,
		clock_now_ns() + REQUEST_NS + (uint64_t)s->options.idle_seconds * NS_PER_SEC);
	release(r);
	pthread_mutex_lock(&s->lock);
	if (!--s->pending)
		pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

static void on_connected(struct http_server *s, struct MHD_Connection *mhd, void **socket_context)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct connection *c = xcalloc(1, sizeof(*c));

	*c = (struct connection){ .server = s, .fd = info->connect_fd,
		.deadline_ns = clock_now_ns() + REQUEST_NS };
	*socket_context = c;
	atomic_fetch_add(&s->open, 1);
	atomic_fetch_add(&s->accepted, 1);
	pthread_mutex_lock(&s->lock);
	c->next = s->connections;
	c->link = &s->connections;
	if (c->next)
		c->next->link = &c->next;
	s->connections = c;
	pthread_mutex_unlock(&s->lock);
}

static void on_closed(struct http_server *s, struct connection *c)
{
	pthread_mutex_lock(&s->lock);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	pthread_mutex_unlock(&s->lock);
	atomic_fetch_sub(&s->open, 1);
	free(c);
}

static void on_connection(void *data, struct MHD_Connection *mhd, void **socket_context,
	enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		on_connected(data, mhd, socket_context);
	else if (*socket_context)
		on_closed(data, *socket_context);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX, in place. A zero, which would end the text before its end, becomes another control character. */
static size_t unescape(void *data, struct MHD_Connection *mhd, char *text)
{
	char *to = text;

	(void)data;
	(void)mhd;
	for (const char *from = text; *from; to++) {
		int high = *from == '%' ? hex_digit(from[1]) : -1;
		int low = high >= 0 ? hex_digit(from[2]) : -1;

		if (low < 0) {
			*to = *from++;
			continue;
		}
		*to = (char)(high << 4 | low);
		if (!*to)
			*to = 1;
		from += 3;
	}
	*to = 0;
	return (size_t)(to - text);
}

/* ---- life ------------------------------------------------------------------------------------- */

static void cut_off_late(struct http_server *s, uint64_t now)
{
	for (struct connection *c = s->connections; c; c = c->next) {
		if (!c->deadline_ns || now < c->deadline_ns || c->cut_off)
			continue;
		c->cut_off = true;
		atomic_fetch_add(&s->cut_off, 1);
		shutdown(c->fd, SHUT_RDWR);
	}
}

static void wait_until(struct http_server *s, uint64_t deadline_ns)
{
	const struct timespec until = { .tv_sec = (time_t)(deadline_ns / NS_PER_SEC),
		.tv_nsec = (long)(deadline_ns % NS_PER_SEC) };

	pthread_cond_timedwait(&s->wake, &s->lock, &until);
}

/* Cuts off who does not get on. */
static void *janitor(void *data)
{
	struct http_server *s = data;

	pthread_mutex_lock(&s->lock);
	while (!s->over) {
		uint64_t now = clock_now_ns();

		cut_off_late(s, now);
		wait_until(s, now + NS_PER_SEC);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static struct MHD_Daemon *start_daemon(struct http_server *s, int fd)
{
	unsigned int flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
		MHD_USE_POLL | MHD_USE_ITC;

	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, //
		MHD_OPTION_LISTEN_SOCKET, fd, //
		MHD_OPTION_CONNECTION_LIMIT, s->options.max_clients, //
		MHD_OPTION_CONNECTION_TIMEOUT, s->options.idle_seconds, //
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, //
		MHD_OPTION_THREAD_STACK_SIZE, STACK_BYTES, //
		MHD_OPTION_STRICT_FOR_CLIENT, 1, //
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, //
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, //
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, //
		MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, //
		MHD_OPTION_END);
}

static void init_lock(struct http_server *s)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void destroy(struct http_server *s)
{
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* All threads are born with signals blocked. */
static struct err *start_threads(struct http_server *s)
{
	int fd = fcntl(s->options.fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(errno, "cannot start the server");
	errno = pthread_create(&s->janitor, NULL, janitor, s);
	if (!errno) {
		s->daemon = start_daemon(s, fd);
		if (s->daemon)
			return NULL;
		int errnum = errno ? errno : ENOMEM;
		s->over = true;
		pthread_join(s->janitor, NULL);
		errno = errnum;
	}
	struct err *err = err_errno(errno, "cannot start the server");
	close(fd);
	return err;
}

struct err *http_server_start(struct http_server **ret, const struct http_options *options)
{
	struct http_server *s = xcalloc(1, sizeof(*s));
	sigset_t all, old;

	s->options = *options;
	init_lock(s);
	*ret = s; // owned by the caller now; before the first request
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	struct err *err = start_threads(s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err) {
		destroy(s);
		*ret = NULL;
	}
	return err;
}

static void wait_for_requests(struct http_server *s, uint64_t deadline_ns)
{
	pthread_mutex_lock(&s->lock);
	while (s->pending && clock_now_ns() < deadline_ns)
		wait_until(s, deadline_ns);
	s->over = true;
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

void http_server_stop(struct http_server *s, uint64_t grace_ns)
{
	if (!s)
		return;
	atomic_store(&s->ending, true);
	int fd = MHD_quiesce_daemon(s->daemon);
	wait_for_requests(s, clock_now_ns() + grace_ns);
	atomic_store(&s->cutting, true);
	pthread_join(s->janitor, NULL);
	MHD_stop_daemon(s->daemon);
	if (fd >= 0)
		close(fd);
	destroy(s);
}

struct http_server_counts http_server_counts(struct http_server *s)
{
	struct http_server_counts counts = {
		.connections = atomic_load(&s->open),
		.accepted = atomic_load(&s->accepted),
		.requests = atomic_load(&s->requests),
		.cut_off = atomic_load(&s->cut_off),
		.bytes = atomic_load(&s->bytes),
	};

	for (size_t i = 0; i < 6; i++)
		counts.answers[i] = atomic_load(&s->answers[i]);
	return counts;
}

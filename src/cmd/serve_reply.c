// SPDX-License-Identifier: MIT
/* What answers have in common. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/iofd.h"
#include "base/units.h"
#include "cmd/serve.h"

/* Exports at once, on all connections. */
#define WORKERS 2

void reply_text(struct http_request *r, unsigned int status, const char *type, const struct buf *text)
{
	http_answer_bytes(r, status, type, buf_str(text), text->len);
}

void reply_error(struct http_request *r, unsigned int status, const char *format, ...)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	_cleanup_free_ char *message = NULL;
	struct json_writer w = { .buf = &out };
	va_list args;

	va_start(args, format);
	if (vasprintf(&message, format, args) < 0)
		message = NULL;
	va_end(args);
	json_begin_object(&w);
	json_key(&w, "error");
	json_cstring(&w, message ? message : "");
	json_end_object(&w);
	buf_add_char(&out, '\n');
	reply_text(r, status, TYPE_JSON, &out);
}

void reply_err(struct http_request *r, struct err *err)
{
	static const unsigned int statuses[] = {
		[ERR_FAILED] = 500,
		[ERR_USAGE] = 400,
		[ERR_PERMISSION] = 500,
		[ERR_NOT_PYTHON] = 500,
		[ERR_GONE] = 503,
	};

	reply_error(r, statuses[err->kind], "%s", err->message);
	err_free(err);
}

/* ---- files ------------------------------------------------------------------------------------ */

struct err *reply_file_open(struct reply_file *f)
{
	f->stream = iofd_nameless_stream();
	return f->stream ? NULL : err_errno(errno, "cannot make a temporary file");
}

void reply_file_abort(struct reply_file *f)
{
	if (f->stream)
		fclose(f->stream);
	f->stream = NULL;
}

void reply_file_send(struct http_request *r, struct reply_file *f, const char *type)
{
	bool written = fflush(f->stream) == 0 && !ferror(f->stream);
	off_t size = written ? lseek(fileno(f->stream), 0, SEEK_END) : -1;
	int fd = size >= 0 ? fcntl(fileno(f->stream), F_DUPFD_CLOEXEC, 0) : -1;

	reply_file_abort(f);
	if (fd >= 0)
		http_answer_file(r, 200, type, fd, (uint64_t)size);
	else
		reply_error(r, 507, "cannot keep the answer: no room for temporary files");
}

/* ---- parameters ------------------------------------------------------------------------------- */

bool reply_know_parameters(struct http_request *r, const char *const *names)
{
	size_t count;
	const struct http_parameter *parameters = http_parameters(r, &count);

	for (size_t i = 0; i < count; i++) {
		size_t j = 0;

		while (names[j] && strcmp(names[j], parameters[i].name) != 0)
			j++;
		if (names[j] || strcmp(parameters[i].name, "token") == 0)
			continue;
		reply_error(r, 400, "unknown parameter '%s'", parameters[i].name);
		return false;
	}
	return true;
}

/* "10", "0.5", "500ms", "2m": less than the command line takes, so that it can be described. */
static bool is_duration(const char *text)
{
	static const char *const units[] = { "", "ms", "s", "m", "h" };
	size_t whole = strspn(text, "0123456789");
	const char *rest = text + whole;

	if (!whole || whole > 9)
		return false;
	if (*rest == '.') {
		size_t digits = strspn(rest + 1, "0123456789");

		if (!digits || digits > 9)
			return false;
		rest += 1 + digits;
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strcmp(rest, units[i]) == 0)
			return true;
	return false;
}

bool reply_seconds(
	struct serve *s, struct http_request *r, const char *name, uint64_t missing_ns, uint64_t *ns_ret)
{
	uint64_t most_ns = s->limits.max_age_ns;
	const char *text = http_parameter(r, name);
	_cleanup_buf_ struct buf most = BUF_INIT;

	*ns_ret = missing_ns < most_ns ? missing_ns : most_ns;
	if (!text)
		return true;
	struct err *err = is_duration(text)
		? units_parse_duration(text, ns_ret)
		: err_new(ERR_USAGE, "bad time '%s'; give seconds (10, 0.5) or 500ms, 2m", text);
	if (err) {
		reply_err(r, err);
		return false;
	}
	if (*ns_ret <= most_ns)
		return true;
	units_add_duration(&most, most_ns);
	reply_error(r, 400, "only the last %s are kept, see --keep", buf_str(&most));
	return false;
}

/* ---- not too many at once --------------------------------------------------------------------- */

bool serve_slot_take(struct serve_slots *slots, struct http_request *r)
{
	if (atomic_fetch_add(&slots->used, 1) < slots->most)
		return true;
	atomic_fetch_sub(&slots->used, 1);
	http_answer_header(r, "Retry-After", "1");
	reply_error(r, 429, "%d of these are under way already; try again later", slots->most);
	return false;
}

void serve_slot_give(struct serve_slots *slots)
{
	atomic_fetch_sub(&slots->used, 1);
}

bool serve_request_gone(void *request)
{
	return http_gone(request);
}

bool serve_work_begin(struct serve *s, struct http_request *r)
{
	bool gone = false;

	pthread_mutex_lock(&s->work_lock);
	while (s->working >= WORKERS && !gone) {
		uint64_t until_ns = clock_wall_ns() + NS_PER_SEC / 5;
		const struct timespec until = { .tv_sec = (time_t)(until_ns / NS_PER_SEC),
			.tv_nsec = (long)(until_ns % NS_PER_SEC) };

		pthread_cond_timedwait(&s->work_change, &s->work_lock, &until);
		gone = http_gone(r);
	}
	if (!gone)
		s->working++;
	pthread_mutex_unlock(&s->work_lock);
	return !gone;
}

void serve_work_end(struct serve *s)
{
	pthread_mutex_lock(&s->work_lock);
	s->working--;
	pthread_cond_signal(&s->work_change);
	pthread_mutex_unlock(&s->work_lock);
}

struct err *serve_open_snapshot(const struct snapshot *snapshot, struct input *in)
{
	char name[32];

	*in = (struct input){ .path = "recording", .shown = "the recording", .format = "fgc",
		.native = true };
	snprintf(name, sizeof(name), "/dev/fd/%d", snapshot->fd);
	return capture_file_open(&in->capture, name, &in->info);
}

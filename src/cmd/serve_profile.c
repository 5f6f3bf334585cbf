// SPDX-License-Identifier: MIT
/* Profiles of the last or the next seconds. */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/serve.h"
#include "cmd/serve_question.h"

#define DEFAULT_NS ((uint64_t)10 * NS_PER_SEC)
#define PPROF_DEFAULT_NS ((uint64_t)30 * NS_PER_SEC) /* as Go's */

static const char *const time_parameters[] = { "seconds", "last", NULL };

/* What is kept of [q->from_ns, q->to_ns), when it is there. */
static struct err *take(
	struct serve *s, struct http_request *r, struct question *q, struct input *in)
{
	struct snapshot *snapshot;
	struct err *err =
		tap_take(&s->tap, q->from_ns, q->to_ns, serve_request_gone, r, &snapshot);

	if (err)
		return err;
	if (!q->to_ns)
		q->to_ns = snapshot->cut_ns;
	err = serve_open_snapshot(snapshot, in);
	snapshot_release(snapshot);
	return err;
}

static void answer(struct serve *s, struct http_request *r, struct question *q)
{
	struct input in;
	struct err *err = take(s, r, q, &in);

	if (err) {
		reply_err(r, err);
		return;
	}
	question_answer(s, r, q, &in);
	input_close(&in);
}

static bool read_last(struct http_request *r, bool *last_ret)
{
	const char *text = http_parameter(r, "last");

	*last_ret = text && strcmp(text, "1") == 0;
	if (!text || *last_ret || strcmp(text, "0") == 0)
		return true;
	reply_error(r, 400, "bad value '%s' of 'last'; 1: the last seconds, 0: the next ones", text);
	return false;
}

static void profile(
	struct serve *s, struct http_request *r, const char *format, uint64_t missing_ns)
{
	struct question q;
	uint64_t length_ns;
	bool last;
	struct err *err = question_read(&q, r, time_parameters, format);

	if (err) {
		reply_err(r, err);
		return;
	}
	if (!reply_seconds(s, r, "seconds", missing_ns, &length_ns) || !read_last(r, &last) ||
		!serve_slot_take(&s->profiles, r))
		return;
	q.from_ns = clock_wall_ns() - (last ? length_ns : 0);
	q.to_ns = last ? 0 : q.from_ns + length_ns;
	answer(s, r, &q);
	serve_slot_give(&s->profiles);
}

void serve_profile(struct serve *s, struct http_request *r, const char *rest)
{
	(void)rest;
	profile(s, r, "speedscope", DEFAULT_NS);
}

void serve_pprof(struct serve *s, struct http_request *r, const char *rest)
{
	(void)rest;
	profile(s, r, "pprof", PPROF_DEFAULT_NS);
}

/* ---- folded ----------------------------------------------------------------------------------- */

static bool read_reset(struct http_request *r, bool *reset_ret)
{
	const char *text = http_parameter(r, "reset");

	*reset_ret = text && strcmp(text, "1") == 0;
	if (!text || *reset_ret || strcmp(text, "0") == 0)
		return true;
	reply_error(r, 400, "bad value '%s' of 'reset'; 1 or 0", text);
	return false;
}

/* With a reset each sample is given once, whoever asks: what one gets begins where another's ended. */
static void answer_folded(
	struct serve *s, struct http_request *r, struct question *q, bool reset)
{
	struct input in;

	pthread_mutex_lock(&s->folded_lock);
	q->from_ns = s->folded_ns;
	struct err *err = take(s, r, q, &in);
	if (!err && reset)
		s->folded_ns = q->to_ns;
	pthread_mutex_unlock(&s->folded_lock);
	if (err) {
		reply_err(r, err);
		return;
	}
	question_answer(s, r, q, &in);
	input_close(&in);
}

void serve_folded(struct serve *s, struct http_request *r, const char *rest)
{
	static const char *const own[] = { "reset", NULL };
	struct question q;
	bool reset;
	struct err *err = question_read(&q, r, own, "folded");

	(void)rest;
	if (!err && http_parameter(r, "format"))
		err = err_new(ERR_USAGE, "this is folded; for formats see /api/v1/profile");
	if (err) {
		reply_err(r, err);
		return;
	}
	if (!read_reset(r, &reset) || !serve_slot_take(&s->profiles, r))
		return;
	answer_folded(s, r, &q, reset);
	serve_slot_give(&s->profiles);
}

void serve_convert(struct serve *s, struct http_request *r, int fd)
{
	struct snapshot file = { .fd = fd };
	struct question q;
	struct input in;
	struct err *err = question_read(&q, r, (const char *const[]){ NULL }, "fgc");

	if (!err)
		err = serve_open_snapshot(&file, &in);
	close(fd);
	if (err) {
		reply_err(r, err);
		return;
	}
	question_answer(s, r, &q, &in);
	input_close(&in);
}

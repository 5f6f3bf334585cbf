// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "inside/session_parts.h"
#include "os/proc.h"
#include "sample/facts.h"

#define COMMAND_LINE_BYTES 4096

static struct session *session_of(struct sample_sink *sink)
{
	return (struct session *)(void *)((char *)sink - offsetof(struct session, sink));
}

static bool is_recorder(const struct session *s)
{
	return s->options.max_age_ns || s->options.max_bytes;
}

/* What goes wrong is told by the counts: nobody is there to hear of it now. */
static void note(struct session *s, struct err *err)
{
	if (!err)
		return;
	pthread_mutex_lock(&s->lock);
	s->counts.write_errors++;
	if (s->problem)
		err_free(err);
	else
		s->problem = err; // owned by the session now
	pthread_mutex_unlock(&s->lock);
}

static void take(struct sample_sink *sink, const struct sample *sample)
{
	struct session *s = session_of(sink);
	struct capture_sample row = sample->row;

	if (sample->left_out)
		return;
	row.span = span_rows_of(&s->spans, sample->tag, sample->thread, row.time_ns);
	if (s->options.spans_only && !row.span) {
		s->unwanted += row.count;
		return;
	}
	note(s, capture_writer_sample(s->writer, &row));
}

/* ---- what the capture says of itself ---------------------------------------------------------- */

static void describe(struct session *s)
{
	struct capture *c = &s->capture;
	_cleanup_buf_ struct buf command = BUF_INIT, cwd = BUF_INIT, version = BUF_INIT;

	if (s->options.command)
		buf_add_str(&command, s->options.command);
	else
		proc_command_line(s->owner, COMMAND_LINE_BYTES, &command);
	const struct capture_process row = {
		.pid = (uint32_t)s->owner,
		.name = capture_string(c, "python"),
		.command = capture_string(c, buf_str(&command)),
		.start_ns = clock_wall_ns(),
	};
	s->process = capture_add_process(c, &row);
	facts_begin(c, row.start_ns, s->options.period_ns);
	capture_set_fact(c, FACT_SAMPLER, s->options.clock == SESSION_CPU ?
			"a native thread, by the CPU clocks of the others" :
			"a native thread");
	proc_link(s->owner, "cwd", &cwd);
	if (cwd.len)
		capture_set_fact(c, FACT_CWD, buf_str(&cwd));
	runtime_version(&s->target.rt, &s->target.live.reader, &version);
	capture_set_fact(c, FACT_PYTHON, buf_str(&version));
	if (s->target.exe.len)
		capture_set_fact(c, FACT_PYTHON_BUILD, buf_str(&s->target.exe));
}

/* `now_too`: a pause that goes on is marked until now. */
static void mark_pause(struct session *s, bool now_too)
{
	bool paused = atomic_load(&s->pause_asked);
	uint64_t now = clock_wall_ns();

	if (s->paused_wall_ns && (!paused || now_too)) {
		const struct capture_marker marker = {
			.start_ns = s->paused_wall_ns,
			.end_ns = now,
			.thread = CAPTURE_NONE,
			.process = CAPTURE_NONE,
			.name = capture_string(&s->capture, "paused"),
			.text = capture_string(&s->capture, ""),
		};

		capture_add_marker(&s->capture, &marker);
	}
	if (!paused || now_too || !s->paused_wall_ns)
		s->paused_wall_ns = paused ? now : 0;
}

static uint64_t lost_spans(const struct session *s)
{
	return s->spans.reader ? span_reader_lost(s->spans.reader) : 0;
}

static void update_facts(struct session *s)
{
	uint64_t rungs[LADDER_RUNGS];

	for (int i = 0; i < LADDER_RUNGS; i++)
		rungs[i] = atomic_load(&s->sampler.ladder.counts[i]);
	facts_counts(&s->capture, atomic_load(&s->sampler.counts.ticks), rungs);
	facts_loss(&s->capture, LOSS_MISSED, atomic_load(&s->sampler.counts.missed),
		&s->missed_known);
	facts_loss(&s->capture, LOSS_ROOM, atomic_load(&s->sampler.counts.lost), &s->lost_known);
}

static void update_counts(struct session *s)
{
	const struct collector_counts *n = &s->collector.counts;

	pthread_mutex_lock(&s->lock);
	s->counts.ticks = atomic_load(&s->sampler.counts.ticks);
	s->counts.missed = atomic_load(&s->sampler.counts.missed);
	s->counts.samples = n->samples - n->left_out - s->unwanted;
	s->counts.truncated = n->truncated;
	s->counts.failed = n->failed;
	s->counts.lost = atomic_load(&s->sampler.counts.lost) +
			 (is_recorder(s) ? 0 : capture_writer_lost(s->writer));
	s->counts.bytes = capture_writer_bytes(s->writer);
	s->counts.spans_lost = lost_spans(s);
	pthread_mutex_unlock(&s->lock);
}

/* ---- life ------------------------------------------------------------------------------------- */

struct err *session_store_begin(struct session *s, int fd)
{
	const struct capture_writer_options limits = {
		.max_bytes = s->options.max_bytes,
		.max_age_ns = s->options.max_age_ns,
	};
	const struct collector_options options = {
		.no_idle = s->options.no_idle,
		.gil_only = s->options.gil_only,
	};

	describe(s);
	if (ftruncate(fd, 0) != 0 && errno != EINVAL) // a stream
		return err_errno(errno, "cannot empty the file");
	struct err *err = capture_writer_create(&s->writer, fd, &s->capture, &limits);
	if (err)
		return err;
	s->sink.sample = take;
	collector_init(&s->collector, &s->ring, &s->target, &s->capture, s->process, &options,
		&s->sink);
	span_rows_init(&s->spans, &s->collector, s->options.spans_only, is_recorder(s));
	return NULL;
}

static enum session_request request_of(struct session *s)
{
	pthread_mutex_lock(&s->lock);
	enum session_request request = s->request;
	pthread_mutex_unlock(&s->lock);
	return request;
}

/* With s->lock. */
static void set_request(struct session *s, enum session_request request)
{
	s->request = request;
	pthread_cond_broadcast(&s->changed);
}

static void answer(struct session *s, enum session_request request)
{
	struct err *err = NULL;

	mark_pause(s, true);
	update_facts(s);
	if (request == REQUEST_FLUSH)
		err = capture_writer_flush(s->writer);
	update_counts(s);
	pthread_mutex_lock(&s->lock);
	s->answer = err; // owned by the asking thread now
	if (request == REQUEST_DUMP) {
		set_request(s, REQUEST_TURN);
		while (s->request == REQUEST_TURN)
			pthread_cond_wait(&s->changed, &s->lock);
	}
	set_request(s, REQUEST_NONE);
	pthread_mutex_unlock(&s->lock);
}

void session_store_turn(struct session *s, bool flush)
{
	enum session_request request = request_of(s);

	span_rows_update(&s->spans);
	collector_drain(&s->collector);
	if (request != REQUEST_NONE)
		answer(s, request);
	mark_pause(s, false);
	if (flush) {
		update_facts(s);
		note(s, capture_writer_flush(s->writer));
	}
	update_counts(s);
}

void session_store_finish(struct session *s)
{
	session_store_turn(s, false);
	collector_end_threads(&s->collector);
	s->capture.processes[s->process].end_ns = clock_wall_ns();
	mark_pause(s, true);
	update_facts(s);
	capture_set_fact_u64(&s->capture, FACT_END_NS, clock_wall_ns());
	struct err *err = capture_writer_finish(s->writer);
	update_counts(s);
	pthread_mutex_lock(&s->lock);
	s->end = err; // owned by the session now
	pthread_mutex_unlock(&s->lock);
}

void session_store_free(struct session *s)
{
	span_rows_deinit(&s->spans);
	if (s->writer)
		collector_deinit(&s->collector);
	capture_writer_destroy(s->writer);
	s->writer = NULL;
	capture_deinit(&s->capture);
}

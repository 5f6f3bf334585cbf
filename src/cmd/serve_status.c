// SPDX-License-Identifier: MIT
/* What the recording and the server say of themselves: as JSON, and for Prometheus. */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/serve.h"

static const char *const no_parameters[] = { NULL };

/* ---- status ----------------------------------------------------------------------------------- */

static const char *state_of(const struct serve_facts *f)
{
	if (f->ended)
		return "ended";
	if (f->paused)
		return "stopped";
	return f->sampling ? "sampling" : "waiting";
}

static void put_target(struct json_writer *w, struct serve *s, const struct serve_facts *f)
{
	json_key(w, "target");
	json_begin_object(w);
	json_member_u64(w, "pid", f->pid);
	json_member_cstring(w, "command", buf_str(&s->command_line));
	json_member_cstring(w, "python", f->python);
	json_member_u64(w, "processes", f->processes);
	json_member_u64(w, "threads", f->threads);
	json_member_u64(w, "cpu_ns", f->target.cpu_ns);
	json_member_u64(w, "rss_bytes", f->target.rss_bytes);
	json_end_object(w);
}

static void put_counts(struct json_writer *w, const struct serve_facts *f)
{
	const struct recording_counts *c = &f->counts;

	json_member_u64(w, "ticks", c->ticks);
	json_member_u64(w, "samples", c->samples);
	json_key(w, "lost");
	json_begin_object(w);
	json_member_u64(w, "missed", c->missed);
	json_member_u64(w, "no_room", c->no_room);
	json_member_u64(w, "unreadable", c->failed);
	json_end_object(w);
	json_member_u64(w, "truncated", c->truncated);
}

static void put_ring(struct json_writer *w, struct serve *s, const struct serve_facts *f)
{
	json_key(w, "ring");
	json_begin_object(w);
	json_member_u64(w, "keep_ns", s->limits.max_age_ns);
	json_member_u64(w, "max_bytes", s->limits.max_bytes);
	json_member_u64(w, "bytes", f->kept_bytes);
	json_member_u64(w, "dropped", f->dropped);
	json_end_object(w);
}

static void reply_status(struct serve *s, struct http_request *r)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct json_writer w = { .buf = &out };
	struct serve_facts f = serve_facts(s);

	json_begin_object(&w);
	json_member_cstring(&w, "version", FIREGLASS_VERSION);
	json_member_cstring(&w, "state", state_of(&f));
	put_target(&w, s, &f);
	json_member_u64(&w, "now_ns", clock_wall_ns());
	json_member_u64(&w, "first_ns", f.started_ns);
	json_member_u64(&w, "newest_ns", f.newest_ns);
	json_member_u64(&w, "period_ns", s->recording.period_ns);
	put_counts(&w, &f);
	put_ring(&w, s, &f);
	json_member_u64(&w, "cpu_ns", f.own_cpu_ns);
	json_key(&w, "can_save");
	json_bool(&w, s->store.path != NULL);
	json_end_object(&w);
	reply_text(r, 200, TYPE_JSON, &out);
}

void serve_status(struct serve *s, struct http_request *r, const char *rest)
{
	(void)rest;
	if (reply_know_parameters(r, no_parameters))
		reply_status(s, r);
}

/* ---- start, stop ------------------------------------------------------------------------------ */

static void set_paused(struct serve *s, struct http_request *r, bool paused)
{
	if (!reply_know_parameters(r, no_parameters))
		return;
	if (serve_facts(s).ended) {
		reply_error(r, 409, "the program has ended");
		return;
	}
	recording_pause(&s->recording, paused);
	// what is asked for is so as soon as the sampling threads look
	pthread_mutex_lock(&s->facts_lock);
	s->facts.paused = paused;
	pthread_mutex_unlock(&s->facts_lock);
	reply_status(s, r);
}

void serve_start(struct serve *s, struct http_request *r, const char *rest)
{
	(void)rest;
	set_paused(s, r, false);
}

void serve_stop(struct serve *s, struct http_request *r, const char *rest)
{
	(void)rest;
	set_paused(s, r, true);
}

/* ---- metrics ---------------------------------------------------------------------------------- */

static void add_head(struct buf *out, const char *name, const char *kind, const char *help)
{
	buf_printf(out, "# HELP fireglass_%s %s\n# TYPE fireglass_%s %s\n", name, help, name, kind);
}

static void add_count(struct buf *out, const char *name, const char *help, uint64_t value)
{
	add_head(out, name, "counter", help);
	buf_printf(out, "fireglass_%s %" PRIu64 "\n", name, value);
}

static void add_gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
	add_head(out, name, "gauge", help);
	buf_printf(out, "fireglass_%s %" PRIu64 "\n", name, value);
}

static void add_seconds(
	struct buf *out, const char *name, const char *kind, const char *help, uint64_t ns)
{
	add_head(out, name, kind, help);
	buf_printf(out, "fireglass_%s %" PRIu64 ".%09" PRIu64 "\n", name, ns / NS_PER_SEC,
		ns % NS_PER_SEC);
}

static void add_samples(struct buf *out, const struct serve_facts *f)
{
	static const char *const rungs[LADDER_RUNGS] = {
		[LADDER_DIRECT] = "direct",
		[LADDER_COSCHEDULED] = "coscheduled",
		[LADDER_STOPPED] = "stopped",
		[LADDER_TRUNCATED] = "truncated",
	};
	const struct recording_counts *c = &f->counts;

	add_count(out, "ticks_total", "Ticks at which the program was looked at.", c->ticks);
	add_count(out, "samples_total", "Samples of threads taken.", c->samples);
	add_head(out, "lost_total", "counter", "What could not be had, by reason.");
	buf_printf(out, "fireglass_lost_total{reason=\"missed\"} %" PRIu64 "\n", c->missed);
	buf_printf(out, "fireglass_lost_total{reason=\"no_room\"} %" PRIu64 "\n", c->no_room);
	buf_printf(out, "fireglass_lost_total{reason=\"unreadable\"} %" PRIu64 "\n", c->failed);
	add_count(out, "truncated_total", "Samples with a part of their stack only.", c->truncated);
	add_head(out, "stacks_read_total", "counter", "How stacks were read.");
	for (int i = 0; i < LADDER_RUNGS; i++)
		if (rungs[i])
			buf_printf(out, "fireglass_stacks_read_total{how=\"%s\"} %" PRIu64 "\n",
				rungs[i], c->rungs[i]);
}

static void add_target(struct buf *out, const struct serve_facts *f)
{
	add_gauge(out, "sampling", "1 while samples are taken.",
		f->sampling && !f->paused && !f->ended);
	add_gauge(out, "target_processes", "Processes that are sampled.", f->processes);
	add_gauge(out, "target_threads", "Threads that are sampled.", f->threads);
	add_seconds(out, "target_cpu_seconds_total", "counter",
		"CPU time of the first process.", f->target.cpu_ns);
	add_gauge(out, "target_resident_bytes", "Resident memory of the first process.",
		f->target.rss_bytes);
}

static void add_server(struct buf *out, struct serve *s)
{
	struct http_server_counts c = http_server_counts(s->server);

	add_gauge(out, "http_connections", "Connections now.", c.connections);
	add_count(out, "http_connections_total", "Connections accepted.", c.accepted);
	add_count(out, "http_connections_cut_off_total", "Connections that did not get on.",
		c.cut_off);
	add_count(out, "http_requests_total", "Requests begun.", c.requests);
	add_head(out, "http_answers_total", "counter", "Answers by the class of their status.");
	for (int i = 2; i < 6; i++)
		buf_printf(out, "fireglass_http_answers_total{class=\"%dxx\"} %" PRIu64 "\n", i,
			c.answers[i]);
	add_count(out, "http_refused_total",
		"Requests refused: rate, Host, Origin or token.", atomic_load(&s->refused));
	add_count(out, "http_answer_bytes_total", "Bytes of answers.", c.bytes);
	add_gauge(out, "http_streams", "Pages that are fed now.",
		(uint64_t)atomic_load(&s->streams.used));
}

static void add_self(struct buf *out, struct serve *s, const struct serve_facts *f)
{
	add_head(out, "info", "gauge", "The version.");
	buf_printf(out, "fireglass_info{version=\"" FIREGLASS_VERSION "\"} 1\n");
	add_seconds(out, "cpu_seconds_total", "counter", "CPU time that fireglass itself used.",
		clock_process_cpu_ns());
	add_seconds(out, "start_time_seconds", "gauge", "When it was started, since the epoch.",
		s->begun_ns);
	add_gauge(out, "ring_bytes", "Bytes of samples that are kept.", f->kept_bytes);
	add_gauge(out, "ring_max_bytes", "Bytes of samples that are kept at most.",
		s->limits.max_bytes);
	add_count(out, "ring_dropped_total", "Samples that were too old to be kept.", f->dropped);
	add_count(out, "snapshots_total", "Copies that were made of what is kept.",
		atomic_load(&s->tap.snapshots));
	add_seconds(out, "snapshot_seconds_total", "counter",
		"Time that the collecting thread spent on them.", atomic_load(&s->tap.spent_ns));
	add_count(out, "late_samples_total", "Samples that came too late for a snapshot.",
		atomic_load(&s->tap.late));
}

void serve_metrics(struct serve *s, struct http_request *r, const char *rest)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct serve_facts f = serve_facts(s);

	(void)rest;
	if (!reply_know_parameters(r, no_parameters))
		return;
	add_self(&out, s, &f);
	add_samples(&out, &f);
	add_target(&out, &f);
	add_server(&out, s);
	reply_text(r, 200, "text/plain; version=0.0.4; charset=utf-8", &out);
}

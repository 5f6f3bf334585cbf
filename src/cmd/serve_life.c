// SPDX-License-Identifier: MIT
/* What the collecting thread does for the server, and what both share. */
#include <string.h>

#include "base/clock.h"
#include "cmd/serve.h"

/* How often what is said of the recording is brought up to date. */
#define FACTS_NS ((uint64_t)250 * 1000000)
#define PROFILES_MOST 16
#define STREAMS_MOST 16

static struct serve *serve_of(struct sample_sink *sink)
{
	return (struct serve *)(void *)((char *)sink - offsetof(struct serve, sink));
}

static void take(struct sample_sink *sink, const struct sample *sample)
{
	struct serve *s = serve_of(sink);

	if (!s->first_ns)
		s->first_ns = sample->row.time_ns;
	if (sample->row.time_ns > s->newest_ns)
		s->newest_ns = sample->row.time_ns;
	tap_sample(&s->tap, sample->row.time_ns);
	s->spool.sink.sample(&s->spool.sink, sample);
}

static void drained(struct sample_sink *sink)
{
	struct serve *s = serve_of(sink);

	s->spool.sink.drained(&s->spool.sink);
}

static void count_rows(const struct capture *c, struct serve_facts *f)
{
	for (size_t i = 0; i < c->thread_count; i++)
		f->threads += !c->threads[i].end_ns;
	for (size_t i = 0; i < c->process_count; i++)
		f->processes += !c->processes[i].end_ns;
}

static void learn(struct serve *s, bool ended)
{
	const struct recording *r = &s->recording;
	struct serve_facts f = {
		.pid = (uint32_t)r->pid,
		.sampling = s->newest_ns && !ended,
		.paused = atomic_load(&r->pause_asked),
		.ended = ended,
		.started_ns = s->first_ns,
		.newest_ns = s->newest_ns,
		.kept_bytes = capture_writer_bytes(s->spool.writer),
		.dropped = capture_writer_lost(s->spool.writer),
		.own_cpu_ns = clock_process_cpu_ns(),
	};

	recording_count(r, &f.counts);
	count_rows(&s->spool.capture, &f);
	usage_read(r->pid, &f.target);
	strncpy(f.python, r->version ? r->version : "", sizeof(f.python) - 1);
	pthread_mutex_lock(&s->facts_lock);
	s->facts = f;
	pthread_mutex_unlock(&s->facts_lock);
}

struct serve_facts serve_facts(struct serve *s)
{
	pthread_mutex_lock(&s->facts_lock);
	struct serve_facts facts = s->facts;
	pthread_mutex_unlock(&s->facts_lock);
	return facts;
}

void serve_turn(struct serve *s, bool ended)
{
	uint64_t now = clock_now_ns();

	if (ended || now - s->facts_ns >= FACTS_NS) {
		s->facts_ns = now;
		learn(s, ended);
	}
	if (ended)
		tap_end(&s->tap);
	else
		tap_turn(&s->tap);
}

void serve_init(struct serve *s)
{
	tap_init(&s->tap, s->spool.writer);
	s->sink = (struct sample_sink){ .sample = take, .drained = drained };
	pthread_mutex_init(&s->rate_lock, NULL);
	pthread_mutex_init(&s->facts_lock, NULL);
	pthread_mutex_init(&s->work_lock, NULL);
	pthread_cond_init(&s->work_change, NULL);
	pthread_mutex_init(&s->folded_lock, NULL);
	s->rate.burst = 2 * s->rate.per_second;
	s->profiles.most = PROFILES_MOST;
	s->streams.most = STREAMS_MOST;
	s->begun_ns = clock_wall_ns();
}

void serve_deinit(struct serve *s)
{
	if (!s->tap.writer)
		return;
	tap_close(&s->tap);
	http_server_stop(s->server, 0);
	s->server = NULL;
	tap_deinit(&s->tap);
	pthread_mutex_destroy(&s->rate_lock);
	pthread_mutex_destroy(&s->facts_lock);
	pthread_mutex_destroy(&s->work_lock);
	pthread_cond_destroy(&s->work_change);
	pthread_mutex_destroy(&s->folded_lock);
}

// SPDX-License-Identifier: MIT
#include "inside/session.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "inside/session_parts.h"
#include "inside/timers.h"
#include "os/mem_own.h"
#include "os/own_files.h"

#define RING_WORDS ((size_t)1 << 17)
#define COLLECT_NS ((uint64_t)50000000)
#define IDLE_COLLECT_NS ((uint64_t)250000000)
#define FLUSH_NS ((uint64_t)1000000000)
#define STACK_BYTES ((size_t)256 * 1024)
/* An interpreter that is gone may come back (an embedding program that starts it anew). */
#define LOST_NS ((uint64_t)20000000)
#define HAND_OVER_NS ((uint64_t)200000000)

/* ---- threads ---------------------------------------------------------------------------------- */

static void report_ready(struct session *s)
{
	pthread_mutex_lock(&s->lock);
	s->ready++;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static bool look_at_span(struct sample_tag *tag, pid_t tid, remote_addr state)
{
	struct span_look look = {
		.key = tag->tag,
		.state = tag->found_by[0],
		.context = tag->found_by[1],
		.turn = tag->found_by[2],
	};
	bool same = spans_look(&look, tid, state);

	*tag = (struct sample_tag){ look.key, { look.state, look.context, look.turn } };
	return same;
}

static void *sampling_thread(void *data)
{
	struct session *s = data;
	struct sampler *sampler = &s->sampler;
	struct mem_own memory;

	pthread_setname_np(pthread_self(), "fireglass");
	if (s->owns_files)
		own_files(-1);
	mem_own_open(&memory, &s->target.live.reader);
	sampler->memory = &memory.reader;
	report_ready(s);
	if (s->options.clock == SESSION_CPU)
		timers_run(sampler, s->options.period_ns);
	while (!atomic_load(&sampler->stop) && sampler_run(sampler) == SAMPLER_LOST) {
		sampler_restart(sampler);
		clock_wait(&sampler->bell, atomic_load(&sampler->bell), LOST_NS);
	}
	roster_clear(&sampler->roster); // its files are this thread's
	mem_own_close(&memory);
	return NULL;
}

/* Nothing is sampled at present. */
static bool idle(struct session *s)
{
	return atomic_load(&s->pause_asked) || (s->sampler.gate && !atomic_load(s->sampler.gate));
}

static void *collecting_thread(void *data)
{
	struct session *s = data;
	uint64_t flushed_ns = clock_now_ns();

	pthread_setname_np(pthread_self(), "fireglass-write");
	if (s->owns_files)
		own_files(s->fd);
	report_ready(s);
	for (uint32_t bell = 0; !atomic_load(&s->collect_stop);) {
		// what is asked for from here on ends the next wait
		if (!ring_filling(&s->ring))
			clock_wait(&s->ring.own_bell, bell, idle(s) ? IDLE_COLLECT_NS : COLLECT_NS);
		bell = atomic_load(&s->ring.own_bell);
		bool flush = clock_now_ns() - flushed_ns >= FLUSH_NS;

		session_store_turn(s, flush);
		if (flush)
			flushed_ns = clock_now_ns();
	}
	session_store_finish(s);
	return NULL;
}

/* Small stacks; libraries with much thread-local storage leave no room in them. */
static int create_thread(pthread_t *ret, size_t stack_bytes, void *(*run)(void *), void *data)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	if (stack_bytes)
		pthread_attr_setstacksize(&attributes, stack_bytes);
	int errnum = pthread_create(ret, &attributes, run, data);
	pthread_attr_destroy(&attributes);
	return errnum;
}

static struct err *start_thread(pthread_t *ret, void *(*run)(void *), struct session *s)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int errnum = create_thread(ret, STACK_BYTES, run, s);
	if (errnum == EINVAL)
		errnum = create_thread(ret, 0, run, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return errnum ? err_errno(errnum, "cannot start a thread") : NULL;
}

static struct err *start_threads(struct session *s)
{
	struct err *err = start_thread(&s->sampling, sampling_thread, s);

	if (err)
		return err;
	err = start_thread(&s->collecting, collecting_thread, s);
	if (err) {
		sampler_stop(&s->sampler);
		pthread_join(s->sampling, NULL);
		return err;
	}
	s->running = true;
	pthread_mutex_lock(&s->lock);
	while (s->ready < 2)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ---- life ------------------------------------------------------------------------------------- */

static struct err *not_ready(void)
{
	return err_new(ERR_NOT_PYTHON, "the interpreter of this process cannot be read: it is not "
				       "ready yet");
}

static struct err *check_cpu_clock(const struct session *s)
{
	if (!s->options.period_ns)
		return err_new(ERR_USAGE, "the clock 'cpu' needs a period");
	return timers_check();
}

static struct err *prepare(struct session *s, int fd)
{
	bool ready = false;
	struct err *err = target_attach(&s->target, s->owner, &ready);

	if (!err && !ready)
		err = not_ready();
	if (!err && s->options.clock == SESSION_CPU)
		err = check_cpu_clock(s);
	if (!err)
		err = session_store_begin(s, fd);
	if (err)
		return err;
	sampler_init(&s->sampler, &s->target, &s->ring, LADDER_AUTO);
	s->sampler.ticker.period_ns = s->options.period_ns;
	s->sampler.ticker.jitter = !s->options.no_jitter;
	s->owns_files = s->target.live.mem_fd < 0;
	s->sampler.look_at_tag = look_at_span;
	s->sampler.tagged_only = s->options.spans_only;
	s->sampler.gate = s->options.spans_only ? spans_chosen() : NULL;
	err = start_threads(s);
	if (err)
		sampler_deinit(&s->sampler);
	return err;
}

static void free_parts(struct session *s)
{
	// opened by a thread with files of its own, later: no number of ours
	if (s->owns_files)
		s->target.live.mem_fd = -1;
	session_store_free(s);
	ring_deinit(&s->ring);
	target_deinit(&s->target);
}

static void session_free(struct session *s)
{
	pthread_mutex_destroy(&s->life);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->changed);
	err_free(s->problem);
	err_free(s->end);
	free(s);
}

struct err *session_start(struct session **ret, int fd, const struct session_options *options)
{
	struct session *s = xcalloc(1, sizeof(*s));

	s->options = *options;
	s->owner = getpid();
	s->forks = session_forks();
	s->fd = fd;
	pthread_mutex_init(&s->life, NULL);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	ring_init(&s->ring, RING_WORDS);
	capture_init(&s->capture);
	struct err *err = prepare(s, fd);
	s->options.command = NULL; // the caller's
	if (err) {
		free_parts(s);
		session_free(s);
		return err;
	}
	session_enlist(s);
	*ret = s;
	return NULL;
}

bool session_left_behind(const struct session *s)
{
	return s->owner != getpid() || s->forks != session_forks();
}

static struct err *left_behind(void)
{
	return err_new(ERR_USAGE, "this session was left behind by a fork: it is the parent's");
}

static struct err *stop_threads(struct session *s)
{
	sampler_stop(&s->sampler);
	pthread_join(s->sampling, NULL);
	atomic_store(&s->collect_stop, true);
	ring_ring(&s->ring);
	pthread_join(s->collecting, NULL);
	s->running = false;
	sampler_deinit(&s->sampler);
	free_parts(s);
	struct err *err = s->end;
	s->end = NULL;
	return err; // owned by the caller now
}

struct err *session_stop(struct session *s)
{
	if (session_left_behind(s))
		return left_behind();
	pthread_mutex_lock(&s->life);
	struct err *err = s->running ? stop_threads(s) : NULL;
	pthread_mutex_unlock(&s->life);
	return err;
}

void session_destroy(struct session *s)
{
	// the parent's threads may have had its memory in any state: the child keeps it as it is
	if (!s || session_left_behind(s))
		return;
	err_free(session_stop(s));
	session_delist(s);
	session_free(s);
}

/* ---- while it goes on --------------------------------------------------------------------------- */

void session_pause(struct session *s, bool paused)
{
	if (session_left_behind(s))
		return;
	pthread_mutex_lock(&s->life);
	if (s->running) {
		atomic_store(&s->pause_asked, paused);
		sampler_pause(&s->sampler, paused);
		ring_ring(&s->ring);
	}
	pthread_mutex_unlock(&s->life);
}

void session_count(struct session *s, struct session_counts *ret)
{
	*ret = (struct session_counts){ 0 };
	if (session_left_behind(s))
		return;
	pthread_mutex_lock(&s->lock);
	*ret = s->counts;
	pthread_mutex_unlock(&s->lock);
}

void session_problem(struct session *s, struct buf *out)
{
	if (session_left_behind(s))
		return;
	pthread_mutex_lock(&s->lock);
	if (s->problem)
		buf_add_str(out, s->problem->message);
	pthread_mutex_unlock(&s->lock);
}

/* With s->life: asks, and waits for what that leads to. */
static void ask(struct session *s, enum session_request request, enum session_request until)
{
	pthread_mutex_lock(&s->lock);
	s->request = request;
	pthread_cond_broadcast(&s->changed);
	ring_ring(&s->ring);
	while (s->request != until)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

static struct err *over(void)
{
	return err_new(ERR_USAGE, "sampling is over");
}

static struct err *flush(struct session *s)
{
	sampler_hand_over(&s->sampler, HAND_OVER_NS);
	ask(s, REQUEST_FLUSH, REQUEST_NONE);
	struct err *err = s->answer;
	s->answer = NULL;
	return err; // owned by the caller now
}

struct err *session_flush(struct session *s)
{
	if (session_left_behind(s))
		return left_behind();
	pthread_mutex_lock(&s->life);
	struct err *err = s->running ? flush(s) : over();
	pthread_mutex_unlock(&s->life);
	return err;
}

/* Written by the calling thread, whose file descriptor it is; the collecting thread waits. */
static struct err *dump(struct session *s, int fd, uint64_t last_ns)
{
	uint64_t now = clock_wall_ns();

	sampler_hand_over(&s->sampler, HAND_OVER_NS);
	ask(s, REQUEST_DUMP, REQUEST_TURN);
	struct err *err = capture_writer_dump_from(
		s->writer, fd, last_ns && last_ns < now ? now - last_ns : 0);
	ask(s, REQUEST_GO, REQUEST_NONE);
	return err;
}

struct err *session_dump(struct session *s, int fd, uint64_t last_ns)
{
	if (session_left_behind(s))
		return left_behind();
	pthread_mutex_lock(&s->life);
	struct err *err = s->running ? dump(s, fd, last_ns) : over();
	pthread_mutex_unlock(&s->life);
	return err;
}

// SPDX-License-Identifier: MIT
#include "cmd/serve_tap.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/iofd.h"

#define MS ((uint64_t)1000000)
/* How long a sample may take from its moment to the capture. */
#define MARGIN_NS (150 * MS)
/* Between two snapshots. */
#define LEAST_GAP_NS (100 * MS)
#define SHARE 20
/* How often it is asked whether who waits has gone. */
#define ASK_NS (200 * MS)
/* Waiting for so much longer than it should take: the clock was set, or nobody collects. */
#define PATIENCE_NS (20000 * MS)

struct tap_wait {
	struct tap_wait *next;
	uint64_t from_ns, to_ns;
	bool done;
	struct snapshot *snapshot;
	struct err *err;
};

void tap_init(struct tap *t, struct capture_writer *writer)
{
	pthread_condattr_t attributes;

	*t = (struct tap){ .writer = writer };
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&t->change, &attributes);
	pthread_condattr_destroy(&attributes);
}

void tap_deinit(struct tap *t)
{
	if (!t->writer)
		return;
	pthread_cond_destroy(&t->change);
	pthread_mutex_destroy(&t->lock);
	t->writer = NULL;
}

void snapshot_release(struct snapshot *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	close(s->fd);
	free(s);
}

/* ---- the collecting thread -------------------------------------------------------------------- */

static bool is_ready(const struct tap *t, const struct tap_wait *w, uint64_t cut_ns)
{
	return !w->done && (t->ended || w->to_ns <= cut_ns);
}

static uint64_t earliest(const struct tap *t, uint64_t cut_ns, bool *any_ret)
{
	uint64_t from_ns = UINT64_MAX;

	*any_ret = false;
	for (const struct tap_wait *w = t->waits; w; w = w->next) {
		if (!is_ready(t, w, cut_ns))
			continue;
		*any_ret = true;
		from_ns = w->from_ns < from_ns ? w->from_ns : from_ns;
	}
	return from_ns;
}

static struct err *take_snapshot(struct tap *t, uint64_t from_ns, struct snapshot **ret)
{
	int fd = iofd_nameless();

	if (fd < 0)
		return err_errno(errno, "cannot make a temporary file");
	struct err *err = capture_writer_dump_from(t->writer, fd, from_ns);
	if (err) {
		close(fd);
		return err;
	}
	*ret = xcalloc(1, sizeof(**ret));
	(*ret)->fd = fd;
	return NULL;
}

/* Gives it to all that are ready; true if somebody took it. */
static void give(struct tap *t, struct snapshot *s, const struct err *err, uint64_t cut_ns)
{
	for (struct tap_wait *w = t->waits; w; w = w->next) {
		if (!is_ready(t, w, cut_ns))
			continue;
		w->done = true;
		if (err) {
			w->err = err_new(ERR_FAILED, "%s", err->message);
			continue;
		}
		atomic_fetch_add(&s->refs, 1);
		w->snapshot = s;
	}
	pthread_cond_broadcast(&t->change);
}

static void serve_waits(struct tap *t, uint64_t from_ns, uint64_t cut_ns, uint64_t now)
{
	struct snapshot *s = NULL;

	// who waits stays: it needs the lock to leave
	struct err *err = take_snapshot(t, from_ns, &s);
	uint64_t spent_ns = clock_now_ns() - now;
	uint64_t gap_ns = spent_ns * SHARE;

	t->due_ns = now + (gap_ns > LEAST_GAP_NS ? gap_ns : LEAST_GAP_NS);
	atomic_fetch_add(&t->snapshots, 1);
	atomic_fetch_add(&t->spent_ns, spent_ns);
	if (s) {
		s->refs = 1;
		s->cut_ns = cut_ns;
		t->cut_ns = cut_ns > t->cut_ns ? cut_ns : t->cut_ns;
	}
	give(t, s, err, cut_ns);
	snapshot_release(s);
	err_free(err);
}

static void turn_locked(struct tap *t, uint64_t now)
{
	bool any;
	uint64_t cut_ns = clock_wall_ns() - (t->ended ? 0 : MARGIN_NS);
	uint64_t from_ns = earliest(t, cut_ns, &any);

	if (any)
		serve_waits(t, from_ns, cut_ns, now);
}

void tap_turn(struct tap *t)
{
	uint64_t now = clock_now_ns();

	if (!atomic_load(&t->waiting) || (now < t->due_ns && !t->ended))
		return;
	// somebody has it, for a moment: not waited for
	if (pthread_mutex_trylock(&t->lock) != 0)
		return;
	turn_locked(t, now);
	pthread_mutex_unlock(&t->lock);
}

void tap_sample(struct tap *t, uint64_t time_ns)
{
	// written by this thread only
	if (time_ns < t->cut_ns)
		atomic_fetch_add(&t->late, 1);
}

void tap_end(struct tap *t)
{
	pthread_mutex_lock(&t->lock);
	t->ended = true;
	turn_locked(t, clock_now_ns());
	pthread_mutex_unlock(&t->lock);
}

/* ---- who waits -------------------------------------------------------------------------------- */

void tap_close(struct tap *t)
{
	pthread_mutex_lock(&t->lock);
	t->over = true;
	pthread_cond_broadcast(&t->change);
	pthread_mutex_unlock(&t->lock);
}

static void wait_some(struct tap *t)
{
	uint64_t until_ns = clock_now_ns() + ASK_NS;
	const struct timespec until = { .tv_sec = (time_t)(until_ns / NS_PER_SEC),
		.tv_nsec = (long)(until_ns % NS_PER_SEC) };

	pthread_cond_timedwait(&t->change, &t->lock, &until);
}

static void leave(struct tap *t, struct tap_wait *wait)
{
	struct tap_wait **link = &t->waits;

	while (*link != wait)
		link = &(*link)->next;
	*link = wait->next;
	atomic_fetch_sub(&t->waiting, 1);
}

static uint64_t patience_until(uint64_t to_ns)
{
	uint64_t wall_ns = clock_wall_ns();

	return clock_now_ns() + (to_ns > wall_ns ? to_ns - wall_ns : 0) + PATIENCE_NS;
}

struct err *tap_take(struct tap *t, uint64_t from_ns, uint64_t to_ns, bool (*gone)(void *data),
	void *data, struct snapshot **ret)
{
	struct tap_wait wait = { .from_ns = from_ns, .to_ns = to_ns };
	uint64_t until_ns = patience_until(to_ns);
	bool lost = false;

	pthread_mutex_lock(&t->lock);
	wait.next = t->waits;
	// cppcheck-suppress autoVariables // it leaves before this returns
	t->waits = &wait;
	atomic_fetch_add(&t->waiting, 1);
	while (!wait.done && !t->over && !lost && clock_now_ns() < until_ns) {
		wait_some(t);
		lost = gone(data);
	}
	leave(t, &wait);
	pthread_mutex_unlock(&t->lock);
	if (wait.err)
		return wait.err;
	if (!wait.done)
		return err_new(ERR_GONE, "no samples can be had at the moment");
	*ret = wait.snapshot; // the caller's reference now
	return NULL;
}

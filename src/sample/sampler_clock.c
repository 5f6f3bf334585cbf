// SPDX-License-Identifier: MIT
#include "sample/sampler_parts.h"

#include "base/clock.h"
#include "os/realtime.h"

static bool time_is_up(const struct sampler *s)
{
	if (atomic_load_explicit(&s->stop, memory_order_relaxed))
		return true;
	return s->duration_ns && clock_now_ns() - s->started_ns >= s->duration_ns;
}

void sampler_publish_ticks(struct sampler *s)
{
	atomic_store_explicit(&s->counts.ticks, s->ticker.ticks, memory_order_relaxed);
	atomic_store_explicit(&s->counts.missed, s->ticker.missed, memory_order_relaxed);
}

static void start_clock(struct sampler *s)
{
	if (s->started_ns)
		return;
	s->started_ns = clock_now_ns();
	ticker_start(&s->ticker, s->ticker.period_ns, s->ticker.jitter, s->started_ns);
	s->ticker.bell = &s->bell;
}

static void stop_clock(struct sampler *s)
{
	s->ended_ns = clock_now_ns();
	ticker_finish(&s->ticker, s->ended_ns);
	sampler_publish_ticks(s);
}

/* Of a tick's period, as thousandths of it: a thread that takes more must not go before others. */
#define REALTIME_SHARE 250
#define REALTIME_CHECK_NS ((uint64_t)100000000)

static void take_realtime(struct sampler *s)
{
	s->realtime = s->ticker.period_ns && !s->no_realtime && realtime_take();
	s->ladder.realtime = s->realtime;
	s->checked_ns = clock_now_ns();
	s->checked_cpu_ns = clock_thread_cpu_ns();
}

/* Gives way for good when it turns out that there is much to do. */
static void check_realtime(struct sampler *s)
{
	uint64_t elapsed = s->now_ns - s->checked_ns;

	if (!s->realtime || s->now_ns < s->checked_ns || elapsed < REALTIME_CHECK_NS)
		return;
	uint64_t cpu_ns = clock_thread_cpu_ns();
	if ((cpu_ns - s->checked_cpu_ns) * 1000 > elapsed * REALTIME_SHARE) {
		realtime_drop();
		s->realtime = s->ladder.realtime = false;
		park_deinit(&s->ladder.park); // anew without the priority
	}
	s->checked_ns = s->now_ns;
	s->checked_cpu_ns = cpu_ns;
}

/* ---- what others ask for ---------------------------------------------------------------------- */

static void ring_bell(struct sampler *s)
{
	atomic_fetch_add(&s->bell, 1);
	clock_wake(&s->bell);
	if (s->gate)
		clock_wake(s->gate);
}

void sampler_pause(struct sampler *s, bool paused)
{
	atomic_store(&s->pause, paused);
	ring_bell(s);
}

void sampler_stop(struct sampler *s)
{
	atomic_store(&s->stop, true);
	ring_bell(s);
}

void sampler_hand_over(struct sampler *s, uint64_t timeout_ns)
{
	uint64_t deadline_ns = clock_now_ns() + timeout_ns;

	atomic_store(&s->hand_over, 1);
	ring_bell(s);
	while (atomic_load(&s->hand_over) && clock_now_ns() < deadline_ns)
		clock_wait_until(&s->hand_over, 1, deadline_ns);
}

/* What is asked for from here on ends the next wait. */
static void hear(struct sampler *s)
{
	s->ticker.heard = atomic_load(&s->bell);
	if (!atomic_load_explicit(&s->hand_over, memory_order_relaxed))
		return;
	sampler_prove(s, true);
	atomic_store(&s->hand_over, 0);
	clock_wake(&s->hand_over);
}

/* ---- pauses ----------------------------------------------------------------------------------- */

/* How often it is looked whether the target is still there; our own process is. */
#define PAUSE_STEP_NS ((uint64_t)20000000)
#define OWN_PAUSE_STEP_NS ((uint64_t)200000000)

static bool shut(const struct sampler *s)
{
	return s->gate && !atomic_load_explicit(s->gate, memory_order_relaxed);
}

static bool paused(const struct sampler *s)
{
	return atomic_load_explicit(&s->pause, memory_order_relaxed) || shut(s);
}

static void wait_paused(struct sampler *s)
{
	uint64_t step_ns = s->target->own ? OWN_PAUSE_STEP_NS : PAUSE_STEP_NS;

	if (shut(s))
		clock_wait(s->gate, 0, step_ns);
	else
		clock_wait(&s->bell, s->ticker.heard, step_ns);
}

/* What the threads have used in the pause is no sample's, and where they stood is no longer known. */
static void forget_times(struct sampler *s)
{
	uint64_t now = clock_now_ns(), unused;

	for (size_t i = 0; i < s->roster.count; i++) {
		struct sampled_thread *t = s->roster.threads[i];

		watch_schedule(&t->watch, now, &unused);
		t->still = false;
	}
}

/* Hands over what there is, and waits. */
static enum sampler_state sit_out(struct sampler *s)
{
	uint64_t begin = clock_now_ns();
	bool lost = false;

	sampler_prove(s, true);
	ticker_finish(&s->ticker, begin);
	sampler_publish_ticks(s);
	while (paused(s) && !time_is_up(s) && !lost) {
		wait_paused(s);
		lost = !s->target->own && target_look(s->target) != TARGET_ALIVE;
		hear(s);
	}
	uint64_t end = clock_now_ns();
	ticker_resume(&s->ticker, begin, end);
	sampler_count(&s->paused_ns, end - begin);
	forget_times(s);
	return lost ? SAMPLER_LOST : SAMPLER_OK;
}

bool sampler_hear(struct sampler *s)
{
	hear(s);
	return paused(s);
}

enum sampler_state sampler_run(struct sampler *s)
{
	enum sampler_state state = SAMPLER_OK;

	clock_sharpen();
	take_realtime(s);
	start_clock(s);
	s->codes.deferring = s->ticker.period_ns < SAMPLER_EPOCH_NS;
	uint64_t limit_ns = s->duration_ns ? s->started_ns + s->duration_ns : 0;
	do {
		hear(s);
		if (paused(s)) {
			state = sit_out(s);
			continue;
		}
		if (!ticker_wait(&s->ticker, limit_ns))
			continue;
		state = sampler_tick(s);
		sampler_publish_ticks(s);
		check_realtime(s);
	} while (state == SAMPLER_OK && !time_is_up(s));
	stop_clock(s);
	ladder_deinit(&s->ladder);
	if (state == SAMPLER_OK)
		sampler_prove(s, true);
	ring_ring(s->ring);
	return state;
}

// SPDX-License-Identifier: MIT
#include "os/park.h"

#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/realtime.h"

/* How long the thread may take to be there: longer than the way of an interrupt, and of a switch. */
#define COME_NS ((uint64_t)150000)
#define STACK_BYTES ((size_t)64 * 1024)

enum park_state {
	PARK_IDLE,
	PARK_ASKED, // to hold the processor
	PARK_HOLDS,
	PARK_ENDS,
};

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static bool change(struct park *p, uint32_t from, uint32_t to)
{
	return atomic_compare_exchange_strong(&p->state, &from, to);
}

static void hold(struct park *p)
{
	uint64_t deadline_ns = clock_now_ns() + PARK_HOLD_NS;

	while (atomic_load_explicit(&p->state, memory_order_acquire) == PARK_HOLDS) {
		if (clock_now_ns() < deadline_ns)
			relax();
		else
			change(p, PARK_HOLDS, PARK_IDLE);
	}
}

static void *parking_thread(void *data)
{
	struct park *p = data;
	uint32_t state;

	pthread_setname_np(pthread_self(), "fireglass-park");
	clock_sharpen();
	if (p->realtime)
		realtime_take();
	atomic_store(&p->tid, gettid());
	while ((state = atomic_load(&p->state)) != PARK_ENDS) {
		if (state == PARK_ASKED && change(p, PARK_ASKED, PARK_HOLDS))
			hold(p);
		else
			clock_wait(&p->state, state, NS_PER_SEC);
	}
	return NULL;
}

static int create(struct park *p, size_t stack_bytes)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	if (stack_bytes)
		pthread_attr_setstacksize(&attributes, stack_bytes);
	int errnum = pthread_create(&p->thread, &attributes, parking_thread, p);
	pthread_attr_destroy(&attributes);
	return errnum;
}

static bool start(struct park *p)
{
	sigset_t all, old;

	atomic_store(&p->tid, 0);
	atomic_store(&p->state, PARK_IDLE);
	p->cpu = -1;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	p->started = create(p, STACK_BYTES) == 0 || create(p, 0) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	p->refused = !p->started;
	return p->started;
}

static bool go_to(struct park *p, int cpu)
{
	pid_t tid = atomic_load(&p->tid);
	cpu_set_t one;

	if (p->cpu == cpu)
		return true;
	if (!tid || cpu < 0 || cpu >= CPU_SETSIZE)
		return false;
	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	if (sched_setaffinity(tid, sizeof(one), &one) != 0)
		return false;
	p->cpu = cpu;
	return true;
}

bool park_hold(struct park *p, int cpu, bool realtime)
{
	p->realtime = p->started ? p->realtime : realtime;
	if (p->refused || (!p->started && !start(p)) || !go_to(p, cpu) ||
		!change(p, PARK_IDLE, PARK_ASKED))
		return false;
	clock_wake(&p->state);
	uint64_t deadline_ns = clock_now_ns() + COME_NS;
	uint32_t state;
	while ((state = atomic_load_explicit(&p->state, memory_order_acquire)) == PARK_ASKED) {
		if (clock_now_ns() < deadline_ns)
			relax();
		else if (change(p, PARK_ASKED, PARK_IDLE))
			return false;
	}
	return state == PARK_HOLDS;
}

void park_release(struct park *p)
{
	change(p, PARK_HOLDS, PARK_IDLE);
}

void park_deinit(struct park *p)
{
	if (p->started) {
		atomic_store(&p->state, PARK_ENDS);
		clock_wake(&p->state);
		pthread_join(p->thread, NULL);
	}
	p->started = p->refused = false;
}

// SPDX-License-Identifier: MIT
#include "inside/timers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/realtime.h"
#include "os/thread_clock.h"

/* How long a thread stands still at most. */
#define PARK_NS ((uint64_t)500000)
#ifndef sigev_notify_thread_id // glibc has the field without the name that others give it
#define sigev_notify_thread_id _sigev_un._tid
#endif
/* Signals left alone after one in vain: 1, 3, 7, ... */
#define SKIP_MAX 63
/* How soon new threads are found. */
#define SCAN_NS ((uint64_t)25000000)
#define SCAN_NS_PER_THREAD ((uint64_t)1000000)
#define SLOTS_MAX 4096
/* The C library has the first two or three for itself. */
#define FIRST_SIGNAL (SIGRTMIN + 3)

enum slot_state {
	SLOT_IDLE,
	SLOT_ASKS,  // its thread stands still and waits
	SLOT_READ,  // and is being read
};

/*
 * One thread of one session. Never freed, as signals may be late; which thread may have it is checked.
 */
struct timer_slot {
	_Atomic pid_t tid;             // 0: nobody's
	_Atomic uint32_t state;        // enum slot_state; a futex
	_Atomic uint32_t due;          // ticks that have no sample yet
	_Atomic uint32_t *_Atomic bell; // of the sampling thread
	uint32_t skip, next_skip;      // the handler's
	// the sampling thread's
	struct sampler *sampler;
	timer_t timer;
	int signo;
	bool armed;
	uint64_t listed;
};

static struct timer_slot slots[SLOTS_MAX];
static size_t slots_used; // with lock: none behind has ever been used
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int signal_number; // with lock; 0: none yet

/* ---- the handler ------------------------------------------------------------------------------ */

static pid_t own_tid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

static void park(struct timer_slot *slot)
{
	uint64_t deadline_ns = clock_now_ns() + PARK_NS;
	_Atomic uint32_t *bell = atomic_load(&slot->bell);

	if (!bell)
		return;
	atomic_store(&slot->state, SLOT_ASKS);
	atomic_fetch_add(bell, 1);
	clock_wake(bell);
	for (uint32_t state; (state = atomic_load(&slot->state)) != SLOT_IDLE;) {
		if (clock_now_ns() >= deadline_ns) {
			atomic_store(&slot->state, SLOT_IDLE);
			slot->skip = slot->next_skip = slot->next_skip < SKIP_MAX ?
				slot->next_skip * 2 + 1 : SKIP_MAX;
			return;
		}
		clock_wait_until(&slot->state, state, deadline_ns);
	}
	slot->next_skip = 0;
}

static void on_timer(int signo, siginfo_t *info, void *context)
{
	int errnum = errno, index = info->si_value.sival_int;

	(void)signo;
	(void)context;
	if (info->si_code != SI_TIMER || index < 0 || index >= SLOTS_MAX)
		return;
	struct timer_slot *slot = &slots[index];
	if (atomic_load(&slot->tid) != own_tid())
		return;
	atomic_fetch_add(&slot->due, 1 + (uint32_t)(info->si_overrun > 0 ? info->si_overrun : 0));
	if (slot->skip)
		slot->skip--;
	else
		park(slot);
	errno = errnum;
}

/* ---- the signal ------------------------------------------------------------------------------- */

static bool is_ours(int signo)
{
	struct sigaction now;

	return signo && sigaction(signo, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
	       now.sa_sigaction == on_timer;
}

/* The first that has never been given a handler. */
static int take_signal(void)
{
	struct sigaction now, ours = { .sa_sigaction = on_timer,
		.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };

	sigemptyset(&ours.sa_mask);
	for (int i = FIRST_SIGNAL; i <= SIGRTMAX; i++)
		if (sigaction(i, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
			now.sa_handler == SIG_DFL && sigaction(i, &ours, NULL) == 0)
			return i;
	return 0;
}

/* The one in use, or another if the program has taken it. 0: none is free. */
static int find_signal(void)
{
	pthread_mutex_lock(&lock);
	if (!is_ours(signal_number))
		signal_number = take_signal();
	int signo = signal_number;
	pthread_mutex_unlock(&lock);
	return signo;
}

struct err *timers_check(void)
{
	return find_signal() ? NULL : err_new(ERR_FAILED,
		"no real-time signal is free for the clock 'cpu': use the clock 'wall'");
}

/* ---- slots ------------------------------------------------------------------------------------ */

static struct timer_slot *free_slot(void)
{
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		if (atomic_load(&slots[i].tid))
			continue;
		slots_used = i >= slots_used ? i + 1 : slots_used;
		return &slots[i];
	}
	return NULL;
}

static struct timer_slot *slot_take(struct sampler *sampler, pid_t tid)
{
	pthread_mutex_lock(&lock);
	struct timer_slot *slot = free_slot();
	if (slot) {
		atomic_store(&slot->state, SLOT_IDLE);
		atomic_store(&slot->due, 0);
		atomic_store(&slot->bell, &sampler->bell);
		slot->sampler = sampler;
		slot->skip = slot->next_skip = 0;
		slot->armed = false;
		slot->signo = 0;
		atomic_store(&slot->tid, tid);
	}
	pthread_mutex_unlock(&lock);
	return slot;
}

static void answer(struct timer_slot *slot)
{
	atomic_store(&slot->state, SLOT_IDLE);
	clock_wake(&slot->state);
}

static void slot_release(struct timer_slot *slot)
{
	if (slot->signo)
		timer_delete(slot->timer);
	atomic_store(&slot->bell, NULL);
	answer(slot);
	slot->sampler = NULL;
	atomic_store(&slot->tid, 0);
}

void timers_after_fork(void)
{
	pthread_mutex_init(&lock, NULL);
	for (size_t i = 0; i < slots_used; i++) {
		atomic_store(&slots[i].bell, NULL);
		atomic_store(&slots[i].state, SLOT_IDLE);
		slots[i].sampler = NULL;
		atomic_store(&slots[i].tid, 0);
	}
	slots_used = 0;
}

/* ---- timers ----------------------------------------------------------------------------------- */

static bool create_timer(struct timer_slot *slot, int signo)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = signo };
	pid_t tid = atomic_load(&slot->tid);

	event.sigev_value.sival_int = (int)(slot - slots);
	event.sigev_notify_thread_id = tid;
	if (timer_create(thread_clock_of(tid), &event, &slot->timer) != 0)
		return false;
	slot->signo = signo;
	return true;
}

static struct timespec duration(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / NS_PER_SEC),
		.tv_nsec = (long)(ns % NS_PER_SEC) };
}

/* The first tick is anywhere in the period, so that threads are not in step. */
static void arm(struct timer_slot *slot, uint64_t period_ns)
{
	uint64_t first_ns = 1 + clock_now_ns() * 0x9e3779b97f4a7c15u % period_ns;
	const struct itimerspec when = { duration(period_ns), duration(first_ns) };

	slot->armed = timer_settime(slot->timer, 0, &when, NULL) == 0;
}

static void disarm(struct timer_slot *slot)
{
	const struct itimerspec never = { 0 };

	timer_settime(slot->timer, 0, &never, NULL);
	slot->armed = false;
}

struct timers {
	struct sampler *sampler;
	uint64_t period_ns, scanned_ns, scan;
	size_t threads;
	bool going; // not paused
};

static struct timer_slot *slot_of(const struct timers *t, pid_t tid)
{
	for (size_t i = 0; i < slots_used; i++)
		if (slots[i].sampler == t->sampler && atomic_load(&slots[i].tid) == tid)
			return &slots[i];
	return NULL;
}

static void follow_thread(struct timers *t, pid_t tid, int signo)
{
	struct timer_slot *slot = slot_of(t, tid);

	if (!slot)
		slot = slot_take(t->sampler, tid);
	if (!slot)
		return;
	slot->listed = t->scan;
	if (slot->signo && slot->signo != signo) {
		timer_delete(slot->timer);
		slot->signo = 0;
		slot->armed = false;
	}
	if (!slot->signo && !create_timer(slot, signo))
		return; // it has ended
	if (t->going && !slot->armed)
		arm(slot, t->period_ns);
	else if (!t->going && slot->armed)
		disarm(slot);
}

/* Threads that came up get a timer; those that ended lose theirs. */
static void scan(struct timers *t)
{
	struct sampler *s = t->sampler;
	int signo = find_signal();

	t->scanned_ns = clock_now_ns();
	t->scan++;
	if (!signo || sampler_list(s) != READ_OK)
		return;
	for (size_t i = 0; i < s->roster.count; i++)
		if (s->roster.threads[i]->tid)
			follow_thread(t, s->roster.threads[i]->tid, signo);
	for (size_t i = 0; i < slots_used; i++)
		if (slots[i].sampler == s && slots[i].listed != t->scan)
			slot_release(&slots[i]);
	t->threads = s->roster.count;
}

/* ---- the sampling thread ---------------------------------------------------------------------- */

static void serve(struct sampler *s, struct timer_slot *slot)
{
	uint32_t asks = SLOT_ASKS;

	if (!atomic_compare_exchange_strong(&slot->state, &asks, SLOT_READ))
		return;
	uint32_t due = atomic_exchange(&slot->due, 0);
	pid_t tid = atomic_load(&slot->tid);
	enum read_status status = sampler_take(s, tid, due, true);
	answer(slot);
	// caught between two instructions where its stack cannot be told: as it goes on
	if (status == READ_TORN)
		sampler_take(s, tid, due, false);
}

static void serve_all(struct timers *t)
{
	for (size_t i = 0; i < slots_used; i++)
		if (slots[i].sampler == t->sampler && atomic_load(&slots[i].state) == SLOT_ASKS)
			serve(t->sampler, &slots[i]);
}

static uint64_t next_scan_ns(const struct timers *t)
{
	uint64_t interval = SCAN_NS_PER_THREAD * t->threads;

	return t->scanned_ns + (interval > SCAN_NS ? interval : SCAN_NS);
}

static void end_timers(struct timers *t)
{
	for (size_t i = 0; i < slots_used; i++)
		if (slots[i].sampler == t->sampler)
			slot_release(&slots[i]);
}

enum sampler_state timers_run(struct sampler *sampler, uint64_t period_ns)
{
	struct timers t = { .sampler = sampler, .period_ns = period_ns, .going = true };

	clock_sharpen();
	if (!sampler->no_realtime)
		realtime_take();
	while (!atomic_load(&sampler->stop)) {
		bool going = !sampler_hear(sampler);

		serve_all(&t);
		if (going != t.going || clock_now_ns() >= next_scan_ns(&t)) {
			t.going = going;
			scan(&t);
		}
		clock_wait_until(&sampler->bell, sampler->ticker.heard, next_scan_ns(&t));
	}
	end_timers(&t);
	sampler_hear(sampler);
	ring_ring(sampler->ring);
	return SAMPLER_OK;
}

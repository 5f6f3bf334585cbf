// SPDX-License-Identifier: MIT
#include "sample/ladder.h"

#include "base/clock.h"
#include "os/proc.h"
#include "os/stop.h"
#include "os/thread_clock.h"

#define FLUTTER_ONE 65536u
#define FLUTTER_LIMIT (FLUTTER_ONE / LADDER_FLUTTER_LIMIT)
/* Weight of one read in the moving average: 1 of 64. */
#define FLUTTER_SHIFT 6
/* One in so many samples of a fluttering thread looks whether it still does. */
#define PROBE_SAMPLES 32
/* A new thread is read co-scheduled, and probed each time, for so many samples. */
#define FIRST_PROBES 16
/* The thread may move to another processor while we come to its own. */
#define COSCHEDULED_ATTEMPTS 8
/* Long enough to be off the processor, so that waking up takes it from whoever runs there. */
#define COSCHEDULED_SLEEP_NS 20000
/* So many reads go without holding a processor after one that could not be held. */
#define PARK_REST 16

void ladder_init(struct ladder *l, enum ladder_strategy strategy)
{
	*l = (struct ladder){ .strategy = strategy, .held = -1 };
	pin_init(&l->pin);
}

void ladder_deinit(struct ladder *l)
{
	park_deinit(&l->park);
	pin_release(&l->pin);
}

void ladder_begin_tick(struct ladder *l)
{
	l->pinned_this_tick = false;
}

void ladder_end_tick(struct ladder *l)
{
	if (!l->pinned_this_tick)
		pin_release(&l->pin);
}

static void note_direct(struct ladder_thread *t, bool settled)
{
	t->samples = 0;
	if (t->probes < FIRST_PROBES) {
		t->probes++;
		t->flutter += settled ? 0 : FLUTTER_ONE / FIRST_PROBES;
		return;
	}
	t->flutter -= t->flutter >> FLUTTER_SHIFT;
	if (!settled)
		t->flutter += FLUTTER_ONE >> FLUTTER_SHIFT;
}

void ladder_note(struct ladder_thread *t, bool ran)
{
	if (t->settled && ran)
		note_direct(t, true);
	t->settled = false;
}

static void count(struct ladder *l, enum ladder_rung rung)
{
	// one writer only
	atomic_store_explicit(&l->counts[rung],
		atomic_load_explicit(&l->counts[rung], memory_order_relaxed) + 1,
		memory_order_relaxed);
}

static enum read_status read_once(const struct ladder_target *target, unsigned int attempts,
	const struct raw_stack **stack_ret)
{
	if (target->before)
		target->before(target->data);
	return stack_reader_read(target->reader, target->rt, target->mem, attempts, stack_ret);
}

/* READ_OK here means: all of it is proven. */
static bool is_settled(enum read_status status, const struct raw_stack *stack)
{
	return status == READ_OK && !stack->unproven;
}

static bool is_final(enum read_status status)
{
	return status == READ_GONE || status == READ_DENIED;
}

static enum read_status direct(struct ladder_thread *t, const struct ladder_target *target,
	const struct raw_stack **stack_ret)
{
	enum read_status status = read_once(target, 1, stack_ret);

	if (is_final(status))
		return status;
	t->settled = is_settled(status, *stack_ret);
	if (!t->settled) {
		note_direct(t, false);
		return READ_TORN;
	}
	return READ_OK;
}

enum nearness {
	FAR,    // it runs where we cannot be, or nobody knows where
	COMING, // we were elsewhere: look again
	BESIDE, // its processor is ours or held for us, so that it cannot run; or it waits
};

/* Goes where the thread last ran, if it runs. */
static enum nearness come_to(struct ladder *l, struct ladder_thread *t, int stat_fd)
{
	struct proc_stat stat;

	if (stat_fd < 0 || !proc_pread_stat(stat_fd, &stat))
		return FAR;
	if (stat.state != 'R')
		return BESIDE;
	t->ran = true;
	if (l->held >= 0)
		return l->held == stat.processor ? BESIDE : COMING;
	l->pinned_this_tick = true;
	if (l->pin.cpu == stat.processor)
		return BESIDE;
	return pin_to(&l->pin, stat.processor) ? COMING : FAR;
}

/* How often the thread was put on a processor; 0 if the kernel does not tell. */
static uint64_t slices_of(const struct ladder_target *target)
{
	struct proc_schedstat stat;

	return target->schedstat_fd >= 0 && proc_pread_schedstat(target->schedstat_fd, &stat)
		? stat.slices
		: 0;
}

/*
 * One read. READ_TORN: it ran meanwhile. Beside it, what moved, or was taken to another processor,
 * may have gone round and come back to where it was, so that images which agree prove nothing. Its
 * time slices are counted from before it was seen beside us, as it did not run then.
 */
static enum read_status read_beside(struct ladder *l, struct ladder_thread *t,
	const struct ladder_target *target, const struct raw_stack **stack_ret)
{
	uint64_t slices = slices_of(target);
	enum nearness nearness = come_to(l, t, target->stat_fd);

	if (nearness == COMING)
		return READ_TORN;
	enum read_status status = read_once(target, 1, stack_ret);
	if (is_final(status))
		return status;
	bool ran = nearness == BESIDE && ((*stack_ret)->moved || slices_of(target) != slices);
	return is_settled(status, *stack_ret) && !ran ? READ_OK : READ_TORN;
}

/*
 * The same of a thread of our own process. When its CPU clock stood still it did not run, wherever it is: so
 * nothing else is asked of the kernel as long as we are where it runs.
 */
static enum read_status read_own(struct ladder *l, struct ladder_thread *t,
	const struct ladder_target *target, const struct raw_stack **stack_ret)
{
	uint64_t before, after;

	if (l->held < 0 && l->pin.cpu < 0 && come_to(l, t, target->stat_fd) == COMING)
		return READ_TORN;
	if (!thread_clock_read(target->tid, &before))
		return read_beside(l, t, target, stack_ret);
	enum read_status status = read_once(target, 1, stack_ret);
	if (is_final(status))
		return status;
	bool stood = thread_clock_read(target->tid, &after) && after == before;
	if (stood && is_settled(status, *stack_ret) && !(*stack_ret)->moved) {
		l->pinned_this_tick |= l->pin.cpu >= 0;
		return READ_OK;
	}
	if (!stood && l->held < 0)
		come_to(l, t, target->stat_fd);
	return READ_TORN;
}

static enum read_status read_quiet(struct ladder *l, struct ladder_thread *t,
	const struct ladder_target *target, const struct raw_stack **stack_ret)
{
	return target->own ? read_own(l, t, target, stack_ret) :
			     read_beside(l, t, target, stack_ret);
}

/* Has the processor held on which the thread runs, being elsewhere ourselves. */
static bool hold_processor(struct ladder *l, int cpu)
{
	if (l->park_rest) {
		l->park_rest--;
		return false;
	}
	if ((pin_current_cpu() != cpu || pin_leave(&l->pin)) &&
		park_hold(&l->park, cpu, l->realtime)) {
		l->held = cpu;
		return true;
	}
	l->park_rest = PARK_REST;
	return false;
}

/*
 * From elsewhere, while its processor is held: that takes less from the thread than if we came to it with all
 * that we do. Where it waits, or no processor can be held, from where we are or come to; so too of another
 * process, of which the proof takes longer than coming there.
 */
static enum read_status read_held(struct ladder *l, struct ladder_thread *t,
	const struct ladder_target *target, const struct raw_stack **stack_ret)
{
	struct proc_stat stat;

	if (!target->own || target->stat_fd < 0 || !proc_pread_stat(target->stat_fd, &stat) ||
		stat.state != 'R' || !hold_processor(l, stat.processor))
		return read_quiet(l, t, target, stack_ret);
	enum read_status status = read_quiet(l, t, target, stack_ret);
	park_release(&l->park);
	l->held = -1;
	t->ran = true;
	if (status == READ_TORN)
		l->park_rest = 1; // it was elsewhere, or its stack is too deep for the time a processor is held
	return status;
}

static enum read_status coscheduled(struct ladder *l, struct ladder_thread *t,
	const struct ladder_target *target, const struct raw_stack **stack_ret)
{
	enum read_status status = READ_TORN;

	for (int i = 0; i < COSCHEDULED_ATTEMPTS && status == READ_TORN; i++) {
		// wake up where it runs: that takes the processor from it
		if (i && l->pin.cpu >= 0)
			clock_sleep_until(clock_now_ns() + COSCHEDULED_SLEEP_NS);
		status = read_held(l, t, target, stack_ret);
	}
	// when torn, the part that agreed is not proven either
	if (status == READ_OK)
		count(l, LADDER_COSCHEDULED);
	return status;
}

static enum read_status stopped(struct ladder *l, const struct ladder_target *target,
	const struct raw_stack **stack_ret)
{
	if (!target->tid || !stop_thread(target->tid))
		return READ_TORN;
	enum read_status status = read_once(target, 2, stack_ret);
	stop_release(target->tid);
	if (is_settled(status, *stack_ret))
		count(l, LADDER_STOPPED);
	return status;
}

/* The last rung: what is proven of the last read. */
static enum read_status truncated(
	struct ladder *l, enum read_status status, const struct raw_stack *stack)
{
	if (status == READ_OK && stack->unproven)
		count(l, LADDER_TRUNCATED);
	return status;
}

/*
 * A direct read that is not given out: it would favour quiet moments. From beside the thread it
 * would always settle, and tell nothing.
 */
static enum read_status probe(struct ladder *l, struct ladder_thread *t,
	const struct ladder_target *target, const struct raw_stack **stack_ret)
{
	if (l->pin.cpu >= 0 && pin_leave(&l->pin))
		clock_sleep_until(clock_now_ns() + COSCHEDULED_SLEEP_NS);
	return direct(t, target, stack_ret);
}

/* The rungs one after the other. */
static enum read_status climb(struct ladder *l, struct ladder_thread *t,
	const struct ladder_target *target, const struct raw_stack **stack_ret)
{
	bool is_new = t->probes < FIRST_PROBES;
	bool flutters = is_new || t->flutter > FLUTTER_LIMIT;
	enum read_status status = READ_TORN;

	if (!flutters) {
		status = direct(t, target, stack_ret);
		if (status == READ_OK)
			count(l, LADDER_DIRECT);
		if (is_final(status) || status == READ_OK)
			return status;
	} else if (is_new || ++t->samples >= PROBE_SAMPLES) {
		status = probe(l, t, target, stack_ret);
		if (is_final(status))
			return status;
	}
	status = coscheduled(l, t, target, stack_ret);
	if (is_final(status) || is_settled(status, *stack_ret) || l->strategy != LADDER_EXACT)
		return status;
	return stopped(l, target, stack_ret);
}

enum read_status ladder_read(struct ladder *l, struct ladder_thread *t,
	const struct ladder_target *target, const struct raw_stack **stack_ret)
{
	enum read_status status = READ_TORN;

	t->settled = t->ran = false;
	switch (l->strategy) {
	case LADDER_AUTO:
	case LADDER_EXACT:
		status = climb(l, t, target, stack_ret);
		break;
	case LADDER_ONLY_DIRECT:
		status = read_once(target, 2, stack_ret);
		if (is_settled(status, *stack_ret))
			count(l, LADDER_DIRECT);
		break;
	case LADDER_ONLY_COSCHEDULED:
		status = coscheduled(l, t, target, stack_ret);
		break;
	case LADDER_ONLY_STOP:
		status = stopped(l, target, stack_ret);
		break;
	}
	return truncated(l, status, *stack_ret);
}

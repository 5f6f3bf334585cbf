// SPDX-License-Identifier: MIT
#include "sample/ladder.h"

#include "base/clock.h"
#include "os/proc.h"

#define FLUTTER_ONE 65536u
#define FLUTTER_LIMIT (FLUTTER_ONE / LADDER_FLUTTER_LIMIT)
/* Weight of one read in the moving average: 1 of 64. */
#define FLUTTER_SHIFT 6
/* One in so many samples of a fluttering thread looks whether it still does. */
#define PROBE_SAMPLES 32
/* Direct reads of a thread that does not run: they can only fail while it is being woken. */
#define WAITING_ATTEMPTS 4
/* The thread may move to another processor while we come to its own. */
#define COSCHEDULED_ATTEMPTS 4
/* Long enough to be off the processor, so that waking up takes it from whoever runs there. */
#define COSCHEDULED_SLEEP_NS 20000

void ladder_init(struct ladder *l)
{
	*l = (struct ladder){ 0 };
	pin_init(&l->pin);
}

void ladder_deinit(struct ladder *l)
{
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
	t->flutter -= t->flutter >> FLUTTER_SHIFT;
	if (!settled)
		t->flutter += FLUTTER_ONE >> FLUTTER_SHIFT;
	t->samples = 0;
}

static enum read_status direct(struct ladder *l, struct ladder_thread *t,
	struct stack_reader *reader, const struct py_runtime *rt, struct mem_reader *mem,
	const struct raw_stack **stack_ret)
{
	enum read_status status = stack_reader_read(reader, rt, mem, 1, stack_ret);

	if (status == READ_GONE || status == READ_DENIED)
		return status;
	bool settled = status == READ_OK && !(*stack_ret)->unproven;
	note_direct(t, settled);
	l->counts[LADDER_DIRECT] += settled;
	return settled ? READ_OK : READ_TORN;
}

/* True once we run where the thread last ran. */
static bool come_to(struct ladder *l, int stat_fd)
{
	struct proc_stat stat;

	if (stat_fd < 0 || !proc_pread_stat(stat_fd, &stat) || stat.state != 'R')
		return false;
	l->pinned_this_tick = true;
	if (l->pin.cpu == stat.processor)
		return true;
	if (!pin_to(&l->pin, stat.processor))
		return false;
	clock_sleep_until(clock_now_ns() + COSCHEDULED_SLEEP_NS);
	return true;
}

static enum read_status coscheduled(struct ladder *l, struct stack_reader *reader,
	const struct py_runtime *rt, struct mem_reader *mem, int stat_fd,
	const struct raw_stack **stack_ret)
{
	enum read_status status = READ_TORN;

	for (int i = 0; i < COSCHEDULED_ATTEMPTS; i++) {
		// also if we could not come to it: it may have stopped running
		come_to(l, stat_fd);
		status = stack_reader_read(reader, rt, mem, 2, stack_ret);
		if (status == READ_GONE || status == READ_DENIED)
			return status;
		if (status == READ_OK && !(*stack_ret)->unproven) {
			l->counts[LADDER_COSCHEDULED]++;
			return READ_OK;
		}
		// it runs elsewhere by now: go there, and wake up there
		if (l->pin.cpu >= 0)
			clock_sleep_until(clock_now_ns() + COSCHEDULED_SLEEP_NS);
	}
	l->counts[LADDER_TRUNCATED] += status == READ_OK;
	return status;
}

enum read_status ladder_read(struct ladder *l, struct ladder_thread *t, struct stack_reader *reader,
	const struct py_runtime *rt, struct mem_reader *mem, int stat_fd, bool running,
	const struct raw_stack **stack_ret)
{
	enum read_status status;

	if (!running) {
		status = stack_reader_read(reader, rt, mem, WAITING_ATTEMPTS, stack_ret);
		if (status != READ_OK || !(*stack_ret)->unproven) {
			l->counts[LADDER_DIRECT] += status == READ_OK;
			return status;
		}
		return coscheduled(l, reader, rt, mem, stat_fd, stack_ret);
	}
	bool flutters = t->flutter > FLUTTER_LIMIT;
	if (!flutters || ++t->samples >= PROBE_SAMPLES) {
		status = direct(l, t, reader, rt, mem, stack_ret);
		// a probe's result is not used: it would favour quiet moments
		if (status == READ_GONE || status == READ_DENIED ||
			(status == READ_OK && !flutters))
			return status;
	}
	return coscheduled(l, reader, rt, mem, stat_fd, stack_ret);
}

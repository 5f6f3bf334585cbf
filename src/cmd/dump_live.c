// SPDX-License-Identifier: MIT
/*
 * A running process: one tick of the sampler, whose stacks are true although nothing is stopped;
 * then local variables, which count for the frames that are still there afterwards.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/dump.h"
#include "os/proc.h"
#include "os/stop.h"
#include "sample/collector.h"
#include "sample/sampler.h"

#define DUMP_ATTEMPTS 50
#define DUMP_PAUSE_NS 1000000
#define DUMP_RING_WORDS ((size_t)1 << 20)
/* So often all is taken again because functions had returned before their variables were read. */
#define LOCALS_ATTEMPTS 3

/* A sample of the last tick, and its thread, whose place in memory may change until all are in. */
struct taken {
	struct sample sample;
	uint32_t index;
};

struct live {
	struct dumped_process *process;
	const struct dump_options *options;
	struct target target;
	struct sample_sink sink;
	struct taken *samples;
	size_t count, capacity;
	struct ring ring;
	struct sampler sampler;
	struct collector collector;
	pid_t *stopped; // threads that stand still because of us
	size_t stopped_count;
};

static void keep_sample(struct sample_sink *sink, const struct sample *sample)
{
	struct live *l = (struct live *)(void *)((char *)sink - offsetof(struct live, sink));

	array_reserve(l->samples, l->capacity, l->count + 1);
	l->samples[l->count++] = (struct taken){ *sample, sample->thread->index };
}

/* ---- attaching -------------------------------------------------------------------------------- */

static struct err *not_running(pid_t pid)
{
	return err_new(ERR_NOT_PYTHON, "process %d has no running Python interpreter", (int)pid);
}

/* Of all processes those that are not ready yet are not waited for. */
static struct err *attach(struct live *l, const struct dump_options *options)
{
	bool ready = false;
	struct err *err = NULL;
	int attempts = options->all ? 1 : DUMP_ATTEMPTS;

	for (int i = 0; i < attempts && !err && !ready; i++) {
		if (i) {
			target_deinit(&l->target);
			clock_sleep_until(clock_now_ns() + DUMP_PAUSE_NS);
		}
		err = target_attach(&l->target, options->pid, &ready);
	}
	return !err && !ready ? not_running(options->pid) : err;
}

/* ---- standing still ---------------------------------------------------------------------------- */

static bool is_stopped(const struct live *l, pid_t tid)
{
	for (size_t i = 0; i < l->stopped_count; i++)
		if (l->stopped[i] == tid)
			return true;
	return false;
}

static void release(struct live *l)
{
	for (size_t i = 0; i < l->stopped_count; i++)
		stop_release(l->stopped[i]);
	l->stopped_count = 0;
}

/* A signal may come first, or the thread end. */
#define STOP_ATTEMPTS 20

static bool stop_one(struct live *l, pid_t tid)
{
	struct proc_stat stat;

	for (int i = 0; i < STOP_ATTEMPTS; i++) {
		if (stop_thread(tid)) {
			l->stopped[l->stopped_count++] = tid;
			return true;
		}
		if (!proc_stat(l->target.pid, tid, &stat) || stat.state == 'Z')
			return true;
	}
	return false;
}

/* All threads, also those that were started while we stopped others. */
static struct err *stop_all(struct live *l)
{
	_cleanup_free_ pid_t *tids = xcalloc(THREADS_MAX, sizeof(*tids));
	bool more = true;

	l->stopped = xcalloc(THREADS_MAX, sizeof(*l->stopped));
	while (more) {
		size_t count = proc_threads(l->target.pid, tids, THREADS_MAX);

		more = false;
		for (size_t i = 0; i < count && i < THREADS_MAX; i++) {
			if (is_stopped(l, tids[i]) || l->stopped_count == THREADS_MAX)
				continue;
			more = true;
			if (!stop_one(l, tids[i]))
				return err_new(ERR_PERMISSION,
					"cannot stop process %d: another program traces it, or tracing "
					"is forbidden; leave out --stop",
					(int)l->target.pid);
		}
		if (!l->stopped_count)
			return err_new(ERR_GONE, "no process with id %d", (int)l->target.pid);
	}
	return NULL;
}

/* ---- one tick --------------------------------------------------------------------------------- */

/* An interpreter that is just starting or whose threads come and go is looked at again. */
static struct err *tick(struct live *l)
{
	enum sampler_state state = SAMPLER_LOST;
	int pid = (int)l->target.pid;

	for (int i = 0; i < DUMP_ATTEMPTS && state == SAMPLER_LOST; i++) {
		if (i)
			clock_sleep_until(clock_now_ns() + DUMP_PAUSE_NS);
		l->count = 0;
		state = sampler_tick(&l->sampler);
		collector_drain(&l->collector);
	}
	if (state == SAMPLER_DENIED)
		return err_new(ERR_PERMISSION,
			"reading process %d is refused now; 'fireglass doctor %d' tells why", pid, pid);
	if (state == SAMPLER_LOST)
		return err_new(ERR_GONE, "process %d has no running Python interpreter", pid);
	for (size_t i = 0; i < l->count; i++)
		l->samples[i].sample.thread = &l->collector.threads[l->samples[i].index];
	return NULL;
}

static struct sampled_thread *sampled(const struct live *l, const struct taken *taken)
{
	for (size_t i = 0; i < l->sampler.roster.count; i++) {
		struct sampled_thread *t = l->sampler.roster.threads[i];

		if (t->index == taken->index && t->sampled == l->sampler.ticks)
			return t;
	}
	return NULL;
}

/* The frames that the collector made of the stack, with their addresses from the stack itself. */
static void take_stack(struct live *l, struct dumped_thread *t, const struct sampled_thread *from,
	const struct sample *sample)
{
	const struct raw_stack *raw = from ? &from->reader.stack : NULL;
	const struct profile *p = &l->process->capture.tables;
	stack_id stack = sample->row.stack;
	size_t i = 0;

	if (raw && raw->count != from->codes.frame_count)
		raw = NULL;
	for (; stack != STACK_NONE; stack = p->stacks[stack].parent, i++) {
		struct dumped_frame frame = { .id = p->stacks[stack].frame };

		while (raw && i < raw->count &&
			from->codes.frames[raw->count - 1 - i].word == FRAME_INTERNAL)
			i++;
		if (raw && i < raw->count) {
			frame.address = raw->frames[i].frame;
			frame.code = raw->frames[i].code;
			frame.offset = (int32_t)(uint32_t)from->codes.frames[raw->count - 1 - i].word;
		}
		dumped_thread_add_frame(t, &frame);
	}
}

static void take_state(struct dumped_thread *t, const struct sample *sample)
{
	t->run = sample->run;
	t->syscall = sample->row.syscall;
	t->holds_gil = sample->row.flags & SAMPLE_HOLDS_GIL;
	t->waits_for_gil = sample->row.flags & SAMPLE_WAITS_FOR_GIL;
	t->in_gc = sample->row.flags & SAMPLE_IN_GC;
	t->unreadable = sample->row.flags & SAMPLE_UNREADABLE;
	t->cut = sample->row.flags & SAMPLE_CUT;
	t->moved = sample->run <= THREAD_RUNNABLE;
}

/* Where it waits, for those that wait for a lock. */
static void take_futex(const struct live *l, struct dumped_thread *t)
{
	struct proc_syscall call;

	if (t->run != THREAD_WAITING || t->syscall != SYS_futex || t->waits_for_gil)
		return;
	_cleanup_close_ int fd = proc_open_syscall(l->target.pid, (pid_t)t->py.native_id);
	if (fd < 0 || !proc_pread_syscall(fd, &call) || call.number != SYS_futex)
		return;
	t->futex = call.argument;
	t->futex_timed = call.fourth != 0;
}

/* The threads of the tick. */
static void take_threads(struct live *l)
{
	dumped_process_clear(l->process);
	for (size_t i = 0; i < l->count; i++) {
		const struct sample *sample = &l->samples[i].sample;
		const struct sampled_thread *from = sampled(l, &l->samples[i]);
		struct dumped_thread *t = dumped_process_add(l->process);

		if (from)
			t->py = from->py;
		t->py.native_id = (uint64_t)sample->thread->tid;
		t->py.main = sample->thread->main;
		t->py.interp_id = sample->thread->interp_id;
		t->name = xstrdup(sample->thread->name);
		take_state(t, sample);
		take_stack(l, t, from, sample);
		take_futex(l, t);
	}
}

/* ---- local variables -------------------------------------------------------------------------- */

/*
 * Reads the stack again: the variables of frames that are no longer there, or run other code, were
 * read too late and are dropped. Returns whether there were any.
 */
static bool verify_locals(struct live *l, struct dumped_thread *t, struct sampled_thread *from)
{
	const struct raw_stack *raw = NULL;
	size_t still = 0, at = 0;
	enum read_status status = from ? stack_reader_read(&from->reader, &l->target.rt,
						 &l->target.live.reader, 2, &raw) :
					 READ_GONE;

	if (status == READ_OK) {
		at = raw->count;
		t->moved |= raw->moved;
	}
	// from the root; frames of the interpreter itself are among those of the stack only
	for (size_t i = t->count; i-- > 0; still++) {
		while (at && raw->frames[at - 1].frame != t->frames[i].address)
			at--;
		if (!at || raw->frames[at - 1].code != t->frames[i].code)
			break;
		at--;
	}
	for (size_t i = 0; i < t->count - still; i++) {
		dump_drop_locals(&t->frames[i]);
		t->frames[i].no_locals = true;
	}
	t->moved |= still < t->count;
	return still < t->count;
}

static bool take_locals(struct live *l)
{
	bool late = false;

	for (size_t i = 0; i < l->process->count; i++) {
		struct dumped_thread *t = &l->process->threads[i];

		dump_take_locals(t, &l->target.rt, &l->target.live.reader, l->options);
		if (!l->stopped_count)
			late |= verify_locals(l, t, sampled(l, &l->samples[i]));
	}
	return late;
}

/* ---- all of it -------------------------------------------------------------------------------- */

/* While it stands still every thread looks stopped: what they did before is what counts. */
static void restore_states(struct live *l, const struct taken *before, size_t count)
{
	for (size_t i = 0; i < l->count; i++)
		for (size_t k = 0; k < count; k++)
			if (before[k].index == l->samples[i].index) {
				struct sample *now = &l->samples[i].sample;

				now->run = before[k].sample.run;
				now->row.syscall = before[k].sample.row.syscall;
				now->row.flags |= before[k].sample.row.flags & SAMPLE_WAITS_FOR_GIL;
			}
}

static struct err *tick_stopped(struct live *l)
{
	struct err *err = tick(l);

	if (err || !l->options->stop)
		return err;
	size_t count = l->count;
	_cleanup_free_ struct taken *before = xcalloc(count + 1, sizeof(*before));
	memcpy(before, l->samples, count * sizeof(*before));
	err = stop_all(l);
	if (!err)
		err = tick(l);
	if (!err)
		restore_states(l, before, count);
	return err;
}

static struct err *take(struct live *l)
{
	bool late = true;

	for (int i = 0; i < LOCALS_ATTEMPTS && late; i++) {
		struct err *err = i ? tick(l) : tick_stopped(l);

		if (err)
			return err;
		take_threads(l);
		late = l->options->locals && take_locals(l);
	}
	for (size_t i = 0; l->stopped_count && i < l->process->count; i++)
		l->process->threads[i].moved = false;
	dumped_process_sort(l->process);
	dump_take_locks(l->process, &l->target.rt, &l->target.live.reader);
	return NULL;
}

static void describe(struct live *l)
{
	struct dumped_process *p = l->process;

	p->pid = l->target.pid;
	runtime_version(&l->target.rt, &l->target.live.reader, &p->version);
	buf_add_str(&p->exe, buf_str(&l->target.exe));
	proc_link(l->target.pid, "cwd", &p->cwd);
	proc_command_line(l->target.pid, 4096, &p->command_line);
}

static void live_deinit(struct live *l)
{
	release(l);
	if (l->ring.words) {
		sampler_deinit(&l->sampler);
		collector_deinit(&l->collector);
		ring_deinit(&l->ring);
	}
	target_deinit(&l->target);
	free(l->samples);
	free(l->stopped);
}

struct err *dump_take_live(struct dumped_process *p, const struct dump_options *options)
{
	_cleanup_(live_deinit) struct live l = {
		.process = p, .options = options, .sink.sample = keep_sample };
	const struct collector_options counting = { 0 };
	const struct capture_process row = { .pid = (uint32_t)options->pid };

	mem_live_init(&l.target.live, 0);
	struct err *err = attach(&l, options);
	if (err)
		return err;
	uint32_t process = capture_add_process(&p->capture, &row);
	ring_init(&l.ring, DUMP_RING_WORDS);
	sampler_init(&l.sampler, &l.target, &l.ring, LADDER_AUTO);
	collector_init(&l.collector, &l.ring, &l.target, &p->capture, process, &counting, &l.sink);
	err = take(&l);
	if (!err)
		describe(&l);
	return err;
}

// SPDX-License-Identifier: MIT
#include "sample/sampler.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "os/proc.h"

/* The list of threads is read anew when its head changes, and at least so often. */
#define RELIST_NS (100 * (uint64_t)1000000)
/* Names of threads can change: they are read again so often. */
#define RENAME_NS (1000 * (uint64_t)1000000)
/* Reads of a stack whose code objects are not known yet. */
#define CODE_ATTEMPTS 4

struct err *sampler_init(struct sampler *s, struct target *target, struct profile *profile,
	const struct sampler_options *options, struct sample_sink *sink)
{
	if (options->gil_only && target->rt.layout.gil == GIL_FREE_THREADED)
		return err_new(ERR_USAGE,
			"Python %s runs without a GIL, so --gil would record nothing; use --no-idle",
			target->rt.layout.name);
	*s = (struct sampler){
		.target = target,
		.profile = profile,
		.options = *options,
		.sink = sink,
		.relist = true,
		.truncated_frame = profile_plain_frame(profile, FUNCTION_MARK, "(truncated)"),
		.failed_frame = profile_plain_frame(profile, FUNCTION_MARK, "(not readable)"),
		.idle_frame = profile_plain_frame(profile, FUNCTION_MARK, "(no Python frame)"),
	};
	resolver_init(&s->resolver, &target->rt, &target->live.reader, profile);
	ladder_init(&s->ladder);
	return NULL;
}

/* ---- threads ---------------------------------------------------------------------------------- */

static void thread_destroy(struct sampled_thread *t)
{
	stack_reader_deinit(&t->reader);
	if (t->stat_fd >= 0)
		close(t->stat_fd);
	if (t->schedstat_fd >= 0)
		close(t->schedstat_fd);
	free(t->name);
	free(t);
}

static struct sampled_thread *thread_create(const struct target *target, const struct py_thread *py)
{
	struct sampled_thread *t = xcalloc(1, sizeof(*t));

	t->py = *py;
	t->tid = (pid_t)py->native_id;
	t->stat_fd = t->schedstat_fd = -1;
	if (t->tid) {
		t->stat_fd = proc_open_stat(target->pid, t->tid);
		t->schedstat_fd = proc_open_schedstat(target->pid, t->tid);
	}
	stack_reader_init(&t->reader, py->state, py->interp);
	return t;
}

void sampler_restart(struct sampler *s)
{
	for (size_t i = 0; i < s->thread_count; i++)
		thread_destroy(s->threads[i]);
	s->thread_count = 0;
	s->relist = true;
	resolver_forget(&s->resolver);
}

void sampler_deinit(struct sampler *s)
{
	sampler_restart(s);
	free(s->threads);
	threads_deinit(&s->list);
	resolver_deinit(&s->resolver);
	ladder_deinit(&s->ladder);
	*s = (struct sampler){ 0 };
}

static bool same_thread(const struct sampled_thread *t, const struct py_thread *py)
{
	return t->py.state == py->state && t->py.interp == py->interp &&
	       t->py.pthread == py->pthread && (uint64_t)t->tid == py->native_id;
}

static struct sampled_thread *find_thread(struct sampler *s, const struct py_thread *py)
{
	for (size_t i = 0; i < s->thread_count; i++)
		if (same_thread(s->threads[i], py))
			return s->threads[i];
	return NULL;
}

static void forget_ended_threads(struct sampler *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->thread_count; i++) {
		if (s->threads[i]->seen == s->list_number)
			s->threads[kept++] = s->threads[i];
		else
			thread_destroy(s->threads[i]);
	}
	s->thread_count = kept;
}

/* Kernel names stand in for threads that threading does not know. */
static void name_by_kernel(struct sampler *s, struct sampled_thread *t)
{
	_cleanup_buf_ struct buf name = BUF_INIT;

	if (t->name)
		return;
	if (t->py.main)
		buf_add_str(&name, "MainThread");
	else if (t->tid)
		proc_thread_comm(s->target->pid, t->tid, &name);
	if (!name.len)
		buf_printf(&name, "Thread-%d", (int)t->tid);
	t->name = xstrdup(buf_str(&name));
}

static void visit_name(void *data, uint64_t pthread, const char *name)
{
	struct sampler *s = data;

	for (size_t i = 0; i < s->thread_count; i++) {
		struct sampled_thread *t = s->threads[i];

		if (t->py.pthread != pthread)
			continue;
		free(t->name);
		t->name = xstrdup(name);
	}
}

static void name_threads(struct sampler *s, uint64_t now)
{
	remote_addr interp = 0;

	for (size_t i = 0; i < s->thread_count; i++) {
		// threads of an interpreter stand together
		if (s->threads[i]->py.interp == interp)
			continue;
		interp = s->threads[i]->py.interp;
		threads_names(&s->target->rt, &s->target->live.reader, interp, visit_name, s);
	}
	for (size_t i = 0; i < s->thread_count; i++)
		name_by_kernel(s, s->threads[i]);
	s->named_at_ns = now;
}

static enum read_status list_threads(struct sampler *s, uint64_t now)
{
	enum read_status status = target_threads(s->target, &s->list);
	bool grown = false;

	if (status != READ_OK)
		return status;
	s->list_number++;
	for (size_t i = 0; i < s->list.count; i++) {
		struct sampled_thread *t = find_thread(s, &s->list.items[i]);

		if (!t) {
			t = thread_create(s->target, &s->list.items[i]);
			array_reserve(s->threads, s->thread_capacity, s->thread_count + 1);
			s->threads[s->thread_count++] = t;
			grown = true;
		}
		t->py = s->list.items[i];
		t->seen = s->list_number;
	}
	forget_ended_threads(s);
	if (grown || now - s->named_at_ns > RENAME_NS)
		name_threads(s, now);
	s->relist = false;
	s->listed_at_ns = now;
	return READ_OK;
}

static enum read_status follow_threads(struct sampler *s)
{
	uint64_t now = clock_now_ns(), digest = 0;
	enum read_status status =
		threads_heads(&s->target->rt, &s->target->live.reader, &digest);

	if (status != READ_OK)
		return status;
	if (!digest)
		return READ_TORN; // no interpreter
	if (digest == s->list_digest && !s->relist && now - s->listed_at_ns < RELIST_NS)
		return READ_OK;
	s->list_digest = digest;
	return list_threads(s, now);
}

/* ---- state of a thread ------------------------------------------------------------------------ */

static enum thread_run thread_run(const struct sampled_thread *t)
{
	struct proc_stat stat;

	if (t->stat_fd < 0 || !proc_pread_stat(t->stat_fd, &stat))
		return THREAD_UNKNOWN;
	switch (stat.state) {
	case 'R':
		return THREAD_RUNNING;
	case 'T':
	case 't':
		return THREAD_STOPPED;
	default:
		return THREAD_WAITING;
	}
}

/*
 * True if the thread has not run since its last sample: it was blocked then, and its run time and
 * its number of time slices are what they were. (For a thread that is running they prove nothing:
 * the kernel refreshes them at scheduler ticks.)
 */
static bool thread_still(const struct sampled_thread *t)
{
	struct proc_schedstat now;

	return t->still && t->schedstat_fd >= 0 && proc_pread_schedstat(t->schedstat_fd, &now) &&
	       now.slices == t->slices && now.run_ns == t->run_ns;
}

/* Notes where the thread stood before its stack is read; true if that can prove a later reuse. */
static bool note_schedule(struct sampled_thread *t)
{
	struct proc_schedstat now;

	if (t->schedstat_fd < 0 || !proc_pread_schedstat(t->schedstat_fd, &now))
		return false;
	t->slices = now.slices;
	t->run_ns = now.run_ns;
	return true;
}

/* ---- one sample ------------------------------------------------------------------------------- */

static stack_id root_stack(struct sampler *s, const struct sampled_thread *t)
{
	if (!s->options.thread_roots)
		return STACK_NONE;
	return profile_stack(s->profile, STACK_NONE,
		profile_plain_frame(s->profile, FUNCTION_THREAD, t->name));
}

static stack_id marked(struct sampler *s, stack_id stack, frame_id mark)
{
	return profile_stack(s->profile, stack, mark);
}

/* Reads until all code objects of the stack are known from before the stack was read. */
static enum read_status read_known_stack(struct sampler *s, struct sampled_thread *t, bool running,
	const struct raw_stack **raw_ret)
{
	for (int i = 0; i < CODE_ATTEMPTS; i++) {
		enum read_status status = ladder_read(&s->ladder, &t->ladder, &t->reader,
			&s->target->rt, &s->target->live.reader, t->stat_fd, running, raw_ret);

		if (status != READ_OK)
			return status;
		if (!resolver_prepare(&s->resolver, *raw_ret))
			return READ_OK;
	}
	// what was read last is the newest there is of code that is made and thrown away all the time
	return READ_OK;
}

static enum read_status read_sample(struct sampler *s, struct sampled_thread *t, struct sample *out)
{
	const struct raw_stack *raw;
	stack_id root = root_stack(s, t);
	enum read_status status = READ_TORN;

	for (int i = 0; i < CODE_ATTEMPTS && status == READ_TORN; i++) {
		status = read_known_stack(s, t, out->run == THREAD_RUNNING, &raw);
		if (status == READ_OK)
			status = resolver_stack(&s->resolver, raw, root, &out->stack);
	}
	if (status != READ_OK)
		return status;
	out->proof = raw->unproven || raw->too_deep ? SAMPLE_TRUNCATED : SAMPLE_VERIFIED;
	out->holds_gil = raw->holds_gil;
	if (out->proof == SAMPLE_TRUNCATED)
		out->stack = marked(s, out->stack, s->truncated_frame);
	else if (!raw->count)
		out->stack = marked(s, root, s->idle_frame);
	return READ_OK;
}

static bool in_set(remote_addr x, const remote_addr *set, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (set[i] == x)
			return true;
	return false;
}

#define GIL_HOLDERS_MAX 64

struct tick {
	uint64_t time_ns;
	remote_addr holders[GIL_HOLDERS_MAX];
	size_t holder_count;
};

static void emit(struct sampler *s, const struct sample *sample)
{
	s->counts.reused += sample->proof == SAMPLE_REUSED;
	s->counts.truncated += sample->proof == SAMPLE_TRUNCATED;
	s->counts.failed += sample->proof == SAMPLE_FAILED;
	if ((s->options.no_idle && sample->run != THREAD_RUNNING) ||
		(s->options.gil_only && !sample->holds_gil)) {
		s->counts.filtered++;
		return;
	}
	s->counts.samples++;
	s->sink->sample(s->sink, sample);
}

static void sample_fresh(struct sampler *s, struct sampled_thread *t, const struct tick *tick,
	struct sample *out, enum read_status *status_ret)
{
	bool noted = note_schedule(t);

	out->run = thread_run(t);
	*status_ret = read_sample(s, t, out);
	if (*status_ret != READ_OK) {
		out->proof = SAMPLE_FAILED;
		out->stack = marked(s, root_stack(s, t), s->failed_frame);
		t->still = false;
		return;
	}
	if (s->target->rt.layout.gil != GIL_THREAD_FLAG)
		out->holds_gil = in_set(t->py.state, tick->holders, tick->holder_count);
	t->still = noted && out->run == THREAD_WAITING && out->proof == SAMPLE_VERIFIED;
	t->last_stack = out->stack;
	t->last_gil = out->holds_gil;
}

static enum read_status sample_thread(
	struct sampler *s, struct sampled_thread *t, const struct tick *tick)
{
	struct sample sample = { .time_ns = tick->time_ns, .thread = t };
	enum read_status status = READ_OK;

	if (thread_still(t)) {
		sample.run = THREAD_WAITING;
		sample.proof = SAMPLE_REUSED;
		sample.stack = t->last_stack;
		sample.holds_gil = t->last_gil;
	} else {
		sample_fresh(s, t, tick, &sample, &status);
	}
	if (status == READ_GONE || status == READ_FAULT) {
		// the thread ended, or all of the process did: the next list will tell
		s->relist = true;
		return status;
	}
	if (status == READ_DENIED)
		return status;
	emit(s, &sample);
	return READ_OK;
}

static void read_gil(struct sampler *s, struct tick *tick)
{
	if (s->target->rt.layout.gil == GIL_THREAD_FLAG)
		return;
	tick->holder_count = threads_gil_holders(&s->target->rt, &s->target->live.reader, &s->list,
		tick->holders, GIL_HOLDERS_MAX);
}

static enum sampler_state state_of(enum read_status status)
{
	return status == READ_DENIED ? SAMPLER_DENIED : SAMPLER_LOST;
}

enum sampler_state sampler_tick(struct sampler *s)
{
	struct tick tick = { .time_ns = clock_wall_ns() };
	enum read_status status = follow_threads(s);
	size_t gone = 0;

	if (status != READ_OK)
		return state_of(status);
	read_gil(s, &tick);
	ladder_begin_tick(&s->ladder);
	for (size_t i = 0; i < s->thread_count; i++) {
		status = sample_thread(s, s->threads[i], &tick);
		if (status == READ_DENIED)
			return SAMPLER_DENIED;
		gone += status != READ_OK;
	}
	ladder_end_tick(&s->ladder);
	return s->thread_count && gone == s->thread_count ? SAMPLER_LOST : SAMPLER_OK;
}

// SPDX-License-Identifier: MIT
#include "cmd/followed.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cmd/recording.h"
#include "os/proc.h"

#define RING_WORDS ((size_t)1 << 18)
/* Of the others: there may be many. */
#define SMALL_RING_WORDS ((size_t)1 << 16)
#define COMMAND_LINE_BYTES 4096

static void detach(struct followed *f)
{
	if (f->attached)
		target_deinit(&f->target);
	f->attached = false;
}

struct followed *followed_create(pid_t pid, uint64_t now_ns)
{
	struct followed *f = xcalloc(1, sizeof(*f));

	f->pid = pid;
	f->row = CAPTURE_NONE;
	f->since_ns = f->due_ns = now_ns;
	return f;
}

void followed_destroy(struct followed *f)
{
	if (!f)
		return;
	if (f->has_sampler) {
		sampler_deinit(&f->sampler);
		collector_deinit(&f->collector);
		ring_deinit(&f->ring);
	}
	detach(f);
	free(f->version);
	free(f);
}

/* It has not ended, and is the same that it was. */
static bool is_alive(struct followed *f)
{
	struct proc_stat stat;

	if (!proc_stat(f->pid, 0, &stat) || stat.state == 'Z' || stat.state == 'X')
		return false;
	if (f->start_time && stat.start_time != f->start_time)
		return false;
	f->start_time = stat.start_time;
	return true;
}

bool followed_look(struct followed *f, uint64_t now_ns)
{
	uint64_t dev, inode;
	bool readable = proc_exe_identity(f->pid, &dev, &inode);

	if ((!readable || !f->start_time || now_ns >= f->due_ns) && !is_alive(f))
		return false;
	if (!readable)
		return true; // not ours to know
	if (f->exe_inode && (dev != f->exe_dev || inode != f->exe_inode))
		f->since_ns = f->due_ns = now_ns;
	f->exe_dev = dev;
	f->exe_inode = inode;
	return true;
}

struct err *followed_attach(struct followed *f, bool *ready_ret)
{
	*ready_ret = false;
	detach(f);
	struct err *err = target_attach(&f->target, f->pid, ready_ret);
	f->attached = true;
	if (err)
		return err;
	f->start_time = f->target.start_time;
	f->exe_dev = f->target.exe_dev;
	f->exe_inode = f->target.exe_inode;
	return NULL;
}

void followed_learn_version(struct followed *f)
{
	_cleanup_buf_ struct buf version = BUF_INIT;

	// an interpreter that is starting does not know its patch level yet
	if (f->version && strchr(f->version, '.') != strrchr(f->version, '.'))
		return;
	runtime_version(&f->target.rt, &f->target.live.reader, &version);
	free(f->version);
	f->version = xstrdup(buf_str(&version));
}

/* ---- its rows --------------------------------------------------------------------------------- */

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void add_row(struct followed *f, struct capture *c)
{
	_cleanup_buf_ struct buf command = BUF_INIT;

	proc_command_line(f->pid, COMMAND_LINE_BYTES, &command);
	const struct capture_process row = {
		.pid = (uint32_t)f->pid,
		.name = capture_string(c, "python"),
		.command = capture_string(c, buf_str(&command)),
		.start_ns = clock_wall_ns(),
	};

	f->row = capture_add_process(c, &row);
}

static void describe(struct followed *f, struct recording *r)
{
	const char *exe = buf_str(&f->target.exe);

	if (f->row == CAPTURE_NONE)
		add_row(f, r->capture);
	if (*exe)
		r->capture->processes[f->row].name = capture_string(r->capture, last_part(exe));
}

void followed_end_rows(struct followed *f, struct capture *c, uint64_t wall_ns)
{
	if (f->has_sampler)
		collector_end_threads(&f->collector);
	if (f->row != CAPTURE_NONE && !c->processes[f->row].end_ns)
		c->processes[f->row].end_ns = wall_ns;
}

/* ---- sampling --------------------------------------------------------------------------------- */

static void *sampling_thread(void *data)
{
	struct followed *f = data;

	f->result = sampler_run(&f->sampler);
	f->result_wall_ns = clock_wall_ns();
	atomic_store(&f->sampling, false);
	ring_ring(&f->ring);
	return NULL;
}

/* Signals are for the thread that collects. */
static struct err *start_thread(struct followed *f)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	atomic_store(&f->sampling, true);
	int errnum = pthread_create(&f->thread, NULL, sampling_thread, f);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!errnum) {
		f->state = FOLLOWED_SAMPLED;
		return NULL;
	}
	atomic_store(&f->sampling, false);
	return err_errno(errnum, "cannot start the sampling thread");
}

/* What remains of the recording's time, 0 without an end. */
static uint64_t remaining_ns(const struct recording *r)
{
	uint64_t now = clock_now_ns(), end = r->started_ns + r->duration_ns;

	if (!r->duration_ns || !r->started_ns)
		return r->duration_ns;
	return end > now ? end - now : 1;
}

static void init_sampler(struct followed *f, struct recording *r)
{
	f->has_sampler = true;
	ring_init(&f->ring, f->first ? RING_WORDS : SMALL_RING_WORDS);
	ring_share_bell(&f->ring, &r->bell);
	sampler_init(&f->sampler, &f->target, &f->ring, r->strategy);
	f->sampler.ticker.period_ns = r->period_ns;
	f->sampler.ticker.jitter = !r->no_jitter;
	f->sampler.no_realtime = r->no_realtime || recording_is_crowded(r);
	f->sampler.duration_ns = remaining_ns(r);
	sampler_pause(&f->sampler, r->paused);
	collector_init(&f->collector, &f->ring, &f->target, r->capture, f->row, &r->options,
		r->sink);
}

struct err *followed_start(struct followed *f, struct recording *r)
{
	followed_learn_version(f);
	describe(f, r);
	if (f->has_sampler) {
		collector_end_threads(&f->collector);
		sampler_restart(&f->sampler);
	} else {
		init_sampler(f, r);
	}
	return start_thread(f);
}

void followed_stop(struct followed *f)
{
	if (f->state != FOLLOWED_SAMPLED)
		return;
	atomic_store(&f->sampler.stop, true);
	pthread_join(f->thread, NULL);
	collector_drain(&f->collector);
	f->state = FOLLOWED_ENDED;
}

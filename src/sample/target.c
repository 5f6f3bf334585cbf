// SPDX-License-Identifier: MIT
#include "sample/target.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "os/gates.h"
#include "os/maps.h"
#include "os/proc.h"

/* A list of threads that changes while it is read is read again this often. */
#define LIST_ATTEMPTS 8

void target_deinit(struct target *t)
{
	mem_live_deinit(&t->live);
	buf_deinit(&t->exe);
}

static struct err *gone(pid_t pid)
{
	return err_new(ERR_GONE, "no process with id %d", (int)pid);
}

static struct err *identify(struct target *t)
{
	struct proc_stat stat;
	struct proc_status status;

	if (!proc_stat(t->pid, 0, &stat) || !proc_status(t->pid, 0, &status))
		return gone(t->pid);
	if (stat.state == 'Z' || stat.state == 'X')
		return gates_explain(t->pid);
	if (status.tgid != t->pid)
		return err_new(ERR_USAGE, "%d is a thread of process %d; give the process id",
			(int)t->pid, (int)status.tgid);
	t->start_time = stat.start_time;
	t->foreign_pid_namespace = status.ns_pid != t->pid;
	proc_exe_identity(t->pid, &t->exe_dev, &t->exe_inode);
	proc_link(t->pid, "exe", &t->exe);
	return NULL;
}

/* A read that was refused comes as "not a Python"; find out whether reading works at all. */
static struct err *check_readable(struct target *t, const struct maps *maps)
{
	unsigned char byte;

	for (size_t i = 0; i < maps->count; i++) {
		const struct map *m = &maps->entries[i];

		if (!m->readable || m->path[0] == '[')
			continue;
		enum read_status status = mem_read(&t->live.reader, m->start, &byte, 1);
		if (status == READ_OK)
			return NULL;
		if (status == READ_DENIED)
			return gates_explain(t->pid);
		if (status == READ_GONE)
			return gone(t->pid);
	}
	return gates_explain(t->pid);
}

static struct err *detect(struct target *t, bool *ready_ret)
{
	_cleanup_(maps_deinit) struct maps maps = { 0 };
	struct err *err = maps_read(&maps, t->pid);

	if (err) {
		err_free(err);
		return gates_explain(t->pid);
	}
	err = check_readable(t, &maps);
	if (!err)
		err = runtime_detect(
			&t->rt, &t->live.reader, &maps, t->pid, buf_str(&t->exe));
	if (!err)
		*ready_ret = runtime_ready(&t->rt, &t->live.reader) == READ_OK;
	return err;
}

struct err *target_attach(struct target *t, pid_t pid, bool *ready_ret)
{
	*t = (struct target){ .pid = pid, .own = pid == getpid() };
	mem_live_init(&t->live, pid);
	struct err *err = identify(t);
	return err ? err : detect(t, ready_ret);
}

enum target_life target_look(const struct target *t)
{
	struct proc_stat stat;
	uint64_t dev = 0, inode = 0;

	if (!proc_stat(t->pid, 0, &stat) || stat.start_time != t->start_time ||
		stat.state == 'Z' || stat.state == 'X')
		return TARGET_ENDED;
	if (proc_exe_identity(t->pid, &dev, &inode) &&
		(dev != t->exe_dev || inode != t->exe_inode))
		return TARGET_REPLACED;
	return TARGET_ALIVE;
}

/* ---- thread ids ------------------------------------------------------------------------------- */

struct tids {
	pid_t *ours, *theirs; // as we see them, and as the target's pid namespace does
	size_t count;
};

static void tids_deinit(struct tids *tids)
{
	free(tids->ours);
	if (tids->theirs != tids->ours)
		free(tids->theirs);
}

static void tids_read(struct tids *tids, const struct target *t)
{
	tids->ours = xcalloc(THREADS_MAX, sizeof(pid_t));
	tids->count = proc_threads(t->pid, tids->ours, THREADS_MAX);
	if (tids->count > THREADS_MAX)
		tids->count = THREADS_MAX;
	tids->theirs = tids->ours;
	if (!t->foreign_pid_namespace)
		return;
	tids->theirs = xcalloc(tids->count, sizeof(pid_t));
	for (size_t i = 0; i < tids->count; i++) {
		struct proc_status status;

		if (proc_status(t->pid, tids->ours[i], &status))
			tids->theirs[i] = status.ns_pid;
	}
}

static pid_t tid_as_we_see_it(const struct tids *tids, uint64_t theirs)
{
	for (size_t i = 0; theirs && i < tids->count; i++)
		if ((uint64_t)tids->theirs[i] == theirs)
			return tids->ours[i];
	return 0;
}

/* True if one of the threads says that it is the process's first. */
static bool has_leader(
	const struct target *t, const struct tids *tids, const struct py_threads *threads)
{
	for (size_t i = 0; i < threads->count; i++)
		if (tid_as_we_see_it(tids, threads->items[i].native_id) == t->pid)
			return true;
	return false;
}

/*
 * From the ids that Python or libc noted to ours. A thread whose kernel thread does not exist is
 * left out: it has ended, or it was left behind by a fork.
 */
static void translate_tids(
	const struct target *t, const struct tids *tids, struct py_threads *threads)
{
	bool leader = has_leader(t, tids, threads);
	size_t kept = 0;

	for (size_t i = 0; i < threads->count; i++) {
		struct py_thread *thread = &threads->items[i];
		uint64_t noted = thread->native_id;

		thread->native_id = (uint64_t)tid_as_we_see_it(tids, noted);
		// the main thread of a child that 3.11 forked may still carry its parent's id
		if (!thread->native_id && thread->main && !leader)
			thread->native_id = (uint64_t)t->pid;
		if (thread->native_id || !noted)
			threads->items[kept++] = *thread;
	}
	threads->count = kept;
}

/* After a fork the main thread is the one that forked, which need not be the oldest. */
static void correct_main(const struct target *t, struct py_threads *threads)
{
	struct py_thread *leader = NULL;

	for (size_t i = 0; i < threads->count; i++)
		if (threads->items[i].native_id == (uint64_t)t->pid)
			leader = &threads->items[i];
	for (size_t i = 0; leader && i < threads->count; i++)
		threads->items[i].main = &threads->items[i] == leader;
}

enum read_status target_threads(struct target *t, struct py_threads *threads)
{
	_cleanup_(tids_deinit) struct tids tids = { 0 };
	enum read_status status = READ_TORN;

	for (int i = 0; i < LIST_ATTEMPTS && (status == READ_TORN || status == READ_FAULT); i++)
		status = threads_list(&t->rt, &t->live.reader, threads);
	if (status != READ_OK)
		return status;
	tids_read(&tids, t);
	threads_calibrate(&t->rt, &t->live.reader, threads, tids.theirs, tids.count);
	translate_tids(t, &tids, threads);
	correct_main(t, threads);
	return READ_OK;
}

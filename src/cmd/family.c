// SPDX-License-Identifier: MIT
#include "cmd/family.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "os/proc.h"

#define MS ((uint64_t)1000000)
/* Between two looks; shorter in the beginning, when a launcher may end at once. */
#define LOOK_NS (20 * MS)
#define FIRST_LOOK_NS (4 * MS)
#define BEGINNING_NS (1000 * MS)
/* The time from one look to the next is so many times what the look took of a processor. */
#define LOOK_SHARE 200
/* A process that is no Python is looked into again after a part of its age. */
#define VAIN_SHARE 8
#define VAIN_MAX_NS (2000 * MS)
/* A program that was looked into so often without success is no Python, unless it loads one later. */
#define VAIN_ENOUGH 3
#define VAIN_LATER_NS (1000 * MS)

static void allow_many_files(void)
{
	struct rlimit limit;

	// a thread that is sampled takes up to three
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static struct followed *add(struct family *f, pid_t pid, uint64_t now_ns)
{
	array_reserve(f->items, f->capacity, f->count + 1);
	f->items[f->count] = followed_create(pid, now_ns);
	return f->items[f->count++];
}

void family_init(struct family *f, pid_t first, uint32_t row, uint64_t now_ns)
{
	*f = (struct family){ .began_ns = now_ns, .due_ns = now_ns };
	struct followed *process = add(f, first, now_ns);
	process->first = true;
	process->row = row;
}

void family_deinit(struct family *f)
{
	for (size_t i = 0; i < f->count; i++)
		followed_destroy(f->items[i]);
	free(f->items);
	pid_list_deinit(&f->parents);
	pid_list_deinit(&f->found);
	*f = (struct family){ 0 };
}

size_t family_sampled(const struct family *f)
{
	size_t count = 0;

	for (size_t i = 0; i < f->count; i++)
		count += f->items[i]->state == FOLLOWED_SAMPLED;
	return count;
}

/* ---- looking ---------------------------------------------------------------------------------- */

static bool known(const struct family *f, pid_t pid)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->items[i]->pid == pid)
			return true;
	return false;
}

static void find(struct family *f, uint64_t now_ns)
{
	f->parents.count = f->found.count = 0;
	array_reserve(f->parents.items, f->parents.capacity, f->count);
	for (size_t i = 0; i < f->count; i++)
		if (f->items[i]->state != FOLLOWED_ENDED)
			f->parents.items[f->parents.count++] = f->items[i]->pid;
	children_find(f->parents.items, f->parents.count, &f->found);
	for (size_t i = 0; i < f->found.count && f->count < CHILDREN_MAX; i++) {
		pid_t pid = f->found.items[i];

		if (pid != getpid() && !known(f, pid))
			add(f, pid, now_ns)->due_ns = now_ns + FIRST_LOOK_NS;
	}
}

/* Those that were there at the last look already: have they become another program, or ended? */
static void look_again(struct family *f, size_t count, uint64_t now_ns)
{
	for (size_t i = 0; i < count; i++) {
		struct followed *process = f->items[i];

		if (process->first || process->state != FOLLOWED_WAITS)
			continue;
		// what else is to be done at its end is the recording's
		if (!followed_look(process, now_ns))
			process->due_ns = now_ns;
	}
}

void family_look(struct family *f, uint64_t now_ns)
{
	size_t before = f->count;

	if (now_ns < f->due_ns)
		return;
	uint64_t cpu_ns = clock_thread_cpu_ns();
	if (f->due_ns == f->began_ns)
		allow_many_files();
	find(f, now_ns);
	look_again(f, before, now_ns);
	uint64_t least = now_ns - f->began_ns < BEGINNING_NS ? FIRST_LOOK_NS : LOOK_NS;
	uint64_t pause = (clock_thread_cpu_ns() - cpu_ns) * LOOK_SHARE;
	f->due_ns = now_ns + (pause > least ? pause : least);
}

/* ---- programs --------------------------------------------------------------------------------- */

static struct family_program *program_of(struct family *f, const struct followed *process)
{
	for (size_t i = 0; i < ARRAY_LEN(f->programs); i++)
		if (f->programs[i].dev == process->exe_dev &&
			f->programs[i].inode == process->exe_inode)
			return &f->programs[i];
	struct family_program *new = &f->programs[f->next_program++ % ARRAY_LEN(f->programs)];
	*new = (struct family_program){ .dev = process->exe_dev, .inode = process->exe_inode };
	return new;
}

/* A child of vfork() has its parent's memory until it executes its program. */
static bool borrows_memory(const struct followed *process)
{
	struct proc_stat stat;

	return proc_stat(process->pid, 0, &stat) && stat.ppid > 0 &&
	       children_share_memory(process->pid, stat.ppid);
}

bool family_may_be_python(struct family *f, struct followed *process, uint64_t now_ns)
{
	const struct family_program *program = program_of(f, process);

	if (process->first)
		return true;
	if (program->vain >= VAIN_ENOUGH && !program->python &&
		now_ns - process->since_ns < VAIN_LATER_NS) {
		process->due_ns = process->since_ns + VAIN_LATER_NS;
		return false;
	}
	if (!borrows_memory(process))
		return true;
	process->due_ns = now_ns + LOOK_NS;
	return false;
}

void family_note(struct family *f, struct followed *process, bool python, uint64_t now_ns)
{
	uint64_t pause = (now_ns - process->since_ns) / VAIN_SHARE;

	process->vain = !python;
	if (python)
		program_of(f, process)->python = true;
	if (pause < LOOK_NS)
		pause = LOOK_NS;
	process->due_ns = now_ns + (pause < VAIN_MAX_NS ? pause : VAIN_MAX_NS);
}

void family_remove(struct family *f, size_t i)
{
	struct followed *process = f->items[i];

	if (process->vain)
		program_of(f, process)->vain++;
	followed_destroy(process);
	f->count--;
	memmove(f->items + i, f->items + i + 1, (f->count - i) * sizeof(*f->items));
}

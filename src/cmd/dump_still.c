// SPDX-License-Identifier: MIT
/* Threads and stacks of memory that stands still. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "cmd/dump.h"
#include "sample/riders.h"

/* A stack whose root is a generator's frame counts when it was seen twice. */
#define STACK_READS 2
/* Nothing moves, but an attempt learns only so many places of frames. */
#define STACK_ATTEMPTS 64

struct still {
	struct dumped_process *process;
	struct py_runtime *rt;
	struct mem_reader *mem;
	const struct dump_options *options;
	struct interp_riders riders;
};

static bool is_tid(uint64_t tid, const pid_t *tids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if ((uint64_t)tids[i] == tid)
			return true;
	return false;
}

/* As a tick does: thread states without a kernel thread are left out. */
static void keep_real(struct py_threads *threads, const pid_t *tids, size_t tid_count)
{
	size_t kept = 0;

	for (size_t i = 0; tid_count && i < threads->count; i++)
		if (!threads->items[i].native_id ||
			is_tid(threads->items[i].native_id, tids, tid_count))
			threads->items[kept++] = threads->items[i];
	if (tid_count)
		threads->count = kept;
}

static void take_stack(struct still *s, struct dumped_thread *t)
{
	struct stack_reader reader;
	const struct raw_stack *stack = NULL;
	enum read_status status = READ_TORN;

	stack_reader_init(&reader, t->py.state, t->py.interp);
	for (int i = 0; i < STACK_READS && status == READ_TORN; i++)
		status = stack_reader_read(
			&reader, s->rt, s->mem, STACK_ATTEMPTS, &stack);
	t->unreadable = status != READ_OK;
	if (status == READ_OK) {
		t->cut = stack->unproven || stack->too_deep;
		dump_take_frames(s->process, t, s->rt, s->mem, stack);
	}
	stack_reader_deinit(&reader);
}

static void take_gil(struct still *s, struct dumped_thread *t)
{
	struct interp_look look;

	riders_fill(&s->riders, s->rt, &t->py);
	if (mem_readv(s->mem, s->riders.set.ranges, s->riders.set.count, &s->riders.set.whole) !=
		READ_OK)
		return;
	riders_look(&s->riders, s->rt, &t->py, &look);
	t->holds_gil = look.known && look.has_gil && look.holder == t->py.state;
	t->in_gc = look.known && look.collecting && t->holds_gil;
}

static void visit_name(void *data, uint64_t pthread, const char *name)
{
	struct dumped_process *p = data;

	for (size_t i = 0; i < p->count; i++)
		if (p->threads[i].py.pthread == pthread) {
			free(p->threads[i].name);
			p->threads[i].name = xstrdup(name);
		}
}

static bool interp_seen_before(const struct dumped_process *p, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (p->threads[k].py.interp == p->threads[i].py.interp)
			return true;
	return false;
}

static void take_names(struct still *s)
{
	struct dumped_process *p = s->process;

	for (size_t i = 0; i < p->count; i++)
		if (!interp_seen_before(p, i))
			threads_names(s->rt, s->mem, p->threads[i].py.interp, visit_name, p);
	for (size_t i = 0; i < p->count; i++)
		if (!p->threads[i].name)
			p->threads[i].name = p->threads[i].py.main ?
				xstrdup("MainThread") :
				xasprintf("Thread-%d", (int)p->threads[i].py.native_id);
}

static void take_threads(struct still *s, const struct py_threads *threads)
{
	for (size_t i = 0; i < threads->count; i++) {
		struct dumped_thread *t = dumped_process_add(s->process);

		t->py = threads->items[i];
		take_stack(s, t);
		take_gil(s, t);
		if (s->options->locals)
			dump_take_locals(t, s->rt, s->mem, s->options);
	}
	dumped_process_sort(s->process);
	take_names(s);
}

struct err *dump_take_still(struct dumped_process *p, struct py_runtime *rt,
	struct mem_reader *mem, const pid_t *tids, size_t tid_count,
	const struct dump_options *options)
{
	_cleanup_(threads_deinit) struct py_threads threads = { 0 };
	_cleanup_free_ struct still *s = xcalloc(1, sizeof(*s));

	if (threads_list(rt, mem, &threads) != READ_OK)
		return err_new(ERR_GONE, "there is no running Python interpreter in it");
	threads_calibrate(rt, mem, &threads, tids, tid_count);
	keep_real(&threads, tids, tid_count);
	*s = (struct still){ .process = p, .rt = rt, .mem = mem, .options = options };
	runtime_version(rt, mem, &p->version);
	take_threads(s, &threads);
	return NULL;
}

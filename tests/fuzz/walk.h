// SPDX-License-Identifier: MIT
/*
 * For fuzzers: everything that fireglass reads of a target, over a memory image that may be broken
 * in any way. Aborts if it takes more reads than any target may cost.
 */
#ifndef FIREGLASS_FUZZ_WALK_H
#define FIREGLASS_FUZZ_WALK_H

#include <stdlib.h>

#include "base/cleanup.h"
#include "os/mem_image.h"
#include "pyabi/stack.h"
#include "pyabi/threads.h"
#include "sample/resolver.h"

/* Of one walk over everything. What a program of a few threads takes is about 500. */
#define WALK_READS_MAX 3000000
/* Not more threads are looked at. */
#define WALK_THREADS_MAX 4

static void walk_ignore_name(void *data, uint64_t pthread, const char *name)
{
	(void)data;
	(void)pthread;
	if (!*name)
		abort();
}

static void walk_stack(struct py_runtime *rt, struct mem_reader *mem, const struct py_thread *t,
	struct resolver *resolver)
{
	struct resolver_codes codes = { 0 };
	struct stack_riders riders;
	struct stack_reader reader;

	stack_reader_init(&reader, t->state, t->interp);
	reader.riders = &riders;
	for (int i = 0; i < 2; i++) {
		const struct raw_stack *stack;
		stack_id id;

		riders.count = 0;
		resolver_begin(resolver, &codes, t->interp, &riders);
		if (stack_reader_read(&reader, rt, mem, 2, &stack) != READ_OK)
			break;
		if (stack->count > STACK_FRAMES_MAX)
			abort();
		resolver_prepare(resolver, stack, t->interp, &riders, &codes);
		if (resolver_stack(resolver, stack, STACK_NONE, &id) != READ_OK)
			break;
	}
	stack_reader_deinit(&reader);
}

static void walk_image(struct py_runtime *rt, struct mem_image *image, const pid_t *tids, size_t tid_count)
{
	struct mem_reader *mem = &image->reader;
	struct py_threads threads = { 0 };
	_cleanup_buf_ struct buf version = BUF_INIT;
	struct profile profile;
	struct resolver resolver;

	image->reads = 0;
	profile_init(&profile);
	resolver_init(&resolver, rt, mem, &profile);
	runtime_ready(rt, mem);
	runtime_version(rt, mem, &version);
	if (threads_list(rt, mem, &threads) == READ_OK)
		threads_calibrate(rt, mem, &threads, tids, tid_count);
	for (size_t i = 0; i < threads.count && i < WALK_THREADS_MAX; i++) {
		threads_names(rt, mem, threads.items[i].interp, walk_ignore_name, NULL);
		walk_stack(rt, mem, &threads.items[i], &resolver);
	}
	threads_deinit(&threads);
	resolver_deinit(&resolver);
	profile_deinit(&profile);
	if (image->reads > WALK_READS_MAX)
		abort();
}

#endif

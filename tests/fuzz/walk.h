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
#include "sample/codes.h"

/* Of one walk over everything. What a program of a few threads takes is about 500. */
#define WALK_READS_MAX 3000000
/* Not more threads are looked at. */
#define WALK_THREADS_MAX 4

static void walk_ignore_name(void *data, uint64_t pthread, const char *name)
{
	(void)data;
	(void)pthread;
	(void)name;
}

static void walk_stack(struct py_runtime *rt, struct mem_reader *mem, const struct py_thread *t,
	struct codes *codes)
{
	struct thread_codes known = { 0 };
	struct stack_riders riders;
	struct stack_reader reader;

	stack_reader_init(&reader, t->state, t->interp);
	reader.riders = &riders;
	for (int i = 0; i < 2; i++) {
		const struct raw_stack *stack;

		riders.count = 0;
		codes_begin(codes, &known, t->interp, &riders);
		if (stack_reader_read(&reader, rt, mem, 2, &stack) != READ_OK)
			break;
		if (stack->count > STACK_FRAMES_MAX)
			abort();
		codes_prepare(codes, stack, t->interp, &riders, &known);
		for (size_t k = 0; k < stack->count; k++) {
			uint64_t word;

			codes_frame(codes, &known, k, &word);
		}
	}
	stack_reader_deinit(&reader);
	codes_prove(codes);
	thread_codes_deinit(&known);
}

/* Looks up every line of the code objects that were announced, and frees them. */
static void walk_codes(struct ring *ring)
{
	ring_publish(ring);
	while (ring_available(ring)) {
		ring_get(ring);
		struct py_code *code = (struct py_code *)(uintptr_t)ring_get(ring);
		for (uint32_t at = 0; at < code->place.end && at < 4096; at += 2)
			code_line(
				&code->lines, code->first_line, code->first_traceable, (int32_t)at);
		code_deinit(code);
		free(code);
		ring_release(ring);
	}
}

static void walk_image(
	struct py_runtime *rt, struct mem_image *image, const pid_t *tids, size_t tid_count)
{
	struct mem_reader *mem = &image->reader;
	struct py_threads threads = { 0 };
	_cleanup_buf_ struct buf version = BUF_INIT;
	struct ring ring;
	struct codes codes;

	image->reads = 0;
	ring_init(&ring, 1 << 12);
	codes_init(&codes, rt, mem, &ring);
	runtime_ready(rt, mem);
	runtime_version(rt, mem, &version);
	if (threads_list(rt, mem, &threads) == READ_OK)
		threads_calibrate(rt, mem, &threads, tids, tid_count);
	for (size_t i = 0; i < threads.count && i < WALK_THREADS_MAX; i++) {
		threads_names(rt, mem, threads.items[i].interp, walk_ignore_name, NULL);
		walk_stack(rt, mem, &threads.items[i], &codes);
	}
	threads_deinit(&threads);
	codes_deinit(&codes);
	walk_codes(&ring);
	ring_deinit(&ring);
	if (image->reads > WALK_READS_MAX)
		abort();
}

#endif

// SPDX-License-Identifier: MIT
/*
 * record_image PID IMAGE: attaches to a Python that stands still, reads of it all that fireglass
 * ever reads (threads, names, GIL, stacks, code objects), and writes the memory that was touched as
 * a memory image (os/mem_image.h). What a replay needs besides goes to the standard output, one
 * "key value" a line. Driven by tools/record_images.py.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "os/proc.h"
#include "pyabi/stack.h"
#include "pyabi/threads.h"
#include "sample/codes.h"
#include "sample/target.h"

/* Ranges are widened to whole units of this, where the memory is mapped. */
#define GRAIN_BYTES 32u

struct span {
	remote_addr start, end;
};

/* Passes reads on to a live process and notes which succeeded. */
struct recorder {
	struct mem_reader reader;
	struct mem_reader *live;
	struct span *spans;
	size_t count, capacity;
};

static enum read_status recorder_readv(
	struct mem_reader *reader, const struct mem_range *ranges, size_t count, size_t *whole_ret)
{
	struct recorder *r = (struct recorder *)reader;
	enum read_status status = mem_readv(r->live, ranges, count, whole_ret);

	for (size_t i = 0; i < *whole_ret; i++) {
		array_reserve(r->spans, r->capacity, r->count + 1);
		r->spans[r->count++] =
			(struct span){ ranges[i].addr, ranges[i].addr + ranges[i].len };
	}
	return status;
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "record_image: %s\n", what);
	exit(1);
}

static void require(enum read_status status, const char *what)
{
	if (status != READ_OK)
		fail(what);
}

/* ---- touching everything --------------------------------------------------------------------- */

static void drop_codes(struct ring *ring)
{
	while (ring_available(ring)) {
		ring_get(ring);
		struct py_code *code = (struct py_code *)(uintptr_t)ring_get(ring);
		code_deinit(code);
		free(code);
		ring_release(ring);
	}
}

static void touch_stack(struct py_runtime *rt, struct mem_reader *mem, const struct py_thread *t)
{
	struct stack_reader reader;
	const struct raw_stack *stack;
	struct ring ring;
	struct codes codes;
	struct thread_codes known = { 0 };
	struct stack_riders riders;
	uint64_t word;

	ring_init(&ring, 4096);
	codes_init(&codes, rt, mem, &ring);
	stack_reader_init(&reader, t->state, t->interp);
	reader.riders = &riders;
	// several times: the ranges that are read change as the reader and struct codes learn
	for (int i = 0; i < 4; i++) {
		riders.count = 0;
		codes_begin(&codes, &known, t->interp, &riders);
		require(stack_reader_read(&reader, rt, mem, 3, &stack), "cannot read a stack");
		codes_prepare(&codes, stack, t->interp, &riders, &known);
	}
	for (size_t i = 0; i < stack->count; i++) {
		require(codes_frame(&codes, &known, i, &word),
			"cannot place an instruction");
		if (word >> 32 == CODE_UNKNOWN && word != FRAME_INTERNAL)
			fail("a code object cannot be read");
	}
	stack_reader_deinit(&reader);
	thread_codes_deinit(&known);
	codes_deinit(&codes);
	ring_publish(&ring);
	drop_codes(&ring);
	ring_deinit(&ring);
}

static void ignore_name(void *data, uint64_t pthread, const char *name)
{
	(void)data;
	(void)pthread;
	(void)name;
}

/* The lock itself, also where it is not looked at while nobody holds it. */
static void touch_gil(
	const struct py_runtime *rt, struct mem_reader *mem, const struct py_threads *threads)
{
	remote_addr interp = threads->items[0].interp, gil;
	unsigned char bytes[32];

	if (rt->tstate_current)
		mem_read(mem, rt->tstate_current, bytes, 8);
	if (rt->layout.at.interp_ceval_gil != OFFSET_NONE &&
		mem_read_u64(mem, interp + rt->layout.at.interp_ceval_gil, &gil) == READ_OK)
		mem_read(mem, gil, bytes, sizeof(bytes));
}

static void touch_all(struct py_runtime *rt, struct mem_reader *mem, pid_t pid)
{
	unsigned char offsets[DEBUG_OFFSETS_BYTES_MAX];
	struct py_threads threads = { 0 };
	_cleanup_buf_ struct buf version = BUF_INIT;
	pid_t tids[64];

	if (rt->address)
		mem_read(mem, rt->address, offsets, sizeof(offsets));
	require(runtime_ready(rt, mem), "the runtime is not ready");
	runtime_version(rt, mem, &version);
	require(threads_list(rt, mem, &threads), "cannot list the threads");
	rt->has_tid_offset = false;
	threads_calibrate(rt, mem, &threads, tids, proc_threads(pid, tids, ARRAY_LEN(tids)));
	for (size_t i = 0; i < threads.count; i++) {
		require(threads_names(rt, mem, threads.items[i].interp, ignore_name, NULL),
			"cannot read the names of threads");
		touch_stack(rt, mem, &threads.items[i]);
	}
	touch_gil(rt, mem, &threads);
	printf("sys_version %s\n", buf_str(&version));
	printf("interpreter 0x%" PRIx64 "\n", threads.items[0].interp);
	threads_deinit(&threads);
}

/* ---- writing what was touched ---------------------------------------------------------------- */

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void widen(struct recorder *r)
{
	unsigned char bytes[GRAIN_BYTES];

	for (size_t i = 0; i < r->count; i++) {
		struct span *s = &r->spans[i];
		remote_addr start = s->start & ~(remote_addr)(GRAIN_BYTES - 1);
		remote_addr end = (s->end + GRAIN_BYTES - 1) & ~(remote_addr)(GRAIN_BYTES - 1);

		if (mem_read(r->live, start, bytes, 1) == READ_OK)
			s->start = start;
		if (mem_read(r->live, end - 1, bytes, 1) == READ_OK)
			s->end = end;
	}
}

static void merge(struct recorder *r)
{
	size_t kept = 0;

	qsort(r->spans, r->count, sizeof(*r->spans), compare_spans);
	for (size_t i = 0; i < r->count; i++) {
		if (kept && r->spans[i].start <= r->spans[kept - 1].end) {
			if (r->spans[i].end > r->spans[kept - 1].end)
				r->spans[kept - 1].end = r->spans[i].end;
			continue;
		}
		r->spans[kept++] = r->spans[i];
	}
	r->count = kept;
}

static void put_u64(FILE *f, uint64_t value)
{
	fwrite(&value, sizeof(value), 1, f);
}

static void write_image(struct recorder *r, const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "we");

	if (!f)
		fail("cannot write the image");
	fwrite("fgimage1", 8, 1, f);
	put_u64(f, r->count);
	for (size_t i = 0; i < r->count; i++) {
		size_t len = (size_t)(r->spans[i].end - r->spans[i].start);
		_cleanup_free_ unsigned char *bytes = xmalloc(len);

		require(mem_read(r->live, r->spans[i].start, bytes, len), "memory went away");
		put_u64(f, r->spans[i].start);
		put_u64(f, len);
		fwrite(bytes, len, 1, f);
	}
}

int main(int argc, char **argv)
{
	static const struct mem_reader_ops ops = { .readv = recorder_readv };
	struct target target;
	bool ready = false;

	if (argc != 3)
		fail("usage: record_image PID IMAGE");
	struct err *err = target_attach(&target, (pid_t)atoi(argv[1]), &ready);
	if (err)
		fail(err->message);
	struct recorder recorder = { .reader.ops = &ops, .live = &target.live.reader };
	struct py_runtime rt = target.rt;
	rt.code_type = 0;
	printf("release %s\nversion 0x%08x\nmachine %u\n", rt.layout.name, rt.version_hex,
		rt.machine);
	printf("address 0x%" PRIx64 "\ninterp_head 0x%" PRIx64 "\ntstate_current 0x%" PRIx64 "\n",
		rt.address, rt.interp_head, rt.tstate_current);
	touch_all(&rt, &recorder.reader, target.pid);
	widen(&recorder);
	merge(&recorder);
	write_image(&recorder, argv[2]);
	free(recorder.spans);
	target_deinit(&target);
	return 0;
}

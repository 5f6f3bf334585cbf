// SPDX-License-Identifier: MIT
/*
 * The binary form of Python 3.15's profiling.sampling (CPython, InternalDocs/
 * profiling_binary_format.md): header, samples, strings, frames, footer, in either byte order.
 *
 * A sample says how its stack differs from the thread's stack before, leaf first. Here a thread's
 * stack is an array of stack ids, root first: entry d is the stack of its d + 1 outermost frames, so
 * that frames are popped and pushed at its end.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "fmt/unzstd.h"
#include "import/build.h"
#include "import/bytes.h"
#include "import/import.h"

#define MAGIC 0x54414348u
#define HEADER_BYTES 64u
#define FOOTER_BYTES 32u
#define VERSION 1u
#define MAX_DEPTH 100000u
#define STRING_BYTES 1u /* at least */
#define FRAME_BYTES 7u

enum { RECORD_REPEAT, RECORD_FULL, RECORD_SUFFIX, RECORD_POP_PUSH };

enum {
	STATUS_HAS_GIL = 1,
	STATUS_ON_CPU = 2,
	STATUS_UNKNOWN = 4,
	STATUS_GIL_REQUESTED = 8,
};

struct tachyon_frame {
	frame_id frame;
	bool gc; // stands for a garbage collection
};

struct tachyon_thread {
	stack_id *stacks;
	size_t depth, capacity;
	uint64_t time_us;
	bool gc; // the leaf is
};

struct tachyon {
	struct build b;
	bool swapped;
	uint64_t start_us, interval_us, strings_at, frames_at;
	uint32_t string_count, frame_count, compression;
	struct slice *strings;
	struct tachyon_frame *frames;
	struct tachyon_thread *threads; // by row
	size_t thread_count, thread_capacity;
	uint32_t process;
	struct bytes in; // samples
};

static struct err *bad(size_t at, const char *what)
{
	return err_new(ERR_FAILED, "byte %zu: %s", at, what);
}

/* ---- header, footer, tables ------------------------------------------------------------------- */

static struct err *read_header(struct tachyon *t, struct bytes h, struct capture *c)
{
	char python[16];

	t->swapped = bytes_u32(&h, false) != MAGIC;
	if (bytes_u32(&h, t->swapped) != VERSION)
		return bad(4, "its version is not 1");
	unsigned int major = bytes_u8(&h), minor = bytes_u8(&h), micro = bytes_u8(&h);
	bytes_u8(&h);
	t->start_us = bytes_u64(&h, t->swapped);
	t->interval_us = bytes_u64(&h, t->swapped);
	bytes_u64(&h, t->swapped); // samples
	bytes_u32(&h, t->swapped); // threads
	t->strings_at = bytes_u64(&h, t->swapped);
	t->frames_at = bytes_u64(&h, t->swapped);
	t->compression = bytes_u32(&h, t->swapped);
	snprintf(python, sizeof(python), "%u.%u.%u", major, minor, micro);
	capture_set_fact(c, FACT_PYTHON, python);
	capture_set_fact(c, FACT_TOOL, "profiling.sampling");
	capture_set_fact(c, FACT_CLOCK, "CLOCK_MONOTONIC");
	if (t->interval_us && t->interval_us <= UINT64_MAX / 1000)
		capture_set_fact_u64(c, FACT_PERIOD_NS, t->interval_us * 1000);
	return NULL;
}

static struct err *read_layout(struct tachyon *t, const struct import_input *in, struct capture *c)
{
	struct err *err;

	if (in->len < HEADER_BYTES + FOOTER_BYTES)
		return bad(in->len, "the file ends within its header");
	err = read_header(t, bytes_of(in->data, HEADER_BYTES), c);
	if (err)
		return err;
	struct bytes footer = bytes_of(in->data + in->len - FOOTER_BYTES, FOOTER_BYTES);
	t->string_count = bytes_u32(&footer, t->swapped);
	t->frame_count = bytes_u32(&footer, t->swapped);
	if (bytes_u64(&footer, t->swapped) != in->len)
		return bad(in->len, "the file is cut off: its end does not say its length");
	size_t end = in->len - FOOTER_BYTES;
	if (t->strings_at < HEADER_BYTES || t->frames_at < t->strings_at || t->frames_at > end)
		return bad(40, "its tables lie outside of the file");
	if (t->string_count > (t->frames_at - t->strings_at) / STRING_BYTES ||
		t->frame_count > (end - t->frames_at) / FRAME_BYTES)
		return bad(end, "it says that it has more strings or frames than it can hold");
	return NULL;
}

static struct err *read_strings(struct tachyon *t, const struct import_input *in)
{
	struct bytes table = bytes_of(in->data, t->frames_at);

	table.at = t->strings_at;
	t->strings = xcalloc(t->string_count, sizeof(*t->strings));
	for (uint32_t i = 0; i < t->string_count; i++)
		t->strings[i] = bytes_take(&table, bytes_varint(&table));
	return table.bad ? bad(table.at, "the table of strings is damaged") : NULL;
}

static bool read_frame(struct tachyon *t, struct bytes *table, struct tachyon_frame *ret)
{
	struct build_frame f = { .kind = FUNCTION_PYTHON };
	uint64_t file = bytes_varint(table), name = bytes_varint(table);
	int64_t line = bytes_zigzag(table);

	bytes_zigzag(table); // last line
	bytes_zigzag(table); // columns
	bytes_zigzag(table);
	bytes_u8(table); // instruction
	if (table->bad || file >= t->string_count || name >= t->string_count)
		return false;
	f.line = line > 0 ? (uint64_t)line : 0;
	f.name = t->strings[name];
	f.file = t->strings[file];
	if (slice_is(f.file, "~")) // not of a file
		f.file = SLICE_NONE;
	ret->gc = !f.file.len && slice_is(f.name, "<GC>");
	ret->frame = build_frame(&t->b, &f);
	return true;
}

static struct err *read_frames(struct tachyon *t, const struct import_input *in)
{
	struct bytes table = bytes_of(in->data, in->len - FOOTER_BYTES);

	table.at = t->frames_at;
	t->frames = xcalloc(t->frame_count, sizeof(*t->frames));
	for (uint32_t i = 0; i < t->frame_count; i++)
		if (!read_frame(t, &table, &t->frames[i]))
			return bad(table.at, "the table of frames is damaged");
	return NULL;
}

/* ---- samples ---------------------------------------------------------------------------------- */

static struct tachyon_thread *find_thread(struct tachyon *t, uint32_t *row_ret)
{
	uint64_t id = bytes_u64(&t->in, t->swapped);
	uint32_t interpreter = bytes_u32(&t->in, t->swapped);
	char name[32] = "";

	if (interpreter)
		snprintf(name, sizeof(name), "interpreter %u", interpreter);
	*row_ret = build_thread(&t->b, t->process, id, slice_of(name));
	array_reserve(t->threads, t->thread_capacity, (size_t)*row_ret + 1);
	while (t->thread_count <= *row_ret)
		t->threads[t->thread_count++] = (struct tachyon_thread){ .time_us = t->start_us };
	return &t->threads[*row_ret];
}

/* Takes `count` frames, leaf first, onto the stack. */
static bool push_frames(struct tachyon *t, struct tachyon_thread *thread, uint64_t count)
{
	size_t from = thread->depth;
	stack_id parent = from ? thread->stacks[from - 1] : STACK_NONE;

	if (count > MAX_DEPTH - from || count > t->in.len - t->in.at)
		return false;
	array_reserve(thread->stacks, thread->capacity, from + count);
	for (size_t i = count; i-- > 0;) {
		uint64_t index = bytes_varint(&t->in);

		if (t->in.bad || index >= t->frame_count)
			return false;
		thread->stacks[from + i] = (stack_id)index; // of the frame, for now
	}
	thread->depth = from + count;
	if (count)
		thread->gc = t->frames[thread->stacks[thread->depth - 1]].gc;
	for (size_t i = from; i < thread->depth; i++)
		parent = thread->stacks[i] =
			profile_stack(&t->b.c->tables, parent, t->frames[thread->stacks[i]].frame);
	return true;
}

static void set_status(struct capture_sample *s, uint8_t status)
{
	if (!(status & STATUS_UNKNOWN))
		s->state = status & STATUS_ON_CPU ? SAMPLE_ON_CPU : SAMPLE_WAITING;
	if (status & STATUS_HAS_GIL)
		s->flags |= SAMPLE_HOLDS_GIL;
	if (status & STATUS_GIL_REQUESTED)
		s->flags |= SAMPLE_WAITS_FOR_GIL;
}

static bool add_sample(struct tachyon *t, uint32_t row, uint64_t delta_us, uint8_t status)
{
	struct tachyon_thread *thread = &t->threads[row];
	struct capture_sample s = build_blank_sample(row, STACK_NONE);
	size_t depth = thread->depth - (thread->depth && thread->gc);

	if (t->in.bad || __builtin_add_overflow(thread->time_us, delta_us, &thread->time_us) ||
		__builtin_mul_overflow(thread->time_us, (uint64_t)1000, &s.time_ns))
		return false;
	if (depth)
		s.stack = thread->stacks[depth - 1];
	if (thread->depth && thread->gc)
		s.flags |= SAMPLE_IN_GC;
	set_status(&s, status);
	build_sample(&t->b, &s);
	return true;
}

static bool read_repeat(struct tachyon *t, uint32_t row)
{
	uint64_t count = bytes_varint(&t->in);

	for (uint64_t i = 0; i < count; i++) {
		uint64_t delta = bytes_varint(&t->in);

		if (!add_sample(t, row, delta, bytes_u8(&t->in)))
			return false;
	}
	return true;
}

/* How many frames of the stack before are kept: false if it has not that many. */
static bool read_kept(struct tachyon *t, size_t depth, uint8_t record, uint64_t *kept_ret)
{
	uint64_t number = record == RECORD_FULL ? 0 : bytes_varint(&t->in);

	if (number > depth)
		return false;
	*kept_ret = record == RECORD_POP_PUSH ? depth - number : number;
	return true;
}

static bool read_record(struct tachyon *t)
{
	uint32_t row;
	struct tachyon_thread *thread = find_thread(t, &row);
	uint8_t record = bytes_u8(&t->in);
	uint64_t kept;

	if (t->in.bad || record > RECORD_POP_PUSH)
		return false;
	if (record == RECORD_REPEAT)
		return read_repeat(t, row);
	uint64_t delta = bytes_varint(&t->in);
	uint8_t status = bytes_u8(&t->in);
	if (!read_kept(t, thread->depth, record, &kept))
		return false;
	if (kept < thread->depth)
		thread->gc = false; // marks of collections are leaves
	thread->depth = kept;
	return push_frames(t, thread, bytes_varint(&t->in)) && add_sample(t, row, delta, status);
}

static struct err *read_samples(struct tachyon *t, const struct import_input *in)
{
	_cleanup_buf_ struct buf unpacked = BUF_INIT;
	size_t len = t->strings_at - HEADER_BYTES;

	t->in = bytes_of(in->data + HEADER_BYTES, len);
	if (t->compression == 1) {
		struct err *err = unzstd(&unpacked, in->data + HEADER_BYTES, len, IMPORT_MAX_BYTES);
		if (err)
			return err;
		t->in = bytes_of(buf_str(&unpacked), unpacked.len);
	} else if (t->compression) {
		return bad(56, "it is compressed in a way that is not known");
	}
	while (t->in.at < t->in.len) {
		size_t start = t->in.at;

		if (!read_record(t))
			return err_new(
				ERR_FAILED, "byte %zu of the samples: this one is damaged", start);
	}
	return NULL;
}

static struct err *read_all(struct tachyon *t, const struct import_input *in, struct capture *c)
{
	struct err *err = read_layout(t, in, c);

	if (!err)
		err = read_strings(t, in);
	if (!err)
		err = read_frames(t, in);
	t->process = build_process(&t->b, 0, SLICE_NONE);
	if (!err)
		err = read_samples(t, in);
	return err ? err : build_finish(&t->b);
}

static struct err *tachyon_read(const struct import_input *in, struct capture *c)
{
	struct tachyon t = { 0 };

	build_init(&t.b, c, "tachyon");
	struct err *err = read_all(&t, in, c);
	for (size_t i = 0; i < t.thread_count; i++)
		free(t.threads[i].stacks);
	free(t.threads);
	free(t.strings);
	free(t.frames);
	build_deinit(&t.b);
	return err;
}

static bool tachyon_sniff(const char *data, size_t len)
{
	struct bytes b = bytes_of(data, len);
	uint32_t magic = bytes_u32(&b, false);

	return magic == MAGIC || magic == __builtin_bswap32(MAGIC);
}

const struct importer import_tachyon = {
	.name = "tachyon",
	.summary = "the binary form of Python's profiling.sampling",
	.sniff = tachyon_sniff,
	.read = tachyon_read,
};

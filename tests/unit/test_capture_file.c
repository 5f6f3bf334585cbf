// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/iofd.h"
#include "sample_capture.h"
#include "store/capture_file.h"
#include "store/capture_out.h"
#include "store/sample_block.h"

/* ---- files in memory -------------------------------------------------------------------------- */

struct file {
	int fd;
	char path[40];
};

static struct file file_new(void)
{
	struct file f = { .fd = memfd_create("capture", MFD_CLOEXEC) };

	assert_true(f.fd >= 0);
	snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
	return f;
}

static void file_close(struct file *f)
{
	close(f->fd);
}

#define _cleanup_file_ _cleanup_(file_close)

static void file_set(const struct file *f, const void *bytes, size_t len)
{
	assert_int_equal(ftruncate(f->fd, 0), 0);
	assert_int_equal(pwrite(f->fd, bytes, len, 0), len);
}

static void file_get(const struct file *f, struct buf *bytes)
{
	assert_int_equal(iofd_read_file(f->path, 16u << 20, bytes), 0);
}

static void must(struct err *err)
{
	if (err)
		fail_msg("%s", err->message);
}

/* That it failed, with these words. */
static void must_fail(struct err *err, const char *words)
{
	assert_non_null(err);
	if (!strstr(err->message, words))
		fail_msg("'%s' says nothing of '%s'", err->message, words);
	err_free(err);
}

/* That it cannot be opened, and leaves an empty capture. */
static void must_not_open(const char *path, const char *words)
{
	_cleanup_(capture_deinit) struct capture c;

	must_fail(capture_file_open(&c, path, NULL), words);
	assert_int_equal(c.tables.string_count, 1);
	assert_int_equal(c.block_count, 0);
}

/* ---- captures --------------------------------------------------------------------------------- */

/* Some of everything. */
static void fill(struct capture *c)
{
	capture_init(c);
	capture_set_fact_u64(c, FACT_PERIOD_NS, SAMPLE_MS);
	capture_set_fact(c, FACT_HOST, "h\xc3\xb6st");
	uint32_t process = sample_process(c, 100, "python3");
	uint32_t main = sample_thread(c, process, 100, "MainThread");
	uint32_t worker = sample_thread(c, process, 101, "worker");
	c->threads[main].main = true;
	c->processes[process].start_ns = SAMPLE_START_NS - 5;
	c->processes[process].command = capture_string(c, "python3 a.py");
	sample_run(c, main, 0, 20, "main@a.py:3;f@a.py:7;g@b.py:9");
	for (uint32_t i = 0; i < 30; i++) {
		sample_one(c, main, 20 + i, i % 3 ? "main@a.py:3;f@a.py:8" : "main@a.py:4",
			SAMPLE_ON_CPU, SAMPLE_HOLDS_GIL);
		sample_one(c, worker, 20 + i, "run@t.py:1;wait@t.py:2", SAMPLE_WAITING, 0);
	}
	sample_one(c, worker, 60, "", SAMPLE_STATE_UNKNOWN, SAMPLE_UNREADABLE);
	capture_add_marker(c,
		&(struct capture_marker){ .start_ns = SAMPLE_START_NS + 10,
			.end_ns = SAMPLE_START_NS + 500,
			.thread = worker,
			.process = CAPTURE_NONE,
			.name = capture_string(c, "GC") });
	capture_add_marker(c,
		&(struct capture_marker){ .start_ns = SAMPLE_START_NS,
			.end_ns = SAMPLE_START_NS,
			.thread = CAPTURE_NONE,
			.process = process,
			.name = capture_string(c, "request"),
			.text = capture_string(c, "GET /") });
	capture_add_loss(c, &(struct capture_loss){ SAMPLE_START_NS, LOSS_ROOM, 3 });
}

static void same_text(const struct capture *a, string_id i, const struct capture *b, string_id k)
{
	const struct store_string *s = &a->tables.strings[i], *t = &b->tables.strings[k];

	assert_int_equal(s->len, t->len);
	assert_memory_equal(s->text, t->text, s->len);
}

static void same_tables(const struct capture *a, const struct capture *b)
{
	assert_int_equal(a->tables.string_count, b->tables.string_count);
	assert_int_equal(a->tables.function_count, b->tables.function_count);
	assert_int_equal(a->tables.frame_count, b->tables.frame_count);
	assert_int_equal(a->tables.stack_count, b->tables.stack_count);
	for (string_id i = 0; i < a->tables.string_count; i++)
		same_text(a, i, b, i);
	for (size_t i = 0; i < a->tables.function_count; i++) {
		const struct store_function *f = &a->tables.functions[i];
		const struct store_function *g = &b->tables.functions[i];

		assert_true(f->name == g->name && f->file == g->file &&
			f->first_line == g->first_line && f->kind == g->kind);
	}
	for (size_t i = 0; i < a->tables.frame_count; i++)
		assert_true(a->tables.frames[i].function == b->tables.frames[i].function &&
			a->tables.frames[i].line == b->tables.frames[i].line);
	for (size_t i = 0; i < a->tables.stack_count; i++)
		assert_true(a->tables.stacks[i].parent == b->tables.stacks[i].parent &&
			a->tables.stacks[i].frame == b->tables.stacks[i].frame);
}

static void same_rows(const struct capture *a, const struct capture *b)
{
	assert_int_equal(a->fact_count, b->fact_count);
	assert_int_equal(a->process_count, b->process_count);
	assert_int_equal(a->thread_count, b->thread_count);
	assert_int_equal(a->marker_count, b->marker_count);
	for (size_t i = 0; i < a->fact_count; i++)
		assert_string_equal(capture_fact(b, capture_text(a, a->facts[i].key)),
			capture_text(a, a->facts[i].value));
	for (size_t i = 0; i < a->process_count; i++) {
		const struct capture_process *p = &a->processes[i], *q = &b->processes[i];

		assert_true(p->pid == q->pid && p->name == q->name && p->command == q->command &&
			p->start_ns == q->start_ns && p->end_ns == q->end_ns);
	}
	for (size_t i = 0; i < a->thread_count; i++) {
		const struct capture_thread *t = &a->threads[i], *u = &b->threads[i];

		assert_true(t->process == u->process && t->tid == u->tid && t->name == u->name &&
			t->main == u->main && t->start_ns == u->start_ns && t->end_ns == u->end_ns);
	}
	for (size_t i = 0; i < a->marker_count; i++)
		assert_memory_equal(&a->markers[i], &b->markers[i], sizeof(a->markers[i]));
}

static uint64_t losses_of(const struct capture *c, enum capture_loss_kind kind)
{
	uint64_t count = 0;

	for (size_t i = 0; i < c->loss_count; i++)
		count += c->losses[i].kind == kind ? c->losses[i].count : 0;
	return count;
}

/* How many of the samples of `all` the capture has, from the first on; others fail the test. */
static size_t same_samples(const struct capture *all, const struct capture *c)
{
	struct capture_cursor a, b;
	const struct capture_sample *s;
	size_t count = 0;

	capture_cursor_init(&a, all);
	capture_cursor_init(&b, c);
	for (; (s = capture_cursor_next(&b)); count++) {
		const struct capture_sample *t = capture_cursor_next(&a);

		assert_non_null(t);
		assert_true(s->time_ns == t->time_ns && s->count == t->count &&
			s->cpu_ns == t->cpu_ns && s->thread == t->thread && s->stack == t->stack &&
			s->syscall == t->syscall && s->state == t->state && s->flags == t->flags);
	}
	must(capture_cursor_error(&b));
	capture_cursor_deinit(&a);
	capture_cursor_deinit(&b);
	return count;
}

static size_t rows_of(const struct capture *c)
{
	return same_samples(c, c);
}

static void same_capture(const struct capture *a, const struct capture *b)
{
	same_tables(a, b);
	same_rows(a, b);
	for (int kind = LOSS_MISSED; kind <= LOSS_SPACE; kind++)
		assert_int_equal(losses_of(a, (enum capture_loss_kind)kind),
			losses_of(b, (enum capture_loss_kind)kind));
	assert_int_equal(same_samples(a, b), rows_of(a));
	assert_int_equal(capture_samples(a), capture_samples(b));
	assert_int_equal(capture_first_ns(a), capture_first_ns(b));
	assert_int_equal(capture_last_ns(a), capture_last_ns(b));
}

static const struct capture_writer_options exact = { .exact_times = true };

/* Writes the samples of `c` through a writer, with a flush after each `rows` of them. */
static void write_live(int fd, const struct capture *c, size_t rows, bool finish)
{
	struct capture_writer *w;
	struct capture_cursor cursor;
	size_t done = 0;

	must(capture_writer_create(&w, fd, c, &exact));
	capture_cursor_init(&cursor, c);
	for (const struct capture_sample *s; (s = capture_cursor_next(&cursor));) {
		must(capture_writer_sample(w, s));
		if (++done % rows == 0)
			must(capture_writer_flush(w));
	}
	capture_cursor_deinit(&cursor);
	must(finish ? capture_writer_finish(w) : capture_writer_flush(w));
	assert_int_equal(capture_writer_lost(w), 0);
	capture_writer_destroy(w);
}

/* ---- what is written can be read -------------------------------------------------------------- */

static void test_round_trip(void **state)
{
	_cleanup_(capture_deinit) struct capture c, again, copy;
	_cleanup_file_ struct file f = file_new(), g = file_new();
	struct capture_file_info info;

	(void)state;
	fill(&c);
	must(capture_file_write(f.fd, &c));
	must(capture_file_open(&again, f.path, &info));
	assert_true(info.finished && !info.cut);
	assert_int_equal(info.version, CAPTURE_VERSION);
	same_capture(&c, &again);
	// a capture in a file is written as one in memory is
	must(capture_file_write(g.fd, &again));
	must(capture_file_open(&copy, g.path, NULL));
	same_capture(&c, &copy);
}

static void test_to_a_pipe(void **state)
{
	_cleanup_(capture_deinit) struct capture c, again;
	_cleanup_file_ struct file f = file_new();
	static char bytes[65536];
	int ends[2];

	(void)state;
	fill(&c);
	assert_int_equal(pipe(ends), 0);
	must(capture_file_write(ends[1], &c)); // fits in it
	close(ends[1]);
	ssize_t len = read(ends[0], bytes, sizeof(bytes));
	close(ends[0]);
	assert_true(len > 0);
	file_set(&f, bytes, (size_t)len);
	must(capture_file_open(&again, f.path, NULL));
	same_capture(&c, &again);
}

static void test_empty(void **state)
{
	_cleanup_(capture_deinit) struct capture c, again;
	_cleanup_file_ struct file f = file_new();
	struct capture_file_info info;

	(void)state;
	capture_init(&c);
	must(capture_file_write(f.fd, &c));
	must(capture_file_open(&again, f.path, &info));
	assert_true(info.finished && !info.cut);
	same_capture(&c, &again);
}

static void test_live_writer(void **state)
{
	_cleanup_(capture_deinit) struct capture c;

	(void)state;
	fill(&c);
	for (size_t rows = 1; rows < 100; rows = rows * 3 + 1) {
		for (int finish = 0; finish < 2; finish++) {
			_cleanup_(capture_deinit) struct capture again;
			_cleanup_file_ struct file f = file_new();
			struct capture_file_info info;

			write_live(f.fd, &c, rows, finish);
			must(capture_file_open(&again, f.path, &info));
			assert_int_equal(info.finished, finish);
			assert_false(info.cut);
			same_capture(&c, &again);
		}
	}
}

/* Big tables, and more blocks than one chunk of the index holds. */
static void test_large(void **state)
{
	_cleanup_(capture_deinit) struct capture c, again;
	_cleanup_file_ struct file f = file_new();
	struct capture_writer *w;
	struct capture_file_info info;
	char name[64];

	(void)state;
	capture_init(&c);
	sample_thread(&c, sample_process(&c, 1, "p"), 1, "t");
	must(capture_writer_create(&w, f.fd, &c, &exact));
	stack_id stack = STACK_NONE;
	for (uint32_t i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "a function of some length, number %u@f.py:%u", i, i);
		stack = i % 50 ? stack : STACK_NONE;
		struct store_function fn = { .name = capture_string(&c, name) };
		stack = profile_stack(&c.tables, stack,
			profile_frame(&c.tables, profile_function(&c.tables, &fn), i));
		struct capture_sample s = {
			.time_ns = SAMPLE_START_NS + i, .count = 1, .stack = stack
		};
		capture_add_sample(&c, &s);
		must(capture_writer_sample(w, &s));
		if (i > 1000) // the beginning is one big flush
			must(capture_writer_flush(w));
	}
	must(capture_writer_finish(w));
	capture_writer_destroy(w);
	must(capture_file_open(&again, f.path, &info));
	assert_true(info.finished);
	assert_true(again.block_count > 16384);
	same_capture(&c, &again);
}

/* Names, ends, facts and losses that change after they were written. */
static void test_changes(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	_cleanup_file_ struct file f = file_new();
	struct capture_writer *w;

	(void)state;
	fill(&c);
	c.pending_count = 0; // no samples
	must(capture_writer_create(&w, f.fd, &c, NULL));
	for (int i = 0; i < 4; i++) {
		_cleanup_(capture_deinit) struct capture again;

		must(capture_writer_flush(w));
		must(capture_file_open(&again, f.path, NULL));
		same_capture(&c, &again);
		c.threads[1].name = capture_string(&c, i ? "another name" : "a name");
		c.threads[0].end_ns = SAMPLE_START_NS + (uint64_t)i;
		c.processes[0].end_ns = SAMPLE_START_NS + (uint64_t)i;
		c.losses[0].count += 5;
		capture_set_fact(&c, FACT_HOST, i ? "here" : "there");
		capture_set_fact_u64(&c, FACT_TICKS, (uint64_t)i);
		if (i == 2)
			sample_thread(&c, 0, 7, "new");
	}
	uint64_t bytes = capture_writer_bytes(w);
	must(capture_writer_flush(w));
	assert_true(capture_writer_bytes(w) > bytes);
	bytes = capture_writer_bytes(w);
	must(capture_writer_flush(w)); // nothing is new
	assert_int_equal(capture_writer_bytes(w), bytes);
	capture_writer_destroy(w);
}

static void test_rounding_is_asked_for(void **state)
{
	(void)state;
	for (int exactly = 0; exactly < 2; exactly++) {
		_cleanup_(capture_deinit) struct capture c, again;
		_cleanup_file_ struct file f = file_new();
		struct capture_writer *w;
		struct capture_cursor cursor;

		capture_init(&c);
		capture_set_fact_u64(&c, FACT_PERIOD_NS, SAMPLE_MS);
		sample_thread(&c, sample_process(&c, 1, "p"), 1, "t");
		must(capture_writer_create(&w, f.fd, &c, exactly ? &exact : NULL));
		must(capture_writer_sample(w,
			&(struct capture_sample){
				.time_ns = SAMPLE_START_NS + 7, .count = 1, .stack = STACK_NONE }));
		must(capture_writer_finish(w));
		capture_writer_destroy(w);
		must(capture_file_open(&again, f.path, NULL));
		capture_cursor_init(&cursor, &again);
		assert_int_equal(
			capture_cursor_next(&cursor)->time_ns, SAMPLE_START_NS + (exactly ? 7 : 0));
		capture_cursor_deinit(&cursor);
	}
}

static void test_long_and_odd_texts(void **state)
{
	_cleanup_(capture_deinit) struct capture c, again;
	_cleanup_file_ struct file f = file_new();
	_cleanup_free_ char *long_text = xmalloc(3u << 20);
	const uint32_t row = 1;

	(void)state;
	memset(long_text, 'x', 3u << 20);
	memcpy(long_text + (1u << 20) - 1, "\xc3\xb6", 2); // where it will be cut
	capture_init(&c);
	assert_int_equal(profile_string(&c.tables, long_text, 3u << 20), row);
	profile_string(&c.tables, "zero\0in it", 10);
	profile_string(&c.tables, "\n;\t\"", 4);
	must(capture_file_write(f.fd, &c));
	must(capture_file_open(&again, f.path, NULL));
	assert_int_equal(again.tables.string_count, c.tables.string_count);
	assert_int_equal(again.tables.strings[row].len, (1u << 20) - 1);
	for (string_id i = row + 1; i < c.tables.string_count; i++)
		same_text(&c, i, &again, i);
}

/* ---- damage ----------------------------------------------------------------------------------- */

/* A file that is cut anywhere can be read up to there. */
static void test_cut_anywhere(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	_cleanup_buf_ struct buf whole = BUF_INIT;
	_cleanup_file_ struct file f = file_new();
	size_t last = 0, all = 0;

	(void)state;
	fill(&c);
	write_live(f.fd, &c, 25, true);
	file_get(&f, &whole);
	all = rows_of(&c);
	for (size_t len = 0; len <= whole.len; len++) {
		_cleanup_(capture_deinit) struct capture part;
		struct capture_file_info info;

		file_set(&f, whole.data, len);
		struct err *err = capture_file_open(&part, f.path, &info);
		if (len < CAPTURE_HEAD_BYTES) {
			must_fail(err, !len ? "empty" : len < 8 ? "no capture" : "first bytes");
			continue;
		}
		must(err);
		assert_int_equal(info.finished, len == whole.len);
		assert_true(info.bytes <= len);
		assert_int_equal(info.cut, info.bytes < len);
		size_t rows = same_samples(&c, &part);
		assert_true(rows >= last);
		assert_true(rows == all || rows % 25 == 0);
		last = rows;
	}
	assert_int_equal(last, all);
}

/* No byte can change without being noticed. */
static void flip_each(const struct file *f, const struct capture *c, const struct buf *whole,
	bool finished, unsigned char mask)
{
	for (size_t i = 0; i < whole->len; i++) {
		_cleanup_(capture_deinit) struct capture damaged;
		struct capture_file_info info;
		struct capture_cursor cursor;

		whole->data[i] = (char)(whole->data[i] ^ mask);
		file_set(f, whole->data, whole->len);
		whole->data[i] = (char)(whole->data[i] ^ mask);
		struct err *err = capture_file_open(&damaged, f->path, &info);
		if (err) {
			err_free(err);
			continue;
		}
		capture_cursor_init(&cursor, &damaged);
		while (capture_cursor_next(&cursor))
			;
		err = capture_cursor_error(&cursor);
		capture_cursor_deinit(&cursor);
		if (!err && !info.cut && info.finished == finished)
			fail_msg("byte %zu changed, and nothing was noticed", i);
		if (!err)
			same_samples(c, &damaged); // what is left is true
		err_free(err);
	}
}

static void test_flip_any_byte(void **state)
{
	_cleanup_(capture_deinit) struct capture c;

	(void)state;
	fill(&c);
	for (int finished = 0; finished < 2; finished++) {
		_cleanup_buf_ struct buf whole = BUF_INIT;
		_cleanup_file_ struct file f = file_new();

		write_live(f.fd, &c, 40, finished);
		file_get(&f, &whole);
		flip_each(&f, &c, &whole, finished, 0xff);
		flip_each(&f, &c, &whole, finished, 0x01);
	}
}

static void test_bytes_after_the_end(void **state)
{
	_cleanup_(capture_deinit) struct capture c, again;
	_cleanup_file_ struct file f = file_new();
	struct capture_file_info info;

	(void)state;
	fill(&c);
	write_live(f.fd, &c, 25, true);
	off_t size = lseek(f.fd, 0, SEEK_END);
	assert_int_equal(pwrite(f.fd, "more", 4, size), 4);
	must(capture_file_open(&again, f.path, &info));
	assert_true(info.finished && info.cut);
	assert_int_equal(info.bytes, size);
	same_capture(&c, &again);
}

static void test_no_capture(void **state)
{
	_cleanup_file_ struct file f = file_new();

	(void)state;
	must_not_open(f.path, "empty");
	file_set(&f, "main;f 3\nmain;g 4\n", 18);
	must_not_open(f.path, "no capture");
	must_not_open("/nonexistent/file", "no such file");
	must_not_open("/", "regular");
	must_not_open("/dev/null", "regular");
	assert_false(capture_file_is("main;f 3", 8));
	assert_false(capture_file_is(CAPTURE_MAGIC, 7));
	assert_true(capture_file_is(CAPTURE_MAGIC, 8));
}

/* ---- what is not known ------------------------------------------------------------------------ */

/* Appends a chunk with columns of numbers, and writes the file's head first if it is empty. */
static void add_chunk(const struct file *f, uint8_t type, uint8_t flags, const struct buf *body)
{
	struct chunk_codec *codec = chunk_codec_create();
	_cleanup_buf_ struct buf packed = BUF_INIT;
	struct chunk chunk = { .type = type, .flags = flags };

	if (lseek(f->fd, 0, SEEK_END) == 0) {
		struct capture_out o;

		must(capture_out_init(&o, f->fd, codec));
		capture_out_deinit(&o);
	}
	chunk_pack(codec, &packed, &chunk, body->data, body->len, NULL, 0);
	off_t end = lseek(f->fd, 0, SEEK_END);
	assert_int_equal(pwrite(f->fd, packed.data, packed.len, end), packed.len);
	chunk_codec_destroy(codec);
}

static void test_unknown_chunks(void **state)
{
	_cleanup_(capture_deinit) struct capture c, again;
	_cleanup_file_ struct file f = file_new();
	_cleanup_buf_ struct buf body = BUF_INIT;
	struct capture_file_info info;

	(void)state;
	fill(&c);
	write_live(f.fd, &c, 25, false);
	buf_add_str(&body, "what nobody knows");
	add_chunk(&f, 200, CHUNK_SKIPPABLE, &body);
	must(capture_file_open(&again, f.path, &info));
	assert_true(!info.cut && !info.finished);
	same_capture(&c, &again);
	add_chunk(&f, 200, 0, &body);
	must_not_open(f.path, "newer fireglass");
}

static void test_other_version(void **state)
{
	_cleanup_file_ struct file f = file_new();
	unsigned char head[CAPTURE_HEAD_BYTES] = CAPTURE_MAGIC;

	(void)state;
	chunk_put_u32(head + 8, CAPTURE_VERSION + 1);
	file_set(&f, head, sizeof(head));
	must_not_open(f.path, "checksum");
	chunk_put_u32(head + 12, (uint32_t)hash_bytes(head, 12));
	file_set(&f, head, sizeof(head));
	must_not_open(f.path, "version 2");
}

/* Tables whose checksums are right, but which cannot be. Columns of one number each, and of two. */
static void test_hostile_tables(void **state)
{
	static const struct {
		enum chunk_type type;
		uint64_t meta[2];
		uint64_t values[8];
	} rows[] = {
		{ CHUNK_STRINGS, { 1, 1 }, { 5, 0 } }, // longer than the chunk
		{ CHUNK_STRINGS, { 2, 1 }, { 0, 0 } }, // not so many
		{ CHUNK_STRINGS, { 1, 0 }, { 0, 0 } }, // not where it should be
		{ CHUNK_STRINGS, { 1, 2 }, { 0, 0 } },
		{ CHUNK_FUNCTIONS, { 1, 0 }, { 1, 0, 0, 0 } }, // no such name
		{ CHUNK_FUNCTIONS, { 1, 0 }, { 0, 1, 0, 0 } },
		{ CHUNK_FUNCTIONS, { 1, 0 }, { 0, 0, 1ull << 32, 0 } },
		{ CHUNK_FUNCTIONS, { 1, 0 }, { 0, 0, 0, 4 } },
		{ CHUNK_FRAMES, { 1, 0 }, { 0, 0 } }, // no such function
		{ CHUNK_STACKS, { 1, 0 }, { 0, 0 } }, // no such frame
		{ CHUNK_STACKS, { 1, 0 }, { 1, 0 } }, // parent before the first
		{ CHUNK_PROCESSES, { 1 }, { 1, 0, 0, 0, 0, 0 } },
		{ CHUNK_PROCESSES, { 1 }, { 0, 0, 1, 0, 0, 0 } },
		{ CHUNK_THREADS, { 1 }, { 0, 0, 0, 0, 0, 0, 0 } }, // no such process
		{ CHUNK_FACTS, { 1 }, { 1, 0 } },
		{ CHUNK_MARKERS, { 1, 0 }, { 0, 0, 1, 0, 0, 0 } },
		{ CHUNK_MARKERS, { 1, 0 }, { 0, 0, 0, 1, 0, 0 } },
		{ CHUNK_MARKERS, { 1, 0 }, { 0, 0, 0, 0, 1, 0 } },
		{ CHUNK_LOSSES, { 1 }, { 0, 3, 0 } },
		{ CHUNK_SPANS, { 1 }, { 0, 0, 0, 0, 0, 0, 0, 0 } }, // no such process
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(columns_deinit) struct columns columns = { 0 };
		_cleanup_buf_ struct buf body = BUF_INIT;
		_cleanup_file_ struct file f = file_new();
		unsigned int count = tables_columns(rows[i].type);
		bool grows = rows[i].type <= CHUNK_STACKS || rows[i].type == CHUNK_MARKERS;

		columns_put(&columns, 0, rows[i].meta[0]);
		if (grows)
			columns_put(&columns, 0, rows[i].meta[1]);
		for (unsigned int k = 1; k < count; k++)
			if (rows[i].type != CHUNK_STRINGS || k == 1)
				columns_put(&columns, k, rows[i].values[k - 1]);
		columns_finish(&columns, count, &body);
		add_chunk(&f, (uint8_t)rows[i].type, 0, &body);
		must_not_open(f.path, "damaged at byte 16");
	}
}

/* ---- a full disk ------------------------------------------------------------------------------ */

static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void sample_at(struct capture_writer *w, stack_id stack, uint64_t ns)
{
	must(capture_writer_sample(w,
		&(struct capture_sample){ .time_ns = SAMPLE_START_NS + ns,
			.count = 2,
			.stack = stack,
			.syscall = SYSCALL_NONE }));
}

static void test_full_disk(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	char path[] = "/tmp/test_capture_file.XXXXXX";
	_cleanup_close_ int fd = mkostemp(path, O_CLOEXEC);
	struct capture_writer *w;
	struct stat st;

	(void)state;
	assert_true(fd >= 0);
	signal(SIGXFSZ, SIG_IGN);
	fill(&c);
	c.pending_count = 0;
	must(capture_writer_create(&w, fd, &c, NULL));
	sample_at(w, 0, 0);
	must(capture_writer_flush(w));
	for (unsigned int room = 0; room < 60; room += 7) {
		_cleanup_(capture_deinit) struct capture part;
		struct capture_file_info info;
		uint64_t bytes = capture_writer_bytes(w);

		limit_file_size(bytes + room);
		sample_stack(&c, room % 2 ? "new@n.py:1" : "newer@n.py:2");
		sample_at(w, (stack_id)c.tables.stack_count - 1, room);
		must_fail(capture_writer_flush(w), "cannot write the capture");
		fstat(fd, &st);
		assert_int_equal(st.st_size, capture_writer_bytes(w));
		must(capture_file_open(&part, path, &info));
		assert_false(info.cut);
		assert_int_equal(rows_of(&part), 1);
		limit_file_size(RLIM_INFINITY);
	}
	// there is room again: what was lost is said, what comes now is kept
	sample_at(w, (stack_id)c.tables.stack_count - 1, 100);
	must(capture_writer_finish(w));
	assert_int_equal(capture_writer_lost(w), 9 * 2);
	capture_writer_destroy(w);

	_cleanup_(capture_deinit) struct capture again;
	struct capture_file_info info;
	must(capture_file_open(&again, path, &info));
	unlink(path);
	assert_true(info.finished && !info.cut);
	same_tables(&c, &again);
	same_rows(&c, &again);
	assert_int_equal(rows_of(&again), 2);
	assert_int_equal(losses_of(&again, LOSS_SPACE), 9 * 2);
	assert_int_equal(losses_of(&again, LOSS_ROOM), 3);
}

/* ---- flight recorders ------------------------------------------------------------------------- */

static void fly(struct capture_writer *w, uint64_t from_ms, uint64_t to_ms)
{
	for (uint64_t ms = from_ms; ms < to_ms; ms++) {
		sample_at(w, ms % 7 ? 0 : 1, ms * SAMPLE_MS);
		if (ms % 100 == 99)
			must(capture_writer_flush(w));
	}
}

/* Dumps, and checks that what is kept is the newest. */
static void check_dump(struct capture_writer *w, const struct capture *c, uint64_t to_ms,
	uint64_t least_rows, uint64_t most_rows)
{
	_cleanup_(capture_deinit) struct capture kept;
	_cleanup_file_ struct file f = file_new();
	struct capture_file_info info;

	must(capture_writer_dump(w, f.fd));
	must(capture_file_open(&kept, f.path, &info));
	assert_true(info.finished && !info.cut);
	uint64_t rows = rows_of(&kept);
	assert_in_range(rows, least_rows, most_rows);
	assert_int_equal(capture_last_ns(&kept), SAMPLE_START_NS + (to_ms - 1) * SAMPLE_MS);
	assert_int_equal(capture_first_ns(&kept), SAMPLE_START_NS + (to_ms - rows) * SAMPLE_MS);
	assert_int_equal(capture_fact_u64(&kept, FACT_DROPPED, 1), 2 * (to_ms - rows));
	assert_int_equal(capture_writer_lost(w), 2 * (to_ms - rows));
	assert_int_equal(kept.thread_count, c->thread_count);
	assert_int_equal(kept.tables.stack_count, c->tables.stack_count);
}

static void test_flight_recorder(void **state)
{
	static const struct {
		struct capture_writer_options options;
		uint64_t least, most; // rows kept of 10000
	} limits[] = {
		{ { .max_age_ns = 500 * SAMPLE_MS, .exact_times = true }, 500, 700 },
		{ { .max_bytes = 2000, .exact_times = true }, 200, 3000 },
		{ { .max_bytes = 1, .exact_times = true }, 50, 100 },
		{ { .max_bytes = 1u << 30, .max_age_ns = UINT64_MAX, .exact_times = true }, 10050,
			10050 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		_cleanup_(capture_deinit) struct capture c, last;
		_cleanup_file_ struct file f = file_new();
		struct capture_writer *w;

		fill(&c);
		c.pending_count = 0;
		must(capture_writer_create(&w, f.fd, &c, &limits[i].options));
		fly(w, 0, 250);
		check_dump(w, &c, 250, 50, 250);
		fly(w, 250, 10050);
		check_dump(w, &c, 10050, limits[i].least, limits[i].most);
		check_dump(w, &c, 10050, limits[i].least, limits[i].most); // as often as one likes
		if (limits[i].options.max_bytes > 1)
			assert_true(capture_writer_bytes(w) <= limits[i].options.max_bytes);
		assert_int_equal(lseek(f.fd, 0, SEEK_END), 0); // nothing until the end
		must(capture_writer_finish(w));
		capture_writer_destroy(w);
		must(capture_file_open(&last, f.path, NULL));
		assert_in_range(rows_of(&last), limits[i].least, limits[i].most);
	}
}

static void test_dump_is_for_recorders(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	_cleanup_file_ struct file f = file_new(), g = file_new();
	struct capture_writer *w;

	(void)state;
	capture_init(&c);
	must(capture_writer_create(&w, f.fd, &c, NULL));
	must_fail(capture_writer_dump(w, g.fd), "nothing to write");
	capture_writer_destroy(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_to_a_pipe),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_live_writer),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_rounding_is_asked_for),
		cmocka_unit_test(test_long_and_odd_texts),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_flip_any_byte),
		cmocka_unit_test(test_bytes_after_the_end),
		cmocka_unit_test(test_no_capture),
		cmocka_unit_test(test_unknown_chunks),
		cmocka_unit_test(test_other_version),
		cmocka_unit_test(test_hostile_tables),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_flight_recorder),
		cmocka_unit_test(test_dump_is_for_recorders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

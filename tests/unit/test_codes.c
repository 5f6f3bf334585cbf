// SPDX-License-Identifier: MIT
/*
 * Names of frames, above all when a code object is freed and another is made where it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "images.h"
#include "sample/codes.h"
#include "sample/record.h"
#include "world.h"

#define for_each_release(name)                                                                     \
	for (const char *const *name = recorded_releases; *name; name++)

#define SERIALS_MAX 512

struct fixture {
	struct world w;
	struct world_thread t;
	struct stack_reader reader;
	struct ring ring;
	struct codes codes;
	struct thread_codes known;
	struct stack_riders riders;
	struct py_code *announced[SERIALS_MAX]; // by serial
	size_t announced_count;
	struct world_code c;
	remote_addr code;
	char text[512]; // the stack as last read: "name file:line;name file:line", root first
};

static void fixture_init_with(struct fixture *f, const char *release, size_t ring_words)
{
	memset(f, 0, sizeof(*f));
	world_init(&f->w, release);
	world_add_thread(&f->w, &f->t, f->w.interp);
	ring_init(&f->ring, ring_words);
	codes_init(&f->codes, &f->w.rt, &f->w.image.reader, &f->ring);
	stack_reader_init(&f->reader, f->t.state, f->t.interp);
	f->reader.riders = &f->riders;
	f->c = (struct world_code){ .name = world_str(&f->w, "old"),
		.first_line = 10,
		.file = world_str(&f->w, "old.py"),
		.version = 1000 };
	f->c.qualname = world_str(&f->w, "Old.old");
	f->code = world_code_of(&f->w, &f->c);
}

static void fixture_init(struct fixture *f, const char *release)
{
	fixture_init_with(f, release, 4096);
}

/* Takes the code objects that were announced. */
static void drain(struct fixture *f)
{
	ring_publish(&f->ring);
	while (ring_available(&f->ring)) {
		struct record_header header = record_unpack(ring_get(&f->ring));

		assert_int_equal(header.type, RECORD_CODE);
		assert_in_range(header.index, 0, SERIALS_MAX - 1);
		assert_null(f->announced[header.index]); // a serial is never used twice
		f->announced[header.index] = (struct py_code *)(uintptr_t)ring_get(&f->ring);
		f->announced_count++;
		ring_release(&f->ring);
	}
}

static void fixture_deinit(struct fixture *f)
{
	drain(f);
	for (size_t i = 0; i < SERIALS_MAX; i++) {
		if (f->announced[i])
			code_deinit(f->announced[i]);
		free(f->announced[i]);
	}
	stack_reader_deinit(&f->reader);
	thread_codes_deinit(&f->known);
	codes_deinit(&f->codes);
	ring_deinit(&f->ring);
	world_deinit(&f->w);
}

static const char *name_now(const struct fixture *f)
{
	return f->w.rt.layout.at.code_qualname == OFFSET_NONE ? "old" : "Old.old";
}

static void add_text(struct fixture *f, uint64_t word)
{
	size_t len = strlen(f->text), room = sizeof(f->text) - len;
	char *end = f->text + len;
	const char *separator = len ? ";" : "";
	const struct py_code *code = word >> 32 < SERIALS_MAX ? f->announced[word >> 32] : NULL;

	if (word == FRAME_INTERNAL)
		snprintf(end, room, "%sinternal", separator);
	else if (!code)
		snprintf(end, room, "%sunknown", separator);
	else
		snprintf(end, room, "%s%s %s:%u", separator, buf_str(&code->name),
			buf_str(&code->file),
			code_line(&code->lines, code->first_line, code->first_traceable,
				(int32_t)(uint32_t)word));
}

/* One sample, as the sampler takes it. Returns how often the stack had to be read. */
static unsigned int sample(struct fixture *f)
{
	const struct raw_stack *raw = NULL;
	unsigned int reads = 0;

	for (size_t unknown = 1; unknown && reads < 4; reads++) {
		f->riders.count = 0;
		codes_begin(&f->codes, &f->known, f->t.interp, &f->riders);
		assert_int_equal(
			stack_reader_read(&f->reader, &f->w.rt, &f->w.image.reader, 3, &raw),
			READ_OK);
		unknown = codes_prepare(&f->codes, raw, f->t.interp, &f->riders, &f->known);
	}
	f->text[0] = 0;
	for (size_t i = 0; i < raw->count; i++) {
		uint64_t word;

		if (codes_frame(&f->codes, &f->known, i, &word) != READ_OK) {
			snprintf(f->text, sizeof(f->text), "torn");
			return reads;
		}
		drain(f);
		add_text(f, word);
	}
	return reads;
}

static void assert_sample(struct fixture *f, const char *name, const char *file, unsigned int line)
{
	char expected[128];

	sample(f);
	snprintf(expected, sizeof(expected), "%s %s:%u", name, file, line);
	assert_string_equal(f->text, expected);
}

/* CPython 3.14 and newer count code objects that are freed. */
static void count_freed(struct fixture *f)
{
	const struct py_offsets *at = &f->w.rt.layout.at;
	uint64_t count;

	if (at->interp_code_generation == OFFSET_NONE)
		return;
	mem_read_u64(&f->w.image.reader, f->t.interp + at->interp_code_generation, &count);
	world_put(&f->w, f->t.interp, at->interp_code_generation, count + 1);
}

static void replace_code(struct fixture *f)
{
	count_freed(f);
	f->c.version++; // from 3.12 on no two code objects have the same
	world_code_at(&f->w, f->code, &f->c);
}

static void test_names_and_lines(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(fixture_deinit) struct fixture f;
		char expected[128];

		fixture_init(&f, *release);
		sample(&f);
		assert_string_equal(f.text, "");
		world_push(&f.w, &f.t, f.code);
		world_step(&f.w, &f.t, 5);
		world_push(&f.w, &f.t, world_code(&f.w, "leaf", 50));
		world_step(&f.w, &f.t, 3);
		sample(&f);
		snprintf(expected, sizeof(expected), "%s old.py:15;leaf file.py:53", name_now(&f));
		assert_string_equal(f.text, expected);
		world_step(&f.w, &f.t, 4);
		sample(&f);
		snprintf(expected, sizeof(expected), "%s old.py:15;leaf file.py:54", name_now(&f));
		assert_string_equal(f.text, expected);
	}
}

/* A stack whose code objects are known takes one read, and no code object is read twice. */
static void test_known_code_costs_nothing(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(fixture_deinit) struct fixture f;

		fixture_init(&f, *release);
		world_push(&f.w, &f.t, f.code);
		world_push(&f.w, &f.t, f.code); // recursion: one code object
		assert_in_range(sample(&f), 2, 3);
		uint64_t read = f.announced_count;
		assert_int_equal(read, 1);
		for (int i = 0; i < 10; i++) {
			world_step(&f.w, &f.t, (uint32_t)i);
			assert_int_equal(sample(&f), 1);
		}
		assert_int_equal(f.announced_count, read);
		count_freed(&f); // another code object was freed: this one is looked at again
		assert_in_range(sample(&f), 1, 2);
		assert_int_equal(f.announced_count, read);
	}
}

static void test_forget(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(fixture_deinit) struct fixture f;

		fixture_init(&f, *release);
		world_push(&f.w, &f.t, f.code);
		sample(&f);
		codes_forget(&f.codes);
		f.known.count = f.known.frame_count = 0;
		assert_sample(&f, name_now(&f), "old.py", 10);
		assert_int_equal(f.announced_count, 2);
	}
}

static void test_reused_with_another_name(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(fixture_deinit) struct fixture f;

		fixture_init(&f, *release);
		world_push(&f.w, &f.t, f.code);
		assert_sample(&f, name_now(&f), "old.py", 10);
		f.c.name = f.c.qualname = world_str(&f.w, "new");
		replace_code(&f);
		assert_sample(&f, "new", "old.py", 10);
		f.c.first_line = 30;
		replace_code(&f);
		assert_sample(&f, "new", "old.py", 30);
	}
}

/* The new name lies where the old one did. */
static void test_reused_with_its_name_reused(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(fixture_deinit) struct fixture f;
		bool qualified;

		fixture_init(&f, *release);
		qualified = f.w.rt.layout.at.code_qualname != OFFSET_NONE;
		world_push(&f.w, &f.t, f.code);
		assert_sample(&f, name_now(&f), "old.py", 10);
		world_str_at(&f.w, f.c.name, "new");
		world_str_at(&f.w, f.c.qualname, "New.new");
		replace_code(&f);
		assert_sample(&f, qualified ? "New.new" : "new", "old.py", 10);
	}
}

/* Methods of the same name of two classes: the plain name is one string, the other lies where the
 * old one did. */
static void test_reused_with_its_qualified_name_reused(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(fixture_deinit) struct fixture f;

		fixture_init(&f, *release);
		if (f.w.rt.layout.at.code_qualname == OFFSET_NONE)
			continue;
		world_push(&f.w, &f.t, f.code);
		assert_sample(&f, "Old.old", "old.py", 10);
		world_str_at(&f.w, f.c.qualname, "New.old");
		replace_code(&f);
		assert_sample(&f, "New.old", "old.py", 10);
	}
}

/* Templates that are compiled under names of their own: "<template 1>", "<template 2>". */
static void test_reused_with_its_file_name_reused(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(fixture_deinit) struct fixture f;

		fixture_init(&f, *release);
		world_push(&f.w, &f.t, f.code);
		assert_sample(&f, name_now(&f), "old.py", 10);
		world_str_at(&f.w, f.c.file, "new.py");
		replace_code(&f);
		assert_sample(&f, name_now(&f), "new.py", 10);
	}
}

/* The line table of the new one lies where the old one did: another length, or other lines. */
static void test_reused_with_its_line_table_reused(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(fixture_deinit) struct fixture f;
		remote_addr table;

		fixture_init(&f, *release);
		const struct py_offsets *at = &f.w.rt.layout.at;
		world_push(&f.w, &f.t, f.code);
		world_step(&f.w, &f.t, 1);
		assert_sample(&f, name_now(&f), "old.py", 11);
		mem_read_u64(&f.w.image.reader, f.code + at->code_linetable, &table);
		// the second unit moves two lines instead of one
		switch (f.w.rt.layout.linetable) {
		case LINETABLE_LNOTAB_UNSIGNED:
		case LINETABLE_LNOTAB_SIGNED:
		case LINETABLE_RANGES:
			world_store(&f.w, table + at->bytes_data + 3, 2, 1);
			break;
		case LINETABLE_LOCATIONS:
			world_store(&f.w, table + at->bytes_data + 3, 0x80 | 12 << 3, 1);
			break;
		}
		replace_code(&f);
		assert_sample(&f, name_now(&f), "old.py", 12);
	}
}

/* What is no code object is in no frame: the stack cannot have been. */
static void test_code_that_cannot_be_read(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(fixture_deinit) struct fixture f;

		fixture_init(&f, *release);
		world_push(&f.w, &f.t, f.code);
		world_put(&f.w, f.code, f.w.rt.layout.at.object_type, f.w.interp);
		sample(&f);
		assert_string_equal(f.text, "torn");
		replace_code(&f);
		assert_sample(&f, name_now(&f), "old.py", 10);
	}
}

static void test_instruction_of_another(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(fixture_deinit) struct fixture f;
		const struct raw_stack *raw;
		uint64_t word;

		fixture_init(&f, *release);
		world_push(&f.w, &f.t, f.code);
		sample(&f);
		world_step(&f.w, &f.t, WORLD_UNITS + 100);
		f.riders.count = 0;
		codes_begin(&f.codes, &f.known, f.t.interp, &f.riders);
		assert_int_equal(
			stack_reader_read(&f.reader, &f.w.rt, &f.w.image.reader, 3, &raw), READ_OK);
		assert_int_equal(codes_prepare(&f.codes, raw, f.t.interp, &f.riders, &f.known), 0);
		assert_int_equal(codes_frame(&f.codes, &f.known, 0, &word), READ_TORN);
	}
}

/* ---- epochs ---- */

#define SECOND ((uint64_t)1000000000)
#define MILLISECOND ((uint64_t)1000000)

/* A fixture whose one code object is old enough to be trusted. */
static void epochs_init(struct fixture *f, const char *release)
{
	fixture_init(f, release);
	f->codes.deferring = true;
	f->codes.now_ns = SECOND;
	world_push(&f->w, &f->t, f->code);
	for (int i = 0; i < 30; i++) {
		f->codes.now_ns += 50 * MILLISECOND;
		sample(f);
		codes_prove(&f->codes);
		assert_int_equal(f->codes.voided_count, 0);
	}
}

/* What is trusted is not read with the stack, and is proven later. */
static void test_trusted_code_costs_nothing(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(fixture_deinit) struct fixture f;

		epochs_init(&f, *release);
		for (uint32_t i = 0; i < 10; i++) {
			world_step(&f.w, &f.t, i);
			f.codes.now_ns += MILLISECOND;
			assert_int_equal(sample(&f), 1);
			assert_int_equal(f.riders.count, 0);
		}
		assert_true(f.codes.trusted_count == 1);
		codes_prove(&f.codes);
		assert_int_equal(f.codes.voided_count, 0);
		assert_int_equal(f.announced_count, 1);
	}
}

/* Another one in its place: the frames shown in that epoch are void, the next are of the new one. */
static void test_trusted_code_that_changed_is_void(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(fixture_deinit) struct fixture f;

		epochs_init(&f, *release);
		f.codes.now_ns += MILLISECOND;
		sample(&f);
		f.c.name = world_str(&f.w, "new");
		f.c.qualname = world_str(&f.w, "New.new");
		replace_code(&f);
		codes_prove(&f.codes);
		assert_int_equal(f.codes.voided_count, 1);
		assert_int_equal(f.codes.voided[0], 0);
		f.codes.now_ns += MILLISECOND;
		sample(&f);
		assert_non_null(strstr(f.text, f.w.rt.layout.at.code_qualname == OFFSET_NONE ?
				"new old.py" : "New.new old.py"));
		codes_prove(&f.codes);
		assert_int_equal(f.codes.voided_count, 0);
	}
}

/* A place where there was a trusted one some time ago says nothing of what is there now. */
static void test_trust_does_not_last(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(fixture_deinit) struct fixture f;

		epochs_init(&f, *release);
		world_pop(&f.w, &f.t);
		f.codes.now_ns += SECOND;
		f.c.name = world_str(&f.w, "new");
		f.c.qualname = world_str(&f.w, "New.new");
		replace_code(&f);
		world_push(&f.w, &f.t, f.code);
		sample(&f);
		assert_non_null(strstr(f.text, f.w.rt.layout.at.code_qualname == OFFSET_NONE ?
				"new old.py" : "New.new old.py"));
		assert_int_equal(f.codes.trusted_count, 0);
	}
}

static void test_void_frames_lose_their_names(void **state)
{
	struct record_header sample_header = { .type = RECORD_SAMPLE, .count = 3 };
	struct record_header code_header = { .type = RECORD_CODE, .index = 7 };
	const uint32_t serials[] = { 7, 9 };
	struct ring ring;

	(void)state;
	ring_init(&ring, 64);
	// once around the end of the ring
	for (int i = 0; i < 20; i++) {
		assert_true(ring_begin(&ring, 2 + 4 + 3));
		ring_put(&ring, record_pack(&code_header));
		ring_put(&ring, record_frame(7, 7)); // looks like a frame, is none
		ring_commit(&ring);
		assert_true(ring_begin(&ring, 4 + 3));
		ring_put(&ring, record_pack(&sample_header));
		for (int k = 0; k < 3; k++)
			ring_put(&ring, record_frame(7, k));
		ring_put(&ring, record_frame(6, 1));
		ring_put(&ring, record_frame(7, 2));
		ring_put(&ring, record_frame(9, 3));
		ring_commit(&ring);
		assert_int_equal(ring_available(&ring), 0);
		assert_int_equal(record_void_codes(&ring, serials, 2), 2);
		ring_publish(&ring);
		assert_int_equal(ring_available(&ring), 9);
		ring_get(&ring);
		assert_true(ring_get(&ring) == record_frame(7, 7));
		for (int k = 0; k < 4; k++)
			ring_get(&ring);
		assert_true(ring_get(&ring) == record_frame(6, 1));
		assert_true(ring_get(&ring) == record_frame(CODE_UNKNOWN, 0));
		assert_true(ring_get(&ring) == record_frame(CODE_UNKNOWN, 0));
		ring_release(&ring);
	}
	ring_deinit(&ring);
}

static void test_internal_code(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(fixture_deinit) struct fixture f;
		char expected[64];

		fixture_init(&f, *release);
		if (f.w.rt.layout.at.code_firsttraceable == OFFSET_NONE)
			continue;
		remote_addr device = world_code(&f.w, "__init__", 1);
		world_put_u32(&f.w, device, f.w.rt.layout.at.code_firsttraceable, WORLD_UNITS);
		world_push(&f.w, &f.t, f.code);
		world_push(&f.w, &f.t, device);
		sample(&f);
		snprintf(expected, sizeof(expected), "%s old.py:10;internal", name_now(&f));
		assert_string_equal(f.text, expected);
	}
}

/* A full ring: what could not be announced is unknown until there is room, then it is announced. */
static void test_ring_without_room(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(fixture_deinit) struct fixture f;

		fixture_init_with(&f, *release, 2);
		world_push(&f.w, &f.t, f.code);
		assert_true(ring_begin(&f.ring, 2));
		const struct record_header other = { .type = RECORD_CODE,
			.index = SERIALS_MAX - 1 };
		ring_put(&f.ring, record_pack(&other));
		ring_put(&f.ring, 0);
		ring_commit(&f.ring);
		sample(&f);
		assert_string_equal(f.text, "unknown");
		assert_sample(&f, name_now(&f), "old.py", 10);
	}
}

/* More code objects on a stack than are checked in one call. */
static void test_many_code_objects(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(fixture_deinit) struct fixture f;
		const unsigned int count = CODE_CHECKS_MAX * 2 + 10;

		fixture_init(&f, *release);
		for (unsigned int i = 0; i < count; i++) {
			remote_addr code = world_code(&f.w, "f", 100 + i);

			world_push(&f.w, &f.t, code);
		}
		sample(&f);
		assert_int_equal(f.announced_count, count);
		for (int i = 0; i < 3; i++) {
			sample(&f);
			count_freed(&f);
		}
		assert_int_equal(f.announced_count, count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_lines),
		cmocka_unit_test(test_known_code_costs_nothing),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_reused_with_another_name),
		cmocka_unit_test(test_reused_with_its_name_reused),
		cmocka_unit_test(test_reused_with_its_qualified_name_reused),
		cmocka_unit_test(test_reused_with_its_file_name_reused),
		cmocka_unit_test(test_reused_with_its_line_table_reused),
		cmocka_unit_test(test_code_that_cannot_be_read),
		cmocka_unit_test(test_instruction_of_another),
		cmocka_unit_test(test_internal_code),
		cmocka_unit_test(test_trusted_code_costs_nothing),
		cmocka_unit_test(test_trusted_code_that_changed_is_void),
		cmocka_unit_test(test_trust_does_not_last),
		cmocka_unit_test(test_void_frames_lose_their_names),
		cmocka_unit_test(test_ring_without_room),
		cmocka_unit_test(test_many_code_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/cleanup.h"
#include "images.h"
#include "pyabi/code.h"
#include "pyabi/stack.h"
#include "pyabi/threads.h"
#include "world.h"

#define for_each_release(name)                                                                     \
	for (const char *const *name = recorded_releases; *name; name++)

/* ---- what was recorded ----------------------------------------------------------------------- */

static enum read_status line_at(struct py_runtime *rt, struct mem_reader *mem,
	const struct py_code *code, uint64_t instr, uint32_t tlbc_index, uint32_t *line_ret)
{
	int32_t offset;
	enum read_status status = code_offset(rt, mem, &code->place, instr, tlbc_index, &offset);

	if (status == READ_OK)
		*line_ret =
			code_line(&code->lines, code->first_line, code->first_traceable, offset);
	return status;
}

static void compare_frame(
	struct recording *r, const struct raw_frame *raw, const struct recorded_frame *said)
{
	_cleanup_(code_deinit) struct py_code code = { 0 };
	uint32_t line;

	assert_int_equal(code_read(&r->rt, &r->image.reader, raw->code, &code), READ_OK);
	assert_string_equal(buf_str(&code.name), said->name);
	assert_string_equal(buf_str(&code.file), said->file);
	assert_int_equal(code.first_line, said->first_line);
	assert_false(code.place.internal);
	assert_int_equal(
		line_at(&r->rt, &r->image.reader, &code, raw->instr, raw->tlbc_index, &line),
		READ_OK);
	assert_int_equal(line, said->line);
}

static void compare_thread(struct recording *r, const struct py_thread *t)
{
	const struct recorded_thread *said = recording_thread(r, t->pthread);
	const struct raw_stack *stack;
	struct stack_reader reader;

	stack_reader_init(&reader, t->state, t->interp);
	assert_int_equal(stack_reader_read(&reader, &r->rt, &r->image.reader, 3, &stack), READ_OK);
	assert_int_equal(stack->count, said->frame_count);
	for (size_t i = 0; i < stack->count; i++)
		compare_frame(r, &stack->frames[i], &said->frames[i]);
	stack_reader_deinit(&reader);
}

/* Every frame as Python itself described it: name, file, first line, line. */
static void test_recorded_frames(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(recording_deinit) struct recording r;
		_cleanup_(threads_deinit) struct py_threads threads = { 0 };

		recording_load(&r, *release);
		assert_int_equal(threads_list(&r.rt, &r.image.reader, &threads), READ_OK);
		assert_int_equal(threads.count, 2);
		for (size_t i = 0; i < threads.count; i++)
			compare_thread(&r, &threads.items[i]);
		assert_int_not_equal(r.rt.code_type, 0);
	}
}

/* ---- made up --------------------------------------------------------------------------------- */

static void line_is(struct world *w, const struct py_code *code, uint64_t instr,
	uint32_t tlbc_index, uint32_t expected)
{
	uint32_t line = 0;

	assert_int_equal(
		line_at(&w->rt, &w->image.reader, code, instr, tlbc_index, &line), READ_OK);
	assert_int_equal(line, expected);
}

static void test_every_unit_has_its_line(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;
		_cleanup_(code_deinit) struct py_code code = { 0 };

		world_init(&w, *release);
		remote_addr address = world_code(&w, "f", 1000);
		assert_int_equal(code_read(&w.rt, &w.image.reader, address, &code), READ_OK);
		for (uint32_t unit = 0; unit < WORLD_UNITS; unit++)
			line_is(&w, &code, world_instr(&w, address, unit), 0, 1000 + unit);
		// a frame that has not begun: -1, or one unit before the first
		uint64_t before = w.rt.layout.instr == INSTR_POINTER
			? world_instr(&w, address, 0) - 2
			: UINT32_MAX;
		line_is(&w, &code, before, 0, 1000);
	}
}

static void test_instruction_of_another(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;
		_cleanup_(code_deinit) struct py_code code = { 0 };
		uint32_t line;

		world_init(&w, *release);
		remote_addr address = world_code(&w, "f", 1000);
		assert_int_equal(code_read(&w.rt, &w.image.reader, address, &code), READ_OK);
		bool pointer = w.rt.layout.instr == INSTR_POINTER;
		const uint64_t bad[] = {
			world_instr(&w, address, WORLD_UNITS),
			world_instr(&w, address, WORLD_UNITS + 1000000),
			pointer ? world_instr(&w, address, 0) - 4 : (uint32_t)-3,
			pointer ? 0 : INT32_MAX,
			pointer ? UINT64_MAX : (uint32_t)INT32_MIN,
		};
		for (size_t i = 0; i < ARRAY_LEN(bad); i++)
			assert_int_equal(line_at(&w.rt, &w.image.reader, &code, bad[i], 0, &line),
				READ_TORN);
	}
}

/* What comes before the first traceable instruction is on the first line. */
static void test_first_traceable(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;
		_cleanup_(code_deinit) struct py_code code = { 0 };

		world_init(&w, *release);
		if (w.rt.layout.at.code_firsttraceable == OFFSET_NONE)
			continue;
		remote_addr address = world_code(&w, "f", 1000);
		world_put_u32(&w, address, w.rt.layout.at.code_firsttraceable, 5);
		assert_int_equal(code_read(&w.rt, &w.image.reader, address, &code), READ_OK);
		line_is(&w, &code, world_instr(&w, address, 4), 0, 1000);
		line_is(&w, &code, world_instr(&w, address, 5), 0, 1005);
		assert_false(code.place.internal);
	}
}

/* A device of the interpreter has no traceable instruction at all. */
static void test_internal_code(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;
		_cleanup_(code_deinit) struct py_code code = { 0 };

		world_init(&w, *release);
		if (w.rt.layout.at.code_firsttraceable == OFFSET_NONE)
			continue;
		remote_addr address = world_code(&w, "__init__", 1000);
		world_put_u32(&w, address, w.rt.layout.at.code_firsttraceable, WORLD_UNITS);
		assert_int_equal(code_read(&w.rt, &w.image.reader, address, &code), READ_OK);
		assert_true(code.place.internal);
	}
}

/* Free-threaded 3.14 and newer: code.co_tlbc -> { size, entries[] }, copies of the bytecode. */
static void test_bytecode_of_a_thread(void **state)
{
	static const char *const releases[] = { "3.14t", "3.15t" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(releases); i++) {
		_cleanup_(world_deinit) struct world w;
		_cleanup_(code_deinit) struct py_code code = { 0 };
		uint32_t line;

		world_init(&w, releases[i]);
		remote_addr address = world_code(&w, "f", 1000);
		remote_addr copies = world_alloc(&w, 64), copy = world_alloc(&w, WORLD_UNITS * 2);
		remote_addr own = address + w.rt.layout.at.code_bytecode;
		world_put(&w, address, w.rt.layout.at.code_tlbc, copies);
		world_put(&w, copies, 0, 3);
		world_put(&w, copies, 8, own);
		world_put(&w, copies, 16, copy);
		assert_int_equal(code_read(&w.rt, &w.image.reader, address, &code), READ_OK);
		line_is(&w, &code, own + 14, 0, 1007);
		line_is(&w, &code, copy + 14, 1, 1007);
		line_is(&w, &code, own + 14, 2, 1007); // no copy was made: the main one runs
		struct mem_reader *mem = &w.image.reader;
		assert_int_equal(line_at(&w.rt, mem, &code, own + 14, 1, &line), READ_TORN);
		assert_int_equal(line_at(&w.rt, mem, &code, copy + 14, 3, &line), READ_TORN);
		world_put(&w, copies, 0, UINT64_MAX);
		assert_int_equal(line_at(&w.rt, mem, &code, copy + 14, 2048, &line), READ_TORN);
		assert_int_equal(line_at(&w.rt, mem, &code, copy, UINT32_MAX, &line), READ_TORN);
		code.place.tlbc = 3;
		assert_int_equal(line_at(&w.rt, mem, &code, copy, 1, &line), READ_TORN);
		code.place.tlbc = 0x600000000000;
		assert_int_equal(line_at(&w.rt, mem, &code, copy, 1, &line), READ_FAULT);
	}
}

static enum read_status read_code(struct world *w, remote_addr address)
{
	struct py_code code;
	enum read_status status = code_read(&w->rt, &w->image.reader, address, &code);

	if (status == READ_OK)
		code_deinit(&code);
	return status;
}

static void test_what_is_no_code_object(void **state)
{
	static const remote_addr wild[] = { 0, 8, 0x7f1000000001, UINT64_MAX, UINT64_MAX - 7 };

	(void)state;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;

		world_init(&w, *release);
		const struct py_offsets *at = &w.rt.layout.at;
		remote_addr good = world_code(&w, "f", 1);
		for (size_t i = 0; i < ARRAY_LEN(wild); i++)
			assert_int_equal(read_code(&w, wild[i]), READ_TORN);
		assert_int_equal(read_code(&w, 0x600000000000), READ_FAULT);
		// its type is learnt from the first one that is called "code"
		remote_addr type = w.rt.code_type;
		w.rt.code_type = 0;
		world_put(&w, good, at->object_type, good);
		assert_int_not_equal(read_code(&w, good), READ_OK);
		world_put(&w, good, at->object_type, type);
		assert_int_equal(read_code(&w, good), READ_OK);
		assert_int_equal(w.rt.code_type, type);
		world_put(&w, good, at->object_type, type + 64);
		assert_int_equal(read_code(&w, good), READ_TORN);
		world_put(&w, good, at->object_type, type);
		const uint32_t pointers[] = { at->code_name, at->code_filename };
		for (size_t i = 0; i < ARRAY_LEN(pointers); i++) {
			remote_addr old;

			// the plain name is looked at even where there is a qualified one
			mem_read_u64(&w.image.reader, good + pointers[i], &old);
			world_put(&w, good, pointers[i], 1);
			assert_int_not_equal(read_code(&w, good), READ_OK);
			world_put(&w, good, pointers[i], old);
			assert_int_equal(read_code(&w, good), READ_OK);
		}
	}
}

/* Without its line table a function still has its name, and its first line. */
static void test_broken_line_table(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;
		const unsigned char garbage[] = { 0x80, 0xff, 0x01 };

		world_init(&w, *release);
		remote_addr address = world_code(&w, "f", 1000);
		const remote_addr tables[] = { world_alloc(&w, 64), world_bytes(&w, garbage, 3) };
		world_put(&w, tables[0], w.rt.layout.at.bytes_size, UINT64_MAX);
		for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
			_cleanup_(code_deinit) struct py_code code = { 0 };

			if (i == 1 && w.rt.layout.linetable != LINETABLE_LOCATIONS)
				continue; // there any bytes make a table
			world_put(&w, address, w.rt.layout.at.code_linetable, tables[i]);
			assert_int_equal(
				code_read(&w.rt, &w.image.reader, address, &code), READ_OK);
			assert_string_equal(buf_str(&code.name), "f");
			line_is(&w, &code, world_instr(&w, address, 0), 0, 1000);
			line_is(&w, &code, world_instr(&w, address, 40), 0, 1000);
		}
	}
}

/* A length that the target only claims must not be believed before it passed its cap. */
static void test_lengths_that_are_lies(void **state)
{
	static const uint64_t lengths[] = { (uint64_t)1 << 20, BYTES_OBJECT_MAX + 1,
		(uint64_t)1 << 32, INT64_MAX, UINT64_MAX - 40, UINT64_MAX };

	(void)state;
	for_each_release(release) {
		for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
			_cleanup_(world_deinit) struct world w;
			remote_addr table, name;

			world_init(&w, *release);
			const struct py_offsets *at = &w.rt.layout.at;
			remote_addr good = world_code(&w, "f", 1);
			mem_read_u64(&w.image.reader, good + at->code_linetable, &table);
			world_put(&w, table, at->bytes_size, lengths[i]);
			read_code(&w, good); // costs the lines; what matters is to survive it
			world_put(&w, table, at->bytes_size, WORLD_UNITS);
			mem_read_u64(&w.image.reader, good + at->code_name, &name);
			world_put(&w, name, at->str_length, lengths[i]);
			read_code(&w, good); // a long name is cut
		}
	}
}

/* A code object that is replaced while it is read. */
struct replacement {
	remote_addr address;
	struct world_code other;
	size_t when;
};

static void replace(struct script_reader *s, remote_addr addr)
{
	struct replacement *r = s->data;

	(void)addr;
	if (s->ranges == r->when)
		world_code_at(s->world, r->address, &r->other);
}

static void test_replaced_while_it_is_read(void **state)
{
	(void)state;
	for_each_release(release) {
		for (size_t when = 1; when <= 8; when++) {
			_cleanup_(world_deinit) struct world w;
			struct script_reader script;
			struct py_code code;

			world_init(&w, *release);
			remote_addr address = world_code(&w, "before", 10);
			struct replacement r = { .address = address,
				.when = when,
				.other = { .name = world_str(&w, "after"),
					.first_line = 20,
					.file = world_str(&w, "other.py"),
					.version = 12345 } };
			r.other.qualname = r.other.name;
			script_reader_init(&script, &w);
			script.step = replace;
			script.data = &r;
			if (code_read(&w.rt, &script.reader, address, &code) != READ_OK)
				continue;
			// all of one, or all of the other
			bool before = code.first_line == 10;
			assert_string_equal(buf_str(&code.name), before ? "before" : "after");
			assert_string_equal(buf_str(&code.file), before ? "file.py" : "other.py");
			code_deinit(&code);
		}
	}
}

static void test_many_checks_in_one_call(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;
		static struct code_checks checks;

		world_init(&w, *release);
		checks.count = 8;
		for (size_t i = 0; i < checks.count; i++) {
			_cleanup_(code_deinit) struct py_code code = { 0 };
			remote_addr address = world_code(&w, "f", (uint32_t)i);

			assert_int_equal(
				code_read(&w.rt, &w.image.reader, address, &code), READ_OK);
			checks.checks[i] =
				(struct code_check){ .address = address, .witness = code.witness };
		}
		assert_int_equal(code_check_all(&w.rt, &w.image.reader, &checks), READ_OK);
		for (size_t i = 0; i < checks.count; i++)
			assert_true(checks.checks[i].same);
		world_put_u32(&w, checks.checks[3].address, w.rt.layout.at.code_firstlineno, 77);
		assert_int_equal(code_check_all(&w.rt, &w.image.reader, &checks), READ_OK);
		for (size_t i = 0; i < checks.count; i++)
			assert_int_equal(checks.checks[i].same, i != 3);
		checks.checks[5].address = 0x600000000000; // freed, and its memory too
		assert_int_equal(code_check_all(&w.rt, &w.image.reader, &checks), READ_FAULT);
		for (size_t i = 0; i < checks.count; i++)
			assert_int_equal(checks.checks[i].same, i < 5 && i != 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_frames),
		cmocka_unit_test(test_every_unit_has_its_line),
		cmocka_unit_test(test_instruction_of_another),
		cmocka_unit_test(test_first_traceable),
		cmocka_unit_test(test_internal_code),
		cmocka_unit_test(test_bytecode_of_a_thread),
		cmocka_unit_test(test_what_is_no_code_object),
		cmocka_unit_test(test_broken_line_table),
		cmocka_unit_test(test_lengths_that_are_lies),
		cmocka_unit_test(test_replaced_while_it_is_read),
		cmocka_unit_test(test_many_checks_in_one_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/*
 * Stacks that stand still: those that were recorded, made-up ones, broken ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "images.h"
#include "pyabi/stack.h"
#include "pyabi/threads.h"
#include "world.h"

#define for_each_release(name)                                                                     \
	for (const char *const *name = recorded_releases; *name; name++)

/* ---- what was recorded ----------------------------------------------------------------------- */

static void read_recorded(struct recording *r, const struct py_thread *t)
{
	const struct recorded_thread *said = recording_thread(r, t->pthread);
	const struct raw_stack *stack;
	struct stack_reader reader;

	stack_reader_init(&reader, t->state, t->interp);
	// where it begins is believed when it is seen at another time
	stack_reader_read(&reader, &r->rt, &r->image.reader, 3, &stack);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
			stack_reader_read(&reader, &r->rt, &r->image.reader, 3, &stack), READ_OK);
		assert_int_equal(stack->count, said->frame_count);
		assert_false(stack->unproven);
		assert_false(stack->too_deep);
		// from 3.14t on each thread but the first has a copy of the bytecode for itself
		bool copied = r->rt.layout.free_threaded && r->rt.layout.minor >= 14 && !said->main;
		assert_int_equal(stack->frames[0].tlbc_index, copied);
	}
	// once its places are known, a stack that stands still takes one read each time
	uint64_t reads = reader.counts.reads, unsettled = reader.counts.unsettled;
	assert_int_equal(stack_reader_read(&reader, &r->rt, &r->image.reader, 3, &stack), READ_OK);
	assert_int_equal(reader.counts.reads, reads + 1);
	assert_int_equal(reader.counts.unsettled, unsettled);
	stack_reader_deinit(&reader);
}

/* Names and lines of these are compared in test_code.c. */
static void test_recorded_stacks(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(recording_deinit) struct recording r;
		_cleanup_(threads_deinit) struct py_threads threads = { 0 };

		recording_load(&r, *release);
		assert_int_equal(threads_list(&r.rt, &r.image.reader, &threads), READ_OK);
		for (size_t i = 0; i < threads.count; i++)
			read_recorded(&r, &threads.items[i]);
	}
}

/* From 3.12 on a call from C leaves a mark; in 3.11 the frame itself has it, and is not read. */
static void test_recorded_calls_from_c(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(recording_deinit) struct recording r;
		_cleanup_(threads_deinit) struct py_threads threads = { 0 };
		const struct raw_stack *stack;
		struct stack_reader reader;

		recording_load(&r, *release);
		assert_int_equal(threads_list(&r.rt, &r.image.reader, &threads), READ_OK);
		const struct py_thread *main = &threads.items[threads.count - 1];
		assert_true(main->main);
		stack_reader_init(&reader, main->state, main->interp);
		assert_int_equal(
			stack_reader_read(&reader, &r.rt, &r.image.reader, 3, &stack), READ_OK);
		// exec() of the outermost frame called <module>
		if (r.rt.layout.owners.shims)
			assert_true(stack->frames[stack->count - 2].native_below);
		// heat() ran the generator itself
		assert_false(stack->frames[stack->count - 5].native_below);
		stack_reader_deinit(&reader);
	}
}

/* ---- a thread that stands still -------------------------------------------------------------- */

/* No read of what is broken may take more ranges than this. */
#define READS_MAX 20000

static void assert_refused(struct still *s)
{
	assert_int_not_equal(still_read(s), READ_OK);
	assert_in_range(s->w.image.reads, 1, READS_MAX);
}

static remote_addr frame_at(const struct still *s, size_t depth)
{
	return s->t.stack.frames[depth].frame;
}

static void test_empty_stack(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(still_deinit) struct still s;

		still_init(&s, *release);
		still_assert_true(&s);
		still_push(&s, 1);
		still_assert_true(&s);
		world_pop(&s.w, &s.t);
		still_assert_true(&s);
	}
}

/* 200 frames of 128 bytes fill two chunks of the data stack. */
static void test_growing_and_shrinking(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(still_deinit) struct still s;

		still_init(&s, *release);
		while (s.t.stack.depth < 200) {
			still_push(&s, 1);
			world_step(&s.w, &s.t, (uint32_t)s.t.stack.depth % WORLD_UNITS);
			still_assert_true(&s);
		}
		while (s.t.stack.depth) {
			world_pop(&s.w, &s.t);
			still_assert_true(&s);
		}
		still_push(&s, 200);
		still_assert_true(&s);
	}
}

/* Pieces that are not needed any more are forgotten, and found again when they are. */
static void test_trimming(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(still_deinit) struct still s;

		still_init(&s, *release);
		still_push(&s, 200);
		still_assert_true(&s);
		while (s.t.stack.depth > 2)
			world_pop(&s.w, &s.t);
		for (int i = 0; i < 600; i++)
			still_assert_true(&s);
		size_t bytes = 0;
		for (size_t i = 0; i < s.reader.pieces.count; i++)
			bytes += s.reader.pieces.items[i].len;
		assert_in_range(bytes, 1, 4096);
		still_push(&s, 198);
		still_assert_true(&s);
	}
}

static void test_calls_from_c(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(still_deinit) struct still s;

		still_init(&s, *release);
		if (!s.w.rt.layout.owners.shims)
			continue;
		world_push_shim(&s.w, &s.t);
		still_push(&s, 2);
		world_push_shim(&s.w, &s.t);
		still_push(&s, 1);
		assert_int_equal(still_read(&s), READ_OK);
		assert_int_equal(s.stack->count, 3);
		assert_true(s.stack->frames[0].native_below);
		assert_false(s.stack->frames[1].native_below);
		assert_true(s.stack->frames[2].native_below);
	}
}

static void test_tlbc_index(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(still_deinit) struct still s;

		still_init(&s, *release);
		still_push(&s, 2);
		bool has = s.w.rt.layout.at.frame_tlbc_index != OFFSET_NONE &&
			s.w.rt.layout.free_threaded;
		if (has)
			world_put_u32(&s.w, frame_at(&s, 0), s.w.rt.layout.at.frame_tlbc_index, 5);
		assert_int_equal(still_read(&s), READ_OK);
		assert_int_equal(s.stack->frames[0].tlbc_index, 0);
		assert_int_equal(s.stack->frames[1].tlbc_index, has ? 5 : 0);
	}
}

/* ---- broken ones ----------------------------------------------------------------------------- */

static void test_frame_that_is_its_own_caller(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(still_deinit) struct still s;

		still_init(&s, *release);
		still_push(&s, 3);
		world_put(&s.w, frame_at(&s, 1), s.w.rt.layout.at.frame_previous, frame_at(&s, 1));
		assert_refused(&s);
	}
}

static void test_cycle(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(still_deinit) struct still s;

		still_init(&s, *release);
		still_push(&s, 5);
		world_put(&s.w, frame_at(&s, 0), s.w.rt.layout.at.frame_previous, frame_at(&s, 3));
		assert_refused(&s);
	}
}

static void test_wild_pointers(void **state)
{
	static const remote_addr wild[] = { 1, 8, 0xfff8, 0x7f1000000001, 0x7f1000000004, 0x10000,
		0x600000000000, 0x000ffffffffffff8, 0x0010000000000000, 0xffff800000000000,
		UINT64_MAX, UINT64_MAX - 7 };

	(void)state;
	for_each_release(release) {
		for (size_t i = 0; i < ARRAY_LEN(wild); i++) {
			_cleanup_(still_deinit) struct still s;

			still_init(&s, *release);
			const struct py_offsets *at = &s.w.rt.layout.at;
			still_push(&s, 3);
			world_put(&s.w, frame_at(&s, 1), at->frame_previous, wild[i]);
			assert_refused(&s);
			world_put(&s.w, frame_at(&s, 1), at->frame_previous, frame_at(&s, 0));
			still_assert_true(&s);
			remote_addr where = s.t.cframe ? s.t.cframe + at->cframe_current_frame
						       : s.t.state + at->thread_frame;
			world_store(&s.w, where, wild[i], 8);
			assert_refused(&s);
			world_put(&s.w, s.t.state, at->thread_frame, wild[i]);
			assert_refused(&s);
		}
	}
}

/*
 * A chain must end at its root. Some builds make a frame the leaf an instruction before they give it
 * its caller, so that on a fresh page it has none.
 */
static void test_chain_cut_off(void **state)
{
	(void)state;
	for_each_release(release) {
		for (size_t cut = 1; cut < 3; cut++) {
			_cleanup_(still_deinit) struct still s;

			still_init(&s, *release);
			if (s.w.rt.layout.root == ROOT_ANY)
				continue;
			still_push(&s, 3);
			world_put(&s.w, frame_at(&s, cut), s.w.rt.layout.at.frame_previous, 0);
			assert_refused(&s);
		}
	}
}

static void test_owner_that_is_none(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(still_deinit) struct still s;

		still_init(&s, *release);
		if (s.w.rt.layout.at.frame_owner == OFFSET_NONE)
			continue;
		still_push(&s, 3);
		for (unsigned int owner = s.w.rt.layout.owners.max + 1u; owner < 256; owner += 50) {
			world_store(&s.w, frame_at(&s, 1) + s.w.rt.layout.at.frame_owner, owner, 1);
			assert_refused(&s);
		}
	}
}

static void test_code_that_is_none(void **state)
{
	static const remote_addr none[] = { 0, 1, 0x7f1000000004, UINT64_MAX };

	(void)state;
	for_each_release(release) {
		for (size_t i = 0; i < ARRAY_LEN(none); i++) {
			_cleanup_(still_deinit) struct still s;

			still_init(&s, *release);
			still_push(&s, 3);
			world_put(&s.w, frame_at(&s, 1), s.w.rt.layout.at.frame_code,
				none[i] & ~(remote_addr)3 ? none[i] | 4 : none[i]);
			assert_refused(&s);
		}
	}
}

/* To 3.10: a frame object that has returned keeps all it held. */
static void test_frame_object_that_has_returned(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(still_deinit) struct still s;

		still_init(&s, *release);
		const struct py_offsets *at = &s.w.rt.layout.at;
		if (s.w.rt.layout.frames != FRAME_OBJECT)
			continue;
		still_push(&s, 3);
		still_assert_true(&s);
		world_put(&s.w, frame_at(&s, 1), at->frame_refcount, 0);
		assert_refused(&s);
		world_put(&s.w, frame_at(&s, 1), at->frame_refcount, 1);
		still_assert_true(&s);
		if (at->frame_state == OFFSET_NONE)
			continue;
		world_store(&s.w, frame_at(&s, 1) + at->frame_state,
			s.w.rt.layout.frame_executing ? 0 : 1, 1);
		assert_refused(&s);
	}
}

static void test_thread_state_of_another(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(still_deinit) struct still s;

		still_init(&s, *release);
		still_push(&s, 2);
		still_assert_true(&s);
		remote_addr other = world_add_interpreter(&s.w, 1);
		world_put(&s.w, s.t.state, s.w.rt.layout.at.thread_interp, other);
		assert_int_equal(still_read(&s), READ_GONE);
	}
}

static void test_thread_state_that_is_gone(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(still_deinit) struct still s;
		const struct raw_stack *stack;

		still_init(&s, *release);
		stack_reader_deinit(&s.reader);
		stack_reader_init(&s.reader, 0x7e0000000000, s.t.interp);
		assert_int_equal(
			stack_reader_read(&s.reader, &s.w.rt, &s.w.image.reader, 3, &stack),
			READ_GONE);
	}
}

static void test_too_deep(void **state)
{
	const size_t depth = STACK_FRAMES_MAX + 100;

	(void)state;
	for_each_release(release) {
		_cleanup_(still_deinit) struct still s;
		const remote_addr frames = 0x7f3000000000;

		still_init(&s, *release);
		const struct py_layout *layout = &s.w.rt.layout;
		still_push(&s, 1);
		remote_addr previous = frame_at(&s, 0);
		assert_true(mem_image_add(&s.w.image, frames, NULL, depth * 256));
		for (size_t i = 0; i < depth; i++) {
			remote_addr frame = frames + i * 256;

			world_put(&s.w, frame, layout->at.frame_refcount, 1);
			if (layout->at.frame_state != OFFSET_NONE)
				world_store(&s.w, frame + layout->at.frame_state,
					layout->frame_executing, 1);
			world_put(&s.w, frame, layout->at.frame_code, s.codes[0]);
			world_put(&s.w, frame, layout->at.frame_previous, previous);
			previous = frame;
		}
		remote_addr where = s.t.cframe ? s.t.cframe + layout->at.cframe_current_frame
					       : s.t.state + layout->at.thread_frame;
		world_store(&s.w, where, previous, 8);
		assert_int_equal(still_read(&s), READ_OK);
		assert_true(s.stack->too_deep);
		assert_int_equal(s.stack->count, STACK_FRAMES_MAX);
		assert_int_equal(s.stack->frames[0].frame, previous); // the innermost are kept
	}
}

/* Chunks that claim to be huge, lie on each other or lead in circles. */
static void test_broken_chunks(void **state)
{
	static const uint64_t sizes[] = { 0, 8, 24, (uint64_t)64 << 20, ((uint64_t)64 << 20) + 1,
		(uint64_t)1 << 40, UINT64_MAX };

	(void)state;
	for_each_release(release) {
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			_cleanup_(still_deinit) struct still s;

			still_init(&s, *release);
			const struct py_offsets *at = &s.w.rt.layout.at;
			if (at->thread_datastack_chunk == OFFSET_NONE)
				continue;
			still_push(&s, 150);
			remote_addr chunk = s.t.chunks[1], older = s.t.chunks[0];
			world_put(&s.w, chunk, at->chunk_previous, chunk);
			world_put(&s.w, older, at->chunk_size, sizes[i]);
			world_put(&s.w, older, at->chunk_top, UINT64_MAX / 8 - i);
			// what the chunks do not give, the frames themselves do
			s.w.image.reads = 0;
			still_assert_true(&s);
			assert_in_range(s.w.image.reads, 1, READS_MAX);
			world_put(&s.w, chunk, at->chunk_previous, older);
			world_put(&s.w, chunk, at->chunk_size, sizes[i]);
			stack_reader_deinit(&s.reader);
			stack_reader_init(&s.reader, s.t.state, s.t.interp);
			still_assert_true(&s);
			assert_in_range(s.w.image.reads, 1, READS_MAX);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_stacks),
		cmocka_unit_test(test_recorded_calls_from_c),
		cmocka_unit_test(test_empty_stack),
		cmocka_unit_test(test_growing_and_shrinking),
		cmocka_unit_test(test_trimming),
		cmocka_unit_test(test_calls_from_c),
		cmocka_unit_test(test_tlbc_index),
		cmocka_unit_test(test_frame_that_is_its_own_caller),
		cmocka_unit_test(test_cycle),
		cmocka_unit_test(test_wild_pointers),
		cmocka_unit_test(test_chain_cut_off),
		cmocka_unit_test(test_owner_that_is_none),
		cmocka_unit_test(test_code_that_is_none),
		cmocka_unit_test(test_frame_object_that_has_returned),
		cmocka_unit_test(test_thread_state_of_another),
		cmocka_unit_test(test_thread_state_that_is_gone),
		cmocka_unit_test(test_too_deep),
		cmocka_unit_test(test_broken_chunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

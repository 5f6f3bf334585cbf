// SPDX-License-Identifier: MIT
/*
 * Stacks that change while they are read: what is given out must have been there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/cleanup.h"
#include "images.h"
#include "pyabi/stack.h"
#include "world.h"

#define for_each_release(name)                                                                     \
	for (const char *const *name = recorded_releases; *name; name++)

/* The memory of a chunk goes away between two ranges of one read. */
static void unmap_once(struct script_reader *reader, remote_addr addr)
{
	struct still *s = reader->data;

	(void)addr;
	if (reader->ranges == 3 && s->t.stack.depth > 100)
		while (s->t.stack.depth > 2)
			world_pop(&s->w, &s->t);
}

static void test_chunk_freed_in_the_middle(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(still_deinit) struct still s;
		struct script_reader script;

		still_init(&s, *release);
		if (s.w.rt.layout.at.thread_datastack_chunk == OFFSET_NONE)
			continue;
		still_push(&s, 200);
		still_assert_true(&s);
		script_reader_init(&script, &s.w);
		script.step = unmap_once;
		script.data = &s;
		assert_int_equal(stack_reader_read(&s.reader, &s.w.rt, &script.reader, 3, &s.stack),
			READ_OK);
		assert_int_equal(s.stack->count, 2);
		assert_in_range(script.calls, 2, 8);
	}
}

/*
 * A program that calls and returns at random while it is read. `edges` counts stacks of which all
 * but the leaf were there, but the leaf was never called from that place; `false_stacks` those of
 * which not even the rest was there at any moment of the read.
 */
struct program {
	struct still s;
	uint32_t random;
	unsigned int stores_per_step;
	size_t chunk_bytes;
	size_t accepted, refused, truncated, edges, false_stacks;
};

static uint32_t next_random(struct program *p)
{
	p->random = p->random * 1664525u + 1013904223u;
	return p->random >> 8;
}

#define DEEPEST 12

/* Each function calls each other one from a line of its own. */
static void act(struct program *p)
{
	struct still *s = &p->s;
	size_t depth = s->t.stack.depth;
	uint32_t r = next_random(p) % 8;

	if (depth < DEEPEST && (depth < 2 || r < 4)) {
		uint32_t callee = next_random(p) % ARRAY_LEN(s->codes);

		if (depth)
			world_step(&s->w, &s->t, 1 + callee * 2);
		world_push(&s->w, &s->t, s->codes[callee]);
	} else {
		world_pop(&s->w, &s->t);
		world_step(&s->w, &s->t, 2 * (next_random(p) % 8));
	}
}

static void run_program(struct script_reader *script, remote_addr addr)
{
	struct program *p = script->data;
	unsigned int stores = next_random(p) % (p->stores_per_step + 1);

	(void)addr;
	while (stores--) {
		if (!world_run(&p->s.w, 1))
			act(p);
	}
}

static bool same_frame(
	const struct world *w, const struct raw_frame *raw, const struct world_frame *frame)
{
	return raw->frame == frame->frame && raw->code == frame->code &&
		raw->instr == world_instr(w, frame->code, frame->unit);
}

/* True if `moment` had all frames of `stack` but the leaf. */
static bool had_callers(
	const struct world *w, const struct raw_stack *stack, const struct world_stack *moment)
{
	size_t callers = stack->count - 1;

	if (moment->depth < callers)
		return false;
	for (size_t i = 0; i < callers; i++)
		if (!same_frame(w, &stack->frames[stack->count - 1 - i], &moment->frames[i]))
			return false;
	return true;
}

static bool had_leaf(const struct raw_stack *stack, const struct world_stack *moment)
{
	size_t callers = stack->count - 1;

	return moment->depth > callers && moment->frames[callers].code == stack->frames[0].code &&
		moment->frames[callers].frame == stack->frames[0].frame;
}

static void judge(struct program *p)
{
	const struct world *w = &p->s.w;
	bool callers = false, leaf = false;

	if (!p->s.stack->count)
		return;
	for (size_t i = 0; i < w->moment_count && !leaf; i++) {
		bool had = had_callers(w, p->s.stack, w->moments[i]);

		callers |= had;
		leaf |= had && had_leaf(p->s.stack, w->moments[i]);
	}
	p->false_stacks += !callers;
	p->edges += callers && !leaf && !p->s.stack->unproven;
}

static void read_program(struct program *p, const char *release, size_t samples, size_t grain)
{
	struct still *s = &p->s;
	struct script_reader script;

	still_init_with(s, release, p->chunk_bytes);
	script_reader_init(&script, &s->w);
	script.step = run_program;
	script.data = p;
	script.grain = grain;
	s->w.deferred = true;
	for (size_t i = 0; i < samples; i++) {
		world_forget(&s->w);
		if (stack_reader_read(&s->reader, &s->w.rt, &script.reader, 2, &s->stack) !=
			READ_OK) {
			p->refused++;
			continue;
		}
		p->accepted++;
		p->truncated += s->stack->unproven;
		judge(p);
	}
	still_deinit(s);
}

static void report(const char *release, const struct program *p)
{
	if (getenv("FIREGLASS_VERBOSE"))
		print_message("%-6s accepted %zu (truncated %zu) refused %zu, leaf on a wrong "
			      "line %zu, false %zu\n",
			release, p->accepted, p->truncated, p->refused, p->edges, p->false_stacks);
}

/* Small chunks of the data stack: a stack lies in several pieces, as deep ones do. */
static const size_t chunk_sizes[] = { 16384, 24 + 3 * 128 };

/* The program moves between ranges only, as if each were copied in no time. */
static void test_only_true_stacks_are_accepted(void **state)
{
	(void)state;
	for_each_release(release) {
		for (size_t i = 0; i < ARRAY_LEN(chunk_sizes); i++) {
			struct program p = {
				.random = 1, .stores_per_step = 3, .chunk_bytes = chunk_sizes[i]
			};

			read_program(&p, *release, 4000, 0);
			report(*release, &p);
			assert_in_range(p.accepted, 400, 4000);
			assert_int_equal(p.false_stacks, 0);
		}
	}
}

/* The leaf may have moved since; but where it stands, it was called from the line of its caller. */
static void test_leaf_was_called_from_its_caller(void **state)
{
	(void)state;
	for_each_release(release) {
		for (size_t i = 0; i < ARRAY_LEN(chunk_sizes); i++) {
			struct program p = {
				.random = 7, .stores_per_step = 3, .chunk_bytes = chunk_sizes[i]
			};

			read_program(&p, *release, 4000, 0);
			assert_int_equal(p.edges, 0);
		}
	}
}

/* The program also moves within ranges, cache line by cache line. */
static void test_true_stacks_within_ranges(void **state)
{
	(void)state;
	for_each_release(release) {
		for (size_t i = 0; i < ARRAY_LEN(chunk_sizes); i++) {
			struct program p = {
				.random = 3, .stores_per_step = 1, .chunk_bytes = chunk_sizes[i]
			};

			read_program(&p, *release, 4000, 64);
			report(*release, &p);
			assert_in_range(p.accepted, 400, 4000);
			assert_int_equal(p.false_stacks, 0);
		}
	}
}

/* Between the two images, at each range in turn: one call more, or one less. */
static void nudge(struct script_reader *script, remote_addr addr)
{
	struct program *p = script->data;

	(void)addr;
	if (script->ranges != p->stores_per_step)
		return;
	if (p->random)
		world_push(&p->s.w, &p->s.t, p->s.codes[3]);
	else
		world_pop(&p->s.w, &p->s.t);
}

static void test_leaf_may_differ(void **state)
{
	(void)state;
	for_each_release(release) {
		for (unsigned int when = 1; when <= 6; when++) {
			for (unsigned int push = 0; push < 2; push++) {
				struct program p = { .random = push, .stores_per_step = when };
				struct script_reader script;

				still_init(&p.s, *release);
				still_push(&p.s, 5);
				still_assert_true(&p.s);
				script_reader_init(&script, &p.s.w);
				script.step = nudge;
				script.data = &p;
				assert_int_equal(stack_reader_read(&p.s.reader, &p.s.w.rt,
							 &script.reader, 2, &p.s.stack),
					READ_OK);
				judge(&p);
				assert_int_equal(p.false_stacks + p.edges, 0);
				assert_in_range(p.s.stack->count, 4, 6);
				still_deinit(&p.s);
			}
		}
	}
}

/*
 * A callee has returned, its frame is still to be seen, and its caller calls another one from
 * another line: the old callee must not be shown as called from there, at whichever range of the
 * read the call happens.
 */
static void test_callee_that_has_returned(void **state)
{
	(void)state;
	for_each_release(release) {
		for (unsigned int when = 1; when <= 8; when++) {
			struct program p = { .random = 1, .stores_per_step = when };
			struct script_reader script;

			still_init(&p.s, *release);
			still_push(&p.s, 6);
			still_assert_true(&p.s);
			world_pop(&p.s.w, &p.s.t);
			world_step(&p.s.w, &p.s.t, 9);
			script_reader_init(&script, &p.s.w);
			script.step = nudge;
			script.data = &p;
			assert_int_equal(stack_reader_read(&p.s.reader, &p.s.w.rt, &script.reader,
						 2, &p.s.stack),
				READ_OK);
			judge(&p);
			assert_int_equal(p.false_stacks, 0);
			if (p.edges)
				print_error(
					"%s: wrong when called before range %u\n", *release, when);
			assert_int_equal(p.edges, 0);
			still_deinit(&p.s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunk_freed_in_the_middle),
		cmocka_unit_test(test_only_true_stacks_are_accepted),
		cmocka_unit_test(test_leaf_was_called_from_its_caller),
		cmocka_unit_test(test_true_stacks_within_ranges),
		cmocka_unit_test(test_leaf_may_differ),
		cmocka_unit_test(test_callee_that_has_returned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/* The window of newest samples: what it holds, what leaves it, and that it stays small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/cleanup.h"
#include "store/window.h"

#define MS ((uint64_t)1000000)
#define SECOND (1000 * MS)
#define BEGIN (1700000000 * SECOND)
#define LENGTH (600 * SECOND)

struct sums {
	uint64_t samples, cpu_ns;
	double weight;
	size_t calls;
	uint64_t of_stack[8], of_flags[SAMPLE_FLAGS + 1], of_state[SAMPLE_STATES];
};

static void add_up(void *data, const struct window_group *group)
{
	struct sums *s = data;

	s->calls++;
	s->samples += group->samples;
	s->weight += group->weight;
	s->cpu_ns += group->cpu_ns;
	if (group->stack < ARRAY_LEN(s->of_stack))
		s->of_stack[group->stack] += group->samples;
	s->of_flags[group->flags] += group->samples;
	s->of_state[group->state] += group->samples;
}

static struct sums sums_of(const struct window *w, uint64_t length_ns, uint64_t half_ns)
{
	struct sums s = { 0 };

	window_each(w, length_ns, half_ns, add_up, &s);
	return s;
}

static struct window *make(struct capture *c, uint64_t length_ns)
{
	capture_init(c);
	return window_create(c, length_ns);
}

static void put(struct window *w, uint64_t at_ns, stack_id stack)
{
	const struct capture_sample sample = { .time_ns = BEGIN + at_ns, .count = 1,
		.cpu_ns = MS, .stack = stack, .syscall = SYSCALL_NONE, .state = SAMPLE_ON_CPU };

	window_sample(w, &sample);
}

static void free_both(struct window *w, struct capture *c)
{
	window_destroy(w);
	capture_deinit(c);
}

static void test_empty(void **state)
{
	struct capture c;
	struct window *w = make(&c, LENGTH);

	(void)state;
	assert_int_equal(sums_of(w, LENGTH, 0).calls, 0);
	window_advance(w, BEGIN);
	window_reset(w);
	assert_int_equal(sums_of(w, LENGTH, SECOND).calls, 0);
	free_both(w, &c);
	window_destroy(NULL);
}

/* Equal samples are one group, those that differ in anything are not. */
static void test_groups(void **state)
{
	struct capture_sample s = { .time_ns = BEGIN, .count = 2, .cpu_ns = 5, .stack = 1,
		.syscall = SYSCALL_NONE, .state = SAMPLE_ON_CPU };
	struct capture c;
	struct window *w = make(&c, LENGTH);

	(void)state;
	window_sample(w, &s);
	window_sample(w, &s);
	s.flags = SAMPLE_TAKEN_OVER; // how it was had tells nothing apart
	window_sample(w, &s);
	struct sums one = sums_of(w, LENGTH, 0);
	assert_int_equal(one.calls, 1);
	assert_int_equal(one.samples, 6);
	assert_int_equal(one.cpu_ns, 15);
	assert_true(one.weight == 6);
	s.flags = SAMPLE_HOLDS_GIL;
	window_sample(w, &s);
	s.state = SAMPLE_WAITING;
	window_sample(w, &s);
	s.thread = 1;
	window_sample(w, &s);
	s.stack = STACK_NONE;
	window_sample(w, &s);
	struct sums all = sums_of(w, LENGTH, 0);
	assert_int_equal(all.calls, 5);
	assert_int_equal(all.of_flags[SAMPLE_HOLDS_GIL], 8);
	assert_int_equal(all.of_state[SAMPLE_WAITING], 6);
	assert_int_equal(all.samples, 14);
	free_both(w, &c);
}

/* 1 kHz for longer than the window is: any part of it has its samples, give or take 1/32. */
static void test_parts_are_exact(void **state)
{
	static const unsigned int seconds[] = { 1, 2, 5, 15, 60, 120, 300, 599 };
	struct capture c;
	struct window *w = make(&c, LENGTH);

	(void)state;
	for (uint64_t ms = 0; ms < 700 * 1000; ms++)
		put(w, ms * MS, ms % 4);
	for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
		struct sums s = sums_of(w, seconds[i] * SECOND, 0);
		uint64_t due = seconds[i] * (uint64_t)1000, slack = due / 32 + 100;

		assert_in_range(s.samples, due - slack, due + slack);
		assert_int_equal(s.cpu_ns, s.samples * MS);
		for (unsigned int k = 0; k < 4; k++)
			assert_in_range(s.of_stack[k], s.samples / 4 - 1, s.samples / 4 + 1);
	}
	// it is made of few slices: 4 groups in each
	assert_in_range(sums_of(w, LENGTH, 0).calls, 100, 4 * 400);
	free_both(w, &c);
}

static void test_old_ones_leave(void **state)
{
	struct capture c;
	struct window *w = make(&c, 10 * SECOND);

	(void)state;
	put(w, 0, 1);
	put(w, 5 * SECOND, 2);
	assert_int_equal(sums_of(w, 10 * SECOND, 0).samples, 2);
	assert_int_equal(sums_of(w, 2 * SECOND, 0).samples, 1);
	window_advance(w, BEGIN + 11 * SECOND);
	struct sums s = sums_of(w, 10 * SECOND, 0);
	assert_int_equal(s.samples, 1);
	assert_int_equal(s.of_stack[2], 1);
	window_advance(w, BEGIN + 20 * SECOND);
	assert_int_equal(sums_of(w, 10 * SECOND, 0).samples, 0);
	put(w, 21 * SECOND, 3);
	assert_int_equal(sums_of(w, 10 * SECOND, 0).of_stack[3], 1);
	free_both(w, &c);
}

static void test_decay(void **state)
{
	struct capture c;
	struct window *w = make(&c, LENGTH);

	(void)state;
	for (uint64_t s = 0; s <= 20; s++)
		put(w, s * SECOND, 1);
	window_advance(w, BEGIN + 20 * SECOND);
	// each half as much as one ten seconds younger: 1 + 2^-0.1 + ... + 2^-2
	struct sums s = sums_of(w, 60 * SECOND, 10 * SECOND);
	double due = 0, weight = 1;
	for (int i = 0; i <= 20; i++, weight *= 0.93303299153680741)
		due += weight;
	assert_true(s.weight > due * 0.98 && s.weight < due * 1.02);
	assert_int_equal(s.samples, 21);
	free_both(w, &c);
}

static void test_clock(void **state)
{
	struct capture c;
	struct window *w = make(&c, LENGTH);

	(void)state;
	put(w, 100 * SECOND, 1);
	put(w, 99 * SECOND, 1); // of another thread: not quite in order
	assert_int_equal(sums_of(w, LENGTH, 0).samples, 2);
	put(w, 10 * SECOND, 2); // set back
	struct sums s = sums_of(w, LENGTH, 0);
	assert_int_equal(s.samples, 1);
	assert_int_equal(s.of_stack[2], 1);
	put(w, 5000 * SECOND, 3); // set forward
	assert_int_equal(sums_of(w, LENGTH, 0).of_stack[3], 1);
	assert_int_equal(sums_of(w, LENGTH, 0).samples, 1);
	free_both(w, &c);
}

static void test_reset(void **state)
{
	struct capture c;
	struct window *w = make(&c, LENGTH);

	(void)state;
	for (uint64_t ms = 0; ms < 30000; ms++)
		put(w, ms * MS, ms % 8);
	window_reset(w);
	assert_int_equal(sums_of(w, LENGTH, 0).calls, 0);
	put(w, 30000 * MS, 1);
	assert_int_equal(sums_of(w, LENGTH, 0).samples, 1);
	free_both(w, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_parts_are_exact),
		cmocka_unit_test(test_old_ones_leave),
		cmocka_unit_test(test_decay),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

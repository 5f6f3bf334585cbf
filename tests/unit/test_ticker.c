// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "sample/ticker.h"

#define MS ((uint64_t)1000000)

static void test_on_time(void **state)
{
	struct ticker t;

	(void)state;
	ticker_start(&t, 10 * MS, false, 1000 * MS);
	assert_int_equal(t.next_ns, 1000 * MS); // the first is due at once
	for (uint64_t i = 0; i < 100; i++) {
		ticker_advance(&t, (1000 + i * 10) * MS + 20);
		assert_int_equal(t.next_ns, (1000 + (i + 1) * 10) * MS); // no drift
	}
	assert_int_equal(t.ticks, 100);
	assert_int_equal(t.missed, 0);
}

/* A tick is missed when its slot has passed, not when it is late within it. */
static void test_late(void **state)
{
	struct ticker t;

	(void)state;
	ticker_start(&t, 10 * MS, false, 0);
	ticker_advance(&t, 10 * MS - 1);
	assert_int_equal(t.missed, 0);
	assert_int_equal(t.next_ns, 10 * MS);
	ticker_advance(&t, 20 * MS - 1);
	assert_int_equal(t.missed, 0);
	assert_int_equal(t.next_ns, 20 * MS);
	ticker_advance(&t, 41 * MS); // the slot from 30 on went by without a tick
	assert_int_equal(t.missed, 1);
	assert_int_equal(t.next_ns, 40 * MS);
	assert_int_equal(t.ticks, 3);
}

/* A suspended machine: one tick, the rest is missed, and the slots stay where they are. */
static void test_far_behind(void **state)
{
	struct ticker t;

	(void)state;
	ticker_start(&t, 10 * MS, false, 0);
	ticker_advance(&t, 0);
	ticker_advance(&t, 3600 * 1000 * MS + 3 * MS);
	assert_int_equal(t.ticks, 2);
	assert_int_equal(t.missed, 360000 - 2);
	assert_int_equal(t.next_ns, 3600 * 1000 * MS);
}

/* Ticks and missed ones add up to the time that went by, whatever the delays, and never burst. */
static void test_sum(void **state)
{
	static const uint64_t delays[] = { 0, 1, 999, 1000, 1001, 2500, 10000, 123456, 7 };

	(void)state;
	for (int jitter = 0; jitter < 2; jitter++) {
		struct ticker t;
		uint64_t now = 5000;

		ticker_start(&t, 1000, jitter, now);
		for (size_t i = 0; i < 1000; i++) {
			uint64_t slot = t.slot;

			assert_in_range(t.next_ns, 5000 + slot * 1000, 5000 + slot * 1000 + 999);
			now = (now > t.next_ns ? now : t.next_ns) + delays[i % 9];
			ticker_advance(&t, now);
			assert_int_equal(t.slot, t.ticks + t.missed);
			assert_true(t.slot > slot);
			assert_true(t.slot >= (now - 5000) / 1000);
			assert_true(t.slot <= (now - 5000) / 1000 + 1);
		}
	}
}

/* With jitter the moments cover their slots evenly. */
static void test_jitter(void **state)
{
	size_t tenths[10] = { 0 };
	struct ticker t;

	(void)state;
	ticker_start(&t, 1000000, true, 7777777);
	for (size_t i = 0; i < 10000; i++) {
		tenths[(t.next_ns - 7777777) % 1000000 / 100000]++;
		ticker_advance(&t, t.next_ns);
	}
	assert_int_equal(t.missed, 0);
	for (size_t i = 0; i < 10; i++)
		assert_in_range(tenths[i], 800, 1200);
}

static void test_as_fast_as_it_goes(void **state)
{
	struct ticker t;

	(void)state;
	ticker_start(&t, 0, true, 100);
	for (uint64_t i = 0; i < 10; i++) {
		assert_true(t.next_ns <= 100);
		ticker_advance(&t, 100 + i * 1000000);
	}
	assert_int_equal(t.ticks, 10);
	assert_int_equal(t.missed, 0);
}

/* Longest period, latest moment: nothing overflows. */
static void test_longest_period(void **state)
{
	const uint64_t period = (uint64_t)1000 * 1000000000;
	struct ticker t;

	(void)state;
	ticker_start(&t, period, true, 12345);
	for (uint64_t i = 0; i < 1000; i++) {
		assert_in_range(t.next_ns - 12345, i * period, (i + 1) * period);
		ticker_advance(&t, t.next_ns);
	}
}

/* The time of a pause has no slots: what was due before it is accounted for, then it goes on. */
static void test_pause(void **state)
{
	(void)state;
	for (int jitter = 0; jitter < 2; jitter++) {
		struct ticker t;

		ticker_start(&t, 10 * MS, jitter, 0);
		for (uint64_t i = 0; i < 10; i++)
			ticker_advance(&t, t.next_ns);
		assert_int_equal(t.ticks, 10);
		ticker_finish(&t, 134 * MS); // 100, 110 and 120 were not taken
		assert_int_equal(t.missed, 3);
		ticker_resume(&t, 134 * MS, 5134 * MS);
		assert_int_equal(t.missed, 3);
		assert_in_range(t.next_ns, 5130 * MS, 5140 * MS - 1);
		ticker_advance(&t, 5136 * MS);
		assert_int_equal(t.ticks, 11);
		assert_int_equal(t.missed, 3);
		assert_in_range(t.next_ns, 5140 * MS, 5150 * MS - 1);
		ticker_finish(&t, 5200 * MS);
		assert_int_equal(t.ticks + t.missed, 20); // 200 ms without the pause
	}
}

/* A pause within a slot whose tick was not yet due loses nothing. */
static void test_short_pause(void **state)
{
	struct ticker t;

	(void)state;
	ticker_start(&t, 10 * MS, false, 0);
	ticker_advance(&t, 0);
	ticker_finish(&t, 4 * MS);
	ticker_resume(&t, 4 * MS, 6 * MS);
	assert_int_equal(t.missed, 0);
	assert_int_equal(t.next_ns, 12 * MS);
	ticker_resume(&t, 7 * MS, 6 * MS); // a clock that runs backwards: no pause
	assert_int_equal(t.next_ns, 12 * MS);
}

static void test_waiting(void **state)
{
	struct ticker t;
	uint64_t start = clock_now_ns();

	(void)state;
	ticker_start(&t, MS, false, start);
	for (int i = 0; i < 5; i++)
		assert_true(ticker_wait(&t, 0));
	assert_int_equal(t.ticks, 5);
	assert_true(clock_now_ns() >= start + 4 * MS);
	assert_int_equal(t.slot, t.ticks + t.missed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_on_time),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_far_behind),
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_as_fast_as_it_goes),
		cmocka_unit_test(test_longest_period),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_short_pause),
		cmocka_unit_test(test_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

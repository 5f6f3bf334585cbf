// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "store/capture.h"
#include "store/sample_block.h"

#define SAMPLES (2 * SAMPLE_BLOCK_ROWS + 100)

static void test_facts(void **state)
{
	_cleanup_(capture_deinit) struct capture c;

	(void)state;
	capture_init(&c);
	assert_null(capture_fact(&c, FACT_HOST));
	capture_set_fact(&c, FACT_HOST, "a");
	capture_set_fact(&c, FACT_TOOL, "");
	capture_set_fact(&c, FACT_HOST, "b");
	assert_int_equal(c.fact_count, 2);
	assert_string_equal(capture_fact(&c, FACT_HOST), "b");
	assert_string_equal(capture_fact(&c, FACT_TOOL), "");
	capture_set_fact_u64(&c, FACT_TICKS, 1234567890123456789u);
	assert_int_equal(capture_fact_u64(&c, FACT_TICKS, 1), 1234567890123456789u);
	assert_int_equal(capture_fact_u64(&c, FACT_HOST, 7), 7);
	assert_int_equal(capture_fact_u64(&c, FACT_TOOL, 7), 7);
	assert_int_equal(capture_fact_u64(&c, FACT_ARCH, 7), 7);
	capture_set_fact(&c, FACT_TICKS, "99999999999999999999"); // more than 64 bits
	assert_int_equal(capture_fact_u64(&c, FACT_TICKS, 7), 7);
}

static void fill(struct capture *c, size_t samples)
{
	capture_init(c);
	capture_add_process(c, &(struct capture_process){ .pid = 1 });
	capture_add_thread(c, &(struct capture_thread){ .tid = 1 });
	frame_id frame = profile_plain_frame(&c->tables, FUNCTION_MARK, "(a)");
	stack_id stack = profile_stack(&c->tables, STACK_NONE, frame);
	for (size_t i = 0; i < samples; i++)
		capture_add_sample(c,
			&(struct capture_sample){
				.time_ns = 1000 + 10 * i,
				.count = 1 + i % 3,
				.stack = i % 7 ? stack : STACK_NONE,
				.syscall = SYSCALL_NONE,
			});
}

static void test_samples(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	struct capture_cursor cursor;
	uint64_t i = 0, count = 0;

	(void)state;
	fill(&c, SAMPLES);
	assert_int_equal(c.block_count, 2);
	assert_int_equal(c.pending_count, 100);
	capture_cursor_init(&cursor, &c);
	for (const struct capture_sample *s; (s = capture_cursor_next(&cursor)); i++) {
		assert_int_equal(s->time_ns, 1000 + 10 * i);
		assert_int_equal(s->stack, i % 7 ? 0 : STACK_NONE);
		count += s->count;
	}
	assert_null(capture_cursor_error(&cursor));
	assert_int_equal(i, SAMPLES);
	assert_int_equal(capture_samples(&c), count);
	assert_int_equal(capture_first_ns(&c), 1000);
	assert_int_equal(capture_last_ns(&c), 1000 + 10 * (SAMPLES - 1));
	assert_null(capture_cursor_next(&cursor));
	capture_cursor_deinit(&cursor);
}

static void test_seek(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	struct capture_cursor cursor;
	const uint64_t second = 1000 + 10 * (uint64_t)SAMPLE_BLOCK_ROWS;

	(void)state;
	fill(&c, SAMPLES);
	capture_cursor_init(&cursor, &c);
	capture_cursor_seek(&cursor, second);
	assert_int_equal(capture_cursor_next(&cursor)->time_ns, second);
	capture_cursor_seek(&cursor, second - 1);
	assert_int_equal(capture_cursor_next(&cursor)->time_ns, second);
	capture_cursor_seek(&cursor, second - 10);
	assert_int_equal(capture_cursor_next(&cursor)->time_ns, 1000);
	capture_cursor_seek(&cursor, 0);
	assert_int_equal(capture_cursor_next(&cursor)->time_ns, 1000);
	capture_cursor_seek(&cursor, UINT64_MAX); // pending samples may be at any time
	assert_int_equal(
		capture_cursor_next(&cursor)->time_ns, 1000 + 20 * (uint64_t)SAMPLE_BLOCK_ROWS);
	capture_cursor_deinit(&cursor);
}

static void test_empty(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	struct capture_cursor cursor;

	(void)state;
	capture_init(&c);
	assert_int_equal(capture_samples(&c), 0);
	assert_int_equal(capture_first_ns(&c), 0);
	assert_int_equal(capture_last_ns(&c), 0);
	capture_cursor_init(&cursor, &c);
	assert_null(capture_cursor_next(&cursor));
	assert_null(capture_cursor_error(&cursor));
	capture_cursor_deinit(&cursor);
	assert_string_equal(capture_text(&c, capture_string(&c, "")), "");
}

/* What a block names must be there, and be as it says. */
static void test_wrong_blocks(void **state)
{
	static const struct capture_sample samples[] = {
		{ .time_ns = 5, .count = 2, .thread = 1, .stack = STACK_NONE },
		{ .time_ns = 5, .count = 2, .stack = 1 },
		{ .time_ns = 4, .count = 2, .stack = STACK_NONE },
		{ .time_ns = 6, .count = 2, .stack = STACK_NONE },
		{ .time_ns = 5, .count = 3, .stack = STACK_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		_cleanup_(capture_deinit) struct capture c;
		struct capture_cursor cursor;

		fill(&c, 0);
		c.blocks = calloc(1, sizeof(*c.blocks));
		c.block_count = c.block_capacity = 1;
		c.blocks[0] = (struct capture_block){ 5, 5, 1, 2, { 0 }, { 0 } };
		sample_block_encode(&c.blocks[0].encoded, &samples[i], 1);
		capture_cursor_init(&cursor, &c);
		assert_null(capture_cursor_next(&cursor));
		struct err *err = capture_cursor_error(&cursor);
		assert_non_null(err);
		err_free(err);
		assert_null(capture_cursor_next(&cursor));
		capture_cursor_deinit(&cursor);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_seek),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_wrong_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

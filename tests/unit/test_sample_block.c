// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "store/chunk.h"
#include "store/columns.h"
#include "store/sample_block.h"
#include "store/sample_round.h"
#include "store/tick_line.h"

#define PERIOD_NS 1000000u
#define EPOCH_NS 1700000000123456789u

static uint64_t random_state = 88172645463325252u;

static uint64_t random_below(uint64_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 11) % limit;
}

static struct capture_sample *rows_new(size_t count)
{
	return xcalloc(count ? count : 1, sizeof(struct capture_sample));
}

static void assert_same(const struct capture_sample *a, const struct capture_sample *b)
{
	assert_int_equal(a->time_ns, b->time_ns);
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->cpu_ns, b->cpu_ns);
	assert_int_equal(a->thread, b->thread);
	assert_int_equal(a->stack, b->stack);
	assert_int_equal(a->syscall, b->syscall);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->flags, b->flags);
}

/* Encodes, decodes, compares; returns how many bytes the block has when compressed. */
static size_t round_trip(const struct capture_sample *rows, size_t count, uint64_t period_ns)
{
	_cleanup_buf_ struct buf block = BUF_INIT, packed = BUF_INIT;
	_cleanup_free_ struct capture_sample *again = rows_new(SAMPLE_BLOCK_ROWS);
	struct chunk_codec *codec = chunk_codec_create();
	struct chunk chunk = { .type = 10 };
	size_t parts[COLUMNS_STREAMS + 1], got = SIZE_MAX;

	sample_block_encode_period(&block, rows, count, period_ns);
	assert_true(sample_block_decode(block.data, block.len, again, &got));
	assert_int_equal(got, count);
	for (size_t i = 0; i < count; i++)
		assert_same(&again[i], &rows[i]);
	size_t part_count = columns_parts(block.data, block.len, SAMPLE_BLOCK_COLUMNS, parts);
	chunk_pack(codec, &packed, &chunk, block.data, block.len, parts, part_count);
	chunk_codec_destroy(codec);
	return packed.len;
}

static struct capture_sample idle(uint32_t thread, uint64_t time_ns)
{
	return (struct capture_sample){
		.time_ns = time_ns,
		.count = 1,
		.thread = thread,
		.stack = 1000 + thread % 5,
		.syscall = 202,
		.state = SAMPLE_WAITING,
		.flags = SAMPLE_TAKEN_OVER,
	};
}

static void test_empty_and_one(void **state)
{
	struct capture_sample s = idle(3, EPOCH_NS);

	(void)state;
	round_trip(NULL, 0, 0);
	round_trip(&s, 1, 0);
	round_trip(&s, 1, PERIOD_NS);
	s = (struct capture_sample){ .stack = STACK_NONE, .flags = SAMPLE_UNREADABLE };
	round_trip(&s, 1, 0);
}

static void test_extremes(void **state)
{
	const uint64_t times[] = { 0, UINT64_MAX, 1, EPOCH_NS, UINT64_MAX - 1, 5, 5, 0 };
	struct capture_sample rows[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		rows[i] = (struct capture_sample){
			.time_ns = times[i % 8],
			.count = i % 3 ? UINT64_MAX : 0,
			.cpu_ns = i % 5 ? UINT64_MAX - i : 0,
			.thread = i % 2 ? UINT32_MAX - 1 : (uint32_t)i,
			.stack = i % 4 ? STACK_NONE - (uint32_t)(i % 4) + 1 : 0,
			.syscall = i % 2 ? INT32_MIN : INT32_MAX,
			.state = (uint8_t)(i % SAMPLE_STATES),
			.flags = (uint8_t)(i % (SAMPLE_FLAGS + 1)),
		};
	round_trip(rows, ARRAY_LEN(rows), 0);
	round_trip(rows, ARRAY_LEN(rows), 1);
	round_trip(rows, ARRAY_LEN(rows), PERIOD_NS);
	round_trip(rows, ARRAY_LEN(rows), UINT64_MAX);
	round_trip(rows, ARRAY_LEN(rows), 1ull << 60);
}

static void fill_random(struct capture_sample *rows, size_t count, uint64_t stacks)
{
	uint64_t time_ns = EPOCH_NS;

	for (size_t i = 0; i < count; i++) {
		time_ns += random_below(3) ? 0 : random_below(3 * PERIOD_NS);
		rows[i] = (struct capture_sample){
			.time_ns = time_ns - random_below(100),
			.count = random_below(4) ? 1 : random_below(1000),
			.cpu_ns = random_below(2) ? 0 : random_below(PERIOD_NS),
			.thread = (uint32_t)random_below(40),
			.stack = random_below(50) ? (stack_id)random_below(stacks) : STACK_NONE,
			.syscall = random_below(2) ? SYSCALL_NONE : (int32_t)random_below(400),
			.state = (uint8_t)random_below(SAMPLE_STATES),
			.flags = (uint8_t)random_below(SAMPLE_FLAGS + 1),
		};
	}
}

static void test_random(void **state)
{
	_cleanup_free_ struct capture_sample *rows = rows_new(SAMPLE_BLOCK_ROWS);

	(void)state;
	for (size_t count = 1; count <= SAMPLE_BLOCK_ROWS; count = count * 5 / 2 + 1) {
		fill_random(rows, count, 1 + count % 700);
		round_trip(rows, count, count % 2 ? PERIOD_NS : 0);
	}
	// each stack another one, each thread too
	fill_random(rows, SAMPLE_BLOCK_ROWS, UINT32_MAX);
	for (size_t i = 0; i < SAMPLE_BLOCK_ROWS; i++)
		rows[i].thread = (uint32_t)(i * 77);
	round_trip(rows, SAMPLE_BLOCK_ROWS, PERIOD_NS);
}

/* A tick at a random moment of each slot, now and then some slots without. */
static uint64_t jittered(uint64_t tick)
{
	return EPOCH_NS + (tick + tick / 900) * PERIOD_NS + random_below(PERIOD_NS);
}

static void test_what_repeats_costs_nothing(void **state)
{
	_cleanup_free_ struct capture_sample *rows = rows_new(SAMPLE_BLOCK_ROWS);
	struct sample_round r;

	(void)state;
	// 16384 equal samples: a few bytes together
	for (size_t i = 0; i < SAMPLE_BLOCK_ROWS; i++)
		rows[i] = idle(0, jittered(i));
	sample_round_init(&r, PERIOD_NS);
	sample_round(&r, rows, SAMPLE_BLOCK_ROWS);
	size_t bytes = round_trip(rows, SAMPLE_BLOCK_ROWS, PERIOD_NS);
	assert_in_range(bytes, 40, 350);
	sample_round_deinit(&r);

	// 300 threads take turns, 3 of them move: about what 3 threads cost
	for (size_t i = 0; i < SAMPLE_BLOCK_ROWS; i++) {
		uint64_t time_ns = i % 300 ? rows[i - 1].time_ns : jittered(i / 300);

		rows[i] = idle((uint32_t)(i % 300), time_ns);
		if (i % 300 % 100 == 7)
			rows[i].stack = (stack_id)random_below(20);
	}
	sample_round_init(&r, PERIOD_NS);
	sample_round(&r, rows, SAMPLE_BLOCK_ROWS);
	bytes = round_trip(rows, SAMPLE_BLOCK_ROWS, PERIOD_NS);
	assert_in_range(bytes, 150, 1000); // 55 ticks
	sample_round_deinit(&r);
}

static void test_busy_costs_little(void **state)
{
	_cleanup_free_ struct capture_sample *rows = rows_new(SAMPLE_BLOCK_ROWS);
	struct sample_round r;

	(void)state;
	for (size_t i = 0; i < SAMPLE_BLOCK_ROWS; i++) {
		rows[i] = idle(0, jittered(i));
		rows[i].stack = (stack_id)random_below(500);
		rows[i].syscall = SYSCALL_NONE;
		rows[i].state = SAMPLE_ON_CPU;
		rows[i].cpu_ns = i % 4 ? 0 : 3990000 + random_below(20000);
	}
	sample_round_init(&r, PERIOD_NS);
	sample_round(&r, rows, SAMPLE_BLOCK_ROWS);
	size_t bytes = round_trip(rows, SAMPLE_BLOCK_ROWS, PERIOD_NS);
	assert_in_range(bytes, SAMPLE_BLOCK_ROWS, SAMPLE_BLOCK_ROWS * 9 / 4);
	sample_round_deinit(&r);
}

/* What rounding promises. */
static void test_round(void **state)
{
	enum { ROWS = 9000 };
	_cleanup_free_ struct capture_sample *rows = rows_new(ROWS), *exact = rows_new(ROWS);
	uint64_t cpu[3] = { 0 }, rounded_cpu[3] = { 0 };
	struct sample_round r;
	size_t moved = 0;

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		uint64_t time_ns = i % 3 ? exact[i - 1].time_ns : jittered(i / 3);
		bool busy = i / 300 % 2;

		exact[i] = idle((uint32_t)(i % 3), time_ns);
		if (busy)
			exact[i].stack = (stack_id)random_below(20);
		exact[i].cpu_ns = busy ? random_below(PERIOD_NS) : 0;
	}
	memcpy(rows, exact, ROWS * sizeof(*rows));
	sample_round_init(&r, PERIOD_NS);
	for (size_t at = 0; at < ROWS; at += 900) // in blocks
		sample_round(&r, rows + at, 900);
	sample_round_deinit(&r);
	for (size_t i = 0; i < ROWS; i++) {
		int64_t off = (int64_t)(rows[i].time_ns - exact[i].time_ns);
		bool quiet = i / 300 % 2 == 0 && i % 300 >= 3;

		assert_true(imaxabs(off) <= (quiet ? PERIOD_NS * 3 / 4 + 7813 : 7813));
		assert_int_equal(rows[i].time_ns % (PERIOD_NS / 64), 0);
		assert_true(!i || rows[i].time_ns >= rows[i - 1].time_ns);
		assert_int_equal(rows[i].stack, exact[i].stack);
		moved += imaxabs(off) > 7813;
		cpu[i % 3] += exact[i].cpu_ns;
		rounded_cpu[i % 3] += rows[i].cpu_ns;
	}
	assert_true(moved > ROWS / 4); // or else nothing of this was tested
	for (size_t t = 0; t < 3; t++)
		assert_in_range(cpu[t] - rounded_cpu[t], 0, PERIOD_NS / 64 - 1);
}

static void test_round_without_period(void **state)
{
	_cleanup_free_ struct capture_sample *rows = rows_new(500), *exact = rows_new(500);
	struct sample_round r;

	(void)state;
	fill_random(exact, 500, 10);
	memcpy(rows, exact, 500 * sizeof(*rows));
	sample_round_init(&r, 0);
	sample_round(&r, rows, 500);
	sample_round_deinit(&r);
	for (size_t i = 0; i < 500; i++)
		assert_same(&rows[i], &exact[i]);
}

static void test_tick_line(void **state)
{
	_cleanup_free_ struct capture_sample *rows = rows_new(2000);
	struct tick_line line = { 5000, 1000 };

	(void)state;
	tick_line_follow(&line, 5750);
	assert_int_equal(line.at_ns, 5000);
	tick_line_follow(&line, 5751);
	assert_int_equal(line.at_ns, 6000);
	tick_line_follow(&line, 5250);
	assert_int_equal(line.at_ns, 6000);
	tick_line_follow(&line, 5249);
	assert_int_equal(line.at_ns, 5000);
	tick_line_follow(&line, 7500);
	assert_int_equal(line.at_ns, 8000);

	// the middle of the slots is found, whatever the first tick is
	for (size_t i = 0; i < 2000; i++)
		rows[i].time_ns = EPOCH_NS + i * PERIOD_NS + (i ? random_below(PERIOD_NS) : 1000);
	assert_true(tick_line_find(&line, rows, 2000, PERIOD_NS));
	assert_in_range(line.at_ns, EPOCH_NS + PERIOD_NS * 2 / 5, EPOCH_NS + PERIOD_NS * 3 / 5);
	assert_false(tick_line_find(&line, rows, 2000, 0));
	assert_false(tick_line_find(&line, rows, 2000, PERIOD_NS / 100));
}

/* Bytes that are no block are refused, or give rows that are well formed. */
static void test_damage(void **state)
{
	_cleanup_free_ struct capture_sample *rows = rows_new(SAMPLE_BLOCK_ROWS);
	_cleanup_buf_ struct buf block = BUF_INIT;
	size_t count = 0;

	(void)state;
	fill_random(rows, 200, 30);
	sample_block_encode_period(&block, rows, 200, PERIOD_NS);
	for (size_t len = 0; len < block.len; len++) {
		// exactly so much memory, for the sanitizer
		_cleanup_free_ char *part = xmalloc(len ? len : 1);

		memcpy(part, block.data, len);
		assert_false(sample_block_decode(part, len, rows, &count));
	}
	for (size_t i = 0; i < block.len * 8; i++) {
		block.data[i / 8] = (char)(block.data[i / 8] ^ 1 << i % 8);
		if (sample_block_decode(block.data, block.len, rows, &count)) {
			assert_in_range(count, 0, SAMPLE_BLOCK_ROWS);
			for (size_t k = 0; k < count; k++)
				assert_true(rows[k].state < SAMPLE_STATES &&
					rows[k].flags <= SAMPLE_FLAGS);
		}
		block.data[i / 8] = (char)(block.data[i / 8] ^ 1 << i % 8);
	}
}

static void test_columns(void **state)
{
	const uint64_t numbers[] = { 0, 1, 191, 192, 193, 447, 448, 12479, 12480, 65535, 65536,
		UINT32_MAX, 1ull << 32, INT64_MAX, UINT64_MAX };
	_cleanup_(columns_deinit) struct columns c = { 0 };
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	struct columns_reader r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		columns_put(&c, 0, numbers[i]);
		columns_put_signed(&c, 2, (int64_t)numbers[i]);
	}
	columns_put_bytes(&c, 1, "text", 4);
	columns_finish(&c, 3, &bytes);
	assert_true(columns_open(&r, bytes.data, bytes.len, 3));
	assert_false(columns_done(&r));
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		assert_int_equal(column_get(&r.columns[0]), numbers[i]);
		assert_int_equal(column_get_signed(&r.columns[2]), (int64_t)numbers[i]);
	}
	assert_memory_equal(column_get_bytes(&r.columns[1], 4), "text", 4);
	assert_true(columns_done(&r));
	assert_int_equal(column_get(&r.columns[0]), 0);
	assert_false(columns_done(&r));
	assert_false(columns_open(&r, bytes.data, bytes.len - 1, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_and_one),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_what_repeats_costs_nothing),
		cmocka_unit_test(test_busy_costs_little),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_round_without_period),
		cmocka_unit_test(test_tick_line),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"

struct quantity {
	const char *text;
	uint64_t ns;
};

static void test_rates(void **state)
{
	static const struct quantity good[] = { { "1000", 1000000 }, { "100hz", 10000000 },
		{ "100 Hz", 10000000 }, { "10khz", 100000 }, { "1mhz", 1000 }, { "1MHz", 1000 },
		{ "0.5hz", 2000000000 }, { "0.001", 1000000000000 }, { "250us", 250000 },
		{ "250\xc2\xb5s", 250000 }, { "10ms", 10000000 }, { "2s", 2000000000 },
		{ "1000s", 1000000000000 }, { "1000ns", 1000 }, { "3", 333333333 },
		{ "1000000", 1000 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		uint64_t period = 0;
		struct err *err = units_parse_rate(good[i].text, &period);

		if (err)
			print_error("%s: %s\n", good[i].text, err->message);
		assert_null(err);
		assert_int_equal(period, good[i].ns);
	}
}

static void assert_usage(struct err *err, const char *text, const char *says)
{
	if (!err)
		print_error("taken: '%s'\n", text);
	assert_non_null(err);
	assert_int_equal(err->kind, ERR_USAGE);
	assert_non_null(strstr(err->message, text));
	if (!strstr(err->message, says))
		print_error("'%s': %s\n", text, err->message);
	assert_non_null(strstr(err->message, says));
	err_free(err);
}

static void test_bad_rates(void **state)
{
	static const char *const bad[] = { "", " ", "0", "-1", "+1", "fast", "10 parsecs", "1e",
		"nan", "inf", "0x10", "0X10", "1.2.3", "10hz ", "hz", ".", "1,5", "0hz" };
	static const char *const out[] = { "2mhz", "1001000", "999ns", "5ns", "0.0001", "2000s",
		"1h", "1e300", "1e-300" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint64_t period = 42;

		assert_usage(units_parse_rate(bad[i], &period), bad[i], "bad rate");
		assert_int_equal(period, 42);
	}
	for (size_t i = 0; i < ARRAY_LEN(out); i++) {
		uint64_t period = 42;

		assert_usage(units_parse_rate(out[i], &period), out[i], "out of range");
		assert_int_equal(period, 42);
	}
}

static void test_durations(void **state)
{
	static const struct quantity good[] = { { "10", 10000000000 }, { "10s", 10000000000 },
		{ "1.5m", 90000000000 }, { "500ms", 500000000 }, { "2h", 7200000000000 },
		{ "1min", 60000000000 }, { "0.25", 250000000 }, { "24000h", 86400000000000000 },
		{ "100ns", 100 }, { "5ns", 5 }, { "1 s", 1000000000 } };
	static const char *const bad[] = { "", "0", "-1", "1hz", "10khz", "soon", "nan", "0x1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		uint64_t ns = 0;
		struct err *err = units_parse_duration(good[i].text, &ns);

		if (err)
			print_error("%s: %s\n", good[i].text, err->message);
		assert_null(err);
		assert_int_equal(ns, good[i].ns);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint64_t ns;

		assert_usage(units_parse_duration(bad[i], &ns), bad[i], "bad duration");
	}
	uint64_t ns;
	assert_usage(units_parse_duration("24001h", &ns), "24001h", "out of range");
	assert_usage(units_parse_duration("0.1ns", &ns), "0.1ns", "out of range");
	assert_usage(units_parse_duration("1e308", &ns), "1e308", "out of range");
}

static void writes(
	void (*add)(struct buf *out, uint64_t value), uint64_t value, const char *expected)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	add(&out, value);
	assert_string_equal(buf_str(&out), expected);
}

static void test_counts(void **state)
{
	(void)state;
	writes(units_add_count, 0, "0");
	writes(units_add_count, 999, "999");
	writes(units_add_count, 1000, "1000"); // four digits read well enough
	writes(units_add_count, 12345, "12 345");
	writes(units_add_count, 12345678, "12 345 678");
	writes(units_add_count, UINT64_MAX, "18 446 744 073 709 551 615");
}

static void test_written_durations(void **state)
{
	(void)state;
	writes(units_add_duration, 0, "0 ns");
	writes(units_add_duration, 999, "999 ns");
	writes(units_add_duration, 250000, "250 us");
	writes(units_add_duration, 1500000, "1.50 ms");
	writes(units_add_duration, 12300000000, "12.3 s");
	writes(units_add_duration, 3600000000000, "3600 s");
}

static void test_written_sizes(void **state)
{
	(void)state;
	writes(units_add_size, 0, "0 bytes");
	writes(units_add_size, 1, "1 byte");
	writes(units_add_size, 999, "999 bytes");
	writes(units_add_size, 1500, "1.50 kB");
	writes(units_add_size, 999999, "1 MB");
	writes(units_add_size, 23440000, "23.4 MB");
	writes(units_add_size, 2000000000, "2 GB");
}

static void test_rounding_does_not_make_a_thousand(void **state)
{
	(void)state;
	writes(units_add_duration, 999999, "1 ms");
	writes(units_add_duration, 999999999, "1 s");
	writes(units_add_rate, 333333333, "3 Hz"); // as close as whole nanoseconds come
}

static void test_written_rates(void **state)
{
	(void)state;
	writes(units_add_rate, 1000000, "1000 Hz");
	writes(units_add_rate, 100000, "10 kHz");
	writes(units_add_rate, 1000, "1000 kHz");
	writes(units_add_rate, 2000000000, "0.50 Hz");
	writes(units_add_rate, 10000000, "100 Hz");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_bad_rates),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_written_durations),
		cmocka_unit_test(test_written_sizes),
		cmocka_unit_test(test_rounding_does_not_make_a_thousand),
		cmocka_unit_test(test_written_rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

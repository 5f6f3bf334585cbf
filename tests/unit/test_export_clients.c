// SPDX-License-Identifier: MIT
/*
 * Exports for speedscope, pprof and the Firefox Profiler, and what they are written with. Whether
 * the clients themselves take them is for tests/clients.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "export/export.h"
#include "export/thread_names.h"
#include "export/thread_spool.h"
#include "fmt/gunzip.h"
#include "fmt/gzip.h"
#include "fmt/json_writer.h"
#include "fmt/pb_reader.h"
#include "fmt/pb_writer.h"
#include "golden.h"
#include "golden_captures.h"
#include "sample_capture.h"

#define CAP ((size_t)64 << 20)

/* ---- protocol buffers -------------------------------------------------------------------------- */

static void check_field(struct pb_reader *r, uint32_t number, uint64_t value)
{
	struct pb_field f;

	assert_true(pb_reader_next(r, &f));
	assert_int_equal(f.number, number);
	assert_false(f.is_bytes);
	assert_true(f.value == value);
}

static void check_bytes(struct pb_reader *r, uint32_t number, const char *bytes, size_t len)
{
	struct pb_field f;

	assert_true(pb_reader_next(r, &f));
	assert_int_equal(f.number, number);
	assert_true(f.is_bytes);
	assert_int_equal(f.len, len);
	if (len)
		assert_memory_equal(f.data, bytes, len);
}

static void test_pb_fields(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	(void)state;
	pb_put_u64(&b, 1, 150);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "\x08\x96\x01", 3); // as the format's documentation has it
	pb_put_u64(&b, 2, 0);                           // left out
	pb_put_u64(&b, 3, UINT64_MAX);
	pb_put_bytes(&b, 4, "testing", 7);
	pb_put_bytes(&b, 5, NULL, 0); // left out
	pb_put_element(&b, 6, NULL, 0);
	pb_put_bytes(&b, 1000, "a\0b", 3);
	struct pb_reader r = pb_reader_of(b.data, b.len);
	struct pb_field end;
	check_field(&r, 1, 150);
	check_field(&r, 3, UINT64_MAX);
	check_bytes(&r, 4, "testing", 7);
	check_bytes(&r, 6, "", 0);
	check_bytes(&r, 1000, "a\0b", 3);
	assert_false(pb_reader_next(&r, &end));
	assert_false(r.bad);
}

static void test_pb_packed(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX };
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		pb_put_number(&b, numbers[i]);
	struct pb_reader r = pb_reader_of(b.data, b.len);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		assert_true(pb_reader_number(&r, &value));
		assert_true(value == numbers[i]);
	}
	assert_false(pb_reader_number(&r, &value));
}

/* ---- gzip --------------------------------------------------------------------------------------- */

/* `len` bytes in pieces of `piece`, gzipped. */
static void gzip_pieces(struct buf *out, const char *bytes, size_t len, size_t piece)
{
	struct gzip_writer *w;
	char *data;
	size_t data_len;
	FILE *f = open_memstream(&data, &data_len);

	assert_null(gzip_writer_create(&w, f));
	for (size_t at = 0; at < len; at += piece)
		gzip_writer_add(w, bytes + at, len - at < piece ? len - at : piece);
	gzip_writer_finish(w);
	gzip_writer_destroy(w);
	fclose(f);
	buf_add(out, data, data_len);
	free(data);
}

static void test_gzip(void **state)
{
	static const size_t lengths[] = { 0, 1, 4096, 300000 };
	_cleanup_free_ char *bytes = malloc(lengths[ARRAY_LEN(lengths) - 1]);
	uint32_t seed = 1;

	(void)state;
	for (size_t i = 0; i < lengths[ARRAY_LEN(lengths) - 1]; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (char)(seed >> 24); // hardly compressible
	}
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		_cleanup_buf_ struct buf whole = BUF_INIT, parts = BUF_INIT, back = BUF_INIT;

		gzip_pieces(&whole, bytes, lengths[i], CAP);
		gzip_pieces(&parts, bytes, lengths[i], 1000);
		assert_int_equal(whole.len, parts.len);
		assert_memory_equal(whole.data, parts.data, whole.len);
		assert_memory_equal(whole.data + 4, "\0\0\0\0", 4); // no time
		assert_null(gunzip(&back, whole.data, whole.len, CAP));
		assert_int_equal(back.len, lengths[i]);
		if (back.len)
			assert_memory_equal(back.data, bytes, back.len);
	}
}

/* ---- the spool ---------------------------------------------------------------------------------- */

#define SPOOLED 5000u
#define THREADS 3u

/* Sample `i`: each column changes at a pace of its own, and to extremes. */
static struct spool_sample spooled(uint32_t i)
{
	return (struct spool_sample){
		.time_ns = i % 1000 == 999 ? UINT64_MAX - i : (uint64_t)i * 1000003,
		.count = i % 50 ? 1 : UINT64_MAX,
		.cpu_ns = i % 3 ? 0 : (uint64_t)i << 40,
		.stack = i % 7 ? i / 7 : STACK_NONE,
		.state = (uint8_t)(i / 100 % SAMPLE_STATES),
		.flags = (uint8_t)(i / 64 % 64),
	};
}

static void check_thread(const struct thread_spool *spool, uint32_t thread)
{
	struct spool_reader r;
	uint32_t count = 0;

	spool_reader_init(&r, spool, thread);
	for (uint32_t i = thread; i < SPOOLED; i += THREADS, count++) {
		const struct spool_sample *s = spool_reader_next(&r), want = spooled(i);

		assert_non_null(s);
		assert_true(s->time_ns == want.time_ns && s->count == want.count);
		assert_true(s->cpu_ns == want.cpu_ns && s->stack == want.stack);
		assert_true(s->state == want.state && s->flags == want.flags);
	}
	assert_null(spool_reader_next(&r));
	assert_null(spool_reader_next(&r));
	assert_null(spool_reader_error(&r));
	assert_true(thread_spool_count(spool, thread) == count);
	spool_reader_deinit(&r);
}

static void test_spool(void **state)
{
	static const size_t memories[] = { 1, 100, 4096, SPOOL_MEMORY };

	(void)state;
	for (size_t m = 0; m < ARRAY_LEN(memories); m++) {
		struct thread_spool *spool = thread_spool_create(THREADS + 1, memories[m]);

		for (uint32_t i = 0; i < SPOOLED; i++) {
			const struct spool_sample s = spooled(i);

			assert_null(thread_spool_add(spool, i % THREADS, &s));
		}
		for (uint32_t k = 0; k < 2; k++) // any number of times
			for (uint32_t thread = 0; thread < THREADS; thread++)
				check_thread(spool, thread);
		struct spool_reader r;
		spool_reader_init(&r, spool, THREADS);
		assert_null(spool_reader_next(&r));
		spool_reader_deinit(&r);
		thread_spool_destroy(spool);
	}
	thread_spool_destroy(NULL);
}

/* ---- names -------------------------------------------------------------------------------------- */

static void check_name(const struct capture *c, uint32_t thread, const char *name)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	thread_names_add(&b, c, thread);
	assert_string_equal(buf_str(&b), name);
}

static void test_names(void **state)
{
	_cleanup_(capture_deinit) struct capture c;

	(void)state;
	capture_init(&c);
	assert_string_equal(thread_names_title(&c, NULL), "fireglass");
	uint32_t process = sample_process(&c, 4711, "shop.py");
	sample_thread(&c, process, 4712, "pool");
	sample_thread(&c, process, 0, "");
	assert_string_equal(thread_names_title(&c, NULL), "shop.py");
	assert_string_equal(thread_names_title(&c, "mine"), "mine");
	assert_string_equal(thread_names_process(&c, CAPTURE_NONE), "");
	check_name(&c, 0, "pool (4712)");
	check_name(&c, 1, "thread");
	sample_thread(&c, sample_process(&c, 0, ""), 7, "x");
	check_name(&c, 0, "shop.py 4711: pool (4712)");
	check_name(&c, 2, "process: x (7)");
}

/* ---- exports ------------------------------------------------------------------------------------ */

static void export_bytes(struct buf *out, const struct capture *c, const char *format,
	const struct selection *selection)
{
	const struct export_options options = { .cwd = capture_fact(c, FACT_CWD) };
	struct view *v;
	char *data;
	size_t len;
	FILE *f = open_memstream(&data, &len);

	assert_null(view_create(&v, c, selection));
	struct err *err = export_view(export_find(format), f, v, &options);
	if (err)
		fail_msg("%s", err->message);
	view_destroy(v);
	fclose(f);
	buf_clear(out);
	buf_add(out, data, len);
	free(data);
}

static void test_golden(void **state)
{
	static const char *const names[] = { "empty", "states", "gaps" };
	static const char *const formats[] = { "speedscope", "firefox" };
	const struct selection everything = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names) * ARRAY_LEN(formats); i++) {
		const char *name = names[i / ARRAY_LEN(formats)];
		const char *format = formats[i % ARRAY_LEN(formats)];
		_cleanup_buf_ struct buf out = BUF_INIT, file = BUF_INIT;
		_cleanup_(capture_deinit) struct capture c;

		capture_init(&c);
		assert_true(golden_capture_fill(&c, name));
		export_bytes(&out, &c, format, &everything);
		buf_printf(&file, "%s.%s.json", name, format);
		golden_check(buf_str(&file), out.data, out.len);
	}
}

/* How many fields of each number a pprof profile has, and some of its values. */
struct pprof_seen {
	uint32_t fields[16];
	uint64_t time_ns, duration_ns, period;
	char first_string[8];
};

static void look_at_pprof(struct pprof_seen *seen, const struct buf *file)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	struct pb_field f;

	*seen = (struct pprof_seen){ .first_string = "?" };
	assert_null(gunzip(&bytes, file->data, file->len, CAP));
	struct pb_reader r = pb_reader_of(bytes.data, bytes.len);
	while (pb_reader_next(&r, &f)) {
		assert_in_range(f.number, 1, 15);
		if (f.number == 6 && !seen->fields[6])
			snprintf(seen->first_string, sizeof(seen->first_string), "%.*s", (int)f.len,
				f.data);
		seen->fields[f.number]++;
		if (f.number == 9)
			seen->time_ns = f.value;
		if (f.number == 10)
			seen->duration_ns = f.value;
		if (f.number == 12)
			seen->period = f.value;
	}
	assert_false(r.bad);
}

static void test_pprof(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	_cleanup_(capture_deinit) struct capture c;
	struct selection selection = { 0 };
	struct pprof_seen seen;

	(void)state;
	capture_init(&c);
	assert_true(golden_capture_fill(&c, "gaps"));
	export_bytes(&out, &c, "pprof", &selection);
	look_at_pprof(&seen, &out);
	assert_int_equal(seen.fields[1], 3); // samples, wall, CPU
	assert_int_equal(seen.fields[2], 3); // stacks
	assert_int_equal(seen.fields[3], 1);
	assert_int_equal(seen.fields[4], 3);
	assert_int_equal(seen.fields[5], 3);
	assert_string_equal(seen.first_string, "");
	assert_true(seen.time_ns == SAMPLE_START_NS);
	assert_true(seen.duration_ns == 10000u * (uint64_t)SAMPLE_MS);
	assert_true(seen.period == SAMPLE_MS);
	// the second burst, and times that are those of the selection
	selection.from_ns = SAMPLE_START_NS + 1000 * (uint64_t)SAMPLE_MS;
	selection.to_ns = SAMPLE_START_NS + 1200 * (uint64_t)SAMPLE_MS;
	export_bytes(&out, &c, "pprof", &selection);
	look_at_pprof(&seen, &out);
	assert_int_equal(seen.fields[2], 1);
	assert_true(seen.time_ns == selection.from_ns);
	assert_true(seen.duration_ns == 200u * (uint64_t)SAMPLE_MS);
}

/* Counts that no sum can hold end at the largest number, not below 0. */
static void test_pprof_overflow(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT, bytes = BUF_INIT;
	_cleanup_(capture_deinit) struct capture c;
	const struct selection everything = { 0 };
	struct pb_field f;
	uint64_t value = 0;

	(void)state;
	capture_init(&c);
	capture_set_fact_u64(&c, FACT_PERIOD_NS, SAMPLE_MS);
	sample_thread(&c, sample_process(&c, 1, "p"), 1, "t");
	for (int i = 0; i < 3; i++)
		capture_add_sample(&c, &(struct capture_sample){ .count = INT64_MAX - 1,
					       .stack = sample_stack(&c, "f"),
					       .syscall = SYSCALL_NONE });
	export_bytes(&out, &c, "pprof", &everything);
	assert_null(gunzip(&bytes, out.data, out.len, CAP));
	struct pb_reader r = pb_reader_of(bytes.data, bytes.len);
	while (pb_reader_next(&r, &f) && f.number != 2)
		;
	struct pb_reader sample = pb_reader_of(f.data, f.len);
	while (pb_reader_next(&sample, &f) && f.number != 2)
		;
	struct pb_reader values = pb_reader_of(f.data, f.len);
	for (int i = 0; i < 2; i++) {
		assert_true(pb_reader_number(&values, &value));
		assert_true(value == INT64_MAX);
	}
}

/* CPU time that comes in lumps is spread over the samples before, not over more than there is. */
static void test_firefox_cpu(void **state)
{
	static const uint64_t cpu_us[] = { 0, 0, 0, 0, 4000, 0, 1500, 9000, 0 };
	_cleanup_buf_ struct buf out = BUF_INIT;
	_cleanup_(capture_deinit) struct capture c;
	const struct selection everything = { 0 };

	(void)state;
	capture_init(&c);
	capture_set_fact_u64(&c, FACT_PERIOD_NS, SAMPLE_MS);
	sample_thread(&c, sample_process(&c, 1, "p"), 1, "t");
	for (size_t i = 0; i < ARRAY_LEN(cpu_us); i++)
		capture_add_sample(&c,
			&(struct capture_sample){ .time_ns = SAMPLE_START_NS + i * SAMPLE_MS,
				.count = 1,
				.cpu_ns = cpu_us[i] * 1000,
				.stack = sample_stack(&c, "f"),
				.syscall = SYSCALL_NONE });
	export_bytes(&out, &c, "firefox", &everything);
	// no time is before the first sample; what finds no room stays where it was
	assert_non_null(strstr(out.data,
		"\"threadCPUDelta\":[0,1000,1000,1000,1000,1000,1000,8500,0]"));
}

static void test_json_thousandths(void **state)
{
	static const struct {
		uint64_t value;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "0.001" },
		{ 10, "0.01" },
		{ 100, "0.1" },
		{ 999, "0.999" },
		{ 1000, "1" },
		{ 1500, "1.5" },
		{ 1050, "1.05" },
		{ UINT64_MAX, "18446744073709551.615" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		struct json_writer w = { .buf = &b };

		json_thousandths(&w, cases[i].value);
		assert_string_equal(buf_str(&b), cases[i].text);
	}
}

/* All captures, all of our formats, with an output that refuses: an error, no crash. */
static void test_full_disk(void **state)
{
	static const char *const formats[] = { "speedscope", "pprof", "firefox" };
	const struct selection everything = { 0 };
	const struct export_options options = { 0 };
	_cleanup_(capture_deinit) struct capture c;

	(void)state;
	capture_init(&c);
	assert_true(golden_capture_fill(&c, "wide"));
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct view *v;
		FILE *f = fopen("/dev/full", "w");

		assert_null(view_create(&v, &c, &everything));
		struct err *err = export_view(export_find(formats[i]), f, v, &options);
		assert_non_null(err);
		err_free(err);
		view_destroy(v);
		fclose(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pb_fields),
		cmocka_unit_test(test_pb_packed),
		cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_spool),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_pprof),
		cmocka_unit_test(test_pprof_overflow),
		cmocka_unit_test(test_firefox_cpu),
		cmocka_unit_test(test_json_thousandths),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests_name("export_clients", tests, NULL, NULL);
}

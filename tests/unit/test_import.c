// SPDX-License-Identifier: MIT
/*
 * Importers on files that the real tools wrote (tests/import/data), with what these files hold as
 * counted by other means, and on texts made here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "import_check.h"

static const struct importer *load(struct capture *c, const char *file)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	const struct importer *used = NULL;

	import_check_load(&bytes, file);
	capture_init(c);
	struct err *err = import_bytes(c, bytes.data, bytes.len, NULL, &used);
	if (err)
		fail_msg("%s: %s", file, err->message);
	import_check_whole(c);
	return used;
}

static void load_text(struct capture *c, const char *text, const char *format)
{
	capture_init(c);
	struct err *err = import_bytes(c, text, strlen(text), format, NULL);
	if (err)
		fail_msg("%s", err->message);
	import_check_whole(c);
}

static void check_bad(const char *text, size_t len, const char *format, const char *message)
{
	struct capture c;

	capture_init(&c);
	struct err *err = import_bytes(&c, text, len, format, NULL);
	assert_non_null(err);
	if (!strstr(err->message, message))
		fail_msg("\"%s\" is not in \"%s\"", message, err->message);
	import_check_empty(&c);
	err_free(err);
	capture_deinit(&c);
}

static void check_folded(const struct capture *c, const char *expected)
{
	_cleanup_free_ char *text = import_check_folded(c);

	assert_string_equal(text, expected);
}

/* ---- what the tools wrote --------------------------------------------------------------------- */

struct expected_thread {
	uint32_t tid;
	const char *name;
	uint64_t rows, count;
};

struct expected_leaf {
	const char *function;
	uint64_t count;
};

static const struct real_file {
	const char *file, *format;
	uint64_t period_ns; // 0: none
	struct expected_thread threads[3];
	struct expected_leaf leaves[4];
} real_files[] = {
	{ "austin-3.7.txt", "austin", 1000,
		{ { 28806, "", 49, 977731 }, { 28804, "", 49, 977731 } },
		{ { "Condition.wait", 977731 }, { "price", 977731 } } },
	{ "austin-3.7-full.txt", "austin", 1000,
		{ { 28804, "", 45, 989343 }, { 28806, "", 44, 982881 } },
		{ { "Condition.wait", 982881 }, { "price", 989343 } } },
	{ "austin-3.7-cpu.mojo", "mojo", 1000,
		{ { 28804, "", 30, 668768 }, { 28806, "", 1, 34879 } },
		{ { "Condition.wait", 34879 }, { "price", 668768 } } },
	{ "austin-4.0.mojo", "mojo", 1000, { { 27937, "", 50, 984081 }, { 27935, "", 50, 984081 } },
		{ { "Condition.wait", 984081 }, { "price", 963989 }, { "descend", 20092 } } },
	{ "tachyon.bin", "tachyon", 20000000, { { 27994, "", 60, 60 }, { 27993, "", 60, 60 } },
		{ { "Condition.wait", 60 }, { "price", 58 }, { "descend", 2 } } },
	{ "tachyon.firefox.json", "firefox", 20408102,
		{ { 31534, "Thread-31534", 49, 49 }, { 31536, "Thread-31536", 48, 48 } },
		{ { "Condition.wait", 48 }, { "price", 47 } } },
	{ "tachyon.folded", "folded", 0, { { 27997, "", 1, 100 }, { 27996, "", 6, 100 } },
		{ { "Condition.wait", 100 }, { "price", 97 }, { "descend", 3 } } },
	{ "pyspy.folded", "folded", 0,
		{ { 28019, "MainThread", 4, 99 }, { 28022, "waiter", 1, 2 } },
		{ { "Condition.wait", 2 }, { "price", 99 } } },
	{ "pyspy.speedscope.json", "speedscope", 20000000,
		{ { 28024, "MainThread", 59, 59 }, { 28027, "waiter", 59, 59 } },
		{ { "Condition.wait", 59 }, { "price", 59 } } },
	{ "pyinstrument.speedscope.json", "speedscope", 1,
		{ { 0, "CPU profile for 'Program: shop.py 1' at 2026-11-21T05-09-54", 25,
			990714511 } },
		{ { "price", 966795130 }, { "descend", 23919381 } } },
	{ "pyspy.chrome.json", "chrome", 1000, { { 0, "", 1, 573092 }, { 0, "", 31, 573086 } },
		{ { "Condition.wait", 573092 }, { "price", 573086 } } },
	{ "node.cpuprofile", "cpuprofile", 1000, { { 0, "", 32, 611842 } },
		{ { "price", 602705 }, { "(program)", 9137 } } },
	{ "will_profile.json", "will_profile", 1000, { { 0, "MainThread", 31, 983092 } },
		{ { "price", 983092 } } },
	{ "go.pprof", "pprof", 10000000, { { 0, "", 19, 61 } }, { { "main.price", 61 } } },
	{ "perf-script.txt", "perf-script", 0, { { 32360, "python3.14", 58, 58 } },
		{ { "[unknown]", 46 }, { "filemap_fault", 2 } } },
};

static void check_threads(const struct capture *c, const struct real_file *f)
{
	size_t count = 0;

	for (; count < ARRAY_LEN(f->threads) && f->threads[count].rows; count++) {
		const struct expected_thread *expected = &f->threads[count];
		struct import_sums sums = import_check_thread(c, (uint32_t)count);

		assert_true(count < c->thread_count);
		assert_int_equal(c->threads[count].tid, expected->tid);
		assert_string_equal(capture_text(c, c->threads[count].name), expected->name);
		assert_int_equal(sums.rows, expected->rows);
		assert_int_equal(sums.count, expected->count);
	}
	assert_int_equal(c->thread_count, count);
}

static void check_real(const struct real_file *f)
{
	_cleanup_(capture_deinit) struct capture c;
	const struct importer *used = load(&c, f->file);

	print_message("%s\n", f->file);
	assert_string_equal(used->name, f->format);
	assert_string_equal(capture_fact(&c, FACT_FORMAT), f->format);
	assert_int_equal(capture_fact_u64(&c, FACT_PERIOD_NS, 0), f->period_ns);
	check_threads(&c, f);
	for (size_t i = 0; i < ARRAY_LEN(f->leaves) && f->leaves[i].function; i++)
		assert_int_equal(import_check_leaf(&c, f->leaves[i].function), f->leaves[i].count);
}

static void test_real_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(real_files); i++)
		check_real(&real_files[i]);
}

/* mojo2austin of austin's own made the text. */
static void test_mojo_is_text(void **state)
{
	static const char *const names[][2] = {
		{ "austin-4.0.mojo", "austin-4.0.txt" },
		{ "austin-3.7-cpu.mojo", "austin-3.7-cpu.txt" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		_cleanup_(capture_deinit) struct capture mojo, text;

		load(&mojo, names[i][0]);
		load(&text, names[i][1]);
		_cleanup_free_ char *expected = import_check_folded(&text);
		check_folded(&mojo, expected);
		assert_int_equal(capture_last_ns(&mojo), capture_last_ns(&text));
		assert_int_equal(mojo.thread_count, text.thread_count);
	}
}

static void test_states_and_times(void **state)
{
	_cleanup_(capture_deinit) struct capture full, tachyon, will;

	(void)state;
	load(&full, "austin-3.7-full.txt");
	assert_int_equal(import_check_thread(&full, 0).states[SAMPLE_ON_CPU], 45);
	assert_int_equal(import_check_thread(&full, 1).states[SAMPLE_WAITING], 44);
	assert_int_equal(import_check_thread(&full, 0).last_ns, 989343000);
	assert_string_equal(capture_fact(&full, FACT_TOOL), "austin 3.7.0");
	load(&tachyon, "tachyon.bin");
	assert_int_equal(import_check_thread(&tachyon, 0).first_ns, 13660049476000);
	assert_int_equal(import_check_thread(&tachyon, 1).last_ns, 13661249318000);
	assert_string_equal(capture_fact(&tachyon, FACT_PYTHON), "3.15.2");
	load(&will, "will_profile.json");
	assert_int_equal(capture_first_ns(&will), 1795237915007384000);
	assert_true(will.threads[0].main);
}

/* ---- folded ----------------------------------------------------------------------------------- */

static void test_folded_frames(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	const struct profile *p = &c.tables;

	(void)state;
	load_text(&c,
		"main (/a b (1)/x.py:3);<module>:7 5\n"
		"std::f(int) (libf.so);/srv/y.py:go:12;(idle) 2\n",
		NULL);
	check_folded(&c,
		"main (/a b (1)/x.py:3);<module>:7 5\n"
		"std::f(int) (libf.so);go (/srv/y.py:12);(idle) 2\n");
	assert_string_equal(profile_text(p, p->functions[0].name), "main");
	assert_string_equal(profile_text(p, p->functions[0].file), "/a b (1)/x.py");
	assert_int_equal(p->frames[0].line, 3);
	assert_int_equal(p->functions[4].kind, FUNCTION_MARK);
}

static void test_folded_columns(void **state)
{
	static const char text[] = "a;b 10 20\na 0 5\nc 7 0\n";
	_cleanup_(capture_deinit) struct capture second, first, one;

	(void)state;
	load_text(&second, text, NULL);
	check_folded(&second, "a 5\na;b 20\n");
	load_text(&first, text, "folded:1");
	check_folded(&first, "a;b 10\nc 7\n");
	load_text(&one, "a;b 10 20\na 3\n", NULL); // not all lines have two
	check_folded(&one, "a 3\na;b\\x2010 20\n");
}

static void test_folded_escapes(void **state)
{
	_cleanup_(capture_deinit) struct capture ours, windows, end;

	(void)state;
	load_text(&ours, "a\\x3bb;c\\\\d\\n 1\n", NULL);
	assert_int_equal(import_check_leaf(&ours, "c\\d\n"), 1);
	check_folded(&ours, "a\\x3bb;c\\\\d\\n 1\n");
	load_text(&windows, "f (C:\\new\\table.py:3) 1\n", NULL);
	assert_string_equal(profile_text(&windows.tables, windows.tables.functions[0].file),
		"C:\\new\\table.py");
	load_text(&end, "a;b 1\r\n\r\n# a comment\r\n  c;; 2", NULL);
	assert_int_equal(import_check_leaf(&end, "b"), 1);
	assert_int_equal(import_check_leaf(&end, "  c"), 2);
}

static void test_folded_times(void **state)
{
	_cleanup_(capture_deinit) struct capture c;

	(void)state;
	load_text(&c, "tid:1;a 3\ntid:2;b 5\ntid:1;c 1\n", NULL);
	assert_int_equal(c.thread_count, 2);
	assert_int_equal(import_check_thread(&c, 0).last_ns, 3 * 1000000);
	assert_int_equal(import_check_thread(&c, 1).last_ns, 0);
	assert_string_equal(capture_fact(&c, FACT_CLOCK), "made up");
}

/* ---- others, made here ------------------------------------------------------------------------ */

static void test_speedscope_units(void **state)
{
	_cleanup_(capture_deinit) struct capture none, ms;

	(void)state;
	load_text(&none,
		"{\"shared\":{\"frames\":[{\"name\":\"a\"},{\"name\":\"b\"}]},\"profiles\":[{"
		"\"type\":\"sampled\",\"name\":\"t\",\"unit\":\"none\",\"startValue\":0,"
		"\"endValue\":7,\"samples\":[[0],[0,1],[]],\"weights\":[3,4,2]}]}",
		NULL);
	check_folded(&none, "a 3\na;b 4\n"); // no frames: nothing was there
	assert_int_equal(capture_fact_u64(&none, FACT_PERIOD_NS, 0), 0);
	load_text(&ms,
		"{\"shared\":{\"frames\":[{\"name\":\"a\"},{\"name\":\"b\"}]},\"profiles\":[{"
		"\"type\":\"evented\",\"name\":\"t\",\"unit\":\"milliseconds\",\"startValue\":0,"
		"\"endValue\":50,\"events\":[{\"type\":\"O\",\"at\":10,\"frame\":0},"
		"{\"type\":\"O\",\"at\":20,\"frame\":1},{\"type\":\"C\",\"at\":30,\"frame\":1},"
		"{\"type\":\"C\",\"at\":45,\"frame\":0}]}]}",
		NULL);
	assert_int_equal(capture_fact_u64(&ms, FACT_PERIOD_NS, 0), 5000000);
	check_folded(&ms, "a 5\na;b 2\n");
	assert_int_equal(capture_first_ns(&ms), 10000000);
}

static void test_chrome_events(void **state)
{
	_cleanup_(capture_deinit) struct capture c;

	(void)state;
	load_text(&c,
		"{\"traceEvents\":["
		"{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":1,\"tid\":2,\"args\":{\"name\":\"t\"}},"
		"{\"ph\":\"X\",\"pid\":1,\"tid\":2,\"ts\":20,\"dur\":10,\"name\":\"in\"},"
		"{\"ph\":\"X\",\"pid\":1,\"tid\":2,\"ts\":10,\"dur\":40,\"name\":\"out\"},"
		"{\"ph\":\"E\",\"pid\":1,\"tid\":3,\"ts\":5},"
		"{\"ph\":\"B\",\"pid\":1,\"tid\":3,\"ts\":10,\"name\":\"left open\"},"
		"{\"ph\":\"B\",\"pid\":1,\"tid\":3,\"ts\":12,\"name\":\"x\"},"
		"{\"ph\":\"E\",\"pid\":1,\"tid\":3,\"ts\":14},"
		"{\"ph\":\"b\",\"pid\":1,\"tid\":2,\"ts\":15,\"id\":\"7\",\"cat\":\"c\",\"name\":\"GC\"},"
		"{\"ph\":\"e\",\"pid\":1,\"tid\":2,\"ts\":25,\"id\":\"7\",\"cat\":\"c\",\"name\":\"GC\"},"
		"{\"ph\":\"C\",\"pid\":1,\"tid\":2,\"ts\":0}]}",
		NULL);
	assert_int_equal(capture_fact_u64(&c, FACT_PERIOD_NS, 0), 2000);
	check_folded(&c, "left open 1\nleft open;x 1\nout 15\nout;in 5\n");
	assert_string_equal(capture_text(&c, c.threads[0].name), "t");
	assert_int_equal(c.marker_count, 1);
	assert_int_equal(c.markers[0].start_ns, 15000);
	assert_int_equal(c.markers[0].end_ns, 25000);
}

static void test_perf_script(void **state)
{
	_cleanup_(capture_deinit) struct capture c;

	(void)state;
	load_text(&c,
		"# captured on: ...\n"
		"my program 12/34 [001] 5.000001: 10 cpu-clock:u: \n"
		"\tffff malloc+0x10 (/lib/libc.so)\n"
		"\t  7f py::go:/srv/x.py+0x2 (/tmp/perf-12.map)\n"
		"\n"
		"other 56 6.5: event:\n"
		"\t1 [unknown] ([unknown])\n",
		NULL);
	check_folded(&c, "[unknown] 1\ngo (/srv/x.py);malloc (/lib/libc.so) 1\n");
	assert_int_equal(c.processes[0].pid, 12);
	assert_int_equal(c.threads[0].tid, 34);
	assert_string_equal(capture_text(&c, c.threads[0].name), "my program");
	assert_int_equal(capture_first_ns(&c), 5000001000);
	assert_int_equal(capture_last_ns(&c), 6500000000);
}

static void test_austin_memory(void **state)
{
	_cleanup_(capture_deinit) struct capture c;

	(void)state;
	load_text(&c,
		"# austin: 3.7.0\n# mode: memory\n\n"
		"P1;T0:1;a.py:f:1 4096\nP1;T0:1;a.py:f:1;:GC: -4096\nP1;T0:1 0\n",
		NULL);
	check_folded(&c, "f (a.py:1) 4096\n");
	assert_string_equal(capture_fact(&c, FACT_UNIT), "bytes");
	assert_int_equal(capture_fact_u64(&c, "left_out", 0), 1);
}

static void test_pprof_type(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	_cleanup_buf_ struct buf bytes = BUF_INIT;

	(void)state;
	import_check_load(&bytes, "go.pprof");
	capture_init(&c);
	assert_null(import_bytes(&c, bytes.data, bytes.len, "pprof:cpu", NULL));
	assert_int_equal(capture_fact_u64(&c, FACT_PERIOD_NS, 0), 10000000);
	assert_int_equal(capture_samples(&c), 61);
}

/* ---- bad files -------------------------------------------------------------------------------- */

#define BAD(text, format, message) check_bad(text, sizeof(text) - 1, format, message)

static void test_bad_files(void **state)
{
	(void)state;
	BAD("a;b 1\nc\n", NULL, "as folded: line 2: ");
	BAD("a;b 1\n 1\n", "folded", "line 2: there is no stack");
	BAD("a;b 1\nc 1.5\n", "folded", "line 2: ");
	BAD("a 1\n", "folded:3", "no column '3'");
	BAD("a 1\n", "austin", "line 1: ");
	BAD("a 1\n", "nothing", "unknown format 'nothing'");
	BAD("a 1\n", "mojo:1", "takes no option");
	BAD("hello world", NULL, "it is in no format that is known");
	BAD("P1;T0:1;a.py:f:1 x\n", NULL, "as austin: line 1: ");
	BAD("MOJ\x09", NULL, "byte 3: ");
	BAD("MOJ\x03\x05\x07", NULL, "byte 4: ");
	BAD("MOJ\x03\x7f", NULL, "byte 4: no event");
	BAD("HCAT\x01", NULL, "byte 5: ");
	BAD("{\"nodes\":[],\n\"timeDeltas\":[1,],\"samples\":[]}", NULL, "line 2");
	BAD("{\"nodes\":[],\"timeDeltas\":[1],\"samples\":[3]}", NULL, "samples[0]");
	BAD("{\"nodes\":[{\"id\":1,\"parent\":1}],\"timeDeltas\":[1],\"samples\":[1]}", NULL,
		"samples[0]");
	BAD("{\"shared\":{\"frames\":[]},\"profiles\":[{\"type\":\"sampled\",\"unit\":\"none\","
	    "\"samples\":[[0]],\"weights\":[1]}]}",
		NULL, "profiles[0].samples[0]");
	BAD("[{\"ph\":\"X\",\"ts\":-3}]", NULL, "traceEvents[0]");
	BAD("{\"meta\":{\"preprocessedProfileVersion\":57},\"threads\":[{\"stackTable\":{\"frame\":[0],"
	    "\"prefix\":[null]}}]}",
		NULL, "threads[0].stackTable[0]");
	BAD("[[1,2,\"t\",[[1]]]]", NULL, "[0][3]");
	BAD("a 1 2.5: 1 x:\nnot a frame\n", NULL, "as perf-script: line 2");
	BAD("\x1f\x8b\x08\x00", NULL, "the gzipped data is cut off");
	BAD("a 4611686018427387904\nb 4611686018427387904\n", NULL, "too large to add up");
}

/* A file that is not there, and one that is a directory. */
static void test_no_file(void **state)
{
	struct capture c;

	(void)state;
	capture_init(&c);
	struct err *err = import_file(&c, "/nowhere/at/all", NULL, NULL);
	assert_non_null(strstr(err->message, "cannot read '/nowhere/at/all': "));
	err_free(err);
	err = import_file(&c, "/", NULL, NULL);
	assert_non_null(strstr(err->message, "cannot read '/': "));
	err_free(err);
	capture_deinit(&c);
}

/* Reads a copy that ends where it says, so that the sanitizer sees what is read beyond. */
static void read_damaged(const char *bytes, size_t len, const char *format)
{
	_cleanup_free_ char *copy = malloc(len + 1);
	struct capture c;

	memcpy(copy, bytes, len);
	copy[len] = 0;
	capture_init(&c);
	struct err *err = import_bytes(&c, copy, len, format, NULL);
	if (err)
		import_check_empty(&c);
	else
		import_check_whole(&c);
	err_free(err);
	capture_deinit(&c);
}

/* Of large files some places. */
static size_t step_of(size_t len)
{
	return len / 700 + 1;
}

static void test_cut_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(real_files); i++) {
		_cleanup_buf_ struct buf bytes = BUF_INIT;

		import_check_load(&bytes, real_files[i].file);
		for (size_t len = 0; len < bytes.len; len += step_of(bytes.len))
			read_damaged(bytes.data, len, real_files[i].format);
	}
}

static void test_flipped_bytes(void **state)
{
	static const unsigned char flips[] = { 0x01, 0x80, 0xff };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(real_files); i++) {
		_cleanup_buf_ struct buf bytes = BUF_INIT;

		import_check_load(&bytes, real_files[i].file);
		for (size_t at = 0; at < bytes.len; at += step_of(bytes.len)) {
			char was = bytes.data[at];

			bytes.data[at] = (char)((unsigned char)was ^ flips[at % 3]);
			read_damaged(bytes.data, bytes.len, real_files[i].format);
			bytes.data[at] = was;
		}
	}
}

/* Spans of one id within each other, one after the other, and without begin or end. */
static void test_chrome_spans(void **state)
{
	_cleanup_(capture_deinit) struct capture c;

	(void)state;
	load_text(&c,
		"[{\"ph\":\"e\",\"ts\":1,\"id\":1},{\"ph\":\"b\",\"ts\":2,\"id\":1,\"name\":\"out\"},"
		"{\"ph\":\"b\",\"ts\":3,\"id\":1,\"name\":\"in\"},{\"ph\":\"e\",\"ts\":4,\"id\":1},"
		"{\"ph\":\"e\",\"ts\":6,\"id\":1},{\"ph\":\"b\",\"ts\":7,\"id\":1,\"name\":\"open\"},"
		"{\"ph\":\"i\",\"ts\":8,\"name\":\"now\",\"args\":{\"detail\":\"x\"}}]",
		NULL);
	assert_int_equal(c.marker_count, 4);
	assert_int_equal(c.markers[0].end_ns, 6000);
	assert_int_equal(c.markers[1].end_ns, 4000);
	assert_int_equal(c.markers[2].end_ns, 7000);
	assert_int_equal(c.markers[3].start_ns, 8000);
	assert_string_equal(capture_text(&c, c.markers[3].text), "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_files),
		cmocka_unit_test(test_mojo_is_text),
		cmocka_unit_test(test_states_and_times),
		cmocka_unit_test(test_folded_frames),
		cmocka_unit_test(test_folded_columns),
		cmocka_unit_test(test_folded_escapes),
		cmocka_unit_test(test_folded_times),
		cmocka_unit_test(test_speedscope_units),
		cmocka_unit_test(test_chrome_events),
		cmocka_unit_test(test_chrome_spans),
		cmocka_unit_test(test_perf_script),
		cmocka_unit_test(test_austin_memory),
		cmocka_unit_test(test_pprof_type),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_cut_files),
		cmocka_unit_test(test_flipped_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

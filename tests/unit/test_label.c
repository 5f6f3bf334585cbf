// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "export/label.h"
#include "sample_profile.h"

static const struct export_options plain;

static void check_file(const char *file, const char *want, enum label_origin origin)
{
	_cleanup_(profile_deinit) struct profile p;
	const struct export_options options = { .cwd = "/home/me/app/" };

	profile_init(&p);
	frame_id frame = sample_frame(&p, "f", file, 1, 1);
	const struct store_function *f = &p.functions[p.frames[frame].function];
	struct label_slice got = label_file(&p, f, &options);
	_cleanup_free_ char *text = xstrndup(got.text, got.len);
	assert_string_equal(text, want);
	assert_int_equal(label_origin(&p, f), origin);
}

static void test_files(void **state)
{
	(void)state;
	check_file("/home/me/app/x/views.py", "x/views.py", LABEL_OWN);
	check_file("/home/me/app", "/home/me/app", LABEL_OWN);
	check_file("/home/me/app/", "/home/me/app/", LABEL_OWN);
	check_file("/home/me/application.py", "/home/me/application.py", LABEL_OWN);
	check_file("views.py", "views.py", LABEL_OWN);
	check_file("<string>", "<string>", LABEL_OWN);
	check_file("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap>", LABEL_STDLIB);
	check_file("/home/me/app/.venv/lib/python3.12/site-packages/flask/app.py", "flask/app.py",
		LABEL_PACKAGE);
	check_file("/usr/lib/python3/dist-packages/apt/cache.py", "apt/cache.py", LABEL_PACKAGE);
	check_file("/usr/lib/python3/apt.py", "apt.py", LABEL_STDLIB);
	check_file("/usr/lib64/python3.6/os.py", "os.py", LABEL_STDLIB);
	check_file("/opt/py/lib/python2.7/json/decoder.py", "json/decoder.py", LABEL_STDLIB);
	check_file("/opt/py/lib/python3.14t/json/decoder.py", "json/decoder.py", LABEL_STDLIB);
	check_file("lib/python3.9/os.py", "os.py", LABEL_STDLIB);
	// the names as parts of others, and where nothing follows them
	check_file("/srv/mylib/python3.9/os.py", "/srv/mylib/python3.9/os.py", LABEL_OWN);
	check_file("/srv/lib/pythonista/os.py", "/srv/lib/pythonista/os.py", LABEL_OWN);
	check_file("/srv/my-site-packages/x.py", "/srv/my-site-packages/x.py", LABEL_OWN);
	check_file("/usr/lib/python3.9/", "/usr/lib/python3.9/", LABEL_STDLIB);
	check_file("", "", LABEL_OWN);
}

static void test_root_as_directory_shortens_nothing(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	const struct export_options options = { .cwd = "/" };

	(void)state;
	profile_init(&p);
	frame_id frame = sample_frame(&p, "f", "/srv/a.py", 1, 1);
	struct label_slice got = label_file(&p, &p.functions[p.frames[frame].function], &options);
	assert_int_equal(got.len, strlen("/srv/a.py"));
}

static void check_label(const struct profile *p, frame_id frame,
	const struct export_options *options, const char *want)
{
	_cleanup_buf_ struct buf got = BUF_INIT;

	label_add(&got, p, &p->frames[frame], options);
	assert_string_equal(buf_str(&got), want);
}

static void test_labels(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	const struct export_options functions = { .functions = true };
	const struct export_options no_lines = { .no_lines = true };
	const struct export_options both = { .functions = true, .no_lines = true };
	const struct export_options full = { .full_paths = true };

	(void)state;
	profile_init(&p);
	frame_id dumps =
		sample_frame(&p, "dumps", "/usr/lib/python3.12/json/__init__.py", 183, 231);
	check_label(&p, dumps, &plain, "dumps (json/__init__.py:231)");
	check_label(&p, dumps, &functions, "dumps (json/__init__.py:183)");
	check_label(&p, dumps, &no_lines, "dumps (json/__init__.py)");
	check_label(&p, dumps, &both, "dumps (json/__init__.py)");
	check_label(&p, dumps, &full, "dumps (/usr/lib/python3.12/json/__init__.py:231)");
	check_label(&p, sample_frame(&p, "f", "a.py", 3, 0), &plain, "f (a.py)");
	check_label(&p, sample_frame(&p, "f", "", 3, 4), &plain, "f");
	check_label(&p, sample_frame(&p, "", "a.py", 3, 4), &plain, "? (a.py:4)");
	check_label(&p, profile_plain_frame(&p, FUNCTION_MARK, "(idle)"), &plain, "(idle)");
	check_label(
		&p, profile_plain_frame(&p, FUNCTION_THREAD, "MainThread"), &plain, "MainThread");
}

static void check_escape(const char *text, size_t len, const char *want)
{
	_cleanup_buf_ struct buf escaped = BUF_INIT, back = BUF_INIT;

	label_escape(&escaped, text, len);
	assert_string_equal(buf_str(&escaped), want);
	label_unescape(&back, escaped.data, escaped.len);
	assert_int_equal(back.len, len);
	assert_memory_equal(back.data, text, len);
}

static void test_escapes(void **state)
{
	(void)state;
	check_escape("a;b", 3, "a\\x3bb");
	check_escape("a\nb\rc\td", 7, "a\\nb\\rc\\td");
	check_escape("a\0b\x1b\x7f", 5, "a\\x00b\\x1b\\x7f");
	check_escape("\\x3b\\", 5, "\\\\x3b\\\\");
	check_escape("\xc2\x85\xe2\x80\xa8", 5, "\\x85\\u2028");
	check_escape("gr\xc3\xb6\xc3\x9f"
		     "e (idle)",
		14,
		"gr\xc3\xb6\xc3\x9f"
		"e (idle)");
	for (size_t i = 0; sample_hostile_names[i]; i++) {
		_cleanup_buf_ struct buf escaped = BUF_INIT, back = BUF_INIT;

		label_escape(&escaped, sample_hostile_names[i], strlen(sample_hostile_names[i]));
		assert_null(strpbrk(escaped.data, ";\n\r\t\x01\x1b\x7f"));
		label_unescape(&back, escaped.data, escaped.len);
		assert_string_equal(buf_str(&back), sample_hostile_names[i]);
	}
}

static void test_unescape_leaves_what_is_no_escape(void **state)
{
	static const char *const texts[] = { "\\", "\\q", "\\x", "\\x1", "\\xzz", "\\u12", "\\X41",
		"a\\" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT;

		label_unescape(&out, texts[i], strlen(texts[i]));
		assert_string_equal(buf_str(&out), texts[i]);
	}
}

static void test_visible(void **state)
{
	static const char text[] = "a\nb \xe2\x80\xae z \xef\xbb\xbf \xc2\x9b \xc3\xa9 \\ ;";
	_cleanup_buf_ struct buf out = BUF_INIT;

	(void)state;
	label_visible(&out, text, sizeof(text) - 1);
	assert_string_equal(buf_str(&out), "a\\x0ab \\u202e z \\ufeff \\x9b \xc3\xa9 \\ ;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_root_as_directory_shortens_nothing),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_unescape_leaves_what_is_no_escape),
		cmocka_unit_test(test_visible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

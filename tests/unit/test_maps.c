// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "os/maps.h"

static void parse(struct maps *m, const char *text)
{
	maps_parse(m, xstrdup(text), strlen(text));
}

static void test_fields(void **state)
{
	struct maps m;

	(void)state;
	parse(&m,
		"00400000-00420000 r--p 00001000 fe:01 1234567                            /usr/bin/python3.11\n"
		"7f0000000000-7f0000001000 rw-s 00000000 00:00 0 \n"
		"7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]\n"
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n");
	assert_int_equal(m.count, 4);
	assert_int_equal(m.bad_lines, 0);
	assert_int_equal(m.entries[0].start, 0x400000);
	assert_int_equal(m.entries[0].end, 0x420000);
	assert_int_equal(m.entries[0].offset, 0x1000);
	assert_int_equal(m.entries[0].inode, 1234567);
	assert_int_equal(m.entries[0].dev_major, 0xfe);
	assert_int_equal(m.entries[0].dev_minor, 1);
	assert_true(m.entries[0].readable && !m.entries[0].writable && !m.entries[0].executable);
	assert_string_equal(m.entries[0].path, "/usr/bin/python3.11");
	assert_true(m.entries[1].writable);
	assert_string_equal(m.entries[1].path, "");
	assert_string_equal(m.entries[2].path, "[stack]");
	assert_true(m.entries[3].executable && !m.entries[3].readable);
	assert_true(m.entries[3].end == 0xffffffffff601000);
	maps_deinit(&m);
}

static void test_names(void **state)
{
	static const struct {
		const char *rest, *path;
		bool deleted;
	} rows[] = {
		{ "1:2 7   /a b/c  d", "/a b/c  d", false },
		{ "1:2 7   /x (deleted)", "/x", true },
		{ "1:2 7   /x (deleted) (deleted)", "/x (deleted)", true },
		{ "1:2 7   /memfd:code (deleted)", "/memfd:code", true },
		{ "1:2 7   /x\\012y", "/x\\012y", false },
		{ "1:2 7    (deleted)", "(deleted)", false },
		{ "0:0 0   [anon:x (deleted)]", "[anon:x (deleted)]", false },
		{ "0:0 0   /dev/zero (deleted)", "/dev/zero (deleted)", false },
		{ "1:2 7   /\xff\xfe", "/\xff\xfe", false },
		{ "1:2 7", "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_free_ char *text = xasprintf("1000-2000 r-xp 00000000 %s\n", rows[i].rest);
		struct maps m;

		parse(&m, text);
		assert_int_equal(m.count, 1);
		assert_string_equal(m.entries[0].path, rows[i].path);
		assert_int_equal(m.entries[0].deleted, rows[i].deleted);
		maps_deinit(&m);
	}
}

static void test_nonsense_is_skipped_and_counted(void **state)
{
	static const char *const lines[] = {
		"",
		" ",
		"-",
		"garbage",
		"1000",
		"1000-",
		"1000-2000",
		"1000-2000 r-xp",
		"1000-2000 r-xp 0",
		"1000-2000 r-xp 0 1:2",
		"1000-2000 r-xp 0 1:2 7x",
		"2000-1000 r-xp 0 1:2 7 /x",
		"1000-1000 r-xp 0 1:2 7 /x",
		"1000-2000 rwxq 0 1:2 7 /x",
		"1000-2000 xwrp 0 1:2 7 /x",
		"1000-2000  r-xp 0 1:2 7",
		"1000-10000000000000000 r-xp 0 1:2 7 /x",
		"1000-2000 r-xp 0 1ffffffff:2 7 /x",
		"1000-2000 r-xp 0 1:2 99999999999999999999 /x",
		"1000-2000 r-xp 0 :2 7 /x",
		"ABCD-EF00 r-xp 0 1:2 7 /x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		_cleanup_free_ char *text =
			xasprintf("%s\n5000-6000 rw-p 00000000 00:00 0 [heap]\n", lines[i]);
		struct maps m;

		parse(&m, text);
		assert_int_equal(m.bad_lines, 1);
		assert_int_equal(m.count, 1);
		assert_string_equal(m.entries[0].path, "[heap]");
		maps_deinit(&m);
	}
}

static void test_empty_cut_and_backwards(void **state)
{
	struct maps m;

	(void)state;
	maps_parse(&m, NULL, 0);
	assert_int_equal(m.count + m.bad_lines, 0);
	assert_null(maps_find(&m, 0));
	maps_deinit(&m);
	parse(&m, "1000-2000 r--p 0 0:0 0\n3000-4000 r--p 0 0:0 0 /cu");
	assert_int_equal(m.count, 1);
	assert_int_equal(m.bad_lines, 1);
	maps_deinit(&m);
	parse(&m, "1000-3000 r--p 0 0:0 0\n2000-4000 r--p 0 0:0 0\n3000-4000 r--p 0 0:0 0\n");
	assert_int_equal(m.count, 2);
	assert_int_equal(m.bad_lines, 1);
	maps_deinit(&m);
}

static void test_text_with_zero_bytes(void **state)
{
	static const char text[] = "1000-2000 r--p 0 1:1 1 /a\0b\n3000-4000 r--p 0 1:1 1 /c\n";
	char *copy = xmalloc(sizeof(text) - 1);
	struct maps m;

	(void)state;
	memcpy(copy, text, sizeof(text) - 1);
	maps_parse(&m, copy, sizeof(text) - 1);
	assert_int_equal(m.count, 2);
	assert_string_equal(m.entries[0].path, "/a");
	assert_string_equal(m.entries[1].path, "/c");
	maps_deinit(&m);
}

static void test_find(void **state)
{
	struct maps m;

	(void)state;
	parse(&m,
		"1000-2000 r--p 0 1:1 5 /a\n2000-3000 r-xp 1000 1:1 5 /a\n5000-6000 rw-p 0 1:2 5 /a\n");
	assert_null(maps_find(&m, 0xfff));
	assert_ptr_equal(maps_find(&m, 0x1000), &m.entries[0]);
	assert_ptr_equal(maps_find(&m, 0x1fff), &m.entries[0]);
	assert_ptr_equal(maps_find(&m, 0x2000), &m.entries[1]);
	assert_null(maps_find(&m, 0x3000));
	assert_null(maps_find(&m, 0x4fff));
	assert_ptr_equal(maps_find(&m, 0x5fff), &m.entries[2]);
	assert_null(maps_find(&m, UINT64_MAX));
	assert_true(map_same_file(&m.entries[0], &m.entries[1]));
	assert_false(map_same_file(&m.entries[0], &m.entries[2]));
	maps_deinit(&m);
}

static void test_anonymous_memory_is_no_file(void **state)
{
	struct map a = { .path = "" }, b = { .path = "" };

	(void)state;
	assert_false(map_same_file(&a, &b));
}

static void test_own_process(void **state)
{
	static int in_data = 1;
	const char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct maps m;
	char link[4096];

	(void)state;
	assert_null(maps_read(&m, getpid()));
	assert_int_equal(m.bad_lines, 0);
	const struct map *data = maps_find(&m, (uintptr_t)&in_data);
	assert_non_null(data);
	assert_true(data->readable && data->writable);
	const struct map *code = maps_find(&m, (uintptr_t)test_own_process);
	assert_non_null(code);
	assert_true(code->executable && code->inode != 0);
	ssize_t n = readlink("/proc/self/exe", link, sizeof(link) - 1);
	assert_true(n > 0);
	link[n] = 0;
	assert_string_equal(code->path, link);
	const struct map *anonymous = maps_find(&m, (uintptr_t)page);
	assert_non_null(anonymous);
	assert_false(anonymous->writable);
	maps_deinit(&m);
	munmap((void *)(uintptr_t)page, 8192);
}

static void test_ended_process(void **state)
{
	pid_t child = fork();
	struct maps m;

	(void)state;
	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	struct err *err = maps_read(&m, child);
	assert_non_null(err);
	assert_int_equal(err->kind, ERR_GONE);
	err_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_nonsense_is_skipped_and_counted),
		cmocka_unit_test(test_empty_cut_and_backwards),
		cmocka_unit_test(test_text_with_zero_bytes),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_anonymous_memory_is_no_file),
		cmocka_unit_test(test_own_process),
		cmocka_unit_test(test_ended_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

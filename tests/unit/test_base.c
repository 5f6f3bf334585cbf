// SPDX-License-Identifier: MIT
/* The ground floor: buf, arena, intern, utf8, err, iofd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/intern.h"
#include "base/iofd.h"
#include "base/utf8.h"

/* ---- buf, arena ------------------------------------------------------------------------------ */

static void test_buf(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	(void)state;
	assert_string_equal(buf_str(&b), "");
	buf_add(&b, NULL, 0);
	assert_string_equal(buf_str(&b), "");
	buf_add_str(&b, "abc");
	buf_add_char(&b, 'd');
	buf_add(&b, "e\0f", 3);
	assert_int_equal(b.len, 7);
	assert_memory_equal(b.data, "abcde\0f", 8);
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_str(&b), "");
	buf_deinit(&b);
	buf_add_str(&b, "again");
	assert_string_equal(buf_str(&b), "again");
}

/* Making room alone leaves a text behind, too. */
static void test_buf_reserve(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT, text = BUF_INIT;

	(void)state;
	buf_reserve(&b, 0);
	assert_string_equal(buf_str(&b), "");
	utf8_add_bytes(&text, "", 0);
	assert_string_equal(buf_str(&text), "");
}

static void test_buf_printf(void **state)
{
	(void)state;
	for (int len = 0; len < 300; len++) { // around each capacity
		_cleanup_buf_ struct buf b = BUF_INIT;

		buf_printf(&b, "%*s", len, "");
		assert_int_equal(b.len, len);
		assert_int_equal(strlen(buf_str(&b)), len);
		buf_printf(&b, "<%d %s>", len, "x");
		assert_int_equal(strlen(buf_str(&b)), b.len);
	}
}

static void test_arena(void **state)
{
	_cleanup_(arena_deinit) struct arena a = { 0 };
	char *pieces[1000];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		pieces[i] = arena_alloc(&a, i * 3);
		assert_int_equal((uintptr_t)pieces[i] % 8, 0);
		memset(pieces[i], (int)i & 0xff, i * 3);
	}
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
		for (size_t k = 0; k < i * 3; k++)
			assert_int_equal((unsigned char)pieces[i][k], i & 0xff);
	char *large = arena_alloc(&a, 1 << 20);
	memset(large, 1, 1 << 20);
	assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
	assert_string_equal(arena_strndup(&a, NULL, 0), "");
	assert_true(a.bytes >= 1 << 20);
}

/* ---- intern ---------------------------------------------------------------------------------- */

static bool intern_has(const struct intern *index, uint64_t hash, uint32_t row)
{
	for (struct intern_probe p = intern_begin(index, hash); intern_next(index, &p);)
		if (p.row == row)
			return true;
	return false;
}

static void test_intern(void **state)
{
	_cleanup_(intern_deinit) struct intern index = { 0 };
	const uint32_t count = 100000;

	(void)state;
	assert_false(intern_has(&index, 1, 0));
	for (uint32_t i = 0; i < count; i++)
		intern_add(&index, intern_hash2(i, 7), i);
	for (uint32_t i = 0; i < count; i++)
		assert_true(intern_has(&index, intern_hash2(i, 7), i));
	for (uint32_t i = 0; i < count; i++)
		assert_false(intern_has(&index, intern_hash2(i, 8), i));
}

/* Keys of one and the same hash are told apart by the caller. */
static void test_intern_collisions(void **state)
{
	_cleanup_(intern_deinit) struct intern index = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 500; i++)
		intern_add(&index, 0x1234567800000000, i);
	for (uint32_t i = 0; i < 500; i++)
		assert_true(intern_has(&index, 0x1234567800000000, i));
	assert_false(intern_has(&index, 0x1234567900000000, 0));
}

/* ---- utf8 ------------------------------------------------------------------------------------ */

static void repairs(const char *bytes, size_t len, const char *expected)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	_cleanup_free_ char *exact = xmalloc(len ? len : 1); // so that reading beyond it shows

	memcpy(exact, bytes, len);
	utf8_add_bytes(&out, exact, len);
	assert_string_equal(buf_str(&out), expected);
}

#define BAD "\xef\xbf\xbd"

static void test_utf8_repair(void **state)
{
	(void)state;
	repairs("", 0, "");
	repairs("plain", 5, "plain");
	repairs("\xc3\xb6\xe4\xb8\x96\xf0\x90\x90\x80", 9, "\xc3\xb6\xe4\xb8\x96\xf0\x90\x90\x80");
	repairs("\xf4\x8f\xbf\xbf", 4, "\xf4\x8f\xbf\xbf");
	repairs("a\xff"
		"b",
		3, "a" BAD "b");
	repairs("\x80", 1, BAD);
	repairs("\xc3", 1, BAD); // cut off
	repairs("\xe4\xb8", 2, BAD);
	repairs("\xe4\xb8"
		"x",
		3, BAD "x"); // what follows is not swallowed
	repairs("\xc3\xc3\xb6", 3, BAD "\xc3\xb6");
	repairs("\xc0\x80", 2, BAD); // too long for what it says
	repairs("\xe0\x80\xaf", 3, BAD);
	repairs("\xf0\x80\x80\xaf", 4, BAD);
	repairs("\xed\xa0\x80", 3, BAD);     // a surrogate
	repairs("\xf4\x90\x80\x80", 4, BAD); // beyond the last code point
	repairs("\xf8\x88\x80\x80\x80", 5, BAD BAD BAD BAD BAD);
}

static void test_utf8_round_trip(void **state)
{
	(void)state;
	for (uint32_t c = 1; c < 0x110100; c += c < 0x1000 ? 1 : 61) {
		_cleanup_buf_ struct buf out = BUF_INIT;
		uint32_t back;
		bool good = c < 0xd800 || (c > 0xdfff && c < 0x110000);

		utf8_add(&out, c);
		assert_int_equal(utf8_decode((unsigned char *)out.data, out.len, &back), out.len);
		assert_int_equal(back, good ? c : UTF8_REPLACEMENT);
	}
}

/* ---- err ------------------------------------------------------------------------------------- */

static void message_is(struct err *err, enum err_kind kind, const char *message)
{
	assert_int_equal(err->kind, kind);
	assert_string_equal(err->message, message);
	err_free(err);
}

static void test_err(void **state)
{
	(void)state;
	err_free(NULL);
	message_is(err_new(ERR_USAGE, "bad %s %d", "thing", 5), ERR_USAGE, "bad thing 5");
	message_is(err_errno(ENOENT, "cannot read '%s'", "x"), ERR_FAILED,
		"cannot read 'x': no such file or directory");
	message_is(err_errno(EPERM, "p"), ERR_PERMISSION, "p: operation not permitted");
	message_is(err_errno(EACCES, "p"), ERR_PERMISSION, "p: permission denied");
	struct err *err = err_new(ERR_GONE, "b");
	err = err_prefix(err, "a%d", 1);
	err = err_suffix(err, "; %s", "c");
	message_is(err, ERR_GONE, "a1: b; c");
}

/* ---- iofd ------------------------------------------------------------------------------------ */

struct folder {
	char path[256];
};

static int make_folder(void **state)
{
	static struct folder f;

	const char *folder = getenv("TMPDIR");

	snprintf(f.path, sizeof(f.path), "%s/fireglass-test-XXXXXX", folder ? folder : "/tmp");
	*state = &f;
	return mkdtemp(f.path) ? 0 : -1;
}

static int remove_folder(void **state)
{
	return rmdir(((struct folder *)*state)->path);
}

static char *inside(const struct folder *f, const char *name)
{
	return xasprintf("%s/%s", f->path, name);
}

static void content_is(const char *path, const char *expected)
{
	_cleanup_buf_ struct buf content = BUF_INIT;

	assert_int_equal(iofd_read_file(path, 1 << 20, &content), 0);
	assert_string_equal(buf_str(&content), expected);
}

static void test_read_file(void **state)
{
	_cleanup_free_ char *path = inside(*state, "file");
	_cleanup_buf_ struct buf out = BUF_INIT;
	char bytes[10000];

	memset(bytes, 'x', sizeof(bytes));
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(iofd_write_all(fd, bytes, sizeof(bytes)), 0);
	close(fd);
	buf_add_str(&out, "before:");
	assert_int_equal(iofd_read_file(path, 1 << 20, &out), 0);
	assert_int_equal(out.len, 7 + sizeof(bytes));
	buf_clear(&out);
	assert_int_equal(iofd_read_file(path, 5000, &out), 0);
	assert_int_equal(out.len, 5000);
	assert_int_equal(strlen(buf_str(&out)), 5000);
	unlink(path);
	buf_clear(&out);
	assert_int_equal(iofd_read_file(path, 10, &out), ENOENT);
	assert_int_equal(out.len, 0);
	assert_int_equal(iofd_write_all(-1, "x", 1), EBADF);
}

static void test_outfile(void **state)
{
	_cleanup_free_ char *path = inside(*state, "out");
	struct outfile f;
	struct stat st;

	assert_null(outfile_open(&f, path));
	fputs("first", f.stream);
	assert_int_equal(access(path, F_OK), -1); // not there before it is complete
	assert_null(outfile_commit(&f));
	content_is(path, "first");
	mode_t mask = umask(0);
	umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666 & ~mask);

	assert_null(outfile_open(&f, path));
	fputs("second", f.stream);
	fflush(f.stream);
	content_is(path, "first");
	outfile_abort(&f);
	content_is(path, "first");
	outfile_abort(&f); // nothing left to do

	assert_null(outfile_open(&f, path));
	fputs("third", f.stream);
	assert_null(outfile_commit(&f));
	content_is(path, "third");
	outfile_abort(&f);
	content_is(path, "third");
	unlink(path);
	// the folder is empty again: no temporary file was left (see remove_folder)
}

static void test_outfile_that_cannot_be(void **state)
{
	_cleanup_free_ char *path = inside(*state, "no/such/folder");
	struct outfile f;
	struct err *err = outfile_open(&f, path);

	assert_non_null(err);
	assert_int_equal(err->kind, ERR_FAILED);
	assert_non_null(strstr(err->message, path));
	assert_non_null(strstr(err->message, "no such file or directory"));
	err_free(err);
	outfile_abort(&f);
}

/* What is no regular file is written in place; a full disk is told at the end. */
static void test_outfile_in_place(void **state)
{
	struct outfile f;
	struct stat st;

	(void)state;
	assert_null(outfile_open(&f, "/dev/null"));
	assert_null(f.temp_path);
	fputs("x", f.stream);
	assert_null(outfile_commit(&f));
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_null(outfile_open(&f, "/dev/full"));
	fputs("x", f.stream);
	struct err *err = outfile_commit(&f);
	assert_non_null(err);
	assert_non_null(strstr(err->message, "no space left on device"));
	err_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_buf_reserve),
		cmocka_unit_test(test_buf_printf),
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_intern),
		cmocka_unit_test(test_intern_collisions),
		cmocka_unit_test(test_utf8_repair),
		cmocka_unit_test(test_utf8_round_trip),
		cmocka_unit_test(test_err),
		cmocka_unit_test_setup_teardown(test_read_file, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_outfile, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			test_outfile_that_cannot_be, make_folder, remove_folder),
		cmocka_unit_test(test_outfile_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

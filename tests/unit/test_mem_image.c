// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "os/mem_image.h"

static int setup(void **state)
{
	static struct mem_image image;

	mem_image_init(&image);
	*state = &image;
	return 0;
}

static int teardown(void **state)
{
	mem_image_deinit(*state);
	return 0;
}

static void test_reads_stay_in_segments(void **state)
{
	struct mem_image *image = *state;
	char out[16] = "";

	assert_true(mem_image_add(image, 0x2000, "second", 6));
	assert_true(mem_image_add(image, 0x1000, "first!", 6));
	assert_true(mem_image_add(image, 0x2006, "third", 5));
	assert_int_equal(mem_read(&image->reader, 0x1000, out, 6), READ_OK);
	assert_memory_equal(out, "first!", 6);
	assert_int_equal(mem_read(&image->reader, 0x2002, out, 4), READ_OK);
	assert_memory_equal(out, "cond", 4);
	assert_int_equal(mem_read(&image->reader, 0x2006, out, 5), READ_OK);
	assert_memory_equal(out, "third", 5);
	assert_int_equal(mem_read(&image->reader, 0xfff, out, 1), READ_FAULT);
	assert_int_equal(mem_read(&image->reader, 0x1006, out, 1), READ_FAULT);
	assert_int_equal(mem_read(&image->reader, 0x1005, out, 2), READ_FAULT);
	assert_int_equal(mem_read(&image->reader, 0x2000, out, 7), READ_FAULT);
	assert_int_equal(mem_read(&image->reader, UINT64_MAX, out, 2), READ_FAULT);
	assert_int_equal(mem_read(&image->reader, 0x1000, out, SIZE_MAX), READ_FAULT);
	assert_int_equal(mem_read(&image->reader, 0x9000, out, 0), READ_OK);
}

static void test_readv_tells_what_was_whole(void **state)
{
	struct mem_image *image = *state;
	char a[2], b[2], c[2];
	struct mem_range ranges[] = { { 0x1000, a, 2 }, { 0x3000, b, 2 }, { 0x1002, c, 2 } };
	size_t whole = 99;

	assert_true(mem_image_add(image, 0x1000, "abcd", 4));
	assert_int_equal(mem_readv(&image->reader, ranges, 3, &whole), READ_FAULT);
	assert_int_equal(whole, 1);
	ranges[1].addr = 0x1001;
	image->reads = 0;
	assert_int_equal(mem_readv(&image->reader, ranges, 3, &whole), READ_OK);
	assert_int_equal(whole, 3);
	assert_int_equal(image->reads, 3);
	assert_memory_equal(b, "bc", 2);
	assert_int_equal(mem_readv(&image->reader, ranges, MEM_RANGES_MAX + 1, &whole), READ_FAULT);
	assert_int_equal(whole, 0);
}

static void test_overlaps_are_refused(void **state)
{
	struct mem_image *image = *state;

	assert_true(mem_image_add(image, 0x1000, NULL, 0x100));
	assert_false(mem_image_add(image, 0x1000, NULL, 1));
	assert_false(mem_image_add(image, 0x10ff, NULL, 1));
	assert_false(mem_image_add(image, 0xfff, NULL, 2));
	assert_false(mem_image_add(image, 0x0, NULL, 0x2000));
	assert_true(mem_image_add(image, 0x1100, NULL, 1));
	assert_true(mem_image_add(image, 0xfff, NULL, 1));
	assert_false(mem_image_add(image, UINT64_MAX, NULL, 2));
	assert_true(mem_image_add(image, UINT64_MAX, "z", 1));
	assert_true(mem_image_add(image, 0x1000, NULL, 0));
	assert_int_equal(image->count, 4);
}

static void test_change_in_place(void **state)
{
	struct mem_image *image = *state;
	uint64_t value;

	assert_true(mem_image_add(image, 0x1000, NULL, 16));
	assert_int_equal(mem_read_u64(&image->reader, 0x1008, &value), READ_OK);
	assert_int_equal(value, 0);
	value = 0x1122334455667788;
	memcpy(mem_image_at(image, 0x1008, 8), &value, 8);
	value = 0;
	assert_int_equal(mem_read_u64(&image->reader, 0x1008, &value), READ_OK);
	assert_int_equal(value, 0x1122334455667788);
	assert_null(mem_image_at(image, 0x1009, 8));
	assert_null(mem_image_at(image, 0xfff, 1));
}

static void add_u64(struct buf *b, uint64_t value)
{
	buf_add(b, &value, sizeof(value));
}

static void add_segment(struct buf *b, uint64_t addr, const char *bytes)
{
	add_u64(b, addr);
	add_u64(b, strlen(bytes));
	buf_add_str(b, bytes);
}

static void test_parse(void **state)
{
	struct mem_image *image = *state;
	_cleanup_buf_ struct buf file = BUF_INIT;
	char out[4];

	buf_add_str(&file, "fgimage1");
	add_u64(&file, 2);
	add_segment(&file, 0x2000, "tail");
	add_segment(&file, 0x1000, "head");
	// every cut, and a byte too many, is malformed and leaves nothing behind
	for (size_t len = 0; len < file.len; len++)
		assert_false(mem_image_parse(image, file.data, len));
	buf_add_char(&file, 'x');
	assert_false(mem_image_parse(image, file.data, file.len));
	assert_int_equal(image->count, 0);
	assert_true(mem_image_parse(image, file.data, file.len - 1));
	assert_int_equal(image->count, 2);
	assert_int_equal(image->segments[0].addr, 0x1000);
	assert_int_equal(mem_read(&image->reader, 0x2000, out, 4), READ_OK);
	assert_memory_equal(out, "tail", 4);
	// a second time it overlaps
	assert_false(mem_image_parse(image, file.data, file.len - 1));
	assert_int_equal(image->count, 2);
}

static void test_parse_nonsense(void **state)
{
	struct mem_image *image = *state;
	_cleanup_buf_ struct buf file = BUF_INIT;

	assert_false(mem_image_parse(image, NULL, 0));
	buf_add_str(&file, "fgimage2");
	add_u64(&file, 0);
	assert_false(mem_image_parse(image, file.data, file.len));
	buf_clear(&file);
	buf_add_str(&file, "fgimage1");
	add_u64(&file, UINT64_MAX);
	assert_false(mem_image_parse(image, file.data, file.len));
	add_u64(&file, 0x1000);
	add_u64(&file, UINT64_MAX);
	assert_false(mem_image_parse(image, file.data, file.len));
	buf_clear(&file);
	buf_add_str(&file, "fgimage1");
	add_u64(&file, 2);
	add_segment(&file, 0x1000, "aaaa");
	add_segment(&file, 0x1003, "bbbb");
	assert_false(mem_image_parse(image, file.data, file.len));
	assert_int_equal(image->count, 0);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(test_reads_stay_in_segments),
		UNIT(test_readv_tells_what_was_whole),
		UNIT(test_overlaps_are_refused),
		UNIT(test_change_in_place),
		UNIT(test_parse),
		UNIT(test_parse_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

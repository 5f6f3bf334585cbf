// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/cleanup.h"
#include "images.h"
#include "pyabi/object.h"
#include "world.h"

#define for_each_release(name)                                                                     \
	for (const char *const *name = recorded_releases; *name; name++)

static struct py_memory memory(struct world *w)
{
	return runtime_memory(&w->rt, &w->image.reader);
}

/* ---- text ------------------------------------------------------------------------------------ */

static void text_is(struct world *w, remote_addr object, const char *expected)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct py_memory py = memory(w);

	buf_add_str(&text, "<");
	assert_int_equal(object_text(&py, object, &text), READ_OK);
	assert_string_equal(buf_str(&text) + 1, expected);
}

static enum read_status text_status(struct world *w, remote_addr object)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct py_memory py = memory(w);

	return object_text(&py, object, &text);
}

static void test_ascii(void **state)
{
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;

		world_init(&w, *release);
		text_is(&w, world_str(&w, ""), "");
		text_is(&w, world_str(&w, "f"), "f");
		text_is(&w, world_str(&w, "<listcomp>"), "<listcomp>");
		text_is(&w, world_str(&w, text), text); // more than is read at first
	}
}

static void test_widths(void **state)
{
	static const unsigned char latin[] = { 'g', 'r', 0xf6, 0xdf, 'e', 0xff };
	static const uint16_t narrow[] = { 0x4e16, 'a', 0xdc00, 0xfffd, 0x7ff };
	static const uint32_t wide[] = { 0x10400, 'b', 0x110000, 0xd800, 0x10ffff };

	(void)state;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;

		world_init(&w, *release);
		if (w.rt.layout.strings == STRING_BYTES)
			continue;
		text_is(&w, world_str_units(&w, latin, 6, 1),
			"gr\xc3\xb6\xc3\x9f"
			"e\xc3\xbf");
		text_is(&w, world_str_units(&w, narrow, 5, 2),
			"\xe4\xb8\x96"
			"a\xef\xbf\xbd\xef\xbf\xbd\xdf\xbf");
		text_is(&w, world_str_units(&w, wide, 5, 4),
			"\xf0\x90\x90\x80"
			"b\xef\xbf\xbd\xef\xbf\xbd\xf4\x8f\xbf\xbf");
	}
}

/* 2.7: bytes in the source's coding; what is not UTF-8 is repaired. */
static void test_byte_strings(void **state)
{
	_cleanup_(world_deinit) struct world w;

	(void)state;
	world_init(&w, "2.7");
	text_is(&w, world_bytes(&w, "gr\xc3\xb6\xc3\x9f", 6), "gr\xc3\xb6\xc3\x9f");
	text_is(&w, world_bytes(&w, "gr\xf6", 3), "gr\xef\xbf\xbd");
}

/* A str subclass, or 3.11's not compact strings: the text is elsewhere. */
static void test_text_that_is_elsewhere(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;

		world_init(&w, *release);
		const struct py_offsets *at = &w.rt.layout.at;
		if (w.rt.layout.strings == STRING_BYTES)
			continue;
		unsigned int shift = w.rt.layout.strings == STRING_PEP393_SHIFTED ? 8 : 2;
		remote_addr text = world_alloc(&w, 64), object = world_str(&w, "x");
		world_store(&w, text, 0x6d6c6b6a, 4);
		world_put(&w, object, at->str_length, 4);
		world_put_u32(&w, object, at->str_state, (1u | 1u << 4) << shift);
		world_put(&w, object, at->str_compact_size, text);
		text_is(&w, object, "jklm");
		world_put_u32(&w, object, at->str_state, 1u << shift); // Latin-1
		text_is(&w, object, "jklm");
		world_put(&w, object, at->str_compact_size, 0x600000000000);
		assert_int_equal(text_status(&w, object), READ_FAULT);
		world_put(&w, object, at->str_compact_size, 0);
		assert_int_not_equal(text_status(&w, object), READ_OK);
	}
}

/* Address and length that wrap around seem to end inside of what was read already. */
static void test_text_that_wraps_around(void **state)
{
	static const remote_addr wild[] = { UINT64_MAX - 15, UINT64_MAX - 0xffff, UINT64_MAX };

	(void)state;
	for_each_release(release) {
		for (size_t i = 0; i < ARRAY_LEN(wild); i++) {
			_cleanup_(world_deinit) struct world w;

			world_init(&w, *release);
			const struct py_offsets *at = &w.rt.layout.at;
			if (w.rt.layout.strings == STRING_BYTES)
				continue;
			unsigned int shift = w.rt.layout.strings == STRING_PEP393_SHIFTED ? 8 : 2;
			remote_addr object = world_str(&w, "x");
			world_put(&w, object, at->str_length, STRING_CODE_POINTS_MAX);
			world_put_u32(&w, object, at->str_state, 4u << shift);
			world_put(&w, object, at->str_compact_size, wild[i]);
			assert_int_not_equal(text_status(&w, object), READ_OK);
		}
	}
}

static void test_long_text_is_cut(void **state)
{
	const size_t cap = STRING_CODE_POINTS_MAX;

	(void)state;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;
		_cleanup_buf_ struct buf text = BUF_INIT;

		world_init(&w, *release);
		struct py_memory py = memory(&w);
		remote_addr object = world_alloc(&w, cap + 1024);
		world_str_at(&w, object, "a");
		memset(mem_image_at(&w.image, object + w.rt.layout.at.str_ascii_size, cap + 10),
			'a', cap + 10);
		world_put(&w, object, w.rt.layout.at.str_length, cap + 1);
		assert_int_equal(object_text(&py, object, &text), READ_OK);
		assert_int_equal(text.len, cap + 3);
		assert_string_equal(buf_str(&text) + cap - 1, "a\xe2\x80\xa6");
		buf_clear(&text);
		world_put(&w, object, w.rt.layout.at.str_length, cap);
		assert_int_equal(object_text(&py, object, &text), READ_OK);
		assert_int_equal(text.len, cap);
	}
}

static void test_what_is_no_text(void **state)
{
	static const remote_addr wild[] = { 0, 1, 0xfff8, 0x7f1000000001, UINT64_MAX };

	(void)state;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;

		world_init(&w, *release);
		const struct py_offsets *at = &w.rt.layout.at;
		for (size_t i = 0; i < ARRAY_LEN(wild); i++)
			assert_int_equal(text_status(&w, wild[i]), READ_TORN);
		assert_int_equal(text_status(&w, 0x600000000000), READ_FAULT);
		remote_addr object = world_str(&w, "f");
		world_put(&w, object, at->str_length, UINT64_MAX);
		assert_int_equal(text_status(&w, object), READ_TORN);
		world_put(&w, object, at->str_length, 1);
		if (at->str_state == OFFSET_NONE)
			continue;
		for (uint32_t width = 0; width < 8; width++) {
			unsigned int shift = w.rt.layout.strings == STRING_PEP393_SHIFTED ? 8 : 2;
			bool good = width == 1 || width == 2 || width == 4;

			world_put_u32(&w, object, at->str_state, (width | 1u << 3) << shift);
			assert_int_equal(text_status(&w, object), good ? READ_OK : READ_TORN);
		}
	}
}

/* An object may end right before memory that is not mapped. */
static void test_at_the_end_of_memory(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;
		unsigned char page[128];

		world_init(&w, *release);
		const struct py_offsets *at = &w.rt.layout.at;
		remote_addr inside = world_str(&w, "twelve bytes");
		assert_int_equal(mem_read(&w.image.reader, inside, page, sizeof(page)), READ_OK);
		remote_addr end = 0x7e0000001000;
		uint32_t len = at->str_ascii_size + 13;
		if (at->str_compact_size != OFFSET_NONE && len < at->str_compact_size + 8)
			len = at->str_compact_size + 8; // sizes of blocks are rounded
		len = (len + 7) & ~7u;
		assert_true(mem_image_add(&w.image, end - len, page, len));
		text_is(&w, end - len, "twelve bytes");
	}
}

/* ---- bytes, integers ------------------------------------------------------------------------- */

static void test_bytes(void **state)
{
	unsigned char long_one[600];

	(void)state;
	for (size_t i = 0; i < sizeof(long_one); i++)
		long_one[i] = (unsigned char)i;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;
		const size_t lengths[] = { 0, 1, 200, sizeof(long_one) };

		world_init(&w, *release);
		struct py_memory py = memory(&w);
		for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
			_cleanup_buf_ struct buf out = BUF_INIT;
			remote_addr object = world_bytes(&w, long_one, lengths[i]);

			assert_int_equal(object_bytes(&py, object, &out), READ_OK);
			assert_int_equal(out.len, lengths[i]);
			assert_memory_equal(buf_str(&out), long_one, lengths[i]);
			world_put(&w, object, w.rt.layout.at.bytes_size, BYTES_OBJECT_MAX + 1);
			assert_int_equal(object_bytes(&py, object, &out), READ_TORN);
			world_put(&w, object, w.rt.layout.at.bytes_size, BYTES_OBJECT_MAX);
			assert_int_equal(object_bytes(&py, object, &out), READ_FAULT);
		}
	}
}

static void test_integers(void **state)
{
	static const uint64_t values[] = { 0, 1, (1u << 30) - 1, 1u << 30, 140592744556352,
		UINT64_MAX >> 4, UINT64_MAX };

	(void)state;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;
		uint64_t value;

		world_init(&w, *release);
		struct py_memory py = memory(&w);
		for (size_t i = 0; i < ARRAY_LEN(values); i++) {
			remote_addr object = world_int(&w, values[i]);

			assert_int_equal(object_int(&py, object, &value), READ_OK);
			assert_int_equal(value, values[i]);
		}
		if (w.rt.layout.at.int_size == OFFSET_NONE)
			continue;
		remote_addr object = world_int(&w, 5);
		world_put(&w, object, w.rt.layout.at.int_size, 4 << 3); // 4 or 32 digits
		assert_int_equal(object_int(&py, object, &value), READ_TORN);
		world_put(&w, object, w.rt.layout.at.int_size, (uint64_t)INT64_MIN);
		assert_int_equal(object_int(&py, object, &value), READ_TORN);
		assert_int_equal(object_int(&py, 3, &value), READ_TORN);
	}
}

/* ---- dicts ----------------------------------------------------------------------------------- */

static bool count_entry(void *data, remote_addr key, remote_addr value)
{
	(void)key;
	(void)value;
	return ++*(size_t *)data < 1000;
}

static void test_dict(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;
		remote_addr keys[200], values[200], found;
		size_t count = 0;
		char name[16];

		world_init(&w, *release);
		struct py_memory py = memory(&w);
		for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
			snprintf(name, sizeof(name), "key%zu", i);
			keys[i] = world_str(&w, name);
			values[i] = world_alloc(&w, 16);
		}
		values[7] = 0; // deleted
		keys[9] = 0;
		remote_addr dict = world_dict(&w, keys, values, ARRAY_LEN(keys));
		assert_int_equal(object_dict_each(&py, dict, count_entry, &count), READ_OK);
		assert_int_equal(count, ARRAY_LEN(keys) - 2);
		assert_int_equal(object_dict_get(&py, dict, "key199", &found), READ_OK);
		assert_int_equal(found, values[199]);
		assert_int_equal(object_dict_get(&py, dict, "key7", &found), READ_OK);
		assert_int_equal(found, 0);
		assert_int_equal(object_dict_get(&py, dict, "key", &found), READ_OK);
		assert_int_equal(found, 0);
		assert_int_equal(object_dict_get(&py, 4, "key", &found), READ_TORN);
		assert_int_equal(object_dict_get(&py, 0x600000000000, "key", &found), READ_FAULT);
	}
}

static void test_dict_that_lies(void **state)
{
	static const uint64_t lies[] = { 300, DICT_ENTRIES_MAX, DICT_ENTRIES_MAX + 1,
		(uint64_t)1 << 40, UINT64_MAX };

	(void)state;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;
		size_t count = 0;

		world_init(&w, *release);
		struct py_memory py = memory(&w);
		const struct py_offsets *at = &w.rt.layout.at;
		remote_addr key = world_str(&w, "a"), value = world_alloc(&w, 16), keys;
		remote_addr dict = world_dict(&w, &key, &value, 1);
		mem_read_u64(&w.image.reader, dict + at->dict_keys, &keys);
		for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
			switch (w.rt.layout.dicts) {
			case DICT_TABLE:
				world_put(&w, dict, at->dict_values, lies[i]);
				break;
			case DICT_KEYS_36:
				world_put(&w, keys, 32, lies[i]);
				break;
			case DICT_KEYS_311:
				world_put(&w, keys, 24, lies[i]);
				break;
			}
			w.image.reads = 0;
			object_dict_each(&py, dict, count_entry, &count);
			assert_in_range(w.image.reads, 1, 20000);
		}
		for (uint64_t byte = 0; byte < 256; byte += 15) {
			if (w.rt.layout.dicts != DICT_KEYS_311)
				break;
			world_store(&w, keys + 9, byte, 1);  // log2 of the size of the indices
			world_store(&w, keys + 10, byte, 1); // kind
			object_dict_each(&py, dict, count_entry, &count);
		}
	}
}

/* ---- names of types -------------------------------------------------------------------------- */

static void test_type_name(void **state)
{
	(void)state;
	for_each_release(release) {
		_cleanup_(world_deinit) struct world w;
		remote_addr name_at;
		char name[64];

		world_init(&w, *release);
		struct py_memory py = memory(&w);
		const struct py_offsets *at = &w.rt.layout.at;
		remote_addr code = world_code(&w, "f", 1);
		assert_int_equal(object_type_name(&py, code, name), READ_OK);
		assert_string_equal(name, "code");
		// C text right before the end of memory
		name_at = 0x7e0000001000 - 16;
		assert_true(mem_image_add(&w.image, name_at, "short\0rest of it", 16));
		world_put(&w, w.rt.code_type, at->type_name, name_at);
		assert_int_equal(object_type_name(&py, code, name), READ_OK);
		assert_string_equal(name, "short");
		world_put(&w, w.rt.code_type, at->type_name, 0x600000000000);
		assert_int_equal(object_type_name(&py, code, name), READ_FAULT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ascii),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_byte_strings),
		cmocka_unit_test(test_text_that_is_elsewhere),
		cmocka_unit_test(test_text_that_wraps_around),
		cmocka_unit_test(test_long_text_is_cut),
		cmocka_unit_test(test_what_is_no_text),
		cmocka_unit_test(test_at_the_end_of_memory),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_dict),
		cmocka_unit_test(test_dict_that_lies),
		cmocka_unit_test(test_type_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

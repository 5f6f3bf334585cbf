// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "images.h"
#include "pyabi/layout.h"

static uint32_t version_hex(unsigned int major, unsigned int minor)
{
	return major << 24 | minor << 16 | 0x0af0;
}

static void test_releases_that_do_not_describe_themselves(void **state)
{
	static const struct {
		unsigned int major, minor;
		const char *name;
	} known[] = { { 2, 7, "2.7" }, { 3, 6, "3.6" }, { 3, 7, "3.7" }, { 3, 8, "3.8" },
		{ 3, 9, "3.9" }, { 3, 10, "3.10" }, { 3, 11, "3.11" }, { 3, 12, "3.12" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct py_layout layout;

		assert_null(layout_for_version(
			&layout, version_hex(known[i].major, known[i].minor), EM_X86_64, 0));
		assert_string_equal(layout.name, known[i].name);
		assert_int_equal(layout.major, known[i].major);
		assert_int_equal(layout.minor, known[i].minor);
		assert_false(layout.free_threaded);
	}
}

static void test_releases_that_are_not_known(void **state)
{
	static const unsigned int unknown[][2] = { { 2, 6 }, { 2, 8 }, { 3, 0 }, { 3, 5 },
		{ 3, 13 }, { 3, 200 }, { 4, 0 }, { 0, 0 }, { 255, 255 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		struct py_layout layout;
		struct err *err = layout_for_version(
			&layout, version_hex(unknown[i][0], unknown[i][1]), EM_X86_64, 0);

		assert_non_null(err);
		assert_int_equal(err->kind, ERR_NOT_PYTHON);
		assert_non_null(strstr(err->message, layout_versions_text()));
		err_free(err);
	}
}

static uint32_t current_at(unsigned int minor, uint16_t machine, uint64_t runtime_bytes)
{
	struct py_layout layout;

	assert_null(layout_for_version(&layout, version_hex(3, minor), machine, runtime_bytes));
	return layout.at.runtime_tstate_current;
}

static void test_corrections(void **state)
{
	(void)state;
	assert_int_equal(current_at(7, EM_X86_64, 1520), 1480);
	assert_int_equal(current_at(7, EM_X86_64, 0), 1480);
	assert_int_equal(current_at(7, EM_X86_64, 1432), 1392); // 3.7.0 to 3.7.3
	assert_int_equal(current_at(7, EM_AARCH64, 1536), 1496);
	assert_int_equal(current_at(8, EM_X86_64, 0), 1368);
	assert_int_equal(current_at(8, EM_AARCH64, 0), 1384);
	assert_int_equal(current_at(9, EM_AARCH64, 0), 584);
	assert_int_equal(current_at(10, EM_AARCH64, 0), 584);
	assert_int_equal(current_at(11, EM_X86_64, 0), 576);
	assert_int_equal(current_at(11, EM_AARCH64, 0), 592);
	assert_int_equal(current_at(12, EM_AARCH64, 0), OFFSET_NONE);
}

/* ---- what a release says of itself ----------------------------------------------------------- */

struct said {
	unsigned char bytes[DEBUG_OFFSETS_BYTES_MAX];
};

static void load(struct said *said, const char *release)
{
	_cleanup_(recording_deinit) struct recording r;

	recording_load(&r, release);
	assert_int_equal(
		mem_read(&r.image.reader, r.rt.address, said->bytes, sizeof(said->bytes)), READ_OK);
}

static void say(struct said *said, size_t at, uint64_t value)
{
	memcpy(said->bytes + at, &value, sizeof(value));
}

static bool accepted(const struct said *said, struct py_layout *layout)
{
	bool guessed;
	struct err *err =
		layout_from_debug_offsets(layout, said->bytes, sizeof(said->bytes), &guessed);

	if (err)
		assert_int_equal(err->kind, ERR_NOT_PYTHON);
	err_free(err);
	return !err;
}

static const char *const self_describing[] = { "3.13", "3.13t", "3.14", "3.14t", "3.15", "3.15t" };

/* The columns of layout_offsets.def must agree with what the real interpreters say. */
static void test_columns_agree_with_interpreters(void **state)
{
	static const struct {
		const char *name;
		uint32_t values[6]; // of self_describing
		uint32_t offset;
	} expected[] = {
#define EXPECT(field, ...) { #field, { __VA_ARGS__ }, offsetof(struct py_offsets, field) }
		EXPECT(runtime_interpreters_head, 632, 632, 808, 808, 936, 936),
		EXPECT(interp_threads_head, 7344, 7344, 7344, 7344, 7336, 7336),
		EXPECT(interp_modules, 7656, 7664, 7688, 7712, 7592, 7592),
		EXPECT(thread_frame, 72, 72, 72, 72, 72, 72),
		EXPECT(thread_native_id, 160, 160, 160, 160, 184, 184),
		EXPECT(thread_datastack_chunk, 232, 232, 232, 232, 256, 256),
		EXPECT(thread_datastack_top, 240, 240, 240, 240, 264, 264),
		EXPECT(frame_owner, 70, 70, 74, 78, 74, 78),
		EXPECT(frame_size, 80, 80, 88, 88, 88, 88),
		EXPECT(code_bytecode, 200, 216, 208, 232, 208, 232),
		EXPECT(code_qualname, 128, 144, 128, 144, 128, 144),
		EXPECT(str_ascii_size, 40, 56, 40, 56, 40, 56),
		EXPECT(str_compact_size, 56, 72, 56, 72, 56, 72),
#undef EXPECT
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(self_describing); i++) {
		struct py_layout layout;
		struct said said;

		load(&said, self_describing[i]);
		assert_true(accepted(&said, &layout));
		assert_string_equal(layout.name, self_describing[i]);
		for (size_t k = 0; k < ARRAY_LEN(expected); k++) {
			uint32_t value;

			memcpy(&value, (char *)&layout.at + expected[k].offset, sizeof(value));
			if (value != expected[k].values[i])
				print_error("%s of %s\n", expected[k].name, layout.name);
			assert_int_equal(value, expected[k].values[i]);
		}
		// the thread state is read up to and with its last field that is used
		assert_in_range(layout.thread_bytes, layout.at.thread_datastack_top + 8, 300);
	}
}

static void test_newer_release_is_guessed(void **state)
{
	struct py_layout layout;
	struct said said;
	bool guessed = true;

	(void)state;
	load(&said, "3.15");
	assert_null(layout_from_debug_offsets(&layout, said.bytes, sizeof(said.bytes), &guessed));
	assert_false(guessed);
	say(&said, 8, version_hex(3, 16));
	assert_null(layout_from_debug_offsets(&layout, said.bytes, sizeof(said.bytes), &guessed));
	assert_true(guessed);
	assert_string_equal(layout.name, "3.15");
	assert_int_equal(layout_newest_hex(), 0x030f0000);
}

static void test_headers(void **state)
{
	struct py_debug_header header;
	struct said good, said;

	(void)state;
	load(&good, "3.14");
	assert_true(layout_parse_debug_header(good.bytes, sizeof(good.bytes), &header));
	assert_int_equal(header.version >> 16, 0x030e);
	assert_int_equal(header.free_threaded, 0);
	assert_false(layout_parse_debug_header(good.bytes, 23, &header));
	const struct {
		size_t at;
		uint64_t value;
	} bad[] = { { 0, 0 }, { 8, 0 }, { 8, version_hex(3, 12) }, { 8, version_hex(2, 14) },
		{ 8, UINT64_MAX }, { 8, (uint64_t)1 << 32 | version_hex(3, 14) }, { 16, 2 } };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		said = good;
		say(&said, bad[i].at, bad[i].value);
		assert_false(layout_parse_debug_header(said.bytes, sizeof(said.bytes), &header));
	}
}

static void test_cut_off(void **state)
{
	static const size_t needed[] = { 528, 528, 632, 632, 752, 752 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(self_describing); i++) {
		struct said said;

		load(&said, self_describing[i]);
		for (size_t len = 0; len < needed[i]; len += 8) {
			// in memory of just that size, so that reading beyond it shows
			_cleanup_free_ unsigned char *bytes = malloc(len ? len : 1);
			struct py_layout layout;
			bool guessed;

			memcpy(bytes, said.bytes, len);
			struct err *err = layout_from_debug_offsets(&layout, bytes, len, &guessed);
			assert_non_null(err);
			err_free(err);
		}
	}
}

/* Whatever is said, what is accepted must be safe to read by, without further checks. */
static void assert_safe(const struct py_layout *layout)
{
	const struct py_offsets *at = &layout->at;

	// frames are read whole, into small buffers
	assert_in_range(at->frame_size, 16, 256);
	assert_in_range(at->frame_previous, 0, at->frame_size - 8);
	assert_in_range(at->frame_code, 0, at->frame_size - 8);
	assert_in_range(at->frame_instr, 0, at->frame_size - 8);
	assert_in_range(at->frame_owner, 0, at->frame_size - 1);
	if (layout->free_threaded && at->frame_tlbc_index != OFFSET_NONE)
		assert_in_range(at->frame_tlbc_index, 0, at->frame_size - 4);
	// headers of strings and bytes: the first 256 bytes
	assert_in_range(at->str_length, 0, 248);
	assert_in_range(at->str_state, 0, 248);
	assert_in_range(at->str_ascii_size, 0, 248);
	assert_in_range(at->str_compact_size, 0, 248);
	assert_in_range(at->bytes_size, 0, 248);
	assert_in_range(at->bytes_data, 0, 248);
	// the thread state has a buffer of its own size, but no endless one
	assert_in_range(layout->thread_bytes, at->thread_datastack_top + 8, 4200);
}

/* Each field in turn says something that cannot be, or can but is large. */
static void test_every_field_may_lie(void **state)
{
	static const uint64_t lies[] = { 0, 1, 7, 100, 255, 256, 1000, 1530, 4000, 4096, 4097,
		65536, (1u << 21) - 8, 1u << 21, UINT32_MAX, (uint64_t)1 << 32, (uint64_t)1 << 63,
		UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(self_describing); i++) {
		struct said good;

		load(&good, self_describing[i]);
		for (size_t at = 24; at < 896; at += 8) {
			for (size_t k = 0; k < ARRAY_LEN(lies); k++) {
				struct said said = good;
				struct py_layout layout;

				say(&said, at, lies[k]);
				if (accepted(&said, &layout))
					assert_safe(&layout);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_releases_that_do_not_describe_themselves),
		cmocka_unit_test(test_releases_that_are_not_known),
		cmocka_unit_test(test_corrections),
		cmocka_unit_test(test_columns_agree_with_interpreters),
		cmocka_unit_test(test_newer_release_is_guessed),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_every_field_may_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

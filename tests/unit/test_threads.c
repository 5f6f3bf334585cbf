// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "images.h"
#include "pyabi/threads.h"
#include "world.h"

/* ---- what was recorded ------------------------------------------------------------------------ */

static void test_recorded_threads(void **state)
{
	(void)state;
	for (const char *const *release = recorded_releases; *release; release++) {
		_cleanup_(recording_deinit) struct recording r;
		_cleanup_(threads_deinit) struct py_threads threads = { 0 };

		recording_load(&r, *release);
		assert_string_equal(r.rt.layout.name, *release);
		assert_int_equal(runtime_ready(&r.rt, &r.image.reader), READ_OK);
		assert_int_equal(threads_list(&r.rt, &r.image.reader, &threads), READ_OK);
		threads_calibrate(&r.rt, &r.image.reader, &threads, r.tids, r.tid_count);
		assert_int_equal(threads.count, r.thread_count);
		for (size_t i = 0; i < threads.count; i++) {
			const struct py_thread *t = &threads.items[i];
			const struct recorded_thread *said = recording_thread(&r, t->pthread);

			assert_non_null(said);
			assert_int_equal(t->main, said->main);
			assert_int_equal(t->interp, r.interpreter);
			assert_int_equal(t->interp_id, 0);
			assert_int_equal(t->native_id, r.tids[said->main ? 0 : 1]);
		}
		assert_int_equal(
			r.rt.has_tid_offset, r.rt.layout.at.thread_native_id == OFFSET_NONE);
		if (r.rt.has_tid_offset)
			assert_int_equal(r.rt.tid_offset, 720); // glibc on x86-64
	}
}

struct names_seen {
	const struct recording *r;
	size_t right, all;
};

static void compare_name(void *data, uint64_t pthread, const char *name)
{
	struct names_seen *seen = data;
	const struct recorded_thread *said = recording_thread(seen->r, pthread);

	seen->all++;
	if (said && strcmp(said->name, name) == 0)
		seen->right++;
}

static void test_recorded_names(void **state)
{
	(void)state;
	for (const char *const *release = recorded_releases; *release; release++) {
		_cleanup_(recording_deinit) struct recording r;
		struct names_seen seen = { .r = &r };

		recording_load(&r, *release);
		assert_int_equal(threads_names(&r.rt, &r.image.reader, r.interpreter, compare_name,
					 &seen),
			READ_OK);
		assert_int_equal(seen.all, r.thread_count);
		assert_int_equal(seen.right, r.thread_count);
		// a look-up by comparing keys reads each key: a few hundred reads, not more
		assert_in_range(r.image.reads, 1, 2000);
	}
}

static void test_recorded_version(void **state)
{
	(void)state;
	for (const char *const *release = recorded_releases; *release; release++) {
		_cleanup_(recording_deinit) struct recording r;
		_cleanup_buf_ struct buf version = BUF_INIT;

		recording_load(&r, *release);
		runtime_version(&r.rt, &r.image.reader, &version);
		assert_string_equal(buf_str(&version), r.sys_version);
	}
}

/* Both threads wait in C code that has let go of the GIL. */
static void test_recorded_gil_is_free(void **state)
{
	(void)state;
	for (const char *const *release = recorded_releases; *release; release++) {
		_cleanup_(recording_deinit) struct recording r;
		_cleanup_(threads_deinit) struct py_threads threads = { 0 };
		remote_addr holders[4];

		recording_load(&r, *release);
		assert_int_equal(threads_list(&r.rt, &r.image.reader, &threads), READ_OK);
		assert_int_equal(threads_gil_holders(&r.rt, &r.image.reader, &threads, holders,
					 ARRAY_LEN(holders)),
			0);
	}
}

static void poke(struct recording *r, remote_addr addr, const void *bytes, size_t len)
{
	unsigned char *at = mem_image_at(&r->image, addr, len);

	assert_non_null(at);
	memcpy(at, bytes, len);
}

static remote_addr gil_of(struct recording *r)
{
	remote_addr gil;

	assert_int_equal(mem_read_u64(&r->image.reader,
				 r->interpreter + r->rt.layout.at.interp_ceval_gil, &gil),
		READ_OK);
	return gil;
}

/* In free-threaded builds struct _gil_runtime_state begins with `int enabled`. */
#define GIL_ENABLED 0

/* Makes `thread` the holder, in the way in which the release says so. */
static void hold_gil(struct recording *r, remote_addr thread)
{
	const struct py_offsets *at = &r->rt.layout.at;
	uint32_t one = 1;

	switch (r->rt.layout.gil) {
	case GIL_CURRENT_SYMBOL:
	case GIL_RUNTIME_CURRENT:
		poke(r, r->rt.tstate_current, &thread, 8);
		break;
	case GIL_FREE_THREADED:
		poke(r, gil_of(r) + GIL_ENABLED, &one, 4);
		// fall through
	case GIL_PER_INTERPRETER:
		poke(r, gil_of(r) + at->gil_last_holder, &thread, 8);
		poke(r, gil_of(r) + at->gil_locked, &one, 4);
		break;
	case GIL_THREAD_FLAG:
		poke(r, thread + at->thread_holds_gil, &one, 4);
		break;
	}
}

/* In free-threaded builds the GIL can be enabled at run time. */
static void test_gil_holder(void **state)
{
	(void)state;
	for (const char *const *release = recorded_releases; *release; release++) {
		_cleanup_(recording_deinit) struct recording r;
		_cleanup_(threads_deinit) struct py_threads threads = { 0 };
		remote_addr holders[4];

		recording_load(&r, *release);
		assert_int_equal(threads_list(&r.rt, &r.image.reader, &threads), READ_OK);
		for (size_t i = 0; i < threads.count; i++) {
			hold_gil(&r, threads.items[i].state);
			size_t count = threads_gil_holders(
				&r.rt, &r.image.reader, &threads, holders, ARRAY_LEN(holders));
			// a flag in each thread stays set here; a single holder is replaced
			bool flags = r.rt.layout.gil == GIL_THREAD_FLAG;
			assert_int_equal(count, flags ? i + 1 : 1);
			assert_int_equal(holders[count - 1], threads.items[i].state);
			assert_int_equal(threads_gil_holders(
						 &r.rt, &r.image.reader, &threads, holders, 0),
				0);
		}
	}
}

static void test_gil_that_is_not_enabled_is_not_looked_at(void **state)
{
	const char *const releases[] = { "3.13t", "3.14t", "3.15t" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(releases); i++) {
		_cleanup_(recording_deinit) struct recording r;
		_cleanup_(threads_deinit) struct py_threads threads = { 0 };
		remote_addr holders[4];
		uint32_t off = 0;

		recording_load(&r, releases[i]);
		assert_int_equal(threads_list(&r.rt, &r.image.reader, &threads), READ_OK);
		hold_gil(&r, threads.items[0].state);
		poke(&r, gil_of(&r) + GIL_ENABLED, &off, 4);
		assert_int_equal(threads_gil_holders(&r.rt, &r.image.reader, &threads, holders, 4),
			0);
	}
}

/* ---- lists that are made up ------------------------------------------------------------------- */

static void test_interpreters_are_listed(void **state)
{
	(void)state;
	for (const char *const *release = recorded_releases; *release; release++) {
		_cleanup_(world_deinit) struct world w;
		_cleanup_(threads_deinit) struct py_threads threads = { 0 };
		struct world_thread first, second, other;

		world_init(&w, *release);
		remote_addr sub = world_add_interpreter(&w, 7);
		world_add_thread(&w, &first, w.interp);
		world_add_thread(&w, &second, w.interp);
		world_add_thread(&w, &other, sub);
		world_put(&w, w.interp, w.rt.layout.at.interp_threads_main, first.state);
		assert_int_equal(threads_list(&w.rt, &w.image.reader, &threads), READ_OK);
		assert_int_equal(threads.count, 3);
		assert_int_equal(threads.items[0].state, other.state);
		assert_int_equal(threads.items[0].interp, sub);
		if (w.rt.layout.at.interp_id != OFFSET_NONE)
			assert_int_equal(threads.items[0].interp_id, 7);
		assert_false(threads.items[0].main);
		assert_int_equal(threads.items[1].state, second.state);
		assert_false(threads.items[1].main);
		assert_int_equal(threads.items[2].state, first.state);
		assert_true(threads.items[2].main);
	}
}

static void test_finished_threads_are_left_out(void **state)
{
	(void)state;
	for (const char *const *release = recorded_releases; *release; release++) {
		_cleanup_(world_deinit) struct world w;
		_cleanup_(threads_deinit) struct py_threads threads = { 0 };
		struct world_thread alive, cleared, finalized;

		world_init(&w, *release);
		if (w.rt.layout.at.thread_status == OFFSET_NONE)
			continue;
		world_add_thread(&w, &alive, w.interp);
		world_add_thread(&w, &cleared, w.interp);
		world_add_thread(&w, &finalized, w.interp);
		world_put_u32(&w, cleared.state, w.rt.layout.at.thread_status, 1u << 6 | 1);
		world_put_u32(&w, finalized.state, w.rt.layout.at.thread_status, 1u << 7 | 1);
		world_put_u32(&w, alive.state, w.rt.layout.at.thread_status, 1u << 5 | 0x1f);
		assert_int_equal(threads_list(&w.rt, &w.image.reader, &threads), READ_OK);
		assert_int_equal(threads.count, 1);
		assert_int_equal(threads.items[0].state, alive.state);
	}
}

static void test_broken_lists(void **state)
{
	(void)state;
	for (const char *const *release = recorded_releases; *release; release++) {
		_cleanup_(world_deinit) struct world w;
		_cleanup_(threads_deinit) struct py_threads threads = { 0 };
		struct world_thread t;
		uint64_t digest;

		world_init(&w, *release);
		const struct py_offsets *at = &w.rt.layout.at;
		world_add_thread(&w, &t, w.interp);

		world_put(&w, t.state, at->thread_next, t.state); // a cycle
		w.image.reads = 0;
		assert_int_equal(threads_list(&w.rt, &w.image.reader, &threads), READ_TORN);
		assert_in_range(w.image.reads, THREADS_MAX, THREADS_MAX + 16);

		world_put(&w, t.state, at->thread_next, 0x123456789abcd1); // not aligned
		assert_int_equal(threads_list(&w.rt, &w.image.reader, &threads), READ_TORN);
		world_put(&w, t.state, at->thread_next, 0x7fff00000000); // not mapped
		assert_int_equal(threads_list(&w.rt, &w.image.reader, &threads), READ_FAULT);
		world_put(&w, t.state, at->thread_next, 0);
		world_put(&w, t.state, at->thread_interp, w.interp + 64); // another's thread
		assert_int_equal(threads_list(&w.rt, &w.image.reader, &threads), READ_TORN);
		world_put(&w, t.state, at->thread_interp, w.interp);
		assert_int_equal(threads_list(&w.rt, &w.image.reader, &threads), READ_OK);

		world_put(&w, w.interp, at->interp_next, w.interp); // a cycle
		assert_int_equal(threads_list(&w.rt, &w.image.reader, &threads), READ_TORN);
		assert_int_equal(threads_heads(&w.rt, &w.image.reader, &digest), READ_TORN);
	}
}

/* The caps of both lists must not multiply: 1024 interpreters of 16384 threads each. */
static void test_threads_of_all_interpreters_are_capped(void **state)
{
	_cleanup_(world_deinit) struct world w;
	_cleanup_(threads_deinit) struct py_threads threads = { 0 };
	static struct world_thread t[64];

	(void)state;
	world_init(&w, "3.12");
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		world_add_thread(&w, &t[i], w.interp);
	world_put(&w, w.interp, w.rt.layout.at.interp_next, w.interp);
	assert_int_equal(threads_list(&w.rt, &w.image.reader, &threads), READ_TORN);
	assert_in_range(threads.count, 0, THREADS_MAX);
}

static void test_heads_tell_changes(void **state)
{
	(void)state;
	for (const char *const *release = recorded_releases; *release; release++) {
		_cleanup_(world_deinit) struct world w;
		struct world_thread a, b;
		uint64_t digest[4];

		world_init(&w, *release);
		world_add_thread(&w, &a, w.interp);
		assert_int_equal(threads_heads(&w.rt, &w.image.reader, &digest[0]), READ_OK);
		assert_int_equal(threads_heads(&w.rt, &w.image.reader, &digest[1]), READ_OK);
		assert_int_equal(digest[0], digest[1]);
		world_add_thread(&w, &b, w.interp);
		assert_int_equal(threads_heads(&w.rt, &w.image.reader, &digest[1]), READ_OK);
		assert_int_not_equal(digest[0], digest[1]);
		world_add_interpreter(&w, 1);
		assert_int_equal(threads_heads(&w.rt, &w.image.reader, &digest[2]), READ_OK);
		assert_int_not_equal(digest[1], digest[2]);
		world_store(&w, w.rt.interp_head, 0, 8); // the runtime has ended
		assert_int_equal(threads_heads(&w.rt, &w.image.reader, &digest[3]), READ_OK);
		assert_int_equal(digest[3], 0);
		assert_int_equal(runtime_ready(&w.rt, &w.image.reader), READ_TORN);
	}
}

static void count_name(void *data, uint64_t pthread, const char *name)
{
	(void)pthread;
	(void)name;
	++*(size_t *)data;
}

static void test_names_of_a_program_without_threading(void **state)
{
	(void)state;
	for (const char *const *release = recorded_releases; *release; release++) {
		_cleanup_(world_deinit) struct world w;
		size_t count = 0;

		world_init(&w, *release);
		remote_addr key = world_str(&w, "sys"), value = world_alloc(&w, 64);
		world_put(&w, w.interp, w.rt.layout.at.interp_modules,
			world_dict(&w, &key, &value, 1));
		assert_int_equal(
			threads_names(&w.rt, &w.image.reader, w.interp, count_name, &count),
			READ_OK);
		assert_int_equal(count, 0);
		world_put(&w, w.interp, w.rt.layout.at.interp_modules, 12);
		assert_int_equal(
			threads_names(&w.rt, &w.image.reader, w.interp, count_name, &count),
			READ_TORN);
	}
}

/* A word that only some pthreads have as an id is not where the id is. */
static void test_calibration(void **state)
{
	_cleanup_(world_deinit) struct world w;
	_cleanup_(threads_deinit) struct py_threads threads = { 0 };
	struct world_thread a, b;
	const pid_t tids[] = { 4711, 4712, 99 };

	(void)state;
	world_init(&w, "3.8");
	world_add_thread(&w, &a, w.interp);
	world_add_thread(&w, &b, w.interp);
	remote_addr pa = world_alloc(&w, 4096), pb = world_alloc(&w, 4096);
	world_put(&w, a.state, w.rt.layout.at.thread_id, pa);
	world_put(&w, b.state, w.rt.layout.at.thread_id, pb);
	world_store(&w, pa + 100, 4711, 4); // by chance
	world_store(&w, pa + 208, 4711, 4);
	world_store(&w, pb + 208, 4712, 4);
	world_store(&w, pb + 300, 99, 4); // by chance
	assert_int_equal(threads_list(&w.rt, &w.image.reader, &threads), READ_OK);
	threads_calibrate(&w.rt, &w.image.reader, &threads, tids, ARRAY_LEN(tids));
	assert_true(w.rt.has_tid_offset);
	assert_int_equal(w.rt.tid_offset, 208);
	assert_int_equal(threads.items[0].native_id, 4712);
	assert_int_equal(threads.items[1].native_id, 4711);
	// an id that is none of the process any more is no id
	threads.items[0].native_id = 0;
	threads_calibrate(&w.rt, &w.image.reader, &threads, tids, 1);
	assert_int_equal(threads.items[0].native_id, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_threads),
		cmocka_unit_test(test_recorded_names),
		cmocka_unit_test(test_recorded_version),
		cmocka_unit_test(test_recorded_gil_is_free),
		cmocka_unit_test(test_gil_holder),
		cmocka_unit_test(test_gil_that_is_not_enabled_is_not_looked_at),
		cmocka_unit_test(test_interpreters_are_listed),
		cmocka_unit_test(test_finished_threads_are_left_out),
		cmocka_unit_test(test_broken_lists),
		cmocka_unit_test(test_threads_of_all_interpreters_are_capped),
		cmocka_unit_test(test_heads_tell_changes),
		cmocka_unit_test(test_names_of_a_program_without_threading),
		cmocka_unit_test(test_calibration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

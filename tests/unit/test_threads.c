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

/* ---- what was recorded ----------------------------------------------------------------------- */

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
		assert_int_equal(
			threads_names(&r.rt, &r.image.reader, r.interpreter, compare_name, &seen),
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

/* 3.12 and 3.13 have a lock for each interpreter; here both threads have let go of it. */
static void test_recorded_gil(void **state)
{
	(void)state;
	for (const char *const *release = recorded_releases; *release; release++) {
		_cleanup_(recording_deinit) struct recording r;
		_cleanup_(threads_deinit) struct py_threads threads = { 0 };
		remote_addr holder;
		uint32_t locked;

		recording_load(&r, *release);
		const struct py_offsets *at = &r.rt.layout.at;
		assert_int_equal(threads_list(&r.rt, &r.image.reader, &threads), READ_OK);
		if (r.rt.tstate_current) {
			assert_int_equal(
				mem_read_u64(&r.image.reader, r.rt.tstate_current, &holder),
				READ_OK);
			assert_int_equal(holder, 0);
		}
		remote_addr gil = threads.items[0].gil;
		assert_int_equal(gil != 0, r.rt.layout.gil == GIL_PER_INTERPRETER);
		if (!gil)
			continue;
		assert_int_equal(
			mem_read(&r.image.reader, gil + at->gil_locked, &locked, 4), READ_OK);
		assert_int_equal(locked, 0);
		assert_int_equal(
			mem_read_u64(&r.image.reader, gil + at->gil_last_holder, &holder), READ_OK);
		assert_true(holder == threads.items[0].state || holder == threads.items[1].state);
	}
}

/* ---- lists that are made up ------------------------------------------------------------------ */

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

/* Made by the thread that starts it, but not run yet: 3.12 and newer have no identity of it until then. */
static void test_unstarted_threads_are_left_out(void **state)
{
	(void)state;
	for (const char *const *release = recorded_releases; *release; release++) {
		_cleanup_(world_deinit) struct world w;
		_cleanup_(threads_deinit) struct py_threads threads = { 0 };
		struct world_thread first, second;

		world_init(&w, *release);
		world_add_thread(&w, &first, w.interp);
		world_add_thread(&w, &second, w.interp);
		const struct py_offsets *at = &w.rt.layout.at;
		world_put(&w, second.state, at->thread_id, 0);
		assert_int_equal(threads_list(&w.rt, &w.image.reader, &threads), READ_OK);
		assert_int_equal(threads.count, 1);
		assert_int_equal(threads.items[0].state, first.state);
		assert_true(threads.unstarted);
		world_put(&w, second.state, at->thread_id, second.state + 64);
		assert_int_equal(threads_list(&w.rt, &w.image.reader, &threads), READ_OK);
		assert_int_equal(threads.count, 2);
		assert_false(threads.unstarted);
		if (at->thread_native_id == OFFSET_NONE)
			continue;
		world_put(&w, second.state, at->thread_native_id, 0);
		assert_int_equal(threads_list(&w.rt, &w.image.reader, &threads), READ_OK);
		assert_int_equal(threads.count, 1);
		assert_true(threads.unstarted);
	}
}

static void test_broken_lists(void **state)
{
	(void)state;
	for (const char *const *release = recorded_releases; *release; release++) {
		_cleanup_(world_deinit) struct world w;
		_cleanup_(threads_deinit) struct py_threads threads = { 0 };
		struct world_thread t;

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

/* What tells that the list is no longer true: the heads as they were when it was made. */
static void test_heads_are_noted(void **state)
{
	(void)state;
	for (const char *const *release = recorded_releases; *release; release++) {
		_cleanup_(world_deinit) struct world w;
		_cleanup_(threads_deinit) struct py_threads threads = { 0 };
		struct world_thread a, b, c;

		world_init(&w, *release);
		world_add_thread(&w, &a, w.interp);
		world_add_thread(&w, &b, w.interp);
		remote_addr sub = world_add_interpreter(&w, 1);
		world_add_thread(&w, &c, sub);
		assert_int_equal(threads_list(&w.rt, &w.image.reader, &threads), READ_OK);
		assert_int_equal(threads.first_interp, sub);
		assert_int_equal(threads.items[0].first_thread, c.state);
		assert_int_equal(threads.items[1].first_thread, b.state);
		assert_int_equal(threads.items[2].first_thread, b.state);
		world_store(&w, w.rt.interp_head, 0, 8); // the runtime has ended
		assert_int_equal(threads_list(&w.rt, &w.image.reader, &threads), READ_OK);
		assert_int_equal(threads.count, 0);
		assert_int_equal(threads.first_interp, 0);
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
	// a forked child keeps the states of threads that it does not have: most have to agree
	w.rt.has_tid_offset = false;
	threads_calibrate(&w.rt, &w.image.reader, &threads, tids, 1);
	assert_true(w.rt.tid_offset == 100 || w.rt.tid_offset == 208);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_threads),
		cmocka_unit_test(test_recorded_names),
		cmocka_unit_test(test_recorded_version),
		cmocka_unit_test(test_recorded_gil),
		cmocka_unit_test(test_interpreters_are_listed),
		cmocka_unit_test(test_finished_threads_are_left_out),
		cmocka_unit_test(test_unstarted_threads_are_left_out),
		cmocka_unit_test(test_broken_lists),
		cmocka_unit_test(test_threads_of_all_interpreters_are_capped),
		cmocka_unit_test(test_heads_are_noted),
		cmocka_unit_test(test_names_of_a_program_without_threading),
		cmocka_unit_test(test_calibration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

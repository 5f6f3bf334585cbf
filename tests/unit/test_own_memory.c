// SPDX-License-Identifier: MIT
/* What a process knows of itself: its memory, its threads' clocks, and holding a processor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "os/mem_live.h"
#include "os/mem_own.h"
#include "os/park.h"
#include "os/pin.h"
#include "os/thread_clock.h"

#define PAGE 4096u

struct memory {
	struct mem_live live;
	struct mem_own own;
};

static int setup(void **state)
{
	static struct memory memory;

	mem_live_init(&memory.live, getpid());
	mem_own_open(&memory.own, &memory.live.reader);
	*state = &memory;
	return 0;
}

static int teardown(void **state)
{
	struct memory *memory = *state;

	mem_own_close(&memory->own);
	mem_live_deinit(&memory->live);
	return 0;
}

static remote_addr at(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static void test_ranges_go_where_they_should(void **state)
{
	struct memory *memory = *state;
	const char one[] = "first", two[] = "second";
	char a[sizeof(one)], b[sizeof(two)], none = 'x';
	const struct mem_range ranges[] = { { at(two), b, sizeof(b) }, { at(one), &none, 0 },
		{ at(one), a, sizeof(a) } };
	unsigned long long calls = memory->live.calls;
	size_t whole = 0;

	assert_true(memory->own.fd >= 0);
	assert_int_equal(mem_readv(&memory->own.reader, ranges, 3, &whole), READ_OK);
	assert_int_equal(whole, 3);
	assert_string_equal(a, "first");
	assert_string_equal(b, "second");
	assert_int_equal(none, 'x');
	assert_int_equal(memory->live.calls, calls); // not by the other one
}

static void test_one_range_and_many_bytes_are_the_others(void **state)
{
	struct memory *memory = *state;
	size_t large = (size_t)1 << 20, whole = 0;
	_cleanup_free_ char *from = malloc(large), *to = malloc(large);
	char byte = 0;

	assert_true(from && to);
	memset(from, 7, large);
	const struct mem_range ranges[] = { { at(from), to, large }, { at(from), &byte, 1 } };
	unsigned long long calls = memory->live.calls;
	assert_int_equal(mem_readv(&memory->own.reader, ranges, 2, &whole), READ_OK);
	assert_int_equal(whole, 2);
	assert_memory_equal(from, to, large);
	assert_int_equal(byte, 7);
	assert_int_equal(mem_read(&memory->own.reader, at(from), &byte, 1), READ_OK);
	assert_int_equal(memory->live.calls, calls + 2);
}

static void test_what_is_not_mapped_is_a_fault(void **state)
{
	struct memory *memory = *state;
	char *pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char first[8], second[PAGE], third[8];
	size_t whole = 0;

	assert_true(pages != MAP_FAILED);
	assert_int_equal(munmap(pages + PAGE, PAGE), 0);
	const struct mem_range ranges[] = { { at(pages), first, 8 },
		{ at(pages + PAGE - 8), second, sizeof(second) }, { at(pages + 2 * PAGE), third, 8 } };
	assert_int_equal(mem_readv(&memory->own.reader, ranges, 3, &whole), READ_FAULT);
	assert_int_equal(whole, 1);
	const struct mem_range none[] = { { at(pages + PAGE), first, 8 }, { at(pages), third, 8 } };
	assert_int_equal(mem_readv(&memory->own.reader, none, 2, &whole), READ_FAULT);
	assert_int_equal(whole, 0);
	munmap(pages, PAGE);
	munmap(pages + 2 * PAGE, PAGE);
}

/* ---- another thread ----------------------------------------------------------------------------- */

struct spinner {
	pthread_t thread;
	_Atomic pid_t tid;
	_Atomic uint32_t stop; // a futex
	_Atomic uint32_t sleep;
	_Atomic int cpu;
};

static void *spin(void *data)
{
	struct spinner *s = data;

	atomic_store(&s->tid, gettid());
	while (!atomic_load(&s->stop)) {
		atomic_store(&s->cpu, pin_current_cpu());
		if (atomic_load(&s->sleep))
			clock_wait(&s->stop, 0, NS_PER_SEC);
	}
	return NULL;
}

static void start(struct spinner *s, bool sleeps)
{
	*s = (struct spinner){ .sleep = sleeps, .cpu = -1 };
	assert_int_equal(pthread_create(&s->thread, NULL, spin, s), 0);
	while (!atomic_load(&s->tid) || atomic_load(&s->cpu) < 0)
		sched_yield();
}

static void finish(struct spinner *s)
{
	atomic_store(&s->stop, 1);
	clock_wake(&s->stop);
	pthread_join(s->thread, NULL);
}

static void test_a_clock_stands_while_its_thread_waits(void **state)
{
	struct spinner s;
	uint64_t before = 0, after = 1, begin;

	(void)state;
	start(&s, true);
	// until it has gone to sleep
	for (int same = 0; same < 100;) {
		assert_true(thread_clock_read(s.tid, &before));
		sched_yield();
		assert_true(thread_clock_read(s.tid, &after));
		same = before == after ? same + 1 : 0;
	}
	finish(&s);
	while (thread_clock_read(s.tid, &before)) // a moment longer than it can be joined
		sched_yield();
	assert_false(thread_clock_read(0, &before));
	start(&s, false);
	assert_true(thread_clock_read(s.tid, &begin));
	do {
		assert_true(thread_clock_read(s.tid, &after));
	} while (after == begin);
	finish(&s);
}

static int another_cpu(int not_this)
{
	cpu_set_t all;

	sched_getaffinity(0, sizeof(all), &all);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, &all) && cpu != not_this)
			return cpu;
	return -1;
}

static bool put(pid_t tid, int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	return sched_setaffinity(tid, sizeof(one), &one) == 0;
}

static void test_a_held_processor_runs_nobody_else(void **state)
{
	int here = another_cpu(-1), there = another_cpu(here), held = 0, stood = 0;
	struct park park = { 0 };
	struct spinner s;
	struct pin pin;

	(void)state;
	if (there < 0)
		return; // one processor: there is nowhere to ask from
	pin_init(&pin);
	start(&s, false);
	assert_true(put(s.tid, there));
	assert_true(pin_to(&pin, here));
	// the thread has to start, and others may take either processor: how often it works is not for us to say
	while (stood < 20) {
		uint64_t before = 0, after = 1;

		if (!park_hold(&park, there, false))
			continue;
		held++;
		assert_true(thread_clock_read(s.tid, &before));
		assert_true(thread_clock_read(s.tid, &after));
		stood += before == after;
		park_release(&park);
	}
	assert_true(stood >= 20);
	assert_true(held >= stood);
	// nobody lets go: it does by itself, and the thread goes on
	while (!park_hold(&park, there, false))
		;
	uint64_t before, after;
	assert_true(thread_clock_read(s.tid, &before));
	do {
		assert_true(thread_clock_read(s.tid, &after));
	} while (after - before < 1000000);
	park_release(&park);
	assert_false(park_hold(&park, CPU_SETSIZE, false));
	assert_false(park_hold(&park, -1, false));
	park_deinit(&park);
	park_deinit(&park);
	pin_release(&pin);
	finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ranges_go_where_they_should, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_one_range_and_many_bytes_are_the_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_not_mapped_is_a_fault, setup, teardown),
		cmocka_unit_test(test_a_clock_stands_while_its_thread_waits),
		cmocka_unit_test(test_a_held_processor_runs_nobody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

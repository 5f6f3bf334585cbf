// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "inside/contexts.h"
#include "inside/spans.h"

static struct span_event next_of(struct span_reader *reader)
{
	struct span_event event;

	assert_true(span_reader_next(reader, &event));
	return event;
}

static void assert_over(struct span_reader *reader)
{
	struct span_event event;

	assert_false(span_reader_next(reader, &event));
}

static void test_slot_of_a_thread(void **state)
{
	struct span_look look = { 0 };

	(void)state;
	span_key key = spans_open(0, "a", NULL);
	assert_int_equal(spans_enter(key), 0);
	assert_int_equal(spans_of_thread(gettid()), key);
	assert_false(spans_look(&look, gettid(), 0));
	assert_int_equal(look.key, key);
	assert_true(spans_look(&look, gettid(), 0));
	// away and back again is a change, too
	assert_int_equal(spans_enter(0), key);
	spans_enter(key);
	assert_false(spans_look(&look, gettid(), 0));
	assert_true(spans_look(&look, gettid(), 0));
	assert_int_equal(spans_enter(0), key);
	spans_close(key);
	assert_int_equal(spans_of_thread(gettid()), 0);
	assert_int_equal(spans_of_thread(1), 0);
}

static void test_events_in_order_for_each_reader(void **state)
{
	(void)state;
	span_key before = spans_open(0, "before", "1");
	struct span_reader *early = span_reader_create();
	assert_string_equal(next_of(early).name, "before");
	span_key key = spans_open(before, "request", "GET /");
	spans_describe(key, "GET / 200");
	struct span_reader *late = span_reader_create();
	spans_close(key);
	spans_describe(key, "GET / 500");
	spans_close(key);

	struct span_event event = next_of(early);
	assert_int_equal(event.type, SPAN_OPENED);
	assert_int_equal(event.parent, before);
	assert_int_equal(event.tid, gettid());
	assert_string_equal(event.text, "GET /");
	event = next_of(early);
	assert_int_equal(event.type, SPAN_DESCRIBED);
	assert_string_equal(event.text, "GET / 200");
	assert_int_equal(next_of(early).type, SPAN_CLOSED);
	assert_string_equal(next_of(early).text, "GET / 500");
	assert_over(early);

	assert_int_equal(next_of(late).key, before);
	assert_string_equal(next_of(late).text, "GET / 200");
	assert_int_equal(next_of(late).type, SPAN_CLOSED);
	span_reader_destroy(late);
	spans_close(before);
	assert_int_equal(next_of(early).key, before);
	assert_over(early);
	assert_true(spans_wanted());
	span_reader_destroy(early);
	assert_false(spans_wanted());
}

static void test_many_open_spans(void **state)
{
	enum { COUNT = 1000 };
	span_key keys[COUNT];

	(void)state;
	for (size_t i = 0; i < COUNT; i++)
		keys[i] = spans_open(0, "a", NULL);
	struct span_reader *reader = span_reader_create();
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(next_of(reader).key, keys[i]);
	for (size_t i = 0; i < COUNT; i++)
		spans_close(keys[(i * 7) % COUNT]);
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(next_of(reader).key, keys[(i * 7) % COUNT]);
	assert_over(reader);
	span_reader_destroy(reader);
	reader = span_reader_create();
	assert_over(reader);
	span_reader_destroy(reader);
}

static void test_queue_has_a_bound(void **state)
{
	static char text[1 << 20];
	struct span_reader *reader = span_reader_create();

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	span_key first = spans_open(0, "first", NULL);
	for (size_t i = 0; i < 100; i++)
		spans_close(spans_open(0, "large", text));
	spans_close(first);
	assert_in_range(span_reader_lost(reader), 30, 40);
	size_t opened = 0, closed = 0;
	for (struct span_event event; span_reader_next(reader, &event);) {
		opened += event.type == SPAN_OPENED;
		closed += event.type == SPAN_CLOSED;
	}
	assert_int_equal(opened, 101 - span_reader_lost(reader));
	assert_int_equal(closed, opened); // nothing that it knows is left open
	spans_close(spans_open(0, "again", NULL));
	assert_string_equal(next_of(reader).name, "again");
	span_reader_destroy(reader);
}

static void test_choosing(void **state)
{
	struct span_reader *reader = span_reader_create();

	(void)state;
	span_key a = spans_open(0, "a", NULL), b = spans_open(0, "b", NULL);
	spans_choose(a, true);
	spans_choose(a, true);
	spans_choose(b, true);
	assert_int_equal(*spans_chosen(), 2);
	spans_choose(a, false);
	spans_close(b);
	assert_int_equal(*spans_chosen(), 0);
	spans_choose(b, true); // is over
	assert_int_equal(*spans_chosen(), 0);
	spans_close(a);
	const enum span_event_type expected[] = { SPAN_OPENED, SPAN_OPENED, SPAN_CHOSEN, SPAN_CHOSEN,
		SPAN_UNCHOSEN, SPAN_CLOSED, SPAN_CLOSED };
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(next_of(reader).type, expected[i]);
	assert_over(reader);
	span_reader_destroy(reader);
}

static void test_storage_of_the_caller(void **state)
{
	struct open_span span = { 0 };
	struct span_reader *reader = span_reader_create();

	(void)state;
	for (int i = 0; i < 3; i++) {
		span_key key = spans_open_at(&span, 0, "mine", "text");
		assert_int_equal(span.key, key);
		spans_describe(key, "other");
		spans_close(key);
		assert_int_equal(span.key, 0);
		assert_string_equal(next_of(reader).text, "text");
		assert_string_equal(next_of(reader).text, "other");
		assert_int_equal(next_of(reader).key, key);
	}
	span_reader_destroy(reader);
}

static int in_child(span_key key, pid_t before, struct span_reader *left)
{
	struct span_event event;

	if (spans_of_thread(gettid()) != key || spans_of_thread(before) || spans_wanted())
		return 1;
	spans_after_fork(); // once more does nothing
	span_reader_destroy(left);
	struct span_reader *reader = span_reader_create();
	if (!span_reader_next(reader, &event) || event.key != key || event.tid != gettid())
		return 2;
	if (span_reader_next(reader, &event))
		return 3;
	spans_close(key);
	return span_reader_next(reader, &event) && event.type == SPAN_CLOSED ? 0 : 4;
}

struct other {
	pthread_barrier_t opened, over;
};

static void *other_thread(void *data)
{
	struct other *other = data;
	span_key key = spans_open(0, "of another thread", NULL);

	spans_enter(key);
	pthread_barrier_wait(&other->opened);
	pthread_barrier_wait(&other->over);
	spans_close(key);
	return NULL; // its slot is given back without being left
}

static void test_fork(void **state)
{
	struct other other;
	pthread_t thread;
	int status;

	(void)state;
	pthread_barrier_init(&other.opened, NULL, 2);
	pthread_barrier_init(&other.over, NULL, 2);
	pthread_create(&thread, NULL, other_thread, &other);
	pthread_barrier_wait(&other.opened);
	struct span_reader *reader = span_reader_create();
	span_key key = spans_open(0, "forks", NULL);
	spans_enter(key);
	pid_t before = gettid(), pid = fork();
	if (pid == 0)
		_exit(in_child(key, before, reader));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(spans_of_thread(gettid()), key);
	spans_enter(0);
	spans_close(key);
	pthread_barrier_wait(&other.over);
	pthread_join(thread, NULL);
	span_reader_destroy(reader);
	pthread_barrier_destroy(&other.opened);
	pthread_barrier_destroy(&other.over);
}

/* ---- contexts: a tree such as CPython's, made by hand ------------------------------------------ */

#define HEADER 2 // words

static uint64_t address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

struct world {
	uint64_t thread[4], context[4], vars[4];
	uint64_t root[HEADER + 32], below[HEADER + 2 + 8], value[HEADER + 1];
	struct context_map map;
};

enum { BITMAP_TYPE = 0x1000, ARRAY_TYPE = 0x2000, VALUE_TYPE = 0x3000, VARIABLE = 0x4000 };

/* An array; branch 3 leads to a bitmap, in which branch 17 is the second of three: the variable. */
static void world_make(struct world *w)
{
	*w = (struct world){
		.thread = { 0, address(w->context), 1 },
		.context = { 0, 0, 0, address(w->vars) },
		.vars = { 0, 0, address(w->root) },
		.root = { [1] = ARRAY_TYPE, [HEADER + 3] = address(w->below) },
		.below = { 0, BITMAP_TYPE, 3, 1u << 2 | 1u << 17 | 1u << 30, 1, 2, VARIABLE,
			address(w->value), 3, 4 },
		.value = { 0, VALUE_TYPE, 4711 },
		.map = { .state_context = 8, .context_vars = 24, .vars_root = 16, .header = 16,
			.bitmap_type = BITMAP_TYPE, .array_type = ARRAY_TYPE, .variable = VARIABLE,
			.hash = 17u << 5 | 3, .value_type = VALUE_TYPE, .value_key = 16 },
	};
}

static void test_context(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	assert_int_equal(context_key(&w.map, address(w.thread)), 4711);
	w.map.hash = 17u << 5 | 4; // no such branch of the array
	assert_int_equal(context_key(&w.map, address(w.thread)), 0);
	w.map.hash = 18u << 5 | 3; // nor of the bitmap
	assert_int_equal(context_key(&w.map, address(w.thread)), 0);
	w.map.hash = 2u << 5 | 3; // another variable
	assert_int_equal(context_key(&w.map, address(w.thread)), 0);
}

/* Memory that was freed and used again: nothing is believed. */
static void test_context_of_garbage(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	w.value[1] = VALUE_TYPE + 1;
	assert_int_equal(context_key(&w.map, address(w.thread)), 0);
	world_make(&w);
	w.root[HEADER + 3] = address(w.root); // in circles
	w.map.hash = 0x63u | 3u << 10 | 3u << 15 | 3u << 20 | 3u << 25;
	assert_int_equal(context_key(&w.map, address(w.thread)), 0);
	w.root[HEADER + 3] = 8; // not mapped
	assert_int_equal(context_key(&w.map, address(w.thread)), 0);
	w.thread[1] = 0;
	assert_int_equal(context_key(&w.map, address(w.thread)), 0);
	assert_int_equal(context_key(&w.map, 8), 0);
}

static void test_look_at_context(void **state)
{
	struct span_look look = { 0 };
	struct world w;

	(void)state;
	world_make(&w);
	spans_close(spans_open(0, "first", NULL));
	contexts_use(&w.map);
	assert_false(spans_look(&look, gettid(), address(w.thread)));
	assert_int_equal(look.key, 4711);
	assert_true(spans_look(&look, gettid(), address(w.thread)));
	w.thread[2]++; // switched
	assert_false(spans_look(&look, gettid(), address(w.thread)));
	assert_int_equal(look.key, 4711);
	spans_enter(0); // the thread itself has changed something
	assert_false(spans_look(&look, gettid(), address(w.thread)));
	assert_true(spans_look(&look, gettid(), address(w.thread)));
	// a place that holds in this context, and one that holds in another
	spans_set_place((struct span_place){ 99, address(w.context) });
	assert_int_equal(spans_place().key, 99);
	assert_false(spans_look(&look, gettid(), address(w.thread)));
	assert_int_equal(look.key, 99);
	spans_set_place((struct span_place){ 99, address(w.context) + 8 });
	assert_false(spans_look(&look, gettid(), address(w.thread)));
	assert_int_equal(look.key, 4711);
	spans_enter(0);
	w.thread[1] = 0;
	assert_false(spans_look(&look, gettid(), address(w.thread)));
	assert_int_equal(look.key, 0);
	assert_false(spans_look(&look, gettid(), 8));
	assert_int_equal(look.key, 0);
	contexts_use(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slot_of_a_thread),
		cmocka_unit_test(test_events_in_order_for_each_reader),
		cmocka_unit_test(test_many_open_spans),
		cmocka_unit_test(test_queue_has_a_bound),
		cmocka_unit_test(test_choosing),
		cmocka_unit_test(test_storage_of_the_caller),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_context),
		cmocka_unit_test(test_context_of_garbage),
		cmocka_unit_test(test_look_at_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/* Each rule of a selection, on captures built by hand; then what must hold for all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "sample_capture.h"
#include "store/place.h"
#include "store/view.h"

#define APP "/srv/app/"
#define SITE "/venv/lib/python3.12/site-packages/"
#define STDLIB "/usr/lib/python3.12/"

/* Two processes, three threads; each stack has a count of its own. */
static void fill(struct capture *c)
{
	capture_init(c);
	capture_set_fact_u64(c, FACT_PERIOD_NS, SAMPLE_MS);
	capture_set_fact(c, FACT_CWD, "/srv/app");
	uint32_t web = sample_process(c, 100, "web"), job = sample_process(c, 200, "job");
	uint32_t main_thread = sample_thread(c, web, 100, "MainThread");
	uint32_t worker = sample_thread(c, web, 101, "worker");
	uint32_t other = sample_thread(c, job, 200, "MainThread");

	sample_run(c, main_thread, 0, 10, "main@" APP "app.py:10;get@" SITE "requests/api.py:7");
	sample_run(
		c, main_thread, 10, 5, "main@" APP "app.py:12;dumps@" STDLIB "json/__init__.py:9");
	sample_run(c, main_thread, 15, 1, "main@" APP "app.py:12");
	sample_run(c, worker, 20, 7,
		"walk@" APP "shop/tree.py:3;walk@" APP "shop/tree.py:4;walk@" APP
		"shop/tree.py:3;leaf@" APP "shop/leaf.py:1");
	for (uint32_t i = 0; i < 20; i++)
		sample_one(c, other, 30 + i, "main@" APP "app.py:10", SAMPLE_WAITING, 0);
	sample_one(c, other, 50, "main@" APP "app.py:10", SAMPLE_RUNNABLE, SAMPLE_WAITS_FOR_GIL);
	sample_one(c, other, 51, "main@" APP "app.py:11", SAMPLE_ON_CPU, SAMPLE_CUT);
	sample_one(c, other, 52, "", SAMPLE_ON_CPU, SAMPLE_UNREADABLE);
	sample_one(c, other, 53, "", SAMPLE_WAITING, 0);
}

#define TOTAL 47u

static void check_counts(const struct view *v, const struct profile *p, uint64_t total)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < p->stack_count; i++)
		sum += p->weights[i];
	assert_int_equal(sum, p->total);
	assert_int_equal(view_counts(v)->shown + view_counts(v)->lost, p->total);
	assert_int_equal(view_counts(v)->shown + view_counts(v)->left_out, total);
}

static void check_on(struct capture *c, const struct selection *s, const char *expected)
{
	const struct profile *p;
	struct view *v;

	assert_null(view_create(&v, c, s));
	assert_null(view_profile(v, VIEW_COUNTS, &p));
	_cleanup_free_ char *text = sample_folded(p);
	assert_string_equal(text, expected);
	check_counts(v, p, capture_samples(c));
	// a second pass gives the same, and so does going through the samples
	assert_null(view_profile(v, VIEW_COUNTS, &p));
	_cleanup_free_ char *again = sample_folded(p);
	assert_string_equal(again, expected);
	uint64_t seen = 0;
	const struct capture_sample *sample;
	view_begin(v);
	while ((sample = view_next(v)) != NULL) {
		seen += sample->count;
		if (sample->stack != STACK_NONE)
			assert_true(sample->stack < view_tables(v)->stack_count);
	}
	assert_null(view_end(v));
	assert_int_equal(seen, view_counts(v)->shown);
	view_destroy(v);
}

static void check(const struct selection *s, const char *expected)
{
	_cleanup_(capture_deinit) struct capture c;

	fill(&c);
	assert_int_equal(capture_samples(&c), TOTAL);
	check_on(&c, s, expected);
}

static void test_everything(void **state)
{
	(void)state;
	check(&(struct selection){ 0 },
		"(no Python frame) 1\n(not readable) 1\nmain:10 21\nmain:10;get:7 10\n"
		"main:11;(truncated) 1\nmain:12 1\nmain:12;dumps:9 5\nwalk:3;walk:4;walk:3;leaf:1 7\n");
}

static void test_modes(void **state)
{
	(void)state;
	check(&(struct selection){ .mode = VIEW_CPU },
		"(not readable) 1\nmain:10 1\nmain:10;get:7 10\nmain:11;(truncated) 1\nmain:12 1\n"
		"main:12;dumps:9 5\nwalk:3;walk:4;walk:3;leaf:1 7\n");
	check(&(struct selection){ .mode = VIEW_GIL },
		"main:10;get:7 10\nmain:12 1\nmain:12;dumps:9 5\nwalk:3;walk:4;walk:3;leaf:1 7\n");
}

static void test_losses(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	struct selection all = { .mode = VIEW_ALL, .threads = { "200" } };

	(void)state;
	fill(&c);
	capture_add_loss(&c, &(struct capture_loss){ SAMPLE_START_NS, LOSS_MISSED, 3 });
	capture_add_loss(
		&c, &(struct capture_loss){ SAMPLE_START_NS + 60 * SAMPLE_MS, LOSS_ROOM, 4 });
	// nobody knows of which thread they were
	check_on(&c, &all,
		"(no Python frame) 1\n(not readable) 1\nmain:10 21\nmain:11;(truncated) 1\n");
	all.threads[0] = NULL;
	all.from_ns = SAMPLE_START_NS + 51 * SAMPLE_MS;
	check_on(&c, &all,
		"(lost) 4\n(no Python frame) 1\n(not readable) 1\nmain:11;(truncated) 1\n");
	all.mode = VIEW_WALL;
	check_on(&c, &all, "(no Python frame) 1\n(not readable) 1\nmain:11;(truncated) 1\n");
}

static void test_time(void **state)
{
	(void)state;
	check(&(struct selection){ .from_ns = SAMPLE_START_NS + 9 * SAMPLE_MS,
		      .to_ns = SAMPLE_START_NS + 12 * SAMPLE_MS },
		"main:10;get:7 1\nmain:12;dumps:9 2\n");
	check(&(struct selection){ .to_ns = SAMPLE_START_NS }, "");
	check(&(struct selection){ .from_ns = SAMPLE_START_NS + 1000 * SAMPLE_MS }, "");
}

static void test_threads(void **state)
{
	(void)state;
	check(&(struct selection){ .threads = { "^work" } }, "walk:3;walk:4;walk:3;leaf:1 7\n");
	check(&(struct selection){ .threads = { "101", "x" } }, "walk:3;walk:4;walk:3;leaf:1 7\n");
	// a part of an id is no id
	check(&(struct selection){ .threads = { "10" } }, "");
	check(&(struct selection){ .processes = { "web" }, .threads = { "Main" } },
		"main:10;get:7 10\nmain:12 1\nmain:12;dumps:9 5\n");
	check(&(struct selection){ .processes = { "200" } },
		"(no Python frame) 1\n(not readable) 1\nmain:10 21\nmain:11;(truncated) 1\n");
}

static void test_roots_of_threads(void **state)
{
	_cleanup_(capture_deinit) struct capture c;

	(void)state;
	check(&(struct selection){ .thread_roots = true, .mode = VIEW_GIL },
		"MainThread;main:10;get:7 10\nMainThread;main:12 1\nMainThread;main:12;dumps:9 5\n"
		"worker;walk:3;walk:4;walk:3;leaf:1 7\n");
	check(
		&(struct selection){
			.thread_roots = true, .process_roots = true, .processes = { "job" } },
		"job (200);MainThread;(no Python frame) 1\njob (200);MainThread;(not readable) 1\n"
		"job (200);MainThread;main:10 21\njob (200);MainThread;main:11;(truncated) 1\n");
	check(&(struct selection){ .process_roots = true, .threads = { "worker" } },
		"web (100);walk:3;walk:4;walk:3;leaf:1 7\n");
	// two of one name in one process are told apart
	fill(&c);
	sample_run(&c, sample_thread(&c, 0, 102, "worker"), 60, 2, "f");
	sample_run(&c, sample_thread(&c, 0, 103, ""), 60, 2, "f");
	check_on(&c, &(struct selection){ .thread_roots = true, .threads = { "worker", "103" } },
		"thread 103;f 2\nworker #101;walk:3;walk:4;walk:3;leaf:1 7\nworker #102;f 2\n");
	// unless names are all that counts
	check_on(&c,
		&(struct selection){ .thread_roots = true,
			.process_roots = true,
			.roots_by_name = true,
			.threads = { "worker", "103" } },
		"web;thread;f 2\nweb;worker;f 2\nweb;worker;walk:3;walk:4;walk:3;leaf:1 7\n");
	// nor is there always a process
	sample_run(&c, sample_thread(&c, CAPTURE_NONE, 104, "lone"), 62, 2, "f");
	check_on(&c, &(struct selection){ .process_roots = true, .threads = { "lone" } }, "f 2\n");
}

static void test_focus(void **state)
{
	(void)state;
	check(&(struct selection){ .focus = { "^get " } }, "main:10;get:7 10\n");
	// files and lines as recorded and as shown; each pattern must match, not each frame
	check(&(struct selection){ .focus = { "site-packages/requests" } }, "main:10;get:7 10\n");
	check(&(struct selection){ .focus = { "\\(requests/api\\.py:7\\)$", "main" } },
		"main:10;get:7 10\n");
	check(&(struct selection){ .focus = { "get", "dumps" } }, "");
	check(&(struct selection){ .focus = { "main", "\\(app.py:12" } },
		"main:12 1\nmain:12;dumps:9 5\n");
}

static void test_ignore_and_hide(void **state)
{
	(void)state;
	check(&(struct selection){ .ignore = { "main", "leaf" } },
		"(no Python frame) 1\n(not readable) 1\n");
	check(&(struct selection){ .hide = { "^main ", "^walk .*:4" }, .mode = VIEW_GIL },
		"(hidden) 1\ndumps:9 5\nget:7 10\nwalk:3;walk:3;leaf:1 7\n");
	check(&(struct selection){ .hide = { "" }, .mode = VIEW_GIL, .thread_roots = true },
		"MainThread;(hidden) 16\nworker;(hidden) 7\n");
}

static void test_root(void **state)
{
	(void)state;
	check(&(struct selection){ .root = { "^get", "tree.py:4" } },
		"get:7 10\nwalk:4;walk:3;leaf:1 7\n");
	// the outermost one
	check(&(struct selection){ .root = { "^walk" } }, "walk:3;walk:4;walk:3;leaf:1 7\n");
	check(&(struct selection){ .root = { "^get" }, .hide = { "^get" } }, "(hidden) 10\n");
}

static void test_granularity(void **state)
{
	(void)state;
	check(&(struct selection){ .granularity = VIEW_FUNCTIONS, .mode = VIEW_GIL },
		"main 1\nmain;dumps 5\nmain;get 10\nwalk;walk;walk;leaf 7\n");
	check(&(struct selection){ .granularity = VIEW_FILES, .mode = VIEW_GIL },
		"app.py 1\napp.py;json/__init__.py 5\napp.py;requests/api.py 10\n"
		"shop/tree.py;shop/leaf.py 7\n");
	check(&(struct selection){ .granularity = VIEW_MODULES, .mode = VIEW_GIL },
		"app 1\napp;json 5\napp;requests 10\nshop 7\n");
	// patterns see what was recorded
	check(&(struct selection){ .granularity = VIEW_MODULES, .focus = { "^leaf" } }, "shop 7\n");
}

static void test_recursion(void **state)
{
	(void)state;
	check(&(struct selection){ .collapse_recursion = true, .threads = { "worker" } },
		"walk:3;leaf:1 7\n");
	check(&(struct selection){ .collapse_recursion = true,
		      .granularity = VIEW_FUNCTIONS,
		      .threads = { "worker" } },
		"walk;leaf 7\n");
}

static void test_packages(void **state)
{
	static const char *const cases[][2] = {
		{ APP "app.py", "app" },
		{ APP "shop/tree.py", "shop" },
		{ SITE "requests/api.py", "requests" },
		{ SITE "six.py", "six" },
		{ STDLIB "threading.py", "threading" },
		{ STDLIB "json/__init__.py", "json" },
		{ STDLIB "lib-dynload/_json.cpython-312.so", "_json" },
		{ "<frozen importlib._bootstrap>", "importlib" },
		{ "<frozen", "<frozen" },
		{ "<string>", "<string>" },
		{ "shop/tree.py", "shop" },
		{ "tree.py", "tree" },
		{ "/opt/tools/run.py", "/opt/tools" },
		{ "/run.py", "/" },
		{ ".hidden/x.py", ".hidden" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf name = BUF_INIT;

		place_add_package(&name, cases[i][0], strlen(cases[i][0]), "/srv/app/");
		assert_string_equal(buf_str(&name), cases[i][1]);
	}
}

static void test_min_percent(void **state)
{
	_cleanup_(capture_deinit) struct capture c;

	(void)state;
	// 47 samples: lines of main together have 38, each of its children less than 30 %
	check(&(struct selection){ .min_percent = 30 },
		"(below 30 %) 7\n(no Python frame) 1\n(not readable) 1\nmain:10 21\n"
		"main:10;(below 30 %) 10\nmain:11;(truncated) 1\nmain:12 1\n"
		"main:12;(below 30 %) 5\n");
	check(&(struct selection){ .min_percent = 100 },
		"(below 100 %) 45\n(no Python frame) 1\n"
		"(not readable) 1\n");
	check(&(struct selection){ .min_percent = 0.001, .mode = VIEW_GIL },
		"main:10;get:7 10\nmain:12 1\nmain:12;dumps:9 5\nwalk:3;walk:4;walk:3;leaf:1 7\n");
	// of what is shown: it is half of it, and not a tenth of all
	fill(&c);
	check_on(&c, &(struct selection){ .min_percent = 30, .focus = { "dumps" } },
		"main:12;dumps:9 5\n");
}

static void test_cpu_time(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	const struct profile *p;
	struct view *v;

	(void)state;
	fill(&c);
	assert_null(view_create(&v, &c, &(struct selection){ .threads = { "worker" } }));
	assert_null(view_profile(v, VIEW_CPU_NS, &p));
	assert_int_equal(p->total, 7 * SAMPLE_MS);
	assert_int_equal(view_period_ns(v), SAMPLE_MS);
	view_destroy(v);
}

static void test_bad_patterns(void **state)
{
	static const struct {
		struct selection selection;
		const char *message;
	} cases[] = {
		{ { .focus = { "a", "(" } }, "bad regular expression '(' for focus: " },
		{ { .ignore = { "[" } }, "bad regular expression '[' for ignore: " },
		{ { .hide = { "a{2,1}" } }, "bad regular expression 'a{2,1}' for hide: " },
		{ { .root = { "\\" } }, "bad regular expression '\\' for root: " },
		{ { .threads = { "(" } }, "bad regular expression '(' for thread: " },
		{ { .processes = { "(" } }, "bad regular expression '(' for process: " },
	};
	_cleanup_(capture_deinit) struct capture c;

	(void)state;
	fill(&c);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct view *v = NULL;
		struct err *err = view_create(&v, &c, &cases[i].selection);

		assert_non_null(err);
		assert_null(v);
		assert_int_equal(err->kind, ERR_USAGE);
		assert_int_equal(
			strncmp(err->message, cases[i].message, strlen(cases[i].message)), 0);
		err_free(err);
	}
}

static void test_empty_capture(void **state)
{
	_cleanup_(capture_deinit) struct capture c;

	(void)state;
	capture_init(&c);
	check_on(&c, &(struct selection){ .min_percent = 5, .thread_roots = true }, "");
}

/* ---- what holds for every selection ----------------------------------------------------------- */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Several blocks, so that some are skipped; deep and shallow stacks of few functions. */
static void fill_random(struct capture *c, uint32_t seed)
{
	static const char *const frames[] = { "a@" APP "a.py:1", "a@" APP "a.py:2",
		"b@" APP "b.py:1", "c@" SITE "c/d.py:1", "e@" STDLIB "e.py:4", "(mark)" };
	uint32_t threads[4];

	capture_init(c);
	capture_set_fact(c, FACT_CWD, "/srv/app");
	for (uint32_t i = 0; i < ARRAY_LEN(threads); i++)
		threads[i] =
			sample_thread(c, sample_process(c, i / 2, "p"), i, i % 2 ? "one" : "other");
	for (uint32_t i = 0; i < 40000; i++) {
		_cleanup_buf_ struct buf stack = BUF_INIT;
		uint32_t depth = next_random(&seed) % 7;

		for (uint32_t j = 0; j < depth; j++)
			buf_printf(&stack, "%s%s", j ? ";" : "",
				frames[next_random(&seed) % ARRAY_LEN(frames)]);
		sample_one(c, threads[next_random(&seed) % 4], i, buf_str(&stack),
			next_random(&seed) % SAMPLE_STATES,
			depth ? next_random(&seed) % 16 : SAMPLE_UNREADABLE);
	}
}

static void random_selection(struct selection *s, uint32_t *seed)
{
	static const char *const patterns[] = { "^a ", "b", "site", "mark", "e.py", "[ab]", "x" };
	const char **lists[] = { s->focus, s->ignore, s->hide, s->root };

	s->mode = next_random(seed) % 4;
	s->granularity = next_random(seed) % 4;
	s->collapse_recursion = next_random(seed) % 2;
	s->thread_roots = next_random(seed) % 2;
	s->process_roots = next_random(seed) % 2;
	s->min_percent = next_random(seed) % 3 ? 0 : (double)(next_random(seed) % 20);
	if (next_random(seed) % 2)
		s->from_ns = SAMPLE_START_NS + (uint64_t)(next_random(seed) % 40000) * SAMPLE_MS;
	if (next_random(seed) % 2)
		s->to_ns = SAMPLE_START_NS + (uint64_t)(next_random(seed) % 40000) * SAMPLE_MS;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (next_random(seed) % 4 == 0)
			lists[i][0] = patterns[next_random(seed) % ARRAY_LEN(patterns)];
}

static void test_nothing_is_lost(void **state)
{
	_cleanup_(capture_deinit) struct capture c;
	uint32_t seed = 4;

	(void)state;
	fill_random(&c, 1);
	for (int i = 0; i < 150; i++) {
		struct selection s = { 0 };
		const struct profile *p;
		struct view *v;

		random_selection(&s, &seed);
		assert_null(view_create(&v, &c, &s));
		assert_null(view_profile(v, VIEW_COUNTS, &p));
		check_counts(v, p, capture_samples(&c));
		_cleanup_free_ char *once = sample_folded(p);
		assert_null(view_profile(v, VIEW_COUNTS, &p));
		_cleanup_free_ char *twice = sample_folded(p);
		assert_string_equal(once, twice);
		view_destroy(v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_losses),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_roots_of_threads),
		cmocka_unit_test(test_focus),
		cmocka_unit_test(test_ignore_and_hide),
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_granularity),
		cmocka_unit_test(test_recursion),
		cmocka_unit_test(test_packages),
		cmocka_unit_test(test_min_percent),
		cmocka_unit_test(test_cpu_time),
		cmocka_unit_test(test_bad_patterns),
		cmocka_unit_test(test_empty_capture),
		cmocka_unit_test(test_nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

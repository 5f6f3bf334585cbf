// SPDX-License-Identifier: MIT
/* What `top` is told to show, from made-up samples: each view, what limits it, its order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/top_model.h"
#include "cmd/top_parts.h"
#include "sample_capture.h"

#define APP "/srv/app/"
#define SITE "/venv/lib/python3.12/site-packages/"

struct world {
	struct capture capture;
	struct top_model model;
	struct top_frame frame;
	struct top_query query;
	struct sample_sink next;
	uint64_t passed_on;
	uint64_t base_ns;
	uint32_t ms;
};

static void pass_on(struct sample_sink *sink, const struct sample *sample)
{
	struct world *w = (struct world *)(void *)((char *)sink - offsetof(struct world, next));

	(void)sample;
	w->passed_on++;
}

static void world_init(struct world *w)
{
	*w = (struct world){ .next.sample = pass_on };
	capture_init(&w->capture);
	capture_set_fact(&w->capture, FACT_CWD, "/srv/app");
	w->base_ns = clock_wall_ns() - 10 * (uint64_t)NS_PER_SEC;
	w->model.capture = &w->capture;
	w->model.next = &w->next;
	w->model.command = "python3 app.py";
	w->model.pid = 100;
	w->model.period_ns = SAMPLE_MS;
	top_model_init(&w->model);
	w->query.window_ns = 60 * (uint64_t)NS_PER_SEC;
}

static void world_deinit(struct world *w)
{
	top_model_deinit(&w->model);
	arena_deinit(&w->frame.arena);
	capture_deinit(&w->capture);
}

static void put_at(struct world *w, uint64_t ns, uint32_t thread, const char *stack,
	enum sample_state state, unsigned int flags)
{
	const struct sample sample = { .row = {
		.time_ns = w->base_ns + ns,
		.count = 1,
		.cpu_ns = state == SAMPLE_ON_CPU ? SAMPLE_MS : 0,
		.thread = thread,
		.stack = sample_stack(&w->capture, stack),
		.syscall = SYSCALL_NONE,
		.state = (uint8_t)state,
		.flags = (uint8_t)flags,
	} };

	w->model.sink.sample(&w->model.sink, &sample);
}

static void put(struct world *w, uint32_t thread, const char *stack, unsigned int count,
	enum sample_state state, unsigned int flags)
{
	for (unsigned int i = 0; i < count; i++)
		put_at(w, (uint64_t)w->ms++ * SAMPLE_MS, thread, stack, state, flags);
}

static struct top_frame *fill(struct world *w)
{
	top_model_fill(&w->model, &w->query, &w->frame);
	return &w->frame;
}

static const struct top_row *find(const struct top_frame *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->rows[i].name, name) == 0)
			return &f->rows[i];
	return NULL;
}

static const struct top_row *need(const struct top_frame *f, const char *name)
{
	const struct top_row *row = find(f, name);

	if (!row)
		fail_msg("there is no row '%s'", name);
	return row;
}

static void check_counts(
	const struct top_row *row, uint64_t self, uint64_t total, uint64_t all)
{
	assert_int_equal(row->self_samples, self);
	assert_int_equal(row->total_samples, total);
	assert_true(fabs(row->self - (double)self / (double)all) < 1e-9);
	assert_true(fabs(row->total - (double)total / (double)all) < 1e-9);
}

/* The names of the rows, in order. */
static char *names(const struct top_frame *f)
{
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < f->count; i++)
		buf_printf(&out, "%s%*s%s", i ? "|" : "", f->rows[i].depth, "",
			f->rows[i].name);
	return out.data ? out.data : xstrdup("");
}

static void check_names(const struct top_frame *f, const char *expected)
{
	_cleanup_free_ char *found = names(f);

	assert_string_equal(found, expected);
}

/* Two processes, three threads. */
static void fill_world(struct world *w)
{
	uint32_t web = sample_process(&w->capture, 100, "web");
	uint32_t main_thread = sample_thread(&w->capture, web, 100, "MainThread");
	uint32_t worker = sample_thread(&w->capture, web, 101, "worker");

	put(w, main_thread, "main@" APP "app.py:10;get@" SITE "requests/api.py:7", 40,
		SAMPLE_WAITING, 0);
	put(w, main_thread, "main@" APP "app.py:12;walk@" APP "tree.py:3;walk@" APP "tree.py:4", 30,
		SAMPLE_ON_CPU, SAMPLE_HOLDS_GIL);
	put(w, main_thread, "main@" APP "app.py:12", 10, SAMPLE_ON_CPU,
		SAMPLE_HOLDS_GIL | SAMPLE_IN_GC);
	put(w, worker, "work@" APP "app.py:20", 15, SAMPLE_RUNNABLE, SAMPLE_WAITS_FOR_GIL);
	put(w, worker, "", 5, SAMPLE_WAITING, 0);
}

static void test_functions(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	fill_world(&w);
	const struct top_frame *f = fill(&w);
	assert_int_equal(w.passed_on, 100);
	assert_int_equal(f->all, 100);
	check_names(f, "get|walk|work|main|(no Python frame)");
	check_counts(need(f, "get"), 40, 40, 100);
	check_counts(need(f, "walk"), 30, 30, 100); // once, though it calls itself
	check_counts(need(f, "main"), 10, 80, 100);
	check_counts(need(f, "(no Python frame)"), 5, 5, 100);
	assert_string_equal(need(f, "get")->file, "requests/api.py");
	assert_string_equal(need(f, "main")->file, "app.py");
	assert_null(need(f, "(no Python frame)")->file);
	assert_null(need(f, "main")->process); // there is only one
	assert_true(need(f, "walk")->half_width > 0.08 && need(f, "walk")->half_width < 0.1);
	for (size_t i = 0; i < f->count; i++)
		assert_true(f->rows[i].key && f->rows[i].key == f->rows[i].function);
	world_deinit(&w);
}

static void test_order(void **state)
{
	static const struct {
		enum top_sort sort;
		bool reversed;
		const char *expected;
	} cases[] = {
		{ TOP_BY_SELF, true, "(no Python frame)|main|work|walk|get" },
		{ TOP_BY_TOTAL, false, "main|get|walk|work|(no Python frame)" },
		{ TOP_BY_NAME, false, "(no Python frame)|get|main|walk|work" },
		{ TOP_BY_NAME, true, "work|walk|main|get|(no Python frame)" },
		{ TOP_BY_FILE, false, "(no Python frame)|work|main|get|walk" },
	};
	struct world w;

	(void)state;
	world_init(&w);
	fill_world(&w);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		w.query.sort = cases[i].sort;
		w.query.reversed = cases[i].reversed;
		check_names(fill(&w), cases[i].expected);
	}
	world_deinit(&w);
}

static void test_modes(void **state)
{
	static const struct {
		enum top_mode mode;
		uint64_t all;
		const char *expected;
	} cases[] = {
		{ TOP_WALL, 100, "get|walk|work|main|(no Python frame)" },
		{ TOP_CPU, 55, "walk|work|main" },
		{ TOP_GIL, 40, "walk|main" },
		{ TOP_IDLE, 45, "get|(no Python frame)|main" },
	};
	struct world w;

	(void)state;
	world_init(&w);
	fill_world(&w);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		w.query.mode = cases[i].mode;
		assert_int_equal(fill(&w)->all, cases[i].all);
		check_names(&w.frame, cases[i].expected);
	}
	world_deinit(&w);
}

static void test_filter(void **state)
{
	static const struct {
		const char *filter, *expected;
	} cases[] = {
		{ "", "get|walk|work|main|(no Python frame)" },
		{ "^W", "walk|work" }, // case does not count
		{ "requests/", "get" },
		{ "/srv/app/tree", "walk" }, // as it was recorded, too
		{ "nothing like that", "" },
	};
	struct world w;

	(void)state;
	world_init(&w);
	fill_world(&w);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		w.query.filter = cases[i].filter;
		check_names(fill(&w), cases[i].expected);
		assert_false(w.frame.filter_bad);
		assert_int_equal(w.frame.all, 100); // shares stay those of all
	}
	w.query.filter = "wa(";
	assert_true(fill(&w)->filter_bad);
	assert_non_null(strstr(w.frame.notice, "no regular expression"));
	assert_int_equal(w.frame.count, 5);
	world_deinit(&w);
}

static void test_lines(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	fill_world(&w);
	w.query.view = TOP_LINES;
	const struct top_frame *f = fill(&w);
	check_names(f, "get|walk|work|main|(no Python frame)|main|walk");
	assert_int_equal(f->rows[1].line, 4);
	assert_int_equal(f->rows[3].line, 12);
	check_counts(&f->rows[3], 10, 40, 100);
	assert_int_equal(f->rows[6].line, 3);
	check_counts(&f->rows[6], 0, 30, 100);
	assert_int_equal(f->rows[3].function, f->rows[5].function);
	assert_int_not_equal(f->rows[3].key, f->rows[5].key);
	world_deinit(&w);
}

static void test_threads(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	fill_world(&w);
	w.query.view = TOP_THREADS;
	const struct top_frame *f = fill(&w);
	check_names(f, "MainThread|worker");
	assert_int_equal(f->rows[0].tid, 100);
	assert_true(fabs(f->rows[0].gil - 0.5) < 1e-9);
	assert_true(fabs(f->rows[0].gc - 0.125) < 1e-9);
	assert_true(fabs(f->rows[1].gil_wait - 0.75) < 1e-9);
	assert_string_equal(f->rows[0].state, "in GC");
	assert_string_equal(f->rows[1].state, "waits");
	// 40 ms of a processor in the 10 s since the first sample
	assert_true(f->rows[0].cpu > 0.0035 && f->rows[0].cpu < 0.0045);
	check_counts(&f->rows[0], 80, 80, 100);
	assert_true(f->rows[1].cpu < 1e-9);
	w.query.sort = TOP_BY_CPU;
	w.query.reversed = true;
	check_names(fill(&w), "worker|MainThread");
	world_deinit(&w);
}

static void test_one_thread(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	fill_world(&w);
	w.query.view = TOP_THREADS;
	w.query.thread = need(fill(&w), "worker")->key;
	assert_true(need(fill(&w), "worker")->is_open_thread);
	assert_false(need(fill(&w), "MainThread")->is_open_thread);
	w.query.view = TOP_FUNCTIONS;
	assert_int_equal(fill(&w)->all, 20);
	check_names(&w.frame, "work|(no Python frame)");
	check_counts(need(&w.frame, "work"), 15, 15, 20);
	world_deinit(&w);
}

/* A thread without samples, while others have some, has ended; then it is forgotten. */
static void test_ended_thread(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	fill_world(&w);
	for (unsigned int i = 0; i < 100; i++)
		put_at(&w, 3 * (uint64_t)NS_PER_SEC + i * SAMPLE_MS, 0, "main@" APP "app.py:10",
			SAMPLE_ON_CPU, 0);
	w.query.view = TOP_THREADS;
	assert_string_equal(need(fill(&w), "worker")->state, "ended");
	assert_string_equal(need(&w.frame, "MainThread")->state, "runs");
	assert_int_equal(w.frame.threads, 1);
	w.query.window_ns = 8 * (uint64_t)NS_PER_SEC;
	assert_null(find(fill(&w), "worker"));
	world_deinit(&w);
}

static void test_processes(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	fill_world(&w);
	uint32_t job = sample_process(&w.capture, 200, "job");
	uint32_t other = sample_thread(&w.capture, job, 200, "MainThread");
	put(&w, other, "main@" APP "app.py:10", 100, SAMPLE_ON_CPU, SAMPLE_HOLDS_GIL);
	const struct top_frame *f = fill(&w);
	assert_string_equal(need(f, "get")->process, "web");
	assert_int_equal(need(f, "get")->pid, 100);
	assert_string_equal(need(f, "main")->process, "(several)");
	// each has a GIL of its own: the busier one is told
	assert_true(fabs(f->gil - 1) < 1e-9);
	w.query.process = 200;
	assert_int_equal(fill(&w)->all, 100);
	check_names(&w.frame, "main");
	assert_string_equal(w.frame.rows[0].process, "job");
	w.query.view = TOP_THREADS;
	assert_int_equal(fill(&w)->count, 1);
	assert_int_equal(w.frame.rows[0].pid, 200);
	world_deinit(&w);
}

static void test_head(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(fill(&w)->count, 0);
	assert_int_equal(w.frame.samples, 0);
	fill_world(&w);
	const struct capture_loss loss = { .time_ns = w.base_ns, .kind = LOSS_MISSED, .count = 7 };
	capture_add_loss(&w.capture, &loss);
	capture_set_fact(&w.capture, FACT_PYTHON, "3.12.1");
	put(&w, 0, "main@" APP "app.py:10", 3, SAMPLE_ON_CPU, SAMPLE_CUT);
	put(&w, 0, "", 2, SAMPLE_ON_CPU, SAMPLE_UNREADABLE);
	const struct top_frame *f = fill(&w);
	assert_int_equal(f->samples, 105);
	assert_int_equal(f->lost, 9);
	assert_int_equal(f->truncated, 3);
	assert_string_equal(f->python, "3.12.1");
	assert_string_equal(f->command, "python3 app.py");
	assert_true(fabs(f->gil - 40.0 / 85) < 1e-9);
	assert_true(fabs(f->gc - 10.0 / 85) < 1e-9);
	assert_true(fabs(f->gil_wait - 15.0 / 85) < 1e-9);
	assert_true(f->rate_asked > 999 && f->rate_asked < 1001);
	check_counts(need(f, "(truncated)"), 3, 3, 105);
	check_counts(need(f, "(not readable)"), 2, 2, 105);
	top_model_reset(&w.model);
	assert_int_equal(fill(&w)->samples, 0);
	assert_int_equal(w.frame.lost, 0);
	assert_int_equal(w.frame.count, 0);
	world_deinit(&w);
}

/* The processor, memory: of this process itself. */
static void test_seconds(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	sample_thread(&w.capture, sample_process(&w.capture, (uint32_t)getpid(), "me"), 1, "t");
	w.base_ns = clock_wall_ns() - 500 * SAMPLE_MS;
	put(&w, 0, "main@" APP "app.py:10", 400, SAMPLE_ON_CPU, SAMPLE_HOLDS_GIL);
	top_model_turn(&w.model, w.model.second_ns + NS_PER_SEC);
	const struct top_frame *f = fill(&w);
	assert_int_equal(f->processes, 1);
	assert_true(f->rss > 100000);
	assert_int_equal(f->rss_history.count, 1);
	assert_int_equal(f->gil_history.count, 1);
	assert_true(fabs(f->gil_history.values[0] - 1) < 1e-9);
	assert_true(f->rate_reached > 399 && f->rate_reached < 401);
	for (int i = 0; i < TOP_HISTORY + 10; i++)
		top_model_turn(&w.model, w.model.second_ns + NS_PER_SEC);
	assert_int_equal(fill(&w)->rss_history.count, TOP_HISTORY);
	top_model_end(&w.model, "exited with status 3");
	assert_true(fill(&w)->ended);
	assert_string_equal(w.frame.how, "exited with status 3");
	world_deinit(&w);
}

/* What was there stays in sight, in every view, while sampling goes on. */
static void test_frozen(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	fill_world(&w);
	fill(&w);
	w.query.frozen = true;
	fill(&w);
	put(&w, 1, "later@" APP "app.py:30", 50, SAMPLE_ON_CPU, 0);
	assert_int_equal(fill(&w)->all, 100);
	assert_true(w.frame.frozen);
	assert_null(find(&w.frame, "later"));
	assert_int_equal(w.frame.samples, 150); // the head goes on
	w.query.view = TOP_THREADS;
	assert_string_equal(need(fill(&w), "worker")->state, "waits");
	w.query.view = TOP_FUNCTIONS;
	w.query.frozen = false;
	assert_non_null(find(fill(&w), "later"));
	world_deinit(&w);
}

static void test_decaying(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	fill_world(&w);
	for (unsigned int i = 0; i < 40; i++)
		put_at(&w, 9 * (uint64_t)NS_PER_SEC + i * SAMPLE_MS, 0, "new@" APP "app.py:9",
			SAMPLE_ON_CPU, 0);
	w.query.window_ns = 12 * (uint64_t)NS_PER_SEC;
	assert_true(fabs(need(fill(&w), "new")->self - need(&w.frame, "get")->self) < 1e-9);
	w.query.decaying = true; // 9 seconds are more than two halves of 4
	assert_true(need(fill(&w), "new")->self > 4 * need(&w.frame, "get")->self);
	assert_int_equal(need(&w.frame, "get")->self_samples, 40);
	world_deinit(&w);
}

/* Of the time that a thread was there; pauses are not counted. */
static void test_thread_cpu(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	uint32_t p = sample_process(&w.capture, 100, "p");
	sample_thread(&w.capture, p, 100, "MainThread");
	sample_thread(&w.capture, p, 101, "late");
	w.base_ns = clock_wall_ns() - 1000 * SAMPLE_MS;
	for (unsigned int i = 0; i < 1000; i++)
		put_at(&w, i * (uint64_t)SAMPLE_MS, 0, "main@a.py:1", SAMPLE_WAITING, 0);
	for (unsigned int i = 800; i < 1000; i++)
		put_at(&w, i * (uint64_t)SAMPLE_MS, 1, "late@a.py:2",
			i % 2 ? SAMPLE_ON_CPU : SAMPLE_WAITING, 0);
	w.query.view = TOP_THREADS;
	assert_true(fabs(need(fill(&w), "late")->cpu - 0.5) < 0.05);
	// as if the second half of it had been a pause
	w.model.pauses[0] = (struct top_pause){ w.base_ns, w.base_ns + 500 * SAMPLE_MS };
	w.model.pause_count = 1;
	assert_true(fill(&w)->window_s > 0.49 && w.frame.window_s < 0.6);
	assert_true(need(&w.frame, "late")->cpu > 0.9);
	top_model_pause(&w.model, true);
	double window_s = fill(&w)->window_s;
	assert_true(w.model.paused_since_ns && w.model.pauses[1].from_ns && !w.model.pauses[1].to_ns);
	assert_true(fill(&w)->window_s == window_s); // it stands still
	top_model_pause(&w.model, false);
	assert_true(w.model.pauses[1].to_ns && !w.model.paused_since_ns);
	assert_true(fill(&w)->window_s - window_s < 0.05);
	world_deinit(&w);
}

/* ---- the tree --------------------------------------------------------------------------------- */

static void test_tree(void **state)
{
	struct world w;
	uint64_t keys[1];

	(void)state;
	world_init(&w);
	fill_world(&w);
	put(&w, 0, "rare@" APP "app.py:40;deep@" APP "app.py:41", 2, SAMPLE_ON_CPU, 0);
	w.query.view = TOP_TREE;
	const struct top_frame *f = fill(&w);
	// what has little is closed
	check_names(f, "main| get| walk|  walk|work|(no Python frame)|rare");
	check_counts(&f->rows[0], 10, 80, 102);
	check_counts(&f->rows[3], 30, 30, 102);
	assert_true(f->rows[0].is_open && f->rows[0].has_children);
	assert_false(f->rows[6].is_open);
	assert_true(f->rows[6].has_children && f->rows[6].is_last);
	assert_false(f->rows[1].is_last);
	uint64_t rare = f->rows[6].key, hot = f->rows[0].key;
	keys[0] = rare;
	w.query.open = keys;
	w.query.open_count = 1;
	check_names(fill(&w), "main| get| walk|  walk|work|(no Python frame)|rare| deep");
	assert_int_equal(w.frame.rows[6].key, rare); // as at the refresh before
	keys[0] = hot;
	w.query.open_count = 0;
	w.query.shut = keys;
	w.query.shut_count = 1;
	check_names(fill(&w), "main|work|(no Python frame)|rare");
	w.query.shut_count = 0;
	w.query.filter = "deep";
	check_names(fill(&w), "rare| deep");
	w.query.filter = "walk";
	check_names(fill(&w), "main| walk|  walk");
	w.query.filter = NULL;
	w.query.sort = TOP_BY_NAME;
	check_names(fill(&w), "(no Python frame)|main| get| walk|  walk|rare|work");
	world_deinit(&w);
}

/* As deep as stacks come; and more rows than are given out. */
static void test_tree_limits(void **state)
{
	struct world w;
	struct buf stack = BUF_INIT;

	(void)state;
	world_init(&w);
	sample_thread(&w.capture, sample_process(&w.capture, 100, "p"), 100, "MainThread");
	for (int i = 0; i < 16000; i++)
		buf_printf(&stack, "%sf%d@" APP "a.py:1", i ? ";" : "", i);
	put(&w, 0, buf_str(&stack), 3, SAMPLE_ON_CPU, 0);
	w.query.view = TOP_TREE;
	assert_int_equal(fill(&w)->count, TOP_ROWS_MAX);
	assert_int_equal(w.frame.more, 16000 - TOP_ROWS_MAX);
	assert_int_equal(w.frame.rows[TOP_ROWS_MAX - 1].depth, TOP_ROWS_MAX - 1);
	w.query.view = TOP_FUNCTIONS;
	assert_int_equal(fill(&w)->count, TOP_ROWS_MAX);
	assert_int_equal(w.frame.more, 16000 - TOP_ROWS_MAX);
	buf_deinit(&stack);
	world_deinit(&w);
}

/* ---- source ----------------------------------------------------------------------------------- */

static char *write_file(const char *text)
{
	char *path = xstrdup("/tmp/fireglass-top-XXXXXX.py");
	_cleanup_close_ int fd = mkstemps(path, 3);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return path;
}

static void test_source(void **state)
{
	_cleanup_free_ char *path = write_file("def f():\n    a()\n    b\tc()\n\nf()\n");
	struct world w;

	(void)state;
	world_init(&w);
	sample_thread(&w.capture, sample_process(&w.capture, 100, "p"), 100, "MainThread");
	_cleanup_free_ char *one = xasprintf("<module>@%s:5;f@%s:2", path, path);
	_cleanup_free_ char *two = xasprintf("<module>@%s:5;f@%s:3;g@/nowhere/g.py:7", path, path);
	_cleanup_free_ char *gone = xasprintf("<module>@%s:99", path);
	put(&w, 0, one, 30, SAMPLE_ON_CPU, 0);
	put(&w, 0, two, 10, SAMPLE_ON_CPU, 0);
	put(&w, 0, gone, 1, SAMPLE_ON_CPU, 0);
	w.query.view = TOP_SOURCE;
	const struct top_frame *f = fill(&w);
	assert_string_equal(f->source_function, "f"); // the hottest
	assert_string_equal(f->source_file, path);
	assert_int_equal(f->source_line, 2);
	assert_int_equal(f->count, 5);
	assert_string_equal(f->rows[2].name, "    b\tc()");
	assert_string_equal(f->rows[3].name, "");
	check_counts(&f->rows[1], 30, 30, 41);
	check_counts(&f->rows[2], 0, 10, 41);
	check_counts(&f->rows[4], 0, 40, 41);
	check_counts(&f->rows[0], 0, 0, 41);
	unlink(path);
	w.query.view = TOP_FUNCTIONS;
	w.query.selected = need(fill(&w), "g")->key;
	w.query.view = TOP_SOURCE;
	f = fill(&w);
	assert_string_equal(f->source_function, "g");
	assert_non_null(f->source_note);
	assert_int_equal(f->count, 1); // without a text: the lines that were seen
	assert_int_equal(f->rows[0].line, 7);
	check_counts(&f->rows[0], 10, 10, 41);
	w.query.selected = UINT64_MAX;
	assert_string_equal(fill(&w)->source_function, "f");
	world_deinit(&w);
}

static void test_source_of_nothing(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	sample_thread(&w.capture, sample_process(&w.capture, 100, "p"), 100, "MainThread");
	w.query.view = TOP_SOURCE;
	assert_non_null(fill(&w)->source_note);
	put(&w, 0, "", 5, SAMPLE_WAITING, 0);
	assert_non_null(fill(&w)->source_note);
	w.query.view = TOP_FUNCTIONS;
	w.query.selected = fill(&w)->rows[0].key;
	w.query.view = TOP_SOURCE;
	assert_string_equal(fill(&w)->source_function, "(no Python frame)");
	assert_non_null(w.frame.source_note);
	w.query.view = TOP_OUTPUT; // it was not launched
	assert_non_null(fill(&w)->source_note);
	assert_int_equal(w.frame.count, 0);
	world_deinit(&w);
}

/* ---- output ----------------------------------------------------------------------------------- */

static void check_lines(struct top_output *o, const char *expected)
{
	_cleanup_buf_ struct buf found = BUF_INIT;

	for (size_t i = 0; i < o->count; i++)
		buf_printf(&found, "%s%s", i ? "|" : "", top_output_line(o, i)->text);
	assert_string_equal(buf_str(&found), expected);
}

static void take(struct top_output *o, const char *text)
{
	top_output_take(o, text, strlen(text));
}

static void test_output_lines(void **state)
{
	static const struct {
		const char *bytes, *expected;
	} cases[] = {
		{ "one\ntwo\n", "one|two" },
		{ "one\n\nthree", "one||three" },
		{ "crlf\r\nnext\r\n", "crlf|next" },
		{ "10 %\r20 %\r30 %", "30 %" },
		{ "10 %\r20 %\r\n", "20 %" },
		{ "a\tb", "a       b" },
		{ "12345678\tb", "12345678        b" },
		{ "ab\b\bc", "c" },
		{ "\xc3\xa9\b-", "-" },
		{ "\x1b[1;31mred\x1b[0m!", "red!" },
		{ "\x1b]0;title\x07text", "text" },
		{ "\x1b]0;title\x1b\\text", "text" },
		{ "\x1b]never ended\ntext", "|text" },
		{ "\x1b(Btext\x1b=", "text" },
		{ "\x1b[31\nx", "|x" },
		{ "bell\x07 del\x7f nul", "bell del nul" },
		{ "bad \xff\xfe utf", "bad \xef\xbf\xbd\xef\xbf\xbd utf" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(top_output_close) struct top_output whole = { .fd = -1 }, bytes = { .fd = -1 };

		take(&whole, cases[i].bytes);
		check_lines(&whole, cases[i].expected);
		for (const char *b = cases[i].bytes; *b; b++)
			top_output_take(&bytes, b, 1);
		check_lines(&bytes, cases[i].expected);
	}
}

static void test_output_is_bounded(void **state)
{
	_cleanup_(top_output_close) struct top_output o = { .fd = -1 };
	char text[64];

	(void)state;
	for (int i = 0; i < TOP_OUTPUT_LINES + 500; i++) {
		snprintf(text, sizeof(text), "line %d\n", i);
		take(&o, text);
	}
	assert_int_equal(o.count, TOP_OUTPUT_LINES);
	assert_string_equal(top_output_line(&o, 0)->text, "line 500");
	assert_int_equal(top_output_line(&o, 0)->number, 500);
	for (int i = 0; i < 100000; i++)
		take(&o, "x\t");
	assert_in_range(strlen(top_output_line(&o, o.count - 1)->text), 1000,
		TOP_OUTPUT_LINE_BYTES + 8);
}

static void test_output_file(void **state)
{
	struct top_output o;
	struct world w;

	(void)state;
	world_init(&w);
	assert_null(top_output_open(&o, NULL));
	assert_int_equal(write(o.fd, "hello\nworld", 11), 11);
	w.model.output = &o;
	w.query.view = TOP_OUTPUT;
	check_names(fill(&w), "hello|world");
	assert_int_equal(write(o.fd, "!\nmore\n", 7), 7);
	check_names(fill(&w), "hello|world!|more");
	w.query.filter = "WOR";
	check_names(fill(&w), "world!");
	assert_int_equal(w.frame.rows[0].key, 2);
	w.query.filter = NULL;
	// more than is caught up with: its end, after a note
	_cleanup_free_ char *much = xmalloc(3u << 20);
	memset(much, 'y', 3u << 20);
	for (size_t i = 79; i < 3u << 20; i += 80)
		much[i] = '\n';
	for (int i = 0; i < 4; i++)
		assert_int_equal(write(o.fd, much, 3u << 20), 3u << 20);
	assert_int_equal(write(o.fd, "\nthe end\n", 9), 9);
	assert_int_equal(fill(&w)->count, TOP_OUTPUT_LINES);
	assert_string_equal(w.frame.rows[w.frame.count - 1].name, "the end");
	// what was read of a file without a name is given back to the system
	top_output_turn(&o, NS_PER_SEC * (uint64_t)1000);
	assert_int_equal(o.freed, o.offset);
	assert_int_equal(write(o.fd, "after\n", 6), 6);
	fill(&w);
	assert_string_equal(w.frame.rows[w.frame.count - 1].name, "after");
	w.model.output = NULL;
	top_output_close(&o);
	world_deinit(&w);
}

static void test_output_errors(void **state)
{
	static const char *const paths[] = { "/nowhere/file", "/dev/null", "/tmp" };
	struct top_output o;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct err *err = top_output_open(&o, paths[i]);

		assert_non_null(err);
		assert_non_null(strstr(err->message, paths[i]));
		err_free(err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_thread_cpu),
		cmocka_unit_test(test_one_thread),
		cmocka_unit_test(test_ended_thread),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_frozen),
		cmocka_unit_test(test_decaying),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_tree_limits),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_source_of_nothing),
		cmocka_unit_test(test_output_lines),
		cmocka_unit_test(test_output_is_bounded),
		cmocka_unit_test(test_output_file),
		cmocka_unit_test(test_output_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
#include "golden_captures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "large_capture.h"
#include "sample_capture.h"

#define END_MS 10000u

/* A frame by its parts, for names that the text of sample_stack() cannot hold. */
struct part {
	const char *name, *file;
	uint32_t first_line, line;
};

static stack_id push(struct capture *c, stack_id parent, const struct part *part)
{
	struct profile *p = &c->tables;
	const struct store_function f = {
		.name = profile_string(p, part->name, strlen(part->name)),
		.file = profile_string(p, part->file, strlen(part->file)),
		.first_line = part->first_line,
		.kind = FUNCTION_PYTHON,
	};

	return profile_stack(p, parent, profile_frame(p, profile_function(p, &f), part->line));
}

static void set_facts(struct capture *c)
{
	capture_set_fact_u64(c, FACT_PERIOD_NS, SAMPLE_MS);
	capture_set_fact_u64(c, FACT_START_NS, SAMPLE_START_NS);
	capture_set_fact_u64(c, FACT_END_NS, SAMPLE_START_NS + (uint64_t)END_MS * SAMPLE_MS);
	capture_set_fact_u64(c, FACT_TICKS, END_MS);
	capture_set_fact(c, FACT_TOOL, "fireglass 0.1.0");
	capture_set_fact(c, FACT_HOST, "workshop");
	capture_set_fact(c, FACT_KERNEL, "6.1.0");
	capture_set_fact(c, FACT_ARCH, "x86_64");
	capture_set_fact(c, FACT_PYTHON, "3.11.7");
	capture_set_fact(c, FACT_COMMAND, "fireglass record -- python3 shop.py");
	capture_set_fact(c, FACT_CWD, "/srv/shop");
	capture_set_fact(c, FACT_CLOCK, "CLOCK_REALTIME");
}

/* The usual frame around samples: facts, one process, its main thread (row 0). */
static void begin(struct capture *c)
{
	set_facts(c);
	sample_process(c, 4711, "shop.py");
	sample_thread(c, 0, 4711, "MainThread");
	c->threads[0].main = true;
}

/* A sample on a processor, one tick, holding the GIL. */
static void add(struct capture *c, uint32_t thread, uint32_t ms, stack_id stack)
{
	capture_add_sample(c, &(struct capture_sample){
				      .time_ns = SAMPLE_START_NS + (uint64_t)ms * SAMPLE_MS,
				      .count = 1,
				      .cpu_ns = SAMPLE_MS,
				      .thread = thread,
				      .stack = stack,
				      .syscall = SYSCALL_NONE,
				      .state = SAMPLE_ON_CPU,
				      .flags = SAMPLE_HOLDS_GIL,
			      });
}

static void fill_nothing(struct capture *c)
{
	(void)c;
}

static void fill_empty(struct capture *c)
{
	begin(c);
}

static void fill_one(struct capture *c)
{
	begin(c);
	sample_run(c, 0, 0, 1, "<module>@/srv/shop/shop.py:40;main@/srv/shop/shop.py:31");
}

/* 1200 frames: more than the 1000 that some readers show. */
static void fill_deep(struct capture *c)
{
	stack_id stack = STACK_NONE;
	char name[32];

	begin(c);
	for (uint32_t i = 0; i < 1200; i++) {
		snprintf(name, sizeof(name), "level_%u", i);
		stack = push(c, stack, &(struct part){ name, "/srv/shop/deep.py", 10 * i + 1,
					       10 * i + 2 });
		if (i == 100)
			add(c, 0, 0, stack);
	}
	for (uint32_t i = 1; i < 8; i++)
		add(c, 0, i, stack);
}

/* 3000 functions called by one. */
static void fill_wide(struct capture *c)
{
	uint32_t ms = 0;
	char name[32], file[48];

	begin(c);
	stack_id root = push(c, STACK_NONE, &(struct part){ "<module>", "/srv/shop/wide.py", 1, 7 });
	for (uint32_t i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "handler_%u", i);
		snprintf(file, sizeof(file), "/srv/shop/handlers/h%u.py", i % 50);
		stack_id stack = push(c, root, &(struct part){ name, file, i + 1, i + 3 });
		for (uint32_t k = 0; k <= i % 3; k++)
			add(c, 0, ms++, stack);
	}
}

static void fill_unicode(struct capture *c)
{
	static const struct part parts[] = {
		{ "größe", "/srv/shop/maße.py", 3, 4 },
		{ "計算", "/srv/shop/計算.py", 5, 6 },
		{ "вычислить", "/srv/shop/модуль.py", 7, 8 },
		{ "حساب", "/srv/shop/حساب.py", 9, 10 },
		{ "e\u0301tape", "/srv/shop/\U0001F525.py", 11, 12 },
		{ "\U0001D4D5\U0001D4F7", "/srv/shop/astral.py", 13, 14 },
		{ "\uFFFDlost", "/srv/shop/broken.py", 15, 16 },
	};
	stack_id stack = STACK_NONE;

	begin(c);
	c->processes[0].name = capture_string(c, "магазин");
	c->threads[0].name = capture_string(c, "główny wątek");
	for (uint32_t i = 0; i < ARRAY_LEN(parts); i++) {
		stack = push(c, stack, &parts[i]);
		for (uint32_t k = 0; k <= i; k++)
			add(c, 0, i * 10 + k, stack);
	}
}

static void fill_hostile(struct capture *c)
{
	static const struct part parts[] = {
		{ "semi;colon", "/srv/shop/a;b.py", 1, 2 },
		{ "two words 12", "/srv/shop/with space 7", 3, 4 },
		{ "new\nline", "/srv/shop/new\nline.py", 5, 6 },
		{ "tab\tand\rreturn", "/srv/shop/c.py", 7, 8 },
		{ "</script><script>alert(1)</script>", "/srv/shop/<b>.py", 9, 10 },
		{ "\"quoted\" and \\backslash\\", "C:\\shop\\win.py", 11, 12 },
		{ "line\u2028separator\u202eturned", "/srv/shop/d.py", 13, 14 },
		{ "<listcomp>", "<string>", 15, 16 },
		{ "<lambda>", "<frozen importlib._bootstrap>", 17, 18 },
		{ "(idle)", "/srv/shop/e.py", 19, 20 },
		{ "fn=(3) /srv/x.py", "fl=(2)", 21, 22 },
		{ "&amp; %s %n {}", "", 0, 0 },
		{ "\x01\x02\x7f", "/srv/shop/f.py", 23, 24 },
		{ "", "/srv/shop/noname.py", 25, 26 },
		{ "__proto__", "/srv/shop/constructor", 27, 28 },
	};
	stack_id root;

	begin(c);
	c->processes[0].name = capture_string(c, "shop;\"1\"\n</script>");
	c->threads[0].name = capture_string(c, "Main;Thread \"7\"\n<b>");
	capture_set_fact(c, FACT_COMMAND, "fireglass record -- python3 -c 'a;\nb' </script>");
	root = push(c, STACK_NONE, &(struct part){ "<module>", "/srv/shop/shop.py", 1, 99 });
	for (uint32_t i = 0; i < ARRAY_LEN(parts); i++)
		for (uint32_t k = 0; k <= i; k++)
			add(c, 0, i * 20 + k, push(c, root, &parts[i]));
	for (uint32_t i = 0; i < ARRAY_LEN(parts); i++)
		root = push(c, root, &parts[i]);
	add(c, 0, 1000, root);
}

static void fill_recursion(struct capture *c)
{
	static const struct part fib = { "fib", "/srv/shop/fib.py", 1, 3 };
	static const struct part other_line = { "fib", "/srv/shop/fib.py", 1, 4 };
	static const struct part even = { "even", "/srv/shop/parity.py", 1, 3 };
	static const struct part odd = { "odd", "/srv/shop/parity.py", 6, 8 };
	stack_id a = STACK_NONE, b;

	begin(c);
	a = push(c, a, &(struct part){ "<module>", "/srv/shop/fib.py", 1, 9 });
	b = a;
	for (uint32_t i = 0; i < 30; i++) {
		a = push(c, a, i % 2 ? &fib : &other_line);
		b = push(c, b, i % 2 ? &odd : &even);
		add(c, 0, 2 * i, a);
		add(c, 0, 2 * i + 1, b);
	}
}

static void fill_threads(struct capture *c)
{
	char name[40];

	begin(c);
	for (uint32_t i = 1; i < 300; i++) {
		snprintf(name, sizeof(name), "worker-%u", i % 7 ? i : 7);
		sample_thread(c, 0, 4711 + i, name);
	}
	for (uint32_t ms = 0; ms < 5; ms++)
		for (uint32_t i = 0; i < 300; i++)
			sample_one(c, i, ms,
				i % 3 ? "run@/srv/shop/pool.py:9;wait@/srv/shop/pool.py:20"
				      : "run@/srv/shop/pool.py:9;work@/srv/shop/pool.py:30",
				i % 3 ? SAMPLE_WAITING : SAMPLE_ON_CPU,
				i % 3 ? 0 : SAMPLE_HOLDS_GIL);
}

static void fill_processes(struct capture *c)
{
	set_facts(c);
	for (uint32_t i = 0; i < 3; i++) {
		sample_process(c, 100 + 100 * i, i ? "worker.py" : "shop.py");
		c->processes[i].command =
			capture_string(c, i ? "python3 worker.py" : "python3 shop.py");
		sample_thread(c, i, 100 + 100 * i, "MainThread");
		sample_thread(c, i, 101 + 100 * i, "pool");
		c->threads[2 * i].main = true;
	}
	c->processes[1].end_ns = SAMPLE_START_NS + 60 * SAMPLE_MS;
	c->threads[3].end_ns = SAMPLE_START_NS + 50 * SAMPLE_MS;
	for (uint32_t ms = 0; ms < 100; ms++) {
		sample_run(c, 0, ms, 1, "<module>@/srv/shop/shop.py:40;serve@/srv/shop/shop.py:31");
		if (ms % 2)
			sample_run(c, 1, ms, 1, "run@/srv/shop/pool.py:9");
		if (ms < 60)
			sample_run(c, 2, ms, 1,
				"<module>@/srv/shop/worker.py:4;job@/srv/shop/worker.py:12");
		if (ms >= 20 && ms < 50)
			sample_run(c, 3, ms, 1, "run@/srv/shop/pool.py:9");
		if (ms >= 30)
			sample_one(c, 4, ms, "<module>@/srv/shop/worker.py:4", SAMPLE_WAITING, 0);
	}
}

/* Each state and flag, samples without a stack, markers, losses. */
static void fill_states(struct capture *c)
{
	static const char gc[] = "<module>@/srv/shop/shop.py:40;collect@/srv/shop/shop.py:50";
	static const char wait[] = "run@/srv/shop/pool.py:9;wait@/usr/lib/python3.11/threading.py:320";
	static const char work[] =
		"run@/srv/shop/pool.py:9;dumps@/usr/lib/python3.11/site-packages/orjson/io.py:7";

	begin(c);
	sample_thread(c, 0, 4712, "pool");
	sample_one(c, 0, 0, "", SAMPLE_STATE_UNKNOWN, 0);
	for (uint32_t ms = 1; ms < 40; ms++) {
		unsigned int in_gc = ms >= 10 && ms < 18 ? SAMPLE_IN_GC : 0;
		bool waits = ms >= 5 && ms < 25;

		sample_one(c, 0, ms, gc, ms % 4 ? SAMPLE_ON_CPU : SAMPLE_RUNNABLE,
			SAMPLE_HOLDS_GIL | in_gc);
		sample_one(c, 1, ms, waits ? work : wait, SAMPLE_WAITING,
			waits ? SAMPLE_WAITS_FOR_GIL : SAMPLE_TAKEN_OVER);
	}
	sample_one(c, 0, 40, gc, SAMPLE_STOPPED, SAMPLE_CUT);
	sample_one(c, 0, 41, "", SAMPLE_ON_CPU, SAMPLE_UNREADABLE);
	sample_one(c, 0, 42, "", SAMPLE_WAITING, 0);
	capture_add_marker(c, &(struct capture_marker){ SAMPLE_START_NS + 2 * SAMPLE_MS,
				      SAMPLE_START_NS + 30 * SAMPLE_MS, 1, 0,
				      capture_string(c, "request"), capture_string(c, "GET /cart") });
	capture_add_marker(c, &(struct capture_marker){ SAMPLE_START_NS + 7 * SAMPLE_MS,
				      SAMPLE_START_NS + 7 * SAMPLE_MS, CAPTURE_NONE, 0,
				      capture_string(c, "signal"), capture_string(c, "SIGUSR1") });
	capture_add_marker(c, &(struct capture_marker){ SAMPLE_START_NS + 8 * SAMPLE_MS,
				      SAMPLE_START_NS + 9 * SAMPLE_MS, CAPTURE_NONE, CAPTURE_NONE,
				      capture_string(c, "deploy"), capture_string(c, "") });
	capture_add_loss(c, &(struct capture_loss){ SAMPLE_START_NS + 43 * SAMPLE_MS, LOSS_MISSED, 5 });
	capture_add_loss(c, &(struct capture_loss){ SAMPLE_START_NS + 44 * SAMPLE_MS, LOSS_ROOM, 2 });
}

/* A second of nothing between two bursts, and a thread that comes late. */
static void fill_gaps(struct capture *c)
{
	begin(c);
	sample_thread(c, 0, 4712, "late");
	c->threads[1].start_ns = SAMPLE_START_NS + 1500 * SAMPLE_MS;
	sample_run(c, 0, 0, 10, "main@/srv/shop/shop.py:31");
	sample_run(c, 0, 1010, 20, "main@/srv/shop/shop.py:31;work@/srv/shop/shop.py:50");
	sample_run(c, 1, 1500, 5, "run@/srv/shop/pool.py:9");
	sample_run(c, 0, 1505, 5, "main@/srv/shop/shop.py:31");
}

/* Imported text: no times, no period, any counts, nothing known of process and thread. */
static void fill_counts(struct capture *c)
{
	static const uint64_t counts[] = { 7, 1, 1234567, 42 };
	char stack[64];

	capture_set_fact(c, FACT_FORMAT, "folded");
	sample_process(c, 0, "");
	sample_thread(c, 0, 0, "");
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		snprintf(stack, sizeof(stack), "main;f%zu", i);
		capture_add_sample(c, &(struct capture_sample){ .count = counts[i],
					      .stack = sample_stack(c, stack),
					      .syscall = SYSCALL_NONE });
	}
}

/* Where code comes from: the program, packages, the standard library, frozen modules. */
static void fill_origins(struct capture *c)
{
	static const char *const files[] = {
		"/srv/shop/shop.py",
		"/usr/lib/python3.11/json/encoder.py",
		"/home/ada/.venv/lib/python3.11/site-packages/django/core/wsgi.py",
		"/usr/lib/python3/dist-packages/yaml/reader.py",
		"<frozen importlib._bootstrap>",
		"<string>",
	};
	stack_id stack = STACK_NONE;

	begin(c);
	for (uint32_t i = 0; i < ARRAY_LEN(files); i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%u", i);
		stack = push(c, stack, &(struct part){ i ? name : "<module>", files[i], 10, 10 + i });
		add(c, 0, 2 * i, stack);
		add(c, 0, 2 * i + 1, push(c, stack, &(struct part){ name, files[i], 10, 20 + i }));
	}
}

const struct golden_capture golden_captures[] = {
	{ "nothing", fill_nothing },
	{ "empty", fill_empty },
	{ "one", fill_one },
	{ "deep", fill_deep },
	{ "wide", fill_wide },
	{ "unicode", fill_unicode },
	{ "hostile", fill_hostile },
	{ "recursion", fill_recursion },
	{ "threads", fill_threads },
	{ "processes", fill_processes },
	{ "states", fill_states },
	{ "gaps", fill_gaps },
	{ "counts", fill_counts },
	{ "origins", fill_origins },
	{ 0 },
};

static void fill_big(struct capture *c, uint64_t samples)
{
	stack_id stacks[256];
	uint64_t seed = 1;

	begin(c);
	for (uint32_t i = 1; i < 4; i++)
		sample_thread(c, 0, 4711 + i, "worker");
	for (uint32_t i = 0; i < ARRAY_LEN(stacks); i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%u", i);
		stacks[i] = push(c, i ? stacks[i / 4] : STACK_NONE,
			&(struct part){ name, "/srv/shop/big.py", i + 1, i + 2 });
	}
	for (uint64_t i = 0; i < samples; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		add(c, (uint32_t)(i % 4), (uint32_t)(i / 4), stacks[seed >> 56]);
	}
}

bool golden_capture_fill(struct capture *c, const char *name)
{
	unsigned long samples, stacks;
	unsigned int threads = 0, period_ms = 0;

	if (sscanf(name, "large:%lu:%lu:%u:%u", &samples, &stacks, &threads, &period_ms) >= 2) {
		large_capture_fill(c, samples, (uint32_t)stacks, threads, period_ms);
		return true;
	}
	if (strncmp(name, "big:", 4) == 0) {
		fill_big(c, strtoull(name + 4, NULL, 10));
		return true;
	}
	for (const struct golden_capture *g = golden_captures; g->name; g++) {
		if (strcmp(g->name, name) == 0) {
			g->fill(c);
			return true;
		}
	}
	return false;
}

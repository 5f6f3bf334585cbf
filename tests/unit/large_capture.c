// SPDX-License-Identifier: MIT
#include "large_capture.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "sample_capture.h"

#define THREADS_MOST 64u
#define FUNCTIONS 4000u
#define FILES 300u
#define DEEPEST 40u
#define UNIT_NS (SAMPLE_MS / 64)
#define TURN 200u /* ticks for which the same threads run */
#define FUTEX 202

struct large {
	struct capture *c;
	uint64_t seed;
	stack_id *stacks;
	uint8_t *depths;
	uint32_t count, next_new;
	uint32_t threads, period_ms;
	uint32_t current[THREADS_MOST]; // of `stacks`
};

static uint32_t any(struct large *l, uint32_t limit)
{
	l->seed = l->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((l->seed >> 33) % limit);
}

static frame_id add_frame(struct large *l)
{
	static const char *const folders[] = { "/srv/shop", "/usr/lib/python3.11",
		"/srv/venv/lib/python3.11/site-packages" };
	struct profile *p = &l->c->tables;
	uint32_t number = any(l, FUNCTIONS), in = number % FILES;
	char name[64], file[128];

	int name_len = snprintf(name, sizeof(name), "Class%u.method_%u", number % 700, number);
	int file_len = snprintf(
		file, sizeof(file), "%s/package%u/module_%u.py", folders[in % 3], in % 40, in);
	const struct store_function function = {
		.name = profile_string(p, name, (size_t)name_len),
		.file = profile_string(p, file, (size_t)file_len),
		.first_line = number % 900 + 1,
	};
	return profile_frame(p, profile_function(p, &function), function.first_line + any(l, 12));
}

/* Each a child of one before, mostly of a recent one: a tree of many depths. */
static void add_stacks(struct large *l)
{
	for (uint32_t i = 0; i < l->count; i++) {
		uint32_t near = i < 50 ? i : 50;
		uint32_t up = i ? i - 1 - any(l, any(l, 8) ? near : i) : 0;

		while (i && l->depths[up] >= DEEPEST)
			up = any(l, i);
		l->depths[i] = i ? (uint8_t)(l->depths[up] + 1) : 1;
		do
			l->stacks[i] = profile_stack(
				&l->c->tables, i ? l->stacks[up] : STACK_NONE, add_frame(l));
		while (l->stacks[i] != i);
	}
}

/* A new one, one of the few that are common, or any. */
static uint32_t next_stack(struct large *l)
{
	if (l->next_new < l->count && any(l, 5) < 2)
		return l->next_new++;
	return any(l, any(l, 4) ? l->count / 100 + 1 : l->count);
}

static void add_tick(struct large *l, uint64_t tick)
{
	uint64_t time_ns = SAMPLE_START_NS + tick * l->period_ms * SAMPLE_MS + any(l, 64) * UNIT_NS;
	uint32_t first = (uint32_t)(tick / TURN) * 3 % l->threads;

	for (uint32_t i = 0; i < l->threads; i++) {
		bool runs = (i + first) % 2 == 0;
		bool holds = i == first && any(l, 10);
		struct capture_sample s = { .time_ns = time_ns,
			.count = 1,
			.thread = i,
			.syscall = runs ? SYSCALL_NONE : FUTEX,
			.state = runs ? SAMPLE_ON_CPU : SAMPLE_WAITING,
			.cpu_ns = runs ? (48 + any(l, 16)) * UNIT_NS : 0 };

		if (runs && any(l, 2))
			l->current[i] = next_stack(l);
		s.flags = runs ? holds ? SAMPLE_HOLDS_GIL : 0 : SAMPLE_TAKEN_OVER;
		s.stack = l->stacks[l->current[i]];
		capture_add_sample(l->c, &s);
	}
}

static void add_event(struct large *l, uint64_t tick)
{
	uint64_t at = SAMPLE_START_NS + tick * l->period_ms * SAMPLE_MS;
	bool gc = any(l, 2);

	capture_add_marker(l->c,
		&(struct capture_marker){ at, at + any(l, 30) * SAMPLE_MS, any(l, l->threads), 0,
			capture_string(l->c, gc ? "GC" : "GIL wait"), capture_string(l->c, "") });
	if (!any(l, 4))
		capture_add_loss(l->c, &(struct capture_loss){ at, LOSS_MISSED, 1 + any(l, 9) });
}

void large_capture_fill(
	struct capture *c, uint64_t samples, uint32_t stacks, uint32_t threads, uint32_t period_ms)
{
	struct large l = { .c = c,
		.seed = 1,
		.count = stacks ? stacks : 1,
		.threads = threads && threads <= THREADS_MOST ? threads : 8,
		.period_ms = period_ms ? period_ms : 1 };
	char name[32];

	l.stacks = xcalloc(l.count, sizeof(*l.stacks));
	l.depths = xcalloc(l.count, sizeof(*l.depths));
	capture_set_fact_u64(c, FACT_PERIOD_NS, l.period_ms * SAMPLE_MS);
	capture_set_fact_u64(c, FACT_START_NS, SAMPLE_START_NS);
	capture_set_fact_u64(c, FACT_TICKS, samples / l.threads);
	capture_set_fact(c, FACT_PYTHON, "3.11.7");
	capture_set_fact(c, FACT_CWD, "/srv/shop");
	sample_process(c, 4711, "python3");
	for (uint32_t i = 0; i < l.threads; i++) {
		snprintf(name, sizeof(name), i ? "worker_%u" : "MainThread", i);
		sample_thread(c, 0, 4711 + i, name);
	}
	add_stacks(&l);
	for (uint64_t tick = 0; tick < samples / l.threads; tick++) {
		if (tick % 500 == 0)
			add_event(&l, tick);
		add_tick(&l, tick);
	}
	free(l.stacks);
	free(l.depths);
}

// SPDX-License-Identifier: MIT
/* The samples of the window, added up: first all of them, then those that count, by stack. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cmd/top_parts.h"

/* ---- tallies ---------------------------------------------------------------------------------- */

void top_tallies_clear(struct top_tallies *t)
{
	for (size_t i = 0; i < t->count; i++)
		t->places[t->items[i].id] = 0;
	t->count = 0;
}

void top_tallies_deinit(struct top_tallies *t)
{
	free(t->items);
	free(t->places);
}

static void reserve_places(struct top_tallies *t, size_t needed)
{
	size_t before = t->place_capacity;

	array_reserve(t->places, t->place_capacity, needed);
	if (t->place_capacity > before)
		memset(t->places + before, 0, (t->place_capacity - before) * sizeof(*t->places));
}

struct top_tally *top_tally(struct top_tallies *t, uint32_t id)
{
	reserve_places(t, (size_t)id + 1);
	if (!t->places[id]) {
		array_reserve(t->items, t->capacity, t->count + 1);
		t->items[t->count++] = (struct top_tally){ .id = id, .process = CAPTURE_NONE };
		t->places[id] = (uint32_t)t->count;
	}
	return &t->items[t->places[id] - 1];
}

/* ---- taking ----------------------------------------------------------------------------------- */

static bool same_group(const struct window_group *a, const struct window_group *b)
{
	return a->thread == b->thread && a->stack == b->stack && a->state == b->state &&
		a->flags == b->flags;
}

static void take_group(void *data, const struct window_group *group)
{
	struct top_groups *g = data;
	uint64_t hash = intern_hash2((uint64_t)group->thread << 32 | group->stack,
		(uint64_t)group->state << 8 | group->flags);

	for (struct intern_probe p = intern_begin(&g->index, hash); intern_next(&g->index, &p);) {
		struct window_group *known = &g->items[p.row];

		if (!same_group(known, group))
			continue;
		known->weight += group->weight;
		known->samples += group->samples;
		known->cpu_ns += group->cpu_ns;
		return;
	}
	array_reserve(g->items, g->capacity, g->count + 1);
	g->items[g->count] = *group;
	intern_add(&g->index, hash, (uint32_t)g->count++);
}

static uint64_t overlap(const struct top_pause *p, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t begin = p->from_ns > from_ns ? p->from_ns : from_ns;
	uint64_t end = p->to_ns && p->to_ns < to_ns ? p->to_ns : to_ns;

	return end > begin ? end - begin : 0;
}

/* How much of the window was sampled: the first sample may be younger, and there may be pauses. */
static double covered_s(const struct top_model *m, uint64_t window_ns, uint64_t now_wall_ns)
{
	size_t pauses = m->pause_count < TOP_PAUSES ? m->pause_count : TOP_PAUSES;
	uint64_t from = now_wall_ns > window_ns ? now_wall_ns - window_ns : 0;

	if (from < m->began_wall_ns)
		from = m->began_wall_ns;
	if (!m->began_wall_ns || from >= now_wall_ns)
		return 0;
	uint64_t covered = now_wall_ns - from;
	for (size_t i = 0; i < pauses; i++)
		covered -= overlap(&m->pauses[i], from, now_wall_ns);
	return (double)covered / NS_PER_SEC;
}

void top_groups_take(struct top_model *m, const struct top_query *query, uint64_t now_wall_ns)
{
	struct top_groups *g = &m->groups;

	if (g->taken && query->frozen)
		return;
	g->window_ns = query->window_ns < TOP_WINDOW_MAX_NS ? query->window_ns : TOP_WINDOW_MAX_NS;
	g->half_ns = query->decaying ? g->window_ns / 3 : 0;
	g->window_s = covered_s(m, g->window_ns, now_wall_ns);
	g->count = 0;
	intern_clear(&g->index);
	window_advance(m->window, now_wall_ns);
	window_each(m->window, g->window_ns, g->half_ns, take_group, g);
	array_reserve(g->threads, g->thread_capacity, m->thread_count);
	if (m->thread_count)
		memcpy(g->threads, m->threads, m->thread_count * sizeof(*g->threads));
	g->thread_count = m->thread_count;
	g->newest_ns = m->newest_ns;
	g->taken = true;
}

/* ---- counting --------------------------------------------------------------------------------- */

static bool is_of_mode(enum top_mode mode, const struct window_group *group)
{
	bool runs = group->state == SAMPLE_ON_CPU || group->state == SAMPLE_RUNNABLE;

	switch (mode) {
	case TOP_CPU:
		return runs;
	case TOP_GIL:
		return group->flags & SAMPLE_HOLDS_GIL;
	case TOP_IDLE:
		return !runs;
	case TOP_WALL:
	case TOP_MODES:
		break;
	}
	return true;
}

static bool counts(
	const struct top_model *m, const struct top_query *query, const struct window_group *group)
{
	const struct capture_thread *thread = &m->capture->threads[group->thread];

	if (query->thread && query->thread != (uint64_t)group->thread + 1)
		return false;
	if (query->process && query->process != m->capture->processes[thread->process].pid)
		return false;
	return is_of_mode(query->mode, group);
}

/* With what is to be said of the sample as its last frame. */
static stack_id marked_stack(struct top_model *m, const struct window_group *group)
{
	struct profile *tables = &m->capture->tables;
	const struct top_parts *parts = m->parts;

	if (group->flags & SAMPLE_CUT)
		return profile_stack(tables, group->stack, parts->truncated);
	if (group->stack != STACK_NONE)
		return group->stack;
	return profile_stack(tables, STACK_NONE,
		group->flags & SAMPLE_UNREADABLE ? parts->unreadable : parts->no_frame);
}

static void add_stack(struct top_model *m, const struct window_group *group)
{
	struct top_parts *parts = m->parts;
	stack_id stack = marked_stack(m, group);
	uint32_t process = m->capture->threads[group->thread].process;
	struct top_tally *tally = top_tally(&parts->places, stack);

	if (!tally->seen) {
		array_reserve(parts->stacks, parts->stack_capacity, parts->stack_count + 1);
		parts->stacks[parts->stack_count++] =
			(struct top_stack){ .stack = stack, .process = process };
		tally->seen = (uint32_t)parts->stack_count;
	}
	struct top_stack *known = &parts->stacks[tally->seen - 1];
	if (known->process != process)
		known->process = SEVERAL_PROCESSES;
	known->weight += group->weight;
	known->samples += group->samples;
}

static void add_thread(struct top_thread_sum *t, const struct window_group *group)
{
	t->weight += group->weight;
	t->samples += group->samples;
	t->cpu_ns += group->cpu_ns;
	if (group->flags & SAMPLE_HOLDS_GIL)
		t->gil += group->weight;
	if (group->flags & SAMPLE_WAITS_FOR_GIL)
		t->gil_wait += group->weight;
	if (group->flags & SAMPLE_IN_GC)
		t->gc += group->weight;
}

/* Sums of a process; its ticks are the samples of the thread that had most of them. */
struct process_sum {
	double ticks, gil, gil_wait, gc;
};

static struct process_sum *sum_processes(
	const struct capture *c, const struct top_thread_sum *threads, size_t count)
{
	struct process_sum *sums = xcalloc(c->process_count + 1, sizeof(*sums));

	for (size_t i = 0; i < count; i++) {
		struct process_sum *p = &sums[c->threads[i].process];

		if (threads[i].weight > p->ticks)
			p->ticks = threads[i].weight;
		p->gil += threads[i].gil;
		p->gil_wait += threads[i].gil_wait;
		p->gc += threads[i].gc;
	}
	return sums;
}

static double share(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

/* Each process has a GIL of its own: the busiest one is told. Threads that wait add up. */
static void set_shares(const struct capture *c, const struct top_thread_sum *threads, size_t count,
	double *gil_ret, double *wait_ret, double *gc_ret)
{
	struct process_sum *sums = sum_processes(c, threads, count);

	*gil_ret = *wait_ret = *gc_ret = 0;
	for (size_t i = 0; i < c->process_count; i++) {
		const struct process_sum *p = &sums[i];

		*wait_ret += share(p->gil_wait, p->ticks);
		if (share(p->gil, p->ticks) > *gil_ret)
			*gil_ret = share(p->gil, p->ticks);
		if (share(p->gc, p->ticks) > *gc_ret)
			*gc_ret = share(p->gc, p->ticks);
	}
	free(sums);
}

static void clear(struct top_model *m)
{
	struct top_parts *parts = m->parts;
	size_t count = m->groups.thread_count;

	parts->all = 0;
	parts->all_samples = 0;
	parts->most_samples = 0;
	parts->stack_count = 0;
	top_tallies_clear(&parts->places);
	array_reserve(parts->threads, parts->thread_capacity, count);
	if (count)
		memset(parts->threads, 0, count * sizeof(*parts->threads));
	parts->thread_count = count;
}

void top_groups_sum(struct top_model *m, const struct top_query *query)
{
	struct top_parts *parts = m->parts;

	clear(m);
	for (size_t i = 0; i < m->groups.count; i++) {
		const struct window_group *group = &m->groups.items[i];
		struct top_thread_sum *thread = &parts->threads[group->thread];

		add_thread(thread, group);
		if (thread->samples > parts->most_samples)
			parts->most_samples = thread->samples;
		if (!counts(m, query, group))
			continue;
		thread->shown += group->weight;
		thread->shown_samples += group->samples;
		parts->all += group->weight;
		parts->all_samples += group->samples;
		add_stack(m, group);
	}
	set_shares(m->capture, parts->threads, parts->thread_count, &parts->gil,
		&parts->gil_wait, &parts->gc);
}

/* ---- the newest part -------------------------------------------------------------------------- */

static void add_to_thread(void *data, const struct window_group *group)
{
	add_thread(&((struct top_thread_sum *)data)[group->thread], group);
}

void top_groups_shares(
	const struct top_model *m, uint64_t length_ns, double *gil_ret, double *gc_ret)
{
	struct top_thread_sum *threads = xcalloc(m->thread_count + 1, sizeof(*threads));
	double wait;

	window_each(m->window, length_ns, 0, add_to_thread, threads);
	set_shares(m->capture, threads, m->thread_count, gil_ret, &wait, gc_ret);
	free(threads);
}

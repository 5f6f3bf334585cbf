// SPDX-License-Identifier: MIT
#include "store/sample_round.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "store/tick_line.h"

#define UNITS_OF_PERIOD 64
#define UNIT_MAX_NS 50000

void sample_round_init(struct sample_round *r, uint64_t period_ns)
{
	uint64_t unit_ns = period_ns / UNITS_OF_PERIOD;

	*r = (struct sample_round){
		.period_ns = period_ns > TICK_PERIOD_MAX_NS ? 0 : period_ns,
		.unit_ns = unit_ns > UNIT_MAX_NS ? UNIT_MAX_NS
			: unit_ns                ? unit_ns
						 : 1,
	};
}

void sample_round_deinit(struct sample_round *r)
{
	free(r->threads);
	*r = (struct sample_round){ 0 };
}

static struct rounded_thread *thread_at(struct sample_round *r, uint32_t thread)
{
	array_reserve(r->threads, r->thread_capacity, (size_t)thread + 1);
	while (r->thread_count <= thread)
		r->threads[r->thread_count++] = (struct rounded_thread){ 0 };
	return &r->threads[thread];
}

/* Rounds its CPU time; true if it is as the thread's sample before. */
static bool round_row(struct sample_round *r, struct capture_sample *s)
{
	struct rounded_thread *t = thread_at(r, s->thread);
	const struct capture_sample *last = &t->last;
	uint64_t cpu_ns = s->cpu_ns + t->rest_ns;

	t->rest_ns = cpu_ns % r->unit_ns;
	s->cpu_ns = cpu_ns - t->rest_ns;
	bool same = s->stack == last->stack && s->count == last->count &&
		s->cpu_ns == last->cpu_ns && s->syscall == last->syscall &&
		s->state == last->state && s->flags == last->flags;
	t->last = *s;
	return same;
}

static uint64_t rounded(const struct sample_round *r, uint64_t time_ns)
{
	uint64_t up = time_ns + r->unit_ns / 2;

	return up - up % r->unit_ns;
}

/* Where a tick at which nothing had changed is put: not before the last one, nor after the next. */
static uint64_t middle_of_slot(
	const struct sample_round *r, const struct tick_line *line, uint64_t next_ns)
{
	uint64_t kept_ns = rounded(r, line->at_ns), limit_ns = rounded(r, next_ns);

	kept_ns = kept_ns < limit_ns ? kept_ns : limit_ns;
	return kept_ns > r->time_ns ? kept_ns : r->time_ns;
}

void sample_round(struct sample_round *r, struct capture_sample *rows, size_t count)
{
	struct tick_line line;

	if (!r->period_ns || !count)
		return;
	bool even = tick_line_find(&line, rows, count, r->period_ns);
	if (!even)
		line = (struct tick_line){ .at_ns = rows[0].time_ns };
	for (size_t from = 0, to; from < count; from = to) {
		uint64_t time_ns = rows[from].time_ns;

		to = tick_line_rows(rows, count, from);
		// of the last tick it is not known what follows
		bool quiet =
			even && to < count && rows[to].time_ns > time_ns && time_ns > r->last_ns;
		for (size_t i = from; i < to; i++)
			quiet &= round_row(r, &rows[i]);
		tick_line_follow(&line, time_ns);
		r->last_ns = time_ns;
		r->time_ns =
			quiet ? middle_of_slot(r, &line, rows[to].time_ns) : rounded(r, time_ns);
		for (size_t i = from; i < to; i++)
			rows[i].time_ns = r->time_ns;
		tick_line_advance(&line);
	}
}

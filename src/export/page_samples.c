// SPDX-License-Identifier: MIT
/* The two passes over the samples. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/gcd.h"
#include "export/page.h"
#include "fmt/varint.h"

/* What a sample can stand for: bounds what imported counts can do to the time axis. */
#define HOLD_MAX_NS ((uint64_t)1 << 50)

const char *const page_column_names[PAGE_COLUMNS] = {
	[PAGE_TIME] = "samples.time",
	[PAGE_STACK] = "samples.stack",
	[PAGE_STATE] = "samples.state",
	[PAGE_CPU] = "samples.cpu",
	[PAGE_SYSCALL] = "samples.syscall",
	[PAGE_WEIGHT] = "samples.weight",
	[PAGE_SPAN] = "samples.span",
};

void page_init(struct page *p, struct view *v, const struct export_options *options)
{
	const struct capture *c = view_capture(v);

	*p = (struct page){
		.view = v,
		.options = options,
		.threads = xcalloc(c->thread_count, sizeof(*p->threads)),
		.processes = xcalloc(c->process_count, sizeof(*p->processes)),
		.spans = xcalloc(c->span_count, sizeof(*p->spans)),
		.process_rows = xcalloc(c->process_count, sizeof(*p->process_rows)),
	};
}

void page_deinit(struct page *p)
{
	struct page_rows *rows[] = { &p->strings, &p->functions, &p->frames, &p->stacks,
		&p->texts };

	for (size_t i = 0; i < view_capture(p->view)->thread_count; i++)
		for (size_t j = 0; j < PAGE_COLUMNS; j++)
			buf_deinit(&p->threads[i].columns[j]);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		free(rows[i]->of);
		free(rows[i]->ids);
	}
	free(p->threads);
	free(p->processes);
	free(p->process_rows);
	free(p->spans);
	free(p->totals);
}

/* ---- the first pass --------------------------------------------------------------------------- */

static bool has_times(const struct capture *c)
{
	const char *clock = capture_fact(c, FACT_CLOCK);

	if (clock && strcmp(clock, "made up") == 0)
		return false;
	// a part of a recording may have one tick only
	if (clock && strcmp(clock, "CLOCK_REALTIME") == 0)
		return true;
	// a single sample has a time, several at one moment have none
	return capture_first_ns(c) != capture_last_ns(c) || capture_samples(c) == 1;
}

static void note_stack(struct page *p, stack_id stack, uint64_t count)
{
	size_t had = p->totals_capacity;

	if (stack >= had) {
		array_reserve(p->totals, p->totals_capacity, (size_t)stack + 1);
		memset(p->totals + had, 0, (p->totals_capacity - had) * sizeof(*p->totals));
	}
	page_count(&p->totals[stack], count);
}

static uint64_t end_of(const struct capture_sample *s, uint64_t period_ns)
{
	bool long_one = period_ns && s->count > HOLD_MAX_NS / period_ns;
	uint64_t end_ns;

	if (__builtin_add_overflow(
		    s->time_ns, long_one ? HOLD_MAX_NS : s->count * period_ns, &end_ns))
		return UINT64_MAX;
	return end_ns;
}

/* `any` of the times: all others are a multiple of the unit away from it. */
static void note_time(struct page *p, const struct capture_sample *s, uint64_t any)
{
	uint64_t apart = s->time_ns > any ? s->time_ns - any : any - s->time_ns;

	if (s->time_ns < p->first_ns)
		p->first_ns = s->time_ns;
	if (!p->time_unit_ns || apart % p->time_unit_ns)
		p->time_unit_ns = gcd(p->time_unit_ns, apart);
}

static void note_sample(struct page *p, const struct capture_sample *s)
{
	if (!p->cpu_unit_ns || s->cpu_ns % p->cpu_unit_ns)
		p->cpu_unit_ns = gcd(p->cpu_unit_ns, s->cpu_ns);
	if (s->syscall >= 0 && s->syscall < PAGE_SYSCALLS)
		p->syscalls[s->syscall / 8] |= (uint8_t)(1u << s->syscall % 8);
	p->weighted |= s->count != 1;
	page_use_span(p, s->span);
	p->threads[s->thread].samples++;
	p->samples++;
}

struct err *page_survey(struct page *p)
{
	const struct capture *c = view_capture(p->view);
	uint64_t period_ns = view_period_ns(p->view), any = 0;
	const struct capture_sample *s;

	p->timed = has_times(c);
	view_begin(p->view);
	while ((s = view_next(p->view)) != NULL) {
		uint64_t end_ns = end_of(s, period_ns);

		if (!p->samples)
			p->first_ns = any = s->time_ns;
		p->end_ns = end_ns > p->end_ns ? end_ns : p->end_ns;
		note_time(p, s, any);
		note_sample(p, s);
		note_stack(p, view_marked_stack(p->view), s->count);
	}
	if (!p->samples)
		p->end_ns = p->first_ns = capture_fact_u64(c, FACT_START_NS, 0);
	p->time_unit_ns = p->time_unit_ns && p->timed ? p->time_unit_ns : 1;
	p->cpu_unit_ns = p->cpu_unit_ns ? p->cpu_unit_ns : 1;
	return view_end(p->view);
}

int64_t page_time(const struct page *p, uint64_t ns)
{
	return p->timed ? (int64_t)(ns - p->first_ns) : 0;
}

/* ---- the second pass -------------------------------------------------------------------------- */

static void put(struct page_thread *t, enum page_column column, uint64_t value)
{
	char bytes[VARINT_MAX];

	buf_add(&t->columns[column], bytes, (size_t)(varint_put(bytes, value) - bytes));
}

static void put_stack(struct page_thread *t, uint32_t row)
{
	if (t->columns[PAGE_STATE].len)
		put(t, PAGE_STACK, varint_zigzag((uint64_t)row - t->last_stack));
	else
		t->first_stack = row;
	t->last_stack = row;
}

static void put_span(const struct page *p, struct page_thread *t, uint32_t span)
{
	uint32_t row = span ? p->spans[span - 1] : 0;

	put(t, PAGE_SPAN, varint_zigzag((uint64_t)row - t->span));
	t->span = row;
}

static void put_sample(struct page *p, const struct capture_sample *s, uint32_t stack)
{
	struct page_thread *t = &p->threads[s->thread];
	uint64_t time = p->timed ? (s->time_ns - p->first_ns) / p->time_unit_ns : 0;
	bool called = s->syscall >= 0 && s->syscall < PAGE_SYSCALLS;

	put(t, PAGE_TIME, varint_zigzag(time - t->time));
	t->time = time;
	put_stack(t, stack);
	put(t, PAGE_STATE, (uint64_t)s->state << 6 | s->flags);
	put(t, PAGE_CPU, s->cpu_ns / p->cpu_unit_ns);
	put(t, PAGE_SYSCALL, called ? (uint64_t)s->syscall + 1 : 0);
	if (p->weighted)
		put(t, PAGE_WEIGHT, s->count);
	if (p->span_count)
		put_span(p, t, s->span);
}

/* A row, unless the file is not what it was in the first pass. */
static bool row_of(const struct page *p, stack_id stack, uint32_t *row_ret)
{
	if (stack >= p->surveyed || !p->stacks.of[stack])
		return false;
	*row_ret = p->stacks.of[stack] - 1;
	return true;
}

static struct err *changed(void)
{
	return err_new(ERR_FAILED, "the capture was changed while it was read");
}

struct err *page_take_samples(struct page *p)
{
	const struct capture_sample *s;
	uint64_t left = p->samples;
	uint32_t row;

	view_begin(p->view);
	while ((s = view_next(p->view)) != NULL) {
		if (!left-- || !row_of(p, view_marked_stack(p->view), &row))
			return changed();
		put_sample(p, s, row);
	}
	struct err *err = view_end(p->view);
	return !err && left ? changed() : err;
}

size_t page_first_stack(const struct page_thread *t, uint32_t before, char *bytes)
{
	return (size_t)(varint_put(bytes, varint_zigzag((uint64_t)t->first_stack - before)) -
		bytes);
}

size_t page_column_bytes(const struct page *p, enum page_column column)
{
	size_t sum = 0, threads = view_capture(p->view)->thread_count;
	uint32_t before = 0;
	char first[VARINT_MAX];

	for (size_t i = 0; i < threads; i++) {
		const struct page_thread *t = &p->threads[i];

		if (!t->samples)
			continue;
		sum += t->columns[column].len;
		if (column == PAGE_STACK)
			sum += page_first_stack(t, before, first);
		before = t->last_stack;
	}
	return sum;
}

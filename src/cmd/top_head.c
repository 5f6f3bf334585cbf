// SPDX-License-Identifier: MIT
/* The numbers of the head: those of each second, and those since the beginning. */
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cmd/top_parts.h"
#include "os/usage.h"

/* A thread without a sample for so long has ended; at low rates, for some periods. */
#define SILENT_NS ((uint64_t)1500000000)
#define SILENT_PERIODS 5

static void push(struct top_history *h, double value)
{
	if (h->count == TOP_HISTORY) {
		memmove(h->values, h->values + 1, (TOP_HISTORY - 1) * sizeof(*h->values));
		h->count--;
	}
	h->values[h->count++] = value;
}

/* ---- processes -------------------------------------------------------------------------------- */

static void reserve_processes(struct top_model *m)
{
	size_t count = m->capture->process_count;

	array_reserve(m->processes, m->process_capacity, count);
	for (; m->process_count < count; m->process_count++)
		m->processes[m->process_count] = (struct top_process){ 0 };
}

/* Of one process; the time it used since it was last looked at. */
static uint64_t look_at(struct top_process *p, uint32_t pid)
{
	struct usage usage;

	p->gone = !usage_read((pid_t)pid, &usage);
	if (p->gone) {
		p->rss_bytes = 0;
		return 0;
	}
	uint64_t used = p->seen && usage.cpu_ns > p->cpu_ns ? usage.cpu_ns - p->cpu_ns : 0;
	p->seen = true;
	p->cpu_ns = usage.cpu_ns;
	p->rss_bytes = usage.rss_bytes;
	return used;
}

static void look_at_processes(struct top_model *m, uint64_t elapsed_ns)
{
	uint64_t used = 0;

	reserve_processes(m);
	m->rss = 0;
	m->alive = 0;
	for (size_t i = 0; i < m->process_count; i++) {
		const struct capture_process *row = &m->capture->processes[i];
		struct top_process *p = &m->processes[i];

		// its id may be another's by now
		if (p->gone || row->end_ns)
			continue;
		used += look_at(p, row->pid);
		m->rss += p->rss_bytes;
		m->alive += !p->gone;
	}
	m->cpu = (double)used / (double)elapsed_ns;
}

/* ---- seconds ---------------------------------------------------------------------------------- */

/* Each thread has one sample per tick: the one that had most had all of them. */
static void count_rate(struct top_model *m, uint64_t elapsed_ns)
{
	uint64_t most = 0;

	for (size_t i = 0; i < m->thread_count; i++) {
		struct top_thread *t = &m->threads[i];

		if (t->samples - t->samples_before > most)
			most = t->samples - t->samples_before;
		t->samples_before = t->samples;
	}
	m->rate = (double)most * NS_PER_SEC / (double)elapsed_ns;
}

static void count_own_cpu(struct top_model *m, uint64_t elapsed_ns)
{
	uint64_t now = clock_process_cpu_ns();

	m->own_cpu = (double)(now - m->own_cpu_ns) / (double)elapsed_ns;
	m->own_cpu_ns = now;
}

void top_head_second(struct top_model *m, uint64_t now_ns)
{
	uint64_t elapsed = now_ns - m->second_ns;
	double gil = 0, gc = 0;

	if (m->over_ns || elapsed < NS_PER_SEC)
		return;
	m->second_ns = now_ns;
	count_own_cpu(m, elapsed);
	count_rate(m, elapsed);
	look_at_processes(m, elapsed);
	if (!m->began_ns || m->paused_since_ns)
		return;
	window_advance(m->window, clock_wall_ns());
	top_groups_shares(m, elapsed, &gil, &gc);
	push(&m->cpu_history, m->cpu);
	push(&m->gil_history, gil);
	push(&m->gc_history, gc);
	push(&m->rss_history, (double)m->rss);
}

/* ---- frames ----------------------------------------------------------------------------------- */

bool top_head_lives(
	const struct top_model *m, const struct top_thread *thread, uint64_t newest_ns)
{
	uint64_t silent = m->period_ns * SILENT_PERIODS;

	if (silent < SILENT_NS)
		silent = SILENT_NS;
	return thread->last.time_ns && thread->last.time_ns + silent >= newest_ns;
}

static size_t count_threads(const struct top_model *m)
{
	size_t count = 0;

	for (size_t i = 0; i < m->thread_count; i++)
		count += top_head_lives(m, &m->threads[i], m->newest_ns);
	return count;
}

uint64_t top_head_losses(const struct capture *c)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < c->loss_count; i++)
		lost += c->losses[i].count;
	return lost;
}

static double elapsed_s(const struct top_model *m, uint64_t now_ns)
{
	uint64_t end = m->over_ns ? m->over_ns : now_ns;

	return m->began_ns && end > m->began_ns ? (double)(end - m->began_ns) / NS_PER_SEC : 0;
}

/* "3.11" until the interpreter knows more. */
static const char *python_of(const struct top_model *m)
{
	const char *version = capture_fact(m->capture, FACT_PYTHON);

	return version ? version : "";
}

void top_head_fill(const struct top_model *m, struct top_frame *frame, uint64_t now_ns)
{
	uint64_t lost = top_head_losses(m->capture);

	frame->command = m->command;
	frame->pid = m->pid;
	frame->python = python_of(m);
	frame->processes = m->alive;
	frame->threads = count_threads(m);
	frame->elapsed_s = elapsed_s(m, now_ns);
	frame->rate_asked = m->period_ns ? (double)NS_PER_SEC / (double)m->period_ns : 0;
	frame->rate_reached = m->rate;
	frame->samples = m->samples;
	frame->lost = (lost > m->losses ? lost - m->losses : 0) + m->failed;
	frame->truncated = m->truncated;
	frame->cpu = m->cpu;
	frame->own_cpu = m->own_cpu;
	frame->gil = m->parts->gil;
	frame->gil_wait = m->parts->gil_wait;
	frame->gc = m->parts->gc;
	frame->rss = m->rss;
	frame->cpu_history = m->cpu_history;
	frame->gil_history = m->gil_history;
	frame->gc_history = m->gc_history;
	frame->rss_history = m->rss_history;
	frame->ended = m->how != NULL;
	frame->how = m->how;
	frame->notice = m->notice && now_ns < m->notice_until_ns ? m->notice : NULL;
}

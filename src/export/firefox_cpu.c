// SPDX-License-Identifier: MIT
/*
 * CPU time of each sample, since the sample before, in microseconds.
 *
 * Kernels tell the CPU time of a running thread in lumps, at their own ticks: some samples have none,
 * then one has that of several. A viewer that draws each sample by itself would cut the lumps off. A
 * thread cannot have used more than the time that passed, so what is too much for a sample is moved
 * to those before it that have room. The sum stays what it is.
 */
#include "export/firefox.h"

#define WINDOW 64u /* samples; at 1 kHz more than ten ticks of the slowest kernels */

struct cpu_sample {
	uint64_t used_ns, passed_ns;
};

struct cpu_writer {
	struct json_writer *json;
	struct cpu_sample window[WINDOW];
	uint64_t taken, put;       // samples; those between are in the window
	uint64_t last_ns;          // time of the last one taken
	uint64_t sum_ns, put_us;   // of those put
};

static struct cpu_sample *at(struct cpu_writer *c, uint64_t i)
{
	return &c->window[i % WINDOW];
}

static void put_one(struct cpu_writer *c)
{
	// rounded sums, so that errors do not add up
	c->sum_ns += at(c, c->put++)->used_ns;
	json_u64(c->json, (c->sum_ns + 500) / 1000 - c->put_us);
	c->put_us = (c->sum_ns + 500) / 1000;
}

static void move_back(struct cpu_writer *c)
{
	struct cpu_sample *last = at(c, c->taken - 1);

	for (uint64_t i = c->taken - 1; i-- > c->put && last->used_ns > last->passed_ns;) {
		struct cpu_sample *s = at(c, i);
		uint64_t over = last->used_ns - last->passed_ns;
		uint64_t room = s->passed_ns > s->used_ns ? s->passed_ns - s->used_ns : 0;
		uint64_t moved = over < room ? over : room;

		s->used_ns += moved;
		last->used_ns -= moved;
	}
}

static void take(struct cpu_writer *c, const struct spool_sample *s)
{
	if (c->taken - c->put == WINDOW)
		put_one(c);
	*at(c, c->taken) = (struct cpu_sample){
		.used_ns = s->cpu_ns,
		.passed_ns = c->taken ? s->time_ns - c->last_ns : 0,
	};
	c->last_ns = s->time_ns;
	c->taken++;
	move_back(c);
}

struct err *firefox_cpu_put(struct firefox *w, uint32_t thread)
{
	struct cpu_writer c = { .json = &w->json };
	struct spool_reader reader;
	const struct spool_sample *s;

	spool_reader_init(&reader, w->spool, thread);
	json_begin_array(&w->json);
	while ((s = spool_reader_next(&reader)))
		take(&c, s);
	while (c.put < c.taken)
		put_one(&c);
	json_end_array(&w->json);
	struct err *err = spool_reader_error(&reader);
	spool_reader_deinit(&reader);
	return err;
}

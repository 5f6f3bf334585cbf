// SPDX-License-Identifier: MIT
#include "store/sample_model.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void chain_init(struct model_chain *chain, size_t rows)
{
	chain->followers = xcalloc(rows, sizeof(*chain->followers));
}

void model_init(struct model *m, size_t rows)
{
	*m = (struct model){ .thread = MODEL_NONE };
	m->threads = xcalloc(rows, sizeof(*m->threads));
	m->stacks = xcalloc(rows, sizeof(*m->stacks));
	m->situations = xcalloc(rows, sizeof(*m->situations));
	chain_init(&m->stack_chain, rows);
	chain_init(&m->situation_chain, rows);
}

void model_deinit(struct model *m)
{
	free(m->threads);
	free(m->stacks);
	free(m->situations);
	free(m->stack_chain.followers);
	free(m->situation_chain.followers);
}

uint16_t model_add_thread(struct model *m, uint32_t id)
{
	struct model_thread *t = &m->threads[m->thread_count];

	*t = (struct model_thread){ .count = 1, .stack = MODEL_NONE, .situation = MODEL_NONE };
	if (m->thread != MODEL_NONE)
		*t = m->threads[m->thread];
	t->id = id;
	t->cpu = t->cpu_usual = 0;
	t->next = MODEL_NONE;
	t->next_ticks = false;
	return (uint16_t)m->thread_count++;
}

static void chain_add(struct model_chain *chain, size_t number)
{
	for (unsigned int i = 0; i < FOLLOWERS; i++)
		chain->followers[number][i] = MODEL_NONE;
}

uint16_t model_add_stack(struct model *m, uint64_t id)
{
	chain_add(&m->stack_chain, m->stack_count);
	m->stacks[m->stack_count] = id;
	return (uint16_t)m->stack_count++;
}

uint16_t model_add_situation(struct model *m, struct model_situation situation)
{
	chain_add(&m->situation_chain, m->situation_count);
	m->situations[m->situation_count] = situation;
	return (uint16_t)m->situation_count++;
}

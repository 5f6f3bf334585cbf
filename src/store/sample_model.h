// SPDX-License-Identifier: MIT
/*
 * What is expected of the next row of a block: encoder and decoder keep it alike, so that only what
 * is unexpected needs bytes. docs/capture-format.md tells it in words.
 *
 * Threads, stacks and situations (state, flags and system call) have numbers within a block, in the
 * order in which they first occur.
 */
#ifndef FIREGLASS_STORE_SAMPLE_MODEL_H
#define FIREGLASS_STORE_SAMPLE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/capture.h"

enum block_column {
	COLUMN_META,
	COLUMN_TOKENS,
	COLUMN_TURN,
	COLUMN_THREAD_NEW,
	COLUMN_TIME,
	COLUMN_STACK,
	COLUMN_STACK_NEW,
	COLUMN_SITUATION,
	COLUMN_SITUATION_NEW,
	COLUMN_CPU,
	COLUMN_COUNT,
};

/* A token: below TOKEN_RUN what is unexpected of one row, else how many rows are as expected. */
#define ODD_TURN 1u
#define ODD_STACK 2u
#define ODD_SITUATION 4u
#define ODD_CPU 8u
#define ODD_COUNT 16u
#define TOKEN_RUN 32u
#define TOKEN_RUN_MAX (256 - TOKEN_RUN)

/* How many of the last followers of a stack or situation are remembered. */
#define FOLLOWERS 4

#define MODEL_NONE UINT16_MAX

struct model_situation {
	int32_t syscall;
	uint16_t bits; // state << 6 | flags
};

struct model_thread {
	uint64_t count, cpu, cpu_usual;
	uint32_t id;
	uint16_t stack, situation; // of its last row
	uint16_t next;             // whose row followed its last one
	bool next_ticks;           // and that began a tick
};

/* Which number followed which: for each the last few, the last one first. */
struct model_chain {
	uint16_t (*followers)[FOLLOWERS];
};

struct model {
	struct model_thread *threads;
	uint64_t *stacks; // id + 1; STACK_NONE: 0
	struct model_situation *situations;
	struct model_chain stack_chain, situation_chain;
	size_t thread_count, stack_count, situation_count;
	uint16_t thread; // of the last row, MODEL_NONE before the first
};

/* For a block of `rows` rows, at least one. */
void model_init(struct model *m, size_t rows);
void model_deinit(struct model *m);

/* A new thread is expected to be as the row before it. */
uint16_t model_add_thread(struct model *m, uint32_t id);
uint16_t model_add_stack(struct model *m, uint64_t id);
uint16_t model_add_situation(struct model *m, struct model_situation situation);

/* After a row of `thread`: who is next, and does that begin a tick? */
static inline void model_expect(const struct model *m, uint16_t *thread_ret, bool *ticks_ret)
{
	const struct model_thread *t = &m->threads[m->thread];

	*thread_ret = t->next;
	*ticks_ret = t->next_ticks;
}

static inline void model_turn(struct model *m, uint16_t thread, bool ticks)
{
	if (m->thread != MODEL_NONE) {
		m->threads[m->thread].next = thread;
		m->threads[m->thread].next_ticks = ticks;
	}
	m->thread = thread;
}

/* The usual CPU time is that which a thread had twice in a row, at first none. */
static inline void model_cpu(struct model_thread *t, uint64_t cpu)
{
	if (cpu == t->cpu)
		t->cpu_usual = cpu;
	t->cpu = cpu;
}

/* That `to` came after `from` (MODEL_NONE: nothing was before). */
static inline void model_follow(struct model_chain *chain, uint16_t from, uint16_t to)
{
	if (from == MODEL_NONE)
		return;
	uint16_t *f = chain->followers[from];
	uint16_t moving = to;

	for (unsigned int i = 0; i < FOLLOWERS; i++) {
		uint16_t here = f[i];

		f[i] = moving;
		if (here == to)
			return;
		moving = here;
	}
}

#endif

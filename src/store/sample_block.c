// SPDX-License-Identifier: MIT
#include "store/sample_block.h"

#include <stdlib.h>
#include <string.h>

#include "base/gcd.h"
#include "base/intern.h"
#include "store/columns.h"
#include "store/sample_model.h"
#include "store/tick_line.h"

_Static_assert(COLUMN_COUNT + 1 == SAMPLE_BLOCK_COLUMNS, "columns are counted");
_Static_assert(SAMPLE_BLOCK_COLUMNS <= COLUMNS_MAX, "columns fit");
_Static_assert(SAMPLE_BLOCK_ROWS < MODEL_NONE, "numbers within a block fit in 16 bits");

/* What stack and situation symbols mean: 0 is a new one, then the last followers, then numbers. */
#define SYMBOL_NEW 0u
#define SYMBOL_NUMBER (1u + FOLLOWERS)

/* ---- encoding --------------------------------------------------------------------------------- */

struct encoder {
	struct columns columns;
	struct model model;
	struct intern threads, stacks, situations;
	struct tick_line line;
	uint64_t unit_ns, cpu_unit_ns;
	uint64_t time_ns; // of the last row
	uint32_t last_new_thread;
	uint64_t last_new_stack;
	unsigned int run; // rows as expected that are not yet told
};

static uint16_t find_thread(struct encoder *e, uint32_t id, bool *new_ret)
{
	uint64_t hash = intern_hash2(id, 0);

	for (struct intern_probe at = intern_begin(&e->threads, hash);
		intern_next(&e->threads, &at);)
		if (e->model.threads[at.row].id == id)
			return (uint16_t)at.row;
	*new_ret = true;
	intern_add(&e->threads, hash, (uint32_t)e->model.thread_count);
	return model_add_thread(&e->model, id);
}

static uint16_t find_stack(struct encoder *e, uint64_t id, bool *new_ret)
{
	uint64_t hash = intern_hash2(id, 1);

	for (struct intern_probe at = intern_begin(&e->stacks, hash); intern_next(&e->stacks, &at);)
		if (e->model.stacks[at.row] == id)
			return (uint16_t)at.row;
	*new_ret = true;
	intern_add(&e->stacks, hash, (uint32_t)e->model.stack_count);
	return model_add_stack(&e->model, id);
}

static uint16_t find_situation(struct encoder *e, struct model_situation s, bool *new_ret)
{
	uint64_t hash = intern_hash2((uint32_t)s.syscall, s.bits);

	for (struct intern_probe at = intern_begin(&e->situations, hash);
		intern_next(&e->situations, &at);)
		if (e->model.situations[at.row].syscall == s.syscall &&
			e->model.situations[at.row].bits == s.bits)
			return (uint16_t)at.row;
	*new_ret = true;
	intern_add(&e->situations, hash, (uint32_t)e->model.situation_count);
	return model_add_situation(&e->model, s);
}

static void put_time(struct encoder *e, uint64_t time_ns)
{
	columns_put_signed(&e->columns, COLUMN_TIME,
		(int64_t)(time_ns / e->unit_ns - e->line.at_ns / e->unit_ns));
	tick_line_follow(&e->line, time_ns);
	tick_line_advance(&e->line);
}

/* True if the turn is not the expected one. */
static bool put_turn(struct encoder *e, uint32_t id, bool ticks)
{
	uint16_t expected = MODEL_NONE;
	bool expected_ticks = false, is_new = false;
	uint16_t thread = find_thread(e, id, &is_new);

	if (e->model.thread != MODEL_NONE)
		model_expect(&e->model, &expected, &expected_ticks);
	model_turn(&e->model, thread, ticks);
	if (thread == expected && ticks == expected_ticks)
		return false;
	columns_put(&e->columns, COLUMN_TURN, (is_new ? 0 : thread + 1u) << 1 | ticks);
	if (is_new) {
		columns_put_signed(
			&e->columns, COLUMN_THREAD_NEW, (int64_t)id - (int64_t)e->last_new_thread);
		e->last_new_thread = id;
	}
	return true;
}

static unsigned int symbol_of(const struct model_chain *chain, uint16_t from, uint16_t to)
{
	if (from != MODEL_NONE)
		for (unsigned int i = 0; i < FOLLOWERS; i++)
			if (chain->followers[from][i] == to)
				return 1 + i;
	return SYMBOL_NUMBER + to;
}

static bool put_stack(struct encoder *e, struct model_thread *t, stack_id id)
{
	uint64_t wide = id == STACK_NONE ? 0 : (uint64_t)id + 1;
	bool is_new = false;
	uint16_t from = t->stack;

	if (from != MODEL_NONE && e->model.stacks[from] == wide)
		return false;
	t->stack = find_stack(e, wide, &is_new);
	columns_put(&e->columns, COLUMN_STACK,
		is_new ? SYMBOL_NEW : symbol_of(&e->model.stack_chain, from, t->stack));
	if (is_new) {
		columns_put_signed(
			&e->columns, COLUMN_STACK_NEW, (int64_t)wide - (int64_t)e->last_new_stack);
		e->last_new_stack = wide;
	}
	model_follow(&e->model.stack_chain, from, t->stack);
	return true;
}

static bool put_situation(struct encoder *e, struct model_thread *t, const struct capture_sample *s)
{
	unsigned int state = s->state < SAMPLE_STATES ? s->state : SAMPLE_STATE_UNKNOWN;
	struct model_situation now = {
		.syscall = s->syscall,
		.bits = (uint16_t)(state << 6 | (s->flags & SAMPLE_FLAGS)),
	};
	const struct model_situation *all = e->model.situations;
	uint16_t from = t->situation;
	bool is_new = false;

	if (from != MODEL_NONE && all[from].syscall == now.syscall && all[from].bits == now.bits)
		return false;
	t->situation = find_situation(e, now, &is_new);
	columns_put(&e->columns, COLUMN_SITUATION,
		is_new ? SYMBOL_NEW : symbol_of(&e->model.situation_chain, from, t->situation));
	if (is_new) {
		columns_put(&e->columns, COLUMN_SITUATION_NEW, now.bits);
		columns_put_signed(&e->columns, COLUMN_SITUATION_NEW, now.syscall);
	}
	model_follow(&e->model.situation_chain, from, t->situation);
	return true;
}

static bool put_cpu(struct encoder *e, struct model_thread *t, uint64_t cpu)
{
	bool odd = cpu != t->cpu_usual;

	if (odd)
		columns_put(&e->columns, COLUMN_CPU, cpu / e->cpu_unit_ns);
	model_cpu(t, cpu);
	return odd;
}

static bool put_count(struct encoder *e, struct model_thread *t, uint64_t count)
{
	bool odd = count != t->count;

	if (odd)
		columns_put(&e->columns, COLUMN_COUNT, count);
	t->count = count;
	return odd;
}

static void put_token(struct encoder *e, unsigned int token)
{
	unsigned char byte = (unsigned char)token;

	columns_put_bytes(&e->columns, COLUMN_TOKENS, &byte, 1);
}

static void end_run(struct encoder *e)
{
	if (e->run)
		put_token(e, TOKEN_RUN + e->run - 1);
	e->run = 0;
}

static void put_row(struct encoder *e, const struct capture_sample *s)
{
	bool ticks = e->model.thread == MODEL_NONE || s->time_ns != e->time_ns;
	unsigned int odd = put_turn(e, s->thread, ticks) ? ODD_TURN : 0;
	struct model_thread *t = &e->model.threads[e->model.thread];

	if (ticks)
		put_time(e, s->time_ns);
	e->time_ns = s->time_ns;
	odd |= put_stack(e, t, s->stack) ? ODD_STACK : 0;
	odd |= put_situation(e, t, s) ? ODD_SITUATION : 0;
	odd |= put_cpu(e, t, s->cpu_ns) ? ODD_CPU : 0;
	odd |= put_count(e, t, s->count) ? ODD_COUNT : 0;
	if (odd) {
		end_run(e);
		put_token(e, odd);
	} else if (++e->run == TOKEN_RUN_MAX) {
		end_run(e);
	}
}

static void encoder_begin(
	struct encoder *e, const struct capture_sample *rows, size_t count, uint64_t period_ns)
{
	if (!tick_line_find(&e->line, rows, count, period_ns))
		e->line = (struct tick_line){ .at_ns = rows[0].time_ns };
	for (size_t i = 0; i < count; i++) {
		if (!e->unit_ns || rows[i].time_ns % e->unit_ns)
			e->unit_ns = gcd(e->unit_ns, rows[i].time_ns);
		if (!e->cpu_unit_ns || rows[i].cpu_ns % e->cpu_unit_ns)
			e->cpu_unit_ns = gcd(e->cpu_unit_ns, rows[i].cpu_ns);
	}
	e->unit_ns = e->unit_ns ? e->unit_ns : 1;
	e->cpu_unit_ns = e->cpu_unit_ns ? e->cpu_unit_ns : 1;
	columns_put(&e->columns, COLUMN_META, e->unit_ns);
	columns_put(&e->columns, COLUMN_META, e->cpu_unit_ns);
	columns_put(&e->columns, COLUMN_META, e->line.at_ns);
	columns_put(&e->columns, COLUMN_META, e->line.period_ns);
}

static void encoder_deinit(struct encoder *e)
{
	columns_deinit(&e->columns);
	model_deinit(&e->model);
	intern_deinit(&e->threads);
	intern_deinit(&e->stacks);
	intern_deinit(&e->situations);
}

void sample_block_encode_period(
	struct buf *out, const struct capture_sample *rows, size_t count, uint64_t period_ns)
{
	struct encoder e = { 0 };

	columns_put(&e.columns, COLUMN_META, count);
	if (count) {
		model_init(&e.model, count);
		encoder_begin(&e, rows, count, period_ns);
	}
	for (size_t i = 0; i < count; i++)
		put_row(&e, &rows[i]);
	end_run(&e);
	columns_finish(&e.columns, SAMPLE_BLOCK_COLUMNS, out);
	encoder_deinit(&e);
}

void sample_block_encode(struct buf *out, const struct capture_sample *rows, size_t count)
{
	sample_block_encode_period(out, rows, count, 0);
}

/* ---- decoding --------------------------------------------------------------------------------- */

struct decoder {
	struct columns_reader in;
	struct model model;
	struct tick_line line;
	uint64_t unit_ns, cpu_unit_ns;
	uint64_t time_ns;
	uint64_t last_new_thread, last_new_stack;
	size_t count;
};

static struct column *column(struct decoder *d, enum block_column c)
{
	return &d->in.columns[c];
}

static void get_time(struct decoder *d)
{
	uint64_t off = (uint64_t)column_get_signed(column(d, COLUMN_TIME));

	d->time_ns = (d->line.at_ns / d->unit_ns + off) * d->unit_ns;
	tick_line_follow(&d->line, d->time_ns);
	tick_line_advance(&d->line);
}

/* A turn that was told. */
static bool get_turn(struct decoder *d)
{
	uint64_t turn = column_get(column(d, COLUMN_TURN));
	uint64_t symbol = turn >> 1;
	bool ticks = turn & 1;

	if (d->model.thread == MODEL_NONE && (symbol || !ticks))
		return false;
	if (symbol > d->model.thread_count)
		return false;
	if (symbol) {
		model_turn(&d->model, (uint16_t)(symbol - 1), ticks);
	} else {
		d->last_new_thread += (uint64_t)column_get_signed(column(d, COLUMN_THREAD_NEW));
		if (d->last_new_thread > UINT32_MAX)
			return false;
		uint16_t thread = model_add_thread(&d->model, (uint32_t)d->last_new_thread);
		model_turn(&d->model, thread, ticks);
	}
	if (ticks)
		get_time(d);
	return true;
}

/* The number that a symbol (not SYMBOL_NEW) stands for, MODEL_NONE if it stands for nothing. */
static uint16_t number_of(
	const struct model_chain *chain, uint16_t from, uint64_t symbol, size_t count)
{
	if (symbol < SYMBOL_NUMBER)
		return from == MODEL_NONE ? MODEL_NONE : chain->followers[from][symbol - 1];
	if (symbol - SYMBOL_NUMBER >= count)
		return MODEL_NONE;
	return (uint16_t)(symbol - SYMBOL_NUMBER);
}

static uint16_t new_stack(struct decoder *d)
{
	d->last_new_stack += (uint64_t)column_get_signed(column(d, COLUMN_STACK_NEW));
	if (d->last_new_stack > UINT32_MAX)
		return MODEL_NONE;
	return model_add_stack(&d->model, d->last_new_stack);
}

static uint16_t new_situation(struct decoder *d)
{
	uint64_t bits = column_get(column(d, COLUMN_SITUATION_NEW));
	int64_t syscall = column_get_signed(column(d, COLUMN_SITUATION_NEW));

	if (bits >= SAMPLE_STATES << 6 || syscall < INT32_MIN || syscall > INT32_MAX)
		return MODEL_NONE;
	return model_add_situation(&d->model,
		(struct model_situation){ .syscall = (int32_t)syscall, .bits = (uint16_t)bits });
}

static bool get_stack(struct decoder *d, struct model_thread *t)
{
	uint64_t symbol = column_get(column(d, COLUMN_STACK));
	uint16_t from = t->stack;

	t->stack = symbol == SYMBOL_NEW
		? new_stack(d)
		: number_of(&d->model.stack_chain, from, symbol, d->model.stack_count);
	if (t->stack == MODEL_NONE)
		return false;
	model_follow(&d->model.stack_chain, from, t->stack);
	return true;
}

static bool get_situation(struct decoder *d, struct model_thread *t)
{
	uint64_t symbol = column_get(column(d, COLUMN_SITUATION));
	uint16_t from = t->situation;
	const struct model *m = &d->model;

	t->situation = symbol == SYMBOL_NEW
		? new_situation(d)
		: number_of(&m->situation_chain, from, symbol, m->situation_count);
	if (t->situation == MODEL_NONE)
		return false;
	model_follow(&d->model.situation_chain, from, t->situation);
	return true;
}

static void give(const struct decoder *d, const struct model_thread *t, struct capture_sample *row)
{
	const struct model_situation *s = &d->model.situations[t->situation];

	*row = (struct capture_sample){
		.time_ns = d->time_ns,
		.count = t->count,
		.cpu_ns = t->cpu,
		.thread = t->id,
		.stack = (stack_id)(d->model.stacks[t->stack] - 1),
		.syscall = s->syscall,
		.state = (uint8_t)(s->bits >> 6),
		.flags = s->bits & SAMPLE_FLAGS,
	};
}

/* Whose turn it is, as expected. */
static bool take_turn(struct decoder *d)
{
	uint16_t thread;
	bool ticks;

	if (d->model.thread == MODEL_NONE)
		return false;
	model_expect(&d->model, &thread, &ticks);
	if (thread == MODEL_NONE)
		return false;
	d->model.thread = thread;
	if (ticks)
		get_time(d);
	return true;
}

static bool get_odd_row(struct decoder *d, unsigned int odd, struct capture_sample *row)
{
	if (!(odd & ODD_TURN ? get_turn(d) : take_turn(d)))
		return false;
	struct model_thread *t = &d->model.threads[d->model.thread];

	if (odd & ODD_STACK ? !get_stack(d, t) : t->stack == MODEL_NONE)
		return false;
	if (odd & ODD_SITUATION ? !get_situation(d, t) : t->situation == MODEL_NONE)
		return false;
	model_cpu(t,
		odd & ODD_CPU ? column_get(column(d, COLUMN_CPU)) * d->cpu_unit_ns : t->cpu_usual);
	if (odd & ODD_COUNT)
		t->count = column_get(column(d, COLUMN_COUNT));
	give(d, t, row);
	return true;
}

static bool get_run(struct decoder *d, size_t run, struct capture_sample *rows)
{
	for (size_t i = 0; i < run; i++) {
		if (!take_turn(d))
			return false;
		struct model_thread *t = &d->model.threads[d->model.thread];

		// a thread that has had its turn is known
		t->cpu = t->cpu_usual;
		give(d, t, &rows[i]);
	}
	return true;
}

static bool get_rows(struct decoder *d, struct capture_sample *rows)
{
	size_t done = 0;

	while (done < d->count) {
		const char *byte = column_get_bytes(column(d, COLUMN_TOKENS), 1);
		unsigned int token = byte ? (unsigned char)*byte : 0;

		if (!token)
			return false;
		if (token < TOKEN_RUN) {
			if (!get_odd_row(d, token, &rows[done++]))
				return false;
			continue;
		}
		size_t run = token - TOKEN_RUN + 1;
		if (run > d->count - done || !get_run(d, run, rows + done))
			return false;
		done += run;
	}
	return true;
}

static bool decoder_begin(struct decoder *d, const char *bytes, size_t len)
{
	if (!columns_open(&d->in, bytes, len, SAMPLE_BLOCK_COLUMNS))
		return false;
	uint64_t count = column_get(column(d, COLUMN_META));

	if (count > SAMPLE_BLOCK_ROWS)
		return false;
	d->count = (size_t)count;
	if (!count)
		return true;
	d->unit_ns = column_get(column(d, COLUMN_META));
	d->cpu_unit_ns = column_get(column(d, COLUMN_META));
	d->line.at_ns = column_get(column(d, COLUMN_META));
	d->line.period_ns = column_get(column(d, COLUMN_META));
	return d->unit_ns && d->cpu_unit_ns;
}

bool sample_block_decode(
	const char *bytes, size_t len, struct capture_sample *rows, size_t *count_ret)
{
	struct decoder d = { 0 };

	if (!decoder_begin(&d, bytes, len))
		return false;
	if (d.count)
		model_init(&d.model, d.count);
	bool ok = get_rows(&d, rows) && columns_done(&d.in);
	model_deinit(&d.model);
	if (ok)
		*count_ret = d.count;
	return ok;
}

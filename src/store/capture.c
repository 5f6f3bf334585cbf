// SPDX-License-Identifier: MIT
#include "store/capture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/sample_block.h"
#include "store/sample_spans.h"

void capture_init(struct capture *c)
{
	*c = (struct capture){ 0 };
	profile_init(&c->tables);
}

void capture_deinit(struct capture *c)
{
	if (c->ops && c->ops->close)
		c->ops->close(c->ops_data);
	for (size_t i = 0; i < c->block_count; i++) {
		buf_deinit(&c->blocks[i].encoded);
		buf_deinit(&c->blocks[i].spans);
	}
	free(c->facts);
	free(c->processes);
	free(c->threads);
	free(c->markers);
	free(c->spans);
	free(c->losses);
	free(c->blocks);
	free(c->pending);
	profile_deinit(&c->tables);
	*c = (struct capture){ 0 };
}

/* ---- texts and facts -------------------------------------------------------------------------- */

string_id capture_string(struct capture *c, const char *text)
{
	return profile_string(&c->tables, text, strlen(text));
}

const char *capture_text(const struct capture *c, string_id id)
{
	return profile_text(&c->tables, id);
}

static struct capture_fact *find_fact(const struct capture *c, const char *key)
{
	for (size_t i = 0; i < c->fact_count; i++)
		if (strcmp(capture_text(c, c->facts[i].key), key) == 0)
			return &c->facts[i];
	return NULL;
}

void capture_set_fact(struct capture *c, const char *key, const char *value)
{
	string_id text = capture_string(c, value);
	struct capture_fact *fact = find_fact(c, key);

	if (fact) {
		fact->value = text;
		return;
	}
	array_reserve(c->facts, c->fact_capacity, c->fact_count + 1);
	c->facts[c->fact_count++] =
		(struct capture_fact){ .key = capture_string(c, key), .value = text };
}

void capture_set_fact_u64(struct capture *c, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	capture_set_fact(c, key, text);
}

const char *capture_fact(const struct capture *c, const char *key)
{
	const struct capture_fact *fact = find_fact(c, key);

	return fact ? capture_text(c, fact->value) : NULL;
}

uint64_t capture_fact_u64(const struct capture *c, const char *key, uint64_t missing)
{
	const char *text = capture_fact(c, key);
	uint64_t value = 0;

	if (!text || !*text || strlen(text) > 19)
		return missing;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return missing;
		value = value * 10 + (uint64_t)(*p - '0');
	}
	return value;
}

/* ---- rows ------------------------------------------------------------------------------------- */

uint32_t capture_add_process(struct capture *c, const struct capture_process *process)
{
	array_reserve(c->processes, c->process_capacity, c->process_count + 1);
	c->processes[c->process_count] = *process;
	return (uint32_t)c->process_count++;
}

uint32_t capture_add_thread(struct capture *c, const struct capture_thread *thread)
{
	array_reserve(c->threads, c->thread_capacity, c->thread_count + 1);
	c->threads[c->thread_count] = *thread;
	return (uint32_t)c->thread_count++;
}

void capture_add_marker(struct capture *c, const struct capture_marker *marker)
{
	array_reserve(c->markers, c->marker_capacity, c->marker_count + 1);
	c->markers[c->marker_count++] = *marker;
}

uint32_t capture_add_span(struct capture *c, const struct capture_span *span)
{
	array_reserve(c->spans, c->span_capacity, c->span_count + 1);
	c->spans[c->span_count] = *span;
	return (uint32_t)c->span_count++;
}

void capture_add_loss(struct capture *c, const struct capture_loss *loss)
{
	array_reserve(c->losses, c->loss_capacity, c->loss_count + 1);
	c->losses[c->loss_count++] = *loss;
}

/* ---- samples ---------------------------------------------------------------------------------- */

void capture_block_note(struct capture_block *block, const struct capture_sample *s)
{
	if (!block->rows || s->time_ns < block->first_ns)
		block->first_ns = s->time_ns;
	if (!block->rows || s->time_ns > block->last_ns)
		block->last_ns = s->time_ns;
	block->samples += s->count;
	block->rows++;
}

static void close_block(struct capture *c)
{
	struct capture_block block = { 0 };

	for (size_t i = 0; i < c->pending_count; i++)
		capture_block_note(&block, &c->pending[i]);
	sample_block_encode_period(&block.encoded, c->pending, c->pending_count,
		capture_fact_u64(c, FACT_PERIOD_NS, 0));
	sample_spans_encode(&block.spans, c->pending, c->pending_count);
	array_reserve(c->blocks, c->block_capacity, c->block_count + 1);
	c->blocks[c->block_count++] = block;
	c->pending_count = 0;
}

void capture_add_sample(struct capture *c, const struct capture_sample *sample)
{
	if (!c->pending)
		c->pending = xcalloc(SAMPLE_BLOCK_ROWS, sizeof(*c->pending));
	c->pending[c->pending_count++] = *sample;
	if (c->pending_count == SAMPLE_BLOCK_ROWS)
		close_block(c);
}

uint64_t capture_samples(const struct capture *c)
{
	uint64_t total = 0;

	for (size_t i = 0; i < c->block_count; i++)
		total += c->blocks[i].samples;
	for (size_t i = 0; i < c->pending_count; i++)
		total += c->pending[i].count;
	return total;
}

/* What all blocks and what is pending span, as one. */
static struct capture_block whole(const struct capture *c)
{
	struct capture_block all = { 0 };

	for (size_t i = 0; i < c->pending_count; i++)
		capture_block_note(&all, &c->pending[i]);
	for (size_t i = 0; i < c->block_count; i++) {
		const struct capture_block *b = &c->blocks[i];

		if (!b->rows)
			continue;
		if (!all.rows || b->first_ns < all.first_ns)
			all.first_ns = b->first_ns;
		if (!all.rows || b->last_ns > all.last_ns)
			all.last_ns = b->last_ns;
		all.rows += b->rows;
	}
	return all;
}

uint64_t capture_first_ns(const struct capture *c)
{
	return whole(c).first_ns;
}

uint64_t capture_last_ns(const struct capture *c)
{
	return whole(c).last_ns;
}

/* ---- cursor ----------------------------------------------------------------------------------- */

void capture_cursor_init(struct capture_cursor *cursor, const struct capture *c)
{
	*cursor = (struct capture_cursor){ .capture = c };
}

void capture_cursor_deinit(struct capture_cursor *cursor)
{
	free(cursor->rows);
	buf_deinit(&cursor->encoded);
	buf_deinit(&cursor->spans);
	err_free(cursor->err);
	*cursor = (struct capture_cursor){ 0 };
}

void capture_cursor_seek(struct capture_cursor *cursor, uint64_t time_ns)
{
	const struct capture *c = cursor->capture;

	cursor->row = cursor->row_count = 0;
	cursor->block = 0;
	while (cursor->block < c->block_count && c->blocks[cursor->block].last_ns < time_ns)
		cursor->block++;
}

/* What a block says of itself and names must be so: files are not trusted. */
static struct err *check_rows(
	const struct capture_cursor *cursor, const struct capture_block *block)
{
	const struct capture *c = cursor->capture;
	uint64_t samples = 0;

	for (size_t i = 0; i < cursor->row_count; i++) {
		const struct capture_sample *s = &cursor->rows[i];

		samples += s->count;
		if (s->thread >= c->thread_count ||
			(s->stack != STACK_NONE && s->stack >= c->tables.stack_count) ||
			s->span > c->span_count)
			return err_new(ERR_FAILED,
				"block %zu of the capture names what is not there", cursor->block);
		if (s->time_ns < block->first_ns || s->time_ns > block->last_ns)
			return err_new(ERR_FAILED, "block %zu of the capture has wrong times",
				cursor->block);
	}
	if (samples != block->samples)
		return err_new(
			ERR_FAILED, "block %zu of the capture has wrong counts", cursor->block);
	return NULL;
}

static struct err *load_block(struct capture_cursor *cursor)
{
	const struct capture *c = cursor->capture;
	const struct capture_block *block = &c->blocks[cursor->block];
	const struct buf *encoded = &block->encoded, *spans = &block->spans;

	if (c->ops) {
		buf_clear(&cursor->encoded);
		buf_clear(&cursor->spans);
		struct err *err =
			c->ops->load(c->ops_data, cursor->block, &cursor->encoded, &cursor->spans);
		if (err)
			return err;
		encoded = &cursor->encoded;
		spans = &cursor->spans;
	}
	if (!sample_block_decode(encoded->data, encoded->len, cursor->rows, &cursor->row_count) ||
		cursor->row_count != block->rows ||
		!sample_spans_decode(spans->data, spans->len, cursor->rows, cursor->row_count))
		return err_new(ERR_FAILED, "block %zu of the capture is damaged", cursor->block);
	return check_rows(cursor, block);
}

/* False at the end. */
static bool next_rows(struct capture_cursor *cursor)
{
	const struct capture *c = cursor->capture;

	cursor->row = cursor->row_count = 0;
	if (cursor->err || cursor->block > c->block_count)
		return false;
	array_reserve(cursor->rows, cursor->row_capacity, SAMPLE_BLOCK_ROWS);
	if (cursor->block < c->block_count) {
		cursor->err = load_block(cursor);
		if (cursor->err)
			cursor->row_count = 0;
	} else if (c->pending_count) {
		memcpy(cursor->rows, c->pending, c->pending_count * sizeof(*cursor->rows));
		cursor->row_count = c->pending_count;
	}
	cursor->block++;
	return !cursor->err;
}

const struct capture_sample *capture_cursor_next(struct capture_cursor *cursor)
{
	while (cursor->row == cursor->row_count)
		if (!next_rows(cursor))
			return NULL;
	return &cursor->rows[cursor->row++];
}

struct err *capture_cursor_error(struct capture_cursor *cursor)
{
	struct err *err = cursor->err;

	cursor->err = NULL;
	return err;
}

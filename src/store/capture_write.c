// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "store/capture_file.h"
#include "store/capture_out.h"
#include "store/sample_block.h"
#include "store/sample_round.h"
#include "store/sample_spans.h"

/* A block as a chunk, in memory: flight recorders only. */
struct kept_block {
	struct capture_block block;
	struct buf packed;
};

struct capture_writer {
	const struct capture *capture;
	struct capture_writer_options options;
	int fd;
	struct capture_out out; // not used by flight recorders
	struct chunk_codec *codec;
	bool begun; // a sample was taken
	uint64_t period_ns;
	struct sample_round round;
	struct capture_sample *pending;
	size_t pending_count;
	struct buf encoded, spans, packed;

	struct kept_block *kept; // oldest first
	size_t kept_count, kept_capacity;
	uint64_t kept_bytes;

	uint64_t lost;            // in all
	struct capture_loss loss; // not yet said; count 0: none
};

static bool is_recorder(const struct capture_writer *w)
{
	return w->options.max_bytes || w->options.max_age_ns;
}

struct err *capture_writer_create(struct capture_writer **ret, int fd, const struct capture *c,
	const struct capture_writer_options *options)
{
	struct capture_writer *w = xcalloc(1, sizeof(*w));
	struct err *err = NULL;

	w->capture = c;
	w->fd = fd;
	if (options)
		w->options = *options;
	w->codec = chunk_codec_create();
	w->pending = xcalloc(SAMPLE_BLOCK_ROWS, sizeof(*w->pending));
	if (!is_recorder(w))
		err = capture_out_init(&w->out, fd, w->codec);
	if (err)
		capture_writer_destroy(w);
	else
		*ret = w;
	return err;
}

static void forget_oldest(struct capture_writer *w, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		w->kept_bytes -= w->kept[i].packed.len;
		w->lost += w->kept[i].block.samples;
		buf_deinit(&w->kept[i].packed);
	}
	if (!count)
		return;
	w->kept_count -= count;
	memmove(w->kept, w->kept + count, w->kept_count * sizeof(*w->kept));
}

void capture_writer_destroy(struct capture_writer *w)
{
	if (!w)
		return;
	forget_oldest(w, w->kept_count);
	free(w->kept);
	free(w->pending);
	sample_round_deinit(&w->round);
	capture_out_deinit(&w->out);
	chunk_codec_destroy(w->codec);
	buf_deinit(&w->encoded);
	buf_deinit(&w->spans);
	buf_deinit(&w->packed);
	free(w);
}

/* ---- blocks ----------------------------------------------------------------------------------- */

/* Makes a chunk in w->packed of what is pending. */
static void seal(struct capture_writer *w, struct capture_block *block)
{
	sample_round(&w->round, w->pending, w->pending_count);
	for (size_t i = 0; i < w->pending_count; i++)
		capture_block_note(block, &w->pending[i]);
	buf_clear(&w->encoded);
	buf_clear(&w->spans);
	buf_clear(&w->packed);
	sample_block_encode_period(&w->encoded, w->pending, w->pending_count, w->period_ns);
	sample_spans_encode(&w->spans, w->pending, w->pending_count);
	capture_out_pack(w->codec, block, &w->encoded, &w->spans, &w->packed);
	w->pending_count = 0;
}

/* How many of the oldest blocks are beyond the limits. The newest one always stays. */
static size_t count_old(const struct capture_writer *w)
{
	const struct capture_writer_options *o = &w->options;
	uint64_t bytes = w->kept_bytes, newest_ns = w->kept[w->kept_count - 1].block.last_ns;
	size_t old = 0;

	for (; old + 1 < w->kept_count; old++) {
		const struct kept_block *k = &w->kept[old];
		bool aged = o->max_age_ns && k->block.last_ns < newest_ns &&
			newest_ns - k->block.last_ns > o->max_age_ns;

		if (!aged && !(o->max_bytes && bytes > o->max_bytes))
			break;
		bytes -= k->packed.len;
	}
	return old;
}

static void keep(struct capture_writer *w)
{
	struct kept_block k = { 0 };

	if (!w->pending_count)
		return;
	seal(w, &k.block);
	buf_add(&k.packed, w->packed.data, w->packed.len);
	w->kept_bytes += k.packed.len;
	array_reserve(w->kept, w->kept_capacity, w->kept_count + 1);
	w->kept[w->kept_count++] = k;
	forget_oldest(w, count_old(w));
}

static void lose(struct capture_writer *w, const struct capture_block *block)
{
	if (!w->loss.count)
		w->loss = (struct capture_loss){ .time_ns = block->first_ns, .kind = LOSS_SPACE };
	w->loss.count += block->samples;
	w->lost += block->samples;
}

/* Tables first: samples name their rows. */
static struct err *write_new(struct capture_writer *w, const struct capture_block *block)
{
	struct err *err = capture_out_tables(&w->out, w->capture);

	if (!err && w->loss.count) {
		err = capture_out_loss(&w->out, &w->loss);
		if (!err)
			w->loss.count = 0;
	}
	if (!err && block->rows)
		err = capture_out_samples(&w->out, block, &w->packed);
	return err;
}

struct err *capture_writer_flush(struct capture_writer *w)
{
	struct capture_block block = { 0 };

	if (is_recorder(w)) {
		keep(w);
		return NULL;
	}
	if (w->pending_count)
		seal(w, &block);
	struct err *err = write_new(w, &block);
	if (err && block.rows)
		lose(w, &block);
	return err;
}

static void begin(struct capture_writer *w)
{
	w->begun = true;
	w->period_ns = capture_fact_u64(w->capture, FACT_PERIOD_NS, 0);
	sample_round_init(&w->round, w->options.exact_times ? 0 : w->period_ns);
}

struct err *capture_writer_sample(struct capture_writer *w, const struct capture_sample *sample)
{
	if (!w->begun)
		begin(w);
	w->pending[w->pending_count++] = *sample;
	return w->pending_count < SAMPLE_BLOCK_ROWS ? NULL : capture_writer_flush(w);
}

/* ---- whole files ------------------------------------------------------------------------------ */

static struct err *write_kept(struct capture_writer *w, struct capture_out *o, uint64_t from_ns)
{
	struct err *err = capture_out_tables(o, w->capture);
	char dropped[24];

	snprintf(dropped, sizeof(dropped), "%" PRIu64, w->lost);
	if (!err)
		err = capture_out_fact(o, w->capture, FACT_DROPPED, dropped);
	for (size_t i = 0; i < w->kept_count && !err; i++)
		if (w->kept[i].block.last_ns >= from_ns)
			err = capture_out_samples(o, &w->kept[i].block, &w->kept[i].packed);
	return err ? err : capture_out_finish(o);
}

struct err *capture_writer_dump_from(struct capture_writer *w, int fd, uint64_t from_ns)
{
	_cleanup_(capture_out_deinit) struct capture_out o;

	if (!is_recorder(w)) {
		o = (struct capture_out){ 0 };
		return err_new(ERR_USAGE, "there is nothing to write: all was written as it came");
	}
	keep(w);
	struct err *err = capture_out_init(&o, fd, w->codec);
	return err ? err : write_kept(w, &o, from_ns);
}

struct err *capture_writer_dump(struct capture_writer *w, int fd)
{
	return capture_writer_dump_from(w, fd, 0);
}

struct err *capture_writer_finish(struct capture_writer *w)
{
	if (is_recorder(w))
		return capture_writer_dump(w, w->fd);
	struct err *err = capture_writer_flush(w);
	return err ? err : capture_out_finish(&w->out);
}

uint64_t capture_writer_bytes(const struct capture_writer *w)
{
	return is_recorder(w) ? w->kept_bytes : w->out.offset;
}

uint64_t capture_writer_lost(const struct capture_writer *w)
{
	return w->lost;
}

static struct err *write_block(struct capture_out *o, const struct capture_block *block,
	const struct buf *encoded, const struct buf *spans)
{
	_cleanup_buf_ struct buf packed = BUF_INIT;

	capture_out_pack(o->codec, block, encoded, spans, &packed);
	return capture_out_samples(o, block, &packed);
}

/* A block as it is, wherever it is. */
static struct err *copy_block(struct capture_out *o, const struct capture *c, size_t i)
{
	_cleanup_buf_ struct buf encoded = BUF_INIT, spans = BUF_INIT;
	const struct capture_block *block = &c->blocks[i];
	struct err *err;

	if (!c->ops)
		return write_block(o, block, &block->encoded, &block->spans);
	err = c->ops->load(c->ops_data, i, &encoded, &spans);
	return err ? err : write_block(o, block, &encoded, &spans);
}

static struct err *write_pending(struct capture_out *o, const struct capture *c)
{
	_cleanup_buf_ struct buf encoded = BUF_INIT, spans = BUF_INIT;
	struct capture_block pending = { 0 };

	for (size_t i = 0; i < c->pending_count; i++)
		capture_block_note(&pending, &c->pending[i]);
	if (!pending.rows)
		return NULL;
	sample_block_encode_period(
		&encoded, c->pending, c->pending_count, capture_fact_u64(c, FACT_PERIOD_NS, 0));
	sample_spans_encode(&spans, c->pending, c->pending_count);
	return write_block(o, &pending, &encoded, &spans);
}

static struct err *write_all(struct capture_out *o, const struct capture *c)
{
	struct err *err = capture_out_tables(o, c);

	for (size_t i = 0; i < c->block_count && !err; i++)
		err = copy_block(o, c, i);
	if (!err)
		err = write_pending(o, c);
	return err ? err : capture_out_finish(o);
}

struct err *capture_file_write(int fd, const struct capture *c)
{
	struct capture_out o;
	struct chunk_codec *codec = chunk_codec_create();
	struct err *err = capture_out_init(&o, fd, codec);

	if (!err)
		err = write_all(&o, c);
	capture_out_deinit(&o);
	chunk_codec_destroy(codec);
	return err;
}

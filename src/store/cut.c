// SPDX-License-Identifier: MIT
#include "store/cut.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "store/capture_file.h"
#include "store/merge.h"
#include "store/transfer.h"

/* Rows of the input as rows of the part, plus 1; 0: left out. */
struct part {
	const struct cut_input *in;
	struct capture *to;
	struct transfer transfer;
	uint32_t *spans, *threads;
	uint64_t from_ns, to_ns; // of the spans that are kept
};

static void part_deinit(struct part *p)
{
	transfer_deinit(&p->transfer);
	free(p->spans);
	free(p->threads);
}

/* ---- rows ------------------------------------------------------------------------------------- */

static void add_facts_and_processes(struct part *p)
{
	const struct capture *c = p->in->capture;

	for (size_t i = 0; i < c->fact_count; i++)
		capture_set_fact(p->to, capture_text(c, c->facts[i].key),
			capture_text(c, c->facts[i].value));
	for (size_t i = 0; i < c->process_count; i++) {
		struct capture_process process = c->processes[i];

		process.name = transfer_string(&p->transfer, process.name);
		process.command = transfer_string(&p->transfer, process.command);
		capture_add_process(p->to, &process);
	}
}

/* Threads are there that something is of. */
static uint32_t thread_of(struct part *p, uint32_t row)
{
	const struct capture *c = p->in->capture;

	if (row >= c->thread_count)
		return CAPTURE_NONE;
	if (!p->threads[row]) {
		struct capture_thread thread = c->threads[row];

		thread.name = transfer_string(&p->transfer, thread.name);
		p->threads[row] = capture_add_thread(p->to, &thread) + 1;
	}
	return p->threads[row] - 1;
}

static void add_span(struct part *p, size_t row)
{
	struct capture_span span = p->in->capture->spans[row];

	if (span.start_ns < p->from_ns)
		p->from_ns = span.start_ns;
	// one that had not ended goes on to the end
	if (!span.end_ns || span.end_ns > p->to_ns)
		p->to_ns = span.end_ns ? span.end_ns : UINT64_MAX;
	span.parent = span.parent && span.parent <= row ? p->spans[span.parent - 1] : 0;
	span.thread = thread_of(p, span.thread);
	span.name = transfer_string(&p->transfer, span.name);
	span.text = transfer_string(&p->transfer, span.text);
	p->spans[row] = capture_add_span(p->to, &span) + 1;
}

/* Parents come before what lies in them. */
static void add_spans(struct part *p)
{
	const struct capture *c = p->in->capture;
	_cleanup_free_ bool *wanted = xcalloc(c->span_count + 1, sizeof(*wanted));

	for (size_t i = 0; i < p->in->span_count; i++)
		if (p->in->spans[i] < c->span_count)
			wanted[p->in->spans[i]] = true;
	for (size_t i = 0; i < c->span_count; i++) {
		uint32_t parent = c->spans[i].parent;

		if (wanted[i] || (parent && parent <= i && p->spans[parent - 1]))
			add_span(p, i);
	}
}

static bool is_within(const struct part *p, uint64_t start_ns, uint64_t end_ns)
{
	return end_ns >= p->from_ns && start_ns <= p->to_ns;
}

static void add_markers(struct part *p)
{
	const struct capture *c = p->in->capture;

	for (size_t i = 0; i < c->marker_count; i++) {
		struct capture_marker marker = c->markers[i];
		bool of_thread = marker.thread < c->thread_count;

		if (!is_within(p, marker.start_ns, marker.end_ns) ||
			(of_thread && !p->threads[marker.thread]))
			continue;
		marker.thread = of_thread ? p->threads[marker.thread] - 1 : CAPTURE_NONE;
		marker.name = transfer_string(&p->transfer, marker.name);
		marker.text = transfer_string(&p->transfer, marker.text);
		capture_add_marker(p->to, &marker);
	}
}

static void add_losses(struct part *p)
{
	const struct capture *c = p->in->capture;

	for (size_t i = 0; i < c->loss_count; i++)
		if (is_within(p, c->losses[i].time_ns, c->losses[i].time_ns))
			capture_add_loss(p->to, &c->losses[i]);
}

/* ---- samples ---------------------------------------------------------------------------------- */

static struct err *add_samples(struct part *p)
{
	const struct capture *c = p->in->capture;
	struct capture_cursor cursor;
	const struct capture_sample *found;

	capture_cursor_init(&cursor, c);
	capture_cursor_seek(&cursor, p->from_ns);
	while ((found = capture_cursor_next(&cursor)) != NULL) {
		struct capture_sample sample = *found;

		if (!sample.span || sample.span > c->span_count || !p->spans[sample.span - 1])
			continue;
		sample.span = p->spans[sample.span - 1];
		sample.thread = thread_of(p, sample.thread);
		sample.stack = transfer_stack(&p->transfer, sample.stack);
		if (sample.thread != CAPTURE_NONE)
			capture_add_sample(p->to, &sample);
	}
	struct err *err = capture_cursor_error(&cursor);
	capture_cursor_deinit(&cursor);
	return err;
}

static struct err *cut(struct capture *to, const struct cut_input *in)
{
	_cleanup_(part_deinit) struct part p = {
		.in = in,
		.to = to,
		.transfer = { .from = &in->capture->tables, .to = &to->tables },
		.spans = xcalloc(in->capture->span_count + 1, sizeof(uint32_t)),
		.threads = xcalloc(in->capture->thread_count + 1, sizeof(uint32_t)),
		.from_ns = UINT64_MAX,
	};

	add_facts_and_processes(&p);
	add_spans(&p);
	struct err *err = add_samples(&p);
	add_markers(&p);
	add_losses(&p);
	if (p.from_ns != UINT64_MAX)
		capture_set_fact_u64(to, FACT_START_NS, p.from_ns);
	if (p.to_ns && p.to_ns != UINT64_MAX)
		capture_set_fact_u64(to, FACT_END_NS, p.to_ns);
	return err;
}

/* ---- all of them ------------------------------------------------------------------------------ */

static struct err *write_merged(const struct capture *parts, size_t count, int fd)
{
	// the times were rounded when they were taken
	const struct capture_writer_options options = { .exact_times = true };
	_cleanup_free_ struct merge_input *inputs = xcalloc(count, sizeof(*inputs));
	struct capture_writer *w = NULL;
	struct capture whole;
	const struct capture_sample *sample;

	for (size_t i = 0; i < count; i++)
		inputs[i] = (struct merge_input){ .capture = &parts[i], .name = "worker" };
	capture_init(&whole);
	struct merge *m = merge_create(&whole, inputs, count);
	struct err *err = capture_writer_create(&w, fd, &whole, &options);
	while (!err && (sample = merge_next(m)) != NULL)
		err = capture_writer_sample(w, sample);
	if (!err)
		err = merge_end(m);
	if (!err)
		err = capture_writer_finish(w);
	capture_writer_destroy(w);
	merge_destroy(m);
	capture_deinit(&whole);
	return err;
}

struct err *cut_write(const struct cut_input *inputs, size_t count, int fd)
{
	size_t rows = count ? count : 1;
	struct capture *parts = xcalloc(rows, sizeof(*parts));
	struct err *err = NULL;

	for (size_t i = 0; i < rows; i++)
		capture_init(&parts[i]);
	for (size_t i = 0; i < count && !err; i++)
		err = cut(&parts[i], &inputs[i]);
	if (!err)
		err = count > 1 ? write_merged(parts, count, fd) : capture_file_write(fd, parts);
	for (size_t i = 0; i < rows; i++)
		capture_deinit(&parts[i]);
	free(parts);
	return err;
}

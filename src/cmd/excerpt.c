// SPDX-License-Identifier: MIT
#include "cmd/excerpt.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "store/capture_file.h"

static void trim(struct capture *c, uint64_t from_ns, uint64_t to_ns)
{
	size_t losses = 0, markers = 0;

	for (size_t i = 0; i < c->loss_count; i++)
		if (c->losses[i].time_ns >= from_ns && c->losses[i].time_ns < to_ns)
			c->losses[losses++] = c->losses[i];
	for (size_t i = 0; i < c->marker_count; i++)
		if (c->markers[i].end_ns >= from_ns && c->markers[i].start_ns < to_ns)
			c->markers[markers++] = c->markers[i];
	c->loss_count = losses;
	c->marker_count = markers;
}

/* What is left of the spans, and where: samples name them by row. */
struct kept_spans {
	struct capture_span *spans;
	size_t count;
	/* By row of before, plus 1: that of now, plus 1; of what lay around it if it is gone. */
	uint32_t *rows;
};

static void kept_spans_deinit(struct kept_spans *kept)
{
	free(kept->spans);
	free(kept->rows);
}

/* rows[i + 1]: it stays, because of its time or that of one within it. */
static void mark_kept(
	const struct capture *c, uint64_t from_ns, uint64_t to_ns, struct kept_spans *kept)
{
	for (size_t i = c->span_count; i-- > 0;) {
		const struct capture_span *s = &c->spans[i];

		if (s->start_ns < to_ns && (!s->end_ns || s->end_ns >= from_ns))
			kept->rows[i + 1] = 1;
		if (kept->rows[i + 1] && s->parent <= i)
			kept->rows[s->parent] = 1;
	}
	kept->rows[0] = 0;
}

static void keep_spans(
	const struct capture *c, uint64_t from_ns, uint64_t to_ns, struct kept_spans *kept)
{
	kept->rows = xcalloc(c->span_count + 1, sizeof(*kept->rows));
	kept->spans = xcalloc(c->span_count, sizeof(*kept->spans));
	mark_kept(c, from_ns, to_ns, kept);
	for (size_t i = 0; i < c->span_count; i++) {
		struct capture_span s = c->spans[i];
		bool stays = kept->rows[i + 1] != 0;

		s.parent = s.parent <= i ? kept->rows[s.parent] : 0;
		kept->rows[i + 1] = stays ? (uint32_t)kept->count + 1 : s.parent;
		if (stays)
			kept->spans[kept->count++] = s;
	}
}

static struct err *copy_samples(struct capture_writer *w, const struct capture *c,
	const uint32_t *spans, uint64_t from_ns, uint64_t to_ns)
{
	const struct capture_sample *sample;
	struct capture_cursor cursor;
	struct err *err = NULL;

	capture_cursor_init(&cursor, c);
	capture_cursor_seek(&cursor, from_ns);
	while (!err && (sample = capture_cursor_next(&cursor)) != NULL) {
		struct capture_sample copy = *sample;

		copy.span = spans[copy.span];
		if (copy.time_ns >= from_ns && copy.time_ns < to_ns)
			err = capture_writer_sample(w, &copy);
	}
	if (!err)
		err = capture_cursor_error(&cursor);
	capture_cursor_deinit(&cursor);
	return err;
}

struct err *excerpt_write(struct capture *c, uint64_t from_ns, uint64_t to_ns, int fd)
{
	// the times were rounded when they were taken
	const struct capture_writer_options options = { .exact_times = true };
	_cleanup_(kept_spans_deinit) struct kept_spans kept = { 0 };
	struct capture_writer *w = NULL;

	to_ns = to_ns ? to_ns : UINT64_MAX;
	trim(c, from_ns, to_ns);
	keep_spans(c, from_ns, to_ns, &kept);
	// the samples that are read still have the rows of before
	struct capture trimmed = *c;
	trimmed.spans = kept.spans;
	trimmed.span_count = kept.count;
	struct err *err = capture_writer_create(&w, fd, &trimmed, &options);
	if (err)
		return err;
	err = copy_samples(w, c, kept.rows, from_ns, to_ns);
	if (!err)
		err = capture_writer_finish(w);
	capture_writer_destroy(w);
	return err;
}

// SPDX-License-Identifier: MIT
/*
 * Pyflame's flame-chart text: two lines per sample, in the order of time.
 *
 *	1461085732541613
 *	<module> (app.py:12);main (app.py:9);
 *
 * The time is in microseconds since the epoch; frames are root first, each followed by `;`, and
 * escaped as in folded text.
 */
#include <errno.h>
#include <inttypes.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "export/export.h"
#include "export/label.h"

/* The stack as a line, kept for as long as it stays the same. */
struct line {
	stack_id stack;
	uint8_t flags;
	bool made;
	struct buf text;
};

static void add_stack(struct buf *line, const struct profile *p, stack_id stack,
	const struct export_options *options)
{
	size_t depth = profile_depth(p, stack);
	_cleanup_free_ frame_id *frames = xcalloc(depth, sizeof(*frames));
	_cleanup_buf_ struct buf label = BUF_INIT;

	for (size_t i = depth; i-- > 0; stack = p->stacks[stack].parent)
		frames[i] = p->stacks[stack].frame;
	for (size_t i = 0; i < depth; i++) {
		buf_clear(&label);
		label_add(&label, p, &p->frames[frames[i]], options);
		label_escape(line, label.data, label.len);
		buf_add_char(line, ';');
	}
}

static void make_line(struct line *line, const struct profile *p, const struct capture_sample *s,
	const struct export_options *options)
{
	uint8_t flags = s->flags & (SAMPLE_CUT | SAMPLE_UNREADABLE);

	if (line->made && line->stack == s->stack && line->flags == flags)
		return;
	line->made = true;
	line->stack = s->stack;
	line->flags = flags;
	buf_clear(&line->text);
	add_stack(&line->text, p, s->stack, options);
	if (flags & SAMPLE_CUT)
		buf_add_str(&line->text, "(truncated);");
	else if (flags & SAMPLE_UNREADABLE)
		buf_add_str(&line->text, "(not readable);");
	else if (s->stack == STACK_NONE)
		buf_add_str(&line->text, "(no Python frame);");
}

static struct err *flamechart_write(
	FILE *out, struct view *v, const struct export_options *options)
{
	const struct capture_sample *s;
	struct line line = { 0 };

	view_begin(v);
	while ((s = view_next(v)) != NULL) {
		make_line(&line, view_tables(v), s, options);
		for (uint64_t i = 0; i < s->count && !ferror(out); i++)
			fprintf(out, "%" PRIu64 "\n%s\n", s->time_ns / 1000, buf_str(&line.text));
	}
	buf_deinit(&line.text);
	struct err *err = view_end(v);
	if (err)
		return err;
	return ferror(out) ? err_errno(errno, "cannot write the flame chart") : NULL;
}

const struct exporter export_flamechart = {
	.name = "flamechart",
	.extension = "flamechart",
	.summary = "each sample with its time and stack, as Pyflame wrote them",
	.write_view = flamechart_write,
};

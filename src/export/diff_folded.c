// SPDX-License-Identifier: MIT
/*
 * Differential folded text: `frame;frame COUNT COUNT`, A's count before B's, sorted; what
 * flamegraph.pl draws as a differential flame graph. Frames read as in folded text.
 *
 * Normalised, A's counts are scaled to B's total, rounded so that they add up to it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "export/differential.h"
#include "export/label.h"

struct line {
	char *text;
	struct diff_weights weights;
};

static void lines_free(struct line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(lines[i].text);
	free(lines);
}

static char *stack_text(const struct diff *d, stack_id stack, const struct export_options *options)
{
	const struct profile *p = &d->tables;
	size_t depth = profile_depth(p, stack);
	_cleanup_free_ frame_id *frames = xcalloc(depth, sizeof(*frames));
	_cleanup_buf_ struct buf label = BUF_INIT, line = BUF_INIT;

	for (size_t i = depth; i-- > 0; stack = p->stacks[stack].parent)
		frames[i] = p->stacks[stack].frame;
	for (size_t i = 0; i < depth; i++) {
		buf_clear(&label);
		label_add(&label, p, &p->frames[frames[i]], options);
		if (i)
			buf_add_char(&line, ';');
		label_escape(&line, buf_str(&label), label.len);
	}
	return xstrdup(buf_str(&line));
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->text, ((const struct line *)b)->text);
}

static struct line *make_lines(
	const struct diff *d, const struct export_options *options, size_t *count_ret)
{
	struct line *lines = xcalloc(d->tables.stack_count, sizeof(*lines));
	size_t count = 0;

	for (size_t i = 0; i < d->tables.stack_count; i++) {
		const struct diff_weights *w = &d->weights[i];

		if (!w->of[DIFF_A] && !w->of[DIFF_B])
			continue;
		lines[count].text = stack_text(d, (stack_id)i, options);
		lines[count++].weights = *w;
	}
	if (count)
		qsort(lines, count, sizeof(*lines), compare_lines);
	*count_ret = count;
	return lines;
}

/* The rounded running sum, so that rounding is never off by more than one anywhere. */
static uint64_t scale(const struct diff *d, uint64_t weight)
{
	if (d->absolute || !d->total.of[DIFF_A])
		return weight;
	return (uint64_t)((unsigned __int128)weight * d->total.of[DIFF_B] / d->total.of[DIFF_A]);
}

static void write_lines(FILE *out, const struct diff *d, const struct line *lines, size_t count)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < count;) {
		const char *text = lines[i].text;
		struct diff_weights w = { { 0 } };

		for (; i < count && strcmp(lines[i].text, text) == 0; i++)
			for (int side = 0; side < DIFF_SIDES; side++)
				w.of[side] += lines[i].weights.of[side];
		uint64_t a = scale(d, seen + w.of[DIFF_A]) - scale(d, seen);
		seen += w.of[DIFF_A];
		fprintf(out, "%s %" PRIu64 " %" PRIu64 "\n", text, a, w.of[DIFF_B]);
	}
}

static struct err *diff_folded_write(
	FILE *out, struct diff *d, const struct differential_options *options)
{
	size_t count;
	struct line *lines = make_lines(d, &options->export, &count);

	write_lines(out, d, lines, count);
	lines_free(lines, count);
	return ferror(out) ? err_errno(errno, "cannot write folded stacks") : NULL;
}

const struct differential differential_folded = {
	.name = "folded",
	.extension = "folded",
	.summary = "one line per stack with both counts, for flamegraph.pl",
	.write = diff_folded_write,
};

// SPDX-License-Identifier: MIT
/*
 * What changed, as a table for 80 columns: functions by change of their own time, then of the time
 * below them. What may be sampling error is counted, not listed.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "export/differential.h"
#include "export/label.h"

#define ROWS 15
#define NAME_COLUMNS 44
#define RED "\033[31m"
#define GREEN "\033[32m"
#define PLAIN "\033[0m"

struct table {
	FILE *out;
	struct diff *diff;
	const struct differential_options *options;
};

/* At most so many characters; the head is cut, as functions of long names differ at their ends. */
static void add_clipped(struct buf *out, const struct buf *text, size_t columns)
{
	const char *s = buf_str(text), *end = s + text->len;
	size_t count = 0;

	for (const char *at = end; at > s; at--) {
		bool begins = ((unsigned char)at[-1] & 0xc0) != 0x80;

		if (begins && ++count == columns && at - 1 > s) {
			buf_add_str(out, "...");
			for (size_t skipped = 0; at < end && skipped < 3; at++)
				skipped += ((unsigned char)*at & 0xc0) != 0x80;
			while (at < end && ((unsigned char)*at & 0xc0) == 0x80)
				at++;
			buf_add(out, at, (size_t)(end - at));
			return;
		}
	}
	buf_add(out, s, text->len);
}

static void write_side(const struct table *t, int side)
{
	_cleanup_buf_ struct buf samples = BUF_INIT;
	const char *unit = t->options->units[side];

	units_add_count(&samples, t->diff->total.of[side]);
	fprintf(t->out, "%c  %s: %s samples%s%s\n", "AB"[side], t -> options -> names[side],
		buf_str(&samples), unit ? " of " : "", unit ? unit : "");
}

static void write_head(const struct table *t)
{
	write_side(t, DIFF_A);
	write_side(t, DIFF_B);
	fprintf(t->out, "%s; a change within its ± may be sampling error\n",
		!t->diff->absolute         ? "percent of each side"
			: t->diff->seconds ? "seconds"
					   : "samples");
}

/* A value, or a word where the function is not there at all. */
static void add_cell(struct buf *out, const struct table *t, double value, uint64_t everywhere)
{
	if (everywhere)
		differential_add_number(out, t->diff, value, false);
	else
		buf_add_str(out, "-");
}

static const char *word_of(const struct diff_row *row)
{
	if (!row->total.of[DIFF_A])
		return "new";
	return row->total.of[DIFF_B] ? "" : "gone";
}

static void write_row(
	const struct table *t, const struct diff_row *row, const struct diff_change *c)
{
	_cleanup_buf_ struct buf change = BUF_INIT, error = BUF_INIT, a = BUF_INIT, b = BUF_INIT;
	_cleanup_buf_ struct buf label = BUF_INIT, visible = BUF_INIT, clipped = BUF_INIT;
	const struct store_frame frame = { .function = row->function };
	const char *colour = c->change > 0 ? RED : GREEN;

	differential_add_number(&change, t->diff, c->change, true);
	differential_add_number(&error, t->diff, c->error, false);
	add_cell(&a, t, c->a, row->total.of[DIFF_A]);
	add_cell(&b, t, c->b, row->total.of[DIFF_B]);
	label_add(&label, &t->diff->tables, &frame, &t->options->export);
	label_visible(&visible, buf_str(&label), label.len);
	add_clipped(&clipped, &visible, NAME_COLUMNS);
	fprintf(t->out, "%s%8s%s ±%-6s %7s %7s %-4s %s\n", t->options->colour ? colour : "",
		buf_str(&change), t->options->colour ? PLAIN : "", buf_str(&error), buf_str(&a),
		buf_str(&b), word_of(row), buf_str(&clipped));
}

static void write_rest(const struct table *t, size_t more, size_t unsure)
{
	if (more)
		fprintf(t->out, "%32s ... and %zu more\n", "", more);
	if (unsure)
		fprintf(t->out, "%32s %zu function%s changed within the error\n", "", unsure,
			unsure == 1 ? "" : "s");
}

static void write_table(const struct table *t, enum diff_order order)
{
	struct diff *d = t->diff;
	size_t shown = 0, more = 0, unsure = 0;

	diff_sort(d, order);
	fprintf(t->out, "\n%8s %7s %7s %7s %-4s %s\n", "change", "", "A", "B", "",
		order == DIFF_BY_SELF ? "function, by change of self"
				      : "function, by change of total");
	for (size_t i = 0; i < d->row_count; i++) {
		const struct diff_row *row = &d->rows[i];
		struct diff_change c =
			diff_change(d, order == DIFF_BY_SELF ? &row->self : &row->total);

		if (c.certain && shown < ROWS) {
			write_row(t, row, &c);
			shown++;
		} else if (c.certain) {
			more++;
		} else if (c.change != 0) {
			unsure++;
		}
	}
	if (!shown)
		fprintf(t->out, "%32s none beyond the sampling error\n", "");
	write_rest(t, more, unsure);
}

static struct err *diff_text_write(
	FILE *out, struct diff *d, const struct differential_options *options)
{
	const struct table t = { .out = out, .diff = d, .options = options };

	write_head(&t);
	write_table(&t, DIFF_BY_SELF);
	write_table(&t, DIFF_BY_TOTAL);
	return ferror(out) ? err_errno(errno, "cannot write the table") : NULL;
}

const struct differential differential_text = {
	.name = "text",
	.extension = "text",
	.summary = "functions by change of self and total time, as a table",
	.write = diff_text_write,
};

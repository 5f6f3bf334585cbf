// SPDX-License-Identifier: MIT
/*
 * A table for reading in a terminal of 80 columns: the functions in which most time was spent
 * themselves, then those with most time below them.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "base/utf8.h"
#include "export/export.h"
#include "export/label.h"
#include "store/agg.h"

#define TEXT_ROWS 15
#define NAME_COLUMNS 52

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* At most `columns` characters of UTF-8, "..." in the middle of what is longer. */
static void add_clipped(struct buf *out, const struct buf *text, size_t columns)
{
	const char *s = buf_str(text);
	size_t count = 0, head = columns / 2 - 2, tail = columns - head - 3, at = 0;

	for (size_t i = 0; i < text->len; i++)
		count += ((unsigned char)s[i] & 0xc0) != 0x80;
	if (count <= columns) {
		buf_add(out, s, text->len);
		return;
	}
	for (size_t i = 0; i < text->len; i++) {
		bool begins = ((unsigned char)s[i] & 0xc0) != 0x80;

		at += begins;
		if (at <= head || at > count - tail)
			buf_add_char(out, s[i]);
		else if (begins && at == head + 1)
			buf_add_str(out, "...");
	}
}

static void write_row(FILE *out, const struct profile *p, const struct agg_row *row,
	const struct export_options *options)
{
	_cleanup_buf_ struct buf label = BUF_INIT, visible = BUF_INIT, clipped = BUF_INIT;
	const struct store_frame frame = { .function = row->function };
	struct export_options merged = *options;

	merged.functions = true;
	label_add(&label, p, &frame, &merged);
	label_visible(&visible, label.data, label.len);
	add_clipped(&clipped, &visible, NAME_COLUMNS);
	fprintf(out, "%6.1f%% %8" PRIu64 " %6.1f%%  %s\n", percent(row->self, p->total), row->self,
		percent(row->total, p->total), buf_str(&clipped));
}

static void write_table(FILE *out, const struct profile *p, struct agg *agg, enum agg_order order,
	const struct export_options *options)
{
	agg_sort(agg, order);
	fprintf(out, "\n%7s %8s %7s  %s\n", "self", "samples", "total",
		order == AGG_BY_SELF ? "function, by self time" : "function, by total time");
	for (size_t i = 0; i < agg->count && i < TEXT_ROWS; i++)
		write_row(out, p, &agg->rows[i], options);
	if (agg->count > TEXT_ROWS)
		fprintf(out, "%25s  ... and %zu more\n", "", agg->count - TEXT_ROWS);
}

static struct err *text_write(FILE *out, const struct profile *p,
	const struct export_options *options)
{
	_cleanup_(agg_deinit) struct agg agg = { 0 };
	_cleanup_buf_ struct buf total = BUF_INIT;

	agg_functions(&agg, p);
	units_add_count(&total, p->total);
	fprintf(out, "%s samples", buf_str(&total));
	if (options->unit)
		fprintf(out, ", one every %s", options->unit);
	if (options->command)
		fprintf(out, ": %s", options->command);
	fputc('\n', out);
	write_table(out, p, &agg, AGG_BY_SELF, options);
	write_table(out, p, &agg, AGG_BY_TOTAL, options);
	return ferror(out) ? err_errno(errno, "cannot write the table") : NULL;
}

const struct exporter export_text = {
	.name = "text",
	.extension = "text",
	.summary = "functions by self and total time, as a table",
	.write = text_write,
};

// SPDX-License-Identifier: MIT
/*
 * Tables for reading in a terminal of 80 columns: see enum text_shape. Times if the period is known,
 * else samples; shares are of all samples, of callers and callees those of the function they are
 * listed under.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "export/edges.h"
#include "export/export.h"
#include "export/label.h"
#include "export/text_cells.h"
#include "store/agg.h"

#define TABLE_ROWS 15
#define EDGE_ROWS 5 /* callers or callees of one function */
#define NAME_COLUMNS 24
#define FILE_COLUMNS 20 /* more where the name leaves room */
#define GAP "  "

struct table {
	FILE *out;
	const struct profile *profile;
	const struct export_options *options;
	struct agg agg;
	struct edges edges;
	struct buf line; // the one being made
};

static void table_deinit(struct table *t)
{
	agg_deinit(&t->agg);
	edges_deinit(&t->edges);
	buf_deinit(&t->line);
}

static size_t row_limit(const struct table *t)
{
	return t->options->rows ? t->options->rows : TABLE_ROWS;
}

static void add_file_text(struct buf *out, const struct table *t, const struct store_function *f)
{
	struct label_slice file = label_file(t->profile, f, t->options);

	text_add_visible(out, file.text, file.len);
	if (file.len && f->first_line && !t->options->no_lines)
		buf_printf(out, ":%" PRIu32, f->first_line);
}

/* Name and file share their columns: a long file begins further to the left, after a short name. */
static void add_function(struct table *t, const char *prefix, const struct store_function *f)
{
	_cleanup_buf_ struct buf name = BUF_INIT, file = BUF_INIT;
	const struct store_string *s = &t->profile->strings[f->name];
	size_t room = NAME_COLUMNS + FILE_COLUMNS - strlen(prefix);

	text_add_visible(&name, s->len ? s->text : "?", s->len ? s->len : 1);
	add_file_text(&file, t, f);
	size_t name_width = text_width(name.data, name.len);
	size_t file_width = file.len ? text_width(file.data, file.len) : 0;
	if (name_width > room - FILE_COLUMNS)
		name_width = room - FILE_COLUMNS;
	if (file_width > room - name_width)
		file_width = room - name_width;
	if (file_width < FILE_COLUMNS)
		file_width = FILE_COLUMNS;
	buf_add_str(&t->line, prefix);
	text_add_cell(&t->line, name.data, name.len, room - file_width, CLIP_MIDDLE,
		text_tone_of(t->profile, f), t->options->color);
	if (!file.len)
		return;
	buf_add_str(&t->line, GAP);
	text_add_cell(&t->line, file.data, file.len, file_width, CLIP_START, TONE_FAINT,
		t->options->color);
}

static void add_numbers(
	struct table *t, uint64_t self, uint64_t total, uint64_t whole, bool color)
{
	text_add_amount(&t->line, self, t->profile->total, t->options);
	buf_add_char(&t->line, ' ');
	text_add_percent(&t->line, self, whole, color);
	buf_add_str(&t->line, GAP);
	text_add_amount(&t->line, total, t->profile->total, t->options);
	buf_add_char(&t->line, ' ');
	text_add_percent(&t->line, total, whole, color);
	buf_add_str(&t->line, GAP);
}

static void write_heading(struct table *t, const char *title)
{
	const char *const columns = "    self      %     total      %  function"
				    "                  file:line";

	fprintf(t->out, "\n%s\n\n", title);
	text_add_cell(&t->line, columns, strlen(columns), TEXT_COLUMNS, CLIP_START, TONE_HEAD,
		t->options->color);
	text_end_line(t->out, &t->line);
}

static void write_more(struct table *t, size_t more, const char *indent)
{
	if (more)
		fprintf(t->out, "%34s%s... and %zu more\n", "", indent, more);
}

static void write_function(struct table *t, const struct agg_row *row)
{
	const struct store_function *f = &t->profile->functions[row->function];

	add_numbers(t, row->self, row->total, t->profile->total, t->options->color);
	add_function(t, "", f);
	text_end_line(t->out, &t->line);
}

/* Sorts; how many have what they are sorted by. */
static size_t sort_functions(struct table *t, enum agg_order order)
{
	size_t count = t->agg.count;

	agg_sort(&t->agg, order);
	while (order == AGG_BY_SELF && count && !t->agg.rows[count - 1].self)
		count--;
	return count;
}

static void write_functions(struct table *t, enum agg_order order, const char *title)
{
	size_t count = sort_functions(t, order);

	write_heading(t, title);
	for (size_t i = 0; i < count && i < row_limit(t); i++)
		write_function(t, &t->agg.rows[i]);
	if (count > row_limit(t))
		write_more(t, count - row_limit(t), "");
}

/* ---- callers and callees ---------------------------------------------------------------------- */

static void write_edge(struct table *t, const struct edge *e, bool callers, uint64_t whole)
{
	function_id other = callers ? e->caller : e->callee;

	add_numbers(t, e->self, e->total, whole, false);
	if (other == EDGE_NO_CALLER)
		buf_add_str(&t->line, "  <- (root)");
	else
		add_function(t, callers ? "  <- " : "  -> ", &t->profile->functions[other]);
	text_end_line(t->out, &t->line);
}

static void write_edges_of(struct table *t, const struct agg_row *row, bool callers)
{
	size_t count;
	const struct edge *edges = edges_of(&t->edges,
		callers ? EDGES_BY_CALLEE : EDGES_BY_CALLER, row->function, &count);

	for (size_t i = 0; i < count && i < EDGE_ROWS; i++)
		write_edge(t, &edges[i], callers, row->total);
	if (count > EDGE_ROWS)
		write_more(t, count - EDGE_ROWS, "  ");
}

static void write_edges(struct table *t, bool callers)
{
	size_t shown = sort_functions(t, callers ? AGG_BY_SELF : AGG_BY_TOTAL);

	edges_build(&t->edges, t->profile);
	edges_sort(&t->edges, callers ? EDGES_BY_CALLEE : EDGES_BY_CALLER);
	write_heading(t, callers ?
			"Functions by self time, and what called them (shares: of the function)" :
			"Functions by total time, and what they called (shares: of the function)");
	for (size_t i = 0; i < shown && i < row_limit(t); i++) {
		if (i > 0)
			fputc('\n', t->out);
		write_function(t, &t->agg.rows[i]);
		write_edges_of(t, &t->agg.rows[i], callers);
	}
	if (shown > row_limit(t))
		write_more(t, shown - row_limit(t), "");
}

/* ---- the whole -------------------------------------------------------------------------------- */

/* "2.1 s of all threads together" */
static void add_time(struct buf *out, const struct table *t)
{
	_cleanup_buf_ struct buf time = BUF_INIT;

	text_add_amount(&time, t->profile->total, t->profile->total, t->options);
	buf_printf(out, "%s of all threads together", buf_str(&time) + strspn(buf_str(&time), " "));
}

static void describe_samples(struct buf *out, const struct table *t)
{
	const struct export_options *o = t->options;

	if (o->period_ns == 1) { // measured, not sampled
		add_time(out, t);
		return;
	}
	units_add_count(out, t->profile->total);
	buf_add_str(out, t->profile->total == 1 ? " sample" : " samples");
	if (o->period_ns) {
		buf_add_str(out, ", one every ");
		units_add_duration(out, o->period_ns);
		if (t->profile->total > 0) {
			buf_add_str(out, ": ");
			add_time(out, t);
		}
	} else if (o->unit) {
		buf_printf(out, ", one every %s", o->unit);
	}
}

static void write_summary(struct table *t)
{
	const struct export_options *o = t->options;
	_cleanup_buf_ struct buf text = BUF_INIT, command = BUF_INIT;

	describe_samples(&text, t);
	fprintf(t->out, "%s\n", buf_str(&text));
	if (!o->command)
		return;
	label_visible(&command, o->command, strlen(o->command));
	fprintf(t->out, "%s\n", buf_str(&command));
}

static struct err *text_write(
	FILE *out, const struct profile *p, const struct export_options *options)
{
	_cleanup_(table_deinit)
		struct table t = { .out = out, .profile = p, .options = options };

	write_summary(&t);
	agg_functions(&t.agg, p);
	switch (p->total ? options->shape : TEXT_TABLE) {
	case TEXT_TABLE:
		if (!p->total)
			break;
		write_functions(&t, AGG_BY_SELF, "By self time");
		write_functions(&t, AGG_BY_TOTAL, "By total time");
		break;
	case TEXT_CALLERS:
		write_edges(&t, true);
		break;
	case TEXT_CALLEES:
		write_edges(&t, false);
		break;
	case TEXT_TREE:
		text_write_tree(out, p, options);
		break;
	}
	return ferror(out) ? err_errno(errno, "cannot write the table") : NULL;
}

const struct exporter export_text = {
	.name = "text",
	.extension = "text",
	.summary = "tables of functions, their callers and callees, or the call tree",
	.write = text_write,
};

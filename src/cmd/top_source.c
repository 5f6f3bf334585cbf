// SPDX-License-Identifier: MIT
/* The file of a function, with what each of its lines costs. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cmd/top_parts.h"
#include "store/place.h"

#define NO_FUNCTION UINT32_MAX

static void forget_text(struct top_source *s)
{
	buf_deinit(&s->text);
	buf_deinit(&s->note);
	free(s->lines);
	s->lines = NULL;
	s->line_count = s->line_capacity = 0;
	s->read = false;
}

void top_source_deinit(struct top_source *s)
{
	forget_text(s);
	if (s->opened)
		sources_deinit(&s->sources);
	s->opened = false;
}

/* ---- text ------------------------------------------------------------------------------------- */

static void split_lines(struct top_source *s)
{
	char *end = s->text.data + s->text.len;

	for (char *line = s->text.data; line < end;) {
		char *stop = memchr(line, '\n', (size_t)(end - line));

		array_reserve(s->lines, s->line_capacity, s->line_count + 1);
		s->lines[s->line_count++] = line;
		if (!stop)
			break;
		*stop = 0;
		line = stop + 1;
	}
}

/* Once for as long as functions of one file are looked at. */
static void read_file(struct top_model *m, string_id file)
{
	struct top_source *s = &m->parts->source;
	struct export_source found;

	if (s->read && s->file == file)
		return;
	top_source_deinit(s);
	s->read = true;
	s->file = file;
	sources_init(&s->sources, m->capture, m->files);
	s->opened = true;
	if (!s->sources.exported.find(
		    s->sources.exported.data, capture_text(m->capture, file), &found)) {
		buf_add_str(&s->note, "not a Python file that can be read here");
		return;
	}
	buf_add(&s->text, found.text, found.len);
	buf_add_str(&s->note, found.note);
	if (s->text.len)
		split_lines(s);
}

/* ---- which function --------------------------------------------------------------------------- */

static bool has_file(const struct profile *p, function_id function)
{
	return p->functions[function].kind == FUNCTION_PYTHON;
}

/* The one with the most samples of its own, of those that have a file. */
static function_id hottest(const struct top_model *m)
{
	const struct profile *p = &m->capture->tables;
	const struct top_tallies *t = &m->parts->tallies;
	function_id best = NO_FUNCTION;
	double most = -1;

	for (size_t i = 0; i < t->count; i++) {
		if (!has_file(p, t->items[i].id) || t->items[i].self <= most)
			continue;
		most = t->items[i].self;
		best = t->items[i].id;
	}
	return best;
}

static function_id choose(struct top_model *m, const struct top_query *query)
{
	const struct profile *p = &m->capture->tables;

	if (query->selected && query->selected <= p->function_count)
		return (function_id)(query->selected - 1);
	top_tally_stacks(m, false);
	return hottest(m);
}

/* ---- lines ------------------------------------------------------------------------------------ */

/* Where of the function most was seen: its own time first, then what it called. */
struct heat {
	uint32_t line;
	double self, total;
};

static void warm(struct heat *h, const struct top_tally *t, uint32_t line)
{
	bool more = t->self > h->self || (t->self >= h->self && t->total > h->total);

	if (!more)
		return;
	*h = (struct heat){ line, t->self, t->total };
}

/* Adds what a frame costs to the row of its line; false if that is not among the rows. */
static void add_frame(struct top_model *m, const struct top_tally *t, uint32_t first)
{
	struct top_parts *parts = m->parts;
	const struct store_frame *frame = &m->capture->tables.frames[t->id];

	if (frame->line < first || frame->line - first >= parts->row_count)
		return;
	struct top_row *row = &parts->rows[frame->line - first];
	row->function = (uint64_t)frame->function + 1;
	top_measure(parts, row, t->self + row->self * parts->all,
		t->total + row->total * parts->all, row->self_samples + t->self_samples,
		row->total_samples + t->total_samples);
}

/* All lines of the file, or as many as there may be rows, those of the function among them. */
static uint32_t add_text(struct top_model *m, uint32_t function_line)
{
	const struct top_source *s = &m->parts->source;
	uint32_t first = 1;

	if (s->line_count > TOP_ROWS_MAX && function_line > TOP_ROWS_MAX / 4)
		first = function_line - TOP_ROWS_MAX / 4;
	for (size_t i = first - 1; i < s->line_count && i - (first - 1) < TOP_ROWS_MAX; i++)
		*top_add_row(m->parts) = (struct top_row){
			.key = i + 1, .name = s->lines[i], .line = (uint32_t)i + 1
		};
	return first;
}

/* Without a text: lines of the function that were seen. */
static void add_bare_line(struct top_model *m, const struct top_tally *t)
{
	uint32_t line = m->capture->tables.frames[t->id].line;
	struct top_row *row = top_add_row(m->parts);

	*row = (struct top_row){ .key = (uint64_t)line + 1, .name = "", .line = line };
	row->function = (uint64_t)m->capture->tables.frames[t->id].function + 1;
	top_measure(m->parts, row, t->self, t->total, t->self_samples, t->total_samples);
}

static int compare_lines(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

static void add_lines(struct top_model *m, function_id function, struct top_frame *frame)
{
	const struct profile *p = &m->capture->tables;
	const struct store_function *f = &p->functions[function];
	struct top_tallies *tallies = &m->parts->tallies;
	struct heat heat = { .line = f->first_line, .self = -1 };
	bool bare = !m->parts->source.line_count;
	uint32_t first = bare ? 0 : add_text(m, f->first_line);

	top_tally_stacks(m, true);
	for (size_t i = 0; i < tallies->count; i++) {
		const struct top_tally *t = &tallies->items[i];
		const struct store_frame *at = &p->frames[t->id];

		if (at->function == function && at->line)
			warm(&heat, t, at->line);
		if (!bare && p->functions[at->function].file == f->file)
			add_frame(m, t, first);
		else if (bare && at->function == function)
			add_bare_line(m, t);
	}
	if (bare && m->parts->row_count)
		qsort(m->parts->rows, m->parts->row_count, sizeof(*m->parts->rows), compare_lines);
	frame->source_line = heat.line;
}

void top_source_fill(struct top_model *m, const struct top_query *query, struct top_frame *frame)
{
	const struct profile *p = &m->capture->tables;
	function_id function = choose(m, query);

	if (function == NO_FUNCTION) {
		frame->source_note = "no samples of a function with a file yet";
		return;
	}
	frame->source_function = profile_text(p, p->functions[function].name);
	if (!has_file(p, function)) {
		frame->source_note = "this is no function: it has no source";
		return;
	}
	const struct store_string *file = &p->strings[p->functions[function].file];
	frame->source_file = place_short(file->text, file->len, capture_fact(m->capture, FACT_CWD));
	read_file(m, p->functions[function].file);
	if (m->parts->source.note.len)
		frame->source_note = buf_str(&m->parts->source.note);
	add_lines(m, function, frame);
}

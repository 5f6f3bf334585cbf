// SPDX-License-Identifier: MIT
/*
 * Text as `perf script` prints it, for FlameScope, stackcollapse-perf.pl, inferno, speedscope and the
 * Firefox Profiler:
 *
 *	MainThread 4711/4712 1461085732.541613:          1 samples:
 *		               c py::View.get:views.py:12 (/srv/app/views.py)
 *		              28 py::<module>:run.py:40 (/srv/app/run.py)
 *
 * After a header of facts in comments. Leaf first; an empty line ends a sample. The period is the number of ticks the sample stands for,
 * so that what adds up periods gets the counts of every other format. Python names are as in CPython's
 * own perf support, `py::name:file`, with the line (in place of an address it is there too). Readers
 * take the line apart at spaces and parentheses:
 *
 *	thread names   white space is `_`, and a number cannot stand alone
 *	marks          [truncated] instead of (truncated): what begins with ( is left out by readers
 *	files          white space and parentheses are \xHH
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "export/export.h"
#include "export/ids.h"
#include "export/label.h"
#include "export/sample_clock.h"
#include "fmt/digits.h"

struct perfscript {
	FILE *out;
	struct view *view;
	const struct export_options *options;
	struct export_ids ids;
	struct sample_clock clock;
	struct buf *names; // by thread
	size_t thread_count;
	struct buf lines; // of frames, as they are written, each ended with 0
	size_t *line_at;  // by frame: place in `lines`, plus 1
	size_t frame_capacity;
};

static void perfscript_deinit(struct perfscript *w)
{
	for (size_t i = 0; i < w->thread_count; i++)
		buf_deinit(&w->names[i]);
	free(w->names);
	free(w->line_at);
	buf_deinit(&w->lines);
	export_ids_deinit(&w->ids);
	sample_clock_deinit(&w->clock);
}

/* White space as JavaScript's and Python's expressions have it, beyond ASCII. */
static bool is_wide_space(uint32_t c)
{
	return c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f ||
		c == 0x205f || c == 0x3000 || c == 0xfeff;
}

static void add_thread_name(struct buf *out, const char *text)
{
	_cleanup_buf_ struct buf escaped = BUF_INIT;
	size_t start = out->len;

	label_escape(&escaped, text, strlen(text));
	for (size_t i = 0; i < escaped.len;) {
		uint32_t c;

		i += utf8_decode((const unsigned char *)escaped.data + i, escaped.len - i, &c);
		// some readers see an event line in what begins with #, a pid in a number
		if (c == ' ' || is_wide_space(c) || (c == '#' && out->len == start))
			buf_add_char(out, '_');
		else
			utf8_add(out, c);
	}
	if (out->len == start)
		buf_add_str(out, "thread");
	if (out->len - start == 1)
		buf_add_char(out, '_'); // two at least, says stackcollapse-perf.pl
}

static void add_file(struct buf *out, const char *text, size_t len)
{
	_cleanup_buf_ struct buf escaped = BUF_INIT;

	label_escape(&escaped, text, len);
	for (size_t i = 0; i < escaped.len;) {
		uint32_t c;

		i += utf8_decode((const unsigned char *)escaped.data + i, escaped.len - i, &c);
		if (c == ' ' || c == '(' || c == ')')
			buf_printf(out, "\\x%02x", c);
		else if (is_wide_space(c))
			buf_printf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
		else
			utf8_add(out, c);
	}
}

/* "(idle)" is [idle]. */
static void add_plain_name(struct buf *out, const char *text, size_t len)
{
	bool mark = len > 1 && text[0] == '(' && text[len - 1] == ')';

	if (mark)
		buf_add_char(out, '[');
	else if (len && text[0] == '(')
		buf_add_char(out, '_');
	label_escape(out, text + mark, len - 2 * mark);
	if (mark)
		buf_add_char(out, ']');
	if (!len)
		buf_add_char(out, '?');
}

static void add_python_name(
	struct perfscript *w, const struct store_function *f, uint32_t line)
{
	const struct profile *p = view_tables(w->view);
	const struct store_string *name = &p->strings[f->name];
	struct label_slice file = label_file(p, f, w->options);

	buf_add_str(&w->lines, "py::");
	label_escape(&w->lines, name->len ? name->text : "?", name->len ? name->len : 1);
	if (!file.len)
		return;
	buf_add_char(&w->lines, ':');
	add_file(&w->lines, file.text, file.len);
	if (line && !w->options->no_lines)
		buf_printf(&w->lines, ":%" PRIu32, line);
}

static const char *frame_line(struct perfscript *w, frame_id id)
{
	const struct profile *p = view_tables(w->view);
	const struct store_frame *frame = &p->frames[id];
	const struct store_function *f = &p->functions[frame->function];
	const struct store_string *name = &p->strings[f->name], *file = &p->strings[f->file];
	uint32_t line = w->options->functions ? f->first_line : frame->line;
	size_t had = w->frame_capacity;

	array_reserve(w->line_at, w->frame_capacity, id + 1);
	memset(w->line_at + had, 0, (w->frame_capacity - had) * sizeof(*w->line_at));
	if (w->line_at[id])
		return w->lines.data + w->line_at[id] - 1;
	w->line_at[id] = w->lines.len + 1;
	buf_printf(&w->lines, "\t%16" PRIx32 " ", line);
	if (f->kind == FUNCTION_PYTHON)
		add_python_name(w, f, line);
	else
		add_plain_name(&w->lines, name->text, name->len);
	buf_add_str(&w->lines, " (");
	if (file->len)
		add_file(&w->lines, file->text, file->len);
	else
		buf_add_str(&w->lines, "[unknown]");
	buf_add_str(&w->lines, ")\n");
	buf_add_char(&w->lines, 0);
	return w->lines.data + w->line_at[id] - 1;
}

/* As of `perf script --header`: also what tells readers what a file without samples is. */
static void put_header(struct perfscript *w)
{
	const struct capture *c = view_capture(w->view);
	_cleanup_buf_ struct buf line = BUF_INIT;

	fputs("# ========\n", w->out);
	for (size_t i = 0; i < c->fact_count; i++) {
		const char *key = capture_text(c, c->facts[i].key);
		const char *value = capture_text(c, c->facts[i].value);

		buf_clear(&line);
		label_escape(&line, key, strlen(key));
		buf_add_str(&line, " : ");
		label_escape(&line, value, strlen(value));
		fprintf(w->out, "# %s\n", buf_str(&line));
	}
	fputs("# ========\n#\n", w->out);
}

static void put_sample(struct perfscript *w, const struct capture_sample *s)
{
	const struct capture *c = view_capture(w->view);
	const struct profile *p = view_tables(w->view);
	struct sample_time time = sample_clock_next(&w->clock, s);
	uint64_t us = (w->clock.origin_ns + time.begin_ns) / 1000;

	fputs(buf_str(&w->names[s->thread]), w->out);
	fputc(' ', w->out);
	digits_put(w->out, export_ids_pid(&w->ids, c, c->threads[s->thread].process));
	fputc('/', w->out);
	digits_put(w->out, w->ids.tids[s->thread]);
	fputc(' ', w->out);
	digits_put(w->out, us / 1000000);
	fputc('.', w->out);
	digits_put_padded(w->out, us % 1000000, 6);
	fputs(":          ", w->out);
	digits_put(w->out, s->count);
	fputs(" samples:\n", w->out);
	for (stack_id stack = view_marked_stack(w->view); stack != STACK_NONE;
		stack = p->stacks[stack].parent)
		fputs(frame_line(w, p->stacks[stack].frame), w->out);
	fputc('\n', w->out);
}

static struct err *perfscript_write(
	FILE *out, struct view *v, const struct export_options *options)
{
	const struct capture *c = view_capture(v);
	_cleanup_(perfscript_deinit) struct perfscript w = {
		.out = out,
		.view = v,
		.options = options,
		.names = xcalloc(c->thread_count, sizeof(*w.names)),
		.thread_count = c->thread_count,
	};
	const struct capture_sample *s;

	export_ids_init(&w.ids, c);
	sample_clock_init(&w.clock, v);
	for (size_t i = 0; i < c->thread_count; i++)
		add_thread_name(&w.names[i], capture_text(c, c->threads[i].name));
	put_header(&w);
	view_begin(v);
	while ((s = view_next(v)))
		put_sample(&w, s);
	struct err *err = view_end(v);
	if (err)
		return err;
	return ferror(out) ? err_errno(errno, "cannot write the samples") : NULL;
}

const struct exporter export_perfscript = {
	.name = "perfscript",
	.extension = "perf",
	.summary = "text as of perf script, for FlameScope, stackcollapse-perf.pl and others",
	.write_view = perfscript_write,
};

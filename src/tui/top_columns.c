// SPDX-License-Identifier: MIT
/* What the columns of each view say. */
#include <string.h>

#include "base/units.h"
#include "base/utf8.h"
#include "tui/parts.h"
#include "tui/top_state.h"

#define TAB_STOP 8

/* ---- cells ------------------------------------------------------------------------------------ */

static double self_of(const struct top_row *row)
{
	return row->self;
}

static double total_of(const struct top_row *row)
{
	return row->total;
}

static double cpu_of(const struct top_row *row)
{
	return row->cpu;
}

static double gil_of(const struct top_row *row)
{
	return row->gil;
}

static double gil_wait_of(const struct top_row *row)
{
	return row->gil_wait;
}

static double gc_of(const struct top_row *row)
{
	return row->gc;
}

static void add_heat_of_line(struct buf *out, double share)
{
	if (share > 0)
		parts_add_percent(out, share);
}

static void add_self(struct top *t, const struct top_row *row, struct buf *out)
{
	(void)t;
	parts_add_percent(out, row->self);
}

static void add_total(struct top *t, const struct top_row *row, struct buf *out)
{
	(void)t;
	parts_add_percent(out, row->total);
}

/* Most lines of a source have nothing to say. */
static void add_line_self(struct top *t, const struct top_row *row, struct buf *out)
{
	(void)t;
	add_heat_of_line(out, row->self);
}

static void add_line_total(struct top *t, const struct top_row *row, struct buf *out)
{
	(void)t;
	add_heat_of_line(out, row->total);
}

static void add_half_width(struct top *t, const struct top_row *row, struct buf *out)
{
	(void)t;
	if (row->self > 0)
		parts_add_percent(out, row->half_width);
}

static void add_samples(struct top *t, const struct top_row *row, struct buf *out)
{
	(void)t;
	if (row->total_samples)
		units_add_count(out, row->total_samples);
}

static void add_process(struct top *t, const struct top_row *row, struct buf *out)
{
	(void)t;
	if (!row->process)
		return;
	if (row->pid)
		buf_printf(out, "%u ", row->pid);
	buf_add_str(out, row->process);
}

static void add_name(struct top *t, const struct top_row *row, struct buf *out)
{
	(void)t;
	buf_add_str(out, row->name ? row->name : "");
}

static void add_thread(struct top *t, const struct top_row *row, struct buf *out)
{
	if (row->is_open_thread)
		buf_add_str(out, t->canvas.ascii ? "> " : "▸ ");
	buf_add_str(out, row->name && *row->name ? row->name : "(no name)");
}

static void add_place(struct top *t, const struct top_row *row, struct buf *out)
{
	(void)t;
	if (!row->file)
		return;
	buf_add_str(out, row->file);
	if (row->line)
		buf_printf(out, ":%u", row->line);
}

static void add_tid(struct top *t, const struct top_row *row, struct buf *out)
{
	(void)t;
	if (row->tid)
		buf_printf(out, "%u", row->tid);
}

static void add_cpu(struct top *t, const struct top_row *row, struct buf *out)
{
	(void)t;
	parts_add_percent(out, row->cpu);
}

static void add_gil(struct top *t, const struct top_row *row, struct buf *out)
{
	(void)t;
	parts_add_percent(out, row->gil);
}

static void add_gil_wait(struct top *t, const struct top_row *row, struct buf *out)
{
	(void)t;
	parts_add_percent(out, row->gil_wait);
}

static void add_gc(struct top *t, const struct top_row *row, struct buf *out)
{
	(void)t;
	parts_add_percent(out, row->gc);
}

static void add_state(struct top *t, const struct top_row *row, struct buf *out)
{
	(void)t;
	buf_add_str(out, row->state ? row->state : "");
}

static void add_line_number(struct top *t, const struct top_row *row, struct buf *out)
{
	(void)t;
	buf_printf(out, "%u", row->line);
}

/* Past a command to the terminal, such as one for a colour; NULL: there is none here. */
static const char *skip_escape(const char *s)
{
	if (*s != '\033')
		return NULL;
	s++;
	if (*s == '[') {
		s++;
		while (*s >= 0x20 && *s < 0x40)
			s++;
		return *s ? s + 1 : s;
	}
	if (*s == ']') {
		while (*s && *s != '\a' && *s != '\033')
			s++;
		return *s == '\033' && s[1] == '\\' ? s + 2 : *s ? s + 1 : s;
	}
	return *s ? s + 1 : s;
}

/* A line of text from a column on: tabs have their width, colours are left out. */
static void add_text(struct top *t, const struct top_row *row, struct buf *out)
{
	int skip = t->panes[t->query.view].shift, column = 0;

	for (const char *s = row->name ? row->name : ""; *s;) {
		const char *after = skip_escape(s);
		uint32_t code;

		if (after) {
			s = after;
			continue;
		}
		size_t taken = utf8_decode((const unsigned char *)s, strnlen(s, 4), &code);
		int width = code == '\t' ? TAB_STOP - column % TAB_STOP : 1;

		for (int i = 0; code == '\t' && i < width; i++)
			if (column + i >= skip)
				buf_add_char(out, ' ');
		if (code != '\t' && column >= skip)
			buf_add(out, s, taken);
		column += width;
		s += taken;
	}
}

/* ---- columns ---------------------------------------------------------------------------------- */

#define NO_SORT TOP_SORTS

#define COLUMN_SELF                                                                                \
	{ "SELF%", 7, 0, 0, TOP_BY_SELF, FIT_RIGHT, TONE_PLAIN, self_of, add_self, false, false }
#define COLUMN_TOTAL                                                                               \
	{ "TOTAL%", 7, 0, 0, TOP_BY_TOTAL, FIT_RIGHT, TONE_PLAIN, total_of, add_total, false, false }
#define COLUMN_HALF                                                                                \
	{ "+-", 5, 0, 100, NO_SORT, FIT_RIGHT, TONE_FAINT, NULL, add_half_width, false, false }
#define COLUMN_SAMPLES                                                                             \
	{ "SAMPLES", 9, 0, 110, NO_SORT, FIT_RIGHT, TONE_PLAIN, NULL, add_samples, false, false }
#define COLUMN_PROCESS                                                                             \
	{ "PROCESS", 16, 0, 60, NO_SORT, FIT_LEFT, TONE_FAINT, NULL, add_process, false, true }
#define COLUMN_BAR(of)                                                                             \
	{ "", 16, 0, 150, NO_SORT, FIT_LEFT, TONE_PLAIN, of, NULL, true, false }
#define COLUMN_FUNCTION                                                                            \
	{ "FUNCTION", 0, 3, 0, TOP_BY_NAME, FIT_LEFT, TONE_STRONG, NULL, add_name, false, false }
#define COLUMN_FILE                                                                                \
	{ "FILE", 0, 2, 44, TOP_BY_FILE, FIT_TAIL, TONE_FAINT, NULL, add_place, false, false }
#define COLUMN_END { NULL, 0, 0, 0, NO_SORT, FIT_LEFT, TONE_PLAIN, NULL, NULL, false, false }

static const struct top_column functions[] = { COLUMN_SELF, COLUMN_HALF, COLUMN_TOTAL,
	COLUMN_SAMPLES, COLUMN_BAR(self_of), COLUMN_PROCESS, COLUMN_FUNCTION, COLUMN_FILE,
	COLUMN_END };

static const struct top_column lines[] = { COLUMN_SELF, COLUMN_HALF, COLUMN_TOTAL, COLUMN_SAMPLES,
	COLUMN_BAR(self_of), COLUMN_PROCESS,
	{ "LINE", 0, 3, 0, TOP_BY_FILE, FIT_TAIL, TONE_STRONG, NULL, add_place, false, false },
	{ "FUNCTION", 0, 3, 44, TOP_BY_NAME, FIT_LEFT, TONE_FAINT, NULL, add_name, false, false },
	COLUMN_END };

static const struct top_column threads[] = {
	{ "CPU%", 6, 0, 0, TOP_BY_CPU, FIT_RIGHT, TONE_PLAIN, cpu_of, add_cpu, false, false },
	{ "GIL%", 6, 0, 0, TOP_BY_GIL, FIT_RIGHT, TONE_PLAIN, gil_of, add_gil, false, false },
	{ "WAIT%", 6, 0, 0, NO_SORT, FIT_RIGHT, TONE_PLAIN, gil_wait_of, add_gil_wait, false, false },
	{ "GC%", 5, 0, 70, NO_SORT, FIT_RIGHT, TONE_PLAIN, gc_of, add_gc, false, false },
	COLUMN_SAMPLES, COLUMN_BAR(cpu_of),
	{ "TID", 8, 0, 60, NO_SORT, FIT_RIGHT, TONE_FAINT, NULL, add_tid, false, false },
	COLUMN_PROCESS,
	{ "THREAD", 0, 2, 0, TOP_BY_NAME, FIT_LEFT, TONE_STRONG, NULL, add_thread, false, false },
	{ "STATE", 17, 0, 50, NO_SORT, FIT_LEFT, TONE_GOOD, NULL, add_state, false, false },
	{ "AT", 0, 2, 70, TOP_BY_FILE, FIT_TAIL, TONE_FAINT, NULL, add_place, false, false },
	COLUMN_END
};

static const struct top_column source[] = {
	{ "SELF%", 6, 0, 0, NO_SORT, FIT_RIGHT, TONE_PLAIN, self_of, add_line_self, false, false },
	{ "TOTAL%", 6, 0, 40, NO_SORT, FIT_RIGHT, TONE_PLAIN, total_of, add_line_total, false, false },
	COLUMN_BAR(total_of),
	{ "LINE", 6, 0, 0, NO_SORT, FIT_RIGHT, TONE_FAINT, NULL, add_line_number, false, false },
	{ "SOURCE", 0, 1, 0, NO_SORT, FIT_LEFT, TONE_PLAIN, NULL, add_text, false, false },
	COLUMN_END
};

/* Not yet the tree's guides: they need the rows above. */
static const struct top_column tree[] = { COLUMN_TOTAL, COLUMN_SELF, COLUMN_SAMPLES,
	COLUMN_BAR(total_of), COLUMN_PROCESS,
	{ "CALL TREE", 0, 5, 0, TOP_BY_NAME, FIT_LEFT, TONE_PLAIN, NULL, add_name, false, false },
	COLUMN_FILE, COLUMN_END };

static const struct top_column output[] = {
	{ "OUTPUT", 0, 1, 0, NO_SORT, FIT_LEFT, TONE_PLAIN, NULL, add_text, false, false }, COLUMN_END
};

static const struct top_view_ops views[TOP_VIEWS] = {
	[TOP_FUNCTIONS] = { "Functions", "no samples that count here", functions,
		{ TOP_BY_SELF, TOP_BY_TOTAL, TOP_BY_NAME, TOP_BY_FILE, TOP_SORTS } },
	[TOP_LINES] = { "Lines", "no samples that count here", lines,
		{ TOP_BY_SELF, TOP_BY_TOTAL, TOP_BY_FILE, TOP_BY_NAME, TOP_SORTS } },
	[TOP_THREADS] = { "Threads", "no threads here", threads,
		{ TOP_BY_CPU, TOP_BY_GIL, TOP_BY_NAME, TOP_BY_FILE, TOP_SORTS } },
	[TOP_TREE] = { "Tree", "no samples that count here", tree,
		{ TOP_BY_TOTAL, TOP_BY_SELF, TOP_BY_NAME, TOP_BY_FILE, TOP_SORTS } },
	[TOP_SOURCE] = { "Source", "no source here", source, { TOP_SORTS } },
	[TOP_OUTPUT] = { "Output", "the command has written nothing yet", output, { TOP_SORTS } },
};

const struct top_view_ops *top_view_ops(enum top_view view)
{
	return &views[view < TOP_VIEWS ? view : TOP_FUNCTIONS];
}

size_t top_sort_count(enum top_view view)
{
	size_t count = 0;

	while (views[view].sorts[count] != TOP_SORTS)
		count++;
	return count;
}

static const struct {
	const char *name;
	char key;
} sorts[TOP_SORTS] = {
	[TOP_BY_SELF] = { "self time", 'S' },
	[TOP_BY_TOTAL] = { "total time", 'T' },
	[TOP_BY_NAME] = { "name", 'N' },
	[TOP_BY_FILE] = { "file and line", 'F' },
	[TOP_BY_CPU] = { "CPU", 'C' },
	[TOP_BY_GIL] = { "GIL", 'G' },
};

const char *top_sort_name(enum top_sort sort)
{
	return sort < TOP_SORTS ? sorts[sort].name : "";
}

uint32_t top_sort_key(enum top_sort sort)
{
	return sort < TOP_SORTS ? (uint32_t)sorts[sort].key : SCREEN_KEY_NONE;
}

bool top_column_is_name(const struct top_column *column)
{
	return column->add == add_name;
}

// SPDX-License-Identifier: MIT
/* What samples refer to: only what they do gets a row in the page. */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "export/page.h"
#include "fmt/varint.h"

/* ---- rows ------------------------------------------------------------------------------------- */

static void use(struct page_rows *rows, uint32_t id)
{
	if (rows->of[id])
		return;
	rows->ids[rows->count++] = id;
	rows->of[id] = rows->count;
}

static void init_rows(struct page_rows *rows, size_t ids)
{
	rows->of = xcalloc(ids, sizeof(*rows->of));
	rows->ids = xcalloc(ids, sizeof(*rows->ids));
	rows->count = 0;
}

uint32_t page_string(const struct page *p, string_id id)
{
	return p->strings.of[id] - 1;
}

uint32_t page_text(const struct page *p, string_id id)
{
	return p->strings.count + p->texts.of[id] - 1;
}

/* A stack's callers have its samples too. Callers come before their callees in the table. */
static void add_up(struct page *p, const struct profile *tables)
{
	for (size_t i = p->totals_capacity; i-- > 0;) {
		stack_id parent = p->totals[i] ? tables->stacks[i].parent : STACK_NONE;

		if (parent != STACK_NONE)
			page_count(&p->totals[parent], p->totals[i]);
	}
}

static void use_frame(struct page *p, const struct profile *tables, frame_id frame)
{
	const struct store_frame *f = &tables->frames[frame];
	const struct store_function *function = &tables->functions[f->function];

	use(&p->frames, frame);
	use(&p->functions, f->function);
	use(&p->strings, function->name);
	use(&p->strings, function->file);
}

/*
 * Without line numbers, frames of one function are one: its first. `first` is by function: frame + 1.
 */
static frame_id frame_to_use(
	const struct page *p, const struct profile *tables, frame_id *first, frame_id frame)
{
	function_id function = tables->frames[frame].function;

	if (!p->options->no_lines)
		return frame;
	if (!first[function])
		first[function] = frame + 1;
	return first[function] - 1;
}

static void number_stacks(struct page *p, const struct profile *tables)
{
	_cleanup_free_ frame_id *first = xcalloc(tables->function_count, sizeof(*first));

	for (size_t i = 0; i < p->totals_capacity; i++) {
		if (!p->totals[i])
			continue;
		frame_id frame = tables->stacks[i].frame;
		frame_id used = frame_to_use(p, tables, first, frame);

		use(&p->stacks, (stack_id)i);
		use_frame(p, tables, used);
		p->frames.of[frame] = p->frames.of[used];
	}
}

void page_use_text(struct page *p, string_id id)
{
	use(&p->texts, id);
}

void page_use_thread(struct page *p, uint32_t row)
{
	const struct capture *c = view_capture(p->view);

	if (row >= c->thread_count || p->threads[row].used)
		return;
	p->threads[row].used = true;
	use(&p->texts, c->threads[row].name);
	if (c->threads[row].process < c->process_count)
		p->processes[c->threads[row].process] = true;
}

static void number_threads(struct page *p)
{
	const struct capture *c = view_capture(p->view);
	uint32_t threads = 0, processes = 0;

	for (size_t i = 0; i < c->thread_count; i++)
		if (p->threads[i].used)
			p->threads[i].row = threads++;
	for (size_t i = 0; i < c->process_count; i++) {
		if (!p->processes[i])
			continue;
		p->process_rows[i] = processes++;
		use(&p->texts, c->processes[i].name);
		use(&p->texts, c->processes[i].command);
	}
}

static bool in_time(const struct page *p, uint64_t start_ns, uint64_t end_ns)
{
	const struct selection *s = view_selection(p->view);

	return end_ns >= s->from_ns && (!s->to_ns || start_ns < s->to_ns);
}

bool page_has_marker(const struct page *p, const struct capture_marker *m)
{
	const struct selection *s = view_selection(p->view);
	bool of_thread = m->thread < view_capture(p->view)->thread_count;

	// what was not selected of threads has no samples
	if ((s->threads[0] || s->processes[0]) && of_thread && !p->threads[m->thread].samples)
		return false;
	return in_time(p, m->start_ns, m->end_ns);
}

bool page_has_loss(const struct page *p, const struct capture_loss *loss)
{
	return in_time(p, loss->time_ns, loss->time_ns);
}

static void use_markers(struct page *p)
{
	const struct capture *c = view_capture(p->view);

	for (size_t i = 0; i < c->marker_count; i++) {
		const struct capture_marker *m = &c->markers[i];

		if (!page_has_marker(p, m))
			continue;
		page_use_thread(p, m->thread);
		if (m->process < c->process_count)
			p->processes[m->process] = true;
		use(&p->texts, m->name);
		use(&p->texts, m->text);
	}
}

void page_number(struct page *p)
{
	const struct capture *c = view_capture(p->view);
	const struct profile *tables = view_tables(p->view);

	init_rows(&p->strings, tables->string_count);
	init_rows(&p->functions, tables->function_count);
	init_rows(&p->frames, tables->frame_count);
	init_rows(&p->stacks, tables->stack_count);
	init_rows(&p->texts, c->tables.string_count);
	p->surveyed = tables->stack_count;
	add_up(p, tables);
	number_stacks(p, tables);
	for (size_t i = 0; i < c->thread_count; i++)
		if (p->threads[i].samples)
			page_use_thread(p, (uint32_t)i);
	use_markers(p);
	page_number_spans(p);
	number_threads(p);
}

/* ---- columns ---------------------------------------------------------------------------------- */

enum {
	FUNCTION_NAME,
	FUNCTION_FILE,
	FUNCTION_LINE,
	FUNCTION_KIND,
	FRAME_FUNCTION,
	FRAME_LINE,
	STACK_PARENT,
	STACK_FRAME,
	TABLES
};

_Static_assert(TABLES + PAGE_SPAN_TABLES == PAGE_TABLES, "tables are counted");

static void put(struct page_table *t, uint64_t value)
{
	char bytes[VARINT_MAX];

	buf_add(&t->bytes, bytes, (size_t)(varint_put(bytes, value) - bytes));
	t->count++;
}

static void put_difference(struct page_table *t, uint32_t value, uint32_t *before)
{
	put(t, varint_zigzag((uint64_t)value - *before));
	*before = value;
}

static void put_functions(const struct page *p, struct page_table *tables)
{
	const struct profile *from = view_tables(p->view);

	for (uint32_t row = 0; row < p->functions.count; row++) {
		const struct store_function *f = &from->functions[p->functions.ids[row]];

		put(&tables[FUNCTION_NAME], page_string(p, f->name));
		put(&tables[FUNCTION_FILE], page_string(p, f->file));
		put(&tables[FUNCTION_LINE], p->options->no_lines ? 0 : f->first_line);
		put(&tables[FUNCTION_KIND], f->kind);
	}
}

static void put_frames(const struct page *p, struct page_table *tables)
{
	const struct profile *from = view_tables(p->view);
	uint32_t before = 0;

	for (uint32_t row = 0; row < p->frames.count; row++) {
		const struct store_frame *f = &from->frames[p->frames.ids[row]];

		put_difference(&tables[FRAME_FUNCTION], p->functions.of[f->function] - 1, &before);
		put(&tables[FRAME_LINE], p->options->no_lines ? 0 : f->line);
	}
}

static void put_stacks(const struct page *p, struct page_table *tables)
{
	const struct profile *from = view_tables(p->view);
	uint32_t before = 0;

	for (uint32_t row = 0; row < p->stacks.count; row++) {
		const struct store_stack *s = &from->stacks[p->stacks.ids[row]];

		// a parent comes before its children
		put(&tables[STACK_PARENT],
			s->parent == STACK_NONE ? 0 : row + 1 - p->stacks.of[s->parent]);
		put_difference(&tables[STACK_FRAME], p->frames.of[s->frame] - 1, &before);
	}
}

void page_make_tables(const struct page *p, struct page_table tables[PAGE_TABLES])
{
	static const char *const names[TABLES] = {
		[FUNCTION_NAME] = "functions.name",
		[FUNCTION_FILE] = "functions.file",
		[FUNCTION_LINE] = "functions.line",
		[FUNCTION_KIND] = "functions.kind",
		[FRAME_FUNCTION] = "frames.func",
		[FRAME_LINE] = "frames.line",
		[STACK_PARENT] = "stacks.parent",
		[STACK_FRAME] = "stacks.frame",
	};

	for (int i = 0; i < TABLES; i++)
		tables[i] = (struct page_table){ .name = names[i] };
	put_functions(p, tables);
	put_frames(p, tables);
	put_stacks(p, tables);
	page_make_span_tables(p, tables + TABLES);
}

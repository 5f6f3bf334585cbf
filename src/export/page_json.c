// SPDX-License-Identifier: MIT
/* All of a page's data but the columns. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "export/page.h"
#include "fmt/json_writer.h"
#include "store/place.h"

static const char *const origins[] = {
	[PLACE_OWN] = "own",
	[PLACE_PACKAGE] = "package",
	[PLACE_STDLIB] = "stdlib",
};

static const char *const reasons[] = {
	[LOSS_MISSED] = "missed",
	[LOSS_ROOM] = "no room",
	[LOSS_SPACE] = "no space",
};

static void begin(struct json_writer *w, const char *key)
{
	json_key(w, key);
	json_begin_array(w);
}

/* ---- facts ------------------------------------------------------------------------------------ */

static void put_fact(struct json_writer *w, const char *key, const char *value)
{
	json_begin_array(w);
	json_cstring(w, key);
	json_cstring(w, value);
	json_end_array(w);
}

static void put_selection(struct json_writer *w, const struct page *p)
{
	_cleanup_buf_ struct buf options = BUF_INIT, left_out = BUF_INIT;

	page_add_selection(&options, p);
	if (!options.len)
		return;
	buf_printf(&left_out, "%" PRIu64, view_counts(p->view)->left_out);
	put_fact(w, "selection", buf_str(&options));
	put_fact(w, "left_out", buf_str(&left_out));
}

static void put_facts(struct json_writer *w, const struct page *p)
{
	const struct capture *c = view_capture(p->view);

	begin(w, "facts");
	for (size_t i = 0; i < c->fact_count; i++)
		put_fact(w, capture_text(c, c->facts[i].key), capture_text(c, c->facts[i].value));
	put_selection(w, p);
	json_end_array(w);
}

static void put_scales(struct json_writer *w, const struct page *p)
{
	const char *unit = capture_fact(view_capture(p->view), FACT_UNIT);
	char start[24];

	snprintf(start, sizeof(start), "%" PRIu64, p->timed ? p->first_ns : 0);
	json_member_u64(w, "period_ns", view_period_ns(p->view));
	json_member_cstring(w, "unit", unit ? unit : "samples");
	json_key(w, "timed");
	json_bool(w, p->timed);
	json_member_cstring(w, "start_ns", start);
	json_member_u64(w, "duration_ns", p->timed ? p->end_ns - p->first_ns : 0);
	json_member_u64(w, "time_unit_ns", p->time_unit_ns);
	json_member_u64(w, "cpu_unit_ns", p->cpu_unit_ns);
}

/* ---- tables ----------------------------------------------------------------------------------- */

static void put_strings(struct json_writer *w, const struct page *p)
{
	const struct profile *tables = view_tables(p->view);
	const struct capture *c = view_capture(p->view);

	begin(w, "strings");
	for (uint32_t i = 0; i < p->strings.count; i++) {
		const struct store_string *s = &tables->strings[p->strings.ids[i]];

		json_string(w, s->text, s->len);
	}
	for (uint32_t i = 0; i < p->texts.count; i++) {
		const struct store_string *s = &c->tables.strings[p->texts.ids[i]];

		json_string(w, s->text, s->len);
	}
	json_end_array(w);
}

/* The file, if it is the program's own, of a module whose code a stack ends in; else NULL. */
static const struct store_string *own_module(const struct profile *tables, stack_id stack)
{
	const struct store_frame *frame = &tables->frames[tables->stacks[stack].frame];
	const struct store_function *f = &tables->functions[frame->function];
	const struct store_string *path = &tables->strings[f->file];

	if (strcmp(tables->strings[f->name].text, "<module>") != 0 || *path->text != '/' ||
		place_kind(path->text, path->len) != PLACE_OWN)
		return NULL;
	return path;
}

/*
 * The directory of the script: of the first module that is seen to run, which is the outermost as
 * parents come before their children. Its neighbours are named as it imports them also if the program
 * was started from elsewhere. Empty if there is none.
 */
static void add_script_directory(struct buf *out, const struct page *p)
{
	const struct profile *tables = view_tables(p->view);

	for (uint32_t i = 0; i < p->stacks.count; i++) {
		const struct store_string *path = own_module(tables, p->stacks.ids[i]);

		if (!path)
			continue;
		buf_add(out, path->text, (size_t)(strrchr(path->text, '/') - path->text));
		return;
	}
}

static void put_file(
	struct json_writer *w, const struct page *p, string_id file, const char *script_directory)
{
	const struct store_string *path = &view_tables(p->view)->strings[file];
	const char *directory = p->options->cwd, *name = path->text;
	_cleanup_buf_ struct buf module = BUF_INIT;

	if (place_short(path->text, path->len, directory) == path->text)
		directory = script_directory;
	if (!p->options->full_paths)
		name = place_short(path->text, path->len, directory);
	place_add_package(&module, path->text, path->len, directory);
	json_begin_array(w);
	json_u64(w, page_string(p, file));
	json_string(w, name, path->len - (size_t)(name - path->text));
	json_string(w, buf_str(&module), module.len);
	json_cstring(w, origins[place_kind(path->text, path->len)]);
	json_end_array(w);
}

/* Each file once; `seen` is by row in the page's strings. */
static void put_files(struct json_writer *w, const struct page *p)
{
	const struct profile *tables = view_tables(p->view);
	_cleanup_free_ bool *seen = xcalloc(p->strings.count, sizeof(*seen));
	_cleanup_buf_ struct buf script_directory = BUF_INIT;

	add_script_directory(&script_directory, p);
	begin(w, "files");
	for (uint32_t i = 0; i < p->functions.count; i++) {
		string_id file = tables->functions[p->functions.ids[i]].file;

		if (seen[page_string(p, file)] || !tables->strings[file].len)
			continue;
		seen[page_string(p, file)] = true;
		put_file(w, p, file, buf_str(&script_directory));
	}
	json_end_array(w);
}

/* 0 is not known: then it is as old as the first sample. */
static void put_start(struct json_writer *w, const struct page *p, uint64_t ns)
{
	json_i64(w, ns ? page_time(p, ns) : 0);
}

static void put_end(struct json_writer *w, const struct page *p, uint64_t ns)
{
	if (ns)
		json_i64(w, page_time(p, ns));
	else
		json_null(w);
}

static void put_processes(struct json_writer *w, const struct page *p)
{
	const struct capture *c = view_capture(p->view);

	begin(w, "processes");
	for (size_t i = 0; i < c->process_count; i++) {
		const struct capture_process *process = &c->processes[i];

		if (!p->processes[i])
			continue;
		json_begin_array(w);
		json_u64(w, process->pid);
		json_u64(w, page_text(p, process->name));
		json_u64(w, page_text(p, process->command));
		put_start(w, p, process->start_ns);
		put_end(w, p, process->end_ns);
		json_end_array(w);
	}
	json_end_array(w);
}

static void put_process_row(struct json_writer *w, const struct page *p, uint32_t process)
{
	if (process < view_capture(p->view)->process_count)
		json_u64(w, p->process_rows[process]);
	else
		json_i64(w, -1);
}

static void put_thread_row(struct json_writer *w, const struct page *p, uint32_t thread)
{
	if (thread < view_capture(p->view)->thread_count)
		json_u64(w, p->threads[thread].row);
	else
		json_i64(w, -1);
}

static void put_threads(struct json_writer *w, const struct page *p)
{
	const struct capture *c = view_capture(p->view);

	begin(w, "threads");
	for (size_t i = 0; i < c->thread_count; i++) {
		const struct capture_thread *t = &c->threads[i];

		if (!p->threads[i].used)
			continue;
		json_begin_array(w);
		put_process_row(w, p, t->process);
		json_u64(w, t->tid);
		json_u64(w, page_text(p, t->name));
		json_u64(w, t->main);
		put_start(w, p, t->start_ns);
		put_end(w, p, t->end_ns);
		json_u64(w, p->threads[i].samples);
		json_end_array(w);
	}
	json_end_array(w);
}

/* ---- what happened ---------------------------------------------------------------------------- */

static void put_markers(struct json_writer *w, const struct page *p)
{
	const struct capture *c = view_capture(p->view);

	begin(w, "markers");
	for (size_t i = 0; i < c->marker_count; i++) {
		const struct capture_marker *m = &c->markers[i];

		if (!page_has_marker(p, m))
			continue;
		json_begin_array(w);
		json_i64(w, page_time(p, m->start_ns));
		json_i64(w, page_time(p, m->end_ns));
		put_thread_row(w, p, m->thread);
		put_process_row(w, p, m->process);
		json_u64(w, page_text(p, m->name));
		json_u64(w, page_text(p, m->text));
		json_end_array(w);
	}
	json_end_array(w);
}

static void put_losses(struct json_writer *w, const struct page *p)
{
	const struct capture *c = view_capture(p->view);

	begin(w, "losses");
	for (size_t i = 0; i < c->loss_count; i++) {
		const struct capture_loss *loss = &c->losses[i];

		if (!page_has_loss(p, loss))
			continue;
		json_begin_array(w);
		json_i64(w, page_time(p, loss->time_ns));
		json_cstring(w, reasons[loss->kind]);
		json_u64(w, loss->count);
		json_end_array(w);
	}
	json_end_array(w);
}

static void put_syscalls(struct json_writer *w, const struct page *p)
{
	begin(w, "syscalls");
	for (int32_t i = 0; i < PAGE_SYSCALLS && p->options->syscall_name; i++) {
		bool used = p->syscalls[i / 8] >> i % 8 & 1;
		const char *name = used ? p->options->syscall_name(i) : NULL;

		if (!name)
			continue;
		json_begin_array(w);
		json_i64(w, i);
		json_cstring(w, name);
		json_end_array(w);
	}
	json_end_array(w);
}

/* ---- sources ---------------------------------------------------------------------------------- */

struct wanted {
	uint64_t total; // of the samples that have it
	string_id file;
};

/* Those with most samples come first: there may not be room for all. */
static int compare_wanted(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	if (x->total != y->total)
		return x->total > y->total ? -1 : 1;
	return x->file < y->file ? -1 : x->file > y->file;
}

/* The file of a stack's innermost frame; false if it is none that could be read. */
static bool file_of(const struct page *p, stack_id stack, string_id *file_ret)
{
	const struct profile *tables = view_tables(p->view);
	const struct store_function *f =
		&tables->functions[tables->frames[tables->stacks[stack].frame].function];

	*file_ret = f->file;
	return f->kind == FUNCTION_PYTHON && tables->strings[f->file].len;
}

/* A file counts once where it calls itself. */
static void count_files(const struct page *p, struct wanted *wanted)
{
	const struct profile *tables = view_tables(p->view);
	string_id file, above;

	for (uint32_t row = 0; row < p->stacks.count; row++) {
		stack_id stack = p->stacks.ids[row], parent = tables->stacks[stack].parent;

		if (!file_of(p, stack, &file))
			continue;
		if (parent != STACK_NONE && file_of(p, parent, &above) && above == file)
			continue;
		page_count(&wanted[page_string(p, file)].total, p->totals[stack]);
		wanted[page_string(p, file)].file = file;
	}
}

static void put_source(struct json_writer *w, const struct page *p, string_id file)
{
	const struct export_sources *sources = p->options->sources;
	struct export_source source;

	if (!sources->find(sources->data, view_tables(p->view)->strings[file].text, &source))
		return;
	json_begin_array(w);
	json_u64(w, page_string(p, file));
	json_string(w, source.text, source.len);
	json_cstring(w, source.note);
	json_end_array(w);
}

static void put_sources(struct json_writer *w, const struct page *p)
{
	_cleanup_free_ struct wanted *wanted = xcalloc(p->strings.count, sizeof(*wanted));

	begin(w, "sources");
	if (p->options->sources) {
		count_files(p, wanted);
		qsort(wanted, p->strings.count, sizeof(*wanted), compare_wanted);
		for (uint32_t i = 0; i < p->strings.count && wanted[i].total; i++)
			put_source(w, p, wanted[i].file);
	}
	json_end_array(w);
}

/* ---- columns ---------------------------------------------------------------------------------- */

static void put_column(struct json_writer *w, const char *name, uint64_t count, uint64_t bytes)
{
	json_begin_array(w);
	json_cstring(w, name);
	json_u64(w, count);
	json_u64(w, bytes);
	json_end_array(w);
}

static void put_columns(
	struct json_writer *w, const struct page *p, const struct page_table tables[PAGE_TABLES])
{
	begin(w, "columns");
	for (int i = 0; i < PAGE_TABLES; i++)
		if (i < PAGE_TABLES - PAGE_SPAN_TABLES || p->span_count)
			put_column(w, tables[i].name, tables[i].count, tables[i].bytes.len);
	for (enum page_column i = 0; i < PAGE_COLUMNS; i++)
		if ((i != PAGE_WEIGHT || p->weighted) && (i != PAGE_SPAN || p->span_count))
			put_column(w, page_column_names[i], p->samples, page_column_bytes(p, i));
	json_end_array(w);
}

void page_add_json(
	struct buf *out, const struct page *p, const struct page_table tables[PAGE_TABLES])
{
	struct json_writer w = { .buf = out };
	const char *title = p->options->title;

	json_begin_object(&w);
	json_member_u64(&w, "version", PAGE_FORMAT_VERSION);
	json_member_cstring(&w, "title", title ? title : "");
	put_facts(&w, p);
	put_scales(&w, p);
	put_strings(&w, p);
	put_files(&w, p);
	put_processes(&w, p);
	put_threads(&w, p);
	put_markers(&w, p);
	put_losses(&w, p);
	put_sources(&w, p);
	put_syscalls(&w, p);
	put_columns(&w, p, tables);
	json_end_object(&w);
}

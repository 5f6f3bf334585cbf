// SPDX-License-Identifier: MIT
/*
 * The data of a page (docs/page-format.md), as its parts make it: a view is passed twice. The first
 * pass finds what is used and in which units times are; the second one puts each sample, a few bytes,
 * in the columns of its thread.
 */
#ifndef FIREGLASS_EXPORT_PAGE_H
#define FIREGLASS_EXPORT_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "export/export.h"

#define PAGE_FORMAT_VERSION 1

/* Numbers of system calls that are kept: no machine has larger ones. */
#define PAGE_SYSCALLS 32767

/* Columns of the samples. */
enum page_column {
	PAGE_TIME,
	PAGE_STACK,
	PAGE_STATE,
	PAGE_CPU,
	PAGE_SYSCALL,
	PAGE_WEIGHT,
	PAGE_SPAN,
	PAGE_COLUMNS
};

struct page_thread {
	bool used;    // samples or markers are of it
	uint32_t row; // in the page
	uint64_t samples;
	uint64_t time;                    // of the last one, from the start, in units
	uint32_t span;                    // of the last one: row in the page, plus 1
	uint32_t first_stack, last_stack; // rows in the page
	struct buf columns[PAGE_COLUMNS]; // PAGE_STACK: without the first sample's
};

/* The rows of a table that the page has, in the order in which they are. */
struct page_rows {
	uint32_t *of;  // by id: row + 1, 0 is not used
	uint32_t *ids; // by row
	uint32_t count;
};

struct page {
	struct view *view;
	const struct export_options *options;

	/* of the first pass */
	bool timed;    // samples have times, not made-up ones
	bool weighted; // not all of them count 1
	uint64_t samples;
	uint64_t first_ns; // the time from which others count
	uint64_t end_ns;   // of the last sample
	uint64_t time_unit_ns, cpu_unit_ns;
	struct page_thread *threads; // by row of the capture
	bool *processes;             // by row of the capture: used
	uint32_t *spans;             // by row of the capture: not 0 is used; then row in the page, plus 1
	uint32_t span_count;         // in the page
	uint32_t *process_rows;      // by row of the capture
	/* By stack of the view: counts of its samples, from the numbering on with those above it. */
	uint64_t *totals;
	size_t totals_capacity;
	uint8_t syscalls[PAGE_SYSCALLS / 8 + 1]; // bits

	/* of the tables of the view, and of the capture's own texts */
	struct page_rows strings, functions, frames, stacks, texts;
	size_t surveyed; // stacks
};

void page_init(struct page *p, struct view *v, const struct export_options *options);
void page_deinit(struct page *p);

/* Adds what is more than nothing; what is too much for a number stays the largest one. */
static inline void page_count(uint64_t *sum, uint64_t count)
{
	if (__builtin_add_overflow(*sum, count ? count : 1, sum))
		*sum = UINT64_MAX;
}

/* First pass. */
struct err *page_survey(struct page *p);

/* What is used gets its rows; after the survey. */
void page_number(struct page *p);

/* What the numbering finds: rows of the capture, or none. */
void page_use_thread(struct page *p, uint32_t row);
void page_use_text(struct page *p, string_id id);
/* Row plus 1, as samples have it. */
void page_use_span(struct page *p, uint32_t span);
/* Within the numbering: before that of threads. */
void page_number_spans(struct page *p);

/* Whether the page has a marker, a loss. */
bool page_has_marker(const struct page *p, const struct capture_marker *m);
bool page_has_loss(const struct page *p, const struct capture_loss *loss);

/* Rows among the page's strings. */
uint32_t page_string(const struct page *p, string_id id); // of the view's tables
uint32_t page_text(const struct page *p, string_id id);   // of the capture's

/* Second pass; after the numbering. */
struct err *page_take_samples(struct page *p);

/* A column of a table. */
struct page_table {
	const char *name;
	uint64_t count;
	struct buf bytes;
};

#define PAGE_SPAN_TABLES 7
#define PAGE_TABLES (8 + PAGE_SPAN_TABLES)

/*
 * Functions, frames, stacks, spans, in the order in which they follow the JSON; the caller's to
 * deinit. A page without spans has no tables of them: their counts are 0.
 */
void page_make_tables(const struct page *p, struct page_table tables[PAGE_TABLES]);

void page_make_span_tables(const struct page *p, struct page_table tables[PAGE_SPAN_TABLES]);

extern const char *const page_column_names[PAGE_COLUMNS];
/* Bytes of a column of all threads, after the second pass. */
size_t page_column_bytes(const struct page *p, enum page_column column);
/* How the stack column begins for a thread, given the row of the sample before: at most VARINT_MAX. */
size_t page_first_stack(const struct page_thread *t, uint32_t before, char *bytes);

/* Everything but the columns. */
void page_add_json(
	struct buf *out, const struct page *p, const struct page_table tables[PAGE_TABLES]);

/* The selection as options of the command line; nothing if all is selected. */
void page_add_selection(struct buf *out, const struct page *p);

/* Nanoseconds from the first sample. */
int64_t page_time(const struct page *p, uint64_t ns);

#endif

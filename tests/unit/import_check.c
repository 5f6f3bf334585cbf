// SPDX-License-Identifier: MIT
#include "import_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/iofd.h"
#include "export/export.h"
#include "store/view.h"

#define MAX_FILE_BYTES (1 << 20)

/* Fuzzers use this too, so no test framework. */
static void check(bool ok)
{
	if (!ok)
		abort();
}

void import_check_load(struct buf *out, const char *file)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	const char *source = getenv("FIREGLASS_SOURCE");

	buf_printf(&path, "%s/tests/import/data/%s", source ? source : ".", file);
	check(iofd_read_file(path.data, MAX_FILE_BYTES, out) == 0);
}

static const char *leaf_of(const struct capture *c, stack_id stack)
{
	const struct profile *p = &c->tables;

	if (stack == STACK_NONE)
		return "";
	return profile_text(p, p->functions[p->frames[p->stacks[stack].frame].function].name);
}

uint64_t import_check_leaf(const struct capture *c, const char *function)
{
	struct capture_cursor cursor;
	const struct capture_sample *s;
	uint64_t total = 0;

	capture_cursor_init(&cursor, c);
	while ((s = capture_cursor_next(&cursor)))
		if (strcmp(leaf_of(c, s->stack), function) == 0)
			total += s->count;
	capture_cursor_deinit(&cursor);
	return total;
}

struct import_sums import_check_thread(const struct capture *c, uint32_t thread)
{
	struct import_sums sums = { 0 };
	struct capture_cursor cursor;
	const struct capture_sample *s;

	capture_cursor_init(&cursor, c);
	while ((s = capture_cursor_next(&cursor))) {
		if (s->thread != thread)
			continue;
		if (!sums.rows++)
			sums.first_ns = s->time_ns;
		check(s->time_ns >= sums.last_ns); // times of one thread never run backwards
		sums.last_ns = s->time_ns;
		sums.count += s->count;
		sums.states[s->state]++;
	}
	capture_cursor_deinit(&cursor);
	return sums;
}

uint64_t import_check_flag(const struct capture *c, unsigned int flag)
{
	struct capture_cursor cursor;
	const struct capture_sample *s;
	uint64_t total = 0;

	capture_cursor_init(&cursor, c);
	while ((s = capture_cursor_next(&cursor)))
		if (s->flags & flag)
			total += s->count;
	capture_cursor_deinit(&cursor);
	return total;
}

void import_check_whole(const struct capture *c)
{
	struct capture_cursor cursor;
	const struct capture_sample *s;
	uint64_t total = 0;

	for (size_t i = 0; i < c->thread_count; i++)
		check(c->threads[i].process < c->process_count &&
			c->threads[i].name < c->tables.string_count);
	for (size_t i = 0; i < c->marker_count; i++)
		check(c->markers[i].thread < c->thread_count &&
			c->markers[i].end_ns >= c->markers[i].start_ns);
	capture_cursor_init(&cursor, c);
	while ((s = capture_cursor_next(&cursor))) {
		check(s->thread < c->thread_count && s->count > 0);
		check(s->stack == STACK_NONE || s->stack < c->tables.stack_count);
		check(s->state < SAMPLE_STATES && !(s->flags & ~SAMPLE_FLAGS));
		total += s->count;
	}
	check(!cursor.err && total == capture_samples(c));
	capture_cursor_deinit(&cursor);
	free(import_check_folded(c));
}

void import_check_empty(const struct capture *c)
{
	check(!c->fact_count && !c->process_count && !c->thread_count && !c->marker_count);
	check(!c->block_count && !c->pending_count && !c->tables.stack_count);
	check(!c->tables.function_count && !capture_samples(c));
}

char *import_check_folded(const struct capture *c)
{
	struct selection everything = { 0 };
	struct view *v;
	char *text = NULL;
	size_t len;

	check(!view_create(&v, c, &everything));
	FILE *f = open_memstream(&text, &len);
	check(!export_view(&export_folded, f, v, &(struct export_options){ .full_paths = true }));
	fclose(f);
	view_destroy(v);
	return text;
}

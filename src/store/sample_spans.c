// SPDX-License-Identifier: MIT
#include "store/sample_spans.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/intern.h"
#include "store/columns.h"

enum spans_column { SPANS_META, SPANS_RUNS, SPANS_CHANGES };

_Static_assert(SPANS_CHANGES + 1 == SAMPLE_SPANS_COLUMNS, "columns are counted");

/* The span of each thread's last row. */
struct known {
	struct intern index;
	struct known_thread {
		uint32_t thread, span;
	} * rows;
	size_t count, capacity;
};

static void known_deinit(struct known *k)
{
	intern_deinit(&k->index);
	free(k->rows);
}

/* Until the next call. A thread that is new was in none. */
static uint32_t *last_of(struct known *k, uint32_t thread)
{
	uint64_t hash = intern_hash2(thread, 0);

	for (struct intern_probe at = intern_begin(&k->index, hash); intern_next(&k->index, &at);)
		if (k->rows[at.row].thread == thread)
			return &k->rows[at.row].span;
	array_reserve(k->rows, k->capacity, k->count + 1);
	k->rows[k->count] = (struct known_thread){ .thread = thread };
	intern_add(&k->index, hash, (uint32_t)k->count);
	return &k->rows[k->count++].span;
}

/* 0: none; else 1 + the zigzag of how far it is from the last span that was told. */
static uint64_t change_to(uint32_t span, uint32_t told)
{
	int64_t far = (int64_t)span - (int64_t)told;

	return span ? 1 + ((uint64_t)far << 1 ^ (far < 0 ? UINT64_MAX : 0)) : 0;
}

static bool change_from(uint64_t change, uint32_t told, uint32_t *span_ret)
{
	uint64_t zigzag = change - 1;
	int64_t far = (int64_t)(zigzag >> 1 ^ (0 - (zigzag & 1)));

	if (!change) {
		*span_ret = 0;
		return true;
	}
	if (far > UINT32_MAX || far < -(int64_t)UINT32_MAX)
		return false;
	far += told;
	*span_ret = (uint32_t)far;
	return far > 0 && far <= UINT32_MAX;
}

static bool any_span(const struct capture_sample *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].span)
			return true;
	return false;
}

void sample_spans_encode(struct buf *out, const struct capture_sample *rows, size_t count)
{
	struct columns columns = { 0 };
	struct known known = { 0 };
	uint32_t told = 0;
	size_t run = 0;

	if (!any_span(rows, count))
		return;
	columns_put(&columns, SPANS_META, count);
	for (size_t i = 0; i < count; i++) {
		uint32_t *last = last_of(&known, rows[i].thread);

		if (*last == rows[i].span) {
			run++;
			continue;
		}
		*last = rows[i].span;
		columns_put(&columns, SPANS_RUNS, run);
		columns_put(&columns, SPANS_CHANGES, change_to(*last, told));
		told = *last ? *last : told;
		run = 0;
	}
	columns_finish(&columns, SAMPLE_SPANS_COLUMNS, out);
	columns_deinit(&columns);
	known_deinit(&known);
}

/* The number of rows until the next change; what is left if there is none. */
static size_t next_run(struct columns_reader *in, size_t left)
{
	struct column *runs = &in->columns[SPANS_RUNS];

	if (!column_left(runs))
		return left;
	uint64_t run = column_get(runs);
	// a change needs a row
	return run < left ? (size_t)run : SIZE_MAX;
}

static bool decode(struct columns_reader *in, struct capture_sample *rows, size_t count)
{
	struct known known = { 0 };
	uint32_t told = 0;
	size_t run = next_run(in, count);
	bool ok = run != SIZE_MAX;

	for (size_t i = 0; i < count && ok; i++) {
		uint32_t *last = last_of(&known, rows[i].thread);

		if (!run--) {
			ok = change_from(column_get(&in->columns[SPANS_CHANGES]), told, last);
			told = *last ? *last : told;
			run = next_run(in, count - i - 1);
			ok &= run != SIZE_MAX;
		}
		rows[i].span = *last;
	}
	known_deinit(&known);
	return ok;
}

bool sample_spans_decode(const char *bytes, size_t len, struct capture_sample *rows, size_t count)
{
	struct columns_reader in;

	for (size_t i = 0; i < count; i++)
		rows[i].span = 0;
	if (!len)
		return true;
	return columns_open(&in, bytes, len, SAMPLE_SPANS_COLUMNS) &&
		column_get(&in.columns[SPANS_META]) == count && decode(&in, rows, count) &&
		columns_done(&in);
}

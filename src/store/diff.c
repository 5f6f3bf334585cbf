// SPDX-License-Identifier: MIT
#include "store/diff.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "store/agg.h"
#include "store/place.h"
#include "store/select_patterns.h"

/* ---- taking both sides ------------------------------------------------------------------------ */

/* Names and files as they are compared: a function's place in the tables of both. */
static function_id common_function(struct diff *d, const struct profile *p,
	const struct store_function *f, const char *cwd, bool full_paths)
{
	const struct store_string *name = &p->strings[f->name], *file = &p->strings[f->file];
	const char *rest = full_paths ? file->text : place_short(file->text, file->len, cwd);
	struct store_function common = { .kind = f->kind };

	common.name = profile_string(&d->tables, name->text, name->len);
	common.file = profile_string(&d->tables, rest, file->len - (size_t)(rest - file->text));
	return profile_function(&d->tables, &common);
}

static void add_weight(struct diff *d, int side, stack_id stack, uint64_t weight)
{
	size_t had = d->weight_capacity;

	array_reserve(d->weights, d->weight_capacity, d->tables.stack_count);
	memset(d->weights + had, 0, (d->weight_capacity - had) * sizeof(*d->weights));
	if (stack != STACK_NONE)
		d->weights[stack].of[side] += weight;
}

/* Stacks without weight are left out: views have some that only lead to others. */
static void take_profile(
	struct diff *d, int side, const struct profile *p, const char *cwd, bool full_paths)
{
	_cleanup_free_ function_id *function_of = xcalloc(p->function_count, sizeof(*function_of));
	_cleanup_free_ stack_id *stack_of = xcalloc(p->stack_count, sizeof(*stack_of));
	_cleanup_free_ bool *used = xcalloc(p->stack_count, sizeof(*used));

	for (size_t i = p->stack_count; i-- > 0;) {
		used[i] |= p->weights[i] > 0;
		if (used[i] && p->stacks[i].parent != STACK_NONE)
			used[p->stacks[i].parent] = true;
	}
	for (size_t i = 0; i < p->function_count; i++)
		function_of[i] = common_function(d, p, &p->functions[i], cwd, full_paths);
	for (size_t i = 0; i < p->stack_count; i++) {
		const struct store_stack *s = &p->stacks[i];
		const struct store_frame *f = &p->frames[s->frame];

		if (!used[i])
			continue;
		stack_id parent = s->parent == STACK_NONE ? STACK_NONE : stack_of[s->parent];
		frame_id frame = profile_frame(&d->tables, function_of[f->function], f->line);
		stack_of[i] = profile_stack(&d->tables, parent, frame);
		add_weight(d, side, stack_of[i], p->weights[i]);
	}
	d->total.of[side] = p->total;
}

/* Imported counts may be microseconds or bytes. In recordings, and in folded text, they are samples. */
static bool counts_are_samples(const struct capture *c)
{
	return !capture_fact(c, FACT_UNIT) &&
		!(capture_fact(c, FACT_FORMAT) && capture_fact(c, FACT_PERIOD_NS));
}

/*
 * Where counts are no samples: the number of equal samples that would tell as much, (sum of
 * counts)^2 / sum of their squares.
 */
static struct err *count_samples(struct diff *d, int side, struct view *v)
{
	const struct capture_sample *s;
	double sum = 0, squares = 0;

	d->samples[side] = (double)d->total.of[side];
	if (counts_are_samples(view_capture(v)))
		return NULL;
	view_begin(v);
	while ((s = view_next(v)) != NULL) {
		sum += (double)s->count;
		squares += (double)s->count * (double)s->count;
	}
	d->samples[side] = squares > 0 ? sum * sum / squares : 0;
	return view_end(v);
}

static struct err *take_view(
	struct diff *d, int side, struct view *v, const struct diff_options *options)
{
	const char *cwd = capture_fact(view_capture(v), FACT_CWD);
	const struct profile *p;
	struct err *err = view_profile(v, VIEW_COUNTS, &p);

	if (err)
		return err;
	take_profile(d, side, p, cwd, options->full_paths);
	d->period_ns[side] = view_period_ns(v);
	d->taken[side] = view_counts(v)->shown + view_counts(v)->left_out;
	return count_samples(d, side, v);
}

/* ---- rows ------------------------------------------------------------------------------------- */

static void add_rows(struct diff *d, int side)
{
	_cleanup_free_ uint64_t *weights = xcalloc(d->tables.stack_count, sizeof(*weights));
	_cleanup_(agg_deinit) struct agg agg = { 0 };
	struct profile one = d->tables;

	for (size_t i = 0; i < one.stack_count; i++)
		weights[i] = d->weights[i].of[side];
	one.weights = weights;
	one.total = d->total.of[side];
	agg_functions(&agg, &one);
	for (size_t i = 0; i < agg.count; i++) {
		d->rows[agg.rows[i].function].self.of[side] = agg.rows[i].self;
		d->rows[agg.rows[i].function].total.of[side] = agg.rows[i].total;
	}
}

static void make_rows(struct diff *d)
{
	d->rows = xcalloc(d->tables.function_count, sizeof(*d->rows));
	for (size_t i = 0; i < d->tables.function_count; i++)
		d->rows[i].function = (function_id)i;
	for (int side = 0; side < DIFF_SIDES; side++)
		add_rows(d, side);
	for (size_t i = 0; i < d->tables.function_count; i++)
		if (d->rows[i].total.of[DIFF_A] || d->rows[i].total.of[DIFF_B])
			d->rows[d->row_count++] = d->rows[i];
}

struct err *diff_init(
	struct diff *d, struct view *const views[DIFF_SIDES], const struct diff_options *options)
{
	struct err *err = NULL;

	*d = (struct diff){ .absolute = options->absolute };
	profile_init(&d->tables);
	for (int side = 0; side < DIFF_SIDES && !err; side++)
		err = take_view(d, side, views[side], options);
	if (err) {
		diff_deinit(d);
		return err;
	}
	// what only the second side has came after the first side's weights
	add_weight(d, DIFF_A, STACK_NONE, 0);
	d->seconds = d->period_ns[DIFF_A] && d->period_ns[DIFF_B];
	make_rows(d);
	return NULL;
}

void diff_deinit(struct diff *d)
{
	profile_deinit(&d->tables);
	free(d->weights);
	free(d->rows);
	*d = (struct diff){ 0 };
}

/* ---- changes ---------------------------------------------------------------------------------- */

static double unit(const struct diff *d, int side, bool absolute)
{
	if (absolute)
		return d->seconds ? (double)d->period_ns[side] / 1e9 : 1;
	return d->total.of[side] ? 1 / (double)d->total.of[side] : 0;
}

double diff_value(const struct diff *d, int side, uint64_t weight)
{
	return (double)weight * unit(d, side, d->absolute);
}

/* Two proportions: the standard error of their difference, if they are one. */
static double share_error(const struct diff *d, double a, double b)
{
	double n = d->samples[DIFF_A], m = d->samples[DIFF_B];

	if (!(n > 0) || !(m > 0))
		return INFINITY;
	double p = (a * n + b * m) / (n + m);
	return sqrt(p * (1 - p) * (1 / n + 1 / m));
}

/*
 * Of all ticks some are of this kind: a binomial count. A whole recording has no error but a tick at
 * its ends. Where nothing is known of ticks, as in folded text, samples may be all there are of
 * something rare: a Poisson count.
 */
static double amount_variance(const struct diff *d, int side, uint64_t weight)
{
	double w = (double)weight, all = (double)d->taken[side], total = (double)d->total.of[side];
	double each = d->samples[side] > 0 ? total / d->samples[side] : 1;
	double share = !d->period_ns[side] ? 0 : w < all ? w / all : 1;
	double one = unit(d, side, true);

	return one * one * (w * each * (1 - share) + each * each);
}

static struct diff_change change_between(
	const struct diff *d, const struct diff_weights *weights, bool absolute)
{
	struct diff_change c = {
		.a = (double)weights->of[DIFF_A] * unit(d, DIFF_A, absolute),
		.b = (double)weights->of[DIFF_B] * unit(d, DIFF_B, absolute),
	};
	double error = absolute ? sqrt(amount_variance(d, DIFF_A, weights->of[DIFF_A]) +
					  amount_variance(d, DIFF_B, weights->of[DIFF_B]))
				: share_error(d, c.a, c.b);

	c.change = c.b - c.a;
	c.error = DIFF_ERRORS * error;
	c.certain = fabs(c.change) > c.error;
	return c;
}

struct diff_change diff_change(const struct diff *d, const struct diff_weights *weights)
{
	return change_between(d, weights, d->absolute);
}

struct diff_change diff_change_absolute(const struct diff *d, const struct diff_weights *weights)
{
	return change_between(d, weights, true);
}

struct err *diff_match(const struct diff *d, const char *pattern, struct diff_weights *ret)
{
	const char *const texts[SELECTION_PATTERNS_MAX] = { pattern };
	_cleanup_free_ bool *matches = xcalloc(d->tables.frame_count, sizeof(*matches));
	_cleanup_free_ bool *has = xcalloc(d->tables.stack_count, sizeof(*has));
	_cleanup_(patterns_deinit) struct patterns patterns;
	struct diff_weights sum = { { 0 } };
	struct err *err = patterns_init(&patterns, texts, "on");

	if (err)
		return err;
	for (size_t i = 0; i < d->tables.frame_count; i++)
		matches[i] =
			patterns_match_frame(&patterns, &d->tables, &d->tables.frames[i], NULL);
	for (size_t i = 0; i < d->tables.stack_count; i++) {
		const struct store_stack *s = &d->tables.stacks[i];

		has[i] = matches[s->frame] || (s->parent != STACK_NONE && has[s->parent]);
		for (int side = 0; side < DIFF_SIDES && has[i]; side++)
			sum.of[side] += d->weights[i].of[side];
	}
	*ret = sum;
	return NULL;
}

/* ---- order ------------------------------------------------------------------------------------ */

struct sorted_row {
	struct diff_row row;
	struct diff_change change;
};

static int compare_rows(const void *a, const void *b)
{
	const struct sorted_row *x = a, *y = b;
	double p = fabs(x->change.change), q = fabs(y->change.change);

	if (x->change.certain != y->change.certain)
		return x->change.certain ? -1 : 1;
	if (p != q)
		return p > q ? -1 : 1;
	return (x->row.function > y->row.function) - (x->row.function < y->row.function);
}

void diff_sort(struct diff *d, enum diff_order order)
{
	_cleanup_free_ struct sorted_row *rows = xcalloc(d->row_count, sizeof(*rows));

	for (size_t i = 0; i < d->row_count; i++) {
		const struct diff_row *row = &d->rows[i];

		rows[i].row = *row;
		rows[i].change = diff_change(d, order == DIFF_BY_SELF ? &row->self : &row->total);
	}
	if (d->row_count)
		qsort(rows, d->row_count, sizeof(*rows), compare_rows);
	for (size_t i = 0; i < d->row_count; i++)
		d->rows[i] = rows[i].row;
}

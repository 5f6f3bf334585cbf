// SPDX-License-Identifier: MIT
#include "import/weights.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/gcd.h"

#define MAX_NS 0x1p62

struct place {
	uint64_t time_ns;
	size_t row; // equal times stay in the order in which they came
};

void weights_deinit(struct weights *w)
{
	free(w->rows);
	*w = (struct weights){ 0 };
}

void weights_add(struct weights *w, const struct capture_sample *sample)
{
	if (!sample->count)
		return;
	array_reserve(w->rows, w->capacity, w->count + 1);
	w->rows[w->count++] = *sample;
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

void weights_finish(struct weights *w, struct build *b)
{
	_cleanup_free_ struct place *places = xcalloc(w->count, sizeof(*places));
	uint64_t unit = 0;

	for (size_t i = 0; i < w->count; i++) {
		unit = gcd(w->rows[i].count, unit);
		places[i] = (struct place){ w->rows[i].time_ns, i };
	}
	if (unit)
		capture_set_fact_u64(b->c, FACT_PERIOD_NS, unit);
	qsort(places, w->count, sizeof(*places), compare_places);
	for (size_t i = 0; i < w->count; i++) {
		struct capture_sample s = w->rows[places[i].row];

		s.count /= unit;
		build_sample(b, &s);
	}
}

/* In two parts, as large numbers have no room for their fraction in nanoseconds. */
bool weights_ns(double value, uint64_t unit_ns, uint64_t *ns_ret)
{
	if (!(value >= 0 && value * (double)unit_ns <= MAX_NS))
		return false;
	double whole = floor(value);
	*ns_ret = (uint64_t)whole * unit_ns + (uint64_t)llround((value - whole) * (double)unit_ns);
	return true;
}

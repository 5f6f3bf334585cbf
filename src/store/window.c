// SPDX-License-Identifier: MIT
#include "store/window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/intern.h"

#define SLICE_NS ((uint64_t)100000000)
/* A slice of more than one part is at most this fraction of its age. */
#define AGE_PARTS 32
/* Times of different threads may run backwards a little; what is beyond that is a clock that was set. */
#define BACKWARDS_NS ((uint64_t)5000000000)

struct entry {
	uint32_t thread;
	stack_id stack;
	uint8_t state, flags;
	uint64_t samples, cpu_ns;
};

struct slice {
	uint64_t start_ns, end_ns;
	struct entry *entries;
	size_t count, capacity;
};

struct window {
	uint64_t length_ns;
	uint64_t now_ns;
	struct slice *slices; // oldest first; the last one is being filled
	size_t count, capacity;
	struct intern index;  // of the last slice
	struct intern merged; // while two are merged
};

struct window *window_create(const struct capture *c, uint64_t length_ns)
{
	struct window *w = xcalloc(1, sizeof(*w));

	(void)c;
	w->length_ns = length_ns;
	return w;
}

static void forget(struct window *w, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(w->slices[i].entries);
	w->count -= count;
	if (count && w->count)
		memmove(w->slices, w->slices + count, w->count * sizeof(*w->slices));
}

void window_reset(struct window *w)
{
	forget(w, w->count);
	intern_clear(&w->index);
	w->now_ns = 0;
}

void window_destroy(struct window *w)
{
	if (!w)
		return;
	forget(w, w->count);
	free(w->slices);
	intern_deinit(&w->index);
	intern_deinit(&w->merged);
	free(w);
}

/* ---- slices ----------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct entry *e)
{
	return intern_hash2(
		(uint64_t)e->thread << 32 | e->stack, (uint64_t)e->state << 8 | e->flags);
}

static bool same_group(const struct entry *a, const struct entry *b)
{
	return a->thread == b->thread && a->stack == b->stack && a->state == b->state &&
		a->flags == b->flags;
}

static void add(struct slice *slice, struct intern *index, const struct entry *e)
{
	uint64_t hash = hash_of(e);

	for (struct intern_probe p = intern_begin(index, hash); intern_next(index, &p);) {
		struct entry *known = &slice->entries[p.row];

		if (!same_group(known, e))
			continue;
		known->samples += e->samples;
		known->cpu_ns += e->cpu_ns;
		return;
	}
	array_reserve(slice->entries, slice->capacity, slice->count + 1);
	slice->entries[slice->count] = *e;
	intern_add(index, hash, (uint32_t)slice->count++);
}

/* What is in the later one comes into the earlier one. */
static void merge(struct window *w, struct slice *into, struct slice *from)
{
	intern_clear(&w->merged);
	for (size_t i = 0; i < into->count; i++)
		intern_add(&w->merged, hash_of(&into->entries[i]), (uint32_t)i);
	for (size_t i = 0; i < from->count; i++)
		add(into, &w->merged, &from->entries[i]);
	into->end_ns = from->end_ns;
	free(from->entries);
}

static bool may_be_one(const struct slice *a, const struct slice *b, uint64_t now_ns)
{
	uint64_t age = now_ns > b->end_ns ? now_ns - b->end_ns : 0;

	return b->end_ns - a->start_ns <= age / AGE_PARTS;
}

/* Pairs that are old enough become one; never the slice that is being filled. */
static void grow_old(struct window *w)
{
	size_t to = 0, from = 0;

	while (from < w->count) {
		struct slice slice = w->slices[from++];

		if (from + 1 < w->count && may_be_one(&slice, &w->slices[from], w->now_ns))
			merge(w, &slice, &w->slices[from++]);
		w->slices[to++] = slice;
	}
	w->count = to;
}

static void drop_old(struct window *w)
{
	size_t old = 0;

	while (old < w->count && w->slices[old].end_ns + w->length_ns <= w->now_ns)
		old++;
	forget(w, old);
}

static struct slice *last_slice(struct window *w)
{
	return w->count ? &w->slices[w->count - 1] : NULL;
}

static void begin_slice(struct window *w, uint64_t time_ns)
{
	drop_old(w);
	grow_old(w);
	intern_clear(&w->index);
	array_reserve(w->slices, w->capacity, w->count + 1);
	w->slices[w->count++] =
		(struct slice){ .start_ns = time_ns, .end_ns = time_ns + SLICE_NS };
}

void window_sample(struct window *w, const struct capture_sample *sample)
{
	const struct entry e = {
		.thread = sample->thread,
		.stack = sample->stack,
		.state = sample->state,
		.flags = sample->flags & (uint8_t)~SAMPLE_TAKEN_OVER,
		.samples = sample->count,
		.cpu_ns = sample->cpu_ns,
	};

	if (sample->time_ns + BACKWARDS_NS < w->now_ns)
		window_reset(w);
	if (sample->time_ns > w->now_ns)
		w->now_ns = sample->time_ns;
	if (!w->count || sample->time_ns >= last_slice(w)->end_ns)
		begin_slice(w, sample->time_ns);
	add(last_slice(w), &w->index, &e);
}

void window_advance(struct window *w, uint64_t now_ns)
{
	if (now_ns > w->now_ns)
		w->now_ns = now_ns;
	drop_old(w);
	if (!w->count)
		intern_clear(&w->index);
}

/* ---- reading ---------------------------------------------------------------------------------- */

/* What a sample of a slice weighs, by its middle. */
static double weight_of(const struct window *w, const struct slice *slice, uint64_t half_ns)
{
	uint64_t middle = slice->start_ns + (slice->end_ns - slice->start_ns) / 2;

	if (!half_ns || middle >= w->now_ns)
		return 1;
	return exp2(-(double)(w->now_ns - middle) / (double)half_ns);
}

/* Most of it is within the last `length_ns`. */
static bool is_within(const struct window *w, const struct slice *slice, uint64_t length_ns)
{
	return slice->start_ns + (slice->end_ns - slice->start_ns) / 2 + length_ns >= w->now_ns;
}

void window_each(const struct window *w, uint64_t length_ns, uint64_t half_ns,
	void (*each)(void *data, const struct window_group *group), void *data)
{
	for (size_t i = w->count; i-- && is_within(w, &w->slices[i], length_ns);) {
		const struct slice *slice = &w->slices[i];
		double weight = weight_of(w, slice, half_ns);

		for (size_t k = 0; k < slice->count; k++) {
			const struct entry *e = &slice->entries[k];
			const struct window_group group = {
				.thread = e->thread,
				.stack = e->stack,
				.state = e->state,
				.flags = e->flags,
				.weight = weight * (double)e->samples,
				.samples = e->samples,
				.cpu_ns = e->cpu_ns,
			};

			each(data, &group);
		}
	}
}

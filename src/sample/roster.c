// SPDX-License-Identifier: MIT
#include "sample/roster.h"

#include <stdlib.h>

#include "base/alloc.h"

#define MS ((uint64_t)1000000)
/*
 * The list is made anew at least so often, to see threads that ended without being missed. It costs
 * a read per thread: with many threads less often.
 */
#define RELIST_NS (100 * MS)
#define RELIST_NS_PER_THREAD (3 * MS)

void roster_init(struct roster *r, struct target *target)
{
	*r = (struct roster){ .target = target };
}

static void thread_destroy(struct roster *r, struct sampled_thread *t)
{
	array_reserve(r->free_indexes, r->free_capacity, r->free_count + 1);
	r->free_indexes[r->free_count++] = t->index;
	stack_reader_deinit(&t->reader);
	thread_codes_deinit(&t->codes);
	watch_deinit(&t->watch);
	free(t->frames);
	free(t->fresh);
	free(t);
}

static struct sampled_thread *thread_create(struct roster *r, const struct py_thread *py)
{
	struct sampled_thread *t = xcalloc(1, sizeof(*t));
	const struct target *target = r->target;

	t->py = *py;
	t->index = r->free_count ? r->free_indexes[--r->free_count] : r->next_index++;
	t->tid = (pid_t)py->native_id;
	watch_init(&t->watch, target->pid, t->tid, target->own);
	stack_reader_init(&t->reader, py->state, py->interp);
	return t;
}

void roster_clear(struct roster *r)
{
	for (size_t i = 0; i < r->count; i++)
		thread_destroy(r, r->threads[i]);
	r->count = 0;
	r->listed_at_ns = 0;
}

void roster_deinit(struct roster *r)
{
	roster_clear(r);
	free(r->threads);
	free(r->free_indexes);
	threads_deinit(&r->list);
	*r = (struct roster){ 0 };
}

bool roster_stale(const struct roster *r, uint64_t now_ns)
{
	uint64_t interval = RELIST_NS_PER_THREAD * r->count;

	return !r->listed_at_ns ||
	       now_ns - r->listed_at_ns >= (interval > RELIST_NS ? interval : RELIST_NS);
}

static bool same_thread(const struct sampled_thread *t, const struct py_thread *py)
{
	return t->py.state == py->state && t->py.interp == py->interp &&
	       t->py.pthread == py->pthread && (uint64_t)t->tid == py->native_id;
}

static struct sampled_thread *find_thread(struct roster *r, const struct py_thread *py)
{
	for (size_t i = 0; i < r->count; i++)
		if (same_thread(r->threads[i], py))
			return r->threads[i];
	return NULL;
}

static void forget_ended_threads(struct roster *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->count; i++) {
		if (r->threads[i]->listed == r->lists)
			r->threads[kept++] = r->threads[i];
		else
			thread_destroy(r, r->threads[i]);
	}
	r->count = kept;
}

static bool several_interpreters(const struct roster *r)
{
	return r->list.count && r->list.items[0].interp != r->list.items[r->list.count - 1].interp;
}

static void mark_shared_tids(struct roster *r)
{
	bool several = several_interpreters(r);

	for (size_t i = 0; i < r->count; i++) {
		struct sampled_thread *t = r->threads[i];

		t->shares_tid = false;
		for (size_t k = 0; several && t->tid && k < r->count && !t->shares_tid; k++)
			t->shares_tid = k != i && r->threads[k]->tid == t->tid;
	}
}

/* In the order of the list: innermost interpreter first. */
static int by_interpreter(const void *a, const void *b)
{
	const struct sampled_thread *x = *(struct sampled_thread *const *)a;
	const struct sampled_thread *y = *(struct sampled_thread *const *)b;

	if (x->py.interp_id != y->py.interp_id)
		return x->py.interp_id > y->py.interp_id ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

enum read_status roster_update(struct roster *r, uint64_t now_ns)
{
	enum read_status status = target_threads(r->target, &r->list);

	if (status != READ_OK)
		return status;
	r->lists++;
	for (size_t i = 0; i < r->list.count; i++) {
		struct sampled_thread *t = find_thread(r, &r->list.items[i]);

		if (!t) {
			t = thread_create(r, &r->list.items[i]);
			array_reserve(r->threads, r->capacity, r->count + 1);
			r->threads[r->count++] = t;
		}
		t->py = r->list.items[i];
		t->listed = r->lists;
		t->gone = false;
	}
	forget_ended_threads(r);
	qsort(r->threads, r->count, sizeof(*r->threads), by_interpreter);
	mark_shared_tids(r);
	r->listed_at_ns = now_ns;
	return READ_OK;
}

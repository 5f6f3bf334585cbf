// SPDX-License-Identifier: MIT
#include "sample/ring.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"

void ring_init(struct ring *r, size_t words)
{
	*r = (struct ring){ .words = xcalloc(words, sizeof(uint64_t)), .mask = words - 1 };
}

void ring_deinit(struct ring *r)
{
	free(r->words);
	r->words = NULL;
}

bool ring_begin(struct ring *r, size_t count)
{
	r->next = r->complete;
	if (r->next + count - r->known_tail <= r->mask + 1)
		return true;
	r->known_tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	return r->next + count - r->known_tail <= r->mask + 1;
}

static _Atomic uint32_t *bell_of(struct ring *r)
{
	return r->bell ? r->bell : &r->own_bell;
}

void ring_ring(struct ring *r)
{
	atomic_fetch_add_explicit(bell_of(r), 1, memory_order_release);
	clock_wake(bell_of(r));
}

void ring_commit(struct ring *r)
{
	r->complete = r->next;
}

size_t ring_unpublished(const struct ring *r)
{
	return (size_t)(r->complete - atomic_load_explicit(&r->head, memory_order_relaxed));
}

void ring_publish(struct ring *r)
{
	atomic_store_explicit(&r->head, r->complete, memory_order_release);
	if (r->complete - r->known_tail <= (r->mask + 1) / 4) {
		r->rung = false;
		return;
	}
	// seldom: look again before making a system call
	r->known_tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	if (r->complete - r->known_tail > (r->mask + 1) / 4 && !r->rung) {
		r->rung = true;
		ring_ring(r);
	}
}

size_t ring_available(struct ring *r)
{
	return (size_t)(atomic_load_explicit(&r->head, memory_order_acquire) - r->read);
}

void ring_release(struct ring *r)
{
	atomic_store_explicit(&r->tail, r->read, memory_order_release);
}

void ring_wait(struct ring *r, uint64_t timeout_ns)
{
	uint32_t bell = atomic_load_explicit(bell_of(r), memory_order_acquire);

	if (!ring_filling(r))
		clock_wait(bell_of(r), bell, timeout_ns);
}

void ring_share_bell(struct ring *r, _Atomic uint32_t *bell)
{
	r->bell = bell;
}

bool ring_filling(struct ring *r)
{
	return ring_available(r) > (r->mask + 1) / 4;
}

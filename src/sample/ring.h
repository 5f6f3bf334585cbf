// SPDX-License-Identifier: MIT
/*
 * The hand-over from the sampling thread to the one that keeps the profile: a ring of 64-bit words,
 * one producer, one consumer, no locks.
 *
 * A record is a run of words. Records are published some at a time, whole: until then the producer
 * may still change them. When there is no room the producer is told so
 * and goes on: a record is lost and counted, the clock never waits. The consumer sleeps until the
 * ring is a quarter full, or until its own time is up.
 */
#ifndef FIREGLASS_SAMPLE_RING_H
#define FIREGLASS_SAMPLE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	uint64_t *words;
	size_t mask;
	_Atomic uint64_t head; // words published
	uint64_t complete;     // producer: words of whole records
	_Atomic uint64_t tail; // words taken
	uint64_t next;         // producer: where the record being written goes on
	uint64_t known_tail;   // producer: tail as last seen
	uint64_t read;         // consumer: words read, not yet given back
	_Atomic uint32_t own_bell;
	_Atomic uint32_t *bell; // rung to wake the consumer; NULL: own_bell
	bool rung;             // producer: since the consumer last caught up
};

/* `words` is a power of two. */
void ring_init(struct ring *r, size_t words);
void ring_deinit(struct ring *r);

/* Producer: room for a record of `count` words? If not, nothing is begun. */
bool ring_begin(struct ring *r, size_t count);
static inline void ring_put(struct ring *r, uint64_t word)
{
	r->words[r->next++ & r->mask] = word;
}
/* Producer: the record put since ring_begin() is whole. */
void ring_commit(struct ring *r);
/* Producer: gives all whole records to the consumer. */
void ring_publish(struct ring *r);
/* Producer: words of whole records that are not published yet. */
size_t ring_unpublished(const struct ring *r);
/* Producer: word `i` of those, to be changed. */
static inline uint64_t *ring_word(struct ring *r, size_t i)
{
	return &r->words[(atomic_load_explicit(&r->head, memory_order_relaxed) + i) & r->mask];
}
/* Producer: wakes the consumer, whatever there is for it. */
void ring_ring(struct ring *r);

/* Consumer: words that can be read. */
size_t ring_available(struct ring *r);
static inline uint64_t ring_get(struct ring *r)
{
	return r->words[r->read++ & r->mask];
}
/* Consumer: gives back what was read. */
void ring_release(struct ring *r);
/* Consumer: sleeps until woken, at most `timeout_ns`. */
void ring_wait(struct ring *r, uint64_t timeout_ns);

/*
 * A consumer of several rings gives them one bell, before anything goes through them: it waits on that
 * (clock_wait()) as long as none of them is filling.
 */
void ring_share_bell(struct ring *r, _Atomic uint32_t *bell);
/* Consumer: there is so much in it that it should be taken now. */
bool ring_filling(struct ring *r);

#endif

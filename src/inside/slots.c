// SPDX-License-Identifier: MIT
#include "inside/slots.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define BUCKETS 256

static struct slot *_Atomic buckets[BUCKETS];
static _Thread_local struct slot *mine;
static pthread_key_t ending;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static struct slot *_Atomic *bucket_of(pid_t tid)
{
	return &buckets[(uint32_t)tid % BUCKETS];
}

static void give_back(struct slot *slot)
{
	atomic_store_explicit(&slot->key, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->tid, 0, memory_order_release);
}

static void thread_ends(void *slot)
{
	mine = NULL;
	give_back(slot);
}

static void make_key(void)
{
	pthread_key_create(&ending, thread_ends);
}

static struct slot *take_free(struct slot *_Atomic *bucket, pid_t tid)
{
	for (struct slot *slot = atomic_load(bucket); slot; slot = slot->next) {
		pid_t free_one = 0;

		if (atomic_compare_exchange_strong(&slot->tid, &free_one, tid))
			return slot;
	}
	return NULL;
}

static struct slot *add(struct slot *_Atomic *bucket, pid_t tid)
{
	struct slot *slot = aligned_alloc(_Alignof(struct slot), sizeof(struct slot));

	if (!slot)
		return NULL;
	atomic_init(&slot->tid, tid);
	atomic_init(&slot->key, 0);
	atomic_init(&slot->context, 0);
	atomic_init(&slot->turn, 0);
	slot->next = atomic_load(bucket);
	while (!atomic_compare_exchange_weak(bucket, &slot->next, slot))
		;
	return slot;
}

static struct slot *take(void)
{
	pid_t tid = gettid();
	struct slot *slot = take_free(bucket_of(tid), tid);

	if (!slot)
		slot = add(bucket_of(tid), tid);
	if (!slot)
		return NULL;
	slot_write(slot, 0, 0); // the turns of who had it before go on
	pthread_once(&once, make_key);
	pthread_setspecific(ending, slot);
	mine = slot;
	return slot;
}

struct slot *slot_mine(void)
{
	return mine ? mine : take();
}

struct slot_state slot_read(pid_t tid)
{
	for (struct slot *slot = atomic_load_explicit(bucket_of(tid), memory_order_acquire); slot;
		slot = slot->next) {
		if (atomic_load_explicit(&slot->tid, memory_order_acquire) != tid)
			continue;
		const struct slot_state state = {
			.turn = atomic_load_explicit(&slot->turn, memory_order_acquire),
			.context = atomic_load_explicit(&slot->context, memory_order_acquire),
			.key = atomic_load_explicit(&slot->key, memory_order_acquire),
		};
		// it may have ended, and another thread have taken its slot, in between
		if (atomic_load_explicit(&slot->tid, memory_order_acquire) == tid)
			return state;
		break;
	}
	return (struct slot_state){ 0 };
}

pid_t slots_after_fork(void)
{
	uint64_t key = mine ? atomic_load(&mine->key) : 0;
	uint64_t context = mine ? atomic_load(&mine->context) : 0;
	pid_t before = mine ? atomic_load(&mine->tid) : 0;

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct slot *slot = atomic_load(&buckets[i]); slot; slot = slot->next)
			give_back(slot);
	mine = NULL;
	if (before && take())
		slot_write(mine, key, context);
	return before;
}

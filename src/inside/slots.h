// SPDX-License-Identifier: MIT
/*
 * One slot per kernel thread, found by its id: what it is in, and how often that has changed.
 *
 * Only the thread itself writes its slot; anybody reads any, wait-free: slots hang on chains that only
 * grow. The slot of a thread that has ended is used again.
 */
#ifndef FIREGLASS_INSIDE_SLOTS_H
#define FIREGLASS_INSIDE_SLOTS_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

struct slot {
	_Atomic pid_t tid; // 0: free
	struct slot *next;
	_Atomic uint64_t key;
	_Atomic uint64_t context; // in which the key holds; 0: in any
	_Atomic uint64_t turn;    // goes up whenever the others are written
} __attribute__((__aligned__(64)));

/* The calling thread's; NULL: no memory. */
struct slot *slot_mine(void);

/* Writes the calling thread's slot. */
static inline void slot_write(struct slot *mine, uint64_t key, uint64_t context)
{
	uint64_t turn = atomic_load_explicit(&mine->turn, memory_order_relaxed);

	atomic_store_explicit(&mine->turn, turn + 1, memory_order_release);
	atomic_store_explicit(&mine->context, context, memory_order_release);
	atomic_store_explicit(&mine->key, key, memory_order_release);
}

struct slot_state {
	uint64_t key, context, turn; // 0: there is no slot of this thread
};

struct slot_state slot_read(pid_t tid);

/*
 * In the child of a fork: only the calling thread is left, under another id. Returns the one it had;
 * 0: it has had no slot.
 */
pid_t slots_after_fork(void);

#endif

// SPDX-License-Identifier: MIT
/*
 * A stack of calls and the tree of all that were on it, of one tracer in one thread.
 *
 * A node is a path of calls: the same function called from elsewhere is another node. The hook only
 * adds the time of a call to its node; all else (time of its own, recursion, pairs of caller and
 * callee) is worked out when results are read: trace_sums.h.
 *
 * A program may have any number of paths. From TRACE_MAX_NODES on, the tree is summed up (slot->sums)
 * and begun anew, so that memory is bounded and the sums stay exact.
 */
#ifndef FIREGLASS_TRACE_SLOT_H
#define FIREGLASS_TRACE_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ext.h"
#include "trace_clock.h"

#define TRACE_MAX_NODES (1u << 20)
#define TRACE_CHUNK 128u

struct trace_thread;
struct trace_sums;
struct tracer;

/* Exactly one cache line. */
struct trace_node {
	const void *key;           // a code object, or the PyMethodDef of a C function
	struct trace_node *recent; // the child that was called last
	struct trace_node *after;  // the sibling that was called after this one, the last time
	uint64_t calls;            // that have ended
	uint64_t total;            // ticks
	uint64_t cpu;              // ns
	struct trace_node *parent;
	uint32_t index; // in its slot; parents come first
	uint32_t unused;
};

struct trace_frame {
	struct trace_node *node;
	uint64_t start;
};

struct trace_nodes {
	struct trace_node **chunks;
	PyObject ***objects; // beside the chunks: what each node's key stands for
	uint32_t count, chunk_count;
	struct trace_node **table; // parent and key -> node
	uint32_t table_mask;
};

/* A finished call of a timeline. */
struct trace_call {
	uint32_t node;
	uint64_t start, end;
};

enum trace_flags {
	TRACE_TIMELINE = 1, // keeps each call
	TRACE_CPU = 2,      // CPU time, too
	TRACE_TIMER = 4,    // the user's clock
	TRACE_ONLY = 8,     // chosen functions
};

struct trace_slot {
	struct trace_frame *top;  // the innermost call; frames[0] is the thread itself
	struct trace_frame *last; // the last place
	struct trace_frame *frames;
	uint64_t *cpu_starts; // of each place, with TRACE_CPU
	unsigned flags;       // 0: plain
	bool builtins;
	struct trace_slot *next_on_thread, *next_of_tracer;
	struct tracer *tracer; // NULL: it has gone, and the thread does not know yet
	struct trace_thread *thread;
	atomic_uint users; // the thread and the tracer
	PyObject *thread_object;

	struct trace_nodes nodes;

	struct trace_sums *sums;    // of what was summed up before; NULL: nothing
	struct trace_aside *asides; // stacks of greenlets that are switched away
	size_t aside_count;
	struct trace_call *calls;
	size_t call_count, call_capacity;
	uint64_t lost, resyncs;
};

extern struct trace_node trace_no_node; // its key is no key

/* An empty tree with its root; NULL: no memory. */
struct trace_slot *trace_slot_create(unsigned flags);
/* Forgets everything but the calls in progress, and hands out what is to be freed: that may run code of
 * the program, so unlock the thread before. */
struct trace_forgotten {
	struct trace_nodes nodes;
	struct trace_sums *sums;
} trace_slot_clear(struct trace_slot *slot);
void trace_forgotten_free(struct trace_forgotten *forgotten);
/* Frees all that it holds, but not the slot. With the interpreter. */
void trace_slot_empty(struct trace_slot *slot);

/* The node for `key` below `above`, found or made; it becomes the recent one. NULL: no memory, or a
 * method of the tracer's own. */
struct trace_node *trace_slot_child(
	struct trace_slot *slot, struct trace_node *above, const void *key, PyObject *object);
bool trace_slot_grow(struct trace_slot *slot);
/* A call ends that is not the innermost: those within it were left unseen, or it began before us. */
void trace_slot_resync(struct trace_slot *slot, const void *key, uint64_t now);
/* The tree into the sums; the paths on the stack stay. */
bool trace_slot_sum_up(struct trace_slot *slot);
PyObject *trace_slot_object(const struct trace_slot *slot, uint32_t index);

/* The node of a call from the innermost one. */
static inline struct trace_node *trace_slot_next(
	struct trace_slot *slot, const void *key, PyObject *object)
{
	struct trace_node *above = slot->top->node, *node = above->recent;

	if (__builtin_expect(node->key == key, 1))
		return node;
	node = node->after;
	if (node->key == key) {
		above->recent = node;
		return node;
	}
	return trace_slot_child(slot, above, key, object);
}

/* False: it is not on the stack. */
static inline bool trace_slot_enter(struct trace_slot *slot, const void *key, PyObject *object)
{
	struct trace_node *node = trace_slot_next(slot, key, object);

	if (__builtin_expect(!node, 0))
		return false;
	if (__builtin_expect(slot->top == slot->last, 0) && !trace_slot_grow(slot))
		return false;
	struct trace_frame *top = ++slot->top;
	top->node = node;
	top->start = trace_ticks();
	return true;
}

static inline void trace_slot_leave(struct trace_slot *slot, const void *key, uint64_t now)
{
	struct trace_frame *top = slot->top;

	if (__builtin_expect(top->node->key != key, 0)) {
		trace_slot_resync(slot, key, now);
		return;
	}
	top->node->total += now - top->start;
	top->node->calls++;
	slot->top = top - 1;
}

#endif

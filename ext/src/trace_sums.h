// SPDX-License-Identifier: MIT
/*
 * Calls summed up: by function, and by pair of caller and callee, from a tree of calls.
 *
 * As the profilers of the standard library count: the total time of a function, or of a pair, is that
 * of its calls that are not within another call of the same; "primitive" calls are these.
 * Ticks, but CPU time in ns. Times may be negative in between, while calls of a tree are still going on.
 */
#ifndef FIREGLASS_TRACE_SUMS_H
#define FIREGLASS_TRACE_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ext.h"

struct trace_slot;

/* A node of a tree, copied. */
struct trace_record {
	const void *key;  // NULL: the root
	PyObject *object; // a reference of its own
	uint32_t parent;
	uint64_t calls;
	int64_t total, cpu; // those of calls in progress included
};

struct trace_records {
	struct trace_record *at;
	uint32_t count;
};

struct trace_function {
	const void *key;
	PyObject *object; // a reference of its own
	uint64_t calls, primitive;
	int64_t total, self, cpu, self_cpu;
	uint32_t active;
	uint32_t pairs; // its callees: list through next_of_caller; UINT32_MAX ends it
};

struct trace_pair {
	uint32_t caller, callee, next_of_caller, active;
	uint64_t calls, primitive;
	int64_t total, self;
};

struct trace_sums {
	struct trace_function *functions;
	struct trace_pair *pairs;
	uint32_t function_count, function_room, pair_count, pair_room;
	uint32_t *function_table, *pair_table; // number + 1, 0: empty
	uint32_t function_mask, pair_mask;
};

struct trace_sums *trace_sums_create(void);
void trace_sums_destroy(struct trace_sums *sums);

/* A tree, its root first. False: no memory, and the sums are of no use. */
bool trace_sums_add(struct trace_sums *sums, const struct trace_records *records);
bool trace_sums_add_sums(struct trace_sums *sums, const struct trace_sums *others);

/* Copies the tree of a slot, whose thread is locked. */
bool trace_records_copy(struct trace_records *records, const struct trace_slot *slot, uint64_t now,
	uint64_t cpu_now);
void trace_records_free(struct trace_records *records);
/* ticks or ns of each node without those of its children; NULL: no memory. */
int64_t *trace_records_self(const struct trace_records *records, bool cpu);

#endif

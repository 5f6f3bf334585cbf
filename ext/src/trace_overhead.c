// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "trace.h"
#include "trace_results.h"

#define ROUNDS 5
#define CALLS 2000

// What our own part of a call and its return takes, at best. CPython's part comes on top.
double trace_overhead_ns(void)
{
	static double known;
	struct trace_thread nobody = { .greenlets_followed = true };
	struct trace_slot *slot = known > 0 ? NULL : trace_slot_create(0);
	static const char function;
	uint64_t best = UINT64_MAX;

	if (!slot)
		return known;
	slot->thread = &nobody;
	slot->thread_object = Py_None; // no name is looked for
	Py_INCREF(Py_None);
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t start = trace_clock_ns();
		for (int i = 0; i < CALLS; i++) {
			trace_slot_enter(slot, &function, NULL);
			trace_slot_leave(slot, &function, trace_ticks());
		}
		uint64_t took = trace_clock_ns() - start;
		best = took < best ? took : best;
	}
	trace_slot_empty(slot);
	free(slot);
	return known = (double)best / CALLS;
}

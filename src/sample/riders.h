// SPDX-License-Identifier: MIT
/*
 * What is read of the interpreter along with a stack, in the same call: the head of its list of
 * threads (is there a new one?), who holds the GIL, and whether a garbage collection runs. Fields
 * that lie near each other are one range.
 */
#ifndef FIREGLASS_SAMPLE_RIDERS_H
#define FIREGLASS_SAMPLE_RIDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "pyabi/stack.h"
#include "pyabi/threads.h"

#define RIDERS_SPANS_MAX 2
#define RIDERS_BYTES_MAX 8192

struct interp_riders {
	struct stack_riders set; // the caller may add others after these
	struct {
		remote_addr start, end;
		size_t offset; // in bytes
	} spans[RIDERS_SPANS_MAX];
	size_t span_count;
	unsigned char bytes[RIDERS_BYTES_MAX];
};

/* Begins the set anew, without any. */
void riders_clear(struct interp_riders *r);

/* Begins the set anew with those for thread `t`. */
void riders_fill(
	struct interp_riders *r, const struct py_runtime *rt, const struct py_thread *t);

/* What came of it. */
struct interp_look {
	bool known;               // false: they were not read
	remote_addr first_thread; // head of the list of threads
	bool has_gil;             // there is one, and it was read
	remote_addr holder;       // the thread state that holds it, or 0
	bool collecting;          // a garbage collection runs
};

void riders_look(const struct interp_riders *r, const struct py_runtime *rt,
	const struct py_thread *t, struct interp_look *ret);

#endif

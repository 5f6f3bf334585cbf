// SPDX-License-Identifier: MIT
/*
 * Which value a context variable has in a thread, read from the interpreter's memory without its help.
 *
 * Everything that switches between tasks switches contexts: asyncio, uvloop, trio, curio, greenlets,
 * context.run(). The thread's state points to the context it is in; that holds a map of variables, a
 * tree whose branches are chosen by five bits of the variable's hash at a time (CPython's hamt.c),
 * whose nodes are never changed once they are in use. The values are objects of a type of ours, which
 * hold a key.
 *
 * Where things are is found out by whoever has Python's API (ext/src/context_map.c), which also tries
 * whether it is right; there is one map per process.
 */
#ifndef FIREGLASS_INSIDE_CONTEXTS_H
#define FIREGLASS_INSIDE_CONTEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inside/slots.h"
#include "inside/spans.h"

/* Offsets are from the begin of the object. */
struct context_map {
	uint64_t state_context; // in PyThreadState; the number of switches follows it
	uint64_t context_vars;
	uint64_t vars_root;
	uint64_t header;      // sizeof(PyObject); a pointer to the type is its last word
	uint64_t bitmap_type; // of nodes of the tree, as the other
	uint64_t array_type;
	uint64_t variable;    // its address
	uint32_t hash;        // of it, as the tree uses it
	uint64_t value_type;  // of the values
	uint64_t value_key;   // where a value has its key
};

/* From now on it is used; a second time, and with NULL, nothing is (any more). */
void contexts_use(const struct context_map *map);

bool contexts_ready(void);

/* The key in the context of the thread with this state, through `map`; 0: none, or not to be read. */
uint64_t context_key(const struct context_map *map, uint64_t state);

/* As spans_look(), with what the slot of the thread says: changing the variable changes its turn. */
bool contexts_look(struct span_look *look, uint64_t state, const struct slot_state *slot);

/* In the child of a fork. */
void contexts_after_fork(void);

#endif

// SPDX-License-Identifier: MIT
/*
 * From raw frames (addresses in the target) to stacks of the store.
 *
 * Each code object is read once and kept with its witness; each stack that is resolved has all its
 * witnesses checked again, in one system call for up to CODE_CHECKS_MAX of them, so that a code
 * object freed and another made at its address never borrow each other's name.
 */
#ifndef FIREGLASS_SAMPLE_RESOLVER_H
#define FIREGLASS_SAMPLE_RESOLVER_H

#include <stdint.h>

#include "base/intern.h"
#include "pyabi/code.h"
#include "pyabi/stack.h"
#include "store/profile.h"

struct code_entry;

struct resolver {
	struct py_runtime *rt;
	struct mem_reader *mem;
	struct profile *profile;
	struct intern index; // address -> entry
	struct code_entry *entries;
	size_t entry_count, entry_capacity;
	uint64_t now;        // counts resolver_prepare() calls
	uint64_t codes_read; // for statistics
	frame_id unknown;    // the frame of a code object that could not be read
};

/* The profile, runtime and memory stay the caller's and must outlive the resolver. */
void resolver_init(struct resolver *r, struct py_runtime *rt, struct mem_reader *mem,
	struct profile *profile);
void resolver_deinit(struct resolver *r);

/*
 * Forgets all code objects: after an execve, or when the runtime was found anew.
 */
void resolver_forget(struct resolver *r);

/*
 * Makes sure that all code objects of `stack` are known. Returns how many had to be read just now:
 * if any, they were read after the stack was, and may not be what the stack had; read the stack
 * again and call again until 0.
 */
size_t resolver_prepare(struct resolver *r, const struct raw_stack *stack);

/*
 * The stack in the store, under `root` (STACK_NONE, or the stack of a thread's frame). Frames whose
 * code object could not be read are "(unknown function)". READ_TORN: an instruction lies outside of
 * its code object, so the stack is none that was; `root` itself for an empty stack.
 */
enum read_status resolver_stack(
	struct resolver *r, const struct raw_stack *stack, stack_id root, stack_id *ret);

#endif

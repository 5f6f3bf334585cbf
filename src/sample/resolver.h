// SPDX-License-Identifier: MIT
/*
 * From raw frames (addresses in the target) to stacks of the store.
 *
 * Each code object is read once and kept with its witness, and no stack is resolved without proof
 * that its code objects are still those: a code object freed and another made at its address never
 * borrow each other's name. The proof is had cheaply:
 *
 * - 3.14 and newer count the code objects that were freed. The count is read with the stack; as long
 *   as it is what it was, every code object known is what it was.
 * - Before that the witnesses of the code objects that the thread had in its last stack are read
 *   with the stack, in the same call; only those that are new to the stack cost another.
 */
#ifndef FIREGLASS_SAMPLE_RESOLVER_H
#define FIREGLASS_SAMPLE_RESOLVER_H

#include <stdint.h>

#include "base/intern.h"
#include "pyabi/code.h"
#include "pyabi/stack.h"
#include "store/profile.h"

struct code_entry;

/* The code objects of a thread's last stack, as rows of the resolver. */
struct resolver_codes {
	uint32_t rows[CODE_CHECKS_MAX];
	size_t count;
};

struct resolver {
	struct py_runtime *rt;
	struct mem_reader *mem;
	struct profile *profile;
	struct intern index; // address -> entry
	struct code_entry *entries;
	size_t entry_count, entry_capacity;
	uint64_t now;        // counts stacks
	uint64_t codes_read; // for statistics
	frame_id unknown;    // the frame of a code object that could not be read

	struct code_checks checks;
	size_t first_rider;  // of the ranges that were added to the riders
	uint64_t freed;      // code objects freed, as read with the stack
	uint64_t generation; // made of it and the interpreter; 0: not known
};

/* The profile, runtime and memory stay the caller's and must outlive the resolver. */
void resolver_init(struct resolver *r, struct py_runtime *rt, struct mem_reader *mem,
	struct profile *profile);
void resolver_deinit(struct resolver *r);

/* Forgets all code objects: after an execve. Rows that threads hold are void then. */
void resolver_forget(struct resolver *r);

/*
 * Begins a stack of a thread in `interp` whose last stack had `codes`: adds to `riders` what proves
 * that code objects are what they were.
 */
void resolver_begin(struct resolver *r, const struct resolver_codes *codes, remote_addr interp,
	struct stack_riders *riders);

/*
 * After the stack was read with those riders: makes sure that all its code objects are known, and
 * leaves them in `codes` for the next time. Returns how many had to be read just now: if any, they
 * were read after the stack was and may not be what the stack had; begin again, read the stack
 * again, and so on until 0.
 */
size_t resolver_prepare(struct resolver *r, const struct raw_stack *stack, remote_addr interp,
	const struct stack_riders *riders, struct resolver_codes *codes);

/*
 * The stack in the store, under `root` (STACK_NONE, or the stack of a thread's frame). Frames whose
 * code object could not be read are "(unknown function)". READ_TORN: an instruction lies outside of
 * its code object, so the stack is none that was; `root` itself for an empty stack.
 */
enum read_status resolver_stack(
	struct resolver *r, const struct raw_stack *stack, stack_id root, stack_id *ret);

#endif

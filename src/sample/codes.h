// SPDX-License-Identifier: MIT
/*
 * The code objects of a target, as the sampling thread knows them: which is which.
 *
 * Each code object is read once, given a serial number, and announced through the ring with all that
 * is known of it. No stack is handed over without proof that its code objects are still those: a
 * code object freed and another made at its address never borrow each other's name. The proof is
 * had cheaply:
 *
 * - 3.14 and newer count the code objects that were freed. As long as the count is what it was,
 *   every code object known is what it was.
 * - Before that the witnesses of code objects are read again (pyabi/code.h).
 *
 * Either can be read with the stack, in the same call: then the stack is proven at once. That costs
 * too much at high rates. So a code object that has been what it is for some time (and, where freed
 * ones are counted, a program that has not freed any for some time) is trusted for the moment, and
 * proven some milliseconds later, for all stacks read since: an epoch (codes_prove()). What turns
 * out to have changed in between is void, and must not be shown by its name.
 */
#ifndef FIREGLASS_SAMPLE_CODES_H
#define FIREGLASS_SAMPLE_CODES_H

#include <stdint.h>

#include "base/intern.h"
#include "pyabi/code.h"
#include "pyabi/stack.h"
#include "sample/ring.h"

/* The frame of a code object of which the receiver could not be told. */
#define CODE_UNKNOWN UINT32_MAX
/* The word of a frame that is no function of the program's and is left out. */
#define FRAME_INTERNAL UINT64_MAX

/* A frame of a thread's last stack and what it came to. */
struct known_frame {
	remote_addr code;
	uint64_t instr;
	uint32_t tlbc_index;
	uint32_t row;   // of struct codes
	uint64_t epoch; // in which it was trusted; 0: it was proven with its stack
	uint64_t word;  // of no meaning unless has_word
	bool has_word;
};

/* What is known of a thread's last stack. */
struct thread_codes {
	uint32_t rows[CODE_CHECKS_MAX]; // its code objects that are to be proven with the stack
	size_t count;
	struct known_frame *frames; // root first
	size_t frame_count, frame_capacity;
};

void thread_codes_deinit(struct thread_codes *known);

struct code_entry;

struct codes {
	struct py_runtime *rt;
	struct mem_reader *mem;
	struct ring *ring;
	struct intern index; // address -> entry
	struct code_entry *entries;
	size_t entry_count, entry_capacity;
	uint64_t now;         // counts stacks
	uint32_t next_serial; // never used twice, also after codes_forget()

	struct code_checks checks;
	size_t first_rider;  // of the ranges that were added to the riders
	uint64_t freed;      // code objects freed, as read with the stack
	uint64_t generation; // made of it and the interpreter; 0: not known
	uint64_t seen_generation; // the last that was

	// set by the caller
	bool deferring;  // proofs may wait until codes_prove()
	uint64_t now_ns; // the time

	uint64_t epoch;
	uint32_t *trusted; // rows of the code objects trusted in this epoch
	size_t trusted_count, trusted_capacity;
	remote_addr interp;  // whose stacks they were in
	bool several_interp; // in those of others too
	remote_addr counted_interp; // whose count of freed ones `counted` is, at the epoch's begin
	uint64_t counted;
	uint64_t restless_until_ns; // code objects were freed not long ago
	uint32_t *voided; // serials that the last codes_prove() found changed
	size_t voided_count, voided_capacity;
};

/* Runtime, memory and ring stay the caller's and must outlive it. */
void codes_init(struct codes *c, struct py_runtime *rt, struct mem_reader *mem, struct ring *ring);
void codes_deinit(struct codes *c);

/* Forgets all code objects: after an execve. Rows that threads hold are void then. */
void codes_forget(struct codes *c);

/*
 * Begins a stack of a thread in `interp` whose last stack had `known`: adds to `riders` what proves
 * that code objects are what they were.
 */
void codes_begin(struct codes *c, const struct thread_codes *known, remote_addr interp,
	struct stack_riders *riders);

/*
 * After the stack was read with those riders: makes sure that all its code objects are known, and
 * leaves them in `known` for the next time. Returns how many had to be read just now: if any, they
 * were read after the stack was and may not be what the stack had; begin again, read the stack
 * again, and so on until 0.
 */
size_t codes_prepare(struct codes *c, const struct raw_stack *stack, remote_addr interp,
	const struct stack_riders *riders, struct thread_codes *known);

/*
 * Proves what was trusted since the last time and begins a new epoch. Afterwards c->voided are the
 * serials of those that are others by now: frames of them that were handed over in the epoch may be
 * wrong.
 */
void codes_prove(struct codes *c);

/* The same when the program is gone: nothing can be proven any more, and nothing is void. */
void codes_abandon(struct codes *c);

/*
 * Frame `i` of the prepared stack, counted from the root, as it goes through the ring: the serial of
 * its code object and the byte offset of its instruction, or FRAME_INTERNAL. READ_TORN: what it
 * points to is no code object, or its instruction lies outside, so that the frame is none that was.
 */
enum read_status codes_frame(
	struct codes *c, struct thread_codes *known, size_t i, uint64_t *word_ret);

#endif

// SPDX-License-Identifier: MIT
/*
 * The code objects of a target, as the sampling thread knows them: which is which.
 *
 * Each code object is read once, given a serial number, and announced through the ring with all that
 * is known of it. No stack is handed over without proof that its code objects are still those: a
 * code object freed and another made at its address never borrow each other's name. The proof is
 * had cheaply:
 *
 * - 3.14 and newer count the code objects that were freed. The count is read with the stack; as long
 *   as it is what it was, every code object known is what it was.
 * - Before that the witnesses of the code objects that the thread had in its last stack are read
 *   with the stack, in the same call; only those that are new to the stack cost another.
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

/* The code objects of a thread's last stack, as rows of struct codes. */
struct thread_codes {
	uint32_t rows[CODE_CHECKS_MAX];
	size_t count;
};

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
 * A prepared frame as it goes through the ring: the serial of its code object and the byte offset of
 * its instruction, or FRAME_INTERNAL. READ_TORN: what it points to is no code object, or its
 * instruction lies outside, so that the frame is none that was.
 */
enum read_status codes_frame(struct codes *c, const struct raw_frame *frame, uint64_t *word_ret);

#endif

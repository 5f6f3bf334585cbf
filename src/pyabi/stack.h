// SPDX-License-Identifier: MIT
/*
 * Reading the stack of one running thread truly, without stopping it.
 *
 * In ONE system call all memory in which its frames are expected (learnt from the samples before) is
 * read, then the thread state, which says where the innermost frame is, then the memory once more:
 *
 *	piece 0 | piece 1 | ... || thread state | heads || piece 0 | piece 1 | ...
 *	        before                    now                   after
 *
 * A frame counts only if before and after agree on it (code, instruction, previous): so that is how
 * it was at the moment the thread state was read. Only the instruction of the leaf may differ; the
 * later one is taken. What cannot be proven is read again; what never settles is given as far as it
 * is proven and marked truncated.
 *
 * Pieces are runs of target memory: the live part of each data-stack chunk (3.11 and newer), frames
 * that lie elsewhere (generators, frame objects to 3.10). Heads: the C frames that lie between the
 * thread state and the innermost frame (3.11, 3.12). A frame outside of all pieces is a miss: it is
 * looked up, its place becomes a piece, and the read starts again.
 *
 * After a few samples nothing is allocated any more. One reader per thread of the target; a reader
 * belongs to one thread of ours.
 */
#ifndef FIREGLASS_PYABI_STACK_H
#define FIREGLASS_PYABI_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/mem_reader.h"
#include "pyabi/runtime.h"
#include "pyabi/stack_pieces.h"

/* A stack deeper than this is cut: the innermost frames are kept. */
#define STACK_FRAMES_MAX 16384

struct raw_frame {
	remote_addr frame;    // where it is
	remote_addr previous; // its caller's, 0 at the root
	remote_addr code;     // the code object
	uint64_t instr;       // as the frame has it: see enum py_instr_kind
	uint32_t tlbc_index;  // which copy of the bytecode (free-threaded 3.14 on), else 0
	bool in_generator;    // it lies in a generator or coroutine (3.11 and newer)
	bool may_be_root;     // a chain may end with it
	bool native_below;    // called from C: a C entry frame lies between it and its caller
};

/* Leaf first. */
struct raw_stack {
	struct raw_frame *frames;
	size_t count, capacity;
	bool too_deep;  // the rest towards the root was cut
	bool unproven;  // frames towards the leaf did not settle and were left out
	bool moved;     // it was seen to change during the read: the thread was running then
};

/*
 * Other memory read in the same call, after both images: what belongs to the sample but not to the
 * stack. The caller fills `ranges` before a read; afterwards `whole` says how many were read.
 */
#define STACK_RIDERS_MAX 224

struct stack_riders {
	struct mem_range ranges[STACK_RIDERS_MAX];
	size_t count, whole;
};

/* What reading did, for the summary. */
struct stack_counts {
	uint64_t reads;     // system calls
	uint64_t misses;    // frames looked up singly
	uint64_t unsettled; // reads of which before and after did not agree
};

struct stack_reader {
	remote_addr state;  // the PyThreadState
	remote_addr interp; // what its interp field must say
	struct stack_pieces pieces, heads;
	unsigned char *bytes; // all that is read
	size_t bytes_capacity;
	struct mem_range *ranges;
	size_t range_capacity;
	struct raw_stack stack;
	size_t unproven; // so many of its frames, from the leaf, are not proven
	bool torn;       // some frame was not the same before and after
	struct stack_riders *riders; // the caller's, or NULL
	uint64_t reads;
	remote_addr root;           // the outermost frame of the last stack
	bool root_in_generator;
	remote_addr new_root;       // another one that waits to be seen again
	uint64_t new_root_at;       // the read it was seen in
	struct stack_counts counts;
};

void stack_reader_init(struct stack_reader *r, remote_addr state, remote_addr interp);
void stack_reader_deinit(struct stack_reader *r);

/*
 * Reads the thread's stack, at most `attempts` times until it settles. On READ_OK *stack_ret points
 * to the result, which lives in the reader until the next call; an empty stack is a thread that
 * runs no Python. READ_TORN: nothing of it could be proven. READ_GONE: the thread state is no
 * longer that of this thread.
 */
enum read_status stack_reader_read(struct stack_reader *r, const struct py_runtime *rt,
	struct mem_reader *mem, unsigned int attempts, const struct raw_stack **stack_ret);

#endif

// SPDX-License-Identifier: MIT
/*
 * What goes through the ring, in words.
 *
 *	code     header | address of a struct py_code, owned by the receiver from now on
 *	thread   header | tid, main | pthread | interpreter | interpreter's id
 *	sample   header | time | CPU time | common, weight, system call | tag | frame, frame, ... from
 *	         the outermost new one to the leaf
 *
 * A sample says how many frames, counted from the root, its stack has in common with the one before
 * of the same thread; only the others follow. A frame is the serial of its code object and where in
 * the bytecode it is. The tag is what the thread said it was working on (struct sampler).
 */
#ifndef FIREGLASS_SAMPLE_RECORD_H
#define FIREGLASS_SAMPLE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "sample/ring.h"

enum record_type {
	RECORD_CODE = 1,
	RECORD_THREAD,
	RECORD_SAMPLE,
};

/* What the kernel says of a thread. */
enum thread_run {
	THREAD_ON_CPU,   // on a processor
	THREAD_RUNNABLE, // ready for one, but not on one
	THREAD_WAITING,  // sleeps, waits for a lock or a device (S, D)
	THREAD_STOPPED,  // by a signal or a debugger (T, t)
	THREAD_UNKNOWN,  // its kernel thread is not known
};

/* How a stack was come by. */
enum sample_proof {
	SAMPLE_VERIFIED,  // read twice, both agree
	SAMPLE_REUSED,    // the thread has not run since its last verified sample
	SAMPLE_TRUNCATED, // only a part towards the root is proven, or it is too deep
	SAMPLE_FAILED,    // nothing could be proven: no stack
};

struct record_header {
	enum record_type type;
	enum thread_run run;
	enum sample_proof proof;
	bool holds_gil, waits_for_gil, in_gc;
	uint32_t index; // of the thread; of a code record: the serial
	uint32_t count; // of frames that follow
};

#define RECORD_COUNT_BITS 20
#define RECORD_INDEX_BITS 28

static inline uint64_t record_pack(const struct record_header *h)
{
	return (uint64_t)h->type | (uint64_t)h->run << 4 | (uint64_t)h->proof << 8 |
	       (uint64_t)h->holds_gil << 12 | (uint64_t)h->waits_for_gil << 13 |
	       (uint64_t)h->in_gc << 14 | (uint64_t)h->index << 16 |
	       (uint64_t)h->count << (16 + RECORD_INDEX_BITS);
}

static inline struct record_header record_unpack(uint64_t word)
{
	return (struct record_header){
		.type = (enum record_type)(word & 15),
		.run = (enum thread_run)(word >> 4 & 15),
		.proof = (enum sample_proof)(word >> 8 & 15),
		.holds_gil = word >> 12 & 1,
		.waits_for_gil = word >> 13 & 1,
		.in_gc = word >> 14 & 1,
		.index = (uint32_t)(word >> 16) & ((1u << RECORD_INDEX_BITS) - 1),
		.count = (uint32_t)(word >> (16 + RECORD_INDEX_BITS)),
	};
}

/* The fourth word of a sample: frames in common (below 2^16), how many ticks it stands for. */
static inline uint64_t record_common(uint32_t common, uint32_t weight, int32_t syscall)
{
	weight = weight < 1 ? 0 : weight > UINT16_MAX ? UINT16_MAX : weight - 1;
	return (uint64_t)(uint32_t)syscall << 32 | weight << 16 | (common & UINT16_MAX);
}

static inline uint32_t record_weight(uint64_t word)
{
	return (uint32_t)(word >> 16 & UINT16_MAX) + 1;
}

/* Words of a sample before its frames. */
#define RECORD_SAMPLE_WORDS 5
#define RECORD_THREAD_WORDS 5
#define RECORD_CODE_WORDS 2

/* A frame: serial of the code object, byte offset of the instruction (may be negative). */
static inline uint64_t record_frame(uint32_t serial, int32_t offset)
{
	return (uint64_t)serial << 32 | (uint32_t)offset;
}

/*
 * Takes their names from the frames of these code objects, in all samples that are not published
 * yet. Returns how many frames it were.
 */
size_t record_void_codes(struct ring *ring, const uint32_t *serials, size_t count);

#endif

// SPDX-License-Identifier: MIT
/*
 * A made-up interpreter in a memory image, laid out as a release lays it out: for what a recording
 * cannot show, and for programs that change under the reader's eyes.
 *
 * Every change of the target's memory is a store. While `w->deferred` is set, stores are queued
 * instead and world_run() carries them out one by one, so that a reader can be made to see every
 * state in between.
 */
#ifndef FIREGLASS_TESTS_WORLD_H
#define FIREGLASS_TESTS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/mem_image.h"
#include "pyabi/runtime.h"
#include "pyabi/stack.h"

#define WORLD_DEPTH_MAX 256
#define WORLD_CHUNKS_MAX 8
#define WORLD_UNITS 64 // code units of every code object; unit k is on line first_line + k

/* One frame of a stack, root first. */
struct world_frame {
	remote_addr frame, code;
	uint32_t unit;
};

struct world_stack {
	struct world_frame frames[WORLD_DEPTH_MAX];
	size_t depth;
};

struct world_thread {
	remote_addr state, interp, cframe;
	struct world_stack stack; // as the program sees it: after all queued stores
	remote_addr chunks[WORLD_CHUNKS_MAX];
	size_t chunk_count, chunk_bytes;
	remote_addr top;                          // of the data stack
	remote_addr free_frames[WORLD_DEPTH_MAX]; // frame objects to be used again
	size_t free_count;
	remote_addr base_frame;
};

struct world_store {
	remote_addr addr;
	uint64_t value;
	unsigned int bytes;
	bool map, unmap;                  // instead: a segment comes or goes
	const struct world_stack *moment; // the stack that is true from this store on, or NULL
};

struct world {
	struct mem_image image;
	struct py_runtime rt;
	remote_addr heap_next;
	remote_addr interp; // the first
	size_t chunk_bytes; // of the data stack: 16384, unless changed before a thread is added
	bool deferred;
	struct world_store *stores;
	size_t store_count, store_capacity, store_done;
	// every stack there ever was, in order; world_forget() empties it but for the last
	const struct world_stack **moments;
	size_t moment_count, moment_capacity;
};

/* "3.11": as that release on x86-64, with one interpreter and no thread. */
void world_init(struct world *w, const char *release);
void world_deinit(struct world *w);

remote_addr world_alloc(struct world *w, size_t bytes);
void world_store(struct world *w, remote_addr addr, uint64_t value, unsigned int bytes);
void world_put(struct world *w, remote_addr object, uint32_t offset, uint64_t value);
void world_put_u32(struct world *w, remote_addr object, uint32_t offset, uint32_t value);

/* Objects. The *_at forms write them over what is at an address. */
remote_addr world_str(struct world *w, const char *ascii);
void world_str_at(struct world *w, remote_addr addr, const char *ascii);
remote_addr world_str_units(struct world *w, const void *units, size_t count, unsigned int width);
remote_addr world_bytes(struct world *w, const void *bytes, size_t len);
remote_addr world_int(struct world *w, uint64_t value);
remote_addr world_dict(
	struct world *w, const remote_addr *keys, const remote_addr *values, size_t count);

struct world_code {
	remote_addr name, qualname, file; // strings
	uint32_t first_line;
	uint32_t version;
};

remote_addr world_code(struct world *w, const char *name, uint32_t first_line);
remote_addr world_code_of(struct world *w, const struct world_code *c);
void world_code_at(struct world *w, remote_addr addr, const struct world_code *c);

/* Interpreters and threads; each is put at the head of its list, as CPython does. */
remote_addr world_add_interpreter(struct world *w, uint64_t id);
void world_add_thread(struct world *w, struct world_thread *t, remote_addr interp);

/* Calls, as CPython's own order of stores has them. A popped frame leaves behind what it does. */
void world_push(struct world *w, struct world_thread *t, remote_addr code);
void world_push_shim(struct world *w, struct world_thread *t);
void world_pop(struct world *w, struct world_thread *t);
void world_step(struct world *w, struct world_thread *t, uint32_t unit);

/* Carries out up to `count` queued stores; false when there are none left. */
bool world_run(struct world *w, size_t count);
void world_forget(struct world *w);

/* The instruction field of a frame of `code` at `unit`. */
uint64_t world_instr(const struct world *w, remote_addr code, uint32_t unit);

/* The segment at an address is mapped, or is not. */
void world_unmap(struct world *w, remote_addr addr);

/* One thread that runs a few functions, and a reader of its stack. */
struct still {
	struct world w;
	struct world_thread t;
	struct stack_reader reader;
	const struct raw_stack *stack; // what was read
	remote_addr codes[4];
};

/* `chunk_bytes`: of the data stack, 0 as CPython has them. */
void still_init_with(struct still *s, const char *release, size_t chunk_bytes);
void still_init(struct still *s, const char *release);
void still_deinit(struct still *s);

/* Calls `count` functions, codes[0] to [3] in turn. */
void still_push(struct still *s, size_t count);

/* Reads the stack, once more if need be; counts the ranges in w.image.reads. */
enum read_status still_read(struct still *s);

/* Fails the test unless what is read is exactly what is there. */
void still_assert_true(struct still *s);

/*
 * A reader that calls `step` before each range, so that the target runs while it is read. `step`
 * may be NULL. With `grain` not 0 it is called before each so many bytes of a range as well.
 */
struct script_reader {
	struct mem_reader reader;
	struct world *world;
	void (*step)(struct script_reader *s, remote_addr addr);
	void *data;
	size_t grain;
	size_t calls, ranges;
};

void script_reader_init(struct script_reader *s, struct world *w);

#endif

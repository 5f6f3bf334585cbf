// SPDX-License-Identifier: MIT
/*
 * A profile in memory: tables of integers, each row interned once.
 *
 *	string   text, valid UTF-8
 *	function (name, file, first line)            names are strings
 *	frame    (function, line)                    line 0 = not known
 *	stack    (parent stack, frame)               STACK_NONE is the parent of a root
 *	weight   samples that ended in a stack       one number per stack
 *
 * A sample is one stack id; a million samples of few stacks cost what the stacks cost. The store
 * knows neither Python nor Linux. Not thread-safe: one thread owns a profile.
 */
#ifndef FIREGLASS_STORE_PROFILE_H
#define FIREGLASS_STORE_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/intern.h"

typedef uint32_t string_id;
typedef uint32_t function_id;
typedef uint32_t frame_id;
typedef uint32_t stack_id;

#define STACK_NONE UINT32_MAX

/* What a function stands for; only FUNCTION_PYTHON has lines, all but threads and marks a file. */
enum function_kind {
	FUNCTION_PYTHON,
	FUNCTION_THREAD, // a thread as the root of its stacks
	FUNCTION_MARK,   // something said about the sample: (idle), (truncated), ...
	FUNCTION_PLACE,  // a file or a package in place of its functions: in views only
};

struct store_string {
	const char *text; // ends with 0
	uint32_t len;
};

struct store_function {
	string_id name;
	string_id file;
	uint32_t first_line;
	enum function_kind kind;
};

struct store_frame {
	function_id function;
	uint32_t line;
};

struct store_stack {
	stack_id parent;
	frame_id frame;
};

struct profile {
	struct arena text;

	struct store_string *strings;
	struct store_function *functions;
	struct store_frame *frames;
	struct store_stack *stacks;
	uint64_t *weights; // by stack

	size_t string_count, string_capacity;
	size_t function_count, function_capacity;
	size_t frame_count, frame_capacity;
	size_t stack_count, stack_capacity;
	size_t weight_capacity;

	struct intern string_index, function_index, frame_index, stack_index;

	uint64_t total; // sum of the weights
};

void profile_init(struct profile *p);
void profile_deinit(struct profile *p);

/* Each returns the row that equals its arguments, making it if there is none. */
string_id profile_string(struct profile *p, const char *text, size_t len);
function_id profile_function(struct profile *p, const struct store_function *function);
frame_id profile_frame(struct profile *p, function_id function, uint32_t line);
stack_id profile_stack(struct profile *p, stack_id parent, frame_id frame);

/* A frame of a function without file and line, such as a thread or "(idle)". */
frame_id profile_plain_frame(struct profile *p, enum function_kind kind, const char *name);

/* Gives a function of kind FUNCTION_THREAD another name; its id stays. */
void profile_rename(struct profile *p, function_id function, const char *name);

/* Counts `weight` samples for `stack` (not STACK_NONE). */
void profile_add_sample(struct profile *p, stack_id stack, uint64_t weight);

/* The text of a string id. */
const char *profile_text(const struct profile *p, string_id id);

/* Number of frames of a stack; STACK_NONE has 0. */
size_t profile_depth(const struct profile *p, stack_id stack);

#endif

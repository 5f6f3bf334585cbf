// SPDX-License-Identifier: MIT
/*
 * The variables of a frame: where their values are.
 *
 * A frame of a function has a slot for each name, which may be empty, then the stack of values that
 * its expressions are being made of. Variables shared with inner functions are behind a cell. Code
 * that is no function (modules, class bodies, exec) keeps its names in a dict.
 */
#ifndef FIREGLASS_PYABI_LOCALS_H
#define FIREGLASS_PYABI_LOCALS_H

#include <stdbool.h>
#include <stddef.h>

#include "pyabi/object.h"

enum local_kind {
	LOCAL_PLAIN,
	LOCAL_CELL, // shared with inner functions
	LOCAL_FREE, // an outer function's
	LOCAL_NAME, // of a module's or class's dict
};

/* So many variables of a frame are looked at. */
#define LOCALS_MAX 4096u

/* Called for each variable that has a value, until it returns false. */
typedef bool (*local_visitor)(
	void *data, const char *name, enum local_kind kind, remote_addr object);

/*
 * The variables of the frame at `frame`, which runs the code object at `code`. READ_TORN: one of
 * them is not what it was said to be.
 */
enum read_status locals_each(const struct py_memory *py, remote_addr frame, remote_addr code,
	local_visitor visit, void *data);

/* Slots of the stack of values; hardly any code has more. */
#define STACK_SLOTS_MAX 256u

/*
 * The values on the frame's stack, lowest first; *count_ret at most STACK_SLOTS_MAX. All that the
 * code could use is given: what lies above the top is left over from before.
 */
enum read_status locals_stack(const struct py_memory *py, remote_addr frame, remote_addr code,
	remote_addr slots[STACK_SLOTS_MAX], size_t *count_ret);

/*
 * How many of these are certainly in use while the instruction at byte `offset` runs: those below
 * the innermost block (`with`, `try`, up to 3.10 a loop) that it is in.
 */
enum read_status locals_stack_in_blocks(const struct py_memory *py, remote_addr frame,
	remote_addr code, int32_t offset, size_t *count_ret);

#endif

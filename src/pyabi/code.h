// SPDX-License-Identifier: MIT
/*
 * Code objects: the names, the file and the lines of a function.
 *
 * A code object may be freed and another made at the same address, even with its name at the same
 * address. So what is known of one is kept with a witness (struct code_witness), which
 * code_read_witnesses() reads again cheaply for many at once; a changed witness is another code
 * object. Witness: type, first line, the addresses of name, file and line table, the name's length
 * and hash, the line table's length and first bytes, and the version number that 3.12 and newer
 * give to each code object.
 */
#ifndef FIREGLASS_PYABI_CODE_H
#define FIREGLASS_PYABI_CODE_H

#include "base/buf.h"
#include "pyabi/linetable.h"
#include "pyabi/runtime.h"

/* A code object as the target has it: what stays the same while it lives. */
struct code_witness {
	remote_addr name, linetable; // where to look when reading the witness again
	uint64_t digest;             // of everything
};

struct py_code {
	struct code_witness witness;
	struct buf name, file;      // valid UTF-8
	uint32_t first_line;
	uint32_t first_traceable;   // bytes of bytecode before the function proper begins
	remote_addr bytecode;       // address of the first code unit (INSTR_POINTER)
	remote_addr tlbc;           // address of the per-thread copies (free-threaded 3.14 on), or 0
	struct line_table lines;
};

/* Reads a code object; deinit what it gives. READ_TORN if it is none or makes no sense. */
enum read_status code_read(struct py_runtime *rt, struct mem_reader *mem, remote_addr address,
	struct py_code *ret);
void code_deinit(struct py_code *code);

/* One code object whose witness is to be read again. */
struct code_check {
	remote_addr address;
	struct code_witness witness; // what is known of it
	bool same;                   // result
};

#define CODE_CHECKS_MAX 64

/* Looks whether the objects are what they were, in one system call; at most CODE_CHECKS_MAX. */
enum read_status code_check_all(
	const struct py_runtime *rt, struct mem_reader *mem, struct code_check *checks, size_t count);

/*
 * The line executing at a frame's instruction field; `tlbc_index` as the frame has it (0: none).
 * READ_TORN if the instruction is not one of this code object.
 */
enum read_status code_line(const struct py_runtime *rt, struct mem_reader *mem,
	const struct py_code *code, uint64_t instr, uint32_t tlbc_index, uint32_t *line_ret);

#endif

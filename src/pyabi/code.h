// SPDX-License-Identifier: MIT
/*
 * Code objects: the names, the file and the lines of a function.
 *
 * A code object may be freed and another made at the same address, even with its name at the same
 * address. So what is known of one is kept with a witness (struct code_witness), which
 * is read again cheaply, for many at once; a changed witness is another code object. Witness: type,
 * first line, the addresses of name, file and line table; with 3.12 and newer the version number
 * that each code object is given, before that the lengths and first characters of the names and the
 * file's name, and the line table's length and first bytes.
 */
#ifndef FIREGLASS_PYABI_CODE_H
#define FIREGLASS_PYABI_CODE_H

#include "base/buf.h"
#include "pyabi/linetable.h"
#include "pyabi/runtime.h"

/* A code object as the target has it: what stays the same while it lives. */
struct code_witness {
	remote_addr name, qualname, filename, linetable; // where to look when reading it again
	uint64_t digest;             // of everything
};

/* Where the bytecode of a code object is, so that instructions can be placed in it. */
struct code_place {
	remote_addr bytecode; // address of the first code unit (INSTR_POINTER)
	remote_addr tlbc;     // address of the per-thread copies (free-threaded 3.14 on), or 0
	uint32_t end;         // bytes of bytecode
	/*
	 * No instruction of it is a program's: it is a device of the interpreter, such as the one that
	 * checks what __init__ returned (_Py_InitCleanup, 3.12 on). Tracebacks do not show it.
	 */
	bool internal;
};

struct py_code {
	struct code_witness witness;
	struct code_place place;
	struct buf name, file;    // valid UTF-8
	uint32_t first_line;
	uint32_t first_traceable; // bytes of bytecode before the function proper begins
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
#define CODE_RANGES_PER_CODE 5
#define CODE_RANGES_MAX (CODE_CHECKS_MAX * CODE_RANGES_PER_CODE)

#define CODE_HEAD_BYTES 264
#define CODE_WITNESS_BYTES 96

/* What is read of a code object, its names and its line table. */
struct code_witness_bytes {
	unsigned char head[CODE_HEAD_BYTES];
	unsigned char name[CODE_WITNESS_BYTES];
	unsigned char qualname[CODE_WITNESS_BYTES];
	unsigned char filename[CODE_WITNESS_BYTES];
	unsigned char linetable[CODE_WITNESS_BYTES];
};

/*
 * A number of code objects to be checked together: fill `checks` and `count`, have the ranges read
 * (with a stack, or by code_check_all()), and evaluate.
 */
struct code_checks {
	struct code_check checks[CODE_CHECKS_MAX];
	size_t count;
	struct code_witness_bytes bytes[CODE_CHECKS_MAX];
};

/* How many ranges each code object takes. */
size_t code_check_range_count(const struct py_runtime *rt);

/* Fills in at most CODE_RANGES_MAX ranges, that lead into checks->bytes; returns how many. */
size_t code_check_ranges(
	const struct py_runtime *rt, struct code_checks *checks, struct mem_range *ranges);

/* Judges what was read; `whole` ranges were, the rest is taken as changed. */
void code_check_evaluate(const struct py_runtime *rt, struct code_checks *checks, size_t whole);

/* Reads and judges, in one system call. */
enum read_status code_check_all(
	const struct py_runtime *rt, struct mem_reader *mem, struct code_checks *checks);

/*
 * The byte offset in the bytecode of a frame's instruction field; `tlbc_index` as the frame has it
 * (0: none). Negative: the frame has not begun to run. READ_TORN if it is no instruction of this
 * code object.
 */
enum read_status code_offset(const struct py_runtime *rt, struct mem_reader *mem,
	const struct code_place *place, uint64_t instr, uint32_t tlbc_index, int32_t *offset_ret);

/* The line executing at such an offset, of a code object with these lines. */
uint32_t code_line(const struct line_table *lines, uint32_t first_line, uint32_t first_traceable,
	int32_t offset);

#endif

// SPDX-License-Identifier: MIT
/*
 * Line tables of code objects, decoded once into ranges: from which byte of the bytecode on which
 * line is executing. Pure functions of bytes; the tables come from the target and are hostile.
 *
 * Formats: CPython's Objects/lnotab_notes.txt (2.7, 3.6 to 3.10), Objects/locations.md (3.11 on).
 * Code that belongs to no line (co_lines() says None) is given the last line before it.
 */
#ifndef FIREGLASS_PYABI_LINETABLE_H
#define FIREGLASS_PYABI_LINETABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pyabi/layout.h"

struct line_range {
	uint32_t start; // byte offset in the bytecode
	uint32_t line;
};

struct line_table {
	struct line_range *ranges; // sorted by start, the first at 0
	size_t count, capacity;
	uint32_t end; // bytes of bytecode the table covers
};

/* More ranges, or more bytecode than this, is taken as garbage. */
#define LINE_RANGES_MAX ((size_t)1 << 20)
#define BYTECODE_BYTES_MAX ((uint32_t)8 << 20)

/*
 * Decodes `len` bytes. `code_bytes` is the length of the bytecode, needed for the lnotab kinds
 * (which do not say where they end), 0 if not known. False if the table makes no sense; nothing is
 * left to free then.
 */
bool line_table_decode(struct line_table *ret, enum py_linetable_kind kind, const uint8_t *bytes,
	size_t len, uint32_t first_line, uint32_t code_bytes);
void line_table_deinit(struct line_table *table);

/* A table that says `line` everywhere. */
void line_table_only(struct line_table *ret, uint32_t line);

/* The line at a byte offset; the offset must be below table->end. */
uint32_t line_table_find(const struct line_table *table, uint32_t offset);

#endif

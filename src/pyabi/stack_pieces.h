// SPDX-License-Identifier: MIT
/*
 * Runs of target memory in which the frames of one thread are expected, learnt from its samples:
 * sorted by address, disjoint, near ones joined, those not needed for a while forgotten.
 */
#ifndef FIREGLASS_PYABI_STACK_PIECES_H
#define FIREGLASS_PYABI_STACK_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/mem_reader.h"

struct stack_piece {
	remote_addr addr;
	uint32_t len;
	uint32_t used_len; // from addr to the end of what was needed since the last trim
};

struct stack_pieces {
	struct stack_piece *items;
	size_t count, capacity;
	size_t samples; // since they were last trimmed
	size_t bytes;   // of all together
};

/* A place in an image of the pieces, and the piece it is in. */
struct piece_cursor {
	size_t piece;  // the last look-up's, SIZE_MAX before the first
	size_t offset; // of that piece in the image
};

void pieces_deinit(struct stack_pieces *p);
void pieces_clear(struct stack_pieces *p);
void pieces_add(struct stack_pieces *p, remote_addr addr, uint32_t len);
void pieces_remove(struct stack_pieces *p, size_t i);
bool pieces_hold(const struct stack_pieces *p, remote_addr addr, uint32_t len);

/* Marks the bytes as needed and says where they are in an image; false if no piece holds them. */
bool pieces_find(struct stack_pieces *p, struct piece_cursor *cursor, remote_addr addr,
	uint32_t len, size_t *offset_ret);

/* Once per sample: now and then forgets what was not needed lately. */
void pieces_trim(struct stack_pieces *p);

/* Read beyond the top of the data stack, where the next frames will be pushed. */
#define PIECE_SLACK_BYTES 256u

#endif

// SPDX-License-Identifier: MIT
/*
 * What a selection makes of a capture's stacks. Each frame and each stack is decided on once and
 * kept, so that a sample costs a look into a table.
 *
 * A stack is shaped on top of a base (a thread as its root; STACK_NONE: nothing), bases are numbers
 * of the caller's.
 */
#ifndef FIREGLASS_STORE_SELECT_FRAMES_H
#define FIREGLASS_STORE_SELECT_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "store/select_patterns.h"
#include "store/transfer.h"
#include "store/view.h"

struct shaped_frame {
	frame_id own;   // of the shaped tables
	uint16_t focus; // patterns that match
	uint8_t marks;  // FRAME_*
};

struct shaped_stack {
	stack_id own;
	uint16_t focus;
	uint8_t marks;
};

struct shaper {
	const struct selection *selection;
	const char *cwd; // or NULL
	struct patterns focus, ignore, hide, root;
	struct transfer transfer;
	struct shaped_frame *frames;
	size_t frame_capacity;
	/* pages[base][stack / PAGE]: NULL until one of its stacks is asked for. */
	struct shaped_stack ***pages;
	size_t *page_counts;
	size_t base_count, page_capacity, count_capacity;
	stack_id *path;
	size_t path_capacity;
};

/* Tables `from` are shaped into tables `to`. */
struct err *shaper_init(struct shaper *s, const struct profile *from, struct profile *to,
	const struct selection *selection, const char *cwd);
void shaper_deinit(struct shaper *s);

/*
 * The stack as it is to be shown: false if it is left out. *own_ret is `base_stack` if no frame of
 * it is left. A base's stack must always be the same.
 */
bool shaper_stack(
	struct shaper *s, uint32_t base, stack_id base_stack, stack_id id, stack_id *own_ret);

#endif

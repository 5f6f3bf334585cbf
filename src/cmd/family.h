// SPDX-License-Identifier: MIT
/*
 * The processes of a recording: the one that was asked for and, if wanted, all that it starts, and what
 * these start. Most of them are no Pythons and live for a moment: one that is new is only noted, and
 * looked into when it is still there at the next look. The looks come a few dozen times a second, or
 * as seldom as is needed for them to cost little.
 */
#ifndef FIREGLASS_CMD_FAMILY_H
#define FIREGLASS_CMD_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/followed.h"
#include "os/children.h"

/* So many are sampled at once; each has a thread of ours. */
#define FAMILY_SAMPLED_MAX 256

/* What is known of a program: how many processes of it were looked into in vain. */
struct family_program {
	uint64_t dev, inode;
	unsigned int vain;
	bool python;
};

struct family {
	struct followed **items; // [0] is the first, until it has ended
	size_t count, capacity;
	uint64_t began_ns, due_ns; // of the first and of the next look
	struct pid_list parents, found;
	struct family_program programs[64];
	size_t next_program;
};

void family_init(struct family *f, pid_t first, uint32_t row, uint64_t now_ns);
void family_deinit(struct family *f);

/* Looks for new processes, if it is time. */
void family_look(struct family *f, uint64_t now_ns);

/* How many are sampled now. */
size_t family_sampled(const struct family *f);

/*
 * True if it is worth while to look into a process now. False: its due_ns is set. Processes of a
 * program of which some have been looked into in vain have to live for some time first.
 */
bool family_may_be_python(struct family *f, struct followed *process, uint64_t now_ns);

/* It was looked into: what came of it. */
void family_note(struct family *f, struct followed *process, bool python, uint64_t now_ns);

/* Forgets item `i`, which has ended. */
void family_remove(struct family *f, size_t i);

#endif

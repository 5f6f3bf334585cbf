// SPDX-License-Identifier: MIT
/*
 * The children of processes, as the kernel lists them: cheaply, one small file for each thread
 * (kernel: CONFIG_PROC_CHILDREN); where there are no such files, from the parents of all processes.
 */
#ifndef FIREGLASS_OS_CHILDREN_H
#define FIREGLASS_OS_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* More are not seen. */
#define CHILDREN_MAX 4096

struct pid_list {
	pid_t *items;
	size_t count, capacity;
};

void pid_list_deinit(struct pid_list *list);

/*
 * Adds the children of all `parents`, also such as have ended but were not waited for. A child whose
 * parent has ended is nobody's child any more.
 */
void children_find(const pid_t *parents, size_t count, struct pid_list *out);

/* The two ways of it. */
void children_from_lists(const pid_t *parents, size_t count, struct pid_list *out);
void children_from_parents(const pid_t *parents, size_t count, struct pid_list *out);

/*
 * True if two processes have the same memory: a child of vfork() which has not executed its program
 * yet. False too if that cannot be found out.
 */
bool children_share_memory(pid_t a, pid_t b);

#endif

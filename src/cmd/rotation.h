// SPDX-License-Identifier: MIT
/*
 * The files of a recording that is cut into pieces: their names, made of a pattern, and how many of
 * them are kept.
 *
 *	%t   local time of the piece's begin, 20260131-120500
 *	%n   its number, 0001 and so on
 *	%p   the process
 *	%%   a %
 *
 * A file that exists is never overwritten: the name gets -2, -3, ... before its ending.
 */
#ifndef FIREGLASS_CMD_ROTATION_H
#define FIREGLASS_CMD_ROTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct rotation {
	uint64_t every_ns;   // 0: one file
	size_t keep;         // so many of the newest files; 0: all
	const char *pattern; // of the names
	pid_t pid;
	uint64_t due_ns;     // when the next one is to begin
	unsigned int number; // of the newest
	char **paths;        // of those that are there, oldest first
	size_t count, capacity;
	bool failed;         // there was no next one, and that was said
};

/* ERR_USAGE if the names would all be the same, or have an unknown %. */
struct err *rotation_check(const struct rotation *r);

/*
 * Makes the next file; *path_ret stays the rotation's. Afterwards the oldest ones beyond the limit are
 * removed by rotation_trim().
 */
struct err *rotation_open(struct rotation *r, int *fd_ret, const char **path_ret);
void rotation_trim(struct rotation *r);

/* Removes the newest file: there is nothing in it. */
void rotation_drop_newest(struct rotation *r);

void rotation_deinit(struct rotation *r);

#endif

// SPDX-License-Identifier: MIT
/*
 * Scope-bound release of what a function holds.
 *
 * `_cleanup_free_ char *s = ...;` frees s on every way out of the scope. To hand the value to the
 * caller instead, return `take_ptr(&s)` or `take_fd(&fd)`: the variable is emptied, so that the
 * cleanup finds nothing to do.
 */
#ifndef FIREGLASS_BASE_CLEANUP_H
#define FIREGLASS_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((__cleanup__(fn)))

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)

#define take_ptr(pp)                                                                               \
	({                                                                                         \
		__auto_type taken_ = *(pp);                                                        \
		*(pp) = NULL;                                                                      \
		taken_;                                                                            \
	})

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif

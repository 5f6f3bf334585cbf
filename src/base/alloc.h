// SPDX-License-Identifier: MIT
/*
 * Allocation for the command-line program: running out of memory ends it with a message.
 *
 * Sizes of arrays are multiplied with an overflow check. Nothing here may be used where a failure
 * must be survived (the in-process extension) or on the sampling thread after warm-up.
 */
#ifndef FIREGLASS_BASE_ALLOC_H
#define FIREGLASS_BASE_ALLOC_H

#include <stddef.h>

void *xmalloc(size_t size) __attribute__((__malloc__, __returns_nonnull__));
void *xcalloc(size_t count, size_t size) __attribute__((__malloc__, __returns_nonnull__));
void *xreallocarray(void *p, size_t count, size_t size) __attribute__((__returns_nonnull__));
char *xstrdup(const char *s) __attribute__((__malloc__, __returns_nonnull__));
char *xstrndup(const char *s, size_t len) __attribute__((__malloc__, __returns_nonnull__));
char *xasprintf(const char *format, ...)
	__attribute__((__malloc__, __returns_nonnull__, __format__(printf, 1, 2)));

/*
 * Grow `array` (a pointer variable with `capacity` elements, a size_t variable) so that it can hold
 * `needed` elements; at least doubles. New elements are not initialised.
 */
#define array_reserve(array, capacity, needed)                                                     \
	do {                                                                                       \
		if ((needed) > (capacity)) {                                                       \
			(capacity) = array_grown((capacity), (needed));                            \
			(array) = xreallocarray((array), (capacity), sizeof(*(array)));            \
		}                                                                                  \
	} while (0)

/* The capacity to grow to: the larger of `needed`, twice `capacity` and 16. */
size_t array_grown(size_t capacity, size_t needed);

#endif

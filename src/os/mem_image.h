// SPDX-License-Identifier: MIT
/*
 * Memory that lies in buffers: for tests, fuzzers and replay. Made of segments that do not
 * overlap; a read that leaves a segment fails as it does in a process.
 *
 * File form, for tests/images ("fireglass memory image", all integers little-endian u64): the 8
 * bytes "fgimage1", the number of segments, then per segment its address, its length, its bytes.
 */
#ifndef FIREGLASS_OS_MEM_IMAGE_H
#define FIREGLASS_OS_MEM_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "os/mem_reader.h"

struct mem_segment {
	remote_addr addr;
	size_t len;
	unsigned char *bytes;
};

struct mem_image {
	struct mem_reader reader;
	struct mem_segment *segments; // sorted by address
	size_t count, capacity;
	size_t reads; // ranges read, so that tests can bound the work done
};

void mem_image_init(struct mem_image *image);
void mem_image_deinit(struct mem_image *image);

/* Adds a copy of `bytes` (zeros if NULL). False if it overlaps a segment or wraps around. */
bool mem_image_add(struct mem_image *image, remote_addr addr, const void *bytes, size_t len);

/* A pointer to `len` bytes at `addr` within one segment, to be changed in place; NULL if none. */
unsigned char *mem_image_at(struct mem_image *image, remote_addr addr, size_t len);

/* Adds the segments of a file in memory; false (and nothing added) if it is malformed. */
bool mem_image_parse(struct mem_image *image, const void *file, size_t len);

#endif

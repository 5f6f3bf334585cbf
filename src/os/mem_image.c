// SPDX-License-Identifier: MIT
#include "os/mem_image.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define MAGIC "fgimage1"
#define MAGIC_BYTES 8

/* The number of segments that begin at or below `addr`. */
static size_t segments_up_to(const struct mem_image *image, remote_addr addr)
{
	size_t low = 0, high = image->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (image->segments[middle].addr <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

unsigned char *mem_image_at(struct mem_image *image, remote_addr addr, size_t len)
{
	size_t index = segments_up_to(image, addr);

	if (index == 0)
		return NULL;
	const struct mem_segment *segment = &image->segments[index - 1];
	uint64_t offset = addr - segment->addr;
	if (offset > segment->len || len > segment->len - offset)
		return NULL;
	return segment->bytes + offset;
}

static enum read_status image_readv(
	struct mem_reader *reader, const struct mem_range *ranges, size_t count, size_t *whole_ret)
{
	struct mem_image *image = (struct mem_image *)reader;

	*whole_ret = 0;
	if (count > MEM_RANGES_MAX)
		return READ_FAULT;
	for (size_t i = 0; i < count; i++) {
		image->reads++;
		if (ranges[i].len) {
			const void *bytes = mem_image_at(image, ranges[i].addr, ranges[i].len);

			if (!bytes)
				return READ_FAULT;
			memcpy(ranges[i].buf, bytes, ranges[i].len);
		}
		(*whole_ret)++;
	}
	return READ_OK;
}

void mem_image_init(struct mem_image *image)
{
	static const struct mem_reader_ops ops = { .readv = image_readv };

	*image = (struct mem_image){ .reader.ops = &ops };
}

void mem_image_deinit(struct mem_image *image)
{
	for (size_t i = 0; i < image->count; i++)
		free(image->segments[i].bytes);
	free(image->segments);
	mem_image_init(image);
}

/* Where a segment would be put; false if there is no room for it there. */
static bool place_for(
	const struct mem_image *image, remote_addr addr, size_t len, size_t *index_ret)
{
	size_t index = segments_up_to(image, addr);

	if (len - 1 > UINT64_MAX - addr)
		return false;
	if (index > 0) {
		const struct mem_segment *before = &image->segments[index - 1];

		if (addr - before->addr < before->len)
			return false;
	}
	if (index < image->count && image->segments[index].addr - addr < len)
		return false;
	*index_ret = index;
	return true;
}

static void insert(struct mem_image *image, size_t index, struct mem_segment segment)
{
	array_reserve(image->segments, image->capacity, image->count + 1);
	memmove(image->segments + index + 1, image->segments + index,
		(image->count - index) * sizeof(segment));
	image->segments[index] = segment;
	image->count++;
}

bool mem_image_add(struct mem_image *image, remote_addr addr, const void *bytes, size_t len)
{
	size_t index;

	if (len == 0)
		return true;
	if (!place_for(image, addr, len, &index))
		return false;
	struct mem_segment segment = { .addr = addr, .len = len, .bytes = xcalloc(1, len) };
	if (bytes)
		memcpy(segment.bytes, bytes, len);
	insert(image, index, segment);
	return true;
}

/* What is left of a file in memory. */
struct cursor {
	const unsigned char *at;
	size_t left;
};

static bool take_u64(struct cursor *c, uint64_t *ret)
{
	if (c->left < sizeof(*ret))
		return false;
	memcpy(ret, c->at, sizeof(*ret));
	c->at += sizeof(*ret);
	c->left -= sizeof(*ret);
	return true;
}

static bool take_segment(struct cursor *c, struct mem_image *image)
{
	uint64_t addr, len;

	if (!take_u64(c, &addr) || !take_u64(c, &len) || len > c->left)
		return false;
	if (!mem_image_add(image, addr, c->at, len))
		return false;
	c->at += len;
	c->left -= len;
	return true;
}

static bool parse_alone(struct mem_image *image, const void *file, size_t len)
{
	struct cursor c = { .at = file, .left = len };
	uint64_t count;

	if (len < MAGIC_BYTES || memcmp(file, MAGIC, MAGIC_BYTES) != 0)
		return false;
	c.at += MAGIC_BYTES;
	c.left -= MAGIC_BYTES;
	if (!take_u64(&c, &count))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		if (!take_segment(&c, image))
			return false;
	}
	return c.left == 0;
}

/* Moves the segments of `from`, all or none. */
static bool take_over(struct mem_image *image, struct mem_image *from)
{
	size_t index;

	for (size_t i = 0; i < from->count; i++) {
		if (!place_for(image, from->segments[i].addr, from->segments[i].len, &index))
			return false;
	}
	for (size_t i = 0; i < from->count; i++) {
		place_for(image, from->segments[i].addr, from->segments[i].len, &index);
		insert(image, index, from->segments[i]); // owned by `image` now
	}
	from->count = 0;
	return true;
}

bool mem_image_parse(struct mem_image *image, const void *file, size_t len)
{
	struct mem_image alone;

	mem_image_init(&alone);
	bool good = parse_alone(&alone, file, len) && take_over(image, &alone);
	mem_image_deinit(&alone);
	return good;
}

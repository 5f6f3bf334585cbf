// SPDX-License-Identifier: MIT
/*
 * A recorded program whose memory is broken: byte 0 chooses the recording, each 6 bytes after it
 * change one word: which (3 bytes: its number), how (1 byte), with what (2 bytes).
 *
 * Run it in the source tree, or set FIREGLASS_SOURCE.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../unit/images.h"
#include "walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORDINGS 14
#define CHANGE_BYTES 6
#define CHANGES_MAX 64

static struct recording *recording(size_t index)
{
	static struct recording recordings[RECORDINGS];

	if (!recordings[index].text.data)
		recording_load(&recordings[index], recorded_releases[index]);
	return &recordings[index];
}

/* The nth word of all segments, counted round. */
static unsigned char *word_at(struct mem_image *image, size_t n)
{
	size_t words = 0;

	for (size_t i = 0; i < image->count; i++)
		words += image->segments[i].len / 8;
	n %= words;
	for (size_t i = 0; i < image->count; i++) {
		if (n < image->segments[i].len / 8)
			return image->segments[i].bytes + n * 8;
		n -= image->segments[i].len / 8;
	}
	return NULL;
}

static uint64_t changed(struct mem_image *image, uint64_t old, uint8_t how, uint16_t with)
{
	uint64_t other;

	switch (how % 8) {
	case 0:
		return with;
	case 1:
		return old ^ with;
	case 2:
		return old + with;
	case 3:
		return (old & ~(uint64_t)0xffff) | with;
	case 4: // where a segment begins
		return image->segments[with % image->count].addr;
	case 5: // what some other word holds
		memcpy(&other, word_at(image, with), sizeof(other));
		return other;
	case 6:
		return old ^ (uint64_t)1 << (with % 64);
	default:
		return UINT64_MAX - with;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct {
		unsigned char *at;
		uint64_t old;
	} undo[CHANGES_MAX];
	size_t count = 0;

	if (!size)
		return 0;
	struct recording *r = recording(data[0] % RECORDINGS);
	struct py_runtime rt = r->rt;
	for (data++, size--; size >= CHANGE_BYTES && count < CHANGES_MAX;
		data += CHANGE_BYTES, size -= CHANGE_BYTES, count++) {
		unsigned char *at = word_at(
			&r->image, (size_t)data[0] | (size_t)data[1] << 8 | (size_t)data[2] << 16);
		uint64_t value;

		undo[count].at = at;
		memcpy(&undo[count].old, at, 8);
		value = changed(
			&r->image, undo[count].old, data[3], (uint16_t)(data[4] | data[5] << 8));
		memcpy(at, &value, 8);
	}
	walk_image(&rt, &r->image, r->tids, r->tid_count);
	while (count--)
		memcpy(undo[count].at, &undo[count].old, 8);
	return 0;
}

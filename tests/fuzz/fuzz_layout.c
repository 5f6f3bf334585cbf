// SPDX-License-Identifier: MIT
/*
 * What a target says of itself: byte 0 chooses a recording of 3.13 or newer, then each 4 bytes
 * change one field of its debug offsets (number, how, value). What is accepted is then read by.
 *
 * Run it in the source tree, or set FIREGLASS_SOURCE.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../unit/images.h"
#include "base/alloc.h"
#include "walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const releases[] = { "3.13", "3.13t", "3.14", "3.14t", "3.15", "3.15t" };

struct chosen {
	struct recording recording;
	unsigned char offsets[DEBUG_OFFSETS_BYTES_MAX];
};

static struct chosen *chosen(size_t index)
{
	static struct chosen all[ARRAY_LEN(releases)];
	struct chosen *c = &all[index];

	if (!c->recording.text.data) {
		recording_load(&c->recording, releases[index]);
		if (mem_read(&c->recording.image.reader, c->recording.rt.address, c->offsets,
			    sizeof(c->offsets)) != READ_OK)
			abort();
	}
	return c;
}

static void change(unsigned char *field, uint8_t how, uint16_t with)
{
	uint64_t value;

	memcpy(&value, field, sizeof(value));
	if (how % 4 == 0)
		value = with;
	else if (how % 4 == 1)
		value += (uint64_t)(int64_t)(int16_t)with;
	else if (how % 4 == 2)
		value = (uint64_t)with << (how >> 2);
	else
		value = ~(uint64_t)with;
	memcpy(field, &value, sizeof(value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char offsets[DEBUG_OFFSETS_BYTES_MAX];
	bool guessed;

	if (size < 3)
		return 0;
	struct chosen *c = chosen(data[0] % ARRAY_LEN(releases));
	size_t len = data[1] == 0xff ? data[2] * (size_t)4 : sizeof(offsets);
	struct py_runtime rt = c->recording.rt;
	memcpy(offsets, c->offsets, sizeof(offsets));
	for (data += 3, size -= 3; size >= 4; data += 4, size -= 4)
		change(offsets + data[0] % 112 * (size_t)8, data[1],
			(uint16_t)(data[2] | data[3] << 8));
	unsigned char *exact = xmalloc(len ? len : 1); // so that reading beyond it shows
	memcpy(exact, offsets, len);
	struct err *err = layout_from_debug_offsets(&rt.layout, exact, len, &guessed);
	free(exact);
	if (!err)
		walk_image(&rt, &c->recording.image, c->recording.tids, c->recording.tid_count);
	err_free(err);
	return 0;
}

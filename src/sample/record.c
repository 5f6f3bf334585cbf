// SPDX-License-Identifier: MIT
#include "sample/record.h"

#include "sample/codes.h"

static bool is_one_of(uint32_t serial, const uint32_t *serials, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (serials[i] == serial)
			return true;
	return false;
}

size_t record_void_codes(struct ring *ring, const uint32_t *serials, size_t count)
{
	size_t end = ring_unpublished(ring), voided = 0;

	for (size_t at = 0; at < end;) {
		struct record_header header = record_unpack(*ring_word(ring, at));

		if (header.type == RECORD_CODE) {
			at += RECORD_CODE_WORDS;
			continue;
		}
		if (header.type == RECORD_THREAD) {
			at += RECORD_THREAD_WORDS;
			continue;
		}
		at += RECORD_SAMPLE_WORDS;
		for (uint32_t i = 0; i < header.count; i++, at++) {
			uint64_t *word = ring_word(ring, at);

			if (!is_one_of((uint32_t)(*word >> 32), serials, count))
				continue;
			*word = record_frame(CODE_UNKNOWN, 0);
			voided++;
		}
	}
	return voided;
}

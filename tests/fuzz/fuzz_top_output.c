// SPDX-License-Identifier: MIT
/* What a command writes, as lines for the terminal: nothing may come through that commands it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cmd/top_output.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const struct top_output_line *line)
{
	const unsigned char *s = (const unsigned char *)line->text;
	size_t len = strlen(line->text);

	// each bad byte may become a replacement of three
	if (len > 3 * (size_t)(TOP_OUTPUT_LINE_BYTES + 8))
		abort();
	for (size_t i = 0; i < len;) {
		uint32_t c;

		i += utf8_decode(s + i, len - i, &c);
		if (c < 0x20 || c == 0x7f)
			abort();
	}
}

static void take(struct top_output *o, const char *bytes, size_t size, size_t step)
{
	for (size_t at = 0; at < size; at += step)
		top_output_take(o, bytes + at, size - at < step ? size - at : step);
	for (size_t i = 0; i < o->count; i++)
		check_line(top_output_line(o, i));
}

/* The same lines however it comes in pieces. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct top_output whole = { .fd = -1 }, pieces = { .fd = -1 };

	if (!size)
		return 0;
	take(&whole, (const char *)data, size, size);
	take(&pieces, (const char *)data, size, 1 + data[0] % 7);
	if (whole.count != pieces.count)
		abort();
	for (size_t i = 0; i < whole.count; i++)
		if (strcmp(top_output_line(&whole, i)->text, top_output_line(&pieces, i)->text) != 0)
			abort();
	top_output_close(&whole);
	top_output_close(&pieces);
	return 0;
}

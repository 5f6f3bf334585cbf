// SPDX-License-Identifier: MIT
/* Numbers in decimal into a stream, for lines of which there are millions: fprintf takes longer. */
#ifndef FIREGLASS_FMT_DIGITS_H
#define FIREGLASS_FMT_DIGITS_H

#include <stdint.h>
#include <stdio.h>

#define DIGITS_MAX 20 /* of 64 bits */

/* Of at least `width` digits, with zeros in front; at most DIGITS_MAX. */
static inline void digits_put_padded(FILE *out, uint64_t value, size_t width)
{
	char text[DIGITS_MAX];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value || sizeof(text) - at < width);
	fwrite(text + at, 1, sizeof(text) - at, out);
}

static inline void digits_put(FILE *out, uint64_t value)
{
	digits_put_padded(out, value, 1);
}

#endif

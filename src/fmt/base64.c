// SPDX-License-Identifier: MIT
#include "fmt/base64.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>

#include "base/alloc.h"

#define PIECE 3072u /* bytes encoded at a time; a multiple of 3 */

struct base64 {
	FILE *out;
	unsigned char rest[3]; // less than three bytes that wait for more
	size_t rest_len;
};

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Three bytes as four letters. */
static void encode(char letter[4], const unsigned char *s)
{
	unsigned int bits = (unsigned int)s[0] << 16 | (unsigned int)s[1] << 8 | s[2];

	letter[0] = letters[bits >> 18];
	letter[1] = letters[bits >> 12 & 63];
	letter[2] = letters[bits >> 6 & 63];
	letter[3] = letters[bits & 63];
}

static void put_threes(FILE *out, const unsigned char *s, size_t len)
{
	char text[PIECE / 3 * 4] = { 0 };

	while (len) {
		size_t part = len < PIECE ? len : PIECE;

		for (size_t i = 0; i < part; i += 3)
			encode(text + i / 3 * 4, s + i);
		fwrite(text, 1, part / 3 * 4, out);
		s += part;
		len -= part;
	}
}

static ssize_t take(void *cookie, const char *bytes, size_t len)
{
	struct base64 *b = cookie;
	const unsigned char *s = (const unsigned char *)bytes;
	size_t left = len;

	while (left && b->rest_len) {
		b->rest[b->rest_len++] = *s++;
		left--;
		if (b->rest_len == 3) {
			put_threes(b->out, b->rest, 3);
			b->rest_len = 0;
		}
	}
	size_t threes = left - left % 3;
	put_threes(b->out, s, threes);
	for (s += threes, left -= threes; left; left--)
		b->rest[b->rest_len++] = *s++;
	return ferror(b->out) ? 0 : (ssize_t)len;
}

static int finish(void *cookie)
{
	struct base64 *b = cookie;
	char text[4];

	if (b->rest_len) {
		for (size_t i = b->rest_len; i < 3; i++)
			b->rest[i] = 0;
		encode(text, b->rest);
		for (size_t i = b->rest_len + 1; i < 4; i++)
			text[i] = '=';
		fwrite(text, 1, sizeof(text), b->out);
	}
	free(b);
	return 0;
}

struct err *base64_open(FILE **ret, FILE *out)
{
	struct base64 *b = xcalloc(1, sizeof(*b));
	FILE *stream =
		fopencookie(b, "w", (cookie_io_functions_t){ .write = take, .close = finish });

	b->out = out;
	if (!stream) {
		free(b);
		return err_errno(errno, "cannot open a stream");
	}
	*ret = stream; // owned by *ret now
	return NULL;
}

// SPDX-License-Identifier: MIT
#include "fmt/gzip.h"

#include <stdlib.h>

#define ZLIB_CONST // it does not write into what it reads
#include <zlib.h>

#include "base/alloc.h"

#define PIECE 32768u
#define MAX_PART ((size_t)1 << 30) /* zlib counts in unsigned int */
#define GZIP_ONLY (16 + MAX_WBITS)
#define MEMORY_LEVEL 8 /* zlib's default */

struct gzip_writer {
	z_stream z;
	FILE *out;
	unsigned char piece[PIECE];
};

struct err *gzip_writer_create(struct gzip_writer **ret, FILE *out)
{
	struct gzip_writer *w = xcalloc(1, sizeof(*w));

	w->out = out;
	if (deflateInit2(&w->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_ONLY, MEMORY_LEVEL,
		    Z_DEFAULT_STRATEGY) != Z_OK) {
		free(w);
		return err_new(ERR_FAILED, "zlib cannot be used");
	}
	*ret = w; // owned by *ret now
	return NULL;
}

void gzip_writer_destroy(struct gzip_writer *w)
{
	if (!w)
		return;
	deflateEnd(&w->z);
	free(w);
}

/* Takes all input; with Z_FINISH, ends the file. */
static void run(struct gzip_writer *w, int flush)
{
	do {
		w->z.next_out = w->piece;
		w->z.avail_out = PIECE;
		deflate(&w->z, flush);
		fwrite(w->piece, 1, PIECE - w->z.avail_out, w->out);
	} while (!w->z.avail_out);
}

void gzip_writer_add(struct gzip_writer *w, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	while (len) {
		size_t part = len < MAX_PART ? len : MAX_PART;

		w->z.next_in = at;
		w->z.avail_in = (unsigned int)part;
		run(w, Z_NO_FLUSH);
		at += part;
		len -= part;
	}
}

void gzip_writer_finish(struct gzip_writer *w)
{
	w->z.avail_in = 0;
	run(w, Z_FINISH);
}

// SPDX-License-Identifier: MIT
#include "fmt/gunzip.h"

#define ZLIB_CONST // it does not write into what it reads
#include <zlib.h>

#define PIECE 65536u
#define MAX_GZIPPED ((size_t)1 << 31) /* zlib counts in unsigned int */
#define GZIP_ONLY (16 + MAX_WBITS)

bool gunzip_is(const char *data, size_t len)
{
	return len >= 3 && data[0] == '\x1f' && data[1] == '\x8b' && data[2] == 8;
}

static struct err *inflate_all(z_stream *z, struct buf *out, size_t len, size_t cap)
{
	size_t start = out->len;

	for (;;) {
		buf_reserve(out, PIECE);
		z->next_out = (unsigned char *)out->data + out->len;
		z->avail_out = PIECE;
		int result = inflate(z, Z_NO_FLUSH);
		out->len += PIECE - z->avail_out;
		out->data[out->len] = 0;
		if (out->len - start > cap)
			return err_new(
				ERR_FAILED, "it holds more than %zu MiB when unpacked", cap >> 20);
		if (result == Z_STREAM_END && !z->avail_in)
			return NULL;
		if (result == Z_STREAM_END)
			result = inflateReset(z);
		if (result == Z_BUF_ERROR || (result == Z_OK && !z->avail_in && z->avail_out))
			return err_new(ERR_FAILED, "byte %zu: the gzipped data is cut off", len);
		if (result != Z_OK)
			return err_new(ERR_FAILED, "byte %zu: the gzipped data is damaged",
				len - z->avail_in);
	}
}

struct err *gunzip(struct buf *out, const char *data, size_t len, size_t cap)
{
	z_stream z = { 0 };

	if (len > MAX_GZIPPED)
		return err_new(ERR_FAILED, "it is larger than %zu MiB", MAX_GZIPPED >> 20);
	if (inflateInit2(&z, GZIP_ONLY) != Z_OK)
		return err_new(ERR_FAILED, "zlib cannot be used");
	z.next_in = (const unsigned char *)data;
	z.avail_in = (unsigned int)len;
	struct err *err = inflate_all(&z, out, len, cap);
	inflateEnd(&z);
	return err;
}

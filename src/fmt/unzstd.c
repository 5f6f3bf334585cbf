// SPDX-License-Identifier: MIT
#include "fmt/unzstd.h"

#include <zstd.h>

static struct err *decompress_all(
	ZSTD_DStream *z, struct buf *out, const char *data, size_t len, size_t cap)
{
	ZSTD_inBuffer in = { data, len, 0 };
	size_t start = out->len, piece = ZSTD_DStreamOutSize(), wanted = 1;

	for (;;) {
		buf_reserve(out, piece);
		ZSTD_outBuffer to = { out->data + out->len, piece, 0 };
		// wanted == 0: a frame has ended, another may follow
		if (!wanted && in.pos == len)
			return NULL;
		wanted = ZSTD_decompressStream(z, &to, &in);
		if (ZSTD_isError(wanted))
			return err_new(ERR_FAILED, "byte %zu of the compressed data: %s", in.pos,
				ZSTD_getErrorName(wanted));
		out->len += to.pos;
		out->data[out->len] = 0;
		if (out->len - start > cap)
			return err_new(
				ERR_FAILED, "it holds more than %zu MiB when unpacked", cap >> 20);
		if (wanted && in.pos == len && to.pos < piece)
			return err_new(ERR_FAILED, "the compressed data is cut off");
	}
}

struct err *unzstd(struct buf *out, const char *data, size_t len, size_t cap)
{
	ZSTD_DStream *z = ZSTD_createDStream();

	if (!z)
		return err_new(ERR_FAILED, "zstd cannot be used");
	struct err *err = decompress_all(z, out, data, len, cap);
	ZSTD_freeDStream(z);
	return err;
}

// SPDX-License-Identifier: MIT
#include "fmt/pb_writer.h"

#include <pb_encode.h>

static bool add_to_buf(pb_ostream_t *stream, const pb_byte_t *bytes, size_t len)
{
	buf_add(stream->state, bytes, len);
	return true;
}

static pb_ostream_t stream_to(struct buf *out)
{
	return (pb_ostream_t){ .callback = add_to_buf, .state = out, .max_size = SIZE_MAX };
}

// nothing here can fail: the buffer takes all

void pb_put_u64(struct buf *out, uint32_t field, uint64_t value)
{
	pb_ostream_t stream = stream_to(out);

	if (!value)
		return;
	pb_encode_tag(&stream, PB_WT_VARINT, field);
	pb_encode_varint(&stream, value);
}

void pb_put_bytes(struct buf *out, uint32_t field, const void *bytes, size_t len)
{
	if (len)
		pb_put_element(out, field, bytes, len);
}

void pb_put_element(struct buf *out, uint32_t field, const void *bytes, size_t len)
{
	pb_ostream_t stream = stream_to(out);

	pb_encode_tag(&stream, PB_WT_STRING, field);
	pb_encode_string(&stream, bytes, len);
}

void pb_put_number(struct buf *out, uint64_t value)
{
	pb_ostream_t stream = stream_to(out);

	pb_encode_varint(&stream, value);
}

// SPDX-License-Identifier: MIT
#include "fmt/pb_reader.h"

#include <pb_decode.h>

struct pb_reader pb_reader_of(const char *data, size_t len)
{
	return (struct pb_reader){ .data = data, .len = len };
}

static pb_istream_t rest_of(const struct pb_reader *r)
{
	return pb_istream_from_buffer((const pb_byte_t *)r->data + r->at, r->len - r->at);
}

static bool read_value(pb_istream_t *in, pb_wire_type_t type, struct pb_field *f)
{
	uint32_t fixed32;

	switch (type) {
	case PB_WT_VARINT:
		return pb_decode_varint(in, &f->value);
	case PB_WT_64BIT:
		return pb_decode_fixed64(in, &f->value);
	case PB_WT_32BIT:
		if (!pb_decode_fixed32(in, &fixed32))
			return false;
		f->value = fixed32;
		return true;
	case PB_WT_STRING:
		f->is_bytes = true;
		return pb_decode_varint(in, &f->value) && f->value <= in->bytes_left;
	case PB_WT_PACKED:
	default:
		return false;
	}
}

bool pb_reader_next(struct pb_reader *r, struct pb_field *field_ret)
{
	struct pb_field f = { 0 };
	pb_istream_t in = rest_of(r);
	pb_wire_type_t type;
	bool at_end = false;

	if (r->bad || r->at == r->len)
		return false;
	if (!pb_decode_tag(&in, &type, &f.number, &at_end) || !read_value(&in, type, &f)) {
		r->bad = true;
		return false;
	}
	r->at = r->len - in.bytes_left;
	if (f.is_bytes) {
		f.data = r->data + r->at;
		f.len = (size_t)f.value;
		r->at += f.len;
	}
	*field_ret = f;
	return true;
}

bool pb_reader_number(struct pb_reader *r, uint64_t *ret)
{
	pb_istream_t in = rest_of(r);

	if (r->bad || r->at == r->len)
		return false;
	if (!pb_decode_varint(&in, ret)) {
		r->bad = true;
		return false;
	}
	r->at = r->len - in.bytes_left;
	return true;
}

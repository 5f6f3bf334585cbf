// SPDX-License-Identifier: MIT
#include "pyabi/object.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"

/* Read with the header in the same call: holds more than 99 of 100 names whole. */
#define STRING_FIRST_BYTES 256

static enum read_status read_at(
	const struct py_memory *py, remote_addr base, uint32_t offset, void *buf, size_t len)
{
	if (!remote_plausible(base))
		return READ_TORN;
	return mem_read(py->mem, base + offset, buf, len);
}

static enum read_status read_pointer(
	const struct py_memory *py, remote_addr base, uint32_t offset, remote_addr *ret)
{
	return read_at(py, base, offset, ret, sizeof(*ret));
}

/* ---- text ------------------------------------------------------------------------------------ */

struct string_shape string_shape(enum py_string_kind kind, uint32_t state)
{
	unsigned int shift = 0;

	switch (kind) {
	case STRING_BYTES:
	case STRING_PEP393:
		shift = 2;
		break;
	case STRING_PEP393_SHIFTED:
		shift = 8;
		break;
	}
	return (struct string_shape){
		.width = state >> shift & 7,
		.compact = state >> (shift + 3) & 1,
		.ascii = state >> (shift + 4) & 1,
	};
}

/*
 * `len` bytes at `addr` into `out`; what lies in `head` (read from `head_addr`, `head_len` bytes)
 * needs no second read.
 */
static enum read_status read_body(const struct py_memory *py, remote_addr addr, size_t len,
	const unsigned char *head, remote_addr head_addr, size_t head_len, struct buf *out)
{
	buf_reserve(out, len);
	if (addr >= head_addr && len <= head_len && addr - head_addr <= head_len - len) {
		buf_add(out, head + (addr - head_addr), len);
		return READ_OK;
	}
	enum read_status status = mem_read(py->mem, addr, out->data + out->len, len);
	if (status == READ_OK) {
		out->len += len;
		out->data[out->len] = 0;
	}
	return status;
}

/* Reads as much of STRING_FIRST_BYTES as is mapped, at least `least`. */
static enum read_status read_head(const struct py_memory *py, remote_addr object, size_t least,
	unsigned char head[STRING_FIRST_BYTES], size_t *len_ret)
{
	if (!remote_plausible(object))
		return READ_TORN;
	*len_ret = STRING_FIRST_BYTES;
	enum read_status status = mem_read(py->mem, object, head, STRING_FIRST_BYTES);
	if (status != READ_FAULT)
		return status;
	*len_ret = least;
	return mem_read(py->mem, object, head, least);
}

static void add_cut_mark(struct buf *out, uint64_t length, uint64_t cap)
{
	if (length > cap)
		utf8_add(out, 0x2026);
}

static enum read_status byte_string_text(
	const struct py_memory *py, remote_addr object, struct buf *out)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	enum read_status status = object_bytes(py, object, &bytes);

	if (status == READ_OK) {
		utf8_add_bytes(out, bytes.data, bytes.len < STRING_CODE_POINTS_MAX ?
			bytes.len : STRING_CODE_POINTS_MAX);
		add_cut_mark(out, bytes.len, STRING_CODE_POINTS_MAX);
	}
	return status;
}

enum read_status object_text_units(
	const struct py_memory *py, remote_addr object, uint64_t max, struct text_units *ret)
{
	const struct py_offsets *at = &py->layout->at;
	unsigned char head[STRING_FIRST_BYTES];
	size_t head_len;
	enum read_status status = read_head(py, object, at->str_compact_size + 8, head, &head_len);

	if (status != READ_OK)
		return status;
	uint64_t length = field_u64(head, at->str_length);
	struct string_shape shape =
		string_shape(py->layout->strings, field_u32(head, at->str_state));
	if (shape.width != 1 && shape.width != 2 && shape.width != 4)
		return READ_TORN;
	if (length > (uint64_t)1 << 40)
		return READ_TORN;
	remote_addr data = object + (shape.ascii ? at->str_ascii_size : at->str_compact_size);
	if (!shape.compact)
		data = field_u64(head, at->str_compact_size);
	if (data < 0x10000 || data >= (remote_addr)1 << 52)
		return READ_TORN;
	ret->width = shape.width;
	ret->length = length;
	ret->count = length < max ? length : max;
	buf_clear(&ret->bytes);
	return read_body(py, data, ret->count * shape.width, head, object, head_len, &ret->bytes);
}

enum read_status object_text(const struct py_memory *py, remote_addr object, struct buf *out)
{
	struct text_units units = { 0 };

	if (py->layout->strings == STRING_BYTES)
		return byte_string_text(py, object, out);
	enum read_status status = object_text_units(py, object, STRING_CODE_POINTS_MAX, &units);
	if (status == READ_OK) {
		utf8_add_fixed(out, buf_str(&units.bytes), units.count, units.width);
		add_cut_mark(out, units.length, STRING_CODE_POINTS_MAX);
	}
	buf_deinit(&units.bytes);
	return status;
}

enum read_status object_bytes(const struct py_memory *py, remote_addr object, struct buf *out)
{
	const struct py_offsets *at = &py->layout->at;
	unsigned char head[STRING_FIRST_BYTES];
	size_t head_len;
	enum read_status status = read_head(py, object, at->bytes_data, head, &head_len);

	if (status != READ_OK)
		return status;
	uint64_t length = field_u64(head, at->bytes_size);
	if (length > BYTES_OBJECT_MAX)
		return READ_TORN;
	return read_body(py, object + at->bytes_data, length, head, object, head_len, out);
}

/* ---- integers -------------------------------------------------------------------------------- */

#define INT_DIGIT_BITS 30

struct int_shape int_shape(const struct py_layout *layout, uint64_t size_field)
{
	// up to 3.11 a signed size, negative for negative numbers; then a tag with the sign below
	if (layout->dicts == DICT_KEYS_311 && layout->attributes != ATTRIBUTES_VALUES_311)
		return (struct int_shape){ size_field >> 3, (size_field & 3) == 2 };
	bool negative = (int64_t)size_field < 0;
	return (struct int_shape){ negative ? 0 - size_field : size_field, negative };
}

enum read_status object_int(const struct py_memory *py, remote_addr object, uint64_t *value_ret)
{
	const struct py_offsets *at = &py->layout->at;
	uint64_t size_field;
	uint32_t digits[3] = { 0 };

	if (at->int_size == OFFSET_NONE)
		return read_pointer(py, object, at->int_digits, value_ret);
	enum read_status status = read_pointer(py, object, at->int_size, &size_field);
	if (status != READ_OK)
		return status;
	uint64_t count = int_shape(py->layout, size_field).digits;
	if (count > ARRAY_LEN(digits))
		return READ_TORN;
	status = read_at(py, object, at->int_digits, digits, count * sizeof(digits[0]));
	if (status != READ_OK)
		return status;
	*value_ret = (uint64_t)digits[0] | (uint64_t)digits[1] << INT_DIGIT_BITS |
		     (uint64_t)digits[2] << (2 * INT_DIGIT_BITS);
	return READ_OK;
}

/* ---- dicts ----------------------------------------------------------------------------------- */

/* A run of entries: where it is, and how keys and values lie in it. */
struct dict_entries {
	remote_addr addr;
	uint64_t count;
	uint32_t stride, key, value; // bytes; value = NO_VALUE: values are in an array of their own
	remote_addr values;          // that array, 0 if none
};

#define NO_VALUE UINT32_MAX

static enum read_status entries_of_table(
	const struct py_memory *py, remote_addr dict, struct dict_entries *ret)
{
	const struct py_offsets *at = &py->layout->at;
	uint64_t mask;
	remote_addr table;
	enum read_status status = read_pointer(py, dict, at->dict_values, &mask);

	if (status == READ_OK)
		status = read_pointer(py, dict, at->dict_keys, &table);
	if (status != READ_OK)
		return status;
	*ret = (struct dict_entries){
		.addr = table, .count = mask + 1, .stride = 24, .key = 8, .value = 16
	};
	return READ_OK;
}

/* PyDictKeysObject of 3.6 to 3.10: refcnt, dk_size, lookup, usable, nentries, indices. */
static enum read_status entries_of_keys_36(
	const struct py_memory *py, remote_addr keys, struct dict_entries *ret)
{
	uint64_t head[5];
	enum read_status status = read_at(py, keys, 0, head, sizeof(head));

	if (status != READ_OK)
		return status;
	uint64_t size = head[1];
	uint64_t width = size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= 0xffffffff ? 4 : 8;
	if (size > DICT_PLAUSIBLE_MAX * 2)
		return READ_TORN;
	*ret = (struct dict_entries){
		.addr = keys + sizeof(head) + size * width,
		.count = head[4],
		.stride = 24,
		.key = 8,
		.value = 16,
	};
	return READ_OK;
}

/* 3.11 and newer: log2 size @8, log2 bytes of the indices @9, kind @10, nentries @24; 32 bytes. */
static enum read_status entries_of_keys_311(
	const struct py_memory *py, remote_addr keys, struct dict_entries *ret)
{
	unsigned char head[32];
	enum read_status status = read_at(py, keys, 0, head, sizeof(head));

	if (status != READ_OK)
		return status;
	unsigned int log2_index_bytes = head[9], kind = head[10];
	if (log2_index_bytes > 36 || kind > 2)
		return READ_TORN;
	bool general = kind == 0;
	*ret = (struct dict_entries){
		.addr = keys + sizeof(head) + ((remote_addr)1 << log2_index_bytes),
		.count = field_u64(head, 24),
		.stride = general ? 24 : 16,
		.key = general ? 8 : 0,
		.value = general ? 16 : 8,
	};
	return READ_OK;
}

static enum read_status entries_of_keys(
	const struct py_memory *py, remote_addr keys, struct dict_entries *ret)
{
	switch (py->layout->dicts) {
	case DICT_TABLE:
		break;
	case DICT_KEYS_36:
		return entries_of_keys_36(py, keys, ret);
	case DICT_KEYS_311:
		return entries_of_keys_311(py, keys, ret);
	}
	return READ_TORN;
}

static enum read_status dict_entries(
	const struct py_memory *py, remote_addr dict, struct dict_entries *ret)
{
	const struct py_offsets *at = &py->layout->at;
	remote_addr keys, values;

	if (py->layout->dicts == DICT_TABLE)
		return entries_of_table(py, dict, ret);
	enum read_status status = read_pointer(py, dict, at->dict_keys, &keys);
	if (status == READ_OK)
		status = read_pointer(py, dict, at->dict_values, &values);
	if (status == READ_OK)
		status = entries_of_keys(py, keys, ret);
	if (status != READ_OK || !values)
		return status;
	ret->value = NO_VALUE;
	// from 3.13 the pointer leads to a header of 8 bytes before the array
	ret->values = values + (py->layout->attributes == ATTRIBUTES_INLINE ? 8 : 0);
	return READ_OK;
}

#define ENTRIES_PER_READ 128

static enum read_status read_values(const struct py_memory *py, const struct dict_entries *e,
	uint64_t first, uint64_t count, remote_addr values[ENTRIES_PER_READ])
{
	if (!remote_plausible(e->values))
		return READ_TORN;
	return mem_read(py->mem, e->values + first * 8, values, count * 8);
}

static enum read_status entries_each(const struct py_memory *py, const struct dict_entries *e,
	dict_visitor visit, void *data)
{
	unsigned char bytes[ENTRIES_PER_READ * 24];
	remote_addr values[ENTRIES_PER_READ];

	uint64_t count = e->count < DICT_ENTRIES_MAX ? e->count : DICT_ENTRIES_MAX;

	if (e->count > DICT_PLAUSIBLE_MAX || !remote_plausible(e->addr))
		return READ_TORN;
	for (uint64_t first = 0; first < count; first += ENTRIES_PER_READ) {
		uint64_t n = count - first < ENTRIES_PER_READ ? count - first : ENTRIES_PER_READ;
		enum read_status status =
			mem_read(py->mem, e->addr + first * e->stride, bytes, n * e->stride);

		if (status == READ_OK && e->value == NO_VALUE)
			status = read_values(py, e, first, n, values);
		if (status != READ_OK)
			return status;
		for (uint64_t i = 0; i < n; i++) {
			const unsigned char *entry = bytes + i * e->stride;
			remote_addr key = field_u64(entry, e->key);
			remote_addr value = e->value == NO_VALUE ? values[i] :
								   field_u64(entry, e->value);

			if (key && value && !visit(data, key, value))
				return READ_OK;
		}
	}
	return READ_OK;
}

enum read_status object_dict_each(
	const struct py_memory *py, remote_addr dict, dict_visitor visit, void *data)
{
	struct dict_entries entries;
	enum read_status status = dict_entries(py, dict, &entries);

	return status == READ_OK ? entries_each(py, &entries, visit, data) : status;
}

struct key_search {
	const struct py_memory *py;
	const char *name;
	struct buf text;
	remote_addr found;
};

static bool visit_search(void *data, remote_addr key, remote_addr value)
{
	struct key_search *search = data;

	buf_clear(&search->text);
	if (object_text(search->py, key, &search->text) != READ_OK)
		return true;
	if (strcmp(buf_str(&search->text), search->name) != 0)
		return true;
	search->found = value;
	return false;
}

static enum read_status entries_get(const struct py_memory *py, const struct dict_entries *entries,
	const char *name, remote_addr *value_ret)
{
	struct key_search search = { .py = py, .name = name };
	enum read_status status = entries_each(py, entries, visit_search, &search);

	buf_deinit(&search.text);
	if (status == READ_OK)
		*value_ret = search.found;
	return status;
}

enum read_status object_dict_get(
	const struct py_memory *py, remote_addr dict, const char *name, remote_addr *value_ret)
{
	struct dict_entries entries;
	enum read_status status = dict_entries(py, dict, &entries);

	return status == READ_OK ? entries_get(py, &entries, name, value_ret) : status;
}

/* ---- attributes ------------------------------------------------------------------------------ */

/* Either a dict, or an array of values whose keys the type has. */
struct attributes {
	remote_addr dict;
	remote_addr values;
};

#define TYPE_FLAG_INLINE_VALUES (1u << 2)
#define TYPE_FLAG_MANAGED_DICT (1u << 4)

/* Objects of variable size (tuples, ints) have it at their end, which a negative offset says. */
static enum read_status offset_from_end(const struct py_memory *py, remote_addr object,
	remote_addr type, int64_t negative, uint64_t *offset_ret)
{
	uint64_t sizes[2], items; // tp_basicsize, tp_itemsize
	enum read_status status = read_at(
		py, type, py->layout->at.type_basicsize, sizes, sizeof(sizes));

	if (status == READ_OK)
		status = read_pointer(py, object, py->layout->at.object_size, &items);
	if (status != READ_OK)
		return status;
	items = (int64_t)items < 0 ? 0 - items : items;
	if (sizes[0] > 4096 || sizes[1] > 64 || items > 4096 || negative < -64)
		return READ_TORN;
	*offset_ret = ((sizes[0] + sizes[1] * items + 7) & ~(uint64_t)7) - (uint64_t)-negative;
	return READ_OK;
}

static enum read_status dictoffset_attributes(
	const struct py_memory *py, remote_addr object, remote_addr type, struct attributes *ret)
{
	uint64_t offset;
	enum read_status status = read_pointer(py, type, py->layout->at.type_dictoffset, &offset);

	if (status == READ_OK && (int64_t)offset < 0)
		status = offset_from_end(py, object, type, (int64_t)offset, &offset);
	if (status != READ_OK)
		return status;
	if (!offset || offset > (uint64_t)1 << 19)
		return READ_TORN;
	return read_pointer(py, object, (uint32_t)offset, &ret->dict);
}

static enum read_status inline_attributes(const struct py_memory *py, remote_addr object,
	remote_addr type, uint64_t flags, struct attributes *ret)
{
	uint64_t basicsize;
	unsigned char header[8];
	enum read_status status;

	if (ret->dict || !(flags & TYPE_FLAG_INLINE_VALUES))
		return READ_OK;
	status = read_pointer(py, type, py->layout->at.type_basicsize, &basicsize);
	if (status != READ_OK)
		return status;
	if (basicsize > 4096)
		return READ_TORN;
	status = read_at(py, object, (uint32_t)basicsize, header, sizeof(header));
	// header: capacity, size, embedded, valid
	if (status == READ_OK && header[3] == 1)
		ret->values = object + basicsize + sizeof(header);
	return status;
}

static enum read_status find_attributes(
	const struct py_memory *py, remote_addr object, remote_addr type, struct attributes *ret)
{
	uint64_t flags;
	remote_addr word;
	enum read_status status = read_pointer(py, type, py->layout->at.type_flags, &flags);

	*ret = (struct attributes){ 0 };
	if (status != READ_OK)
		return status;
	if (py->layout->attributes == ATTRIBUTES_DICTOFFSET || !(flags & TYPE_FLAG_MANAGED_DICT))
		return dictoffset_attributes(py, object, type, ret);
	status = mem_read_u64(py->mem, object + (remote_addr)(int64_t)py->layout->attributes_offset,
		&word);
	if (status != READ_OK)
		return status;
	switch (py->layout->attributes) {
	case ATTRIBUTES_DICTOFFSET:
		break;
	case ATTRIBUTES_VALUES_311:
		ret->dict = word;
		return mem_read_u64(py->mem, object - 32, &ret->values);
	case ATTRIBUTES_VALUES_312:
		if (word & 1)
			ret->values = word + 1;
		else
			ret->dict = word;
		return READ_OK;
	case ATTRIBUTES_INLINE:
		ret->dict = word;
		return inline_attributes(py, object, type, flags, ret);
	}
	return READ_TORN;
}

/* Where they lie; *entries_ret has no address if there are none. */
static enum read_status attribute_entries(
	const struct py_memory *py, remote_addr object, struct dict_entries *entries_ret)
{
	remote_addr type, keys;
	struct attributes found;
	enum read_status status = read_pointer(py, object, py->layout->at.object_type, &type);

	*entries_ret = (struct dict_entries){ 0 };
	if (status == READ_OK)
		status = find_attributes(py, object, type, &found);
	if (status != READ_OK)
		return status;
	if (!found.values)
		return found.dict ? dict_entries(py, found.dict, entries_ret) : READ_OK;
	status = read_pointer(py, type, py->layout->at.type_cached_keys, &keys);
	if (status == READ_OK)
		status = entries_of_keys(py, keys, entries_ret);
	entries_ret->value = NO_VALUE;
	entries_ret->values = found.values;
	return status;
}

enum read_status object_attribute(
	const struct py_memory *py, remote_addr object, const char *name, remote_addr *value_ret)
{
	struct dict_entries entries;
	enum read_status status = attribute_entries(py, object, &entries);

	if (status != READ_OK || entries.addr)
		return status == READ_OK ? entries_get(py, &entries, name, value_ret) : status;
	*value_ret = 0;
	return READ_OK;
}

enum read_status object_attributes_each(
	const struct py_memory *py, remote_addr object, dict_visitor visit, void *data)
{
	struct dict_entries entries;
	enum read_status status = attribute_entries(py, object, &entries);

	return status == READ_OK && entries.addr ? entries_each(py, &entries, visit, data) : status;
}

enum read_status object_type_name(const struct py_memory *py, remote_addr object, char name_ret[64])
{
	remote_addr type, name;
	enum read_status status = read_pointer(py, object, py->layout->at.object_type, &type);

	if (status == READ_OK)
		status = read_pointer(py, type, py->layout->at.type_name, &name);
	if (status != READ_OK)
		return status;
	// C text of unknown length: it may end just before a page that is not mapped
	for (size_t len = 64; len >= 8; len /= 2) {
		memset(name_ret, 0, 64);
		status = mem_read(py->mem, name, name_ret, len);
		if (status != READ_FAULT)
			break;
	}
	name_ret[63] = 0;
	return status;
}

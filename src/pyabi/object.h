// SPDX-License-Identifier: MIT
/*
 * Python objects in the memory of a target: text, integers, dicts, attributes.
 *
 * Cold path only: names are read once and kept. Every pointer, length and count is hostile: each
 * passes a cap, each walk is bounded, and garbage gives READ_TORN rather than a wild read.
 */
#ifndef FIREGLASS_PYABI_OBJECT_H
#define FIREGLASS_PYABI_OBJECT_H

#include <stdbool.h>

#include "base/buf.h"
#include "os/mem_reader.h"
#include "pyabi/layout.h"

#define STRING_CODE_POINTS_MAX ((uint64_t)64 << 10)
#define BYTES_OBJECT_MAX ((uint64_t)16 << 20)
/* So many entries are looked at, however many a dict has. */
#define DICT_ENTRIES_MAX ((uint64_t)1 << 16)
#define DICT_PLAUSIBLE_MAX ((uint64_t)1 << 32)

/* Could be the address of an object: not in the lowest or the kernel's part, aligned to 8. */
static inline bool remote_plausible(remote_addr addr)
{
	return addr >= 0x10000 && addr < (remote_addr)1 << 52 && !(addr & 7);
}

static inline uint64_t field_u64(const unsigned char *bytes, uint32_t offset)
{
	uint64_t value;

	__builtin_memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

static inline uint32_t field_u32(const unsigned char *bytes, uint32_t offset)
{
	uint32_t value;

	__builtin_memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

/* What reading objects needs: the memory and how this release lays things out. */
struct py_memory {
	struct mem_reader *mem;
	const struct py_layout *layout;
};

/* Appends a str (2.7: a str of bytes) as valid UTF-8. A longer one is cut at the cap and marked. */
enum read_status object_text(const struct py_memory *py, remote_addr object, struct buf *out);

/*
 * The first code points of a str (3.x), at most `max`, as they are kept: `width` bytes each, in
 * native byte order. *length_ret: how many it has.
 */
struct text_units {
	struct buf bytes;
	unsigned int width; // 1, 2 or 4
	uint64_t count, length;
};
enum read_status object_text_units(
	const struct py_memory *py, remote_addr object, uint64_t max, struct text_units *ret);

/* Appends the bytes of a bytes object (2.7: str). */
enum read_status object_bytes(const struct py_memory *py, remote_addr object, struct buf *out);

/* The value of an int that fits in 64 bits, taken as unsigned; READ_TORN if it does not. */
enum read_status object_int(const struct py_memory *py, remote_addr object, uint64_t *value_ret);

/* What an int says of its value: how many digits of 30 bits follow, and its sign. */
struct int_shape {
	uint64_t digits;
	bool negative;
};
struct int_shape int_shape(const struct py_layout *layout, uint64_t size_field);

/* Calls `visit` for each entry (of a huge dict: the first ones) until it returns false. Changes under way may show up torn. */
typedef bool (*dict_visitor)(void *data, remote_addr key, remote_addr value);
enum read_status object_dict_each(
	const struct py_memory *py, remote_addr dict, dict_visitor visit, void *data);

/* The value of key `name` (a str); *value_ret is 0 if there is none. */
enum read_status object_dict_get(
	const struct py_memory *py, remote_addr dict, const char *name, remote_addr *value_ret);

/* An attribute stored in an instance of a Python class; *value_ret is 0 if there is none. */
enum read_status object_attribute(
	const struct py_memory *py, remote_addr object, const char *name, remote_addr *value_ret);

/*
 * Calls `visit` for each attribute stored in an instance of a Python class (its __dict__, wherever
 * that is). Without any it is READ_OK too; READ_TORN where the class keeps none.
 */
enum read_status object_attributes_each(
	const struct py_memory *py, remote_addr object, dict_visitor visit, void *data);

/* The tp_name of an object's type, at most 63 bytes. */
enum read_status object_type_name(const struct py_memory *py, remote_addr object, char name_ret[64]);

/* How a str keeps its text, as its state field says (it may say nonsense). */
struct string_shape {
	unsigned int width;  // bytes per code point
	bool compact, ascii; // the text follows the object's head
};
struct string_shape string_shape(enum py_string_kind kind, uint32_t state);

#endif

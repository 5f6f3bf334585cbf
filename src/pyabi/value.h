// SPDX-License-Identifier: MIT
/*
 * What an object in a target is, said as repr() would: read from memory, without running anything
 * of the target's.
 *
 * Of built-in types the value; of enumerations, named tuples, exceptions, functions, classes and
 * modules what repr() says; of other objects their class and address, and their attributes if asked
 * for. Bounded in depth, items, length, total and work; what was left out is shown as an ellipsis.
 * An object within itself is shown as [...], {...} or <...>. Values whose name sounds like a secret
 * are masked (pyabi/secret.h).
 *
 * Nothing is trusted: an object counts as one only if its type is one, every length has a cap. The
 * target may run meanwhile: then a value can be of no one moment, or not readable.
 */
#ifndef FIREGLASS_PYABI_VALUE_H
#define FIREGLASS_PYABI_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "pyabi/object.h"

#define VALUE_DEPTH_MAX 16u
#define VALUE_ITEMS_MAX ((size_t)10000)
#define VALUE_CHARS_MAX ((size_t)65536)

struct value_options {
	unsigned int depth; // containers within containers
	size_t items;       // of each container
	size_t chars;       // of each string; the whole value may have VALUE_TOTAL_FACTOR times as many
	bool attributes;    // of instances of Python classes
	bool show_secrets;
};

#define VALUE_TOTAL_FACTOR 32u

/* What is shown unless asked for otherwise. */
#define VALUE_OPTIONS_DEFAULT                                                                      \
	((struct value_options){ .depth = 4, .items = 20, .chars = 200 })

struct value {
	struct buf type; // "int", "__main__.Point"; empty if not readable
	struct buf text; // valid UTF-8 without control characters
	bool masked;     // all of it: the type is all there is
	bool cut;        // something was left out
};

/*
 * READ_OK, or what went wrong with the object itself: then there is no text. `name` is what holds
 * it (a variable's name), for masking, or NULL. deinit what it gives in any case.
 */
enum read_status value_describe(const struct py_memory *py, remote_addr object, const char *name,
	const struct value_options *options, struct value *ret);
void value_deinit(struct value *value);

/* What the bits of a type say: subclasses of built-in types, cheap to ask. */
struct value_type {
	remote_addr address;
	uint64_t flags; // tp_flags
	char name[64];  // tp_name: with its module if it is not a Python class
};

#define TYPE_IMMUTABLE (1u << 8) // 3.10 and newer
#define TYPE_HEAP (1u << 9)
#define TYPE_INT_2 (1u << 23) // int of 2.7
#define TYPE_INT (1u << 24)   // long of 2.7
#define TYPE_LIST (1u << 25)
#define TYPE_TUPLE (1u << 26)
#define TYPE_BYTES (1u << 27) // str of 2.7
#define TYPE_STR (1u << 28)   // unicode of 2.7
#define TYPE_DICT (1u << 29)
#define TYPE_EXCEPTION (1u << 30)
#define TYPE_TYPE (1u << 31)

/* READ_TORN if what is there is no object. */
enum read_status value_type_of(
	const struct py_memory *py, remote_addr object, struct value_type *ret);

/* Appends the full name of the class ("__main__.Point"); modules of built-in ones are left out. */
void value_type_name(const struct py_memory *py, const struct value_type *type, struct buf *out);

#endif

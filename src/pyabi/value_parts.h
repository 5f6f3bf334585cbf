// SPDX-License-Identifier: MIT
/*
 * What the parts of describing a value share: value.c, value_named.c, value_containers.c,
 * value_text.c.
 */
#ifndef FIREGLASS_PYABI_VALUE_PARTS_H
#define FIREGLASS_PYABI_VALUE_PARTS_H

#include "pyabi/value.h"

/* A value being described. */
struct describer {
	const struct py_memory *py;
	const struct value_options *options;
	struct value *out;
	unsigned int objects; // looked at
	unsigned int depth;   // containers we are in
	remote_addr within[VALUE_DEPTH_MAX + 1];
};

/* Objects looked at for one value. */
#define VALUE_OBJECTS_MAX 20000u

/* How it went is for the object alone: what it holds and cannot be read is said in the text. */
enum read_status describe(struct describer *d, remote_addr object);
void describe_item(struct describer *d, remote_addr object);

/* An item that has a name: masked if that is a secret's. */
void describe_named(struct describer *d, const char *name, size_t len, remote_addr object);

/* No more room for this value: what follows is left out. */
bool describer_full(const struct describer *d);

/* Appends "..." and remembers that something was left out. */
void describe_cut(struct describer *d);

/*
 * Around the items of a container: false if they are not to be shown, because the container is
 * within itself or too deep; that is said between `open` and `close`, which come by themselves.
 */
bool container_enter(struct describer *d, remote_addr object, const char *open, const char *close,
	uint64_t count);
void container_leave(struct describer *d, const char *close, uint64_t left_out);

enum read_status read_word(
	const struct py_memory *py, remote_addr base, uint32_t offset, uint64_t *ret);

/* C text of unknown length, and what of a name can be one. */
enum read_status read_c_text(const struct py_memory *py, remote_addr addr, char text[64]);
void clean_name(char name[64]);

/* Appends a str that is a name: not too long, without control characters. */
enum read_status add_name(const struct py_memory *py, remote_addr object, struct buf *out);

/* READ_TORN if what is there is no type. */
enum read_status read_type(
	const struct py_memory *py, remote_addr address, struct value_type *ret);

/* ---- things with a name (value_named.c) -------------------------------------------------------- */

typedef enum read_status (*describe_kind)(
	struct describer *d, remote_addr object, const struct value_type *type);

enum read_status describe_function(
	struct describer *d, remote_addr object, const struct value_type *type);
enum read_status describe_generator(
	struct describer *d, remote_addr object, const struct value_type *type);
enum read_status describe_method(
	struct describer *d, remote_addr object, const struct value_type *type);
enum read_status describe_builtin(
	struct describer *d, remote_addr object, const struct value_type *type);
enum read_status describe_module(
	struct describer *d, remote_addr object, const struct value_type *type);
enum read_status describe_class(
	struct describer *d, remote_addr object, const struct value_type *type);
enum read_status describe_old_class(
	struct describer *d, remote_addr object, const struct value_type *type);
enum read_status describe_old_instance(
	struct describer *d, remote_addr object, const struct value_type *type);

/* ---- numbers and text (value_text.c) ---------------------------------------------------------- */

enum read_status describe_int(struct describer *d, remote_addr object);      // 2.7: long
enum read_status describe_c_long(struct describer *d, remote_addr object);   // 2.7: int
enum read_status describe_float(struct describer *d, remote_addr object);
enum read_status describe_complex(struct describer *d, remote_addr object);
enum read_status describe_str(struct describer *d, remote_addr object);      // 3.x
enum read_status describe_unicode_2(struct describer *d, remote_addr object);
enum read_status describe_bytes(struct describer *d, remote_addr object);    // 2.7: str
enum read_status describe_bytearray(struct describer *d, remote_addr object);

/* ---- containers (value_containers.c) ---------------------------------------------------------- */

enum read_status describe_list(struct describer *d, remote_addr object);
enum read_status describe_tuple(struct describer *d, remote_addr object);
/* Named tuples; READ_TORN if it is none. */
enum read_status describe_named_tuple(
	struct describer *d, remote_addr object, const struct value_type *type);
enum read_status describe_dict(struct describer *d, remote_addr object);
enum read_status describe_set(
	struct describer *d, remote_addr object, const char *open, const char *close);
enum read_status describe_deque(struct describer *d, remote_addr object);
/* name=value, ...: the attributes of an instance. */
void describe_attributes(struct describer *d, remote_addr object);
void describe_dict_attributes(struct describer *d, remote_addr dict);

#endif

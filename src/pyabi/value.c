// SPDX-License-Identifier: MIT
#include "pyabi/value.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "pyabi/secret.h"
#include "pyabi/value_parts.h"

enum read_status read_word(
	const struct py_memory *py, remote_addr base, uint32_t offset, uint64_t *ret)
{
	if (!remote_plausible(base) || offset == OFFSET_NONE)
		return READ_TORN;
	return mem_read_u64(py->mem, base + offset, ret);
}

/* ---- types ------------------------------------------------------------------------------------ */

/* C text of unknown length: it may end just before a page that is not mapped. */
enum read_status read_c_text(const struct py_memory *py, remote_addr addr, char text[64])
{
	enum read_status status = READ_TORN;

	for (size_t len = 64; len >= 8; len /= 2) {
		memset(text, 0, 64);
		status = mem_read(py->mem, addr, text, len);
		if (status != READ_FAULT)
			break;
	}
	text[63] = 0;
	return status;
}

/* Control characters and what is no UTF-8 cannot be part of a name. */
void clean_name(char name[64])
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len;) {
		uint32_t c;
		size_t n = utf8_decode((const unsigned char *)name + i, len - i, &c);

		if (c < 0x20 || c == 0x7f || c == UTF8_REPLACEMENT)
			memset(name + i, '?', n);
		i += n;
	}
}

/* A type is an object whose type is a type. */
enum read_status read_type(
	const struct py_memory *py, remote_addr address, struct value_type *ret)
{
	const struct py_offsets *at = &py->layout->at;
	remote_addr metatype, name;
	uint64_t flags;
	enum read_status status = read_word(py, address, at->object_type, &metatype);

	if (status == READ_OK)
		status = read_word(py, metatype, at->type_flags, &flags);
	if (status != READ_OK)
		return status;
	if (!(flags & TYPE_TYPE))
		return READ_TORN;
	ret->address = address;
	status = read_word(py, address, at->type_flags, &ret->flags);
	if (status == READ_OK)
		status = read_word(py, address, at->type_name, &name);
	if (status == READ_OK)
		status = read_c_text(py, name, ret->name);
	if (status == READ_OK)
		clean_name(ret->name);
	return status;
}

enum read_status value_type_of(
	const struct py_memory *py, remote_addr object, struct value_type *ret)
{
	remote_addr type;
	enum read_status status = read_word(py, object, py->layout->at.object_type, &type);

	return status == READ_OK ? read_type(py, type, ret) : status;
}

/* Text of the target's for names: short, and nothing in it that steers a terminal. */
#define NAME_BYTES_MAX 200

enum read_status add_name(
	const struct py_memory *py, remote_addr object, struct buf *out)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct value_type type;
	enum read_status status = value_type_of(py, object, &type);

	if (status == READ_OK && !(type.flags & (py->layout->python_2 ? TYPE_BYTES : TYPE_STR)))
		status = READ_TORN;
	if (status == READ_OK)
		status = object_text(py, object, &text);
	if (status != READ_OK)
		return status;
	size_t len = text.len < NAME_BYTES_MAX ? text.len : NAME_BYTES_MAX;
	while (len < text.len && ((unsigned char)text.data[len] & 0xc0) == 0x80)
		len++;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
			text.data[i] = '?';
	buf_add(out, text.data, len);
	return READ_OK;
}

static bool is_builtins(const char *module)
{
	return strcmp(module, "builtins") == 0 || strcmp(module, "__builtin__") == 0;
}

/* tp_dict lies three pointers before tp_dictoffset in all releases. */
static void add_module(const struct py_memory *py, remote_addr type, struct buf *out)
{
	_cleanup_buf_ struct buf module = BUF_INIT;
	remote_addr dict, name = 0;

	if (read_word(py, type, py->layout->at.type_dictoffset - 24, &dict) == READ_OK &&
		object_dict_get(py, dict, "__module__", &name) == READ_OK && name &&
		add_name(py, name, &module) == READ_OK && module.len && !is_builtins(module.data))
		buf_printf(out, "%s.", module.data);
}

void value_type_name(const struct py_memory *py, const struct value_type *type, struct buf *out)
{
	remote_addr qualname;

	if (!(type->flags & TYPE_HEAP)) {
		buf_add_str(out, type->name);
		return;
	}
	add_module(py, type->address, out);
	if (read_word(py, type->address, py->layout->at.type_qualname, &qualname) != READ_OK ||
		add_name(py, qualname, out) != READ_OK)
		buf_add_str(out, type->name);
}

/* ---- limits ----------------------------------------------------------------------------------- */

bool describer_full(const struct describer *d)
{
	return d->out->text.len >= d->options->chars * VALUE_TOTAL_FACTOR ||
	       d->objects >= VALUE_OBJECTS_MAX;
}

void describe_cut(struct describer *d)
{
	buf_add_str(&d->out->text, "...");
	d->out->cut = true;
}

/* ---- small built-in types --------------------------------------------------------------------- */

static enum read_status describe_none(
	struct describer *d, remote_addr object, const struct value_type *type)
{
	(void)object;
	buf_add_str(&d->out->text, type->name[0] == 'e' ? "Ellipsis" :
				   strncmp(type->name, "None", 4) == 0 ? "None" : "NotImplemented");
	return READ_OK;
}

static enum read_status describe_bool(
	struct describer *d, remote_addr object, const struct value_type *type)
{
	uint64_t value;
	enum read_status status = object_int(d->py, object, &value);

	(void)type;
	if (status == READ_OK)
		buf_add_str(&d->out->text, value ? "True" : "False");
	return status;
}

/* range and slice: three objects after the head. */
static enum read_status describe_three(
	struct describer *d, remote_addr object, const struct value_type *type)
{
	remote_addr parts[3];
	enum read_status status = mem_read(
		d->py->mem, object + d->py->layout->at.object_size, parts, sizeof(parts));

	if (status != READ_OK)
		return status;
	if (!container_enter(d, object, type->name[0] == 'r' ? "range(" : "slice(", ")", 3))
		return READ_OK;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		size_t before = d->out->text.len;

		if (i)
			buf_add_str(&d->out->text, ", ");
		describe_item(d, parts[i]);
		// a range has no step if it is 1
		if (i == 2 && type->name[0] == 'r' &&
			strcmp(d->out->text.data + before, ", 1") == 0) {
			d->out->text.len = before;
			d->out->text.data[before] = 0;
		}
	}
	container_leave(d, ")", 0);
	return READ_OK;
}

static enum read_status describe_any_set(
	struct describer *d, remote_addr object, const struct value_type *type)
{
	bool frozen = strcmp(type->name, "frozenset") == 0;
	uint64_t used = 0;

	if (read_word(d->py, object, d->py->layout->at.object_size + 8, &used) != READ_OK || !used) {
		buf_printf(&d->out->text, "%s(%s)", type->name, d->py->layout->python_2 ? "[]" : "");
		return READ_OK;
	}
	if (d->py->layout->python_2)
		return describe_set(d, object, frozen ? "frozenset([" : "set([", "])");
	return describe_set(d, object, frozen ? "frozenset({" : "{", frozen ? "})" : "}");
}

#define ADAPTER(kind)                                                                              \
	static enum read_status any_##kind(                                                        \
		struct describer *d, remote_addr object, const struct value_type *type)            \
	{                                                                                          \
		(void)type;                                                                        \
		return describe_##kind(d, object);                                                 \
	}
ADAPTER(float)
ADAPTER(complex)
ADAPTER(bytearray)
ADAPTER(deque)
#undef ADAPTER

/* Types that are known by the name of their C structure; those of the table below by a flag. */
static const struct {
	const char *name;
	describe_kind describe;
} named_types[] = {
	{ "NoneType", describe_none },
	{ "bool", describe_bool },
	{ "float", any_float },
	{ "complex", any_complex },
	{ "bytearray", any_bytearray },
	{ "set", describe_any_set },
	{ "frozenset", describe_any_set },
	{ "collections.deque", any_deque },
	{ "range", describe_three },
	{ "slice", describe_three },
	{ "function", describe_function },
	{ "method", describe_method },
	{ "instancemethod", describe_method },
	{ "builtin_function_or_method", describe_builtin },
	{ "module", describe_module },
	{ "generator", describe_generator },
	{ "coroutine", describe_generator },
	{ "async_generator", describe_generator },
	{ "NotImplementedType", describe_none },
	{ "ellipsis", describe_none },
	{ "classobj", describe_old_class },
	{ "instance", describe_old_instance },
};

static describe_kind kind_by_name(const struct value_type *type)
{
	// of heap types only those of C modules cannot be changed
	if (type->flags & TYPE_HEAP && !(type->flags & TYPE_IMMUTABLE))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(named_types); i++)
		if (strcmp(type->name, named_types[i].name) == 0)
			return named_types[i].describe;
	return NULL;
}

/* ---- built-in types and their subclasses ------------------------------------------------------- */

static enum read_status describe_text(struct describer *d, remote_addr object)
{
	return d->py->layout->python_2 ? describe_unicode_2(d, object) : describe_str(d, object);
}

static const struct {
	uint64_t flag;
	enum read_status (*describe)(struct describer *d, remote_addr object);
} flagged_types[] = {
	{ TYPE_INT_2, describe_c_long },
	{ TYPE_INT, describe_int },
	{ TYPE_STR, describe_text },
	{ TYPE_BYTES, describe_bytes },
	{ TYPE_LIST, describe_list },
	{ TYPE_TUPLE, describe_tuple },
	{ TYPE_DICT, describe_dict },
};

/* Of a member of an enumeration: <Color.RED: 1>. READ_TORN if it is none. */
static enum read_status describe_enum(
	struct describer *d, remote_addr object, const struct value_type *type)
{
	struct value_type metatype;
	_cleanup_buf_ struct buf name = BUF_INIT;
	remote_addr text = 0, value = 0;

	if (value_type_of(d->py, type->address, &metatype) != READ_OK ||
		(strcmp(metatype.name, "EnumMeta") != 0 && strcmp(metatype.name, "EnumType") != 0))
		return READ_TORN;
	if (object_attribute(d->py, object, "_name_", &text) != READ_OK || !text ||
		object_attribute(d->py, object, "_value_", &value) != READ_OK || !value ||
		add_name(d->py, text, &name) != READ_OK ||
		!container_enter(d, object, "<", ">", 1))
		return READ_TORN;
	buf_printf(&d->out->text, "%s.%s: ", type->name, buf_str(&name));
	describe_item(d, value);
	container_leave(d, ">", 0);
	return READ_OK;
}

/* Name(what the built-in type has). */
static enum read_status describe_subclass(struct describer *d, remote_addr object,
	const struct value_type *type,
	enum read_status (*describe_base)(struct describer *d, remote_addr object))
{
	const char *dot = strrchr(type->name, '.');
	size_t before = d->out->text.len;

	buf_printf(&d->out->text, "%s(", dot ? dot + 1 : type->name);
	enum read_status status = describe_base(d, object);
	if (status == READ_OK) {
		buf_add_char(&d->out->text, ')');
		return READ_OK;
	}
	d->out->text.len = before;
	d->out->text.data[before] = 0;
	return status;
}

static bool is_plain(const struct py_layout *layout, const struct value_type *type)
{
	static const char *const names[] = { "int", "str", "list", "tuple", "dict", "bytes" };
	static const char *const names_2[] = { "int", "long", "str", "unicode", "list", "tuple",
		"dict" };
	const char *const *plain = layout->python_2 ? names_2 : names;
	size_t count = layout->python_2 ? ARRAY_LEN(names_2) : ARRAY_LEN(names);

	for (size_t i = 0; !(type->flags & TYPE_HEAP) && i < count; i++)
		if (strcmp(type->name, plain[i]) == 0)
			return true;
	return false;
}

/* ValueError('x', 1): the arguments follow the dict. */
static enum read_status describe_exception(
	struct describer *d, remote_addr object, const struct value_type *type)
{
	const char *dot = strrchr(type->name, '.');
	struct value_type args_type;
	remote_addr args;
	uint64_t count;
	enum read_status status =
		read_word(d->py, object, d->py->layout->at.object_size + 8, &args);

	buf_add_str(&d->out->text, dot ? dot + 1 : type->name);
	if (status != READ_OK || value_type_of(d->py, args, &args_type) != READ_OK ||
		!(args_type.flags & TYPE_TUPLE) ||
		read_word(d->py, args, d->py->layout->at.object_size, &count) != READ_OK) {
		buf_add_str(&d->out->text, "(...)");
		return READ_OK;
	}
	if (count != 1)
		return describe_tuple(d, args);
	// one argument goes without the comma of tuples
	remote_addr only;
	if (read_word(d->py, args, d->py->layout->at.tuple_items, &only) != READ_OK ||
		!container_enter(d, object, "(", ")", 1))
		return READ_OK;
	describe_item(d, only);
	container_leave(d, ")", 0);
	return READ_OK;
}

/* ---- instances -------------------------------------------------------------------------------- */

static enum read_status describe_instance(
	struct describer *d, remote_addr object, const struct value_type *type)
{
	_cleanup_buf_ struct buf name = BUF_INIT;

	value_type_name(d->py, type, &name);
	buf_printf(&d->out->text, "<%s object at 0x%" PRIx64, buf_str(&name), object);
	if (d->options->attributes)
		describe_attributes(d, object);
	buf_add_char(&d->out->text, '>');
	return READ_OK;
}

/* ---- all of them ------------------------------------------------------------------------------ */

static enum read_status describe_as(
	struct describer *d, remote_addr object, const struct value_type *type)
{
	describe_kind kind = kind_by_name(type);

	if (kind)
		return kind(d, object, type);
	if (type->flags & TYPE_HEAP && describe_enum(d, object, type) == READ_OK)
		return READ_OK;
	if (type->flags & TYPE_TYPE)
		return describe_class(d, object, type);
	if (type->flags & TYPE_EXCEPTION)
		return describe_exception(d, object, type);
	if (type->flags & TYPE_TUPLE && type->flags & TYPE_HEAP &&
		describe_named_tuple(d, object, type) == READ_OK)
		return READ_OK;
	for (size_t i = 0; i < ARRAY_LEN(flagged_types); i++)
		if (type->flags & flagged_types[i].flag)
			return is_plain(d->py->layout, type) ?
				       flagged_types[i].describe(d, object) :
				       describe_subclass(
					       d, object, type, flagged_types[i].describe);
	return describe_instance(d, object, type);
}

enum read_status describe(struct describer *d, remote_addr object)
{
	struct value_type type;
	enum read_status status = value_type_of(d->py, object, &type);

	d->objects++;
	return status == READ_OK ? describe_as(d, object, &type) : status;
}

void describe_item(struct describer *d, remote_addr object)
{
	if (describer_full(d)) {
		describe_cut(d);
		return;
	}
	if (describe(d, object) != READ_OK)
		buf_printf(&d->out->text, "<not readable at 0x%" PRIx64 ">", object);
}

/* A secret that is None is none. */
static bool is_masked(const struct describer *d, const char *name, size_t len,
	const struct value_type *type)
{
	return name && !d->options->show_secrets && secret_name(name, len) &&
	       strcmp(type->name, "NoneType") != 0;
}

void describe_named(struct describer *d, const char *name, size_t len, remote_addr object)
{
	struct value_type type;

	if (value_type_of(d->py, object, &type) == READ_OK && is_masked(d, name, len, &type))
		buf_add_str(&d->out->text, "<masked>");
	else
		describe_item(d, object);
}

enum read_status value_describe(const struct py_memory *py, remote_addr object, const char *name,
	const struct value_options *options, struct value *ret)
{
	struct value_type type;
	struct describer d = { .py = py, .options = options, .out = ret };
	enum read_status status = value_type_of(py, object, &type);

	*ret = (struct value){ 0 };
	if (status != READ_OK)
		return status;
	value_type_name(py, &type, &ret->type);
	ret->masked = is_masked(&d, name, name ? strlen(name) : 0, &type);
	if (ret->masked)
		return READ_OK;
	status = describe_as(&d, object, &type);
	if (status != READ_OK)
		buf_clear(&ret->text);
	return status;
}

void value_deinit(struct value *value)
{
	buf_deinit(&value->type);
	buf_deinit(&value->text);
}

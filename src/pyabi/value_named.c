// SPDX-License-Identifier: MIT
/* Things that are shown by their name: functions, methods, generators, modules, classes. */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "pyabi/value_parts.h"

/* ---- things with a name ----------------------------------------------------------------------- */

static enum read_status add_address(struct describer *d, remote_addr object)
{
	buf_printf(&d->out->text, " at 0x%" PRIx64 ">", object);
	return READ_OK;
}

/* <KIND NAME at 0x...>, the name being a str in one of the object's fields. */
static enum read_status describe_by_name(
	struct describer *d, remote_addr object, const char *kind, uint32_t field)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	remote_addr text;

	if (read_word(d->py, object, field, &text) != READ_OK ||
		add_name(d->py, text, &name) != READ_OK)
		buf_add_char(&name, '?');
	buf_printf(&d->out->text, "<%s %s", kind, buf_str(&name));
	return add_address(d, object);
}

enum read_status describe_function(
	struct describer *d, remote_addr object, const struct value_type *type)
{
	(void)type;
	return describe_by_name(d, object, "function", d->py->layout->at.function_qualname);
}

enum read_status describe_generator(
	struct describer *d, remote_addr object, const struct value_type *type)
{
	uint32_t field = d->py->layout->at.generator_qualname;
	const char *kind = strcmp(type->name, "generator") == 0 ? "generator object" :
			   strcmp(type->name, "coroutine") == 0 ? "coroutine object" :
								  "async_generator object";

	if (field != OFFSET_NONE)
		return describe_by_name(d, object, kind, field);
	buf_printf(&d->out->text, "<%s", kind);
	return add_address(d, object);
}

/* A method of a Python class: function, then the object it is bound to. */
enum read_status describe_method(
	struct describer *d, remote_addr object, const struct value_type *type)
{
	const struct py_offsets *at = &d->py->layout->at;
	_cleanup_buf_ struct buf name = BUF_INIT;
	remote_addr function, self = 0, text;
	enum read_status status = read_word(d->py, object, at->object_size, &function);

	(void)type;
	if (status == READ_OK)
		status = read_word(d->py, object, at->object_size + 8, &self);
	if (status != READ_OK)
		return status;
	if (read_word(d->py, function, at->function_qualname, &text) != READ_OK ||
		add_name(d->py, text, &name) != READ_OK)
		buf_add_char(&name, '?');
	if (!container_enter(d, object, "<bound method ", ">", 1))
		return READ_OK;
	buf_add_str(&d->out->text, buf_str(&name));
	buf_add_str(&d->out->text, " of ");
	describe_item(d, self);
	container_leave(d, ">", 0);
	return READ_OK;
}

/* A function in C: its definition, which begins with the name, then the object it is bound to. */
enum read_status describe_builtin(
	struct describer *d, remote_addr object, const struct value_type *type)
{
	uint32_t head = d->py->layout->at.object_size;
	struct value_type self_type;
	remote_addr definition, self, text = 0;
	char name[64];
	enum read_status status = read_word(d->py, object, head, &definition);

	(void)type;
	if (status == READ_OK)
		status = read_word(d->py, definition, 0, &text);
	if (status == READ_OK)
		status = read_c_text(d->py, text, name);
	if (status == READ_OK)
		status = read_word(d->py, object, head + 8, &self);
	if (status != READ_OK)
		return status;
	clean_name(name);
	if (!self || value_type_of(d->py, self, &self_type) != READ_OK ||
		strcmp(self_type.name, "module") == 0) {
		buf_printf(&d->out->text, "<built-in function %s>", name);
		return READ_OK;
	}
	buf_printf(&d->out->text, "<built-in method %s of %s object", name, self_type.name);
	return add_address(d, self);
}

enum read_status describe_module(
	struct describer *d, remote_addr object, const struct value_type *type)
{
	_cleanup_buf_ struct buf name = BUF_INIT, file = BUF_INIT;
	remote_addr dict, text = 0;
	enum read_status status =
		read_word(d->py, object, d->py->layout->at.module_dict, &dict);

	(void)type;
	if (status != READ_OK)
		return status;
	if (object_dict_get(d->py, dict, "__name__", &text) != READ_OK || !text ||
		add_name(d->py, text, &name) != READ_OK)
		buf_add_char(&name, '?');
	text = 0;
	if (object_dict_get(d->py, dict, "__file__", &text) == READ_OK && text)
		add_name(d->py, text, &file);
	buf_printf(&d->out->text, "<module '%s'", buf_str(&name));
	if (file.len)
		buf_printf(&d->out->text, " from '%s'", buf_str(&file));
	buf_add_char(&d->out->text, '>');
	return READ_OK;
}

enum read_status describe_class(
	struct describer *d, remote_addr object, const struct value_type *type)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct value_type self;
	enum read_status status = read_type(d->py, object, &self);

	(void)type;
	if (status != READ_OK)
		return status;
	value_type_name(d->py, &self, &name);
	buf_printf(&d->out->text, "<%s '%s'>",
		d->py->layout->python_2 && !(self.flags & TYPE_HEAP) ? "type" : "class",
		buf_str(&name));
	return READ_OK;
}

/* An old-style class: bases, dict, name. */
static void add_old_class(struct describer *d, remote_addr class, struct buf *out)
{
	uint32_t head = d->py->layout->at.object_size;
	remote_addr dict, text = 0;

	if (read_word(d->py, class, head + 8, &dict) == READ_OK &&
		object_dict_get(d->py, dict, "__module__", &text) == READ_OK && text &&
		add_name(d->py, text, out) == READ_OK)
		buf_add_char(out, '.');
	if (read_word(d->py, class, head + 16, &text) != READ_OK ||
		add_name(d->py, text, out) != READ_OK)
		buf_add_char(out, '?');
}

enum read_status describe_old_class(
	struct describer *d, remote_addr object, const struct value_type *type)
{
	_cleanup_buf_ struct buf name = BUF_INIT;

	(void)type;
	add_old_class(d, object, &name);
	buf_printf(&d->out->text, "<class %s", buf_str(&name));
	return add_address(d, object);
}

/* An instance of one: the class, the dict. */
enum read_status describe_old_instance(
	struct describer *d, remote_addr object, const struct value_type *type)
{
	uint32_t head = d->py->layout->at.object_size;
	_cleanup_buf_ struct buf name = BUF_INIT;
	remote_addr class, dict;
	enum read_status status = read_word(d->py, object, head, &class);

	(void)type;
	if (status == READ_OK)
		status = read_word(d->py, object, head + 8, &dict);
	if (status != READ_OK)
		return status;
	add_old_class(d, class, &name);
	buf_printf(&d->out->text, "<%s instance at 0x%" PRIx64, buf_str(&name), object);
	if (d->options->attributes)
		describe_dict_attributes(d, dict);
	buf_add_char(&d->out->text, '>');
	return READ_OK;
}

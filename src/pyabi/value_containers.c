// SPDX-License-Identifier: MIT
/* What holds other values. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "pyabi/secret.h"
#include "pyabi/value_parts.h"

#define COUNT_PLAUSIBLE ((uint64_t)1 << 40)

bool container_enter(struct describer *d, remote_addr object, const char *open, const char *close,
	uint64_t count)
{
	struct buf *out = &d->out->text;

	for (unsigned int i = 0; i < d->depth; i++)
		if (d->within[i] == object) {
			buf_printf(out, "%s...%s", open, close);
			return false;
		}
	if (count && d->depth >= d->options->depth) {
		buf_printf(out, "%s... %" PRIu64 " item%s%s", open, count, count == 1 ? "" : "s",
			close);
		d->out->cut = true;
		return false;
	}
	d->within[d->depth++] = object;
	buf_add_str(out, open);
	return true;
}

void container_leave(struct describer *d, const char *close, uint64_t left_out)
{
	char last = d->out->text.len ? d->out->text.data[d->out->text.len - 1] : 0;

	d->depth--;
	if (left_out) {
		if (last && !strchr("([{", last))
			buf_add_str(&d->out->text, ", ");
		describe_cut(d);
		buf_printf(&d->out->text, " %" PRIu64 " more", left_out);
	}
	buf_add_str(&d->out->text, close);
}

static void add_comma(struct describer *d, uint64_t i)
{
	if (i)
		buf_add_str(&d->out->text, ", ");
}

/* ---- rows of pointers ------------------------------------------------------------------------- */

/* The first items of a row, as many as are shown. */
struct row {
	remote_addr *items;
	uint64_t count, length;
};

static enum read_status row_read(
	struct describer *d, remote_addr addr, uint64_t length, struct row *ret)
{
	uint64_t count = length < d->options->items ? length : d->options->items;

	if (length > COUNT_PLAUSIBLE)
		return READ_TORN;
	*ret = (struct row){ .count = count, .length = length };
	if (!count)
		return READ_OK;
	if (!remote_plausible(addr))
		return READ_TORN;
	ret->items = xcalloc((size_t)count, sizeof(*ret->items));
	return mem_read(d->py->mem, addr, ret->items, (size_t)count * sizeof(*ret->items));
}

static void row_deinit(struct row *row)
{
	free(row->items);
}

/* ('password', 'x') among others is a name and its value. */
static bool is_named_pair(struct describer *d, const struct row *row, struct buf *name)
{
	struct value_type type;

	if (row->length != 2 || row->count != 2 ||
		value_type_of(d->py, row->items[0], &type) != READ_OK)
		return false;
	if (!(type.flags & (d->py->layout->python_2 ? TYPE_BYTES : TYPE_STR)))
		return false;
	return object_text(d->py, row->items[0], name) == READ_OK;
}

/* Returns how many were shown. */
static uint64_t describe_row(struct describer *d, const struct row *row)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	bool pair = is_named_pair(d, row, &name);
	uint64_t i = 0;

	for (; i < row->count && !describer_full(d); i++) {
		add_comma(d, i);
		if (pair && i == 1)
			describe_named(d, buf_str(&name), name.len, row->items[i]);
		else
			describe_item(d, row->items[i]);
	}
	return i;
}

static enum read_status describe_sequence(struct describer *d, remote_addr object,
	remote_addr items, uint64_t length, const char *open, const char *close)
{
	_cleanup_(row_deinit) struct row row = { 0 };
	enum read_status status = row_read(d, items, length, &row);

	if (status != READ_OK)
		return status;
	if (!container_enter(d, object, open, close[0] == ',' ? close + 1 : close, length))
		return READ_OK;
	container_leave(d, close, length - describe_row(d, &row));
	return READ_OK;
}

enum read_status describe_list(struct describer *d, remote_addr object)
{
	uint64_t head[2]; // length, items
	enum read_status status = mem_read(
		d->py->mem, object + d->py->layout->at.object_size, head, sizeof(head));

	return status == READ_OK ? describe_sequence(d, object, head[1], head[0], "[", "]") : status;
}

enum read_status describe_tuple(struct describer *d, remote_addr object)
{
	const struct py_offsets *at = &d->py->layout->at;
	uint64_t length;
	enum read_status status = read_word(d->py, object, at->object_size, &length);

	if (status != READ_OK)
		return status;
	return describe_sequence(
		d, object, object + at->tuple_items, length, "(", length == 1 ? ",)" : ")");
}

static enum read_status tuple_row(struct describer *d, remote_addr object, struct row *ret)
{
	const struct py_offsets *at = &d->py->layout->at;
	uint64_t length;
	enum read_status status = read_word(d->py, object, at->object_size, &length);

	return status == READ_OK ? row_read(d, object + at->tuple_items, length, ret) : status;
}

/* tp_dict lies three pointers before tp_dictoffset in all releases. */
static enum read_status class_attribute(
	const struct py_memory *py, remote_addr type, const char *name, remote_addr *ret)
{
	remote_addr dict;
	enum read_status status = read_word(py, type, py->layout->at.type_dictoffset - 24, &dict);

	return status == READ_OK ? object_dict_get(py, dict, name, ret) : status;
}

enum read_status describe_named_tuple(
	struct describer *d, remote_addr object, const struct value_type *type)
{
	_cleanup_(row_deinit) struct row names = { 0 }, items = { 0 };
	struct value_type fields_type = { 0 };
	remote_addr fields = 0;
	enum read_status status = class_attribute(d->py, type->address, "_fields", &fields);

	if (status == READ_OK && fields)
		status = value_type_of(d->py, fields, &fields_type);
	if (status != READ_OK || !fields || !(fields_type.flags & TYPE_TUPLE))
		return READ_TORN;
	status = tuple_row(d, fields, &names);
	if (status == READ_OK)
		status = tuple_row(d, object, &items);
	if (status != READ_OK || names.length != items.length)
		return READ_TORN;
	buf_add_str(&d->out->text, type->name);
	if (!container_enter(d, object, "(", ")", items.length))
		return READ_OK;
	uint64_t i = 0;
	for (; i < items.count && !describer_full(d); i++) {
		_cleanup_buf_ struct buf name = BUF_INIT;

		add_comma(d, i);
		if (object_text(d->py, names.items[i], &name) != READ_OK)
			buf_add_str(&name, "?");
		buf_printf(&d->out->text, "%s=", buf_str(&name));
		describe_named(d, buf_str(&name), name.len, items.items[i]);
	}
	container_leave(d, ")", items.length - i);
	return READ_OK;
}

/* ---- dicts ------------------------------------------------------------------------------------ */

struct dict_walk {
	struct describer *d;
	uint64_t shown;
	bool attributes; // name=value instead of 'name': value
};

/* Text that a key is, where it is text. */
static bool key_text(const struct describer *d, remote_addr key, struct buf *name)
{
	struct value_type type;

	if (value_type_of(d->py, key, &type) != READ_OK)
		return false;
	if (type.flags & TYPE_BYTES)
		return object_bytes(d->py, key, name) == READ_OK;
	return !d->py->layout->python_2 && type.flags & TYPE_STR &&
	       object_text(d->py, key, name) == READ_OK;
}

static bool visit_item(void *data, remote_addr key, remote_addr value)
{
	struct dict_walk *walk = data;
	struct describer *d = walk->d;
	_cleanup_buf_ struct buf name = BUF_INIT;

	if (walk->shown >= d->options->items || describer_full(d))
		return false;
	add_comma(d, walk->shown++);
	bool named = key_text(d, key, &name);
	if (walk->attributes && named) {
		buf_printf(&d->out->text, "%s=", buf_str(&name));
	} else {
		describe_item(d, key);
		buf_add_str(&d->out->text, ": ");
	}
	describe_named(d, named ? buf_str(&name) : NULL, name.len, value);
	return true;
}

enum read_status describe_dict(struct describer *d, remote_addr object)
{
	struct dict_walk walk = { .d = d };
	uint64_t used;
	enum read_status status =
		read_word(d->py, object, d->py->layout->at.dict_used, &used);

	if (status != READ_OK)
		return status;
	if (used > COUNT_PLAUSIBLE)
		return READ_TORN;
	if (!container_enter(d, object, "{", "}", used))
		return READ_OK;
	// what goes wrong under way has changed under way, or was none: the rest is left out
	status = used ? object_dict_each(d->py, object, visit_item, &walk) : READ_OK;
	container_leave(d, "}", used > walk.shown ? used - walk.shown : 0);
	return READ_OK;
}

static void leave_attributes(struct describer *d, const struct dict_walk *walk)
{
	d->depth--;
	if (walk->shown >= d->options->items || describer_full(d))
		describe_cut(d);
}

static bool may_enter(const struct describer *d)
{
	return d->depth < d->options->depth;
}

void describe_attributes(struct describer *d, remote_addr object)
{
	struct dict_walk walk = { .d = d, .attributes = true };

	if (!may_enter(d) || !container_enter(d, object, " ", "", 1))
		return;
	object_attributes_each(d->py, object, visit_item, &walk);
	leave_attributes(d, &walk);
}

void describe_dict_attributes(struct describer *d, remote_addr dict)
{
	struct dict_walk walk = { .d = d, .attributes = true };

	if (!may_enter(d) || !container_enter(d, dict, " ", "", 1))
		return;
	object_dict_each(d->py, dict, visit_item, &walk);
	leave_attributes(d, &walk);
}

/* ---- sets ------------------------------------------------------------------------------------- */

/* Slots of a set that are looked at: a large one that is nearly empty has many. */
#define SET_SLOTS_MAX ((uint64_t)1 << 16)
#define SLOTS_PER_READ 128

struct set_slot {
	uint64_t words[2]; // key, hash; 2.7: hash, key
};

/* 0 for a slot that is free, or whose item was removed: hash -1, in 2.7 a key of its own. */
static remote_addr key_of(struct describer *d, const struct set_slot *slot)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (!d->py->layout->python_2)
		return slot->words[1] == UINT64_MAX ? 0 : slot->words[0];
	if (slot->words[1] && object_text(d->py, slot->words[1], &text) == READ_OK &&
		strcmp(buf_str(&text), "<dummy key>") == 0)
		return 0;
	return slot->words[1];
}

/* Returns how many were shown. */
static uint64_t describe_slots(struct describer *d, remote_addr table, uint64_t slots)
{
	struct set_slot read[SLOTS_PER_READ];
	uint64_t shown = 0;

	for (uint64_t first = 0; first < slots; first += SLOTS_PER_READ) {
		uint64_t n = slots - first < SLOTS_PER_READ ? slots - first : SLOTS_PER_READ;

		if (mem_read(d->py->mem, table + first * sizeof(read[0]), read,
			    (size_t)n * sizeof(read[0])) != READ_OK)
			return shown;
		for (uint64_t i = 0; i < n; i++) {
			remote_addr key = key_of(d, &read[i]);

			if (!key)
				continue;
			if (shown >= d->options->items || describer_full(d))
				return shown;
			add_comma(d, shown++);
			describe_item(d, key);
		}
	}
	return shown;
}

enum read_status describe_set(
	struct describer *d, remote_addr object, const char *open, const char *close)
{
	uint64_t head[4]; // fill, used, mask, table
	enum read_status status = mem_read(
		d->py->mem, object + d->py->layout->at.object_size, head, sizeof(head));

	if (status != READ_OK)
		return status;
	uint64_t used = head[1], slots = head[2] + 1;
	if (used > COUNT_PLAUSIBLE || slots > COUNT_PLAUSIBLE || !remote_plausible(head[3]))
		return READ_TORN;
	if (!container_enter(d, object, open, close, used))
		return READ_OK;
	uint64_t shown = describe_slots(d, head[3], slots < SET_SLOTS_MAX ? slots : SET_SLOTS_MAX);
	container_leave(d, close, used > shown ? used - shown : 0);
	return READ_OK;
}

/* ---- deques ----------------------------------------------------------------------------------- */

/*
 * Modules/_collectionsmodule.c. 3.x: head of a variable size, left and right block, left and right
 * index, state, maxlen; blocks have left link, 64 items, right link. 2.7: left and right block, left
 * and right index, length, state, maxlen; blocks have 62 items, then both links.
 */
struct deque_shape {
	uint32_t length, left_block, left_index, maxlen;
	uint32_t right_link, items, block_items;
};

static struct deque_shape deque_shape(const struct py_layout *layout)
{
	uint32_t head = layout->at.object_size;

	if (layout->python_2)
		return (struct deque_shape){ head + 32, head, head + 16, head + 48, 63 * 8, 0, 62 };
	return (struct deque_shape){ head, head + 8, head + 24, head + 48, 8 + 64 * 8, 8, 64 };
}

static uint64_t describe_blocks(struct describer *d, const struct deque_shape *shape,
	remote_addr block, uint64_t index, uint64_t length)
{
	uint64_t i = 0;

	for (; i < length && i < d->options->items && !describer_full(d); i++, index++) {
		remote_addr item;

		if (index == shape->block_items) {
			if (read_word(d->py, block, shape->right_link, &block) != READ_OK)
				return i;
			index = 0;
		}
		if (read_word(d->py, block, shape->items + (uint32_t)index * 8, &item) != READ_OK)
			return i;
		add_comma(d, i);
		describe_item(d, item);
	}
	return i;
}

enum read_status describe_deque(struct describer *d, remote_addr object)
{
	const struct deque_shape shape = deque_shape(d->py->layout);
	uint64_t length, index = 0, maxlen = UINT64_MAX;
	remote_addr block = 0;
	enum read_status status = read_word(d->py, object, shape.length, &length);

	if (status == READ_OK)
		status = read_word(d->py, object, shape.left_block, &block);
	if (status == READ_OK)
		status = read_word(d->py, object, shape.left_index, &index);
	if (status == READ_OK)
		status = read_word(d->py, object, shape.maxlen, &maxlen);
	if (status != READ_OK)
		return status;
	if (length > COUNT_PLAUSIBLE || index > shape.block_items)
		return READ_TORN;
	if (container_enter(d, object, "deque([", "])", length)) {
		uint64_t shown = describe_blocks(d, &shape, block, index, length);

		container_leave(d, "]", length - shown);
		if ((int64_t)maxlen >= 0)
			buf_printf(&d->out->text, ", maxlen=%" PRIu64, maxlen);
		buf_add_char(&d->out->text, ')');
	}
	return READ_OK;
}

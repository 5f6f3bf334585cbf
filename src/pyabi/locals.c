// SPDX-License-Identifier: MIT
#include "pyabi/locals.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "pyabi/value_parts.h"

#define CODE_OPTIMIZED 1u   // co_flags: variables are in slots, not in a dict
#define KIND_LOCAL 0x20u    // co_localspluskinds
#define KIND_CELL 0x40u
#define KIND_FREE 0x80u

/* ---- names ------------------------------------------------------------------------------------ */

static uint64_t tuple_length(const struct py_memory *py, remote_addr tuple)
{
	uint64_t length;

	if (read_word(py, tuple, py->layout->at.object_size, &length) != READ_OK)
		return UINT64_MAX;
	return length;
}

/* The code object's tuples of names, and how many slots they stand for. */
struct names {
	struct {
		remote_addr tuple;
		size_t count;
		enum local_kind kind;
	} parts[3];
	size_t part_count, total;
};

static bool add_part(const struct py_memory *py, struct names *names, remote_addr code,
	uint32_t field, enum local_kind kind)
{
	remote_addr tuple;

	if (read_word(py, code, field, &tuple) != READ_OK)
		return false;
	uint64_t count = tuple_length(py, tuple);
	if (count > LOCALS_MAX)
		return false;
	names->parts[names->part_count].tuple = tuple;
	names->parts[names->part_count].count = (size_t)count;
	names->parts[names->part_count++].kind = kind;
	names->total += (size_t)count;
	return true;
}

/* One tuple for all from 3.11 on; before, variables, then cells, then those of outer functions. */
static bool find_names(const struct py_memory *py, remote_addr code, struct names *ret)
{
	const struct py_offsets *at = &py->layout->at;

	*ret = (struct names){ 0 };
	if (at->code_localsplusnames != OFFSET_NONE)
		return add_part(py, ret, code, at->code_localsplusnames, LOCAL_PLAIN);
	return add_part(py, ret, code, at->code_varnames, LOCAL_PLAIN) &&
	       add_part(py, ret, code, at->code_cellvars, LOCAL_CELL) &&
	       add_part(py, ret, code, at->code_freevars, LOCAL_FREE);
}

/* ---- slots ------------------------------------------------------------------------------------ */

static bool is_cell(const struct py_memory *py, remote_addr object)
{
	struct value_type type;

	return value_type_of(py, object, &type) == READ_OK && strcmp(type.name, "cell") == 0;
}

struct walk {
	const struct py_memory *py;
	local_visitor visit;
	void *data;
	remote_addr *values;
	unsigned char *kinds; // from 3.11 on, else NULL
	size_t total;
};

static enum local_kind kind_of(const struct walk *walk, size_t slot, enum local_kind kind)
{
	if (!walk->kinds)
		return kind;
	return walk->kinds[slot] & KIND_FREE ? LOCAL_FREE :
	       walk->kinds[slot] & KIND_CELL ? LOCAL_CELL :
					       LOCAL_PLAIN;
}

/* False when told to stop. */
static bool visit_slot(const struct walk *walk, size_t slot, enum local_kind kind,
	remote_addr name_object)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	remote_addr value = walk->values[slot] & ~walk->py->layout->code_tag_mask;

	kind = kind_of(walk, slot, kind);
	// a cell is not there before the function has begun
	if (value && kind != LOCAL_PLAIN && is_cell(walk->py, value) &&
		read_word(walk->py, value, walk->py->layout->at.object_size, &value) != READ_OK)
		value = 0;
	if (!value || object_text(walk->py, name_object, &name) != READ_OK)
		return true;
	return walk->visit(walk->data, buf_str(&name), kind, value);
}

static enum read_status read_slots(
	const struct py_memory *py, remote_addr frame, size_t count, remote_addr *values)
{
	if (!count)
		return READ_OK;
	return mem_read(py->mem, frame + py->layout->at.frame_localsplus, values,
		count * sizeof(*values));
}

static enum read_status read_kinds(
	const struct py_memory *py, remote_addr code, size_t count, unsigned char **kinds_ret)
{
	const struct py_offsets *at = &py->layout->at;
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	remote_addr object;

	if (at->code_localspluskinds == OFFSET_NONE || !count)
		return READ_OK;
	enum read_status status = read_word(py, code, at->code_localspluskinds, &object);
	if (status == READ_OK)
		status = object_bytes(py, object, &bytes);
	if (status != READ_OK)
		return status;
	if (bytes.len != count)
		return READ_TORN;
	*kinds_ret = xmalloc(count);
	memcpy(*kinds_ret, bytes.data, count);
	return READ_OK;
}

static void walk_part(const struct walk *walk, const struct names *names, size_t part, size_t first)
{
	const struct py_memory *py = walk->py;
	size_t count = names->parts[part].count;
	_cleanup_free_ remote_addr *texts = xcalloc(count + 1, sizeof(*texts));

	if (!count || mem_read(py->mem, names->parts[part].tuple + py->layout->at.tuple_items, texts,
			      count * sizeof(*texts)) != READ_OK)
		return;
	for (size_t i = 0; i < count; i++)
		if (!visit_slot(walk, first + i, names->parts[part].kind, texts[i]))
			return;
}

static enum read_status each_slot(const struct py_memory *py, remote_addr frame, remote_addr code,
	local_visitor visit, void *data)
{
	struct names names;

	if (!find_names(py, code, &names))
		return READ_TORN;
	_cleanup_free_ remote_addr *values = xcalloc(names.total + 1, sizeof(*values));
	_cleanup_free_ unsigned char *kinds = NULL;
	enum read_status status = read_slots(py, frame, names.total, values);
	if (status == READ_OK)
		status = read_kinds(py, code, names.total, &kinds);
	if (status != READ_OK)
		return status;
	const struct walk walk = { py, visit, data, values, kinds, names.total };
	for (size_t i = 0, first = 0; i < names.part_count; first += names.parts[i++].count)
		walk_part(&walk, &names, i, first);
	return READ_OK;
}

/* ---- dicts ------------------------------------------------------------------------------------ */

struct dict_walk {
	const struct py_memory *py;
	local_visitor visit;
	void *data;
	size_t seen;
};

static bool visit_entry(void *data, remote_addr key, remote_addr value)
{
	struct dict_walk *walk = data;
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct value_type type;

	if (++walk->seen > LOCALS_MAX)
		return false;
	if (value_type_of(walk->py, key, &type) != READ_OK ||
		!(type.flags & (walk->py->layout->python_2 ? TYPE_BYTES : TYPE_STR)) ||
		object_text(walk->py, key, &name) != READ_OK)
		return true;
	return walk->visit(walk->data, buf_str(&name), LOCAL_NAME, value);
}

static enum read_status each_name(
	const struct py_memory *py, remote_addr frame, local_visitor visit, void *data)
{
	struct dict_walk walk = { py, visit, data, 0 };
	struct value_type type;
	remote_addr dict;
	enum read_status status = read_word(py, frame, py->layout->at.frame_locals, &dict);

	if (status == READ_OK)
		status = value_type_of(py, dict, &type);
	if (status != READ_OK)
		return status;
	// a class may ask for another kind of mapping, whatever that keeps its names in
	return type.flags & TYPE_DICT ? object_dict_each(py, dict, visit_entry, &walk) : READ_OK;
}

enum read_status locals_each(const struct py_memory *py, remote_addr frame, remote_addr code,
	local_visitor visit, void *data)
{
	uint64_t flags;

	if (!remote_plausible(code) || !remote_plausible(frame))
		return READ_TORN;
	enum read_status status =
		mem_read_u64(py->mem, code + py->layout->at.code_flags, &flags);
	if (status == READ_OK)
		status = each_slot(py, frame, code, visit, data);
	if (status != READ_OK || flags & CODE_OPTIMIZED)
		return status;
	return each_name(py, frame, visit, data);
}

/* ---- the stack of values ---------------------------------------------------------------------- */

static enum read_status stack_place(const struct py_memory *py, remote_addr frame, remote_addr code,
	remote_addr *addr_ret, size_t *size_ret)
{
	const struct py_offsets *at = &py->layout->at;
	struct names names;
	uint32_t size;

	if (!remote_plausible(code) || !remote_plausible(frame) || !find_names(py, code, &names))
		return READ_TORN;
	enum read_status status =
		mem_read(py->mem, code + at->code_stacksize, &size, sizeof(size));
	if (status != READ_OK)
		return status;
	*addr_ret = frame + at->frame_localsplus + names.total * sizeof(remote_addr);
	*size_ret = size < STACK_SLOTS_MAX ? size : STACK_SLOTS_MAX;
	return READ_OK;
}

enum read_status locals_stack(const struct py_memory *py, remote_addr frame, remote_addr code,
	remote_addr slots[STACK_SLOTS_MAX], size_t *count_ret)
{
	remote_addr addr;
	size_t size;
	enum read_status status = stack_place(py, frame, code, &addr, &size);

	if (status == READ_OK && size)
		status = mem_read(py->mem, addr, slots, size * sizeof(slots[0]));
	if (status != READ_OK)
		return status;
	for (size_t i = 0; i < size; i++)
		slots[i] &= ~py->layout->code_tag_mask;
	*count_ret = size;
	return READ_OK;
}

/* PyTryBlock: type, handler, level, of which the last says how many values lie below. */
#define BLOCKS_MAX 20

static enum read_status blocks_of_frame(
	const struct py_memory *py, remote_addr frame, size_t *count_ret)
{
	const struct py_offsets *at = &py->layout->at;
	uint32_t count, block[3];
	enum read_status status = mem_read(py->mem, frame + at->frame_iblock, &count, sizeof(count));

	*count_ret = 0;
	if (status != READ_OK || count == 0 || count > BLOCKS_MAX)
		return status;
	status = mem_read(py->mem, frame + at->frame_blockstack + (count - 1) * sizeof(block), block,
		sizeof(block));
	if (status == READ_OK)
		*count_ret = block[2];
	return status;
}

/* A number of groups of 6 bits, highest first; bit 6 says that more follow. */
static bool take_number(const unsigned char **p, const unsigned char *end, uint64_t *ret)
{
	uint64_t value = 0;

	for (int i = 0; i < 6 && *p < end; i++) {
		unsigned char byte = *(*p)++;

		value = value << 6 | (byte & 0x3f);
		if (!(byte & 0x40)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

/*
 * co_exceptiontable (Objects/exception_handling_notes.txt): start, length and target in code units,
 * then the depth of the stack at the handler, doubled, with a flag.
 */
static size_t depth_in_table(const struct buf *table, int32_t offset)
{
	const unsigned char *p = (const unsigned char *)buf_str(table), *end = p + table->len;
	uint64_t entry[4], at = offset < 0 ? 0 : (uint64_t)offset / 2;

	while (p < end) {
		for (size_t i = 0; i < ARRAY_LEN(entry); i++)
			if (!take_number(&p, end, &entry[i]))
				return 0;
		if (at >= entry[0] && at < entry[0] + entry[1])
			return (size_t)(entry[3] >> 1);
	}
	return 0;
}

static enum read_status blocks_of_table(
	const struct py_memory *py, remote_addr code, int32_t offset, size_t *count_ret)
{
	_cleanup_buf_ struct buf table = BUF_INIT;
	remote_addr object;
	enum read_status status =
		read_word(py, code, py->layout->at.code_exceptiontable, &object);

	if (status == READ_OK)
		status = object_bytes(py, object, &table);
	if (status == READ_OK)
		*count_ret = depth_in_table(&table, offset);
	return status;
}

enum read_status locals_stack_in_blocks(const struct py_memory *py, remote_addr frame,
	remote_addr code, int32_t offset, size_t *count_ret)
{
	size_t count = 0;
	enum read_status status = py->layout->at.code_exceptiontable == OFFSET_NONE ?
		blocks_of_frame(py, frame, &count) :
		blocks_of_table(py, code, offset, &count);

	if (status == READ_OK)
		*count_ret = count < STACK_SLOTS_MAX ? count : STACK_SLOTS_MAX;
	return status;
}

// SPDX-License-Identifier: MIT
#include "pyabi/code.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/intern.h"

static uint64_t code_field(const unsigned char *head, uint32_t offset)
{
	return offset == OFFSET_NONE || offset + 8 > CODE_HEAD_BYTES ? 0 : field_u64(head, offset);
}

static bool head_fits(const struct py_layout *layout)
{
	const struct py_offsets *at = &layout->at;
	const uint32_t used[] = { at->code_firstlineno, at->code_filename, at->code_name,
		at->code_linetable, at->object_type };

	for (size_t i = 0; i < ARRAY_LEN(used); i++)
		if (used[i] + 8 > CODE_HEAD_BYTES)
			return false;
	return true;
}

/* ---- the witness ------------------------------------------------------------------------------ */

/* True if a code object alone tells that it is another: it carries a number of its own. */
static bool has_version(const struct py_layout *layout)
{
	return layout->at.code_version != OFFSET_NONE;
}

static bool has_qualname(const struct py_layout *layout)
{
	return layout->at.code_qualname != OFFSET_NONE;
}

/*
 * How much of the head has to be read: the bytecode itself begins after it, and the last fields of
 * old releases lie close to the end of the object.
 */
static size_t head_bytes(const struct py_layout *layout)
{
	size_t size = layout->at.code_size;

	return size < CODE_HEAD_BYTES ? size : CODE_HEAD_BYTES;
}

/* Length and first characters: no byte beyond the object, and none that changes while it lives. */
static uint64_t digest_bytes(const unsigned char bytes[CODE_WITNESS_BYTES], uint64_t length,
	uint32_t data, uint32_t width, uint64_t h)
{
	uint64_t room = (CODE_WITNESS_BYTES - data) / width;
	uint64_t count = (length < room ? length : room) * width;

	h = intern_hash2(h, length);
	for (uint64_t i = 0; i < count; i += 8) {
		uint64_t word = 0;

		memcpy(&word, bytes + data + i, count - i < 8 ? (size_t)(count - i) : 8);
		h = intern_hash2(h, word);
	}
	return h;
}

/* A str, of which the hash and the state of being interned may change; 2.7's is one of bytes. */
static uint64_t digest_text(const struct py_layout *layout,
	const unsigned char bytes[CODE_WITNESS_BYTES], uint64_t h)
{
	const struct py_offsets *at = &layout->at;
	uint64_t length = field_u64(bytes, at->str_length);

	if (at->str_state == OFFSET_NONE)
		return digest_bytes(bytes, length, at->str_ascii_size, 1, h);
	struct string_shape shape =
		string_shape(layout->strings, field_u32(bytes, at->str_state));
	if (!shape.compact || (shape.width != 1 && shape.width != 2 && shape.width != 4))
		return intern_hash2(h, length);
	return digest_bytes(bytes, length,
		shape.ascii ? at->str_ascii_size : at->str_compact_size, shape.width, h);
}

static uint64_t digest(const struct py_runtime *rt, const struct code_witness_bytes *w)
{
	const struct py_offsets *at = &rt->layout.at;
	const uint32_t pointers[] = { at->object_type, at->code_filename, at->code_name,
		at->code_qualname, at->code_linetable };
	uint32_t version = has_version(&rt->layout) ? field_u32(w->head, at->code_version) : 0;
	uint64_t h = intern_hash2(field_u32(w->head, at->code_firstlineno), version);

	for (size_t i = 0; i < ARRAY_LEN(pointers); i++)
		h = intern_hash2(h, code_field(w->head, pointers[i]));
	if (has_version(&rt->layout))
		return h;
	h = digest_text(&rt->layout, w->name, h);
	h = digest_text(&rt->layout, w->filename, h);
	if (has_qualname(&rt->layout))
		h = digest_text(&rt->layout, w->qualname, h);
	return digest_bytes(w->linetable, field_u64(w->linetable, at->bytes_size), at->bytes_data, 1, h);
}

/* The ranges of one code object; returns how many. What two have in common is read twice. */
static size_t witness_ranges(const struct py_runtime *rt, remote_addr address,
	const struct code_witness *known, struct code_witness_bytes *w,
	struct mem_range ranges[CODE_RANGES_PER_CODE])
{
	size_t n = 1;

	ranges[0] = (struct mem_range){ address, w->head, head_bytes(&rt->layout) };
	if (has_version(&rt->layout))
		return n;
	ranges[n++] = (struct mem_range){ known->name, w->name, CODE_WITNESS_BYTES };
	ranges[n++] = (struct mem_range){ known->filename, w->filename, CODE_WITNESS_BYTES };
	ranges[n++] = (struct mem_range){ known->linetable, w->linetable, CODE_WITNESS_BYTES };
	if (has_qualname(&rt->layout))
		ranges[n++] = (struct mem_range){ known->qualname, w->qualname, CODE_WITNESS_BYTES };
	else
		memset(w->qualname, 0, sizeof(w->qualname));
	return n;
}

size_t code_check_range_count(const struct py_runtime *rt)
{
	return has_version(&rt->layout) ? 1 : has_qualname(&rt->layout) ? 5 : 4;
}

size_t code_check_ranges(
	const struct py_runtime *rt, struct code_checks *checks, struct mem_range *ranges)
{
	size_t n = 0;

	for (size_t i = 0; i < checks->count; i++)
		n += witness_ranges(rt, checks->checks[i].address, &checks->checks[i].witness,
			&checks->bytes[i], &ranges[n]);
	return n;
}

void code_check_evaluate(const struct py_runtime *rt, struct code_checks *checks, size_t whole)
{
	size_t per_code = code_check_range_count(rt);

	for (size_t i = 0; i < checks->count; i++) {
		struct code_check *c = &checks->checks[i];

		c->same = (i + 1) * per_code <= whole &&
			  digest(rt, &checks->bytes[i]) == c->witness.digest;
	}
}

enum read_status code_check_all(
	const struct py_runtime *rt, struct mem_reader *mem, struct code_checks *checks)
{
	struct mem_range ranges[CODE_RANGES_MAX];
	size_t whole, count = code_check_ranges(rt, checks, ranges);
	enum read_status status = mem_readv(mem, ranges, count, &whole);

	code_check_evaluate(rt, checks, whole);
	return status;
}

/* ---- reading one ------------------------------------------------------------------------------ */

/* Without the name of its type: what has the name of a file where code has it. */
static enum read_status check_shape(
	struct py_runtime *rt, struct mem_reader *mem, const unsigned char *head)
{
	struct py_memory py = runtime_memory(rt, mem);
	_cleanup_buf_ struct buf file = BUF_INIT;
	enum read_status status =
		object_text(&py, code_field(head, rt->layout.at.code_filename), &file);

	if (status == READ_OK)
		rt->code_type = field_u64(head, rt->layout.at.object_type);
	return status;
}

static enum read_status check_type(struct py_runtime *rt, struct mem_reader *mem,
	remote_addr address, const unsigned char *head)
{
	struct py_memory py = runtime_memory(rt, mem);
	remote_addr type = field_u64(head, rt->layout.at.object_type);
	char name[64];

	if (rt->code_type)
		return type == rt->code_type ? READ_OK : READ_TORN;
	enum read_status status = object_type_name(&py, address, name);
	if (status == READ_FAULT && rt->partial)
		return check_shape(rt, mem, head);
	if (status != READ_OK)
		return status;
	if (strcmp(name, "code") != 0)
		return READ_TORN;
	rt->code_type = type;
	return READ_OK;
}

static enum read_status bytecode_length(const struct py_runtime *rt, struct mem_reader *mem,
	const unsigned char *head, uint32_t *bytes_ret)
{
	uint64_t length;

	*bytes_ret = 0;
	if (rt->layout.instr == INSTR_POINTER)
		return READ_OK;
	remote_addr code = code_field(head, rt->layout.at.code_bytecode);
	if (!remote_plausible(code))
		return READ_TORN;
	enum read_status status = mem_read_u64(mem, code + rt->layout.at.bytes_size, &length);
	if (status != READ_OK)
		return status;
	if (length > BYTECODE_BYTES_MAX)
		return READ_TORN;
	*bytes_ret = (uint32_t)length;
	return READ_OK;
}

static enum read_status read_lines(const struct py_runtime *rt, struct mem_reader *mem,
	const unsigned char *head, struct py_code *code)
{
	struct py_memory py = runtime_memory(rt, mem);
	_cleanup_buf_ struct buf table = BUF_INIT;
	uint32_t code_bytes;
	enum read_status status = bytecode_length(rt, mem, head, &code_bytes);

	if (status == READ_OK)
		status = object_bytes(&py, code->witness.linetable, &table);
	if (status == READ_GONE || status == READ_DENIED)
		return status;
	if (status != READ_OK ||
		!line_table_decode(&code->lines, rt->layout.linetable,
			(const uint8_t *)buf_str(&table), table.len, code->first_line, code_bytes))
		line_table_only(&code->lines, code->first_line); // costs the lines, not the function
	code->place.end = code->lines.end;
	code->place.internal =
		code->first_traceable && code->first_traceable >= code->place.end;
	return READ_OK;
}

static enum read_status read_names(const struct py_runtime *rt, struct mem_reader *mem,
	const unsigned char *head, struct py_code *code)
{
	const struct py_offsets *at = &rt->layout.at;
	struct py_memory py = runtime_memory(rt, mem);
	remote_addr qualname = code_field(head, at->code_qualname);
	enum read_status status =
		object_text(&py, qualname ? qualname : code->witness.name, &code->name);

	if (status == READ_OK)
		status = object_text(&py, code_field(head, at->code_filename), &code->file);
	return status;
}

static uint32_t traceable_bytes(const struct py_runtime *rt, const unsigned char *head)
{
	uint32_t offset = rt->layout.at.code_firsttraceable;

	if (offset == OFFSET_NONE || offset + 4 > CODE_HEAD_BYTES)
		return 0;
	uint32_t units = field_u32(head, offset);
	return units > BYTECODE_BYTES_MAX / 2 ? 0 : units * 2;
}

static enum read_status read_fields(struct py_runtime *rt, struct mem_reader *mem,
	remote_addr address, struct code_witness_bytes *w, struct py_code *code)
{
	const struct py_offsets *at = &rt->layout.at;
	enum read_status status = mem_read(mem, address, w->head, head_bytes(&rt->layout));

	if (status == READ_OK)
		status = check_type(rt, mem, address, w->head);
	if (status != READ_OK)
		return status;
	code->first_line = field_u32(w->head, at->code_firstlineno);
	code->first_traceable = traceable_bytes(rt, w->head);
	code->place.tlbc = code_field(w->head, at->code_tlbc);
	code->place.bytecode = address + at->code_bytecode;
	code->witness.name = field_u64(w->head, at->code_name);
	code->witness.filename = field_u64(w->head, at->code_filename);
	code->witness.linetable = field_u64(w->head, at->code_linetable);
	code->witness.qualname = code_field(w->head, at->code_qualname);
	if (!remote_plausible(code->witness.name) || !remote_plausible(code->witness.linetable))
		return READ_TORN;
	status = read_names(rt, mem, w->head, code);
	return status == READ_OK ? read_lines(rt, mem, w->head, code) : status;
}

/* The witness is read after the fields: if it agrees with the head read before, so do they. */
static enum read_status read_witness(const struct py_runtime *rt, struct mem_reader *mem,
	remote_addr address, struct code_witness_bytes *w, struct py_code *code)
{
	struct code_witness_bytes again;
	struct mem_range ranges[CODE_RANGES_PER_CODE];
	size_t whole, count = witness_ranges(rt, address, &code->witness, &again, ranges);
	enum read_status status = mem_readv(mem, ranges, count, &whole);

	if (status != READ_OK)
		return status;
	code->witness.digest = digest(rt, &again);
	memcpy(again.head, w->head, sizeof(again.head));
	return digest(rt, &again) == code->witness.digest ? READ_OK : READ_TORN;
}

enum read_status code_read(
	struct py_runtime *rt, struct mem_reader *mem, remote_addr address, struct py_code *ret)
{
	struct code_witness_bytes w = { 0 };
	struct py_code code = { 0 };

	if (!remote_plausible(address) || !head_fits(&rt->layout))
		return READ_TORN;
	enum read_status status = read_fields(rt, mem, address, &w, &code);
	if (status == READ_OK)
		status = read_witness(rt, mem, address, &w, &code);
	if (status != READ_OK) {
		code_deinit(&code);
		return status;
	}
	*ret = code;
	return READ_OK;
}

void code_deinit(struct py_code *code)
{
	buf_deinit(&code->name);
	buf_deinit(&code->file);
	line_table_deinit(&code->lines);
}

/* ---- lines ------------------------------------------------------------------------------------ */

#define TLBC_INDEX_MAX 2048

/* Where a thread's own copy of the bytecode begins: co_tlbc -> { size, entries[] }. */
static enum read_status tlbc_base(struct mem_reader *mem, const struct code_place *code,
	uint32_t tlbc_index, remote_addr *base_ret)
{
	uint64_t size;
	remote_addr entry;

	if (!remote_plausible(code->tlbc) || tlbc_index >= TLBC_INDEX_MAX)
		return READ_TORN;
	enum read_status status = mem_read_u64(mem, code->tlbc, &size);
	if (status != READ_OK)
		return status;
	if (tlbc_index >= size)
		return READ_TORN;
	status = mem_read_u64(mem, code->tlbc + 8 + 8ull * tlbc_index, &entry);
	if (status == READ_OK && entry)
		*base_ret = entry;
	return status;
}

static enum read_status pointer_offset(struct mem_reader *mem, const struct code_place *code,
	uint64_t instr, uint32_t tlbc_index, int64_t *offset_ret)
{
	remote_addr base = code->bytecode;

	if (tlbc_index) {
		enum read_status status = tlbc_base(mem, code, tlbc_index, &base);

		if (status != READ_OK)
			return status;
	}
	*offset_ret = (int64_t)(instr - base);
	return READ_OK;
}

enum read_status code_offset(const struct py_runtime *rt, struct mem_reader *mem,
	const struct code_place *place, uint64_t instr, uint32_t tlbc_index, int32_t *offset_ret)
{
	int64_t offset = 0;
	enum read_status status = READ_OK;

	switch (rt->layout.instr) {
	case INSTR_BYTE_INDEX:
		offset = (int32_t)instr;
		break;
	case INSTR_UNIT_INDEX:
		offset = (int64_t)(int32_t)instr * 2;
		break;
	case INSTR_POINTER:
		status = pointer_offset(mem, place, instr, tlbc_index, &offset);
		break;
	}
	if (status != READ_OK)
		return status;
	// -1 unit: the frame has not begun to run
	if (offset < -2 || (offset >= 0 && offset >= place->end))
		return READ_TORN;
	*offset_ret = (int32_t)offset;
	return READ_OK;
}

uint32_t code_line(const struct line_table *lines, uint32_t first_line, uint32_t first_traceable,
	int32_t offset)
{
	if (offset < 0 || (uint32_t)offset < first_traceable)
		return first_line;
	return line_table_find(lines, (uint32_t)offset);
}

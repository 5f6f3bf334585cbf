// SPDX-License-Identifier: MIT
#include "pyabi/layout.h"

#include <elf.h>
#include <string.h>

#include "base/cleanup.h"

#define _ OFFSET_NONE

/* The columns of layout_offsets.def. */
enum column {
	PY_27, PY_36, PY_37, PY_38, PY_39, PY_310, PY_311, PY_312,
	PY_313, PY_313T, PY_314, PY_314T, PY_315, PY_315T,
	COLUMNS,
};

enum debug_map {
	DEBUG_313, DEBUG_314, DEBUG_315,
	DEBUG_MAPS,
	DEBUG_NONE = DEBUG_MAPS,
};

struct field {
	const char *name;
	uint32_t in_offsets; // where struct py_offsets has it
	uint32_t columns[COLUMNS];
	uint32_t debug[DEBUG_MAPS]; // where _Py_DebugOffsets has it
};

static const struct field fields[] = {
#define OFFSET(name, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, d0, d1, d2)       \
	{ #name, offsetof(struct py_offsets, name),                                                \
		{ c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13 }, { d0, d1, d2 } },
#include "pyabi/layout_offsets.def"
#undef OFFSET
};

/*
 * How each release behaves. `thread_bytes` covers the last field of the thread state that is read
 * on every sample (datastack_top). Enum _frameowner: THREAD 0, GENERATOR 1, FRAME_OBJECT 2, then
 * CSTACK 3 in 3.12 and 3.13; INTERPRETER 3, CSTACK 4 in 3.14; INTERPRETER 3 in 3.15. A running
 * generator's state is FRAME_EXECUTING: 0, from 3.15 on 4.
 */
#define SHIM_3 (1u << 3)
#define SHIM_3_4 (1u << 3 | 1u << 4)

static const struct py_layout rows[COLUMNS] = {
	[PY_27] = { .name = "2.7", .major = 2, .minor = 7, .frames = FRAME_OBJECT,
		.instr = INSTR_BYTE_INDEX, .linetable = LINETABLE_LNOTAB_UNSIGNED,
		.gil = GIL_CURRENT_SYMBOL, .strings = STRING_BYTES, .dicts = DICT_TABLE,
		.attributes = ATTRIBUTES_DICTOFFSET, .python_2 = true,
		.thread_name_attribute = "_Thread__name" },
	[PY_36] = { .name = "3.6", .major = 3, .minor = 6, .frames = FRAME_OBJECT,
		.instr = INSTR_BYTE_INDEX, .linetable = LINETABLE_LNOTAB_SIGNED,
		.gil = GIL_CURRENT_SYMBOL, .strings = STRING_PEP393, .dicts = DICT_KEYS_36,
		.attributes = ATTRIBUTES_DICTOFFSET, .frame_executing = 1,
		.thread_name_attribute = "_name" },
	[PY_37] = { .name = "3.7", .major = 3, .minor = 7, .frames = FRAME_OBJECT,
		.instr = INSTR_BYTE_INDEX, .linetable = LINETABLE_LNOTAB_SIGNED,
		.gil = GIL_RUNTIME_CURRENT, .strings = STRING_PEP393, .dicts = DICT_KEYS_36,
		.attributes = ATTRIBUTES_DICTOFFSET, .frame_executing = 1,
		.thread_name_attribute = "_name" },
	[PY_38] = { .name = "3.8", .major = 3, .minor = 8, .frames = FRAME_OBJECT,
		.instr = INSTR_BYTE_INDEX, .linetable = LINETABLE_LNOTAB_SIGNED,
		.gil = GIL_RUNTIME_CURRENT, .strings = STRING_PEP393, .dicts = DICT_KEYS_36,
		.attributes = ATTRIBUTES_DICTOFFSET, .frame_executing = 1,
		.thread_name_attribute = "_name" },
	[PY_39] = { .name = "3.9", .major = 3, .minor = 9, .frames = FRAME_OBJECT,
		.instr = INSTR_BYTE_INDEX, .linetable = LINETABLE_LNOTAB_SIGNED,
		.gil = GIL_RUNTIME_CURRENT, .strings = STRING_PEP393, .dicts = DICT_KEYS_36,
		.attributes = ATTRIBUTES_DICTOFFSET, .frame_executing = 1,
		.thread_name_attribute = "_name" },
	[PY_310] = { .name = "3.10", .major = 3, .minor = 10, .frames = FRAME_OBJECT,
		.instr = INSTR_UNIT_INDEX, .linetable = LINETABLE_RANGES,
		.gil = GIL_RUNTIME_CURRENT, .strings = STRING_PEP393, .dicts = DICT_KEYS_36,
		.attributes = ATTRIBUTES_DICTOFFSET, .thread_name_attribute = "_name" },
	[PY_311] = { .name = "3.11", .major = 3, .minor = 11, .frames = FRAME_CFRAME,
		.instr = INSTR_POINTER, .linetable = LINETABLE_LOCATIONS,
		.gil = GIL_RUNTIME_CURRENT, .strings = STRING_PEP393, .dicts = DICT_KEYS_311,
		.attributes = ATTRIBUTES_VALUES_311, .attributes_offset = -24,
		.root = ROOT_ENTRY,
		.owners = { .max = 2, .generator = 1 }, .thread_name_attribute = "_name" },
	[PY_312] = { .name = "3.12", .major = 3, .minor = 12, .frames = FRAME_CFRAME,
		.instr = INSTR_POINTER, .linetable = LINETABLE_LOCATIONS,
		.gil = GIL_PER_INTERPRETER, .strings = STRING_PEP393, .dicts = DICT_KEYS_311,
		.attributes = ATTRIBUTES_VALUES_312, .attributes_offset = -24,
		.root = ROOT_SHIM,
		.owners = { .max = 3, .shims = SHIM_3, .generator = 1 }, .thread_name_attribute = "_name" },
	[PY_313] = { .name = "3.13", .major = 3, .minor = 13, .frames = FRAME_CURRENT,
		.instr = INSTR_POINTER, .linetable = LINETABLE_LOCATIONS,
		.gil = GIL_PER_INTERPRETER, .strings = STRING_PEP393, .dicts = DICT_KEYS_311,
		.attributes = ATTRIBUTES_INLINE, .attributes_offset = -24,
		.root = ROOT_SHIM,
		.locks = LOCK_EITHER,
		.owners = { .max = 3, .shims = SHIM_3, .generator = 1 }, .thread_name_attribute = "_name" },
	[PY_313T] = { .name = "3.13t", .major = 3, .minor = 13, .free_threaded = true,
		.frames = FRAME_CURRENT, .instr = INSTR_POINTER, .linetable = LINETABLE_LOCATIONS,
		.gil = GIL_FREE_THREADED, .strings = STRING_PEP393, .dicts = DICT_KEYS_311,
		.attributes = ATTRIBUTES_INLINE, .attributes_offset = -8,
		.root = ROOT_SHIM,
		.locks = LOCK_EITHER,
		.owners = { .max = 3, .shims = SHIM_3, .generator = 1 }, .thread_name_attribute = "_name" },
	[PY_314] = { .name = "3.14", .major = 3, .minor = 14, .frames = FRAME_CURRENT,
		.instr = INSTR_POINTER, .linetable = LINETABLE_LOCATIONS,
		.gil = GIL_PER_INTERPRETER, .strings = STRING_PEP393, .dicts = DICT_KEYS_311,
		.attributes = ATTRIBUTES_INLINE, .attributes_offset = -24,
		.root = ROOT_SHIM,
		.owners = { .max = 4, .shims = SHIM_3_4, .generator = 1 }, .code_tag_mask = 3,
		.locks = LOCK_MUTEX,
		.thread_name_attribute = "_name" },
	[PY_314T] = { .name = "3.14t", .major = 3, .minor = 14, .free_threaded = true,
		.frames = FRAME_CURRENT, .instr = INSTR_POINTER, .linetable = LINETABLE_LOCATIONS,
		.gil = GIL_FREE_THREADED, .strings = STRING_PEP393_SHIFTED,
		.dicts = DICT_KEYS_311, .attributes = ATTRIBUTES_INLINE, .attributes_offset = -8,
		.root = ROOT_SHIM,
		.owners = { .max = 4, .shims = SHIM_3_4, .generator = 1 }, .code_tag_mask = 3,
		.locks = LOCK_MUTEX,
		.thread_name_attribute = "_name" },
	[PY_315] = { .name = "3.15", .major = 3, .minor = 15, .frames = FRAME_CURRENT,
		.instr = INSTR_POINTER, .linetable = LINETABLE_LOCATIONS,
		.gil = GIL_PER_INTERPRETER, .strings = STRING_PEP393, .dicts = DICT_KEYS_311,
		.attributes = ATTRIBUTES_INLINE, .attributes_offset = -24,
		.owners = { .max = 3, .shims = SHIM_3, .generator = 1 }, .root = ROOT_BASE_FRAME,
		.code_tag_mask = 3, .locks = LOCK_MUTEX,
		.frame_executing = 4,
		.thread_name_attribute = "_name" },
	[PY_315T] = { .name = "3.15t", .major = 3, .minor = 15, .free_threaded = true,
		.frames = FRAME_CURRENT, .instr = INSTR_POINTER, .linetable = LINETABLE_LOCATIONS,
		.gil = GIL_FREE_THREADED, .strings = STRING_PEP393_SHIFTED,
		.dicts = DICT_KEYS_311, .attributes = ATTRIBUTES_INLINE, .attributes_offset = -8,
		.owners = { .max = 3, .shims = SHIM_3, .generator = 1 }, .root = ROOT_BASE_FRAME,
		.code_tag_mask = 3, .locks = LOCK_MUTEX,
		.frame_executing = 4,
		.thread_name_attribute = "_name" },
};

/*
 * Where one field is elsewhere for some builds of a release: other machines (pthread objects differ
 * in size and lie before the field), and patch releases told apart by the size of _PyRuntime.
 */
static const struct correction {
	enum column column;
	uint16_t machine;       // EM_NONE: any
	uint64_t runtime_bytes; // 0: any
	uint32_t field;
	uint32_t value;
} corrections[] = {
	{ PY_37, EM_X86_64, 1432, offsetof(struct py_offsets, runtime_tstate_current), 1392 }, // 3.7.0-3
	{ PY_37, EM_AARCH64, 0, offsetof(struct py_offsets, runtime_tstate_current), 1496 },
	{ PY_38, EM_AARCH64, 0, offsetof(struct py_offsets, runtime_tstate_current), 1384 },
	{ PY_39, EM_AARCH64, 0, offsetof(struct py_offsets, runtime_tstate_current), 584 },
	{ PY_310, EM_AARCH64, 0, offsetof(struct py_offsets, runtime_tstate_current), 584 },
	{ PY_311, EM_AARCH64, 0, offsetof(struct py_offsets, runtime_tstate_current), 592 },
};

static uint32_t *offset_at(struct py_offsets *offsets, uint32_t in_offsets)
{
	return (uint32_t *)(void *)((char *)offsets + in_offsets);
}

static uint32_t thread_bytes(const struct py_offsets *at)
{
	const uint32_t needed[] = { at->thread_next, at->thread_interp, at->thread_frame,
		at->thread_base_frame, at->thread_id, at->thread_native_id,
		at->thread_datastack_chunk, at->thread_datastack_top, at->thread_status,
		at->thread_gil_requested, at->thread_attach_state };
	uint32_t end = 0;

	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (needed[i] != OFFSET_NONE && needed[i] + 8 > end)
			end = needed[i] + 8;
	return end;
}

static void fill_from_column(struct py_layout *layout, enum column column)
{
	*layout = rows[column];
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		*offset_at(&layout->at, fields[i].in_offsets) = fields[i].columns[column];
	layout->thread_bytes = thread_bytes(&layout->at);
}

static void apply_corrections(
	struct py_layout *layout, enum column column, uint16_t machine, uint64_t runtime_bytes)
{
	for (size_t i = 0; i < ARRAY_LEN(corrections); i++) {
		const struct correction *c = &corrections[i];

		if (c->column == column && (c->machine == EM_NONE || c->machine == machine) &&
			(!c->runtime_bytes || c->runtime_bytes == runtime_bytes))
			*offset_at(&layout->at, c->field) = c->value;
	}
}

struct err *layout_for_version(
	struct py_layout *ret, uint32_t version_hex, uint16_t machine, uint64_t runtime_bytes)
{
	unsigned int major = py_hex_major(version_hex), minor = py_hex_minor(version_hex);

	for (enum column c = 0; c < PY_313; c++) {
		if (rows[c].major != major || rows[c].minor != minor)
			continue;
		fill_from_column(ret, c);
		apply_corrections(ret, c, machine, runtime_bytes);
		return NULL;
	}
	return err_new(ERR_NOT_PYTHON,
		"Python %u.%u is not supported; fireglass reads CPython %s", major, minor,
		layout_versions_text());
}

bool layout_parse_debug_header(const void *bytes, size_t len, struct py_debug_header *ret)
{
	struct py_debug_header h;

	if (len < 24 || memcmp(bytes, DEBUG_OFFSETS_COOKIE, 8) != 0)
		return false;
	memcpy(&h, (const char *)bytes + 8, sizeof(h));
	if (h.version >> 32 || h.version >> 24 != 3 || (h.version >> 16 & 0xff) < 13 ||
		h.free_threaded > 1)
		return false;
	*ret = h;
	return true;
}

/*
 * Upper bounds of what a target may claim. The greatest real values: fields of the interpreter
 * state at about 250 kB, of a thread state at 1.1 kB, of other objects below 1 kB.
 */
#define RUNTIME_OFFSET_MAX (1u << 21)
#define OBJECT_OFFSET_MAX 4096u

static bool offset_plausible(const struct field *field, uint64_t offset)
{
	bool large = strncmp(field->name, "interp_", 7) == 0 ||
		     strncmp(field->name, "runtime_", 8) == 0;

	return offset <= (large ? RUNTIME_OFFSET_MAX : OBJECT_OFFSET_MAX);
}

/* A field of `width` bytes that has to lie within the first `size` bytes of something. */
struct within {
	uint32_t offset, width, size;
};

#define FRAME_BYTES_MAX 256u
#define HEADER_BYTES_MAX 256u // of strings and bytes, as they are read first
#define CODE_BYTES_MAX 4096u

/* What readers rely on when they take fields out of what they read; see test_layout.c. */
static bool layout_safe(const struct py_offsets *at)
{
	const struct within fields_within[] = {
		{ at->frame_previous, 8, at->frame_size }, { at->frame_code, 8, at->frame_size },
		{ at->frame_instr, 8, at->frame_size }, { at->frame_owner, 1, at->frame_size },
		{ at->frame_is_entry, 1, at->frame_size },
		{ at->frame_tlbc_index, 4, at->frame_size }, { 0, 16, at->frame_size },
		{ at->frame_size, 0, FRAME_BYTES_MAX }, { at->frame_localsplus, 0, FRAME_BYTES_MAX },
		{ at->code_localsplusnames, 8, at->code_size },
		{ at->code_localspluskinds, 8, at->code_size },
		{ at->code_firstlineno, 4, at->code_size }, { at->code_filename, 8, at->code_size },
		{ at->code_name, 8, at->code_size }, { at->code_qualname, 8, at->code_size },
		{ at->code_linetable, 8, at->code_size }, { at->code_size, 0, CODE_BYTES_MAX },
		{ at->str_length, 8, HEADER_BYTES_MAX }, { at->str_state, 8, HEADER_BYTES_MAX },
		{ at->str_ascii_size, 8, HEADER_BYTES_MAX },
		{ at->str_compact_size, 16, HEADER_BYTES_MAX },
		{ at->bytes_size, 8, HEADER_BYTES_MAX }, { at->bytes_data, 8, HEADER_BYTES_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(fields_within); i++) {
		const struct within *w = &fields_within[i];

		if (w->offset != OFFSET_NONE && (w->offset > w->size || w->size - w->offset < w->width))
			return false;
	}
	// the state of a generator lies just before its frame
	return at->gen_iframe == OFFSET_NONE || (at->gen_frame_state < at->gen_iframe &&
							at->gen_iframe - at->gen_frame_state <= 8);
}

static struct err *fill_from_target(
	struct py_layout *layout, enum debug_map map, const void *bytes, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		uint32_t in_debug = fields[i].debug[map];
		uint64_t offset;

		if (in_debug == OFFSET_NONE)
			continue;
		if (in_debug + sizeof(offset) > len)
			return err_new(ERR_NOT_PYTHON, "the debug offsets of Python %s are cut off",
				layout->name);
		memcpy(&offset, (const char *)bytes + in_debug, sizeof(offset));
		if (!offset_plausible(&fields[i], offset))
			return err_new(ERR_NOT_PYTHON,
				"the debug offsets of Python %s are not believable: %s at %llu",
				layout->name, fields[i].name, (unsigned long long)offset);
		*offset_at(&layout->at, fields[i].in_offsets) = (uint32_t)offset;
	}
	// not described: the top of the data stack follows the chunk in all releases
	layout->at.thread_datastack_top = layout->at.thread_datastack_chunk + 8;
	layout->thread_bytes = thread_bytes(&layout->at);
	if (!layout_safe(&layout->at))
		return err_new(ERR_NOT_PYTHON, "the debug offsets of Python %s are not believable",
			layout->name);
	return NULL;
}

struct err *layout_from_debug_offsets(
	struct py_layout *ret, const void *bytes, size_t len, bool *guessed_ret)
{
	static const struct {
		enum column plain, free_threaded;
		enum debug_map map;
	} releases[] = {
		{ PY_313, PY_313T, DEBUG_313 },
		{ PY_314, PY_314T, DEBUG_314 },
		{ PY_315, PY_315T, DEBUG_315 },
	};
	struct py_debug_header header;
	struct py_layout layout;

	if (!layout_parse_debug_header(bytes, len, &header))
		return err_new(ERR_NOT_PYTHON, "no debug offsets found in the Python runtime");
	unsigned int minor = py_hex_minor((uint32_t)header.version);
	size_t newest = ARRAY_LEN(releases) - 1;
	size_t i = minor - 13 > newest ? newest : minor - 13;

	fill_from_column(&layout,
		header.free_threaded ? releases[i].free_threaded : releases[i].plain);
	struct err *err = fill_from_target(&layout, releases[i].map, bytes, len);
	if (err)
		return err;
	*guessed_ret = minor - 13 > newest;
	*ret = layout;
	return NULL;
}

const char *layout_versions_text(void)
{
	return "2.7 and 3.6 to 3.15";
}

uint32_t layout_newest_hex(void)
{
	return (uint32_t)rows[COLUMNS - 1].major << 24 | (uint32_t)rows[COLUMNS - 1].minor << 16;
}

bool layout_evaluator_gets_all(uint32_t version_hex)
{
	return version_hex < 0x030b0000 || version_hex >= 0x030b0400;
}

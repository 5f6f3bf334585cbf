// SPDX-License-Identifier: MIT
#include "sample/resolver.h"

#include <stdlib.h>

#include "base/alloc.h"

struct code_entry {
	remote_addr address;
	struct py_code code;
	function_id function;
	uint64_t checked; // r->now when its witness was last seen to hold
	bool known;       // false: could not be read
	// the last line looked up
	uint64_t instr;
	uint32_t tlbc_index;
	bool has_frame;
	frame_id frame;
};

void resolver_init(struct resolver *r, struct py_runtime *rt, struct mem_reader *mem,
	struct profile *profile)
{
	*r = (struct resolver){ .rt = rt, .mem = mem, .profile = profile };
	r->unknown = profile_plain_frame(profile, FUNCTION_MARK, "(unknown function)");
}

void resolver_forget(struct resolver *r)
{
	for (size_t i = 0; i < r->entry_count; i++)
		code_deinit(&r->entries[i].code);
	r->entry_count = 0;
	intern_deinit(&r->index);
}

void resolver_deinit(struct resolver *r)
{
	resolver_forget(r);
	free(r->entries);
	*r = (struct resolver){ 0 };
}

/* ---- entries ---------------------------------------------------------------------------------- */

static uint64_t address_hash(remote_addr address)
{
	return intern_hash2(address, 0);
}

static struct code_entry *entry_find(struct resolver *r, remote_addr address)
{
	for (struct intern_probe at = intern_begin(&r->index, address_hash(address));
		intern_next(&r->index, &at);)
		if (r->entries[at.row].address == address)
			return &r->entries[at.row];
	return NULL;
}

static struct code_entry *entry_add(struct resolver *r, remote_addr address)
{
	uint32_t row = (uint32_t)r->entry_count++;

	array_reserve(r->entries, r->entry_capacity, r->entry_count);
	r->entries[row] = (struct code_entry){ .address = address };
	intern_add(&r->index, address_hash(address), row);
	return &r->entries[row];
}

static function_id store_function(struct resolver *r, const struct py_code *code)
{
	struct store_function f = {
		.name = profile_string(r->profile, buf_str(&code->name), code->name.len),
		.file = profile_string(r->profile, buf_str(&code->file), code->file.len),
		.first_line = code->first_line,
		.kind = FUNCTION_PYTHON,
	};

	return profile_function(r->profile, &f);
}

/* Reads the code object, which may be another than the entry had. */
static void entry_load(struct resolver *r, struct code_entry *e)
{
	struct py_code code;

	code_deinit(&e->code);
	e->code = (struct py_code){ 0 };
	e->has_frame = false;
	e->known = code_read(r->rt, r->mem, e->address, &code) == READ_OK;
	r->codes_read++;
	if (!e->known)
		return;
	e->code = code;
	e->function = store_function(r, &code);
	buf_deinit(&e->code.name);
	buf_deinit(&e->code.file);
}

/* ---- preparing -------------------------------------------------------------------------------- */

struct check_batch {
	struct code_check checks[CODE_CHECKS_MAX];
	size_t count;
	size_t loaded;
};

static void run_checks(struct resolver *r, struct check_batch *batch)
{
	if (!batch->count)
		return;
	code_check_all(r->rt, r->mem, batch->checks, batch->count);
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->checks[i].same)
			continue;
		entry_load(r, entry_find(r, batch->checks[i].address));
		batch->loaded++;
	}
	batch->count = 0;
}

static void add_check(struct resolver *r, struct check_batch *batch, const struct code_entry *e)
{
	if (batch->count == CODE_CHECKS_MAX)
		run_checks(r, batch);
	batch->checks[batch->count++] =
		(struct code_check){ .address = e->address, .witness = e->code.witness };
}

size_t resolver_prepare(struct resolver *r, const struct raw_stack *stack)
{
	struct check_batch batch = { 0 };

	r->now++;
	for (size_t i = 0; i < stack->count; i++) {
		struct code_entry *e = entry_find(r, stack->frames[i].code);

		if (e && e->checked == r->now)
			continue;
		if (!e)
			e = entry_add(r, stack->frames[i].code);
		e->checked = r->now;
		if (e->known) {
			add_check(r, &batch, e);
		} else {
			entry_load(r, e);
			batch.loaded++;
		}
	}
	run_checks(r, &batch);
	return batch.loaded;
}

/* ---- resolving -------------------------------------------------------------------------------- */

static enum read_status resolve_frame(
	struct resolver *r, const struct raw_frame *raw, frame_id *ret)
{
	struct code_entry *e = entry_find(r, raw->code);
	uint32_t line;

	if (!e || !e->known) {
		*ret = r->unknown;
		return READ_OK;
	}
	if (!e->has_frame || e->instr != raw->instr || e->tlbc_index != raw->tlbc_index) {
		enum read_status status = code_line(
			r->rt, r->mem, &e->code, raw->instr, raw->tlbc_index, &line);

		if (status != READ_OK)
			return status;
		e->frame = profile_frame(r->profile, e->function, line);
		e->instr = raw->instr;
		e->tlbc_index = raw->tlbc_index;
		e->has_frame = true;
	}
	*ret = e->frame;
	return READ_OK;
}

enum read_status resolver_stack(
	struct resolver *r, const struct raw_stack *stack, stack_id root, stack_id *ret)
{
	stack_id at = root;

	for (size_t i = stack->count; i-- > 0;) {
		frame_id frame;
		enum read_status status = resolve_frame(r, &stack->frames[i], &frame);

		if (status != READ_OK)
			return status;
		at = profile_stack(r->profile, at, frame);
	}
	*ret = at;
	return READ_OK;
}

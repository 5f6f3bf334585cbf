// SPDX-License-Identifier: MIT
#include "sample/resolver.h"

#include <stdlib.h>

#include "base/alloc.h"

struct code_entry {
	remote_addr address;
	struct py_code code;
	function_id function;
	uint64_t checked;    // r->now when it was last proven to be what it was
	uint64_t generation; // no code object was freed since, as long as this is the generation
	uint64_t seen;       // r->now when it was last in a stack
	bool known;          // false: could not be read
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

/* ---- proofs ----------------------------------------------------------------------------------- */

static bool counts_freed(const struct resolver *r)
{
	return r->rt->layout.at.interp_code_generation != OFFSET_NONE;
}

static void ride_count(struct resolver *r, remote_addr interp, struct stack_riders *riders)
{
	riders->ranges[riders->count++] = (struct mem_range){
		interp + r->rt->layout.at.interp_code_generation, &r->freed, sizeof(r->freed)
	};
}

static void ride_witnesses(
	struct resolver *r, const struct resolver_codes *codes, struct stack_riders *riders)
{
	size_t room = (STACK_RIDERS_MAX - riders->count) / 3;

	r->checks.count = 0;
	for (size_t i = 0; i < codes->count && i < room; i++) {
		const struct code_entry *e = &r->entries[codes->rows[i]];

		if (e->known)
			r->checks.checks[r->checks.count++] = (struct code_check){
				.address = e->address, .witness = e->code.witness };
	}
	riders->count += code_check_ranges(r->rt, &r->checks, riders->ranges + riders->count);
}

void resolver_begin(struct resolver *r, const struct resolver_codes *codes, remote_addr interp,
	struct stack_riders *riders)
{
	r->first_rider = riders->count;
	if (counts_freed(r))
		ride_count(r, interp, riders);
	else
		ride_witnesses(r, codes, riders);
}

/* What the riders said: marks what is proven, forgets what is another by now. */
static void evaluate_riders(
	struct resolver *r, remote_addr interp, const struct stack_riders *riders)
{
	size_t whole = riders->whole > r->first_rider ? riders->whole - r->first_rider : 0;

	r->generation = 0;
	if (counts_freed(r)) {
		if (whole)
			r->generation = intern_hash2(interp, r->freed) | 1;
		return;
	}
	code_check_evaluate(r->rt, &r->checks, whole);
	for (size_t i = 0; i < r->checks.count; i++)
		if (r->checks.checks[i].same)
			entry_find(r, r->checks.checks[i].address)->checked = r->now;
}

static bool proven(const struct resolver *r, const struct code_entry *e)
{
	return e->checked == r->now || (r->generation && e->generation == r->generation);
}

static void mark_proven(const struct resolver *r, struct code_entry *e)
{
	e->checked = r->now;
	e->generation = r->generation;
}

/* ---- preparing -------------------------------------------------------------------------------- */

/* Reads the witnesses gathered in r->checks; returns how many code objects were others. */
static size_t run_checks(struct resolver *r)
{
	size_t loaded = 0;

	if (!r->checks.count)
		return 0;
	code_check_all(r->rt, r->mem, &r->checks);
	for (size_t i = 0; i < r->checks.count; i++) {
		struct code_entry *e = entry_find(r, r->checks.checks[i].address);

		if (!r->checks.checks[i].same) {
			entry_load(r, e);
			loaded++;
		}
		mark_proven(r, e);
	}
	r->checks.count = 0;
	return loaded;
}

static size_t prepare_code(struct resolver *r, remote_addr code, struct resolver_codes *codes)
{
	struct code_entry *e = entry_find(r, code);
	size_t loaded = 0;

	if (!e)
		e = entry_add(r, code);
	if (e->seen == r->now)
		return 0;
	e->seen = r->now;
	if (codes->count < CODE_CHECKS_MAX)
		codes->rows[codes->count++] = (uint32_t)(e - r->entries);
	if (!e->known) {
		entry_load(r, e);
		mark_proven(r, e);
		return 1;
	}
	if (proven(r, e))
		return 0;
	if (r->checks.count == CODE_CHECKS_MAX)
		loaded = run_checks(r);
	r->checks.checks[r->checks.count++] =
		(struct code_check){ .address = e->address, .witness = e->code.witness };
	return loaded;
}

size_t resolver_prepare(struct resolver *r, const struct raw_stack *stack, remote_addr interp,
	const struct stack_riders *riders, struct resolver_codes *codes)
{
	size_t loaded = 0;

	r->now++;
	evaluate_riders(r, interp, riders);
	r->checks.count = 0;
	codes->count = 0;
	for (size_t i = 0; i < stack->count; i++)
		loaded += prepare_code(r, stack->frames[i].code, codes);
	return loaded + run_checks(r);
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

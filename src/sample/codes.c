// SPDX-License-Identifier: MIT
#include "sample/codes.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "sample/record.h"

struct code_entry {
	remote_addr address;
	struct code_witness witness;
	struct code_place place;
	uint32_t serial;
	uint64_t checked;    // c->now when it was last proven to be what it was
	uint64_t generation; // no code object was freed since, as long as this is the generation
	uint64_t seen;       // c->now when it was last in a stack
	bool known;          // false: could not be read
	struct py_code *unannounced; // the ring had no room for it yet
};

void codes_init(struct codes *c, struct py_runtime *rt, struct mem_reader *mem, struct ring *ring)
{
	*c = (struct codes){ .rt = rt, .mem = mem, .ring = ring };
}

static void drop_unannounced(struct code_entry *e)
{
	if (e->unannounced)
		code_deinit(e->unannounced);
	free(e->unannounced);
	e->unannounced = NULL;
}

void codes_forget(struct codes *c)
{
	for (size_t i = 0; i < c->entry_count; i++)
		drop_unannounced(&c->entries[i]);
	c->entry_count = 0;
	intern_deinit(&c->index);
}

void codes_deinit(struct codes *c)
{
	codes_forget(c);
	free(c->entries);
	*c = (struct codes){ 0 };
}

/* ---- entries ---------------------------------------------------------------------------------- */

static uint64_t address_hash(remote_addr address)
{
	return intern_hash2(address, 0);
}

static struct code_entry *entry_find(struct codes *c, remote_addr address)
{
	for (struct intern_probe at = intern_begin(&c->index, address_hash(address));
		intern_next(&c->index, &at);)
		if (c->entries[at.row].address == address)
			return &c->entries[at.row];
	return NULL;
}

static struct code_entry *entry_add(struct codes *c, remote_addr address)
{
	uint32_t row = (uint32_t)c->entry_count++;

	array_reserve(c->entries, c->entry_capacity, c->entry_count);
	c->entries[row] = (struct code_entry){ .address = address };
	intern_add(&c->index, address_hash(address), row);
	return &c->entries[row];
}

/* Hands what is known of a code object over; tried again later if there is no room. */
static void announce(struct codes *c, struct code_entry *e)
{
	struct record_header header = { .type = RECORD_CODE, .index = e->serial };

	if (!ring_begin(c->ring, 2))
		return;
	ring_put(c->ring, record_pack(&header));
	ring_put(c->ring, (uint64_t)(uintptr_t)e->unannounced); // owned by the receiver now
	ring_commit(c->ring);
	e->unannounced = NULL;
}

/* Reads the code object, which may be another than the entry had. */
static void entry_load(struct codes *c, struct code_entry *e)
{
	struct py_code code;

	drop_unannounced(e);
	e->known = c->next_serial < (1u << RECORD_INDEX_BITS) &&
		   code_read(c->rt, c->mem, e->address, &code) == READ_OK;
	if (!e->known)
		return;
	e->serial = c->next_serial++;
	e->witness = code.witness;
	e->place = code.place;
	e->unannounced = xmalloc(sizeof(code));
	*e->unannounced = code; // owned by *e->unannounced now
	announce(c, e);
}

/* ---- proofs ----------------------------------------------------------------------------------- */

static bool counts_freed(const struct codes *c)
{
	return c->rt->layout.at.interp_code_generation != OFFSET_NONE;
}

static void ride_count(struct codes *c, remote_addr interp, struct stack_riders *riders)
{
	riders->ranges[riders->count++] = (struct mem_range){
		interp + c->rt->layout.at.interp_code_generation, &c->freed, sizeof(c->freed)
	};
}

static void ride_witnesses(
	struct codes *c, const struct thread_codes *known, struct stack_riders *riders)
{
	size_t room = (STACK_RIDERS_MAX - riders->count) / code_check_range_count(c->rt);

	c->checks.count = 0;
	for (size_t i = 0; i < known->count && i < room; i++) {
		const struct code_entry *e = &c->entries[known->rows[i]];

		if (e->known)
			c->checks.checks[c->checks.count++] = (struct code_check){
				.address = e->address, .witness = e->witness };
	}
	riders->count += code_check_ranges(c->rt, &c->checks, riders->ranges + riders->count);
}

void codes_begin(struct codes *c, const struct thread_codes *known, remote_addr interp,
	struct stack_riders *riders)
{
	c->first_rider = riders->count;
	if (counts_freed(c))
		ride_count(c, interp, riders);
	else
		ride_witnesses(c, known, riders);
}

/* What the riders said: marks what is proven, forgets what is another by now. */
static void evaluate_riders(
	struct codes *c, remote_addr interp, const struct stack_riders *riders)
{
	size_t whole = riders->whole > c->first_rider ? riders->whole - c->first_rider : 0;

	c->generation = 0;
	if (counts_freed(c)) {
		if (whole)
			c->generation = intern_hash2(interp, c->freed) | 1;
		return;
	}
	code_check_evaluate(c->rt, &c->checks, whole);
	for (size_t i = 0; i < c->checks.count; i++)
		if (c->checks.checks[i].same)
			entry_find(c, c->checks.checks[i].address)->checked = c->now;
}

static bool proven(const struct codes *c, const struct code_entry *e)
{
	return e->checked == c->now || (c->generation && e->generation == c->generation);
}

static void mark_proven(const struct codes *c, struct code_entry *e)
{
	e->checked = c->now;
	e->generation = c->generation;
}

/* ---- preparing -------------------------------------------------------------------------------- */

/* Reads the witnesses gathered in c->checks; returns how many code objects were others. */
static size_t run_checks(struct codes *c)
{
	size_t loaded = 0;

	if (!c->checks.count)
		return 0;
	code_check_all(c->rt, c->mem, &c->checks);
	for (size_t i = 0; i < c->checks.count; i++) {
		struct code_entry *e = entry_find(c, c->checks.checks[i].address);

		if (!c->checks.checks[i].same) {
			entry_load(c, e);
			loaded++;
		}
		mark_proven(c, e);
	}
	c->checks.count = 0;
	return loaded;
}

static size_t prepare_code(struct codes *c, remote_addr code, struct thread_codes *known)
{
	struct code_entry *e = entry_find(c, code);
	size_t loaded = 0;

	if (!e)
		e = entry_add(c, code);
	if (e->seen == c->now)
		return 0;
	e->seen = c->now;
	if (known->count < CODE_CHECKS_MAX)
		known->rows[known->count++] = (uint32_t)(e - c->entries);
	if (!e->known) {
		entry_load(c, e);
		mark_proven(c, e);
		return 1;
	}
	if (proven(c, e))
		return 0;
	if (c->checks.count == CODE_CHECKS_MAX)
		loaded = run_checks(c);
	c->checks.checks[c->checks.count++] =
		(struct code_check){ .address = e->address, .witness = e->witness };
	return loaded;
}

size_t codes_prepare(struct codes *c, const struct raw_stack *stack, remote_addr interp,
	const struct stack_riders *riders, struct thread_codes *known)
{
	size_t loaded = 0;

	c->now++;
	evaluate_riders(c, interp, riders);
	c->checks.count = 0;
	known->count = 0;
	for (size_t i = 0; i < stack->count; i++)
		loaded += prepare_code(c, stack->frames[i].code, known);
	return loaded + run_checks(c);
}

/* ---- frames ----------------------------------------------------------------------------------- */

enum read_status codes_frame(struct codes *c, const struct raw_frame *frame, uint64_t *word_ret)
{
	struct code_entry *e = entry_find(c, frame->code);
	int32_t offset;

	// what is no code object is in no frame
	if (!e || !e->known)
		return READ_TORN;
	if (e->unannounced)
		announce(c, e);
	if (e->unannounced) {
		*word_ret = record_frame(CODE_UNKNOWN, 0);
		return READ_OK;
	}
	*word_ret = FRAME_INTERNAL;
	if (e->place.internal)
		return READ_OK;
	enum read_status status =
		code_offset(c->rt, c->mem, &e->place, frame->instr, frame->tlbc_index, &offset);
	if (status == READ_OK)
		*word_ret = record_frame(e->serial, offset);
	return status;
}

// SPDX-License-Identifier: MIT
#include "sample/codes.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "sample/record.h"

/* So long a code object must have been what it is before it is trusted... */
#define TRUSTED_AFTER_NS ((uint64_t)1000000000)
/* ...and it must have been proven to be so not longer ago than this. */
#define TRUSTED_FOR_NS ((uint64_t)100000000)

struct code_entry {
	remote_addr address;
	struct code_witness witness;
	struct code_place place;
	uint32_t serial;
	uint64_t checked;    // c->now when it was last proven to be what it was
	uint64_t generation; // no code object was freed since, as long as this is the generation
	uint64_t seen;       // c->now when it was last in a stack
	uint64_t loaded_ns;  // when it was read
	uint64_t proven_ns;  // when it was last proven to be what it was
	uint64_t trusted;    // the last epoch in which it was
	bool known;          // false: could not be read
	struct py_code *unannounced; // the ring had no room for it yet
};

void codes_init(struct codes *c, struct py_runtime *rt, struct mem_reader *mem, struct ring *ring)
{
	*c = (struct codes){ .rt = rt, .mem = mem, .ring = ring, .epoch = 1 };
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
	c->entry_count = c->trusted_count = 0;
	c->counted_interp = 0;
	c->epoch++;
	intern_deinit(&c->index);
}

void codes_deinit(struct codes *c)
{
	codes_forget(c);
	free(c->entries);
	free(c->trusted);
	free(c->voided);
	*c = (struct codes){ 0 };
}

void thread_codes_deinit(struct thread_codes *known)
{
	free(known->frames);
	*known = (struct thread_codes){ 0 };
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
	e->loaded_ns = c->now_ns;
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

/* The time for proofs is not now. */
static bool restless(const struct codes *c)
{
	return !c->deferring || c->now_ns < c->restless_until_ns;
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
	c->checks.count = 0;
	if (!counts_freed(c))
		ride_witnesses(c, known, riders);
	else if (restless(c) || known->count)
		ride_count(c, interp, riders);
}

static void mark_proven(const struct codes *c, struct code_entry *e)
{
	e->proven_ns = c->now_ns;
	e->checked = c->now;
	e->generation = c->generation;
}

static void note_freed(struct codes *c, remote_addr interp)
{
	// the count at the epoch's begin is not looked at while stacks bring it along
	c->counted_interp = 0;
	uint64_t generation = intern_hash2(interp, c->freed) | 1;

	c->generation = generation;
	if (c->seen_generation != generation)
		c->restless_until_ns = c->now_ns + TRUSTED_AFTER_NS;
	c->seen_generation = generation;
}

/* What the riders said: marks what is proven, forgets what is another by now. */
static void evaluate_riders(
	struct codes *c, remote_addr interp, const struct stack_riders *riders)
{
	size_t whole = riders->whole > c->first_rider ? riders->whole - c->first_rider : 0;

	c->generation = 0;
	if (counts_freed(c)) {
		if (whole)
			note_freed(c, interp);
		return;
	}
	code_check_evaluate(c->rt, &c->checks, whole);
	for (size_t i = 0; i < c->checks.count; i++)
		if (c->checks.checks[i].same)
			mark_proven(c, entry_find(c, c->checks.checks[i].address));
}

static bool proven(const struct codes *c, struct code_entry *e)
{
	if (c->generation && e->generation == c->generation)
		mark_proven(c, e);
	return e->checked == c->now;
}

/* May its proof wait until the epoch ends? */
static bool trusts(const struct codes *c, const struct code_entry *e)
{
	return !restless(c) && c->now_ns - e->loaded_ns >= TRUSTED_AFTER_NS &&
	       c->now_ns - e->proven_ns <= TRUSTED_FOR_NS;
}

static void trust(struct codes *c, struct code_entry *e, remote_addr interp)
{
	if (!c->trusted_count)
		c->interp = interp;
	c->several_interp |= c->interp != interp;
	if (e->trusted == c->epoch)
		return;
	e->trusted = c->epoch;
	array_reserve(c->trusted, c->trusted_capacity, c->trusted_count + 1);
	c->trusted[c->trusted_count++] = (uint32_t)(e - c->entries);
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

static struct code_entry *find_or_add(struct codes *c, remote_addr code)
{
	struct code_entry *e = entry_find(c, code);

	return e ? e : entry_add(c, code);
}

static size_t prove_now(struct codes *c, struct code_entry *e, struct thread_codes *known)
{
	size_t loaded = 0;

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

/* Frame `i` from the root is the one that was there the last time, and still trusted. */
static bool same_as_known(const struct codes *c, const struct thread_codes *known, size_t i,
	const struct raw_frame *frame)
{
	const struct known_frame *k = &known->frames[i];

	return i < known->frame_count && k->epoch == c->epoch && k->code == frame->code &&
	       k->instr == frame->instr && k->tlbc_index == frame->tlbc_index;
}

static size_t prepare_frame(struct codes *c, const struct raw_frame *frame, remote_addr interp,
	struct thread_codes *known, struct known_frame *k)
{
	struct code_entry *e = find_or_add(c, frame->code);
	size_t loaded = 0;

	*k = (struct known_frame){ .code = frame->code, .instr = frame->instr,
		.tlbc_index = frame->tlbc_index, .row = (uint32_t)(e - c->entries) };
	if (e->known && (e->trusted == c->epoch || trusts(c, e))) {
		trust(c, e, interp);
		k->epoch = c->epoch;
	} else if (e->seen != c->now) {
		e->seen = c->now;
		loaded = prove_now(c, e, known);
	}
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
	array_reserve(known->frames, known->frame_capacity, stack->count);
	for (size_t i = 0; i < stack->count; i++) {
		const struct raw_frame *frame = &stack->frames[stack->count - 1 - i];

		if (!same_as_known(c, known, i, frame))
			loaded += prepare_frame(c, frame, interp, known, &known->frames[i]);
	}
	known->frame_count = stack->count;
	return loaded + run_checks(c);
}

/* ---- frames ----------------------------------------------------------------------------------- */

enum read_status codes_frame(
	struct codes *c, struct thread_codes *known, size_t i, uint64_t *word_ret)
{
	struct known_frame *k = &known->frames[i];
	struct code_entry *e = &c->entries[k->row];
	int32_t offset;

	if (k->has_word) {
		*word_ret = k->word;
		return READ_OK;
	}
	// what is no code object is in no frame
	if (!e->known)
		return READ_TORN;
	if (e->unannounced)
		announce(c, e);
	if (e->unannounced) {
		*word_ret = record_frame(CODE_UNKNOWN, 0);
		return READ_OK;
	}
	*word_ret = FRAME_INTERNAL;
	if (!e->place.internal) {
		enum read_status status = code_offset(
			c->rt, c->mem, &e->place, k->instr, k->tlbc_index, &offset);

		if (status != READ_OK)
			return status;
		*word_ret = record_frame(e->serial, offset);
	}
	k->word = *word_ret;
	k->has_word = true;
	return READ_OK;
}

/* ---- epochs ----------------------------------------------------------------------------------- */

/* Freed ones are counted, and none was since the epoch began. Notes the count for the next one. */
static bool none_freed(struct codes *c)
{
	remote_addr interp = c->interp;
	uint64_t now;

	if (!counts_freed(c) || c->several_interp ||
		mem_read_u64(c->mem, interp + c->rt->layout.at.interp_code_generation, &now) !=
			READ_OK) {
		c->counted_interp = 0;
		return false;
	}
	bool known = c->counted_interp == interp, same = known && c->counted == now;
	if (known && !same && c->deferring)
		c->restless_until_ns = c->now_ns + TRUSTED_AFTER_NS;
	c->counted_interp = interp;
	c->counted = now;
	return same;
}

static void void_code(struct codes *c, struct code_entry *e)
{
	array_reserve(c->voided, c->voided_capacity, c->voided_count + 1);
	c->voided[c->voided_count++] = e->serial;
	entry_load(c, e);
}

/* Some of the trusted ones, as many as can be checked at once. */
static enum read_status prove_some(struct codes *c, const uint32_t *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		c->checks.checks[i] = (struct code_check){ .address = c->entries[rows[i]].address,
			.witness = c->entries[rows[i]].witness };
	c->checks.count = count;
	enum read_status status = code_check_all(c->rt, c->mem, &c->checks);
	c->checks.count = 0;
	if (status == READ_GONE || status == READ_DENIED)
		return status;
	for (size_t i = 0; i < count; i++) {
		struct code_entry *e = &c->entries[rows[i]];

		if (c->checks.checks[i].same)
			e->proven_ns = c->now_ns;
		else
			void_code(c, e);
	}
	return READ_OK;
}

void codes_abandon(struct codes *c)
{
	c->voided_count = c->trusted_count = 0;
	c->several_interp = false;
	c->counted_interp = 0;
	c->epoch++;
}

void codes_prove(struct codes *c)
{
	c->voided_count = 0;
	if (c->trusted_count && none_freed(c)) {
		for (size_t i = 0; i < c->trusted_count; i++)
			c->entries[c->trusted[i]].proven_ns = c->now_ns;
	} else if (c->trusted_count) {
		enum read_status status = READ_OK;

		for (size_t i = 0; i < c->trusted_count && status == READ_OK; i += CODE_CHECKS_MAX) {
			size_t left = c->trusted_count - i;

			status = prove_some(c, c->trusted + i,
				left < CODE_CHECKS_MAX ? left : CODE_CHECKS_MAX);
		}
	}
	c->trusted_count = 0;
	c->several_interp = false;
	c->epoch++;
}

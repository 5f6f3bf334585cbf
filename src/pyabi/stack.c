// SPDX-License-Identifier: MIT
#include "pyabi/stack.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define CHUNK_BYTES_MAX ((uint64_t)64 << 20)
#define CHUNKS_MAX 4096
/* All pieces of a thread together. */
#define IMAGE_BYTES_MAX ((size_t)32 << 20)
/* Look-ups of unknown frames within one read. */
#define MISSES_MAX 16

void stack_reader_init(struct stack_reader *r, remote_addr state, remote_addr interp)
{
	*r = (struct stack_reader){ .state = state, .interp = interp };
}

void stack_reader_deinit(struct stack_reader *r)
{
	pieces_deinit(&r->pieces);
	pieces_deinit(&r->heads);
	free(r->bytes);
	free(r->ranges);
	free(r->stack.frames);
	*r = (struct stack_reader){ 0 };
}

/* ---- images ----------------------------------------------------------------------------------- */

/* What was read, being parsed. */
struct images {
	struct stack_reader *r;
	const struct py_runtime *rt;
	const unsigned char *thread;    // the thread state
	const unsigned char *heads;     // head piece 0, then head piece 1, ...
	const unsigned char *pieces[2]; // before and after: piece 0, then piece 1, ...
	struct piece_cursor cursor;     // of the pieces
	remote_addr miss;               // after PARSE_MISS: what was not in any piece
};

static size_t align8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static size_t add_ranges(
	struct stack_reader *r, const struct stack_pieces *pieces, size_t at, unsigned char *buffer)
{
	for (size_t i = 0; i < pieces->count; i++) {
		const struct stack_piece *piece = &pieces->items[i];

		r->ranges[at++] = (struct mem_range){ piece->addr, buffer, piece->len };
		buffer += piece->len;
	}
	return at;
}

/* The part of a thread state in which the fields that are needed lie. */
static struct mem_range thread_range(
	const struct stack_reader *r, const struct py_layout *layout, unsigned char *thread)
{
	const struct py_offsets *at = &layout->at;
	const uint32_t fields[] = { at->thread_interp, at->thread_frame,
		layout->root == ROOT_BASE_FRAME ? at->thread_base_frame : at->thread_frame };
	uint32_t first = fields[0], last = fields[0];

	for (size_t i = 1; i < ARRAY_LEN(fields); i++) {
		first = fields[i] < first ? fields[i] : first;
		last = fields[i] > last ? fields[i] : last;
	}
	return (struct mem_range){ r->state + first, thread + first, last - first + 8 };
}

/* Pieces, thread state and heads, pieces: where they go, and what images are made of. */
static size_t lay_out(struct stack_reader *r, const struct py_runtime *rt, struct images *images)
{
	size_t bytes = align8(r->pieces.bytes), thread = align8(rt->layout.thread_bytes), n;

	array_reserve(r->bytes, r->bytes_capacity, bytes * 2 + thread + r->heads.bytes);
	array_reserve(r->ranges, r->range_capacity,
		r->pieces.count * 2 + 1 + r->heads.count + STACK_RIDERS_MAX);
	unsigned char *second = r->bytes + bytes, *state = second + bytes;
	*images = (struct images){ .r = r, .rt = rt, .thread = state, .heads = state + thread,
		.pieces = { r->bytes, second }, .cursor = { .piece = SIZE_MAX } };
	n = add_ranges(r, &r->pieces, 0, r->bytes);
	r->ranges[n++] = thread_range(r, &rt->layout, state);
	n = add_ranges(r, &r->heads, n, state + thread);
	return add_ranges(r, &r->pieces, n, second);
}

/* In one call where the system allows so many ranges, else in as few as it takes. */
static enum read_status read_ranges(
	struct mem_reader *mem, const struct mem_range *ranges, size_t count, size_t *whole_ret)
{
	*whole_ret = 0;
	while (count) {
		size_t n = count < MEM_RANGES_MAX ? count : MEM_RANGES_MAX, whole;
		enum read_status status = mem_readv(mem, ranges, n, &whole);

		*whole_ret += whole;
		if (status != READ_OK)
			return status;
		ranges += n;
		count -= n;
	}
	return READ_OK;
}

/* What to do about the range that could not be read: its piece is forgotten. */
static enum read_status lost_range(struct stack_reader *r, size_t failed)
{
	size_t thread = r->pieces.count, heads = thread + 1;
	size_t second = heads + r->heads.count;

	if (failed == thread)
		return READ_GONE;
	if (failed < thread)
		pieces_remove(&r->pieces, failed);
	else if (failed < second)
		pieces_remove(&r->heads, failed - heads);
	else
		pieces_remove(&r->pieces, failed - second);
	return READ_TORN;
}

/* Reads it all; a piece that is no longer mapped is forgotten and gives READ_TORN. */
static enum read_status read_images(struct stack_reader *r, const struct py_runtime *rt,
	struct mem_reader *mem, struct images *images)
{
	size_t own = lay_out(r, rt, images), whole;
	size_t riders = r->riders ? r->riders->count : 0;

	if (riders)
		memcpy(r->ranges + own, r->riders->ranges, riders * sizeof(r->ranges[0]));
	r->counts.reads++;
	enum read_status status = read_ranges(mem, r->ranges, own + riders, &whole);
	if (r->riders)
		r->riders->whole = whole > own ? whole - own : 0;
	if (status != READ_FAULT)
		return status;
	return whole >= own ? READ_OK : lost_range(r, whole); // OK: only a rider is gone
}

/* ---- parsing ---------------------------------------------------------------------------------- */

enum parse_result {
	PARSE_OK,
	PARSE_MISS, // images->miss is where a frame is that no piece holds
	PARSE_TORN, // cannot be
	PARSE_GONE, // not the thread it was
};

/* How many bytes of a frame are needed. */
static uint32_t frame_bytes(const struct py_layout *layout)
{
	const struct py_offsets *at = &layout->at;
	uint32_t end = at->frame_previous;

	if (layout->frames != FRAME_OBJECT)
		return at->frame_size;
	end = end < at->frame_code ? at->frame_code : end;
	end = end < at->frame_instr ? at->frame_instr : end;
	if (at->frame_state != OFFSET_NONE && at->frame_state > end)
		end = at->frame_state;
	return (end + 15) & ~7u;
}

/* How many bytes before a frame may be needed: the state of the generator it lies in. */
static uint32_t generator_bytes(const struct py_layout *layout)
{
	return layout->at.gen_iframe == OFFSET_NONE ? 0 : 8;
}

#define CFRAME_BYTES 16
/* All C frames seen lately. */
#define HEAD_BYTES_MAX ((size_t)32 << 10)

/* The address of the innermost frame. */
static enum parse_result parse_innermost(struct images *images, remote_addr *frame_ret)
{
	const struct py_offsets *at = &images->rt->layout.at;
	remote_addr pointer = field_u64(images->thread, at->thread_frame);
	struct piece_cursor cursor = { .piece = SIZE_MAX };
	size_t offset;

	*frame_ret = pointer;
	if (images->rt->layout.frames != FRAME_CFRAME || !pointer)
		return PARSE_OK;
	if (!remote_plausible(pointer))
		return PARSE_TORN;
	if (!pieces_find(&images->r->heads, &cursor, pointer, CFRAME_BYTES, &offset)) {
		images->miss = pointer;
		return PARSE_MISS;
	}
	*frame_ret = field_u64(images->heads + offset, at->cframe_current_frame);
	return PARSE_OK;
}

static bool is_shim(const struct py_owners *owners, unsigned int owner)
{
	return owners->shims >> owner & 1;
}

/*
 * A frame object that has returned is kept for reuse, with all it held: it looks alive but for its
 * reference count, and for its state where the release keeps one. The leaf's state is set a little
 * after it has become the leaf, and reset a little before it is none any more.
 */
static bool frame_object_runs(const struct py_layout *layout, const unsigned char *bytes, bool leaf)
{
	const struct py_offsets *at = &layout->at;
	uint64_t references = field_u64(bytes, at->frame_refcount);
	bool called = field_u64(bytes, at->frame_previous); // a generator's is cleared when it yields

	if (references == 0 || references > UINT32_MAX)
		return false;
	return (leaf && called) || at->frame_state == OFFSET_NONE ||
	       bytes[at->frame_state] == layout->frame_executing;
}

/*
 * Takes one frame apart; false if it cannot be one. A frame that stands for no Python function has
 * code 0.
 */
static bool parse_frame(const struct py_layout *layout, remote_addr addr,
	const unsigned char *bytes, bool leaf, struct raw_frame *frame)
{
	const struct py_offsets *at = &layout->at;
	unsigned int owner = at->frame_owner == OFFSET_NONE ? 0 : bytes[at->frame_owner];

	*frame = (struct raw_frame){
		.frame = addr,
		.previous = field_u64(bytes, at->frame_previous),
		.code = field_u64(bytes, at->frame_code) & ~layout->code_tag_mask,
		.instr = layout->instr == INSTR_POINTER ? field_u64(bytes, at->frame_instr) :
							  field_u32(bytes, at->frame_instr),
	};
	if (owner > layout->owners.max || frame->previous == addr)
		return false;
	if (layout->frames == FRAME_OBJECT && !frame_object_runs(layout, bytes, leaf))
		return false;
	if (is_shim(&layout->owners, owner)) {
		frame->code = 0;
		frame->may_be_root = true;
		return true;
	}
	frame->may_be_root = layout->root != ROOT_SHIM &&
			     (layout->root != ROOT_ENTRY || bytes[at->frame_is_entry]);
	frame->in_generator = at->frame_owner != OFFSET_NONE && owner == layout->owners.generator;
	if (at->frame_tlbc_index != OFFSET_NONE && layout->free_threaded)
		frame->tlbc_index = field_u32(bytes, at->frame_tlbc_index);
	return remote_plausible(frame->code);
}

static void stack_push(struct raw_stack *stack, const struct raw_frame *frame)
{
	array_reserve(stack->frames, stack->capacity, stack->count + 1);
	stack->frames[stack->count++] = *frame;
}

/* True if the chain comes back to itself. */
static bool is_in(const struct raw_stack *stack, remote_addr frame)
{
	for (size_t i = 0; i < stack->count; i++)
		if (stack->frames[i].frame == frame)
			return true;
	return false;
}

/*
 * A generator keeps its frame while it is suspended, and then looks alive but for its state, which
 * lies a little before the frame. *agree becomes false if the first image has it suspended. The
 * thread's innermost frame is no such: one that yields says that it is suspended a little before it
 * gives up its place, and has its caller until then.
 */
static enum parse_result check_generator(struct images *images, const struct raw_frame *frame,
	bool first, bool *agree)
{
	const struct py_layout *layout = &images->rt->layout;
	const struct py_offsets *at = &layout->at;
	size_t offset;

	if (at->gen_iframe == OFFSET_NONE || !frame->in_generator || (first && frame->previous))
		return PARSE_OK;
	remote_addr state = frame->frame - (at->gen_iframe - at->gen_frame_state);
	if (!pieces_find(&images->r->pieces, &images->cursor, state, 1, &offset)) {
		images->miss = state;
		return PARSE_MISS;
	}
	if (images->pieces[0][offset] != layout->frame_executing)
		*agree = false;
	return images->pieces[1][offset] == layout->frame_executing ? PARSE_OK : PARSE_TORN;
}

/* The same at both moments? Of the leaf, the instruction may differ. */
static bool frames_agree(
	const struct raw_frame *before, const struct raw_frame *after, bool leaf, bool *moved)
{
	bool same_instr = before->instr == after->instr && before->tlbc_index == after->tlbc_index;

	*moved |= !same_instr;
	return before->code == after->code && before->previous == after->previous &&
	       (leaf || same_instr);
}

/* What lies after the leaf's frame: its variables and values. No thread but its own writes there. */
#define LEAF_BYTES 512

static bool leaf_moved(const struct images *images, remote_addr addr, size_t offset)
{
	const struct stack_piece *piece = &images->r->pieces.items[images->cursor.piece];
	size_t rest = (size_t)(piece->addr + piece->len - addr);

	return memcmp(images->pieces[0] + offset, images->pieces[1] + offset,
		       rest < LEAF_BYTES ? rest : LEAF_BYTES) != 0;
}

/* One frame in both images; *agree: it was the same in both. */
static enum parse_result parse_link(struct images *images, remote_addr addr, bool leaf, bool first,
	struct raw_frame *frame, bool *agree)
{
	const struct py_layout *layout = &images->rt->layout;
	struct raw_frame before;
	size_t offset;

	if (!remote_plausible(addr))
		return PARSE_TORN;
	if (!pieces_find(
		    &images->r->pieces, &images->cursor, addr, frame_bytes(layout), &offset)) {
		images->miss = addr;
		return PARSE_MISS;
	}
	if (!parse_frame(layout, addr, images->pieces[1] + offset, first, frame))
		return PARSE_TORN;
	*agree = parse_frame(layout, addr, images->pieces[0] + offset, first, &before) &&
		 frames_agree(&before, frame, leaf, &images->r->stack.moved);
	images->r->stack.moved |= !*agree || (first && leaf_moved(images, addr, offset));
	return check_generator(images, frame, first, agree);
}

/* Takes a frame that was parsed; `agree` as parse_link() has it. */
static void take_link(struct stack_reader *r, const struct raw_frame *frame, bool agree)
{
	struct raw_stack *stack = &r->stack;

	if (frame->code)
		stack_push(stack, frame);
	else if (stack->count)
		stack->frames[stack->count - 1].native_below = true;
	// what lies above a frame that did not hold still is not proven, nor is it
	if (!agree)
		r->unproven = stack->count;
	r->torn |= !agree;
}

/* The frames from `addr` to the root. */
static enum parse_result parse_chain(struct images *images, remote_addr addr)
{
	const struct py_layout *layout = &images->rt->layout;
	struct raw_stack *stack = &images->r->stack;
	remote_addr end = layout->root == ROOT_BASE_FRAME ?
		field_u64(images->thread, layout->at.thread_base_frame) :
		0;
	struct raw_frame frame = { .may_be_root = true };

	for (size_t links = 0; addr && addr != end; links++) {
		bool agree;

		if (links >= STACK_FRAMES_MAX) {
			stack->too_deep = true;
			return is_in(stack, addr) ? PARSE_TORN : PARSE_OK;
		}
		enum parse_result result =
			parse_link(images, addr, !stack->count, links == 0, &frame, &agree);
		if (result != PARSE_OK)
			return result;
		take_link(images->r, &frame, agree);
		addr = frame.previous;
	}
	// a chain that does not end where it must was cut off in the middle: the leaf may be called
	// already and not have its caller yet
	return addr == end && frame.may_be_root ? PARSE_OK : PARSE_TORN;
}

static enum parse_result parse_images(struct images *images)
{
	const struct py_offsets *at = &images->rt->layout.at;
	struct stack_reader *r = images->r;
	remote_addr innermost;

	r->stack.count = 0;
	r->stack.too_deep = r->stack.unproven = r->stack.moved = false;
	r->unproven = 0;
	r->torn = false;
	if (field_u64(images->thread, at->thread_interp) != r->interp)
		return PARSE_GONE;
	enum parse_result result = parse_innermost(images, &innermost);
	return result == PARSE_OK ? parse_chain(images, innermost) : result;
}

/* ---- looking up what was missed --------------------------------------------------------------- */

/* One chunk of the data stack: the part of it that is in use. */
static enum read_status add_chunk(struct stack_reader *r, const struct py_runtime *rt,
	struct mem_reader *mem, remote_addr chunk, remote_addr top, remote_addr *previous_ret)
{
	const struct py_offsets *at = &rt->layout.at;
	unsigned char head[24];
	enum read_status status = mem_read(mem, chunk, head, sizeof(head));

	if (status != READ_OK)
		return status;
	uint64_t size = field_u64(head, at->chunk_size), used = field_u64(head, at->chunk_top) * 8;
	*previous_ret = field_u64(head, at->chunk_previous);
	if (size > CHUNK_BYTES_MAX || size <= at->chunk_data || used > size)
		return READ_TORN;
	// only in older chunks does the chunk itself say how far it is used
	uint64_t end = top ? top - chunk + PIECE_SLACK_BYTES : at->chunk_data + used;
	if (top && (top < chunk || top - chunk > size))
		return READ_TORN;
	end = end < size ? end : size;
	if (end > at->chunk_data && !pieces_hold(&r->pieces, chunk + at->chunk_data,
					     (uint32_t)(end - at->chunk_data)))
		pieces_add(&r->pieces, chunk + at->chunk_data, (uint32_t)(end - at->chunk_data));
	return READ_OK;
}

/* All chunks of the data stack as they are now. */
static void add_data_stack(
	struct stack_reader *r, const struct py_runtime *rt, struct mem_reader *mem)
{
	const struct py_offsets *at = &rt->layout.at;
	remote_addr where[2];

	if (at->thread_datastack_chunk == OFFSET_NONE ||
		mem_read(mem, r->state + at->thread_datastack_chunk, where, sizeof(where)) != READ_OK)
		return;
	remote_addr chunk = where[0], top = where[1];
	for (size_t n = 0; chunk && n < CHUNKS_MAX && r->pieces.bytes < IMAGE_BYTES_MAX; n++) {
		remote_addr previous;

		if (!remote_plausible(chunk) ||
			add_chunk(r, rt, mem, chunk, top, &previous) != READ_OK)
			return;
		chunk = previous;
		top = 0;
	}
}

/* Frames outside of the data stack, from `addr` on until one is known. */
static enum read_status add_frames(struct stack_reader *r, const struct py_runtime *rt,
	struct mem_reader *mem, remote_addr addr)
{
	uint32_t len = frame_bytes(&rt->layout), before = generator_bytes(&rt->layout);
	unsigned char bytes[256];

	if (len > sizeof(bytes))
		return READ_TORN;
	for (size_t n = 0; n < STACK_FRAMES_MAX && addr && !pieces_hold(&r->pieces, addr, len); n++) {
		if (!remote_plausible(addr))
			return READ_TORN;
		enum read_status status = mem_read(mem, addr, bytes, len);
		if (status != READ_OK)
			return status;
		pieces_add(&r->pieces, addr - before, len + before);
		addr = field_u64(bytes, rt->layout.at.frame_previous);
	}
	return READ_OK;
}

static enum read_status look_up(struct stack_reader *r, const struct py_runtime *rt,
	struct mem_reader *mem, const struct images *images)
{
	remote_addr miss = images->miss;

	// the state before a frame: not aligned as frames are
	if (miss & 7) {
		pieces_add(&r->pieces, miss & ~(remote_addr)7, 8);
		return READ_OK;
	}
	r->counts.misses++;
	if (r->pieces.bytes > IMAGE_BYTES_MAX)
		pieces_clear(&r->pieces);
	if (r->heads.bytes > HEAD_BYTES_MAX)
		pieces_clear(&r->heads);
	switch (rt->layout.frames) {
	case FRAME_OBJECT:
		return add_frames(r, rt, mem, miss);
	case FRAME_CFRAME:
		if (miss == field_u64(images->thread, rt->layout.at.thread_frame)) {
			pieces_add(&r->heads, miss, CFRAME_BYTES);
			return READ_OK;
		}
		break;
	case FRAME_CURRENT:
		break;
	}
	if (!pieces_hold(&r->pieces, miss, frame_bytes(&rt->layout)))
		add_data_stack(r, rt, mem);
	return add_frames(r, rt, mem, miss);
}

/* ---- proving ---------------------------------------------------------------------------------- */

/*
 * Where a thread's stack begins seldom changes. A chain that ends elsewhere than the last one may
 * have been cut off, also while the thread stands still: between two instructions of the interpreter
 * a generator that yields is still the leaf, but has no caller any more. So another root counts only
 * when a second read, at another time, finds it too; a generator never replaces a root.
 */
static bool root_confirmed(struct stack_reader *r, const struct raw_stack *stack)
{
	const struct raw_frame *root = stack->count ? &stack->frames[stack->count - 1] : NULL;
	remote_addr addr = root ? root->frame : 0;

	if (stack->too_deep || addr == r->root)
		return true;
	if (!addr || (!r->root && !root->in_generator)) {
		r->root = addr;
		return true;
	}
	if (root && root->in_generator && r->root && !r->root_in_generator)
		return false;
	bool again = addr == r->new_root && r->new_root_at != r->reads;
	r->new_root = addr;
	r->new_root_at = r->reads;
	if (again) {
		r->root = addr;
		r->root_in_generator = root && root->in_generator;
	}
	return again;
}

/* Leaves of the stack only its proven part towards the root. */
static void keep_proven(struct stack_reader *r)
{
	struct raw_stack *stack = &r->stack;

	stack->count -= r->unproven;
	memmove(stack->frames, stack->frames + r->unproven,
		stack->count * sizeof(stack->frames[0]));
	stack->unproven = true;
}

/* One read; r->stack is what was found, its first r->unproven frames are not proven. */
static enum read_status attempt(
	struct stack_reader *r, const struct py_runtime *rt, struct mem_reader *mem)
{
	for (unsigned int misses = 0; misses <= MISSES_MAX; misses++) {
		struct images images;
		enum read_status status = read_images(r, rt, mem, &images);

		if (status == READ_TORN)
			continue;
		if (status != READ_OK)
			return status;
		switch (parse_images(&images)) {
		case PARSE_OK:
			return !r->torn && root_confirmed(r, &r->stack) ? READ_OK : READ_TORN;
		case PARSE_TORN:
			r->unproven = r->stack.count;
			return READ_TORN;
		case PARSE_GONE:
			return READ_GONE;
		case PARSE_MISS:
			break;
		}
		status = look_up(r, rt, mem, &images);
		if (status == READ_GONE || status == READ_DENIED)
			return status;
	}
	r->unproven = r->stack.count;
	return READ_TORN;
}

enum read_status stack_reader_read(struct stack_reader *r, const struct py_runtime *rt,
	struct mem_reader *mem, unsigned int attempts, const struct raw_stack **stack_ret)
{
	r->reads++;
	r->stack.count = r->unproven = 0;
	*stack_ret = &r->stack;
	for (unsigned int i = 0; i < attempts; i++) {
		enum read_status status = attempt(r, rt, mem);

		if (status == READ_OK) {
			pieces_trim(&r->pieces);
			pieces_trim(&r->heads);
			return READ_OK;
		}
		if (status == READ_GONE || status == READ_DENIED)
			return status;
		r->counts.unsettled++;
	}
	if (r->stack.count <= r->unproven)
		return READ_TORN;
	keep_proven(r);
	return READ_OK;
}

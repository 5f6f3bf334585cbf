// SPDX-License-Identifier: MIT
#include "pyabi/stack.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/* Two pieces closer than this are read as one: ranges are dear, bytes are cheap. */
#define PIECE_GAP_BYTES 2048u
#define PIECE_BYTES_MAX (64u << 10)
/* Read beyond the top of the data stack, where the next frames will be pushed. */
#define DATASTACK_SLACK_BYTES 1024u
#define CHUNK_BYTES_MAX ((uint64_t)64 << 20)
#define CHUNKS_MAX 4096
/* All pieces of a thread together. */
#define IMAGE_BYTES_MAX ((size_t)32 << 20)
/* After so many samples what was not needed since the last time is forgotten. */
#define TRIM_SAMPLES 256
/* Look-ups of unknown frames within one read. */
#define MISSES_MAX 16

void stack_reader_init(struct stack_reader *r, remote_addr state, remote_addr interp)
{
	*r = (struct stack_reader){ .state = state, .interp = interp };
}

void stack_reader_deinit(struct stack_reader *r)
{
	free(r->pieces);
	free(r->bytes);
	free(r->ranges);
	free(r->stacks[0].frames);
	free(r->stacks[1].frames);
	*r = (struct stack_reader){ 0 };
}

/* ---- pieces ----------------------------------------------------------------------------------- */

/* The index of the last piece that begins at or before `addr`, or piece_count if none does. */
static size_t piece_before(const struct stack_reader *r, remote_addr addr)
{
	size_t low = 0, high = r->piece_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->pieces[middle].addr <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : r->piece_count;
}

static bool piece_holds(const struct stack_piece *piece, remote_addr addr, uint32_t len)
{
	return addr >= piece->addr && addr - piece->addr + len <= piece->len;
}

static bool pieces_hold(const struct stack_reader *r, remote_addr addr, uint32_t len)
{
	size_t i = piece_before(r, addr);

	return i < r->piece_count && piece_holds(&r->pieces[i], addr, len);
}

static void piece_remove(struct stack_reader *r, size_t i)
{
	memmove(&r->pieces[i], &r->pieces[i + 1],
		(r->piece_count - i - 1) * sizeof(r->pieces[0]));
	r->piece_count--;
}

/* Joins piece i with the next one if they touch or nearly do. */
static bool piece_join_next(struct stack_reader *r, size_t i)
{
	if (i + 1 >= r->piece_count)
		return false;
	struct stack_piece *a = &r->pieces[i], *b = &r->pieces[i + 1];
	remote_addr a_end = a->addr + a->len, b_end = b->addr + b->len;

	if (b->addr > a_end && b->addr - a_end > PIECE_GAP_BYTES)
		return false;
	if (b->addr >= a_end && b_end - a->addr > PIECE_BYTES_MAX)
		return false;
	uint32_t used = b->used_len ? (uint32_t)(b->addr - a->addr) + b->used_len : 0;
	if (used > a->used_len)
		a->used_len = used;
	if (b_end > a_end)
		a->len = (uint32_t)(b_end - a->addr);
	piece_remove(r, i + 1);
	return true;
}

static void piece_add(struct stack_reader *r, remote_addr addr, uint32_t len)
{
	size_t before = piece_before(r, addr);
	size_t i = before == r->piece_count ? 0 : before + 1;

	array_reserve(r->pieces, r->piece_capacity, r->piece_count + 1);
	memmove(&r->pieces[i + 1], &r->pieces[i], (r->piece_count - i) * sizeof(r->pieces[0]));
	r->pieces[i] = (struct stack_piece){ .addr = addr, .len = len, .used_len = len };
	r->piece_count++;
	while (piece_join_next(r, i))
		;
	if (i)
		piece_join_next(r, i - 1);
}

static size_t pieces_bytes(const struct stack_reader *r)
{
	size_t total = 0;

	for (size_t i = 0; i < r->piece_count; i++)
		total += r->pieces[i].len;
	return total;
}

/* Forgets what was not needed lately, so that one deep recursion does not cost for ever. */
static void pieces_trim(struct stack_reader *r)
{
	size_t kept = 0;

	if (++r->samples < TRIM_SAMPLES)
		return;
	r->samples = 0;
	for (size_t i = 0; i < r->piece_count; i++) {
		struct stack_piece *p = &r->pieces[i];

		if (!p->used_len)
			continue;
		if (p->used_len + DATASTACK_SLACK_BYTES < p->len)
			p->len = p->used_len + DATASTACK_SLACK_BYTES;
		p->used_len = 0;
		r->pieces[kept++] = *p;
	}
	r->piece_count = kept;
}

/* ---- images ----------------------------------------------------------------------------------- */

/* One image being parsed: where its parts lie in the buffer. */
struct image {
	struct stack_reader *r;
	const struct py_runtime *rt;
	const unsigned char *thread; // the thread state
	const unsigned char *bytes;  // piece 0, then piece 1, ...
	size_t last_piece, last_offset; // where the last look-up ended
	remote_addr miss;               // after PARSE_MISS: what was not in any piece
};

static size_t align8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static size_t add_ranges(struct stack_reader *r, const struct py_runtime *rt, size_t at,
	unsigned char *buffer)
{
	r->ranges[at++] = (struct mem_range){ r->state, buffer, rt->layout.thread_bytes };
	buffer += align8(rt->layout.thread_bytes);
	for (size_t i = 0; i < r->piece_count; i++) {
		r->ranges[at++] = (struct mem_range){ r->pieces[i].addr, buffer, r->pieces[i].len };
		buffer += r->pieces[i].len;
	}
	return at;
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

/* Reads both images; a piece that is no longer mapped is forgotten and gives READ_TORN. */
static enum read_status read_images(struct stack_reader *r, const struct py_runtime *rt,
	struct mem_reader *mem, size_t *image_bytes_ret)
{
	size_t image_bytes = align8(rt->layout.thread_bytes) + align8(pieces_bytes(r));
	size_t per_image = r->piece_count + 1, images = per_image * 2, whole;
	size_t riders = r->riders ? r->riders->count : 0;

	array_reserve(r->bytes, r->bytes_capacity, image_bytes * 2);
	array_reserve(r->ranges, r->range_capacity, images + riders);
	add_ranges(r, rt, 0, r->bytes);
	add_ranges(r, rt, per_image, r->bytes + image_bytes);
	if (riders)
		memcpy(r->ranges + images, r->riders->ranges, riders * sizeof(r->ranges[0]));
	r->counts.reads++;
	enum read_status status = read_ranges(mem, r->ranges, images + riders, &whole);
	*image_bytes_ret = image_bytes;
	if (r->riders)
		r->riders->whole = whole > images ? whole - images : 0;
	if (status == READ_FAULT && whole >= images)
		return READ_OK; // only a rider is gone
	if (status != READ_FAULT)
		return status;
	size_t failed = whole % per_image;
	if (failed == 0)
		return READ_GONE; // the thread state itself
	piece_remove(r, failed - 1);
	return READ_TORN;
}

/* `len` bytes at `addr` as the image has them, NULL if it does not. */
static const unsigned char *image_find(struct image *image, remote_addr addr, uint32_t len)
{
	struct stack_reader *r = image->r;
	struct stack_piece *p;
	uint32_t needed;

	if (image->last_piece >= r->piece_count ||
		!piece_holds(&r->pieces[image->last_piece], addr, len)) {
		size_t i = piece_before(r, addr);

		if (i == r->piece_count || !piece_holds(&r->pieces[i], addr, len))
			return NULL;
		image->last_piece = i;
		image->last_offset = 0;
		for (size_t k = 0; k < i; k++)
			image->last_offset += r->pieces[k].len;
	}
	p = &r->pieces[image->last_piece];
	needed = (uint32_t)(addr - p->addr) + len;
	if (needed > p->used_len)
		p->used_len = needed;
	return image->bytes + image->last_offset + (addr - p->addr);
}

/* ---- parsing ---------------------------------------------------------------------------------- */

enum parse_result {
	PARSE_OK,
	PARSE_MISS, // image->miss is where a frame is that no piece holds
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

/* The address of the innermost frame. */
static enum parse_result parse_innermost(struct image *image, remote_addr *frame_ret)
{
	const struct py_offsets *at = &image->rt->layout.at;
	remote_addr pointer = field_u64(image->thread, at->thread_frame);

	*frame_ret = pointer;
	if (image->rt->layout.frames != FRAME_CFRAME || !pointer)
		return PARSE_OK;
	if (!remote_plausible(pointer))
		return PARSE_TORN;
	const unsigned char *cframe = image_find(image, pointer, CFRAME_BYTES);
	if (!cframe) {
		image->miss = pointer;
		return PARSE_MISS;
	}
	*frame_ret = field_u64(cframe, at->cframe_current_frame);
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
		return true;
	}
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
 * lies a little before the frame.
 */
static enum parse_result check_generator(
	struct image *image, remote_addr frame, const unsigned char *bytes)
{
	const struct py_layout *layout = &image->rt->layout;
	const struct py_offsets *at = &layout->at;

	if (at->gen_iframe == OFFSET_NONE || bytes[at->frame_owner] != layout->owners.generator)
		return PARSE_OK;
	remote_addr state = frame - (at->gen_iframe - at->gen_frame_state);
	const unsigned char *found = image_find(image, state, 1);
	if (!found) {
		image->miss = state;
		return PARSE_MISS;
	}
	return *found == layout->frame_executing ? PARSE_OK : PARSE_TORN;
}

/* The frames from `addr` to the root. */
static enum parse_result parse_chain(struct image *image, remote_addr addr, struct raw_stack *stack)
{
	const struct py_layout *layout = &image->rt->layout;
	remote_addr end = layout->ends_at_base_frame ?
		field_u64(image->thread, layout->at.thread_base_frame) :
		0;
	uint32_t len = frame_bytes(layout);

	for (size_t links = 0; addr && addr != end; links++) {
		struct raw_frame frame;
		enum parse_result result;

		if (links >= STACK_FRAMES_MAX) {
			stack->too_deep = true;
			return is_in(stack, addr) ? PARSE_TORN : PARSE_OK;
		}
		if (!remote_plausible(addr))
			return PARSE_TORN;
		const unsigned char *bytes = image_find(image, addr, len);
		if (!bytes) {
			image->miss = addr;
			return PARSE_MISS;
		}
		if (!parse_frame(layout, addr, bytes, links == 0, &frame))
			return PARSE_TORN;
		result = check_generator(image, addr, bytes);
		if (result != PARSE_OK)
			return result;
		if (frame.code)
			stack_push(stack, &frame);
		else if (stack->count)
			stack->frames[stack->count - 1].native_below = true;
		addr = frame.previous;
	}
	// a chain that does not end where it must was cut off in the middle
	return addr == end ? PARSE_OK : PARSE_TORN;
}

static enum parse_result parse_image(struct image *image, struct raw_stack *stack)
{
	const struct py_offsets *at = &image->rt->layout.at;
	remote_addr innermost;

	stack->count = 0;
	stack->too_deep = stack->unproven = false;
	if (field_u64(image->thread, at->thread_interp) != image->r->interp)
		return PARSE_GONE;
	enum parse_result result = parse_innermost(image, &innermost);
	return result == PARSE_OK ? parse_chain(image, innermost, stack) : result;
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
	uint64_t end = top ? top - chunk + DATASTACK_SLACK_BYTES : at->chunk_data + used;
	if (top && (top < chunk || top - chunk > size))
		return READ_TORN;
	end = end < size ? end : size;
	if (end > at->chunk_data && !pieces_hold(r, chunk + at->chunk_data,
					     (uint32_t)(end - at->chunk_data)))
		piece_add(r, chunk + at->chunk_data, (uint32_t)(end - at->chunk_data));
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
	for (size_t n = 0; chunk && n < CHUNKS_MAX && pieces_bytes(r) < IMAGE_BYTES_MAX; n++) {
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
	for (size_t n = 0; n < STACK_FRAMES_MAX && addr && !pieces_hold(r, addr, len); n++) {
		if (!remote_plausible(addr))
			return READ_TORN;
		enum read_status status = mem_read(mem, addr, bytes, len);
		if (status != READ_OK)
			return status;
		piece_add(r, addr - before, len + before);
		addr = field_u64(bytes, rt->layout.at.frame_previous);
	}
	return READ_OK;
}

static enum read_status look_up(struct stack_reader *r, const struct py_runtime *rt,
	struct mem_reader *mem, const struct image *image)
{
	remote_addr miss = image->miss;

	// the state before a frame: not aligned as frames are
	if (miss & 7) {
		piece_add(r, miss & ~(remote_addr)7, 8);
		return READ_OK;
	}
	r->counts.misses++;
	if (pieces_bytes(r) > IMAGE_BYTES_MAX)
		r->piece_count = 0;
	switch (rt->layout.frames) {
	case FRAME_OBJECT:
		return add_frames(r, rt, mem, miss);
	case FRAME_CFRAME:
		if (miss == field_u64(image->thread, rt->layout.at.thread_frame)) {
			piece_add(r, miss, CFRAME_BYTES);
			return READ_OK;
		}
		break;
	case FRAME_CURRENT:
		break;
	}
	if (!pieces_hold(r, miss, frame_bytes(&rt->layout)))
		add_data_stack(r, rt, mem);
	return add_frames(r, rt, mem, miss);
}

/* ---- proving ---------------------------------------------------------------------------------- */

static bool frames_equal(const struct raw_frame *a, const struct raw_frame *b)
{
	return a->frame == b->frame && a->code == b->code && a->instr == b->instr &&
	       a->previous == b->previous && a->tlbc_index == b->tlbc_index;
}

/* How many frames, from the root on, both stacks have in common. */
static size_t common_base(const struct raw_stack *a, const struct raw_stack *b)
{
	size_t n = 0;

	while (n < a->count && n < b->count &&
		frames_equal(&a->frames[a->count - 1 - n], &b->frames[b->count - 1 - n]))
		n++;
	return n;
}

/* Only the leaf's instruction may differ: a call or a return in between, and nothing is proven. */
static bool settled(const struct raw_stack stacks[2])
{
	const struct raw_frame *a = stacks[0].frames, *b = stacks[1].frames;

	if (stacks[0].count != stacks[1].count)
		return false;
	if (!stacks[1].count)
		return true;
	return common_base(&stacks[0], &stacks[1]) + 1 >= stacks[1].count && a->frame == b->frame &&
	       a->code == b->code && a->previous == b->previous;
}

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

/* Leaves of `stack` only its proven part towards the root. */
static void keep_base(struct raw_stack *stack, size_t count)
{
	size_t dropped = stack->count - count;

	memmove(stack->frames, stack->frames + dropped, count * sizeof(stack->frames[0]));
	stack->count = count;
	stack->unproven = true;
}

/* One read of both images; *proven_ret = frames from the root that agree in both. */
static enum read_status attempt(struct stack_reader *r, const struct py_runtime *rt,
	struct mem_reader *mem, size_t *proven_ret)
{
	for (unsigned int misses = 0; misses <= MISSES_MAX; misses++) {
		enum parse_result results[2] = { PARSE_TORN, PARSE_TORN };
		struct image images[2];
		size_t image_bytes;
		enum read_status status = read_images(r, rt, mem, &image_bytes);

		if (status == READ_TORN)
			continue;
		if (status != READ_OK)
			return status;
		for (int i = 0; i < 2; i++) {
			const unsigned char *start = r->bytes + (size_t)i * image_bytes;

			images[i] = (struct image){ .r = r, .rt = rt, .thread = start,
				.bytes = start + align8(rt->layout.thread_bytes),
				.last_piece = SIZE_MAX };
			results[i] = parse_image(&images[i], &r->stacks[i]);
			if (results[i] == PARSE_GONE)
				return READ_GONE;
		}
		// the second image is the newer one: what it lacks is what is needed
		int missed = results[1] == PARSE_MISS ? 1 : results[0] == PARSE_MISS ? 0 : -1;
		if (missed < 0) {
			*proven_ret = 0;
			if (results[0] != PARSE_OK || results[1] != PARSE_OK)
				return READ_TORN;
			*proven_ret = common_base(&r->stacks[0], &r->stacks[1]);
			return settled(r->stacks) && root_confirmed(r, &r->stacks[1]) ? READ_OK :
											READ_TORN;
		}
		status = look_up(r, rt, mem, &images[missed]);
		if (status == READ_GONE || status == READ_DENIED)
			return status;
	}
	*proven_ret = 0;
	return READ_TORN;
}

enum read_status stack_reader_read(struct stack_reader *r, const struct py_runtime *rt,
	struct mem_reader *mem, unsigned int attempts, const struct raw_stack **stack_ret)
{
	size_t proven = 0;

	r->reads++;
	for (unsigned int i = 0; i < attempts; i++) {
		enum read_status status = attempt(r, rt, mem, &proven);

		if (status == READ_OK) {
			pieces_trim(r);
			*stack_ret = &r->stacks[1];
			return READ_OK;
		}
		if (status == READ_GONE || status == READ_DENIED)
			return status;
		r->counts.unsettled++;
	}
	if (!proven)
		return READ_TORN;
	keep_base(&r->stacks[1], proven);
	*stack_ret = &r->stacks[1];
	return READ_OK;
}

// SPDX-License-Identifier: MIT
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "images.h"

#define HEAP ((remote_addr)0x7f1000000000)
#define HEAP_BYTES ((size_t)1 << 20)
#define CHUNKS ((remote_addr)0x7f2000000000)
#define CSTACK ((remote_addr)0x7ffd00000000)
#define RUNTIME ((remote_addr)0x560000000000)
#define INTERP_BYTES 16384
#define FRAME_STRIDE 128

#define OWNER_THREAD 0

/* ---- memory ---------------------------------------------------------------------------------- */

remote_addr world_alloc(struct world *w, size_t bytes)
{
	remote_addr addr = w->heap_next;

	w->heap_next += (bytes + 15) & ~(size_t)15;
	if (w->heap_next > HEAP + HEAP_BYTES - 512)
		abort();
	return addr;
}

static struct mem_segment *segment_at(struct world *w, remote_addr addr)
{
	for (size_t i = 0; i < w->image.count; i++)
		if (w->image.segments[i].addr == addr)
			return &w->image.segments[i];
	abort();
}

static void carry_out(struct world *w, const struct world_store *s)
{
	if (s->map) {
		segment_at(w, s->addr)->len = s->value;
	} else if (s->unmap) {
		segment_at(w, s->addr)->len = 0;
	} else if (s->bytes) {
		unsigned char *at = mem_image_at(&w->image, s->addr, s->bytes);

		if (!at)
			abort();
		memcpy(at, &s->value, s->bytes);
	}
	if (!s->moment)
		return;
	array_reserve(w->moments, w->moment_capacity, w->moment_count + 1);
	w->moments[w->moment_count++] = s->moment;
}

static void issue(struct world *w, struct world_store s)
{
	if (!w->deferred) {
		carry_out(w, &s);
		return;
	}
	array_reserve(w->stores, w->store_capacity, w->store_count + 1);
	w->stores[w->store_count++] = s;
}

bool world_run(struct world *w, size_t count)
{
	while (count-- && w->store_done < w->store_count)
		carry_out(w, &w->stores[w->store_done++]);
	if (w->store_done < w->store_count)
		return true;
	w->store_done = w->store_count = 0;
	return false;
}

void world_forget(struct world *w)
{
	if (!w->moment_count)
		return;
	for (size_t i = 0; i + 1 < w->moment_count; i++)
		free((void *)w->moments[i]);
	w->moments[0] = w->moments[w->moment_count - 1];
	w->moment_count = 1;
}

void world_store(struct world *w, remote_addr addr, uint64_t value, unsigned int bytes)
{
	issue(w, (struct world_store){ .addr = addr, .value = value, .bytes = bytes });
}

void world_put(struct world *w, remote_addr object, uint32_t offset, uint64_t value)
{
	if (offset != OFFSET_NONE)
		world_store(w, object + offset, value, 8);
}

void world_put_u32(struct world *w, remote_addr object, uint32_t offset, uint32_t value)
{
	if (offset != OFFSET_NONE)
		world_store(w, object + offset, value, 4);
}

static void put_u8(struct world *w, remote_addr object, uint32_t offset, uint8_t value)
{
	if (offset != OFFSET_NONE)
		world_store(w, object + offset, value, 1);
}

static void copy_in(struct world *w, remote_addr addr, const void *bytes, size_t len)
{
	unsigned char *at = mem_image_at(&w->image, addr, len);

	if (!at)
		abort();
	if (len)
		memcpy(at, bytes, len);
}

void world_unmap(struct world *w, remote_addr addr)
{
	issue(w, (struct world_store){ .addr = addr, .unmap = true });
}

/* ---- making one ------------------------------------------------------------------------------ */

static void take_layout(struct world *w, const char *release)
{
	struct recording recording;

	recording_load(&recording, release);
	w->rt.layout = recording.rt.layout;
	w->rt.version_hex = recording.rt.version_hex;
	w->rt.machine = EM_X86_64;
	recording_deinit(&recording);
}

static remote_addr make_type(struct world *w, const char *name)
{
	remote_addr type = world_alloc(w, 1024), text = world_alloc(w, 64);

	copy_in(w, text, name, strlen(name) + 1);
	world_put(w, type, w->rt.layout.at.type_name, text);
	return type;
}

void world_init(struct world *w, const char *release)
{
	*w = (struct world){ .heap_next = HEAP, .chunk_bytes = 16384 };
	mem_image_init(&w->image);
	mem_image_add(&w->image, HEAP, NULL, HEAP_BYTES);
	mem_image_add(&w->image, RUNTIME, NULL, 4096);
	mem_image_add(&w->image, CSTACK, NULL, 4096);
	take_layout(w, release);
	w->rt.interp_head = RUNTIME;
	w->rt.tstate_current = RUNTIME + 8;
	w->rt.code_type = make_type(w, "code");
	w->interp = world_add_interpreter(w, 0);
}

void world_deinit(struct world *w)
{
	world_run(w, SIZE_MAX);
	for (size_t i = 0; i < w->moment_count; i++)
		free((void *)w->moments[i]);
	free(w->moments);
	free(w->stores);
	mem_image_deinit(&w->image);
}

/* ---- objects --------------------------------------------------------------------------------- */

static uint32_t string_state(const struct world *w, unsigned int width, bool ascii)
{
	unsigned int shift = w->rt.layout.strings == STRING_PEP393_SHIFTED ? 8 : 2;

	return (width | 1u << 3 | (ascii ? 1u << 4 : 0)) << shift;
}

/* Any function of the text will do as its hash. */
static uint64_t text_hash(const char *text)
{
	uint64_t h = 1469598103934665603u;

	while (*text)
		h = (h ^ (unsigned char)*text++) * 1099511628211u;
	return h;
}

void world_str_at(struct world *w, remote_addr addr, const char *ascii)
{
	const struct py_offsets *at = &w->rt.layout.at;
	size_t len = strlen(ascii);

	world_put(w, addr, at->str_length, len);
	world_put(w, addr, at->str_length + 8, text_hash(ascii));
	if (w->rt.layout.strings != STRING_BYTES)
		world_put_u32(w, addr, at->str_state, string_state(w, 1, true));
	copy_in(w, addr + at->str_ascii_size, ascii, len + 1);
}

remote_addr world_str(struct world *w, const char *ascii)
{
	remote_addr addr = world_alloc(w, 96 + strlen(ascii));

	world_str_at(w, addr, ascii);
	return addr;
}

remote_addr world_str_units(struct world *w, const void *units, size_t count, unsigned int width)
{
	const struct py_offsets *at = &w->rt.layout.at;
	remote_addr addr = world_alloc(w, 96 + count * width);

	world_put(w, addr, at->str_length, count);
	world_put_u32(w, addr, at->str_state, string_state(w, width, false));
	copy_in(w, addr + at->str_compact_size, units, count * width);
	return addr;
}

remote_addr world_bytes(struct world *w, const void *bytes, size_t len)
{
	const struct py_offsets *at = &w->rt.layout.at;
	remote_addr addr = world_alloc(w, 96 + len);

	world_put(w, addr, at->bytes_size, len);
	copy_in(w, addr + at->bytes_data, bytes, len);
	return addr;
}

remote_addr world_int(struct world *w, uint64_t value)
{
	const struct py_layout *layout = &w->rt.layout;
	remote_addr addr = world_alloc(w, 64);
	unsigned int digits = 0;

	if (layout->at.int_size == OFFSET_NONE) {
		world_put(w, addr, layout->at.int_digits, value);
		return addr;
	}
	for (; value; value >>= 30, digits++)
		world_store(w, addr + layout->at.int_digits + digits * 4, value & 0x3fffffff, 4);
	bool tagged = layout->major == 3 && layout->minor >= 12;
	world_put(w, addr, layout->at.int_size, tagged ? digits << 3 | !digits : digits);
	return addr;
}

static remote_addr dict_keys(
	struct world *w, const remote_addr *keys, const remote_addr *values, size_t count)
{
	bool old = w->rt.layout.dicts == DICT_KEYS_36;
	remote_addr object = world_alloc(w, 40 + 256 + count * 24), entries;

	if (old) {
		world_put(w, object, 8, 256);
		world_put(w, object, 32, count);
		entries = object + 40 + 256 * 2;
	} else {
		world_put(w, object, 8, 8 | 8u << 8);
		world_put(w, object, 24, count);
		entries = object + 32 + 256;
	}
	if (old)
		world_alloc(w, 256);
	for (size_t i = 0; i < count; i++) {
		world_put(w, entries + i * 24, 8, keys[i]);
		world_put(w, entries + i * 24, 16, values[i]);
	}
	return object;
}

/* In 2.7 a table of count + 1 slots, of which the first is empty. */
static remote_addr dict_table(
	struct world *w, const remote_addr *keys, const remote_addr *values, size_t count)
{
	remote_addr table = world_alloc(w, (count + 1) * 24);

	for (size_t i = 0; i < count; i++) {
		world_put(w, table + (i + 1) * 24, 8, keys[i]);
		world_put(w, table + (i + 1) * 24, 16, values[i]);
	}
	return table;
}

remote_addr world_dict(
	struct world *w, const remote_addr *keys, const remote_addr *values, size_t count)
{
	const struct py_offsets *at = &w->rt.layout.at;
	remote_addr dict = world_alloc(w, 96);

	if (w->rt.layout.dicts == DICT_TABLE) {
		world_put(w, dict, at->dict_keys, dict_table(w, keys, values, count));
		world_put(w, dict, at->dict_values, count); // there the mask
	} else {
		world_put(w, dict, at->dict_keys, dict_keys(w, keys, values, count));
	}
	return dict;
}

/* One line a unit, in the release's own kind of table. */
static remote_addr make_line_table(struct world *w)
{
	unsigned char table[WORLD_UNITS * 3];
	size_t n = 0;

	for (unsigned int unit = 0; unit < WORLD_UNITS; unit++) {
		switch (w->rt.layout.linetable) {
		case LINETABLE_LNOTAB_UNSIGNED:
		case LINETABLE_LNOTAB_SIGNED:
			table[n++] = unit ? 2 : 0;
			table[n++] = unit ? 1 : 0;
			break;
		case LINETABLE_RANGES:
			table[n++] = 2;
			table[n++] = unit ? 1 : 0;
			break;
		case LINETABLE_LOCATIONS:
			table[n++] = (unsigned char)(0x80 | (unit ? 11 : 10) << 3);
			table[n++] = 0;
			table[n++] = 1;
			break;
		}
	}
	return world_bytes(w, table, n);
}

void world_code_at(struct world *w, remote_addr addr, const struct world_code *c)
{
	const struct py_offsets *at = &w->rt.layout.at;

	world_put(w, addr, at->object_type, w->rt.code_type);
	world_put_u32(w, addr, at->code_firstlineno, c->first_line);
	world_put_u32(w, addr, at->code_version, c->version);
	world_put(w, addr, at->code_name, c->name);
	world_put(w, addr, at->code_qualname, c->qualname);
	world_put(w, addr, at->code_filename, c->file);
}

remote_addr world_code_of(struct world *w, const struct world_code *c)
{
	static const unsigned char bytecode[WORLD_UNITS * 2];
	const struct py_offsets *at = &w->rt.layout.at;
	remote_addr addr = world_alloc(w, 512);

	world_code_at(w, addr, c);
	world_put(w, addr, at->code_linetable, make_line_table(w));
	if (w->rt.layout.instr != INSTR_POINTER)
		world_put(w, addr, at->code_bytecode, world_bytes(w, bytecode, sizeof(bytecode)));
	return addr;
}

remote_addr world_code(struct world *w, const char *name, uint32_t first_line)
{
	static uint32_t version;
	struct world_code c = { .name = world_str(w, name),
		.file = world_str(w, "file.py"),
		.first_line = first_line,
		.version = ++version };

	c.qualname = c.name;
	return world_code_of(w, &c);
}

uint64_t world_instr(const struct world *w, remote_addr code, uint32_t unit)
{
	switch (w->rt.layout.instr) {
	case INSTR_BYTE_INDEX:
		return unit * 2;
	case INSTR_UNIT_INDEX:
		return unit;
	case INSTR_POINTER:
		return code + w->rt.layout.at.code_bytecode + unit * 2;
	}
	return 0;
}

/* ---- interpreters and threads ---------------------------------------------------------------- */

remote_addr world_add_interpreter(struct world *w, uint64_t id)
{
	const struct py_offsets *at = &w->rt.layout.at;
	remote_addr interp = world_alloc(w, INTERP_BYTES), head;

	mem_read_u64(&w->image.reader, w->rt.interp_head, &head);
	world_put(w, interp, at->interp_next, head);
	world_put(w, interp, at->interp_id, id);
	world_store(w, w->rt.interp_head, interp, 8);
	return interp;
}

static void add_chunk(struct world *w, struct world_thread *t)
{
	const struct py_offsets *at = &w->rt.layout.at;
	// newer chunks lie below older ones, as mmap gives them
	remote_addr chunk = CHUNKS - t->chunk_count * 0x100000;
	bool known = mem_image_at(&w->image, chunk, 0);

	if (!known)
		mem_image_add(&w->image, chunk, NULL, t->chunk_bytes);
	issue(w, (struct world_store){ .addr = chunk, .map = true, .value = t->chunk_bytes });
	if (t->chunk_count) {
		remote_addr old = t->chunks[t->chunk_count - 1];

		world_put(w, old, at->chunk_top, (t->top - old - at->chunk_data) / 8);
		world_put(w, chunk, at->chunk_previous, old);
	}
	world_put(w, chunk, at->chunk_size, t->chunk_bytes);
	world_put(w, t->state, at->thread_datastack_chunk, chunk);
	t->chunks[t->chunk_count++] = chunk;
	t->top = chunk + at->chunk_data;
}

static void drop_chunk(struct world *w, struct world_thread *t)
{
	const struct py_offsets *at = &w->rt.layout.at;
	remote_addr chunk = t->chunks[--t->chunk_count];

	world_put(w, t->state, at->thread_datastack_chunk, t->chunks[t->chunk_count - 1]);
	issue(w, (struct world_store){ .addr = chunk, .unmap = true });
}

void world_add_thread(struct world *w, struct world_thread *t, remote_addr interp)
{
	const struct py_offsets *at = &w->rt.layout.at;
	remote_addr head;

	*t = (struct world_thread){
		.state = world_alloc(w, 1024), .interp = interp, .chunk_bytes = w->chunk_bytes
	};
	mem_read_u64(&w->image.reader, interp + at->interp_threads_head, &head);
	world_put(w, t->state, at->thread_next, head);
	world_put(w, t->state, at->thread_interp, interp);
	world_put(w, t->state, at->thread_id, t->state + 64);
	if (at->thread_native_id != OFFSET_NONE)
		world_put(w, t->state, at->thread_native_id, t->state >> 4);
	world_put(w, interp, at->interp_threads_head, t->state);
	if (w->rt.layout.frames == FRAME_CFRAME) {
		t->cframe = CSTACK + 256;
		world_put(w, t->state, at->thread_frame, t->cframe);
	}
	if (w->rt.layout.root >= ROOT_SHIM) {
		t->base_frame = world_alloc(w, FRAME_STRIDE);
		put_u8(w, t->base_frame, at->frame_owner, 3);
	}
	if (w->rt.layout.root == ROOT_BASE_FRAME) {
		world_put(w, t->state, at->thread_base_frame, t->base_frame);
		world_put(w, t->state, at->thread_frame, t->base_frame);
	}
	if (at->thread_datastack_chunk != OFFSET_NONE) {
		add_chunk(w, t);
		world_put(w, t->state, at->thread_datastack_top, t->top);
	}
}

/* ---- calls ----------------------------------------------------------------------------------- */

static const struct world_stack *moment_of(const struct world_stack *stack)
{
	struct world_stack *copy = xmalloc(sizeof(*copy));

	*copy = *stack;
	return copy;
}

static remote_addr innermost(const struct world_thread *t)
{
	return t->stack.depth ? t->stack.frames[t->stack.depth - 1].frame : t->base_frame;
}

/* The store from which on the stack is what t->stack says. */
static void commit(struct world *w, struct world_thread *t)
{
	const struct py_offsets *at = &w->rt.layout.at;
	remote_addr where = w->rt.layout.frames == FRAME_CFRAME
		? t->cframe + at->cframe_current_frame
		: t->state + at->thread_frame;

	issue(w,
		(struct world_store){ .addr = where,
			.value = innermost(t),
			.bytes = 8,
			.moment = moment_of(&t->stack) });
}

static uint64_t instr_bytes(const struct world *w)
{
	return w->rt.layout.instr == INSTR_POINTER ? 8 : 4;
}

static remote_addr new_frame_object(struct world *w, struct world_thread *t)
{
	remote_addr frame = t->free_count ? t->free_frames[--t->free_count] : world_alloc(w, 256);

	world_put(w, frame, w->rt.layout.at.frame_refcount, 1);
	return frame;
}

static remote_addr new_stack_frame(struct world *w, struct world_thread *t)
{
	remote_addr chunk = t->chunks[t->chunk_count - 1];

	if (t->top + FRAME_STRIDE > chunk + t->chunk_bytes)
		add_chunk(w, t);
	t->top += FRAME_STRIDE;
	world_put(w, t->state, w->rt.layout.at.thread_datastack_top, t->top);
	return t->top - FRAME_STRIDE;
}

static void push(struct world *w, struct world_thread *t, remote_addr code, uint8_t owner)
{
	const struct py_layout *layout = &w->rt.layout;
	const struct py_offsets *at = &layout->at;
	bool objects = layout->frames == FRAME_OBJECT;
	remote_addr frame = objects ? new_frame_object(w, t) : new_stack_frame(w, t);

	world_put(w, frame, at->frame_code, code | (layout->code_tag_mask & 1));
	world_store(
		w, frame + at->frame_instr, world_instr(w, code, 0), (unsigned int)instr_bytes(w));
	put_u8(w, frame, at->frame_owner, owner);
	put_u8(w, frame, at->frame_is_entry, !t->stack.depth);
	if (layout->free_threaded) // elsewhere the target says 0 of it
		world_put_u32(w, frame, at->frame_tlbc_index, 0);
	world_put(w, frame, at->frame_previous, innermost(t));
	put_u8(w, frame, at->frame_state, layout->frame_executing);
	if (t->stack.depth == WORLD_DEPTH_MAX)
		abort();
	t->stack.frames[t->stack.depth++] = (struct world_frame){ frame, code, 0 };
	commit(w, t);
}

void world_push(struct world *w, struct world_thread *t, remote_addr code)
{
	push(w, t, code, OWNER_THREAD);
}

void world_push_shim(struct world *w, struct world_thread *t)
{
	push(w, t, 0, 3);
}

static void leave_frame_object(struct world *w, struct world_thread *t, remote_addr frame)
{
	const struct py_layout *layout = &w->rt.layout;

	put_u8(w, frame, layout->at.frame_state, layout->frame_executing ? 0 : 1);
	world_put(w, frame, layout->at.frame_refcount, 0);
	t->free_frames[t->free_count++] = frame;
}

static void leave_stack_frame(struct world *w, struct world_thread *t, remote_addr frame)
{
	const struct py_layout *layout = &w->rt.layout;

	if (layout->code_tag_mask) // from 3.14 on
		world_put(w, frame, layout->at.frame_code, 0);
	if (frame == t->chunks[t->chunk_count - 1] + layout->at.chunk_data && t->chunk_count > 1)
		drop_chunk(w, t);
	t->top = t->chunk_count && t->stack.depth
		? t->stack.frames[t->stack.depth - 1].frame + FRAME_STRIDE
		: t->chunks[0] + layout->at.chunk_data;
	world_put(w, t->state, layout->at.thread_datastack_top, t->top);
}

void world_pop(struct world *w, struct world_thread *t)
{
	remote_addr frame = t->stack.frames[--t->stack.depth].frame;

	commit(w, t);
	if (w->rt.layout.frames == FRAME_OBJECT)
		leave_frame_object(w, t, frame);
	else
		leave_stack_frame(w, t, frame);
}

void world_step(struct world *w, struct world_thread *t, uint32_t unit)
{
	struct world_frame *leaf = &t->stack.frames[t->stack.depth - 1];

	leaf->unit = unit;
	issue(w,
		(struct world_store){ .addr = leaf->frame + w->rt.layout.at.frame_instr,
			.value = world_instr(w, leaf->code, unit),
			.bytes = (unsigned int)instr_bytes(w),
			.moment = moment_of(&t->stack) });
}

/* ---- one thread ------------------------------------------------------------------------------ */

void still_init_with(struct still *s, const char *release, size_t chunk_bytes)
{
	*s = (struct still){ 0 };
	world_init(&s->w, release);
	if (chunk_bytes)
		s->w.chunk_bytes = chunk_bytes;
	world_add_thread(&s->w, &s->t, s->w.interp);
	for (size_t i = 0; i < ARRAY_LEN(s->codes); i++)
		s->codes[i] = world_code(&s->w, "function", (uint32_t)(i + 1) * 100);
	stack_reader_init(&s->reader, s->t.state, s->t.interp);
}

void still_init(struct still *s, const char *release)
{
	still_init_with(s, release, 0);
}

void still_deinit(struct still *s)
{
	stack_reader_deinit(&s->reader);
	world_deinit(&s->w);
}

void still_push(struct still *s, size_t count)
{
	for (size_t i = 0; i < count; i++)
		world_push(&s->w, &s->t, s->codes[i % ARRAY_LEN(s->codes)]);
}

enum read_status still_read(struct still *s)
{
	struct mem_reader *mem = &s->w.image.reader;

	s->w.image.reads = 0;
	enum read_status status = stack_reader_read(&s->reader, &s->w.rt, mem, 3, &s->stack);
	if (status == READ_OK && !s->stack->unproven)
		return status;
	// a stack that begins elsewhere than the last one counts when it is seen at another time
	return stack_reader_read(&s->reader, &s->w.rt, mem, 3, &s->stack);
}

void still_assert_true(struct still *s)
{
	bool good = still_read(s) == READ_OK && !s->stack->unproven &&
		s->stack->count == s->t.stack.depth;

	for (size_t i = 0; good && i < s->stack->count; i++) {
		const struct raw_frame *raw = &s->stack->frames[i];
		const struct world_frame *f = &s->t.stack.frames[s->stack->count - 1 - i];

		good = raw->frame == f->frame && raw->code == f->code &&
			raw->instr == world_instr(&s->w, f->code, f->unit);
	}
	if (!good)
		fail_msg("%s: the stack is not read as it is", s->w.rt.layout.name);
}

/* ---- a reader that is not alone -------------------------------------------------------------- */

static enum read_status read_grains(struct script_reader *s, const struct mem_range *range)
{
	size_t grain = s->grain ? s->grain : range->len, done = 0;

	do {
		size_t len = range->len - done < grain ? range->len - done : grain;

		if (s->step)
			s->step(s, range->addr + done);
		if (mem_read(&s->world->image.reader, range->addr + done, (char *)range->buf + done,
			    len) != READ_OK)
			return READ_FAULT;
		done += len;
	} while (done < range->len);
	return READ_OK;
}

static enum read_status script_readv(
	struct mem_reader *reader, const struct mem_range *ranges, size_t count, size_t *whole_ret)
{
	struct script_reader *s = (struct script_reader *)reader;

	s->calls++;
	*whole_ret = 0;
	for (size_t i = 0; i < count; i++) {
		s->ranges++;
		if (read_grains(s, &ranges[i]) != READ_OK)
			return READ_FAULT;
		(*whole_ret)++;
	}
	return READ_OK;
}

void script_reader_init(struct script_reader *s, struct world *w)
{
	static const struct mem_reader_ops ops = { .readv = script_readv };

	*s = (struct script_reader){ .reader.ops = &ops, .world = w };
}

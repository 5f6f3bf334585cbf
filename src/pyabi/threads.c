// SPDX-License-Identifier: MIT
#include "pyabi/threads.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/intern.h"

#define THREAD_BYTES_MAX 1536

void threads_deinit(struct py_threads *threads)
{
	free(threads->items);
	*threads = (struct py_threads){ 0 };
}

/* ---- lists ------------------------------------------------------------------------------------ */

/* _status: bits of a thread state that is being, or has been, taken down (3.12 and newer). */
#define STATUS_CLEARED (1u << 6)
#define STATUS_FINALIZED (1u << 7)

static bool thread_finished(const struct py_runtime *rt, const unsigned char *bytes)
{
	uint32_t offset = rt->layout.at.thread_status;

	return offset != OFFSET_NONE &&
	       field_u32(bytes, offset) & (STATUS_CLEARED | STATUS_FINALIZED);
}

static void add_thread(struct py_threads *threads, const struct py_runtime *rt, remote_addr state,
	remote_addr interp, uint64_t interp_id, const unsigned char *bytes)
{
	const struct py_offsets *at = &rt->layout.at;

	array_reserve(threads->items, threads->capacity, threads->count + 1);
	threads->items[threads->count++] = (struct py_thread){
		.state = state,
		.interp = interp,
		.interp_id = interp_id,
		.pthread = field_u64(bytes, at->thread_id),
		.native_id = at->thread_native_id == OFFSET_NONE ?
			0 :
			field_u64(bytes, at->thread_native_id),
	};
}

static enum read_status list_interpreter(const struct py_runtime *rt, struct mem_reader *mem,
	remote_addr interp, uint64_t interp_id, struct py_threads *threads)
{
	const struct py_offsets *at = &rt->layout.at;
	unsigned char bytes[THREAD_BYTES_MAX];
	remote_addr state;
	enum read_status status = mem_read_u64(mem, interp + at->interp_threads_head, &state);

	if (status != READ_OK)
		return status;
	for (size_t n = 0; state; n++) {
		if (!remote_plausible(state) || n >= THREADS_MAX ||
			rt->layout.thread_bytes > sizeof(bytes))
			return READ_TORN;
		status = mem_read(mem, state, bytes, rt->layout.thread_bytes);
		if (status != READ_OK)
			return status;
		if (field_u64(bytes, at->thread_interp) != interp)
			return READ_TORN;
		if (!thread_finished(rt, bytes))
			add_thread(threads, rt, state, interp, interp_id, bytes);
		state = field_u64(bytes, at->thread_next);
	}
	return READ_OK;
}

/* The main thread: said by 3.14 and newer; else the oldest of the oldest interpreter. */
static void mark_main(const struct py_runtime *rt, struct mem_reader *mem,
	struct py_threads *threads, remote_addr main_interp)
{
	uint32_t offset = rt->layout.at.interp_threads_main;
	remote_addr said = 0;
	struct py_thread *oldest = NULL;

	if (offset != OFFSET_NONE)
		mem_read_u64(mem, main_interp + offset, &said);
	for (size_t i = 0; i < threads->count; i++) {
		struct py_thread *t = &threads->items[i];

		if (t->interp != main_interp)
			continue;
		oldest = t;
		if (t->state == said)
			break;
	}
	if (oldest)
		oldest->main = true;
}

static uint64_t interp_id_of(const struct py_runtime *rt, struct mem_reader *mem,
	remote_addr interp, uint64_t position)
{
	uint64_t id;

	if (rt->layout.at.interp_id == OFFSET_NONE ||
		mem_read_u64(mem, interp + rt->layout.at.interp_id, &id) != READ_OK)
		return position;
	return id;
}

enum read_status threads_list(
	const struct py_runtime *rt, struct mem_reader *mem, struct py_threads *threads)
{
	remote_addr interp, last = 0;
	enum read_status status = mem_read_u64(mem, rt->interp_head, &interp);

	threads->count = 0;
	for (uint64_t n = 0; status == READ_OK && interp; n++) {
		if (!remote_plausible(interp) || n >= INTERPRETERS_MAX)
			return READ_TORN;
		status = list_interpreter(
			rt, mem, interp, interp_id_of(rt, mem, interp, n), threads);
		last = interp;
		if (status == READ_OK)
			status = mem_read_u64(mem, interp + rt->layout.at.interp_next, &interp);
	}
	if (status == READ_OK)
		mark_main(rt, mem, threads, last);
	return status;
}

enum read_status threads_heads(
	const struct py_runtime *rt, struct mem_reader *mem, uint64_t *digest_ret)
{
	const struct py_offsets *at = &rt->layout.at;
	remote_addr interp, pair[2];
	uint64_t digest = 0;
	enum read_status status = mem_read_u64(mem, rt->interp_head, &interp);

	for (size_t n = 0; status == READ_OK && interp; n++) {
		size_t whole;

		if (!remote_plausible(interp) || n >= INTERPRETERS_MAX)
			return READ_TORN;
		struct mem_range ranges[] = {
			{ interp + at->interp_next, &pair[0], 8 },
			{ interp + at->interp_threads_head, &pair[1], 8 },
		};
		status = mem_readv(mem, ranges, ARRAY_LEN(ranges), &whole);
		digest = intern_hash2(intern_hash2(digest, interp), pair[1]);
		interp = pair[0];
	}
	if (status == READ_OK)
		*digest_ret = digest;
	return status;
}

/* ---- kernel thread ids ------------------------------------------------------------------------ */

/* struct pthread of glibc and musl keeps it in the first kilobytes (720 on x86-64 glibc). */
#define PTHREAD_BYTES 2048

static bool is_tid(uint32_t word, const pid_t *tids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if ((uint32_t)tids[i] == word)
			return true;
	return false;
}

/* Keeps of `offsets` those where `bytes` hold a thread id; all of them at the first thread. */
static void intersect_offsets(bool offsets[PTHREAD_BYTES / 4], const unsigned char *bytes,
	size_t len, const pid_t *tids, size_t tid_count)
{
	for (uint32_t i = 0; i < PTHREAD_BYTES / 4; i++)
		if (offsets[i] && (i * 4 + 4 > len || !is_tid(field_u32(bytes, i * 4), tids, tid_count)))
			offsets[i] = false;
}

/* As much of a pthread as is mapped. */
static size_t read_pthread(struct mem_reader *mem, remote_addr pthread, unsigned char *bytes)
{
	for (size_t len = PTHREAD_BYTES; len >= 256; len /= 2)
		if (mem_read(mem, pthread, bytes, len) == READ_OK)
			return len;
	return 0;
}

static void find_tid_offset(struct py_runtime *rt, struct mem_reader *mem,
	const struct py_threads *threads, const pid_t *tids, size_t tid_count)
{
	unsigned char bytes[PTHREAD_BYTES];
	bool offsets[PTHREAD_BYTES / 4];
	size_t looked_at = 0;

	memset(offsets, true, sizeof(offsets));
	for (size_t i = 0; i < threads->count; i++) {
		size_t len = read_pthread(mem, threads->items[i].pthread, bytes);

		if (!len)
			continue;
		intersect_offsets(offsets, bytes, len, tids, tid_count);
		looked_at++;
	}
	for (uint32_t i = 0; looked_at && i < PTHREAD_BYTES / 4; i++) {
		if (!offsets[i])
			continue;
		rt->has_tid_offset = true;
		rt->tid_offset = i * 4;
		return;
	}
}

void threads_calibrate(struct py_runtime *rt, struct mem_reader *mem, struct py_threads *threads,
	const pid_t *tids, size_t tid_count)
{
	if (rt->layout.at.thread_native_id != OFFSET_NONE)
		return;
	if (!rt->has_tid_offset)
		find_tid_offset(rt, mem, threads, tids, tid_count);
	for (size_t i = 0; rt->has_tid_offset && i < threads->count; i++) {
		uint32_t tid;

		if (mem_read(mem, threads->items[i].pthread + rt->tid_offset, &tid, sizeof(tid)) ==
				READ_OK &&
			is_tid(tid, tids, tid_count))
			threads->items[i].native_id = tid;
	}
}

/* ---- names ------------------------------------------------------------------------------------ */

struct name_walk {
	struct py_memory py;
	thread_name_visitor visit;
	void *data;
	const char *attribute;
};

static bool visit_active(void *data, remote_addr key, remote_addr value)
{
	struct name_walk *walk = data;
	_cleanup_buf_ struct buf name = BUF_INIT;
	remote_addr text = 0;
	uint64_t ident;

	if (object_int(&walk->py, key, &ident) == READ_OK &&
		object_attribute(&walk->py, value, walk->attribute, &text) == READ_OK && text &&
		object_text(&walk->py, text, &name) == READ_OK && name.len)
		walk->visit(walk->data, ident, buf_str(&name));
	return true;
}

/* sys.modules["threading"]._active: {ident: Thread} */
enum read_status threads_names(const struct py_runtime *rt, struct mem_reader *mem,
	remote_addr interp, thread_name_visitor visit, void *data)
{
	struct name_walk walk = {
		.py = runtime_memory(rt, mem),
		.visit = visit,
		.data = data,
		.attribute = rt->layout.thread_name_attribute,
	};
	remote_addr modules, module = 0, dict, active = 0;
	enum read_status status = mem_read_u64(mem, interp + rt->layout.at.interp_modules, &modules);

	if (status == READ_OK)
		status = object_dict_get(&walk.py, modules, "threading", &module);
	if (status != READ_OK || !module)
		return status;
	status = mem_read_u64(mem, module + rt->layout.at.module_dict, &dict);
	if (status == READ_OK)
		status = object_dict_get(&walk.py, dict, "_active", &active);
	if (status != READ_OK || !active)
		return status;
	return object_dict_each(&walk.py, active, visit_active, &walk);
}

/* ---- the GIL ---------------------------------------------------------------------------------- */

static remote_addr holder_at(struct mem_reader *mem, remote_addr pointer)
{
	remote_addr holder;

	return pointer && mem_read_u64(mem, pointer, &holder) == READ_OK ? holder : 0;
}

/* interp.ceval.gil leads to the interpreter's own lock or the one it shares. */
static remote_addr interpreter_holder(
	const struct py_runtime *rt, struct mem_reader *mem, remote_addr interp)
{
	const struct py_offsets *at = &rt->layout.at;
	remote_addr gil, holder;
	uint32_t locked;

	if (mem_read_u64(mem, interp + at->interp_ceval_gil, &gil) != READ_OK ||
		!remote_plausible(gil))
		return 0;
	struct mem_range ranges[] = {
		{ gil + at->gil_last_holder, &holder, sizeof(holder) },
		{ gil + at->gil_locked, &locked, sizeof(locked) },
	};
	size_t whole;
	if (mem_readv(mem, ranges, ARRAY_LEN(ranges), &whole) != READ_OK)
		return 0;
	return locked == 1 ? holder : 0;
}

static bool gil_enabled(const struct py_runtime *rt, struct mem_reader *mem, remote_addr interp)
{
	uint32_t offset = rt->layout.at.interp_gil_enabled, enabled;

	return offset != OFFSET_NONE && offset &&
	       mem_read(mem, interp + offset, &enabled, sizeof(enabled)) == READ_OK && enabled;
}

static bool thread_flag(const struct py_runtime *rt, struct mem_reader *mem, remote_addr state)
{
	uint32_t holds;

	return mem_read(mem, state + rt->layout.at.thread_holds_gil, &holds, sizeof(holds)) ==
		       READ_OK &&
	       holds == 1;
}

static remote_addr holder_in(const struct py_runtime *rt, struct mem_reader *mem,
	const struct py_thread *thread)
{
	switch (rt->layout.gil) {
	case GIL_CURRENT_SYMBOL:
	case GIL_RUNTIME_CURRENT:
		return holder_at(mem, rt->tstate_current);
	case GIL_PER_INTERPRETER:
		return interpreter_holder(rt, mem, thread->interp);
	case GIL_THREAD_FLAG:
		return thread_flag(rt, mem, thread->state) ? thread->state : 0;
	case GIL_FREE_THREADED:
		return gil_enabled(rt, mem, thread->interp) ?
			interpreter_holder(rt, mem, thread->interp) :
			0;
	}
	return 0;
}

size_t threads_gil_holders(const struct py_runtime *rt, struct mem_reader *mem,
	const struct py_threads *threads, remote_addr *holders, size_t capacity)
{
	bool per_thread = rt->layout.gil == GIL_THREAD_FLAG;
	remote_addr last_interp = 0;
	size_t count = 0;

	for (size_t i = 0; i < threads->count && count < capacity; i++) {
		const struct py_thread *t = &threads->items[i];

		// threads of an interpreter stand together
		if (!per_thread && t->interp == last_interp)
			continue;
		last_interp = t->interp;
		remote_addr holder = holder_in(rt, mem, t);
		if (!holder || (count && holders[count - 1] == holder))
			continue;
		holders[count++] = holder;
	}
	return count;
}

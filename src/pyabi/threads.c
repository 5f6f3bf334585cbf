// SPDX-License-Identifier: MIT
#include "pyabi/threads.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

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

/* The interpreter being listed. */
struct listed_interp {
	remote_addr address, gil, first_thread;
	uint64_t id;
};

static void add_thread(struct py_threads *threads, const struct py_runtime *rt, remote_addr state,
	const struct listed_interp *interp, const unsigned char *bytes)
{
	const struct py_offsets *at = &rt->layout.at;

	array_reserve(threads->items, threads->capacity, threads->count + 1);
	threads->items[threads->count++] = (struct py_thread){
		.state = state,
		.interp = interp->address,
		.interp_id = interp->id,
		.gil = interp->gil,
		.first_thread = interp->first_thread,
		.pthread = field_u64(bytes, at->thread_id),
		.native_id = at->thread_native_id == OFFSET_NONE ?
			0 :
			field_u64(bytes, at->thread_native_id),
	};
}

static enum read_status list_interpreter(const struct py_runtime *rt, struct mem_reader *mem,
	const struct listed_interp *interp, struct py_threads *threads)
{
	const struct py_offsets *at = &rt->layout.at;
	unsigned char bytes[THREAD_BYTES_MAX];
	remote_addr state = interp->first_thread;

	for (size_t n = 0; state; n++) {
		if (!remote_plausible(state) || n >= THREADS_MAX ||
			threads->count >= THREADS_MAX ||
			rt->layout.thread_bytes > sizeof(bytes))
			return READ_TORN;
		enum read_status status = mem_read(mem, state, bytes, rt->layout.thread_bytes);
		if (status != READ_OK)
			return status;
		if (field_u64(bytes, at->thread_interp) != interp->address)
			return READ_TORN;
		if (!thread_finished(rt, bytes))
			add_thread(threads, rt, state, interp, bytes);
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

/* A free-threaded build may have brought its GIL back (PYTHON_GIL=1, an extension that needs it). */
static bool lock_enabled(const struct py_runtime *rt, struct mem_reader *mem, remote_addr lock)
{
	uint32_t enabled;

	if (rt->layout.at.gil_enabled == OFFSET_NONE)
		return true;
	return mem_read(mem, lock + rt->layout.at.gil_enabled, &enabled, sizeof(enabled)) ==
		       READ_OK &&
	       enabled;
}

/* The lock that the threads of an interpreter take, 0 if they take none or it is kept elsewhere. */
static remote_addr interp_lock(
	const struct py_runtime *rt, struct mem_reader *mem, remote_addr interp)
{
	remote_addr lock;

	if (rt->layout.gil != GIL_PER_INTERPRETER && rt->layout.gil != GIL_FREE_THREADED)
		return 0;
	if (mem_read_u64(mem, interp + rt->layout.at.interp_ceval_gil, &lock) != READ_OK ||
		!remote_plausible(lock) || !lock_enabled(rt, mem, lock))
		return 0;
	return lock;
}

bool threads_have_gil(const struct py_runtime *rt, struct mem_reader *mem)
{
	remote_addr interp;

	if (rt->layout.gil != GIL_FREE_THREADED)
		return true;
	return mem_read_u64(mem, rt->interp_head, &interp) == READ_OK &&
	       interp_lock(rt, mem, interp);
}

/* struct _gil_runtime_state with its condition variables and mutexes, on any machine. */
#define GIL_BYTES 256

bool threads_gil_futexes(const struct py_runtime *rt, const struct py_thread *thread,
	remote_addr *start_ret, remote_addr *end_ret)
{
	switch (rt->layout.gil) {
	case GIL_CURRENT_SYMBOL:
		return false;
	case GIL_RUNTIME_CURRENT:
		// 3.7 to 3.11: the only futexes before this field are those of the GIL
		*start_ret = rt->address;
		*end_ret = rt->address + rt->layout.at.runtime_tstate_current;
		return rt->address != 0;
	case GIL_PER_INTERPRETER:
	case GIL_FREE_THREADED:
		*start_ret = thread->gil;
		*end_ret = thread->gil + GIL_BYTES;
		return thread->gil != 0;
	}
	return false;
}

/*
 * A thread state is made by the thread that starts another. Until the other runs it carries that one's
 * identity (to 3.11) or none. Newer states stand before older ones: what has the identity of one after
 * it, in the same interpreter, has not started.
 */
static void drop_unstarted(const struct py_runtime *rt, struct py_threads *threads)
{
	bool has_native_ids = rt->layout.at.thread_native_id != OFFSET_NONE;
	size_t kept = 0;

	for (size_t i = 0; i < threads->count; i++) {
		const struct py_thread *t = &threads->items[i];
		bool started = t->pthread && (t->native_id || !has_native_ids);

		for (size_t k = i + 1; k < threads->count && started; k++)
			started = threads->items[k].interp != t->interp ||
				  threads->items[k].pthread != t->pthread;
		if (started)
			threads->items[kept++] = *t;
	}
	threads->unstarted = kept < threads->count;
	threads->count = kept;
}

/* Reads what is needed of an interpreter, and where the next one is. */
static enum read_status read_interpreter(const struct py_runtime *rt, struct mem_reader *mem,
	struct listed_interp *interp, remote_addr *next_ret)
{
	const struct py_offsets *at = &rt->layout.at;
	struct mem_range ranges[3] = {
		{ interp->address + at->interp_next, next_ret, sizeof(*next_ret) },
		{ interp->address + at->interp_threads_head, &interp->first_thread, 8 },
	};
	size_t count = 2, whole;

	if (at->interp_id != OFFSET_NONE)
		ranges[count++] = (struct mem_range){ interp->address + at->interp_id, &interp->id, 8 };
	interp->gil = interp_lock(rt, mem, interp->address);
	return mem_readv(mem, ranges, count, &whole);
}

enum read_status threads_list(
	const struct py_runtime *rt, struct mem_reader *mem, struct py_threads *threads)
{
	remote_addr address, last = 0;
	enum read_status status = mem_read_u64(mem, rt->interp_head, &address);

	threads->count = 0;
	threads->first_interp = status == READ_OK ? address : 0;
	for (uint64_t n = 0; status == READ_OK && address; n++) {
		struct listed_interp interp = { .address = address, .id = n };

		if (!remote_plausible(address) || n >= INTERPRETERS_MAX)
			return READ_TORN;
		last = address;
		status = read_interpreter(rt, mem, &interp, &address);
		if (status == READ_OK)
			status = list_interpreter(rt, mem, &interp, threads);
	}
	if (status != READ_OK)
		return status;
	drop_unstarted(rt, threads);
	mark_main(rt, mem, threads, last);
	return READ_OK;
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

/* As much of a pthread as is mapped. */
static size_t read_pthread(struct mem_reader *mem, remote_addr pthread, unsigned char *bytes)
{
	for (size_t len = PTHREAD_BYTES; len >= 256; len /= 2)
		if (mem_read(mem, pthread, bytes, len) == READ_OK)
			return len;
	return 0;
}

/* So many threads are enough to tell. */
#define CALIBRATION_THREADS 32

/* The beginnings of some pthreads. */
struct pthread_bytes {
	unsigned char bytes[PTHREAD_BYTES];
	size_t len;
};

/* How many threads have a thread id of their own at this place: two with the same one count once. */
static size_t distinct_tids(const struct pthread_bytes *pthreads, size_t count, uint32_t offset,
	const pid_t *tids, size_t tid_count)
{
	uint32_t seen[CALIBRATION_THREADS];
	size_t distinct = 0;

	for (size_t i = 0; i < count; i++) {
		if (offset + 4 > pthreads[i].len)
			continue;
		uint32_t word = field_u32(pthreads[i].bytes, offset);
		bool known = !is_tid(word, tids, tid_count);

		for (size_t k = 0; k < distinct && !known; k++)
			known = seen[k] == word;
		if (!known)
			seen[distinct++] = word;
	}
	return distinct;
}

/* Where it is known to be: glibc on x86-64 and aarch64. */
static const uint32_t usual_tid_offsets[] = { 720, 208 };

/*
 * The place where most threads have a thread id of their own. Not all need to: a forked child keeps
 * the states of threads that it does not have. One thread alone proves nothing (in a pid namespace
 * ids are small numbers), unless it is at a usual place.
 */
static void find_tid_offset(struct py_runtime *rt, struct mem_reader *mem,
	const struct py_threads *threads, const pid_t *tids, size_t tid_count)
{
	_cleanup_free_ struct pthread_bytes *pthreads =
		xcalloc(CALIBRATION_THREADS, sizeof(*pthreads));
	size_t count = threads->count < CALIBRATION_THREADS ? threads->count : CALIBRATION_THREADS;
	size_t best = 0;

	for (size_t i = 0; i < count; i++)
		pthreads[i].len =
			read_pthread(mem, threads->items[i].pthread, pthreads[i].bytes);
	for (size_t i = 0; i < ARRAY_LEN(usual_tid_offsets); i++) {
		size_t n = distinct_tids(pthreads, count, usual_tid_offsets[i], tids, tid_count);

		if (n > best) {
			best = n;
			rt->tid_offset = usual_tid_offsets[i];
		}
	}
	for (uint32_t offset = 0; offset < PTHREAD_BYTES; offset += 4) {
		size_t n = distinct_tids(pthreads, count, offset, tids, tid_count);

		if (n > best && n > 1) {
			best = n;
			rt->tid_offset = offset;
		}
	}
	rt->has_tid_offset = best > 0;
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
			READ_OK)
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

// SPDX-License-Identifier: MIT
/*
 * Which lock a thread waits for, who has it, and whether threads wait for each other.
 *
 * The lock: up to 3.12 a thread waits on a semaphore (a futex) that the lock object points to, so
 * that a lock found near the innermost frame is known to be the one. From 3.13 on each thread waits
 * on something of its own; the lock is then the one on top of that frame's stack of values, if it
 * says that somebody waits for it.
 *
 * Who has it: an RLock says so. A Lock does not; but a thread within `with lock:` has the lock on the
 * stack of values, below the block. If exactly one thread has, it is the owner. Locks taken by
 * acquire() have no owner that could be told. A thread that waits for a condition has given the
 * condition's lock back.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "cmd/dump.h"

#define NO_THREAD SIZE_MAX

struct locks {
	struct dumped_process *process;
	const struct py_runtime *rt;
	struct py_memory py;
};

static bool read_word_at(const struct locks *l, remote_addr base, uint32_t offset, uint64_t *ret)
{
	return remote_plausible(base) && mem_read_u64(l->py.mem, base + offset, ret) == READ_OK;
}

/* ---- lock objects ----------------------------------------------------------------------------- */

enum lock_type {
	LOCK_NONE,
	LOCK_PLAIN,
	LOCK_RECURSIVE,
	LOCK_THREAD, // the end of a thread, which join() waits for (3.13 and newer)
};

static enum lock_type lock_type(const struct locks *l, remote_addr object)
{
	static const struct {
		const char *name;
		enum lock_type type;
	} types[] = {
		{ "_thread.lock", LOCK_PLAIN },
		{ "thread.lock", LOCK_PLAIN },
		{ "_thread.RLock", LOCK_RECURSIVE },
		{ "_thread._ThreadHandle", LOCK_THREAD },
	};
	struct value_type type;

	if (!object || value_type_of(&l->py, object, &type) != READ_OK)
		return LOCK_NONE;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(type.name, types[i].name) == 0)
			return types[i].type;
	return LOCK_NONE;
}

/* The lock that a value is, or whose method it is; 0 for none. */
static remote_addr lock_of_value(const struct locks *l, remote_addr value)
{
	struct value_type type;
	remote_addr self = 0;

	if (!value || value_type_of(&l->py, value, &type) != READ_OK)
		return 0;
	// methods, in C and in Python: function, then what they are bound to
	if (strcmp(type.name, "builtin_function_or_method") == 0 ||
		strcmp(type.name, "method") == 0 || strcmp(type.name, "instancemethod") == 0) {
		if (!read_word_at(l, value, l->rt->layout.at.object_size + 8, &self))
			return 0;
		value = self;
	}
	return lock_type(l, value) != LOCK_NONE ? value : 0;
}

/* What a lock begins with: a mutex of one byte, or where its semaphore is. */
static bool is_mutex(const struct locks *l, uint64_t word)
{
	switch (l->rt->layout.locks) {
	case LOCK_SEMAPHORE:
		break;
	case LOCK_EITHER:
		return word <= UINT8_MAX;
	case LOCK_MUTEX:
		return true;
	}
	return false;
}

/* Does a thread wait for this lock that waits at `futex` (0: not known where)? */
static bool waited_for(const struct locks *l, remote_addr lock, uint64_t futex)
{
	uint32_t head = l->rt->layout.at.object_size;
	uint64_t word, semaphore;

	if (lock_type(l, lock) == LOCK_THREAD)
		return true;
	if (!read_word_at(l, lock, head, &word))
		return false;
	if (is_mutex(l, word))
		return (word & 3) == 3; // locked, and somebody waits
	if (futex)
		return word && futex == word;
	// glibc: value, then how many wait
	return read_word_at(l, word, 0, &semaphore) && !(uint32_t)semaphore && semaphore >> 32;
}

/* ---- what a thread waits for ------------------------------------------------------------------- */

static remote_addr find_lock(const struct locks *l, const struct dumped_thread *t)
{
	const struct dumped_frame *leaf = &t->frames[0];
	remote_addr slots[STACK_SLOTS_MAX];
	size_t count = 0, below = 0;
	// without a futex that is the lock's own, only what is certainly not held by this frame
	bool by_futex = t->futex && l->rt->layout.locks == LOCK_SEMAPHORE;

	if (!t->count || !leaf->address ||
		locals_stack(&l->py, leaf->address, leaf->code, slots, &count) != READ_OK ||
		locals_stack_in_blocks(
			&l->py, leaf->address, leaf->code, leaf->offset, &below) != READ_OK)
		return 0;
	for (size_t i = by_futex ? 0 : below; i < count; i++) {
		remote_addr lock = lock_of_value(l, slots[i]);

		if (lock && waited_for(l, lock, t->futex))
			return lock;
	}
	return 0;
}

struct name_search {
	const struct locks *l;
	remote_addr object;
	struct buf *name;
};

static bool visit_attribute(void *data, remote_addr key, remote_addr value)
{
	struct name_search *search = data;
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (value != search->object || object_text(&search->l->py, key, &text) != READ_OK)
		return true;
	buf_add_str(search->name, buf_str(&text));
	return false;
}

/* A variable, or as long as none was found, an attribute of one. */
static bool visit_local(void *data, const char *name, enum local_kind kind, remote_addr object)
{
	struct name_search *search = data;

	(void)kind;
	if (object == search->object) {
		buf_clear(search->name);
		buf_add_str(search->name, name);
		return false;
	}
	if (search->name->len)
		return true;
	buf_printf(search->name, "%s.", name);
	size_t before = search->name->len;
	object_attributes_each(&search->l->py, object, visit_attribute, search);
	if (search->name->len == before)
		buf_clear(search->name);
	return true;
}

/* f_globals lies before f_locals, from 3.12 on with f_builtins between them, as in 3.11. */
static remote_addr globals_of(const struct locks *l, remote_addr frame)
{
	const struct py_layout *layout = &l->rt->layout;
	uint32_t before = layout->frames == FRAME_OBJECT ? 8 : 16;
	remote_addr globals = 0;

	read_word_at(l, frame, layout->at.frame_locals - before, &globals);
	return globals;
}

/* What the frame calls it: a variable, an attribute of one, or a global. */
static char *name_of(const struct locks *l, const struct dumped_frame *frame, remote_addr object)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct name_search search = { .l = l, .object = object, .name = &name };

	locals_each(&l->py, frame->address, frame->code, visit_local, &search);
	if (!name.len)
		object_dict_each(
			&l->py, globals_of(l, frame->address), visit_attribute, &search);
	return name.len ? xstrdup(name.data) : NULL;
}

static void describe_lock(const struct locks *l, struct dumped_wait *wait)
{
	const struct value_options options = VALUE_OPTIONS_DEFAULT;
	struct value value;

	if (value_describe(&l->py, wait->lock, NULL, &options, &value) == READ_OK)
		wait->what = xstrdup(buf_str(&value.text));
	value_deinit(&value);
}

static void find_wait(const struct locks *l, struct dumped_thread *t)
{
	// a thread that is known to do something else does not wait for a lock
	if (t->waits_for_gil || t->holds_gil || !t->count || t->run == THREAD_ON_CPU ||
		t->run == THREAD_RUNNABLE || (t->run == THREAD_WAITING && !t->futex))
		return;
	t->wait.lock = find_lock(l, t);
	if (!t->wait.lock)
		return;
	t->wait.waits = true;
	t->wait.forever = t->futex && !t->futex_timed;
	t->wait.name = name_of(l, &t->frames[0], t->wait.lock);
	describe_lock(l, &t->wait);
}

/* ---- who has it ------------------------------------------------------------------------------- */

/* threading.Condition.wait(), which gives the lock back for the time that it waits. */
static bool is_condition_wait(const struct locks *l, const struct dumped_frame *frame)
{
	const struct profile *p = &l->process->capture.tables;
	const struct store_function *f = &p->functions[p->frames[frame->id].function];
	const char *name = profile_text(p, f->name), *file = profile_text(p, f->file);
	size_t len = strlen(file), ending = strlen("threading.py");

	return (strcmp(name, "Condition.wait") == 0 || strcmp(name, "wait") == 0) &&
	       len >= ending && strcmp(file + len - ending, "threading.py") == 0;
}

/* True if the frame is within `with lock:`. */
static bool has_in_block(
	const struct locks *l, const struct dumped_frame *frame, remote_addr lock)
{
	remote_addr slots[STACK_SLOTS_MAX];
	size_t count = 0, in_blocks = 0;

	if (!frame->address ||
		locals_stack_in_blocks(
			&l->py, frame->address, frame->code, frame->offset, &in_blocks) != READ_OK ||
		!in_blocks ||
		locals_stack(&l->py, frame->address, frame->code, slots, &count) != READ_OK)
		return false;
	for (size_t i = 0; i < count && i < in_blocks; i++)
		if (lock_of_value(l, slots[i]) == lock)
			return true;
	return false;
}

static bool is_within(const struct locks *l, const struct dumped_thread *t, remote_addr lock)
{
	for (size_t i = 0; i < t->count; i++) {
		if (is_condition_wait(l, &t->frames[i]))
			return false;
		if (has_in_block(l, &t->frames[i], lock))
			return true;
	}
	return false;
}

static size_t owner_by_with(const struct locks *l, remote_addr lock)
{
	size_t found = NO_THREAD;

	for (size_t i = 0; i < l->process->count; i++) {
		if (!is_within(l, &l->process->threads[i], lock))
			continue;
		if (found != NO_THREAD)
			return NO_THREAD;
		found = i;
	}
	return found;
}

/* RLock: what it locks with, the owner's identity, how often. */
static size_t owner_by_lock(const struct locks *l, remote_addr lock)
{
	uint64_t owner;

	if (!read_word_at(l, lock, l->rt->layout.at.object_size + 8, &owner) || !owner)
		return NO_THREAD;
	for (size_t i = 0; i < l->process->count; i++)
		if (l->process->threads[i].py.pthread == owner)
			return i;
	return NO_THREAD;
}

static void find_owner(const struct locks *l, struct dumped_wait *wait)
{
	size_t owner = NO_THREAD;

	switch (lock_type(l, wait->lock)) {
	case LOCK_NONE:
	case LOCK_THREAD:
		break;
	case LOCK_PLAIN:
		owner = owner_by_with(l, wait->lock);
		wait->owner_by_with = owner != NO_THREAD;
		break;
	case LOCK_RECURSIVE:
		owner = owner_by_lock(l, wait->lock);
		break;
	}
	if (owner == NO_THREAD)
		return;
	wait->owner_thread = owner;
	wait->owner = l->process->threads[owner].py.state;
}

/* ---- waiting for each other ------------------------------------------------------------------- */

static bool waits_for_thread(const struct dumped_thread *t)
{
	return t->wait.waits && t->wait.owner;
}

/* Follows who waits for whom from thread `first`; the ring goes to p->deadlock if it comes back. */
static bool follow(struct dumped_process *p, size_t first)
{
	size_t at = first, count = 0;
	_cleanup_free_ size_t *path = xcalloc(p->count, sizeof(*path));

	while (count < p->count && waits_for_thread(&p->threads[at])) {
		path[count++] = at;
		at = p->threads[at].wait.owner_thread;
		if (at != first)
			continue;
		p->deadlock = take_ptr(&path);
		p->deadlock_count = count;
		return true;
	}
	return false;
}

static void find_deadlock(struct dumped_process *p)
{
	p->all_wait = p->count > 0;
	for (size_t i = 0; i < p->count; i++)
		p->all_wait &= p->threads[i].wait.waits && p->threads[i].wait.forever;
	for (size_t i = 0; i < p->count && !p->deadlock; i++)
		if (follow(p, i))
			return;
}

void dump_take_locks(struct dumped_process *p, const struct py_runtime *rt, struct mem_reader *mem)
{
	const struct locks l = { .process = p, .rt = rt, .py = runtime_memory(rt, mem) };

	for (size_t i = 0; i < p->count; i++)
		find_wait(&l, &p->threads[i]);
	for (size_t i = 0; i < p->count; i++)
		if (p->threads[i].wait.waits)
			find_owner(&l, &p->threads[i].wait);
	find_deadlock(p);
}

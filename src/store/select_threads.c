// SPDX-License-Identifier: MIT
#include "store/select_threads.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/intern.h"

struct err *selected_threads_init(struct selected_threads *t, const struct selection *selection)
{
	*t = (struct selected_threads){ 0 };
	struct err *err = patterns_init(&t->threads, selection->threads, "thread");

	if (!err)
		err = patterns_init(&t->processes, selection->processes, "process");
	if (err)
		patterns_deinit(&t->threads);
	return err;
}

void selected_threads_deinit(struct selected_threads *t)
{
	patterns_deinit(&t->threads);
	patterns_deinit(&t->processes);
	free(t->rows);
	*t = (struct selected_threads){ 0 };
}

/* ---- names that tell threads of a process apart ----------------------------------------------- */

/* alone[i]: no other thread of the process has thread i's name. */
static bool *find_alone(const struct capture *c)
{
	bool *alone = xcalloc(c->thread_count, sizeof(*alone));
	struct intern index = { 0 };

	for (size_t i = 0; i < c->thread_count; i++) {
		const struct capture_thread *t = &c->threads[i];
		uint64_t hash = intern_hash2(t->process, t->name);

		alone[i] = true;
		for (struct intern_probe at = intern_begin(&index, hash); intern_next(&index, &at);)
			if (c->threads[at.row].process == t->process &&
				c->threads[at.row].name == t->name)
				alone[i] = alone[at.row] = false;
		if (alone[i])
			intern_add(&index, hash, (uint32_t)i);
	}
	intern_deinit(&index);
	return alone;
}

/* Without an id, threads and processes of one name are one. */
static frame_id thread_frame(
	struct profile *to, const struct capture *c, uint32_t thread, bool with_id)
{
	const struct capture_thread *t = &c->threads[thread];
	const struct store_string *text = &c->tables.strings[t->name];
	_cleanup_buf_ struct buf name = BUF_INIT;

	buf_add(&name, text->text, text->len);
	bool unnamed = !name.len;
	if (unnamed)
		buf_add_str(&name, "thread");
	if (with_id)
		buf_printf(&name, unnamed ? " %u" : " #%u", t->tid ? t->tid : thread);
	return profile_plain_frame(to, FUNCTION_THREAD, buf_str(&name));
}

static frame_id process_frame(
	struct profile *to, const struct capture *c, uint32_t process, bool with_id)
{
	const struct capture_process *p = &c->processes[process];
	_cleanup_buf_ struct buf name = BUF_INIT;

	buf_add_str(&name, capture_text(c, p->name));
	if (!name.len)
		buf_add_str(&name, "process");
	if (with_id)
		buf_printf(&name, " (%u)", p->pid);
	return profile_plain_frame(to, FUNCTION_THREAD, buf_str(&name));
}

static stack_id base_stack(struct profile *to, const struct capture *c,
	const struct selection *selection, uint32_t thread, bool alone)
{
	uint32_t process = c->threads[thread].process;
	bool ids = !selection->roots_by_name;
	bool unnamed = !c->tables.strings[c->threads[thread].name].len;
	stack_id stack = STACK_NONE;

	if (selection->process_roots && process < c->process_count)
		stack = profile_stack(to, stack, process_frame(to, c, process, ids));
	if (selection->thread_roots)
		stack = profile_stack(
			to, stack, thread_frame(to, c, thread, ids && (unnamed || !alone)));
	return stack;
}

static bool is_selected(const struct selected_threads *t, const struct capture *c,
	const struct capture_thread *thread)
{
	static const struct capture_process none = { 0 }; // imported text knows no processes
	const struct capture_process *p =
		thread->process < c->process_count ? &c->processes[thread->process] : &none;

	return patterns_name(&t->threads, capture_text(c, thread->name), thread->tid) &&
		patterns_name(&t->processes, capture_text(c, p->name), p->pid);
}

void selected_threads_add(struct selected_threads *t, const struct capture *c,
	const struct selection *selection, struct profile *to)
{
	bool *alone = NULL;

	if (t->count == c->thread_count)
		return;
	if (selection->thread_roots)
		alone = find_alone(c);
	array_reserve(t->rows, t->capacity, c->thread_count);
	for (; t->count < c->thread_count; t->count++) {
		uint32_t i = (uint32_t)t->count;
		struct selected_thread row = { .last = STACK_NONE, .last_own = STACK_NONE };

		row.selected = is_selected(t, c, &c->threads[i]);
		row.base_stack = STACK_NONE;
		if (row.selected)
			row.base_stack = base_stack(to, c, selection, i, alone && alone[i]);
		if (selection->thread_roots)
			row.base = i;
		else if (selection->process_roots && c->threads[i].process < c->process_count)
			row.base = c->threads[i].process + 1;
		t->rows[i] = row;
	}
	free(alone);
}

// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "cmd/dump.h"
#include "pyabi/code.h"

void dumped_process_init(struct dumped_process *p)
{
	*p = (struct dumped_process){ 0 };
	capture_init(&p->capture);
}

void dump_drop_locals(struct dumped_frame *frame)
{
	for (size_t i = 0; i < frame->local_count; i++) {
		free(frame->locals[i].name);
		free(frame->locals[i].type);
		free(frame->locals[i].value);
	}
	free(frame->locals);
	frame->locals = NULL;
	frame->local_count = 0;
}

static void thread_deinit(struct dumped_thread *t)
{
	for (size_t i = 0; i < t->count; i++)
		dump_drop_locals(&t->frames[i]);
	free(t->frames);
	free(t->name);
	free(t->note);
	free(t->wait.what);
	free(t->wait.name);
}

void dumped_process_clear(struct dumped_process *p)
{
	for (size_t i = 0; i < p->count; i++)
		thread_deinit(&p->threads[i]);
	p->count = 0;
}

void dumped_process_deinit(struct dumped_process *p)
{
	dumped_process_clear(p);
	free(p->threads);
	free(p->deadlock);
	free(p->note);
	buf_deinit(&p->version);
	buf_deinit(&p->exe);
	buf_deinit(&p->cwd);
	buf_deinit(&p->command_line);
	capture_deinit(&p->capture);
	*p = (struct dumped_process){ 0 };
}

struct dumped_thread *dumped_process_add(struct dumped_process *p)
{
	array_reserve(p->threads, p->capacity, p->count + 1);
	p->threads[p->count] = (struct dumped_thread){ .run = THREAD_UNKNOWN, .syscall = -1 };
	return &p->threads[p->count++];
}

static int main_first(const void *a, const void *b)
{
	const struct py_thread *x = &((const struct dumped_thread *)a)->py;
	const struct py_thread *y = &((const struct dumped_thread *)b)->py;

	if (x->main != y->main)
		return x->main ? -1 : 1;
	return x->native_id < y->native_id ? -1 : x->native_id > y->native_id;
}

void dumped_process_sort(struct dumped_process *p)
{
	qsort(p->threads, p->count, sizeof(*p->threads), main_first);
}

/* ---- frames ----------------------------------------------------------------------------------- */

void dumped_thread_add_frame(struct dumped_thread *t, const struct dumped_frame *frame)
{
	array_reserve(t->frames, t->capacity, t->count + 1);
	t->frames[t->count++] = *frame;
}

static frame_id store_frame(
	struct dumped_process *p, const struct py_code *code, const struct dumped_frame *frame)
{
	struct profile *tables = &p->capture.tables;
	const struct store_function f = {
		.name = profile_string(tables, buf_str(&code->name), code->name.len),
		.file = profile_string(tables, buf_str(&code->file), code->file.len),
		.first_line = code->first_line,
		.kind = FUNCTION_PYTHON,
	};

	return profile_frame(tables, profile_function(tables, &f),
		code_line(&code->lines, code->first_line, code->first_traceable, frame->offset));
}

/* *shown_ret: it is none of the interpreter's own. */
static enum read_status take_frame(struct dumped_process *p, struct py_runtime *rt,
	struct mem_reader *mem, const struct raw_frame *raw, struct dumped_frame *frame,
	bool *shown_ret)
{
	struct py_code code;

	*frame = (struct dumped_frame){ .address = raw->frame, .code = raw->code };
	*shown_ret = false;
	enum read_status status = code_read(rt, mem, raw->code, &code);
	if (status != READ_OK)
		return status;
	if (!code.place.internal)
		status = code_offset(rt, mem, &code.place, raw->instr, raw->tlbc_index, &frame->offset);
	*shown_ret = status == READ_OK && !code.place.internal;
	if (*shown_ret)
		frame->id = store_frame(p, &code, frame);
	code_deinit(&code);
	return status;
}

void dump_take_frames(struct dumped_process *p, struct dumped_thread *t, struct py_runtime *rt,
	struct mem_reader *mem, const struct raw_stack *stack)
{
	for (size_t i = 0; i < stack->count; i++) {
		struct dumped_frame frame;
		bool shown;

		if (take_frame(p, rt, mem, &stack->frames[i], &frame, &shown) != READ_OK)
			t->cut = true; // what a core file lacks
		if (shown)
			dumped_thread_add_frame(t, &frame);
	}
}

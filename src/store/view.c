// SPDX-License-Identifier: MIT
#include "store/view.h"

#include <stdlib.h>

#include "base/alloc.h"

struct view {
	const struct capture *capture;
	struct selection selection;
	struct profile tables;
	stack_id *stack_of; // of the capture's stacks; STACK_NONE: not yet
	size_t stack_capacity;
	struct capture_cursor cursor;
	struct capture_sample sample;
	struct view_counts counts;
	frame_id empty, unreadable, cut;
};

struct err *view_create(struct view **ret, const struct capture *c, const struct selection *s)
{
	struct view *v = xcalloc(1, sizeof(*v));

	v->capture = c;
	v->selection = *s;
	profile_init(&v->tables);
	capture_cursor_init(&v->cursor, c);
	*ret = v;
	return NULL;
}

void view_destroy(struct view *v)
{
	if (!v)
		return;
	capture_cursor_deinit(&v->cursor);
	profile_deinit(&v->tables);
	free(v->stack_of);
	free(v);
}

const struct capture *view_capture(const struct view *v)
{
	return v->capture;
}

const struct selection *view_selection(const struct view *v)
{
	return &v->selection;
}

const struct profile *view_tables(const struct view *v)
{
	return &v->tables;
}

void view_begin(struct view *v)
{
	capture_cursor_deinit(&v->cursor);
	capture_cursor_init(&v->cursor, v->capture);
	v->counts = (struct view_counts){ 0 };
}

static string_id own_string(struct view *v, string_id id)
{
	const struct store_string *s = &v->capture->tables.strings[id];

	return profile_string(&v->tables, s->text, s->len);
}

static stack_id own_stack(struct view *v, stack_id id)
{
	const struct profile *from = &v->capture->tables;

	if (id == STACK_NONE)
		return STACK_NONE;
	size_t had = v->stack_capacity;
	array_reserve(v->stack_of, v->stack_capacity, from->stack_count);
	for (size_t i = had; i < v->stack_capacity; i++)
		v->stack_of[i] = STACK_NONE;
	if (v->stack_of[id] != STACK_NONE)
		return v->stack_of[id];
	struct store_frame frame = from->frames[from->stacks[id].frame];
	struct store_function f = from->functions[frame.function];
	f.name = own_string(v, f.name);
	f.file = own_string(v, f.file);
	frame_id own = profile_frame(&v->tables, profile_function(&v->tables, &f), frame.line);
	return v->stack_of[id] =
		       profile_stack(&v->tables, own_stack(v, from->stacks[id].parent), own);
}

const struct capture_sample *view_next(struct view *v)
{
	const struct capture_sample *s = capture_cursor_next(&v->cursor);

	if (!s)
		return NULL;
	v->sample = *s;
	v->sample.stack = own_stack(v, s->stack);
	v->counts.shown += s->count;
	v->counts.unreadable += s->flags & SAMPLE_UNREADABLE ? s->count : 0;
	v->counts.cut += s->flags & SAMPLE_CUT ? s->count : 0;
	return &v->sample;
}

struct err *view_end(struct view *v)
{
	return capture_cursor_error(&v->cursor);
}

const struct view_counts *view_counts(const struct view *v)
{
	return &v->counts;
}

static stack_id marked(struct view *v, stack_id stack, const char *mark)
{
	return profile_stack(
		&v->tables, stack, profile_plain_frame(&v->tables, FUNCTION_MARK, mark));
}

struct err *view_profile(struct view *v, enum view_weight weight, const struct profile **ret)
{
	const struct capture_sample *s;

	for (size_t i = 0; i < v->tables.stack_count; i++)
		v->tables.weights[i] = 0;
	v->tables.total = 0;
	view_begin(v);
	while ((s = view_next(v))) {
		uint64_t n = weight == VIEW_CPU_NS ? s->cpu_ns : s->count;
		stack_id stack = s->stack;

		if (s->flags & SAMPLE_CUT)
			stack = marked(v, stack, "(truncated)");
		else if (s->flags & SAMPLE_UNREADABLE)
			stack = marked(v, stack, "(not readable)");
		else if (stack == STACK_NONE)
			stack = marked(v, stack, "(no Python frame)");
		profile_add_sample(&v->tables, stack, n);
	}
	*ret = &v->tables;
	return view_end(v);
}

uint64_t view_period_ns(const struct view *v)
{
	return capture_fact_u64(v->capture, FACT_PERIOD_NS, 0);
}

// SPDX-License-Identifier: MIT
#include "store/select_frames.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/place.h"

#define PAGE_BITS 8
#define PAGE (1u << PAGE_BITS)

#define KNOWN 1u   // of frames and stacks
#define IGNORED 2u // matches --ignore; a stack: has such a frame
#define ROOTED 4u  // matches --root; a stack: has such a frame
#define HIDDEN 8u  // a frame that is left out

struct err *shaper_init(struct shaper *s, const struct profile *from, struct profile *to,
	const struct selection *selection, const char *cwd)
{
	*s = (struct shaper){ .selection = selection, .cwd = cwd };
	s->transfer = (struct transfer){ .from = from, .to = to };
	struct err *err = patterns_init(&s->focus, selection->focus, "focus");

	if (!err)
		err = patterns_init(&s->ignore, selection->ignore, "ignore");
	if (!err)
		err = patterns_init(&s->hide, selection->hide, "hide");
	if (!err)
		err = patterns_init(&s->root, selection->root, "root");
	if (err)
		shaper_deinit(s);
	return err;
}

void shaper_deinit(struct shaper *s)
{
	for (size_t base = 0; base < s->base_count; base++) {
		for (size_t i = 0; i < s->page_counts[base]; i++)
			free(s->pages[base][i]);
		free(s->pages[base]);
	}
	free(s->pages);
	free(s->page_counts);
	free(s->frames);
	free(s->path);
	transfer_deinit(&s->transfer);
	patterns_deinit(&s->focus);
	patterns_deinit(&s->ignore);
	patterns_deinit(&s->hide);
	patterns_deinit(&s->root);
	*s = (struct shaper){ 0 };
}

/* ---- frames ----------------------------------------------------------------------------------- */

/*
 * A package as a function, wherever it lies: one package in two installations is one. What stands
 * for its file says whose code it is.
 */
static struct store_function package_function(
	const struct shaper *s, const struct store_string *file)
{
	static const char *const homes[] = {
		[PLACE_OWN] = "",
		[PLACE_PACKAGE] = "site-packages/",
		[PLACE_STDLIB] = "lib/python3/",
	};
	const char *home = homes[place_kind(file->text, file->len)];
	_cleanup_buf_ struct buf name = BUF_INIT;

	place_add_package(&name, file->text, file->len, s->cwd);
	return (struct store_function){
		.name = profile_string(s->transfer.to, buf_str(&name), name.len),
		.file = profile_string(s->transfer.to, home, strlen(home)),
		.kind = FUNCTION_PLACE,
	};
}

static struct store_function file_function(const struct shaper *s, const struct store_string *file)
{
	const char *name = place_short(file->text, file->len, s->cwd);

	return (struct store_function){
		.name = profile_string(
			s->transfer.to, name, file->len - (size_t)(name - file->text)),
		.file = profile_string(s->transfer.to, file->text, file->len),
		.kind = FUNCTION_PLACE,
	};
}

static frame_id place_frame(struct shaper *s, const struct store_function *f)
{
	const struct store_string *file = &s->transfer.from->strings[f->file];
	struct store_function place;

	if (!file->len)
		return profile_plain_frame(s->transfer.to, FUNCTION_MARK, "(no file)");
	if (s->selection->granularity == VIEW_MODULES)
		place = package_function(s, file);
	else
		place = file_function(s, file);
	return profile_frame(s->transfer.to, profile_function(s->transfer.to, &place), 0);
}

static frame_id own_frame(struct shaper *s, frame_id id)
{
	const struct store_frame *frame = &s->transfer.from->frames[id];
	const struct store_function *f = &s->transfer.from->functions[frame->function];

	if (s->selection->granularity == VIEW_LINES)
		return transfer_frame(&s->transfer, id);
	if (s->selection->granularity == VIEW_FUNCTIONS || f->kind != FUNCTION_PYTHON)
		return profile_frame(
			s->transfer.to, transfer_function(&s->transfer, frame->function), 0);
	return place_frame(s, f);
}

static uint16_t match(const struct shaper *s, const struct patterns *p, frame_id id)
{
	const struct profile *from = s->transfer.from;

	return patterns_match_frame(p, from, &from->frames[id], s->cwd);
}

static const struct shaped_frame *shape_frame(struct shaper *s, frame_id id)
{
	size_t had = s->frame_capacity;

	if (id >= had) {
		array_reserve(s->frames, s->frame_capacity, s->transfer.from->frame_count);
		memset(s->frames + had, 0, (s->frame_capacity - had) * sizeof(*s->frames));
	}
	struct shaped_frame *f = &s->frames[id];
	if (f->marks)
		return f;
	f->focus = match(s, &s->focus, id);
	f->marks = KNOWN;
	if (match(s, &s->ignore, id))
		f->marks |= IGNORED;
	if (match(s, &s->root, id))
		f->marks |= ROOTED;
	if (match(s, &s->hide, id))
		f->marks |= HIDDEN;
	else
		f->own = own_frame(s, id);
	return f;
}

/* ---- stacks ----------------------------------------------------------------------------------- */

static void add_bases(struct shaper *s, uint32_t base)
{
	array_reserve(s->pages, s->page_capacity, base + 1);
	array_reserve(s->page_counts, s->count_capacity, base + 1);
	for (; s->base_count <= base; s->base_count++) {
		s->pages[s->base_count] = NULL;
		s->page_counts[s->base_count] = 0;
	}
}

/* The place where a stack is kept; not KNOWN yet if it is new. */
static struct shaped_stack *find_stack(struct shaper *s, uint32_t base, stack_id id)
{
	size_t page = id >> PAGE_BITS;

	if (base >= s->base_count)
		add_bases(s, base);
	if (page >= s->page_counts[base]) {
		size_t count = (s->transfer.from->stack_count >> PAGE_BITS) + 1;
		struct shaped_stack **pages = xreallocarray(s->pages[base], count, sizeof(*pages));

		memset(pages + s->page_counts[base], 0,
			(count - s->page_counts[base]) * sizeof(*pages));
		s->pages[base] = pages;
		s->page_counts[base] = count;
	}
	if (!s->pages[base][page])
		s->pages[base][page] = xcalloc(PAGE, sizeof(struct shaped_stack));
	return &s->pages[base][page][id & (PAGE - 1)];
}

/* A frame on top of a stack; in place of its top if the two are one. */
static stack_id push(struct shaper *s, stack_id base_stack, stack_id parent, frame_id frame)
{
	struct profile *to = s->transfer.to;
	bool merges = s->selection->collapse_recursion || s->selection->granularity == VIEW_FILES ||
		s->selection->granularity == VIEW_MODULES;

	if (merges && parent != base_stack) {
		const struct store_stack *top = &to->stacks[parent];

		if (to->frames[top->frame].function == to->frames[frame].function)
			parent = top->parent;
	}
	return profile_stack(to, parent, frame);
}

static struct shaped_stack extend(
	struct shaper *s, stack_id base_stack, const struct shaped_stack *parent, frame_id frame)
{
	const struct shaped_frame *f = shape_frame(s, frame);
	struct shaped_stack stack = {
		.own = parent->own,
		.focus = parent->focus | f->focus,
		.marks = KNOWN | ((parent->marks | f->marks) & (IGNORED | ROOTED)),
	};
	bool begun = !s->root.count || stack.marks & ROOTED;

	if (begun && !(f->marks & HIDDEN))
		stack.own = push(s, base_stack, parent->own, f->own);
	return stack;
}

static struct shaped_stack shape_stack(
	struct shaper *s, uint32_t base, stack_id base_stack, stack_id id)
{
	struct shaped_stack stack = { .own = base_stack };
	const struct profile *from = s->transfer.from;
	size_t depth = 0;

	for (; id != STACK_NONE; id = from->stacks[id].parent) {
		const struct shaped_stack *known = find_stack(s, base, id);

		if (known->marks) {
			stack = *known;
			break;
		}
		array_reserve(s->path, s->path_capacity, depth + 1);
		s->path[depth++] = id;
	}
	while (depth--) {
		stack = extend(s, base_stack, &stack, from->stacks[s->path[depth]].frame);
		*find_stack(s, base, s->path[depth]) = stack;
	}
	return stack;
}

bool shaper_stack(
	struct shaper *s, uint32_t base, stack_id base_stack, stack_id id, stack_id *own_ret)
{
	struct shaped_stack stack = shape_stack(s, base, base_stack, id);

	*own_ret = stack.own;
	return !(stack.marks & IGNORED) && stack.focus == patterns_all(&s->focus) &&
		(!s->root.count || stack.marks & ROOTED);
}

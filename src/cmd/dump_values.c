// SPDX-License-Identifier: MIT
/* The local variables of a thread's frames. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/dump.h"

/* So many variables of a frame are shown: a module may have thousands. */
#define LOCALS_SHOWN 256

/*
 * So much is read of a thread at most, and so long: no program has so many variables, but memory that
 * was overwritten may look as if.
 */
#define THREAD_BYTES_MAX ((size_t)4 << 20)
#define THREAD_NS_MAX ((uint64_t)2000000000)

struct taking {
	struct py_memory py;
	const struct value_options *options;
	struct dumped_frame *frame;
	size_t capacity;
	size_t bytes;         // of all values of the thread
	uint64_t until_ns;
};

static bool is_dunder(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && strncmp(name, "__", 2) == 0 && strcmp(name + len - 2, "__") == 0;
}

/* Of modules and classes only variables: what they define and import is no state of theirs. */
static bool is_definition(struct taking *taking, const char *name, remote_addr object)
{
	static const char *const kinds[] = { "module", "function", "builtin_function_or_method",
		"classobj", "staticmethod", "classmethod", "property" };
	struct value_type type;

	if (is_dunder(name) || value_type_of(&taking->py, object, &type) != READ_OK)
		return is_dunder(name);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(type.name, kinds[i]) == 0)
			return true;
	return type.flags & TYPE_TYPE;
}

/* 2.7 leaves an argument that has become a cell in its place. */
static struct dumped_local *find(struct dumped_frame *frame, const char *name)
{
	for (size_t i = 0; i < frame->local_count; i++)
		if (strcmp(frame->locals[i].name, name) == 0)
			return &frame->locals[i];
	return NULL;
}

static struct dumped_local *place_for(struct taking *taking, const char *name)
{
	struct dumped_frame *frame = taking->frame;
	struct dumped_local *local = find(frame, name);

	if (local) {
		free(local->name);
		free(local->type);
		free(local->value);
		return local;
	}
	array_reserve(frame->locals, taking->capacity, frame->local_count + 1);
	return &frame->locals[frame->local_count++];
}

static bool spent(const struct taking *taking)
{
	return taking->bytes > THREAD_BYTES_MAX || clock_now_ns() > taking->until_ns;
}

static bool visit_local(void *data, const char *name, enum local_kind kind, remote_addr object)
{
	struct taking *taking = data;
	struct value value;

	if (kind == LOCAL_NAME && is_definition(taking, name, object))
		return true;
	if (taking->frame->local_count >= LOCALS_SHOWN || spent(taking)) {
		taking->frame->left_out = true;
		return false;
	}
	enum read_status status =
		value_describe(&taking->py, object, name, taking->options, &value);
	*place_for(taking, name) = (struct dumped_local){
		.name = xstrdup(name),
		.type = xstrdup(buf_str(&value.type)),
		.value = status == READ_OK && !value.masked ? xstrdup(buf_str(&value.text)) : NULL,
		.kind = kind,
		.masked = value.masked,
		.cut = value.cut,
	};
	taking->bytes += value.text.len;
	value_deinit(&value);
	return true;
}

static void take_frame(struct taking *taking, struct dumped_frame *frame)
{
	taking->frame = frame;
	taking->capacity = 0;
	dump_drop_locals(frame);
	frame->no_locals = frame->left_out = false;
	if (spent(taking)) {
		frame->left_out = true;
		return;
	}
	if (frame->address && locals_each(&taking->py, frame->address, frame->code, visit_local,
				      taking) == READ_OK)
		return;
	dump_drop_locals(frame);
	frame->no_locals = true;
}

void dump_take_locals(struct dumped_thread *t, const struct py_runtime *rt, struct mem_reader *mem,
	const struct dump_options *options)
{
	struct taking taking = {
		.py = runtime_memory(rt, mem),
		.options = &options->values,
		.until_ns = clock_now_ns() + THREAD_NS_MAX,
	};

	for (size_t i = 0; i < t->count; i++)
		take_frame(&taking, &t->frames[i]);
}

// SPDX-License-Identifier: MIT
/*
 * MOJO, austin's binary form, versions 1 to 4 (austin's src/mojo.h and src/events.c).
 *
 *	"MOJ" VERSION EVENT...
 *
 * Numbers: the first byte holds 6 bits and, as its bit 6, the sign; further ones 7 bits each; the
 * top bit says that one more follows. Text ends with a 0. Names of texts and frames are numbers that
 * hold within a process: that of the STACK before. A sample is what stands between two STACKs.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "import/austin.h"
#include "import/bytes.h"
#include "import/import.h"

#define MAX_VERSION 4

/* What a number of the file stands for: a string id, a frame id. */
struct names {
	struct name {
		uint64_t pid, key;
		uint32_t value;
	} * rows;
	size_t count, capacity;
	struct intern index;
};

struct mojo {
	struct austin a;
	struct bytes in;
	uint64_t version;
	struct names strings, frames;

	uint64_t pid;
	bool open;     // a sample is being read
	bool in_task;  // frames are of a suspended task, not of the thread
	bool measured; // it has a metric
	struct austin_sample sample;
	stack_id *last; // by row of threads: the stack of its last sample
	size_t last_count, last_capacity;
};

/* ---- names ------------------------------------------------------------------------------------ */

static struct name *names_find(const struct names *n, uint64_t pid, uint64_t key)
{
	uint64_t hash = intern_hash2(pid, key);

	for (struct intern_probe p = intern_begin(&n->index, hash); intern_next(&n->index, &p);)
		if (n->rows[p.row].pid == pid && n->rows[p.row].key == key)
			return &n->rows[p.row];
	return NULL;
}

/* Numbers are used again, for other things. */
static void names_set(struct names *n, uint64_t pid, uint64_t key, uint32_t value)
{
	struct name *found = names_find(n, pid, key);

	if (found) {
		found->value = value;
		return;
	}
	array_reserve(n->rows, n->capacity, n->count + 1);
	n->rows[n->count] = (struct name){ pid, key, value };
	intern_add(&n->index, intern_hash2(pid, key), (uint32_t)n->count++);
}

static void names_deinit(struct names *n)
{
	free(n->rows);
	intern_deinit(&n->index);
}

/* ---- numbers and texts ------------------------------------------------------------------------ */

static uint64_t read_size(struct bytes *in, bool *negative_ret)
{
	uint8_t byte = bytes_u8(in);
	uint64_t value = byte & 0x3f;

	*negative_ret = byte & 0x40;
	for (unsigned int shift = 6; byte & 0x80; shift += 7) {
		byte = bytes_u8(in);
		if (shift > 62 || (shift == 62 && (byte & 0x7f) > 3)) {
			in->bad = true;
			return 0;
		}
		value |= (uint64_t)(byte & 0x7f) << shift;
	}
	return value;
}

static uint64_t read_number(struct bytes *in)
{
	bool negative;
	uint64_t value = read_size(in, &negative);

	return negative ? 0 : value;
}

/* The text that a number stands for: 0 is none, 1 is not known. */
static bool find_text(struct mojo *m, uint64_t key, struct slice *ret)
{
	const struct name *found = names_find(&m->strings, m->pid, key);

	if (found) {
		const struct store_string *s = &m->a.b.c->tables.strings[found->value];

		*ret = (struct slice){ s->text, s->len };
		return true;
	}
	*ret = key ? SLICE("<unknown>") : SLICE_NONE;
	return key <= 1;
}

/* ---- samples ---------------------------------------------------------------------------------- */

static void close_sample(struct mojo *m)
{
	if (!m->open)
		return;
	array_reserve(m->last, m->last_capacity, m->a.b.c->thread_count);
	while (m->last_count < m->a.b.c->thread_count)
		m->last[m->last_count++] = STACK_NONE;
	m->last[m->sample.thread] = m->sample.stack;
	austin_add(&m->a, &m->sample);
	m->open = false;
}

static void push(struct mojo *m, frame_id frame)
{
	if (!m->in_task)
		m->sample.stack = profile_stack(&m->a.b.c->tables, m->sample.stack, frame);
}

static void push_mark(struct mojo *m, struct slice name)
{
	push(m, build_frame(&m->a.b, &(struct build_frame){ .name = name, .kind = FUNCTION_MARK }));
}

/* ---- events: each gives false if it makes no sense ------------------------------------------- */

static bool on_metadata(struct mojo *m)
{
	struct slice key = bytes_cstring(&m->in);

	austin_fact(&m->a, key, bytes_cstring(&m->in));
	return true;
}

static bool on_stack(struct mojo *m)
{
	if (m->open && !m->measured)
		return false;
	close_sample(m);
	m->pid = read_number(&m->in);
	if (m->version >= 3)
		read_number(&m->in); // the interpreter
	struct slice thread = bytes_cstring(&m->in);
	if (m->in.bad)
		return false;
	m->sample = (struct austin_sample){
		.thread = austin_thread(&m->a, m->pid, thread, 16),
		.stack = STACK_NONE,
		.idle_known = m->a.mode == AUSTIN_FULL,
	};
	m->open = true;
	m->in_task = m->measured = false;
	return true;
}

static bool on_frame(struct mojo *m)
{
	struct build_frame f = { .kind = FUNCTION_PYTHON };
	uint64_t key = read_number(&m->in), file = read_number(&m->in), name = read_number(&m->in);

	f.line = read_number(&m->in);
	for (int i = 0; i < 3 && m->version > 1; i++)
		read_number(&m->in); // last line, columns
	if (m->in.bad || !find_text(m, file, &f.file) || !find_text(m, name, &f.name))
		return false;
	names_set(&m->frames, m->pid, key, build_frame(&m->a.b, &f));
	return true;
}

static bool on_frame_invalid(struct mojo *m)
{
	push_mark(m, SLICE("(invalid)"));
	return m->open;
}

static bool on_frame_ref(struct mojo *m)
{
	const struct name *found = names_find(&m->frames, m->pid, read_number(&m->in));

	if (!found || !m->open)
		return false;
	push(m, found->value);
	return true;
}

static bool on_frame_kernel(struct mojo *m)
{
	struct build_frame f = { .name = bytes_cstring(&m->in), .file = SLICE("kernel") };

	push(m, build_frame(&m->a.b, &f));
	return m->open;
}

static bool on_gc(struct mojo *m)
{
	m->sample.gc = true;
	return m->open;
}

static bool on_idle(struct mojo *m)
{
	m->sample.idle = true;
	return m->open;
}

static bool on_time(struct mojo *m)
{
	m->sample.has_time = m->measured = true;
	m->sample.time_us = read_number(&m->in);
	return m->open;
}

static bool on_memory(struct mojo *m)
{
	bool negative;
	uint64_t value = read_size(&m->in, &negative);

	if (value > INT64_MAX)
		return false;
	m->sample.has_bytes = m->measured = true;
	m->sample.bytes = negative ? -(int64_t)value : (int64_t)value;
	return m->open;
}

static bool on_string(struct mojo *m)
{
	uint64_t key = read_number(&m->in);

	names_set(&m->strings, m->pid, key, build_string(&m->a.b, bytes_cstring(&m->in)));
	return true;
}

static bool on_string_ref(struct mojo *m)
{
	read_number(&m->in);
	return true;
}

static bool on_stack_repeat(struct mojo *m)
{
	if (m->open && m->sample.thread < m->last_count)
		m->sample.stack = m->last[m->sample.thread];
	return m->open;
}

static bool on_task_stack(struct mojo *m)
{
	read_number(&m->in);
	read_number(&m->in);
	m->in_task = true;
	return true;
}

static bool on_task_waiter(struct mojo *m)
{
	read_number(&m->in);
	read_number(&m->in);
	return true;
}

static bool (*const handlers[])(struct mojo *) = {
	NULL,
	on_metadata,
	on_stack,
	on_frame,
	on_frame_invalid,
	on_frame_ref,
	on_frame_kernel,
	on_gc,
	on_idle,
	on_time,
	on_memory,
	on_string,
	on_string_ref,
	on_stack_repeat,
	on_task_stack,
	on_task_waiter,
};

/* ---- the file --------------------------------------------------------------------------------- */

static struct err *read_events(struct mojo *m)
{
	while (m->in.at < m->in.len) {
		size_t start = m->in.at;
		uint8_t event = bytes_u8(&m->in);

		if (event >= ARRAY_LEN(handlers) || !handlers[event])
			return err_new(
				ERR_FAILED, "byte %zu: no event has number %u", start, event);
		bool known = handlers[event](m);
		if (m->in.bad)
			return err_new(ERR_FAILED,
				"byte %zu: the file ends within this event, or it is damaged",
				start);
		if (!known)
			return err_new(ERR_FAILED,
				"byte %zu: event %u names what was not given before", start, event);
	}
	if (m->open && !m->measured)
		return err_new(ERR_FAILED, "byte %zu: the file ends within a sample", m->in.len);
	close_sample(m);
	return build_finish(&m->a.b);
}

static struct err *mojo_read(const struct import_input *in, struct capture *c)
{
	struct mojo m = { .in = bytes_of(in->data, in->len) };
	struct err *err = NULL;

	austin_init(&m.a, c, "mojo");
	if (!slice_is(bytes_take(&m.in, 3), "MOJ"))
		err = err_new(ERR_FAILED, "byte 0: it does not begin with MOJ");
	m.version = read_number(&m.in);
	if (!err && (m.in.bad || m.version < 1 || m.version > MAX_VERSION))
		err = err_new(ERR_FAILED, "byte 3: its version is not 1 to %d", MAX_VERSION);
	if (!err)
		err = read_events(&m);
	austin_deinit(&m.a);
	names_deinit(&m.strings);
	names_deinit(&m.frames);
	free(m.last);
	return err;
}

static bool mojo_sniff(const char *data, size_t len)
{
	return len >= 4 && memcmp(data, "MOJ", 3) == 0;
}

const struct importer import_mojo = {
	.name = "mojo",
	.summary = "austin's binary form",
	.sniff = mojo_sniff,
	.read = mojo_read,
};

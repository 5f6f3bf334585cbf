// SPDX-License-Identifier: MIT
#include "sample/collector.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "os/proc.h"
#include "pyabi/code.h"
#include "pyabi/threads.h"
#include "sample/codes.h"

/* Names of threads can change: they are read again so often; of many threads less often. */
#define RENAME_NS ((uint64_t)1000000000)
#define RENAME_NS_PER_THREAD ((uint64_t)10000000)
/* A thread that is just starting has none yet. */
#define NAME_RETRY_NS ((uint64_t)20000000)

struct collected_code {
	struct line_table lines;
	uint32_t first_line, first_traceable;
	struct buf name, file;
	bool known;
	bool stored; // in the capture, as:
	function_id function;
	// the last line looked up
	bool has_frame;
	int32_t offset;
	frame_id frame;
};

static frame_id unknown_frame(struct capture *c)
{
	return profile_plain_frame(&c->tables, FUNCTION_MARK, "(unknown function)");
}

void collector_init(struct collector *c, struct ring *ring, struct target *target,
	struct capture *capture, uint32_t process, const struct collector_options *options,
	struct sample_sink *sink)
{
	*c = (struct collector){
		.ring = ring,
		.target = target,
		.capture = capture,
		.process = process,
		.options = *options,
		.sink = sink,
		.unknown_frame = unknown_frame(capture),
	};
}

static void forget_code(struct collected_code *code)
{
	line_table_deinit(&code->lines);
	buf_deinit(&code->name);
	buf_deinit(&code->file);
}

void collector_deinit(struct collector *c)
{
	for (size_t i = 0; i < c->code_count; i++)
		forget_code(&c->codes[i]);
	for (size_t i = 0; i < c->thread_count; i++) {
		free(c->threads[i].name);
		free(c->threads[i].stacks);
	}
	free(c->codes);
	free(c->threads);
	*c = (struct collector){ 0 };
}

/* ---- code objects ----------------------------------------------------------------------------- */

static void store_function(struct profile *p, struct collected_code *code)
{
	const struct store_function f = {
		.name = profile_string(p, buf_str(&code->name), code->name.len),
		.file = profile_string(p, buf_str(&code->file), code->file.len),
		.first_line = code->first_line,
		.kind = FUNCTION_PYTHON,
	};

	code->function = profile_function(p, &f);
	code->stored = true;
}

static void take_code(struct collector *c, const struct record_header *header)
{
	struct py_code *code = (struct py_code *)(uintptr_t)ring_get(c->ring);
	size_t serial = header->index;

	array_reserve(c->codes, c->code_capacity, serial + 1);
	for (; c->code_count <= serial; c->code_count++)
		c->codes[c->code_count] = (struct collected_code){ 0 };
	c->codes[serial] = (struct collected_code){
		.lines = code->lines, // owned by the collector now, as the names
		.name = code->name,
		.file = code->file,
		.first_line = code->first_line,
		.first_traceable = code->first_traceable,
		.known = true,
	};
	code->lines = (struct line_table){ 0 };
	code->name = code->file = BUF_INIT;
	code_deinit(code);
	free(code);
}

static frame_id frame_of(struct collector *c, uint64_t word)
{
	uint32_t serial = (uint32_t)(word >> 32);
	int32_t offset = (int32_t)(uint32_t)word;

	if (serial >= c->code_count || !c->codes[serial].known)
		return c->unknown_frame;
	struct collected_code *code = &c->codes[serial];
	if (!code->stored)
		store_function(&c->capture->tables, code);
	if (!code->has_frame || code->offset != offset) {
		code->frame = profile_frame(&c->capture->tables, code->function,
			code_line(&code->lines, code->first_line, code->first_traceable, offset));
		code->offset = offset;
		code->has_frame = true;
	}
	return code->frame;
}

/* ---- threads ---------------------------------------------------------------------------------- */

static void set_name(struct collector *c, struct collected_thread *t, const char *name)
{
	if (t->name && strcmp(t->name, name) == 0)
		return;
	free(t->name);
	t->name = xstrdup(name);
	if (t->row != CAPTURE_NONE)
		c->capture->threads[t->row].name = capture_string(c->capture, name);
}

/* Kernel names stand in for threads that threading does not know. */
static void name_by_kernel(struct collector *c, struct collected_thread *t)
{
	_cleanup_buf_ struct buf name = BUF_INIT;

	if (t->main)
		buf_add_str(&name, "MainThread");
	else if (t->tid)
		proc_thread_comm(c->target->pid, t->tid, &name);
	if (!name.len)
		buf_printf(&name, "Thread-%d", (int)t->tid);
	set_name(c, t, buf_str(&name));
}

static void visit_name(void *data, uint64_t pthread, const char *name)
{
	struct collector *c = data;

	for (size_t i = 0; i < c->thread_count; i++) {
		struct collected_thread *t = &c->threads[i];

		if (t->pthread != pthread || !t->name)
			continue;
		set_name(c, t, name);
		t->named_by_python = true;
	}
}

static bool interp_seen_before(const struct collector *c, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (c->threads[k].interp == c->threads[i].interp)
			return true;
	return false;
}

void collector_name_threads(struct collector *c)
{
	uint64_t now = clock_now_ns(), interval = RENAME_NS_PER_THREAD * c->thread_count;

	if (interval < RENAME_NS)
		interval = RENAME_NS;
	if (now - c->named_at_ns < (c->unnamed ? NAME_RETRY_NS : interval))
		return;
	c->named_at_ns = now;
	c->unnamed = false;
	for (size_t i = 0; i < c->thread_count; i++)
		if (!interp_seen_before(c, i))
			threads_names(&c->target->rt, &c->target->live.reader, c->threads[i].interp,
				visit_name, c);
}

static uint32_t thread_row(struct collector *c, const struct collected_thread *t)
{
	const struct capture_thread row = {
		.process = c->process,
		.tid = (uint32_t)t->tid,
		.name = t->name ? capture_string(c->capture, t->name) : 0,
		.main = t->main,
		.start_ns = t->start_ns,
	};

	return capture_add_thread(c->capture, &row);
}

static void end_thread(struct collector *c, const struct collected_thread *t)
{
	if (t->name && t->row != CAPTURE_NONE)
		c->capture->threads[t->row].end_ns = t->last_ns ? t->last_ns : clock_wall_ns();
}

void collector_end_threads(struct collector *c)
{
	for (size_t i = 0; i < c->thread_count; i++)
		end_thread(c, &c->threads[i]);
}

void collector_move(
	struct collector *c, struct capture *to, uint32_t process, struct transfer *tables)
{
	for (size_t i = 0; i < c->code_count; i++)
		c->codes[i].stored = c->codes[i].has_frame = false;
	for (size_t i = 0; i < c->thread_count; i++) {
		struct collected_thread *t = &c->threads[i];

		t->row = CAPTURE_NONE;
		for (size_t k = 0; k < t->depth; k++)
			t->stacks[k] = transfer_stack(tables, t->stacks[k]);
	}
	c->unknown_frame = unknown_frame(to);
	c->process = process;
	c->capture = to;
}

static void take_thread(struct collector *c, const struct record_header *header)
{
	uint64_t tid = ring_get(c->ring);
	struct collected_thread t = {
		.index = header->index,
		.tid = (pid_t)(tid >> 1),
		.main = tid & 1,
		.pthread = ring_get(c->ring),
		.interp = ring_get(c->ring),
		.interp_id = ring_get(c->ring),
		.start_ns = clock_wall_ns(),
	};

	t.row = thread_row(c, &t);
	array_reserve(c->threads, c->thread_capacity, header->index + 1u);
	for (; c->thread_count <= header->index; c->thread_count++)
		c->threads[c->thread_count] = (struct collected_thread){ 0 };
	end_thread(c, &c->threads[t.index]);
	free(c->threads[t.index].name);
	free(c->threads[t.index].stacks);
	c->threads[t.index] = t;
	name_by_kernel(c, &c->threads[t.index]);
	c->unnamed = true;
	c->named_at_ns = 0;
}

/* ---- samples ---------------------------------------------------------------------------------- */

/* Replaces what lies above the first `common` frames of the thread's stack. */
static void take_frames(
	struct collector *c, struct collected_thread *t, size_t common, uint32_t count)
{
	t->depth = common <= t->depth ? common : t->depth;
	stack_id parent = t->depth ? t->stacks[t->depth - 1] : STACK_NONE;

	array_reserve(t->stacks, t->capacity, t->depth + count);
	for (uint32_t i = 0; i < count; i++) {
		parent = profile_stack(
			&c->capture->tables, parent, frame_of(c, ring_get(c->ring)));
		t->stacks[t->depth++] = parent;
	}
}

static enum sample_state state_of(enum thread_run run)
{
	switch (run) {
	case THREAD_ON_CPU:
		return SAMPLE_ON_CPU;
	case THREAD_RUNNABLE:
		return SAMPLE_RUNNABLE;
	case THREAD_WAITING:
		return SAMPLE_WAITING;
	case THREAD_STOPPED:
		return SAMPLE_STOPPED;
	case THREAD_UNKNOWN:
		break;
	}
	return SAMPLE_STATE_UNKNOWN;
}

static uint8_t flags_of(const struct record_header *header)
{
	unsigned int flags = (header->holds_gil ? SAMPLE_HOLDS_GIL : 0) |
			     (header->waits_for_gil ? SAMPLE_WAITS_FOR_GIL : 0) |
			     (header->in_gc ? SAMPLE_IN_GC : 0);

	switch (header->proof) {
	case SAMPLE_VERIFIED:
		break;
	case SAMPLE_REUSED:
		flags |= SAMPLE_TAKEN_OVER;
		break;
	case SAMPLE_TRUNCATED:
		flags |= SAMPLE_CUT;
		break;
	case SAMPLE_FAILED:
		flags |= SAMPLE_UNREADABLE;
		break;
	}
	return (uint8_t)flags;
}

static void emit(struct collector *c, struct sample *s)
{
	c->counts.reused += s->proof == SAMPLE_REUSED;
	c->counts.truncated += s->proof == SAMPLE_TRUNCATED;
	c->counts.failed += s->proof == SAMPLE_FAILED;
	s->left_out = (c->options.no_idle && s->run > THREAD_RUNNABLE) ||
		      (c->options.gil_only && !(s->row.flags & SAMPLE_HOLDS_GIL));
	c->counts.left_out += s->left_out ? s->row.count : 0;
	c->counts.samples += s->row.count;
	c->sink->sample(c->sink, s);
}

/* A thread is there from its first sample on, which was taken before its record was read. */
static void begin_thread(struct collector *c, struct collected_thread *t, uint64_t time_ns)
{
	if (t->start_ns <= time_ns)
		return;
	t->start_ns = time_ns;
	c->capture->threads[t->row].start_ns = time_ns;
}

static void take_sample(struct collector *c, const struct record_header *header)
{
	uint64_t time_ns = ring_get(c->ring), cpu_ns = ring_get(c->ring);
	uint64_t where = ring_get(c->ring), tag = ring_get(c->ring);
	struct collected_thread *t = &c->threads[header->index];

	if (t->row == CAPTURE_NONE)
		t->row = thread_row(c, t);
	begin_thread(c, t, time_ns);
	take_frames(c, t, where & UINT16_MAX, header->count);
	bool stack = t->depth && header->proof != SAMPLE_FAILED;
	struct sample s = {
		.row = {
			.time_ns = time_ns,
			.count = record_weight(where),
			.cpu_ns = cpu_ns,
			.thread = t->row,
			.stack = stack ? t->stacks[t->depth - 1] : STACK_NONE,
			.syscall = (int32_t)(where >> 32),
			.state = (uint8_t)state_of(header->run),
			.flags = flags_of(header),
		},
		.thread = t,
		.tag = tag,
		.run = header->run,
		.proof = header->proof,
	};
	t->last_ns = time_ns;
	emit(c, &s);
}

void collector_drain(struct collector *c)
{
	while (ring_available(c->ring)) {
		struct record_header header = record_unpack(ring_get(c->ring));

		switch (header.type) {
		case RECORD_CODE:
			take_code(c, &header);
			break;
		case RECORD_THREAD:
			take_thread(c, &header);
			break;
		case RECORD_SAMPLE:
			take_sample(c, &header);
			break;
		}
		ring_release(c->ring);
	}
	collector_name_threads(c);
	if (c->sink->drained)
		c->sink->drained(c->sink);
}

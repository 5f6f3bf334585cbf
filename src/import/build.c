// SPDX-License-Identifier: MIT
#include "import/build.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"

/* More than this does not come from a profiler: sums must not overflow. */
#define MAX_TOTAL ((uint64_t)1 << 62)
#define MAX_TIME_NS ((uint64_t)1 << 62)
#define MAX_FACTS 1000u /* they are looked up one by one */

/* ---- slices ----------------------------------------------------------------------------------- */

struct slice slice_of(const char *text)
{
	return (struct slice){ text, text ? strlen(text) : 0 };
}

bool slice_is(struct slice s, const char *text)
{
	return s.len == strlen(text) && (s.len == 0 || memcmp(s.text, text, s.len) == 0);
}

bool slice_starts(struct slice s, const char *prefix)
{
	size_t len = strlen(prefix);

	return s.len >= len && (len == 0 || memcmp(s.text, prefix, len) == 0);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice s)
{
	while (s.len && is_blank(*s.text))
		s = slice_from(s, 1);
	while (s.len && is_blank(s.text[s.len - 1]))
		s.len--;
	return s;
}

size_t slice_find(struct slice s, char c)
{
	const char *at = s.len ? memchr(s.text, c, s.len) : NULL;

	return at ? (size_t)(at - s.text) : s.len;
}

size_t slice_find_last(struct slice s, char c)
{
	const char *at = s.len ? memrchr(s.text, c, s.len) : NULL;

	return at ? (size_t)(at - s.text) : s.len;
}

struct slice slice_from(struct slice s, size_t at)
{
	return at ? (struct slice){ s.text + at, s.len - at } : s;
}

struct slice slice_head(struct slice s, size_t len)
{
	return (struct slice){ s.text, len };
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static bool read_number(struct slice s, unsigned int base, uint64_t *ret)
{
	uint64_t value = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned int digit = (unsigned int)digit_value(s.text[i]);

		if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
			__builtin_add_overflow(value, digit, &value))
			return false;
	}
	if (!s.len)
		return false;
	*ret = value;
	return true;
}

bool slice_u64(struct slice s, uint64_t *ret)
{
	return read_number(s, 10, ret);
}

bool slice_hex(struct slice s, uint64_t *ret)
{
	return read_number(s, 16, ret);
}

bool slice_seconds(struct slice s, uint64_t *ns_ret)
{
	size_t dot = slice_find(s, '.');
	uint64_t seconds, fraction = 0;

	if (!slice_u64(slice_head(s, dot), &seconds) || seconds > MAX_TIME_NS / 1000000000u)
		return false;
	if (dot < s.len) {
		struct slice rest = slice_from(s, dot + 1);

		if (rest.len > 9 || !slice_u64(rest, &fraction))
			return false;
		for (size_t i = rest.len; i < 9; i++)
			fraction *= 10;
	}
	*ns_ret = seconds * 1000000000u + fraction;
	return true;
}

struct lines lines_of(const char *data, size_t len)
{
	return (struct lines){ .rest = { data, len } };
}

bool lines_next(struct lines *l, struct slice *line_ret)
{
	size_t end = slice_find(l->rest, '\n');
	struct slice line = slice_head(l->rest, end);

	if (!l->rest.len)
		return false;
	l->rest = slice_from(l->rest, end < l->rest.len ? end + 1 : end);
	l->number++;
	if (line.len && line.text[line.len - 1] == '\r')
		line.len--;
	*line_ret = line;
	return true;
}

/* ---- rows ------------------------------------------------------------------------------------- */

void build_init(struct build *b, struct capture *c, const char *format)
{
	*b = (struct build){ .c = c, .step_ns = BUILD_STEP_NS };
	capture_set_fact(c, FACT_FORMAT, format);
}

void build_deinit(struct build *b)
{
	buf_deinit(&b->scratch);
	free(b->keys);
	intern_deinit(&b->threads);
	intern_deinit(&b->processes);
	*b = (struct build){ 0 };
}

/* Processes begin with their first thread. */
static void start_processes(struct build *b)
{
	struct capture *c = b->c;

	for (size_t i = 0; i < c->process_count; i++)
		c->processes[i].start_ns = UINT64_MAX;
	for (size_t i = 0; i < c->thread_count; i++) {
		struct capture_process *process = &c->processes[c->threads[i].process];

		if (b->keys[i].seen && c->threads[i].start_ns < process->start_ns)
			process->start_ns = c->threads[i].start_ns;
	}
	for (size_t i = 0; i < c->process_count; i++)
		if (c->processes[i].start_ns == UINT64_MAX)
			c->processes[i].start_ns = 0;
}

struct err *build_finish(struct build *b)
{
	start_processes(b);
	if (b->total > MAX_TOTAL)
		return err_new(ERR_FAILED, "the counts of all samples are too large to add up");
	if (b->left_out)
		capture_set_fact_u64(b->c, "left_out", b->left_out);
	return NULL;
}

static bool is_ascii(struct slice s)
{
	unsigned char all = 0;

	for (size_t i = 0; i < s.len; i++)
		all |= (unsigned char)s.text[i];
	return all < 0x80;
}

string_id build_string(struct build *b, struct slice text)
{
	if (is_ascii(text)) // nothing to repair
		return profile_string(&b->c->tables, text.len ? text.text : "", text.len);
	buf_clear(&b->scratch);
	utf8_add_bytes(&b->scratch, text.text, text.len);
	return profile_string(&b->c->tables, buf_str(&b->scratch), b->scratch.len);
}

void build_fact(struct build *b, const char *key, struct slice value)
{
	if (b->c->fact_count >= MAX_FACTS && !capture_fact(b->c, key))
		return;
	buf_clear(&b->scratch);
	utf8_add_bytes(&b->scratch, value.text, value.len);
	capture_set_fact(b->c, key, buf_str(&b->scratch));
}

uint32_t build_process(struct build *b, uint64_t pid, struct slice name)
{
	uint32_t id = pid <= UINT32_MAX ? (uint32_t)pid : 0;
	uint64_t hash = intern_hash2(id, 1);
	struct capture *c = b->c;

	for (struct intern_probe p = intern_begin(&b->processes, hash);
		intern_next(&b->processes, &p);) {
		if (c->processes[p.row].pid != id)
			continue;
		if (name.len && !*capture_text(c, c->processes[p.row].name))
			c->processes[p.row].name = build_string(b, name);
		return p.row;
	}
	struct capture_process process = {
		.pid = id,
		.name = build_string(b, name),
		.command = capture_string(c, ""),
	};
	uint32_t row = capture_add_process(c, &process);
	intern_add(&b->processes, hash, row);
	return row;
}

uint32_t build_thread(struct build *b, uint32_t process, uint64_t id, struct slice name)
{
	struct build_thread key = { .process = process, .id = id, .name = build_string(b, name) };
	uint64_t hash = intern_hash2(intern_hash2(process, id), key.name);
	struct capture *c = b->c;

	for (struct intern_probe p = intern_begin(&b->threads, hash);
		intern_next(&b->threads, &p);) {
		const struct build_thread *k = &b->keys[p.row];

		if (k->process == process && k->id == id && k->name == key.name)
			return p.row;
	}
	struct capture_thread thread = {
		.process = process,
		.tid = id <= UINT32_MAX ? (uint32_t)id : 0,
		.name = key.name,
	};
	thread.main = thread.tid && thread.tid == c->processes[process].pid;
	uint32_t row = capture_add_thread(c, &thread);
	array_reserve(b->keys, b->key_capacity, (size_t)row + 1);
	b->keys[row] = key;
	intern_add(&b->threads, hash, row);
	return row;
}

void build_name_thread(struct build *b, uint32_t thread, struct slice name)
{
	string_id text = build_string(b, name); // may move nothing but strings

	b->c->threads[thread].name = text;
}

static uint32_t line_number(uint64_t line)
{
	return line <= INT32_MAX ? (uint32_t)line : 0;
}

frame_id build_frame(struct build *b, const struct build_frame *frame)
{
	struct store_function f = {
		.name = build_string(b, frame->name),
		.file = build_string(b, frame->file),
		.first_line = line_number(frame->first_line),
		.kind = frame->kind,
	};

	return profile_frame(
		&b->c->tables, profile_function(&b->c->tables, &f), line_number(frame->line));
}

stack_id build_push(struct build *b, stack_id parent, const struct build_frame *frame)
{
	return profile_stack(&b->c->tables, parent, build_frame(b, frame));
}

/* ---- samples ---------------------------------------------------------------------------------- */

struct capture_sample build_blank_sample(uint32_t thread, stack_id stack)
{
	return (struct capture_sample){
		.count = 1,
		.thread = thread,
		.stack = stack,
		.syscall = SYSCALL_NONE,
		.state = SAMPLE_STATE_UNKNOWN,
	};
}

static void note_start(struct build *b, const struct capture_sample *s)
{
	struct capture_thread *thread = &b->c->threads[s->thread];

	if (!b->keys[s->thread].seen || s->time_ns < thread->start_ns)
		thread->start_ns = s->time_ns;
	b->keys[s->thread].seen = true;
}

void build_sample(struct build *b, const struct capture_sample *sample)
{
	struct capture_sample s = *sample;

	if (!s.count)
		return;
	if (s.time_ns > MAX_TIME_NS)
		s.time_ns = MAX_TIME_NS;
	if (__builtin_add_overflow(b->total, s.count, &b->total))
		b->total = UINT64_MAX;
	if (b->total > MAX_TOTAL) // an error to come: see build_finish()
		s.count = 1;
	note_start(b, &s);
	capture_add_sample(b->c, &s);
}

void build_make_time(struct build *b, struct capture_sample *sample)
{
	uint64_t *next = &b->keys[sample->thread].next_ns, step;

	if (!capture_fact(b->c, FACT_CLOCK))
		capture_set_fact(b->c, FACT_CLOCK, "made up");
	sample->time_ns = b->first_ns + *next;
	if (__builtin_mul_overflow(sample->count, b->step_ns, &step) || step > MAX_TIME_NS - *next)
		step = MAX_TIME_NS - *next;
	*next += step;
}

void build_untimed(struct build *b, uint32_t thread, stack_id stack, uint64_t count)
{
	struct capture_sample s = build_blank_sample(thread, stack);

	s.count = count;
	build_make_time(b, &s);
	build_sample(b, &s);
}

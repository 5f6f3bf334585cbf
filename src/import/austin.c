// SPDX-License-Identifier: MIT
#include "import/austin.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "import/import.h"

#define MAX_STEP_US ((uint64_t)1 << 50) /* 35 years */

/* ---- what text and binary share --------------------------------------------------------------- */

void austin_init(struct austin *a, struct capture *c, const char *format)
{
	*a = (struct austin){ 0 };
	build_init(&a->b, c, format);
}

void austin_deinit(struct austin *a)
{
	build_deinit(&a->b);
	free(a->clocks);
	free(a->last_ticks);
}

static void set_mode(struct austin *a, struct slice value)
{
	static const char *const names[] = {
		[AUSTIN_WALL] = "wall",
		[AUSTIN_CPU] = "cpu",
		[AUSTIN_MEMORY] = "memory",
		[AUSTIN_FULL] = "full",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_is(value, names[i]))
			a->mode = (enum austin_mode)i;
}

void austin_fact(struct austin *a, struct slice key, struct slice value)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (slice_is(key, "mode"))
		set_mode(a, value);
	if (slice_is(key, "python")) {
		build_fact(&a->b, FACT_PYTHON, value);
		return;
	}
	if (slice_is(key, "austin")) {
		buf_add_str(&text, "austin ");
		buf_add(&text, value.text, value.len);
		build_fact(&a->b, FACT_TOOL, (struct slice){ text.data, text.len });
		return;
	}
	buf_add_str(&text, "austin.");
	buf_add(&text, key.text, key.len < 64 ? key.len : 64);
	string_id name = build_string(&a->b, (struct slice){ text.data, text.len });
	build_fact(&a->b, capture_text(a->b.c, name), value);
}

uint32_t austin_thread(struct austin *a, uint64_t pid, struct slice name, unsigned int base)
{
	uint32_t process = build_process(&a->b, pid, SLICE_NONE);
	uint64_t id;
	bool is_id = base == 16 ? slice_hex(name, &id) : slice_u64(name, &id);

	return build_thread(&a->b, process, is_id ? id : 0, is_id ? SLICE_NONE : name);
}

static uint64_t tick_ns(struct austin *a, const struct austin_sample *s)
{
	const struct capture *c = a->b.c;
	uint64_t step = s->time_us < MAX_STEP_US ? s->time_us : MAX_STEP_US;

	array_reserve(a->clocks, a->clock_capacity, c->process_count);
	while (a->clock_count < c->process_count)
		a->clocks[a->clock_count++] = (struct austin_clock){ 0 };
	array_reserve(a->last_ticks, a->last_capacity, c->thread_count);
	while (a->last_count < c->thread_count)
		a->last_ticks[a->last_count++] = 0;
	struct austin_clock *clock = &a->clocks[c->threads[s->thread].process];
	uint64_t *last = &a->last_ticks[s->thread];
	if (!clock->tick || *last == clock->tick || clock->step_us != step) {
		clock->tick++;
		clock->step_us = step;
		if (clock->now_us < MAX_STEP_US)
			clock->now_us += step;
	}
	*last = clock->tick;
	return clock->now_us * 1000;
}

static void set_state(
	const struct austin *a, struct capture_sample *to, const struct austin_sample *s)
{
	if (s->idle_known)
		to->state = s->idle ? SAMPLE_WAITING : SAMPLE_ON_CPU;
	else if (a->mode == AUSTIN_CPU)
		to->state = SAMPLE_ON_CPU;
	if (s->gc)
		to->flags |= SAMPLE_IN_GC;
}

static void add_bytes(struct austin *a, const struct austin_sample *s)
{
	if (!capture_fact(a->b.c, FACT_UNIT)) {
		capture_set_fact(a->b.c, FACT_UNIT, "bytes");
		a->b.step_ns = 1;
	}
	if (s->bytes > 0)
		build_untimed(&a->b, s->thread, s->stack, (uint64_t)s->bytes);
	else if (s->bytes < 0)
		a->b.left_out++; // what was given back
}

void austin_add(struct austin *a, const struct austin_sample *s)
{
	struct capture_sample sample = build_blank_sample(s->thread, s->stack);

	if (!s->has_time) {
		add_bytes(a, s);
		return;
	}
	if (!capture_fact(a->b.c, FACT_PERIOD_NS)) {
		capture_set_fact_u64(a->b.c, FACT_PERIOD_NS, 1000);
		capture_set_fact(a->b.c, FACT_CLOCK, "sum of the weights");
	}
	sample.time_ns = tick_ns(a, s);
	sample.count = s->time_us;
	set_state(a, &sample, s);
	build_sample(&a->b, &sample);
}

/* ---- text: P<pid>;T<interpreter:thread>;file:function:line;... METRICS ------------------------ */

/* `# key: value` */
static void read_fact(struct austin *a, struct slice line)
{
	struct slice rest = slice_trim(slice_from(line, 1));
	size_t colon = slice_find(rest, ':');

	if (colon < rest.len)
		austin_fact(a, slice_head(rest, colon), slice_trim(slice_from(rest, colon + 1)));
}

static bool read_signed(struct slice text, int64_t *ret)
{
	bool negative = slice_starts(text, "-");
	uint64_t value;

	if (!slice_u64(slice_from(text, negative), &value) || value > INT64_MAX)
		return false;
	*ret = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

/* `TIME`, `BYTES` (in memory mode) or `TIME,IDLE,BYTES`. */
static bool read_metrics(const struct austin *a, struct slice text, struct austin_sample *s)
{
	size_t comma = slice_find(text, ',');

	if (comma == text.len && a->mode == AUSTIN_MEMORY) {
		s->has_bytes = true;
		return read_signed(text, &s->bytes);
	}
	s->has_time = true;
	if (!slice_u64(slice_head(text, comma), &s->time_us))
		return false;
	if (comma == text.len)
		return true;
	text = slice_from(text, comma + 1);
	comma = slice_find(text, ',');
	if (comma != 1 || comma == text.len || (*text.text != '0' && *text.text != '1'))
		return false;
	s->idle_known = true;
	s->idle = *text.text == '1';
	s->has_bytes = true;
	return read_signed(slice_from(text, comma + 1), &s->bytes);
}

static struct build_frame parse_frame(struct slice text)
{
	struct build_frame f = { .kind = FUNCTION_PYTHON };
	size_t colon = slice_find_last(text, ':');

	if (slice_is(text, ":INVALID:")) {
		f.kind = FUNCTION_MARK;
		f.name = SLICE("(invalid)");
		return f;
	}
	if (colon < text.len && slice_u64(slice_from(text, colon + 1), &f.line))
		text = slice_head(text, colon);
	colon = slice_find_last(text, ':');
	f.name = colon < text.len ? slice_from(text, colon + 1) : text;
	f.file = slice_head(text, colon < text.len ? colon : 0);
	return f;
}

static struct slice next_part(struct slice *rest)
{
	size_t end = slice_find(*rest, ';');
	struct slice part = slice_head(*rest, end);

	*rest = slice_from(*rest, end < rest->len ? end + 1 : end);
	return part;
}

static bool read_thread(struct austin *a, struct slice *rest, uint32_t *thread_ret)
{
	struct slice process = next_part(rest), thread = next_part(rest);
	size_t colon = slice_find(thread, ':');
	uint64_t pid;

	if (!slice_starts(process, "P") || !slice_u64(slice_from(process, 1), &pid) ||
		!slice_starts(thread, "T"))
		return false;
	thread = slice_from(thread, colon < thread.len ? colon + 1 : 1);
	*thread_ret = austin_thread(a, pid, thread, 10);
	return true;
}

static struct err *read_sample(struct austin *a, struct slice line, size_t number)
{
	struct austin_sample s = { .stack = STACK_NONE };
	size_t space = slice_find_last(line, ' ');
	struct slice rest = slice_head(line, space);

	if (space == line.len || !read_metrics(a, slice_from(line, space + 1), &s))
		return err_new(ERR_FAILED, "line %zu: no numbers after the stack", number);
	if (!read_thread(a, &rest, &s.thread))
		return err_new(
			ERR_FAILED, "line %zu: it does not begin with P<pid>;T<thread>", number);
	while (rest.len) {
		struct slice part = next_part(&rest);
		struct build_frame frame = parse_frame(part);

		if (slice_is(part, ":GC:"))
			s.gc = true;
		else if (part.len)
			s.stack = build_push(&a->b, s.stack, &frame);
	}
	austin_add(a, &s);
	return NULL;
}

static struct err *read_lines(struct austin *a, const struct import_input *in)
{
	struct lines lines = lines_of(in->data, in->len);
	struct slice line;

	while (lines_next(&lines, &line)) {
		struct err *err = NULL;

		if (slice_starts(line, "#"))
			read_fact(a, line);
		else if (line.len)
			err = read_sample(a, line, lines.number);
		if (err)
			return err;
	}
	return build_finish(&a->b);
}

static struct err *austin_read(const struct import_input *in, struct capture *c)
{
	struct austin a;

	austin_init(&a, c, "austin");
	struct err *err = read_lines(&a, in);
	austin_deinit(&a);
	return err;
}

static bool austin_sniff(const char *data, size_t len)
{
	struct lines lines = lines_of(data, len);
	struct slice line;

	while (lines_next(&lines, &line)) {
		size_t end = slice_find(line, ';');
		uint64_t pid;

		if (slice_starts(line, "# austin: "))
			return true;
		if (line.len && !slice_starts(line, "#"))
			return slice_starts(line, "P") && end + 1 < line.len &&
				slice_u64(slice_head(slice_from(line, 1), end - 1), &pid) &&
				line.text[end + 1] == 'T';
	}
	return false;
}

const struct importer import_austin = {
	.name = "austin",
	.summary = "austin's text",
	.sniff = austin_sniff,
	.read = austin_read,
};

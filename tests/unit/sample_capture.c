// SPDX-License-Identifier: MIT
#include "sample_capture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

static frame_id parse_frame(struct profile *p, const char *text, size_t len)
{
	_cleanup_free_ char *copy = xstrndup(text, len);
	struct store_function f = { .kind = FUNCTION_PYTHON };
	char *file = strchr(copy, '@'), *colon;
	uint32_t line = 0;

	if (file) {
		*file++ = 0;
		colon = strrchr(file, ':');
		if (colon) {
			*colon = 0;
			line = (uint32_t)strtoul(colon + 1, NULL, 10);
		}
		f.file = profile_string(p, file, strlen(file));
		f.first_line = 1;
	}
	f.name = profile_string(p, copy, strlen(copy));
	return profile_frame(p, profile_function(p, &f), line);
}

stack_id sample_stack(struct capture *c, const char *text)
{
	stack_id stack = STACK_NONE;

	while (*text) {
		size_t len = strcspn(text, ";");

		stack = profile_stack(&c->tables, stack, parse_frame(&c->tables, text, len));
		text += len + (text[len] == ';');
	}
	return stack;
}

uint32_t sample_process(struct capture *c, uint32_t pid, const char *name)
{
	return capture_add_process(c,
		&(struct capture_process){
			.pid = pid,
			.name = capture_string(c, name),
			.command = capture_string(c, ""),
			.start_ns = SAMPLE_START_NS });
}

uint32_t sample_thread(struct capture *c, uint32_t process, uint32_t tid, const char *name)
{
	return capture_add_thread(c,
		&(struct capture_thread){ .process = process,
			.tid = tid,
			.name = capture_string(c, name),
			.start_ns = SAMPLE_START_NS });
}

uint32_t sample_span(struct capture *c, uint32_t thread, uint32_t ms, uint32_t to_ms,
	uint32_t parent, const char *name, const char *text)
{
	return 1 +
		capture_add_span(c,
			&(struct capture_span){ .start_ns = SAMPLE_START_NS + ms * SAMPLE_MS,
				.end_ns = to_ms ? SAMPLE_START_NS + to_ms * SAMPLE_MS : 0,
				.process = c->threads[thread].process,
				.thread = thread,
				.parent = parent,
				.name = capture_string(c, name),
				.text = capture_string(c, text) });
}

static uint32_t current_span;

void sample_in_span(uint32_t span)
{
	current_span = span;
}

void sample_one(struct capture *c, uint32_t thread, uint32_t ms, const char *stack,
	enum sample_state state, unsigned int flags)
{
	const struct capture_sample sample = {
		.time_ns = SAMPLE_START_NS + (uint64_t)ms * SAMPLE_MS,
		.count = 1,
		.cpu_ns = state == SAMPLE_ON_CPU ? SAMPLE_MS : 0,
		.thread = thread,
		.stack = sample_stack(c, stack),
		.syscall = SYSCALL_NONE,
		.span = current_span,
		.state = (uint8_t)state,
		.flags = (uint8_t)flags,
	};

	capture_add_sample(c, &sample);
}

void sample_run(struct capture *c, uint32_t thread, uint32_t ms, uint32_t count, const char *stack)
{
	for (uint32_t i = 0; i < count; i++)
		sample_one(c, thread, ms + i, stack, SAMPLE_ON_CPU, SAMPLE_HOLDS_GIL);
}

static void add_frame(struct buf *out, const struct profile *p, const struct store_frame *f)
{
	buf_add_str(out, profile_text(p, p->functions[f->function].name));
	if (f->line)
		buf_printf(out, ":%u", f->line);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *sample_folded(const struct profile *p)
{
	char **lines = xcalloc(p->stack_count, sizeof(*lines));
	struct buf all = BUF_INIT;
	size_t count = 0;

	for (size_t i = 0; i < p->stack_count; i++) {
		_cleanup_buf_ struct buf line = BUF_INIT;
		stack_id chain[64];
		size_t depth = 0;

		if (!p->weights[i])
			continue;
		for (stack_id s = (stack_id)i; s != STACK_NONE && depth < 64;
			s = p->stacks[s].parent)
			chain[depth++] = s;
		while (depth--) {
			add_frame(&line, p, &p->frames[p->stacks[chain[depth]].frame]);
			buf_add_str(&line, depth ? ";" : " ");
		}
		buf_printf(&line, "%" PRIu64 "\n", p->weights[i]);
		lines[count++] = xstrdup(buf_str(&line));
	}
	if (count)
		qsort(lines, count, sizeof(*lines), compare_lines);
	for (size_t i = 0; i < count; i++) {
		buf_add_str(&all, lines[i]);
		free(lines[i]);
	}
	free(lines);
	return all.data ? all.data : xstrdup("");
}

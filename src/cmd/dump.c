// SPDX-License-Identifier: MIT
/* fireglass dump: the stacks of all threads, once. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/commands.h"
#include "export/label.h"
#include "fmt/json_writer.h"
#include "os/proc.h"
#include "os/syscall_name.h"
#include "sample/collector.h"
#include "sample/sampler.h"

/* A thread and its one sample. */
struct dumped_thread {
	struct collected_thread thread; // as it was; the collector's strings
	struct sample sample;
};

struct dump {
	pid_t pid;
	bool json, full_paths;
	struct capture capture;
	struct target target;
	struct buf version, cwd, command_line;
	struct dumped_thread *threads;
	size_t count, capacity;
	struct sample_sink sink;
	struct ring ring;
	struct sampler sampler;
	struct collector collector;
};

/* ---- options ---------------------------------------------------------------------------------- */

static struct err *set_pid(void *settings, const char *value)
{
	return opts_parse_pid(value, &((struct dump *)settings)->pid);
}

static struct err *set_json(void *settings, const char *value)
{
	(void)value;
	((struct dump *)settings)->json = true;
	return NULL;
}

static struct err *set_full_paths(void *settings, const char *value)
{
	(void)value;
	((struct dump *)settings)->full_paths = true;
	return NULL;
}

static const struct opt dump_options[] = {
	{ 'p', "pid", "PID", "the process to look at", set_pid },
	{ 0, "json", NULL, "for programs: {\"pid\", \"python\", \"threads\": [{\"tid\", \"name\",\n"
		"\"main\", \"state\", \"gil\", \"frames\": [{\"function\", \"file\",\n"
		"\"line\"}, ... root first]}]}", set_json },
	{ 0, "full-paths", NULL, "whole file names, not those relative to packages", set_full_paths },
	{ 0 },
};

/* ---- taking it -------------------------------------------------------------------------------- */

static void keep_sample(struct sample_sink *sink, const struct sample *sample)
{
	struct dump *d = (struct dump *)(void *)((char *)sink - offsetof(struct dump, sink));

	array_reserve(d->threads, d->capacity, d->count + 1);
	d->threads[d->count++] =
		(struct dumped_thread){ .thread = *sample->thread, .sample = *sample };
}

static int main_first(const void *a, const void *b)
{
	const struct collected_thread *x = &((const struct dumped_thread *)a)->thread;
	const struct collected_thread *y = &((const struct dumped_thread *)b)->thread;

	if (x->main != y->main)
		return x->main ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

#define DUMP_ATTEMPTS 50
#define DUMP_PAUSE_NS 1000000
#define DUMP_RING_WORDS ((size_t)1 << 20)

/* An interpreter that is just starting or whose threads come and go is looked at again. */
static struct err *take(struct dump *d)
{
	enum sampler_state state = SAMPLER_LOST;

	for (int i = 0; i < DUMP_ATTEMPTS && state == SAMPLER_LOST; i++) {
		if (i)
			clock_sleep_until(clock_now_ns() + DUMP_PAUSE_NS);
		d->count = 0;
		state = sampler_tick(&d->sampler);
		collector_drain(&d->collector);
	}
	if (state == SAMPLER_DENIED)
		return err_new(ERR_PERMISSION,
			"reading process %d is refused now; 'fireglass doctor %d' tells why",
			(int)d->pid, (int)d->pid);
	if (state == SAMPLER_LOST)
		return err_new(ERR_GONE, "process %d has no running Python interpreter", (int)d->pid);
	// the names came after the samples
	for (size_t i = 0; i < d->count; i++)
		d->threads[i].thread = d->collector.threads[d->threads[i].thread.index];
	qsort(d->threads, d->count, sizeof(*d->threads), main_first);
	return NULL;
}

static bool has(const struct dumped_thread *t, unsigned int flag)
{
	return (t->sample.row.flags & flag) != 0;
}

/* What the frames alone do not say of a stack; NULL for nothing. */
static const char *remark(const struct dumped_thread *t)
{
	if (has(t, SAMPLE_UNREADABLE))
		return "(not readable)";
	if (has(t, SAMPLE_CUT))
		return "(truncated)";
	return t->sample.row.stack == STACK_NONE ? "(no Python frame)" : NULL;
}

/* ---- printing --------------------------------------------------------------------------------- */

static const char *run_name(enum thread_run run)
{
	static const char *const names[] = {
		[THREAD_ON_CPU] = "running",
		[THREAD_RUNNABLE] = "runnable",
		[THREAD_WAITING] = "waiting",
		[THREAD_STOPPED] = "stopped",
		[THREAD_UNKNOWN] = "unknown",
	};

	return names[run];
}

static const struct store_function *function_of(const struct dump *d, stack_id stack)
{
	const struct profile *p = &d->capture.tables;

	return &p->functions[p->frames[p->stacks[stack].frame].function];
}

static void json_frames(struct json_writer *w, const struct dump *d, stack_id stack)
{
	const struct profile *p = &d->capture.tables;
	size_t depth = profile_depth(p, stack);
	_cleanup_free_ stack_id *path = xcalloc(depth, sizeof(*path));

	for (size_t i = depth; i-- > 0; stack = p->stacks[stack].parent)
		path[i] = stack;
	json_begin_array(w);
	for (size_t i = 0; i < depth; i++) {
		const struct store_function *f = function_of(d, path[i]);

		if (f->kind != FUNCTION_PYTHON)
			continue;
		json_begin_object(w);
		json_key(w, "function");
		json_cstring(w, profile_text(p, f->name));
		json_key(w, "file");
		json_cstring(w, profile_text(p, f->file));
		json_key(w, "line");
		json_u64(w, p->frames[p->stacks[path[i]].frame].line);
		json_end_object(w);
	}
	json_end_array(w);
}

/* Its name, or its number where the name is not known; null for none. */
static void json_syscall(struct json_writer *w, int32_t number)
{
	const char *name = syscall_name(number);

	if (number < 0)
		json_null(w);
	else if (name)
		json_cstring(w, name);
	else
		json_i64(w, number);
}

static void json_thread(struct json_writer *w, const struct dump *d, const struct dumped_thread *t)
{
	json_begin_object(w);
	json_key(w, "tid");
	json_i64(w, t->thread.tid);
	json_key(w, "name");
	json_cstring(w, t->thread.name);
	json_key(w, "main");
	json_bool(w, t->thread.main);
	json_key(w, "state");
	json_cstring(w, run_name(t->sample.run));
	json_key(w, "syscall");
	json_syscall(w, t->sample.row.syscall);
	json_key(w, "gil");
	json_bool(w, has(t, SAMPLE_HOLDS_GIL));
	json_key(w, "gil_wait");
	json_bool(w, has(t, SAMPLE_WAITS_FOR_GIL));
	json_key(w, "gc");
	json_bool(w, has(t, SAMPLE_IN_GC));
	if (t->sample.proof == SAMPLE_TRUNCATED || t->sample.proof == SAMPLE_FAILED) {
		json_key(w, "truncated");
		json_bool(w, true);
	}
	json_key(w, "frames");
	json_frames(w, d, t->sample.row.stack);
	json_end_object(w);
}

static void print_json(const struct dump *d)
{
	struct json_writer w = { .stream = stdout, .pretty = true };

	json_begin_object(&w);
	json_key(&w, "pid");
	json_i64(&w, d->pid);
	json_key(&w, "python");
	json_cstring(&w, buf_str(&d->version));
	json_key(&w, "threads");
	json_begin_array(&w);
	for (size_t i = 0; i < d->count; i++)
		json_thread(&w, d, &d->threads[i]);
	json_end_array(&w);
	json_end_object(&w);
}

struct style {
	const char *bold, *dim, *green, *off;
};

static struct style style_for(FILE *f)
{
	if (!isatty(fileno(f)) || getenv("NO_COLOR"))
		return (struct style){ "", "", "", "" };
	return (struct style){ "\033[1m", "\033[2m", "\033[32m", "\033[0m" };
}

static void add_visible(struct buf *out, const char *text)
{
	label_visible(out, text, strlen(text));
}

static void print_frame(const struct dump *d, stack_id stack, const struct export_options *options,
	const struct style *style)
{
	const struct profile *p = &d->capture.tables;
	const struct store_frame *frame = &p->frames[p->stacks[stack].frame];
	const struct store_function *f = &p->functions[frame->function];
	_cleanup_buf_ struct buf name = BUF_INIT, place = BUF_INIT;
	struct label_slice file = label_file(p, f, options);

	add_visible(&name, profile_text(p, f->name));
	label_visible(&place, file.text, file.len);
	if (f->kind != FUNCTION_PYTHON)
		printf("    %s\n", buf_str(&name));
	else
		printf("    %s %s(%s:%u)%s\n", buf_str(&name), style->dim, buf_str(&place),
			frame->line, style->off);
}

static void print_syscall(int32_t number)
{
	const char *name = syscall_name(number);

	if (name)
		printf(" in %s", name);
	else
		printf(" in system call %" PRId32, number);
}

static void print_thread(const struct dump *d, const struct dumped_thread *t,
	const struct style *style)
{
	struct export_options options = { .full_paths = d->full_paths, .cwd = buf_str(&d->cwd) };
	_cleanup_buf_ struct buf name = BUF_INIT;

	add_visible(&name, t->thread.name);
	printf("\nThread %d %s\"%s\"%s: %s%s%s", (int)t->thread.tid, style->bold, buf_str(&name),
		style->off, t->sample.run <= THREAD_RUNNABLE ? style->green : style->dim,
		run_name(t->sample.run), style->off);
	if (has(t, SAMPLE_WAITS_FOR_GIL))
		printf(" for the GIL");
	else if (t->sample.row.syscall >= 0)
		print_syscall(t->sample.row.syscall);
	if (t->thread.main)
		printf(", main");
	if (has(t, SAMPLE_HOLDS_GIL))
		printf(", %sholds the GIL%s", style->bold, style->off);
	if (has(t, SAMPLE_IN_GC))
		printf(", collecting garbage");
	if (t->thread.interp_id)
		printf(", interpreter %" PRIu64, t->thread.interp_id);
	putchar('\n');
	if (remark(t))
		printf("    %s\n", remark(t));
	for (stack_id s = t->sample.row.stack; s != STACK_NONE; s = d->capture.tables.stacks[s].parent)
		print_frame(d, s, &options, style);
}

static void print_text(const struct dump *d)
{
	struct style style = style_for(stdout);
	_cleanup_buf_ struct buf exe = BUF_INIT, command = BUF_INIT;

	add_visible(&exe, buf_str(&d->target.exe));
	add_visible(&command, buf_str(&d->command_line));
	printf("Process %d: %s\nPython %s (%s), most recent call first\n", (int)d->pid,
		buf_str(&command), buf_str(&d->version), buf_str(&exe));
	for (size_t i = 0; i < d->count; i++)
		print_thread(d, &d->threads[i], &style);
}

/* ---- the command ------------------------------------------------------------------------------ */

static struct err *attach(struct dump *d)
{
	bool ready = false;
	struct err *err = NULL;

	for (int i = 0; i < DUMP_ATTEMPTS && !err && !ready; i++) {
		if (i) {
			target_deinit(&d->target);
			clock_sleep_until(clock_now_ns() + DUMP_PAUSE_NS);
		}
		err = target_attach(&d->target, d->pid, &ready);
	}
	if (!err && !ready)
		err = err_new(ERR_NOT_PYTHON, "process %d has no running Python interpreter",
			(int)d->pid);
	return err;
}

static void describe(struct dump *d)
{
	runtime_version(&d->target.rt, &d->target.live.reader, &d->version);
	proc_link(d->pid, "cwd", &d->cwd);
	proc_command_line(d->pid, 4096, &d->command_line);
}

static struct err *dump(struct dump *d)
{
	struct collector_options options = { 0 };
	const struct capture_process row = { .pid = (uint32_t)d->pid };
	uint32_t process = capture_add_process(&d->capture, &row);
	struct err *err = attach(d);

	if (err)
		return err;
	ring_init(&d->ring, DUMP_RING_WORDS);
	sampler_init(&d->sampler, &d->target, &d->ring, LADDER_AUTO);
	collector_init(&d->collector, &d->ring, &d->target, &d->capture, process, &options, &d->sink);
	err = take(d);
	if (err)
		return err;
	describe(d);
	if (d->json)
		print_json(d);
	else
		print_text(d);
	return NULL;
}

static void dump_deinit(struct dump *d)
{
	if (d->ring.words) {
		sampler_deinit(&d->sampler);
		collector_deinit(&d->collector);
		ring_deinit(&d->ring);
	}
	target_deinit(&d->target);
	capture_deinit(&d->capture);
	buf_deinit(&d->version);
	buf_deinit(&d->cwd);
	buf_deinit(&d->command_line);
	free(d->threads);
}

static int dump_run(const struct command *command, int argc, char **argv)
{
	_cleanup_(dump_deinit) struct dump d = { .sink.sample = keep_sample };
	int rest;
	struct err *err = opts_parse(command, argc, argv, &d, &rest);

	capture_init(&d.capture);
	mem_live_init(&d.target.live, 0);
	if (!err && argv[rest] && !d.pid)
		err = opts_parse_pid(argv[rest++], &d.pid);
	if (!err && argv[rest])
		err = err_new(ERR_USAGE, "unexpected argument '%s'", argv[rest]);
	if (!err && !d.pid)
		err = err_new(ERR_USAGE, "which process? give -p PID");
	if (!err)
		err = dump(&d);
	return err ? opts_fail(err) : EXIT_OK;
}

const struct command command_dump = {
	.name = "dump",
	.summary = "Show what all threads of a Python program are doing, once.",
	.usage = "  fireglass dump [OPTIONS] -p PID",
	.examples = "  fireglass dump -p 4711\n"
		    "  fireglass dump -p 4711 --json | jq '.threads[] | select(.gil)'",
	.options = dump_options,
	.run = dump_run,
};

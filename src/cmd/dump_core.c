// SPDX-License-Identifier: MIT
/* A core file: nothing moves; what the kernel knew of the threads is in its notes. */
#include <inttypes.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "cmd/dump.h"
#include "os/mem_core.h"

#define COMMAND_LINE_BYTES 4096

struct core_dump {
	struct dumped_process *process;
	const struct dump_options *options;
	struct mem_core core;
	struct py_runtime rt;
};

static void core_dump_deinit(struct core_dump *d)
{
	mem_core_deinit(&d->core);
}

/* ---- the runtime ------------------------------------------------------------------------------ */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_unusable(const struct core_file *file)
{
	return file->state == CORE_FILE_MISSING || file->state == CORE_FILE_DENIED ||
		file->state == CORE_FILE_OTHER;
}

/* A file that is needed and cannot be used: the program itself, or what might be its library. */
static const struct core_file *needed_file(const struct mem_core *core)
{
	if (core->program && is_unusable(core->program))
		return core->program;
	for (size_t i = 0; i < core->files.count; i++) {
		const struct core_file *file = &core->files.files[i];

		if (is_unusable(file) && strstr(base_name(file->path), "python"))
			return file;
	}
	return NULL;
}

static const char *why_unusable(const struct core_file *file)
{
	if (file->state == CORE_FILE_DENIED)
		return "may not be read";
	return file->state == CORE_FILE_OTHER ? "is another one now" : "is not on this machine";
}

/* Nothing was found: because of a file that is missing? */
static struct err *explain(const struct core_dump *d, struct err *err)
{
	const struct core_file *file = needed_file(&d->core);
	const char *path = d->options->core;

	if (err->kind == ERR_NOT_PYTHON && file) {
		err_free(err);
		return err_new(ERR_NOT_PYTHON,
			"cannot find Python in core file '%s': a part is only in '%s', which %s; give "
			"that program, or a directory with the files of its machine, with --exe",
			path, file->path, why_unusable(file));
	}
	err = err_prefix(err, "core file '%s'", path);
	return d->core.missing_bytes
		? err_suffix(err, " (the core file is cut short: its end is missing)")
		: err;
}

static struct err *find_runtime(struct core_dump *d)
{
	_cleanup_(maps_deinit) struct maps maps = { 0 };

	mem_core_maps(&d->core, &maps);
	struct err *err = runtime_detect(&d->rt, &d->core.reader, &maps, 0,
		d->core.program ? d->core.program->path : d->core.notes.comm);
	d->rt.partial = needed_file(&d->core) != NULL;
	return err;
}

/* ---- threads ---------------------------------------------------------------------------------- */

static struct err *take_still(struct core_dump *d)
{
	const struct core_notes *notes = &d->core.notes;
	_cleanup_free_ pid_t *tids = xcalloc(notes->thread_count, sizeof(*tids));

	for (size_t i = 0; i < notes->thread_count; i++)
		tids[i] = notes->threads[i].tid;
	struct err *err = dump_take_still(
		d->process, &d->rt, &d->core.reader, tids, notes->thread_count, d->options);
	if (err || d->process->count)
		return err;
	// written from outside of the program's pid namespace: its ids are others
	buf_clear(&d->process->version);
	return dump_take_still(d->process, &d->rt, &d->core.reader, NULL, 0, d->options);
}

static const struct core_thread *core_thread(
	const struct core_notes *notes, const struct py_thread *py)
{
	for (size_t i = 0; i < notes->thread_count; i++)
		if (notes->threads[i].pthread && notes->threads[i].pthread == py->pthread)
			return &notes->threads[i];
	for (size_t i = 0; i < notes->thread_count; i++)
		if ((uint64_t)notes->threads[i].tid == py->native_id)
			return &notes->threads[i];
	return NULL;
}

static void take_futex(
	const struct core_dump *d, struct dumped_thread *t, const struct core_thread *from)
{
	remote_addr start, end, futex = from->arguments[0];

	if (t->syscall != SYS_futex || !from->has_arguments)
		return;
	t->waits_for_gil =
		threads_gil_futexes(&d->rt, &t->py, &start, &end) && futex >= start && futex < end;
	t->holds_gil &= !t->waits_for_gil;
	if (t->waits_for_gil)
		return;
	t->futex = futex;
	t->futex_timed = from->arguments[3] != 0;
}

/* "SIGSEGV at address 0x10", "SIGABRT sent by process 12" */
static char *signal_text(const struct core_dump *d, const struct core_signal *signal)
{
	const char *name = core_signal_name(signal->number);

	if (!name)
		return NULL;
	if (signal->fault)
		return xasprintf("%s at address 0x%" PRIx64, name, signal->address);
	if (signal->sender > 0 && signal->sender != d->core.notes.pid)
		return xasprintf("%s sent by process %d", name, (int)signal->sender);
	return xstrdup(name);
}

/* The kernel says the same signal of all threads; the first one got it. */
static void take_signal(
	const struct core_dump *d, struct dumped_thread *t, const struct core_thread *from)
{
	_cleanup_free_ char *text = signal_text(d, &from->signal);

	if (text && from == d->core.notes.threads)
		t->note = xasprintf("got %s", text);
}

static void take_states(struct core_dump *d)
{
	for (size_t i = 0; i < d->process->count; i++) {
		struct dumped_thread *t = &d->process->threads[i];
		const struct core_thread *from = core_thread(&d->core.notes, &t->py);

		if (!from)
			continue;
		t->py.native_id = (uint64_t)from->tid;
		t->run = from->waits ? THREAD_WAITING : THREAD_ON_CPU;
		if (core_machine_is_ours(d->core.machine)) {
			t->syscall = from->syscall;
			take_futex(d, t, from);
		}
		take_signal(d, t, from);
	}
	dumped_process_sort(d->process);
}

/* ---- the process ------------------------------------------------------------------------------ */

static bool is_python_thread(const struct core_dump *d, pid_t tid)
{
	for (size_t i = 0; i < d->process->count; i++)
		if (d->process->threads[i].py.native_id == (uint64_t)tid)
			return true;
	return false;
}

static void note_file(const struct core_dump *d, struct buf *note)
{
	const struct core_file *file = needed_file(&d->core);

	if (file)
		buf_printf(note, "; '%s' %s: what is only there is missing", file->path,
			why_unusable(file));
}

/* "Core file of ..., killed by SIGSEGV at address 0x0" */
static char *process_note(const struct core_dump *d)
{
	const struct core_thread *first = d->core.notes.threads;
	_cleanup_free_ char *text = signal_text(d, &first->signal);
	_cleanup_buf_ struct buf note = BUF_INIT, valid = BUF_INIT;

	buf_printf(&note, "Core file '%s'", d->options->core);
	if (text)
		buf_printf(&note, ", killed by %s", text);
	if (text && !is_python_thread(d, first->tid))
		buf_printf(&note, " in thread %d, which is none of Python's", (int)first->tid);
	if (d->core.missing_bytes)
		buf_printf(&note, "; cut short: the last %.1f MB are missing",
			(double)d->core.missing_bytes / 1e6);
	note_file(d, &note);
	utf8_add_bytes(&valid, note.data, note.len);
	return xstrdup(buf_str(&valid));
}

static void describe(struct core_dump *d)
{
	struct dumped_process *p = d->process;
	const char *exe = d->core.program ? d->core.program->path : d->core.notes.comm;

	p->pid = d->core.notes.pid > 0 ? d->core.notes.pid : d->core.notes.threads[0].tid;
	utf8_add_bytes(&p->exe, exe, strlen(exe));
	mem_core_command_line(&d->core, COMMAND_LINE_BYTES, &p->command_line);
	p->note = process_note(d);
}

struct err *dump_take_core(struct dumped_process *p, const struct dump_options *options)
{
	_cleanup_(core_dump_deinit) struct core_dump d = { .process = p, .options = options };
	struct err *err = mem_core_open(&d.core, options->core, options->exe);

	if (err)
		return err;
	err = find_runtime(&d);
	if (!err)
		err = take_still(&d);
	if (err)
		return explain(&d, err);
	take_states(&d);
	describe(&d);
	dump_take_locks(p, &d.rt, &d.core.reader);
	return NULL;
}

// SPDX-License-Identifier: MIT
#include "base/cleanup.h"
#include "cmd/dump.h"
#include "fmt/json_writer.h"
#include "os/syscall_name.h"

static const char *kind_name(enum local_kind kind)
{
	static const char *const names[] = {
		[LOCAL_PLAIN] = "local",
		[LOCAL_CELL] = "cell",
		[LOCAL_FREE] = "free",
		[LOCAL_NAME] = "name",
	};

	return names[kind];
}

static void json_local(struct json_writer *w, const struct dumped_local *local)
{
	json_begin_object(w);
	json_member_cstring(w, "name", local->name);
	json_member_cstring(w, "kind", kind_name(local->kind));
	json_member_cstring(w, "type", local->type[0] ? local->type : NULL);
	json_member_cstring(w, "value", local->value);
	if (local->masked)
		json_member_bool(w, "masked", true);
	if (local->cut)
		json_member_bool(w, "cut", true);
	json_end_object(w);
}

static void json_locals(struct json_writer *w, const struct dumped_frame *frame)
{
	json_key(w, "locals");
	if (frame->no_locals) {
		json_null(w);
		return;
	}
	json_begin_array(w);
	for (size_t i = 0; i < frame->local_count; i++)
		json_local(w, &frame->locals[i]);
	json_end_array(w);
	if (frame->left_out)
		json_member_bool(w, "locals_left_out", true);
}

static void json_frames(struct json_writer *w, const struct dumped_process *d,
	const struct dumped_thread *t, const struct dump_options *options)
{
	const struct profile *p = &d->capture.tables;

	json_begin_array(w);
	for (size_t i = t->count; i-- > 0;) {
		const struct store_frame *frame = &p->frames[t->frames[i].id];
		const struct store_function *f = &p->functions[frame->function];

		if (f->kind != FUNCTION_PYTHON)
			continue;
		json_begin_object(w);
		json_member_cstring(w, "function", profile_text(p, f->name));
		json_member_cstring(w, "file", profile_text(p, f->file));
		json_key(w, "line");
		json_u64(w, frame->line);
		if (options->locals)
			json_locals(w, &t->frames[i]);
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

static void json_tid(struct json_writer *w, const struct dumped_thread *t)
{
	json_i64(w, (int64_t)t->py.native_id);
}

static void json_wait(struct json_writer *w, const struct dumped_process *p,
	const struct dumped_wait *wait)
{
	json_key(w, "waits_for");
	json_begin_object(w);
	json_member_cstring(w, "lock", wait->what);
	json_member_cstring(w, "name", wait->name);
	json_member_bool(w, "forever", wait->forever);
	json_key(w, "owner");
	if (wait->owner)
		json_tid(w, &p->threads[wait->owner_thread]);
	else
		json_null(w);
	json_end_object(w);
}

static void json_thread(struct json_writer *w, const struct dumped_process *p,
	const struct dumped_thread *t, const struct dump_options *options)
{
	json_begin_object(w);
	json_key(w, "tid");
	json_tid(w, t);
	json_member_cstring(w, "name", t->name);
	json_member_bool(w, "main", t->py.main);
	json_member_cstring(w, "state", dump_run_name(t->run));
	json_key(w, "syscall");
	json_syscall(w, t->syscall);
	json_member_bool(w, "gil", t->holds_gil);
	json_member_bool(w, "gil_wait", t->waits_for_gil);
	json_member_bool(w, "gc", t->in_gc);
	if (t->py.interp_id) {
		json_key(w, "interpreter");
		json_u64(w, t->py.interp_id);
	}
	if (t->cut || t->unreadable)
		json_member_bool(w, "truncated", true);
	if (options->locals && t->moved)
		json_member_bool(w, "moved", true);
	if (t->note)
		json_member_cstring(w, "note", t->note);
	if (t->wait.waits)
		json_wait(w, p, &t->wait);
	json_key(w, "frames");
	json_frames(w, p, t, options);
	json_end_object(w);
}

void dump_print_json(
	struct json_writer *w, const struct dumped_process *p, const struct dump_options *options)
{
	json_begin_object(w);
	json_key(w, "pid");
	json_i64(w, p->pid);
	json_member_cstring(w, "python", buf_str(&p->version));
	json_member_cstring(w, "exe", buf_str(&p->exe));
	json_member_cstring(w, "command", buf_str(&p->command_line));
	if (p->note)
		json_member_cstring(w, "note", p->note);
	if (p->all_wait)
		json_member_bool(w, "all_wait", true);
	if (p->deadlock_count) {
		json_key(w, "deadlock");
		json_begin_array(w);
		for (size_t i = 0; i < p->deadlock_count; i++)
			json_tid(w, &p->threads[p->deadlock[i]]);
		json_end_array(w);
	}
	json_key(w, "threads");
	json_begin_array(w);
	for (size_t i = 0; i < p->count; i++)
		json_thread(w, p, &p->threads[i], options);
	json_end_array(w);
	json_end_object(w);
}

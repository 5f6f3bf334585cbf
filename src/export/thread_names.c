// SPDX-License-Identifier: MIT
#include "export/thread_names.h"

const char *thread_names_process(const struct capture *c, uint32_t process)
{
	return process < c->process_count ? capture_text(c, c->processes[process].name) : "";
}

const char *thread_names_title(const struct capture *c, const char *title)
{
	const char *process = thread_names_process(c, 0);

	if (title && *title)
		return title;
	return *process ? process : "fireglass";
}

void thread_names_add(struct buf *out, const struct capture *c, uint32_t thread)
{
	const struct capture_thread *t = &c->threads[thread];
	const char *name = capture_text(c, t->name), *process = thread_names_process(c, t->process);

	if (c->process_count > 1) {
		buf_add_str(out, *process ? process : "process");
		if (t->process < c->process_count && c->processes[t->process].pid)
			buf_printf(out, " %u", c->processes[t->process].pid);
		buf_add_str(out, ": ");
	}
	buf_add_str(out, *name ? name : "thread");
	if (t->tid)
		buf_printf(out, " (%u)", t->tid);
}

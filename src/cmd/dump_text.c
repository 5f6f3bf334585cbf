// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cmd/dump.h"
#include "export/label.h"
#include "os/syscall_name.h"

const char *dump_remark(const struct dumped_thread *t)
{
	if (t->unreadable)
		return "(not readable)";
	if (t->cut)
		return "(truncated)";
	return t->count ? NULL : "(no Python frame)";
}

const char *dump_run_name(enum thread_run run)
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

struct style {
	const char *bold, *dim, *green, *red, *off;
};

static struct style style_for(FILE *f)
{
	if (!isatty(fileno(f)) || getenv("NO_COLOR"))
		return (struct style){ "", "", "", "", "" };
	return (struct style){ "\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m" };
}

/* What is being printed. */
struct page {
	const struct dumped_process *process;
	const struct dump_options *options;
	struct style style;
};

/* Text of the target's: nothing of it steers the terminal. */
static void print_visible(const char *text)
{
	_cleanup_buf_ struct buf visible = BUF_INIT;

	label_visible(&visible, text, strlen(text));
	fputs(buf_str(&visible), stdout);
}

static void print_local(const struct page *page, const struct dumped_local *local)
{
	printf("        %s", page->style.dim);
	print_visible(local->name);
	printf("%s = ", page->style.off);
	if (local->value) {
		print_visible(local->value);
	} else {
		printf("<%s", local->masked ? "" : "not readable");
		print_visible(local->masked ? local->type : "");
		printf("%s>", local->masked ? ", masked" : "");
	}
	putchar('\n');
}

static void print_locals(const struct page *page, const struct dumped_frame *frame)
{
	if (frame->no_locals)
		printf("        %s(%s)%s\n", page->style.dim,
			page->options->core ? "its variables cannot be read" :
					      "it had returned before its variables could be read",
			page->style.off);
	for (size_t i = 0; i < frame->local_count; i++)
		print_local(page, &frame->locals[i]);
	if (frame->left_out)
		printf("        %s(more were left out)%s\n", page->style.dim, page->style.off);
}

static void print_frame(const struct page *page, const struct dumped_frame *dumped)
{
	const struct profile *p = &page->process->capture.tables;
	struct export_options options = {
		.full_paths = page->options->full_paths, .cwd = buf_str(&page->process->cwd) };
	const struct store_frame *frame = &p->frames[dumped->id];
	const struct store_function *f = &p->functions[frame->function];
	_cleanup_buf_ struct buf place = BUF_INIT;
	struct label_slice file = label_file(p, f, &options);

	label_visible(&place, file.text, file.len);
	printf("    ");
	print_visible(profile_text(p, f->name));
	if (f->kind == FUNCTION_PYTHON)
		printf(" %s(%s:%u)%s", page->style.dim, buf_str(&place), frame->line,
			page->style.off);
	putchar('\n');
	if (page->options->locals)
		print_locals(page, dumped);
}

static void print_syscall(int32_t number)
{
	const char *name = syscall_name(number);

	if (name)
		printf(" in %s", name);
	else
		printf(" in system call %" PRId32, number);
}

static void print_name(const struct dumped_thread *t)
{
	printf("%d \"", (int)t->py.native_id);
	print_visible(t->name);
	putchar('"');
}

static void print_lock(const struct dumped_wait *wait)
{
	if (wait->name)
		print_visible(wait->name);
	else if (wait->what)
		print_visible(wait->what);
	else
		printf("a lock");
}

static void print_wait(const struct page *page, const struct dumped_wait *wait)
{
	if (!wait->waits)
		return;
	printf("    %swaits for%s ", page->style.bold, page->style.off);
	print_lock(wait);
	if (wait->name && wait->what) {
		putchar(' ');
		print_visible(wait->what);
	}
	if (wait->owner) {
		printf(", which thread ");
		print_name(&page->process->threads[wait->owner_thread]);
		printf(" has");
	}
	putchar('\n');
}

static void print_head(const struct page *page, const struct dumped_thread *t)
{
	const struct style *style = &page->style;

	printf("\nThread %d %s\"", (int)t->py.native_id, style->bold);
	print_visible(t->name);
	printf("\"%s: %s%s%s", style->off, t->run <= THREAD_RUNNABLE ? style->green : style->dim,
		dump_run_name(t->run), style->off);
	if (t->waits_for_gil)
		printf(" for the GIL");
	else if (t->syscall >= 0)
		print_syscall(t->syscall);
	if (t->py.main)
		printf(", main");
	if (t->holds_gil)
		printf(", %sholds the GIL%s", style->bold, style->off);
	if (t->in_gc)
		printf(", collecting garbage");
	if (t->py.interp_id)
		printf(", interpreter %" PRIu64, t->py.interp_id);
	if (t->note) {
		printf(", ");
		print_visible(t->note);
	}
	putchar('\n');
}

static void print_thread(const struct page *page, const struct dumped_thread *t)
{
	print_head(page, t);
	if (dump_remark(t))
		printf("    %s\n", dump_remark(t));
	if (page->options->locals && t->moved)
		printf("    (it runs: values may be of different moments; --stop for those of one)\n");
	print_wait(page, &t->wait);
	for (size_t i = 0; i < t->count; i++)
		print_frame(page, &t->frames[i]);
}

/* thread 1 "a" waits for lock_b, which thread 2 "b" has; thread 2 ... */
static void print_deadlock(const struct page *page)
{
	const struct dumped_process *p = page->process;

	printf("\n%sDeadlock%s: ", page->style.red, page->style.off);
	for (size_t i = 0; i < p->deadlock_count; i++) {
		const struct dumped_thread *t = &p->threads[p->deadlock[i]];

		printf("%sthread ", i ? "; " : "");
		print_name(t);
		printf(" waits for ");
		print_lock(&t->wait);
		printf(", which thread ");
		print_name(&p->threads[t->wait.owner_thread]);
		printf(" has");
	}
	putchar('\n');
}

static void print_hint(const struct page *page)
{
	if (page->process->deadlock_count)
		print_deadlock(page);
	else if (page->process->all_wait)
		printf("\n%sAll threads wait for locks, without a time limit%s: a deadlock?\n",
			page->style.red, page->style.off);
}

void dump_print_text(const struct dumped_process *p, const struct dump_options *options)
{
	const struct page page = {
		.process = p, .options = options, .style = style_for(stdout) };

	printf("Process %d: ", (int)p->pid);
	print_visible(buf_str(&p->command_line));
	printf("\nPython %s (", buf_str(&p->version));
	print_visible(buf_str(&p->exe));
	printf("), most recent call first\n");
	if (p->note) {
		print_visible(p->note);
		putchar('\n');
	}
	for (size_t i = 0; i < p->count; i++)
		print_thread(&page, &p->threads[i]);
	print_hint(&page);
}

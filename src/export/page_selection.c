// SPDX-License-Identifier: MIT
/* What was selected, said as the options that select it. */
#include <inttypes.h>

#include "base/clock.h"
#include "export/page.h"

static void add(struct buf *out, const char *option)
{
	buf_printf(out, "%s--%s", out->len ? " " : "", option);
}

/* 'it'\''s': as a shell takes it. */
static void add_quoted(struct buf *out, const char *text)
{
	buf_add_str(out, " '");
	for (; *text; text++) {
		if (*text == '\'')
			buf_add_str(out, "'\\'");
		buf_add_char(out, *text);
	}
	buf_add_char(out, '\'');
}

static void add_patterns(struct buf *out, const char *option, const char *const *patterns)
{
	for (size_t i = 0; i < SELECTION_PATTERNS_MAX && patterns[i]; i++) {
		add(out, option);
		add_quoted(out, patterns[i]);
	}
}

/* Since the first sample of the capture, which the page need not have. */
static void add_time(struct buf *out, const struct page *p, const char *option, uint64_t ns)
{
	uint64_t first_ns = capture_first_ns(view_capture(p->view));
	uint64_t after_ns = ns > first_ns ? ns - first_ns : 0;

	if (!ns)
		return;
	add(out, option);
	buf_printf(
		out, " %" PRIu64 ".%09" PRIu64 "s", after_ns / NS_PER_SEC, after_ns % NS_PER_SEC);
}

void page_add_selection(struct buf *out, const struct page *p)
{
	static const char *const modes[] = { [VIEW_CPU] = "cpu", [VIEW_GIL] = "gil" };
	static const char *const grains[] = {
		[VIEW_FUNCTIONS] = "functions", [VIEW_FILES] = "files", [VIEW_MODULES] = "modules"
	};
	const struct selection *s = view_selection(p->view);

	if (s->mode == VIEW_CPU || s->mode == VIEW_GIL)
		add(out, modes[s->mode]);
	add_time(out, p, "from", s->from_ns);
	add_time(out, p, "to", s->to_ns);
	add_patterns(out, "thread", s->threads);
	add_patterns(out, "process", s->processes);
	add_patterns(out, "span", s->spans);
	add_patterns(out, "focus", s->focus);
	add_patterns(out, "ignore", s->ignore);
	add_patterns(out, "hide", s->hide);
	add_patterns(out, "root", s->root);
	if (s->granularity != VIEW_LINES)
		add(out, grains[s->granularity]);
	if (s->collapse_recursion)
		add(out, "collapse-recursion");
	if (s->min_percent > 0) {
		add(out, "min-percent");
		buf_printf(out, " %g", s->min_percent);
	}
	if (s->thread_roots)
		add(out, "threads");
	if (s->span_roots)
		add(out, "by-span");
	if (p->options->no_lines)
		add(out, "no-lines");
}

// SPDX-License-Identifier: MIT
/*
 * The options that say what is looked at of a capture, the same for every command that reads one
 * (docs/selecting.md). A command's settings begin with a struct selecting, and its table of options
 * has SELECTING_OPTIONS among its rows.
 */
#ifndef FIREGLASS_CMD_SELECTING_H
#define FIREGLASS_CMD_SELECTING_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "cmd/inputs.h"
#include "cmd/opts.h"
#include "export/export.h"
#include "store/view.h"

struct selecting {
	struct selection selection; // but for times, which depend on the capture
	const char *from, *to;      // as given, or NULL
	const char *input_format;   // or NULL
	bool no_lines, full_paths, inverted;
	bool no_source; // of pages
};

/* What exporters are told of a capture; owns the texts. */
struct described {
	struct export_options options;
	struct buf title, command, unit;
};

/*
 * The selection for a capture. An error: a time that is none, a time asked of samples without times.
 */
struct err *selecting_resolve(
	const struct selecting *s, const struct input *in, struct selection *ret);

void selecting_describe(const struct selecting *s, const struct input *in, struct described *d);
void described_deinit(struct described *d);

/*
 * A moment: a time since the first sample (2.5s, 1m30s), before the last one (-10s), or of the clock
 * (2026-01-31T12:00:00, with a fraction, Z or +02:00 after it; else local time).
 */
struct err *selecting_parse_moment(
	const char *text, uint64_t first_ns, uint64_t last_ns, uint64_t *ns_ret);

/* Says on the standard error if the selection left out everything. */
void selecting_tell(const struct selecting *s, const struct input *in, const struct view *v);

struct err *selecting_set_from(void *settings, const char *value);
struct err *selecting_set_to(void *settings, const char *value);
struct err *selecting_set_thread(void *settings, const char *value);
struct err *selecting_set_process(void *settings, const char *value);
struct err *selecting_set_span(void *settings, const char *value);
struct err *selecting_set_wall(void *settings, const char *value);
struct err *selecting_set_cpu(void *settings, const char *value);
struct err *selecting_set_gil(void *settings, const char *value);
struct err *selecting_set_all(void *settings, const char *value);
struct err *selecting_set_focus(void *settings, const char *value);
struct err *selecting_set_ignore(void *settings, const char *value);
struct err *selecting_set_hide(void *settings, const char *value);
struct err *selecting_set_root(void *settings, const char *value);
struct err *selecting_set_lines(void *settings, const char *value);
struct err *selecting_set_functions(void *settings, const char *value);
struct err *selecting_set_files(void *settings, const char *value);
struct err *selecting_set_modules(void *settings, const char *value);
struct err *selecting_set_recursion(void *settings, const char *value);
struct err *selecting_set_min_percent(void *settings, const char *value);
struct err *selecting_set_threads(void *settings, const char *value);
struct err *selecting_set_by_span(void *settings, const char *value);
struct err *selecting_set_full_paths(void *settings, const char *value);
struct err *selecting_set_no_lines(void *settings, const char *value);
struct err *selecting_set_inverted(void *settings, const char *value);
struct err *selecting_set_input_format(void *settings, const char *value);

struct err *selecting_set_source(void *settings, const char *value);
struct err *selecting_set_no_source(void *settings, const char *value);

/* Those of commands that write pages. */
#define SELECTING_SOURCE_OPTIONS                                                                   \
	{ 0, "source", NULL, "source files in the page, where they can be read (the default)",     \
		selecting_set_source },                                                            \
	{ 0, "no-source", NULL, "no source files in the page", selecting_set_no_source }

/* Those of commands that read a file. */
#define SELECTING_FILE_OPTIONS                                                                     \
	{ 0, "from", "TIME", "only samples from then on: 2.5s after the first one, -10s\n"         \
		"before the last, or 2026-01-31T12:00:00", selecting_set_from },                   \
	{ 0, "to", "TIME", "only samples before then", selecting_set_to },                         \
	{ 0, "input-format", "FORMAT", "of the file read; default: told by its content",           \
		selecting_set_input_format }

#define SELECTING_OPTIONS                                                                          \
	{ 0, "thread", "REGEX", "only threads with such a name, or this id; may be given\n"        \
		"more than once, as all that take REGEX", selecting_set_thread },                  \
	{ 0, "process", "REGEX", "only processes with such a name, or this id",                    \
		selecting_set_process },                                                           \
	{ 0, "span", "REGEX", "only samples in such spans, or in spans within them, matched\n"    \
		"on \"name text\"", selecting_set_span },                                        \
	{ 0, "wall", NULL, "all samples (the default)", selecting_set_wall },                      \
	{ 0, "cpu", NULL, "only those of threads on a processor, or ready for one",                \
		selecting_set_cpu },                                                               \
	{ 0, "gil", NULL, "only those of threads that held the GIL", selecting_set_gil },          \
	{ 0, "all", NULL, "all samples, and what was lost as (lost)", selecting_set_all },         \
	{ 0, "focus", "REGEX", "only stacks with such a frame, matched on\n"                       \
		"\"function (file:line)\"", selecting_set_focus },                                 \
	{ 0, "ignore", "REGEX", "no stacks with such a frame", selecting_set_ignore },             \
	{ 0, "hide", "REGEX", "stacks without such frames", selecting_set_hide },                  \
	{ 0, "root", "REGEX", "stacks begin at the outermost such frame", selecting_set_root },    \
	{ 0, "lines", NULL, "a frame is a line of a function", selecting_set_lines },              \
	{ 0, "functions", NULL, "lines of a function are merged", selecting_set_functions },       \
	{ 0, "files", NULL, "functions of a file are merged", selecting_set_files },               \
	{ 0, "modules", NULL, "files of a package are merged", selecting_set_modules },            \
	{ 0, "collapse-recursion", NULL, "a function that calls itself is one frame",              \
		selecting_set_recursion },                                                         \
	{ 0, "min-percent", "N", "frames with less than N % are pooled into (below N %)",          \
		selecting_set_min_percent },                                                       \
	{ 't', "threads", NULL, "the thread's name as the first frame", selecting_set_threads },   \
	{ 0, "by-span", NULL, "spans as the first frames, the outermost first",                     \
		selecting_set_by_span },                                                           \
	{ 0, "full-paths", NULL, "whole file names, not those relative to packages",               \
		selecting_set_full_paths },                                                        \
	{ 0, "no-lines", NULL, "no line numbers at all", selecting_set_no_lines },                 \
	{ 0, "inverted", NULL, "flame graph with the root on top (icicle)",                        \
		selecting_set_inverted }

#endif

// SPDX-License-Identifier: MIT
/* fireglass report: a capture as a page with everything in it. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "cmd/commands.h"
#include "cmd/outputs.h"
#include "cmd/selecting.h"
#include "cmd/sources.h"

struct report_command {
	struct selecting selecting; // first: see selecting.h
	struct outputs outputs;
	const char *baseline, *title; // or NULL
	char *default_path;
};

/* A capture as the page has it. */
struct side {
	struct input input;
	struct described described;
	struct view *view;
	bool opened;
};

static struct err *set_output(void *settings, const char *value)
{
	struct outputs *o = &((struct report_command *)settings)->outputs;

	if (o->count)
		return err_new(ERR_USAGE, "one -o only: '%s' or '%s'", o->items[0].path, value);
	return outputs_add(o, value);
}

static struct err *set_baseline(void *settings, const char *value)
{
	((struct report_command *)settings)->baseline = value;
	return NULL;
}

static struct err *set_title(void *settings, const char *value)
{
	((struct report_command *)settings)->title = value;
	return NULL;
}

static const struct opt report_options[] = {
	{ 'o', "output", "FILE",
		"where to write, - for standard output; default: beside the\n"
		"capture, ending in .html",
		set_output },
	{ 0, "baseline", "FILE", "a capture from before: the page shows what changed since",
		set_baseline },
	{ 0, "title", "TEXT", "of the page", set_title },
	SELECTING_SOURCE_OPTIONS,
	SELECTING_FILE_OPTIONS,
	SELECTING_OPTIONS,
	{ 0 },
};

/* ---- output ----------------------------------------------------------------------------------- */

/* dir/app.fgc: dir/app.html */
static char *beside(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');
	size_t len = dot && dot > name ? (size_t)(dot - path) : strlen(path);

	return xasprintf("%.*s.html", (int)len, path);
}

static struct err *choose_output(struct report_command *r, const char *file)
{
	if (r->outputs.count)
		return NULL;
	if (strcmp(file, "-") == 0)
		return err_new(ERR_USAGE, "where to? give -o FILE, or -o - for standard output");
	r->default_path = beside(file);
	return outputs_add(&r->outputs, r->default_path);
}

static struct err *check(const struct report_command *r, const char *file)
{
	const char *path = r->outputs.items[0].path;
	bool stream = strcmp(path, "-") == 0;

	if (r->baseline && strcmp(file, "-") == 0 && strcmp(r->baseline, "-") == 0)
		return err_new(ERR_USAGE, "the standard input can be read once only");
	if (!stream && (strcmp(path, file) == 0 || (r->baseline && strcmp(path, r->baseline) == 0)))
		return err_new(ERR_USAGE, "'%s' is both read and written; give another -o", path);
	return NULL;
}

static void say_where(const char *path)
{
	_cleanup_buf_ struct buf size = BUF_INIT;
	struct stat st;

	if (strcmp(path, "-") == 0)
		return;
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		buf_add_str(&size, " (");
		units_add_size(&size, (uint64_t)st.st_size);
		buf_add_char(&size, ')');
	}
	fprintf(stderr, "fireglass: wrote %s%s\n", path, buf_str(&size));
}

/* ---- captures --------------------------------------------------------------------------------- */

static void side_deinit(struct side *s)
{
	view_destroy(s->view);
	described_deinit(&s->described);
	if (s->opened)
		input_close(&s->input);
}

static struct err *side_open(struct side *s, const struct report_command *r, const char *file)
{
	struct selection selection;
	struct err *err = input_open(&s->input, file, r->selecting.input_format);

	if (err)
		return err;
	s->opened = true;
	input_tell(&s->input);
	err = selecting_resolve(&r->selecting, &s->input, &selection);
	if (err)
		return err;
	// ids differ between runs: all threads would be new and gone
	selection.roots_by_name = r->baseline != NULL;
	selecting_describe(&r->selecting, &s->input, &s->described);
	return view_create(&s->view, &s->input.capture, &selection);
}

static struct err *write_page(
	struct report_command *r, struct side *main, const struct side *before)
{
	const struct export_baseline baseline = { before->view, &before->described.options };
	struct export_options *options = &main->described.options;
	_cleanup_(sources_deinit) struct sources sources = { 0 };

	outfile_guard();
	struct err *err = outputs_open(&r->outputs);
	if (err)
		return err;
	sources_init(&sources, &main->input.capture, NULL);
	options->title = r->title ? r->title : options->title;
	options->sources = r->selecting.no_source ? NULL : &sources.exported;
	options->baseline = r->baseline ? &baseline : NULL;
	err = outputs_write_view(&r->outputs, main->view, options);
	if (err)
		return err;
	sources_tell(&sources);
	selecting_tell(&r->selecting, &main->input, main->view);
	if (r->baseline)
		selecting_tell(&r->selecting, &before->input, before->view);
	say_where(r->outputs.items[0].path);
	return NULL;
}

static struct err *report(struct report_command *r, const char *file)
{
	_cleanup_(side_deinit) struct side main = { 0 }, before = { 0 };
	struct err *err = choose_output(r, file);

	if (!err)
		err = check(r, file);
	if (!err)
		err = side_open(&main, r, file);
	if (!err && r->baseline)
		err = side_open(&before, r, r->baseline);
	if (err)
		return err;
	outputs_choose(&r->outputs, &export_page);
	return write_page(r, &main, &before);
}

static int report_run(const struct command *command, int argc, char **argv)
{
	struct report_command r = { 0 };
	const char *file;
	size_t files;
	struct err *err = opts_parse_files(command, argc, argv, &r, &file, 1, &files);

	if (!err && !files)
		err = err_new(
			ERR_USAGE, "a report of what? give a capture, or - for standard input");
	if (!err)
		err = report(&r, file);
	free(r.default_path);
	return err ? opts_fail(err) : EXIT_OK;
}

const struct command command_report = {
	.name = "report",
	.summary = "Write a capture as a page to look at it in a browser, with everything in it.",
	.usage = "  fireglass report FILE [OPTIONS]",
	.examples = "  fireglass report app.fgc                         writes app.html\n"
		    "  fireglass report after.fgc --baseline before.fgc -o change.html\n"
		    "  fireglass report app.fgc --from 10s --to 20s --thread worker -o part.html\n"
		    "  some-profiler | fireglass report - -o out.html",
	.options = report_options,
	.run = report_run,
};

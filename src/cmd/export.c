// SPDX-License-Identifier: MIT
/* fireglass export: a capture, or a file of any profiler that can be read, as another format. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cmd/commands.h"
#include "cmd/outputs.h"
#include "cmd/selecting.h"
#include "cmd/sources.h"

struct export_command {
	struct selecting selecting; // first: see selecting.h
	struct outputs outputs;
	const struct exporter *format;
	enum text_shape shape;
	size_t rows;
	bool list_formats;
};

static struct err *set_output(void *settings, const char *value)
{
	return outputs_add(&((struct export_command *)settings)->outputs, value);
}

static struct err *set_format(void *settings, const char *value)
{
	struct export_command *e = settings;
	_cleanup_buf_ struct buf known = BUF_INIT;

	e->format = export_find(value);
	if (e->format)
		return NULL;
	for (size_t i = 0; exporters[i]; i++)
		buf_printf(&known, "%s%s", i ? ", " : "", exporters[i]->name);
	return err_new(ERR_USAGE, "unknown format '%s'; there are %s", value, buf_str(&known));
}

static struct err *set_list_formats(void *settings, const char *value)
{
	(void)value;
	((struct export_command *)settings)->list_formats = true;
	return NULL;
}

#define SHAPE(name, value_)                                              \
	static struct err *set_##name(void *settings, const char *value) \
	{                                                                \
		(void)value;                                             \
		((struct export_command *)settings)->shape = value_;     \
		return NULL;                                             \
	}

SHAPE(callers, TEXT_CALLERS)
SHAPE(callees, TEXT_CALLEES)
SHAPE(tree, TEXT_TREE)

static struct err *set_rows(void *settings, const char *value)
{
	char *end;
	unsigned long rows = strtoul(value, &end, 10);

	if (end == value || *end || *value == '-' || !rows)
		return err_new(ERR_USAGE, "bad number of rows '%s'", value);
	((struct export_command *)settings)->rows = rows;
	return NULL;
}

static const struct opt export_options[] = {
	{ 'f', "format", "FORMAT", "what to write; default: by the ending of FILE", set_format },
	{ 'o', "output", "FILE", "where to write, - for standard output; may be given\n"
		"more than once; default: standard output, a table on a\n"
		"terminal, else folded stacks", set_output },
	{ 0, "callers", NULL, "the table with what called each function", set_callers },
	{ 0, "callees", NULL, "the table with what each function called", set_callees },
	{ 0, "tree", NULL, "the call tree as text", set_tree },
	{ 0, "rows", "N", "of text at most", set_rows },
	{ 0, "list-formats", NULL, "all formats that can be written and read", set_list_formats },
	SELECTING_SOURCE_OPTIONS,
	SELECTING_FILE_OPTIONS,
	SELECTING_OPTIONS,
	{ 0 },
};

static void list_formats(void)
{
	printf("to write (-f):\n");
	for (size_t i = 0; exporters[i]; i++)
		printf("%-12s .%-11s %s\n", exporters[i]->name, exporters[i]->extension,
			exporters[i]->summary);
	printf("\nto read (told by the content, or --input-format):\n");
	input_list_formats();
}

/* Nothing said: what suits whoever looks at it. */
static struct err *default_output(struct export_command *e)
{
	bool text = isatty(STDOUT_FILENO) || e->shape != TEXT_TABLE || e->rows;

	if (!e->format)
		e->format = text ? &export_text : &export_folded;
	return outputs_add(&e->outputs, "-");
}

static struct err *check_outputs(const struct outputs *o, const char *path)
{
	size_t streams = 0;

	for (size_t i = 0; i < o->count; i++) {
		streams += strcmp(o->items[i].path, "-") == 0;
		if (strcmp(o->items[i].path, path) == 0 && strcmp(path, "-") != 0)
			return err_new(
				ERR_USAGE, "'%s' is both read and written; give another -o", path);
	}
	if (streams > 1)
		return err_new(ERR_USAGE, "the standard output can be given once only");
	return NULL;
}

static struct err *open_outputs(struct export_command *e, const char *path)
{
	struct err *err = e->outputs.count ? NULL : default_output(e);

	if (!err)
		err = check_outputs(&e->outputs, path);
	if (err)
		return err;
	outputs_choose(&e->outputs, e->format);
	outfile_guard();
	return outputs_open(&e->outputs);
}

/* Only a terminal's own output: of several, none. */
static bool in_colour(const struct outputs *o)
{
	return o->count == 1 && strcmp(o->items[0].path, "-") == 0 && isatty(STDOUT_FILENO) &&
		!getenv("NO_COLOR");
}

static struct err *write_outputs(struct export_command *e, const struct input *in)
{
	_cleanup_(described_deinit) struct described described = { 0 };
	_cleanup_(sources_deinit) struct sources sources;
	struct selection selection;
	struct view *v;
	struct err *err = selecting_resolve(&e->selecting, in, &selection);

	sources_init(&sources, &in->capture, NULL);
	if (!err)
		err = view_create(&v, &in->capture, &selection);
	if (err)
		return err;
	err = open_outputs(e, in->path);
	if (!err) {
		selecting_describe(&e->selecting, in, &described);
		described.options.shape = e->shape;
		described.options.rows = e->rows;
		described.options.color = in_colour(&e->outputs);
		described.options.sources = e->selecting.no_source ? NULL : &sources.exported;
		err = outputs_write_view(&e->outputs, v, &described.options);
	}
	if (!err) {
		sources_tell(&sources);
		selecting_tell(&e->selecting, in, v);
	}
	view_destroy(v);
	return err;
}

static int export_run(const struct command *command, int argc, char **argv)
{
	struct export_command e = { 0 };
	struct input in;
	const char *file;
	size_t files;
	struct err *err = opts_parse_files(command, argc, argv, &e, &file, 1, &files);

	if (!err && e.list_formats) {
		list_formats();
		return EXIT_OK;
	}
	if (!err && !files)
		err = err_new(ERR_USAGE, "what to export? give a capture, or - for standard input");
	if (!err)
		err = input_open(&in, file, e.selecting.input_format);
	if (err)
		return opts_fail(err);
	input_tell(&in);
	err = write_outputs(&e, &in);
	input_close(&in);
	return err ? opts_fail(err) : EXIT_OK;
}

const struct command command_export = {
	.name = "export",
	.summary = "Write a capture, or a file of another profiler, as another format.",
	.usage = "  fireglass export FILE [OPTIONS]",
	.examples =
		"  fireglass export app.fgc                         a table\n"
		"  fireglass export app.fgc -o app.svg -o app.folded\n"
		"  fireglass export app.fgc --cpu --thread worker --from 10s --to 20s -o busy.svg\n"
		"  fireglass export app.fgc --modules --min-percent 1 -f folded | flamegraph.pl > m.svg\n"
		"  some-profiler | fireglass export - -o out.svg",
	.options = export_options,
	.run = export_run,
};

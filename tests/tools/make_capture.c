// SPDX-License-Identifier: MIT
/*
 * Writes a capture in any format, for the tests of exporters.
 *
 *	make_capture [-Fnp] [-m wall|cpu|gil|all] [-g lines|functions|files|modules]
 *		[-s table|callers|callees|tree] NAME FORMAT OUT
 *	make_capture list
 *
 * NAME: of tests/unit/golden_captures.h, or the path of a capture file (with a `/`). FORMAT: of an
 * exporter, or `fgc`, the capture itself. OUT: a path, or `-`. -F: functions, -n: no lines, -p: full
 * paths; -m and -g as in store/view.h; -s: what `text` is to show.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/iofd.h"
#include "export/export.h"
#include "golden_captures.h"
#include "store/capture_file.h"

static const char *const modes[] = {
	[VIEW_WALL] = "wall", [VIEW_CPU] = "cpu", [VIEW_GIL] = "gil", [VIEW_ALL] = "all", NULL
};
static const char *const granularities[] = { [VIEW_LINES] = "lines",
	[VIEW_FUNCTIONS] = "functions", [VIEW_FILES] = "files", [VIEW_MODULES] = "modules", NULL };
static const char *const shapes[] = { [TEXT_TABLE] = "table", [TEXT_CALLERS] = "callers",
	[TEXT_CALLEES] = "callees", [TEXT_TREE] = "tree", NULL };

struct request {
	const char *name, *format, *path;
	struct selection selection;
	struct export_options options;
};

static struct err *write_view(FILE *out, struct view *v, const struct request *r)
{
	const struct exporter *e = export_find(r->format);
	if (!e)
		return err_new(ERR_USAGE, "no format '%s'", r->format);
	struct export_options options = r->options;
	options.cwd = capture_fact(view_capture(v), FACT_CWD);
	return export_view(e, out, v, &options);
}

static struct err *write_selected(const struct capture *c, const struct request *r)
{
	struct view *v;
	struct outfile out;
	struct err *err = view_create(&v, c, &r->selection);

	if (err)
		return err;
	err = outfile_open(&out, r->path);
	if (!err) {
		err = write_view(out.stream, v, r);
		if (err)
			outfile_abort(&out);
		else
			err = outfile_commit(&out);
	}
	view_destroy(v);
	return err;
}

static struct err *write_file(const struct capture *c, const char *path)
{
	struct outfile out;
	struct err *err = outfile_open(&out, path);

	if (err)
		return err;
	err = capture_file_write(fileno(out.stream), c);
	if (!err)
		return outfile_commit(&out);
	outfile_abort(&out);
	return err;
}

static struct err *make(struct capture *c, const struct request *r)
{
	if (strchr(r->name, '/')) {
		struct err *err = capture_file_open(c, r->name, NULL);

		if (err)
			return err;
	} else if (!golden_capture_fill(c, r->name)) {
		return err_new(ERR_USAGE, "no capture '%s'", r->name);
	}
	return strcmp(r->format, "fgc") == 0 ? write_file(c, r->path) : write_selected(c, r);
}

static int list(void)
{
	for (const struct golden_capture *g = golden_captures; g->name; g++)
		puts(g->name);
	return 0;
}

static int index_of(const char *const *names, const char *name)
{
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	fprintf(stderr, "make_capture: no '%s'\n", name);
	exit(2);
}

static bool parse(struct request *r, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "Fnpm:g:s:")) != -1) {
		switch (c) {
		case 'F':
			r->options.functions = true;
			break;
		case 'n':
			r->options.no_lines = true;
			break;
		case 'p':
			r->options.full_paths = true;
			break;
		case 'm':
			r->selection.mode = (enum view_mode)index_of(modes, optarg);
			break;
		case 'g':
			r->selection.granularity =
				(enum view_granularity)index_of(granularities, optarg);
			break;
		case 's':
			r->options.shape = (enum text_shape)index_of(shapes, optarg);
			break;
		default:
			return false;
		}
	}
	if (argc - optind != 3)
		return false;
	r->name = argv[optind];
	r->format = argv[optind + 1];
	r->path = argv[optind + 2];
	return true;
}

int main(int argc, char **argv)
{
	_cleanup_(capture_deinit) struct capture c;
	struct request request = { 0 };

	capture_init(&c);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return list();
	if (!parse(&request, argc, argv)) {
		fputs("usage: make_capture [-Fnp] [-m MODE] [-g GRANULARITY] [-s SHAPE]"
		      " NAME FORMAT OUT\n", stderr);
		return 2;
	}
	struct err *err = make(&c, &request);
	if (!err)
		return 0;
	fprintf(stderr, "make_capture: %s\n", err->message);
	err_free(err);
	return 1;
}

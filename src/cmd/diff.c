// SPDX-License-Identifier: MIT
/* fireglass diff: what changed between two captures, and is it more than chance? */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cmd/commands.h"
#include "cmd/outputs.h"
#include "cmd/selecting.h"
#include "export/differential.h"

#define MISSED_WORTH_TELLING 0.01

/* What makes the exit status 1. */
struct limit {
	bool asked;
	bool points;  // percentage points, not percent of A
	bool strict;  // also within the sampling error
	double least; // 0.05 is 5 %
	const char *text;
	const char *on[SELECTION_PATTERNS_MAX];
	size_t on_count;
};

struct diff_command {
	struct selecting selecting; // first: see selecting.h
	struct outputs outputs;     // their exporters are not used
	const struct differential *formats[OUTPUTS_MAX];
	const struct differential *format;
	struct diff_options options;
	struct limit limit;
};

struct sides {
	struct input inputs[DIFF_SIDES];
	size_t opened;
	struct described described[DIFF_SIDES];
	struct view *views[DIFF_SIDES];
	struct diff diff;
	bool compared;
};

/* ---- options ---------------------------------------------------------------------------------- */

static struct err *set_output(void *settings, const char *value)
{
	return outputs_add(&((struct diff_command *)settings)->outputs, value);
}

static struct err *set_format(void *settings, const char *value)
{
	struct diff_command *d = settings;

	d->format = differential_find(value);
	return d->format
		? NULL
		: err_new(ERR_USAGE, "unknown format '%s'; there are text, svg and folded", value);
}

static struct err *set_absolute(void *settings, const char *value)
{
	(void)value;
	((struct diff_command *)settings)->options.absolute = true;
	return NULL;
}

/* "5%", "5": of A; "5pp": percentage points. */
static struct err *set_fail_over(void *settings, const char *value)
{
	struct limit *limit = &((struct diff_command *)settings)->limit;
	char *end;
	double percent = strtod(value, &end);

	if (end == value || !isfinite(percent) || percent < 0)
		end = "?";
	end += strspn(end, " ");
	limit->points = strcmp(end, "pp") == 0;
	if (*end && strcmp(end, "%") != 0 && !limit->points)
		return err_new(ERR_USAGE,
			"bad limit '%s'; give 5%% (of A's value) or 2pp (percentage points)",
			value);
	limit->asked = true;
	limit->least = percent / 100;
	limit->text = value;
	return NULL;
}

static struct err *set_on(void *settings, const char *value)
{
	struct limit *limit = &((struct diff_command *)settings)->limit;

	if (limit->on_count == SELECTION_PATTERNS_MAX)
		return err_new(
			ERR_USAGE, "--on is given more than %d times", SELECTION_PATTERNS_MAX);
	limit->on[limit->on_count++] = value;
	return NULL;
}

static struct err *set_strict(void *settings, const char *value)
{
	(void)value;
	((struct diff_command *)settings)->limit.strict = true;
	return NULL;
}

static const struct opt diff_options[] = {
	{ 'f', "format", "FORMAT", "text (the default), svg or folded; default: by the\n"
		"ending of FILE", set_format },
	{ 'o', "output", "FILE", "where to write, - for standard output (the default);\n"
		"may be given more than once", set_output },
	{ 0, "absolute", NULL, "compare time (or samples), not shares of the whole", set_absolute },
	{ 0, "fail-over", "LIMIT", "exit with 1 if it grew by more: 5% of A's value, or\n"
		"2pp, percentage points of the whole", set_fail_over },
	{ 0, "on", "REGEX", "what must not have grown: stacks with such a function or\n"
		"file; each one given is looked at; default: the total time", set_on },
	{ 0, "strict", NULL, "fail also if it may be sampling error", set_strict },
	SELECTING_FILE_OPTIONS,
	SELECTING_OPTIONS,
	{ 0 },
};

/* ---- preparing -------------------------------------------------------------------------------- */

static struct err *check(const struct diff_command *d, size_t files)
{
	const struct limit *limit = &d->limit;

	if (files != DIFF_SIDES)
		return err_new(ERR_USAGE, "give two captures: the one before, then the one after");
	if (limit->on_count && !limit->asked)
		return err_new(ERR_USAGE, "--on says what --fail-over is about; give that too");
	if (limit->strict && !limit->asked)
		return err_new(ERR_USAGE, "--strict says how --fail-over is meant; give that too");
	if (limit->points && !limit->on_count)
		return err_new(ERR_USAGE,
			"the total is always 100 %% of the whole; give --fail-over in %%, or --on");
	if (limit->points && d->options.absolute)
		return err_new(ERR_USAGE, "percentage points are shares; leave out --absolute");
	return NULL;
}

static struct err *open_side(struct diff_command *d, struct sides *s, int side, const char *path)
{
	struct input *in = &s->inputs[side];
	struct selection selection;
	struct err *err = input_open(in, path, d->selecting.input_format);

	if (err)
		return err;
	s->opened++;
	input_tell(in);
	err = selecting_resolve(&d->selecting, in, &selection);
	if (err)
		return err;
	// ids differ between runs: all threads would be new and gone
	selection.roots_by_name = true;
	selecting_describe(&d->selecting, in, &s->described[side]);
	return view_create(&s->views[side], &in->capture, &selection);
}

/*
 * A tick that came too late took no sample: the time it stood for is missing from absolute values. Of
 * shares nothing is missing, but what happens to come late.
 */
static void tell_missed(const struct input *in)
{
	const struct capture *c = &in->capture;
	uint64_t missed = 0, ticks = capture_fact_u64(c, FACT_TICKS, 0);

	for (size_t i = 0; i < c->loss_count; i++)
		if (c->losses[i].kind == LOSS_MISSED)
			missed += c->losses[i].count;
	double share = ticks ? (double)missed / (double)(missed + ticks) : 0;
	if (share > MISSED_WORTH_TELLING)
		fprintf(stderr,
			"fireglass: %s: %.1f %% of the ticks were missed, so its times are that much "
			"too small\n",
			in->shown, 100 * share);
}

/* Before anything is written. */
static struct err *check_patterns(const struct limit *limit, const struct diff *d)
{
	struct diff_weights weights;
	struct err *err = NULL;

	for (size_t i = 0; i < limit->on_count && !err; i++)
		err = diff_match(d, limit->on[i], &weights);
	return err;
}

static struct err *compare(struct diff_command *d, struct sides *s, const char *const files[])
{
	struct err *err = NULL;

	d->options.full_paths = d->selecting.full_paths;
	for (int side = 0; side < DIFF_SIDES && !err; side++)
		err = open_side(d, s, side, files[side]);
	if (!err)
		err = diff_init(&s->diff, s->views, &d->options);
	if (err)
		return err;
	s->compared = true;
	err = check_patterns(&d->limit, &s->diff);
	if (err)
		return err;
	for (int side = 0; side < DIFF_SIDES; side++) {
		selecting_tell(&d->selecting, &s->inputs[side], s->views[side]);
		if (d->options.absolute || (d->limit.asked && !d->limit.on_count))
			tell_missed(&s->inputs[side]);
	}
	return NULL;
}

static void sides_deinit(struct sides *s)
{
	if (s->compared)
		diff_deinit(&s->diff);
	for (int side = 0; side < DIFF_SIDES; side++) {
		view_destroy(s->views[side]);
		described_deinit(&s->described[side]);
	}
	while (s->opened)
		input_close(&s->inputs[--s->opened]);
}

/* ---- writing ---------------------------------------------------------------------------------- */

static const struct differential *choose(const struct diff_command *d, const char *path)
{
	const struct differential *guess = differential_guess(path);

	if (d->format && (d->outputs.count == 1 || !guess))
		return d->format;
	return guess ? guess : differentials[0];
}

static struct err *open_outputs(struct diff_command *d)
{
	struct err *err = d->outputs.count ? NULL : outputs_add(&d->outputs, "-");

	for (size_t i = 0; i < d->outputs.count && !err; i++)
		d->formats[i] = choose(d, d->outputs.items[i].path);
	if (err)
		return err;
	outfile_guard();
	return outputs_open(&d->outputs);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* Files of one name are told apart by the rest of their paths. */
static void name_sides(const struct sides *s, struct differential_options *options)
{
	const char *a = s->inputs[DIFF_A].shown, *b = s->inputs[DIFF_B].shown;
	bool alike = strcmp(last_part(a), last_part(b)) == 0;

	options->names[DIFF_A] = alike ? a : last_part(a);
	options->names[DIFF_B] = alike ? b : last_part(b);
	for (int side = 0; side < DIFF_SIDES; side++)
		options->units[side] = s->described[side].options.unit;
}

static struct err *write_one(struct output *output, const struct differential *format,
	struct diff *diff, const struct differential_options *options)
{
	struct differential_options own = *options;

	own.colour = strcmp(output->path, "-") == 0 && isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	struct err *err = format->write(output->file.stream, diff, &own);
	if (!err)
		return outfile_commit(&output->file);
	outfile_abort(&output->file);
	return err_suffix(err, " to '%s'", output->path);
}

static struct err *write_outputs(struct diff_command *d, struct sides *s)
{
	struct differential_options options = { .export = s->described[DIFF_B].options };
	_cleanup_buf_ struct buf title = BUF_INIT;
	struct err *err = open_outputs(d);

	name_sides(s, &options);
	buf_printf(&title, "%s compared with %s", options.names[DIFF_B], options.names[DIFF_A]);
	options.export.title = buf_str(&title);
	options.export.functions = false; // functions have no line here
	for (size_t i = 0; i < d->outputs.count && !err; i++)
		err = write_one(&d->outputs.items[i], d->formats[i], &s->diff, &options);
	if (err)
		outputs_abort(&d->outputs);
	return err;
}

/* ---- the limit -------------------------------------------------------------------------------- */

static bool exceeds(const struct limit *limit, const struct diff_change *c)
{
	if (c->change <= 0)
		return false;
	if (limit->points)
		return c->change > limit->least;
	return c->a <= 0 || c->change / c->a > limit->least;
}

static void add_growth(struct buf *out, const struct limit *limit, const struct diff_change *c)
{
	if (limit->points)
		buf_printf(out, "%+.2f pp", 100 * c->change);
	else if (c->a > 0)
		buf_printf(out, "%+.2f %%", 100 * c->change / c->a);
	else
		buf_add_str(out, "new");
}

/* True if it is to fail. */
static bool judge(const struct limit *limit, const struct diff *d, const char *what,
	const struct diff_change *c, bool absolute)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct diff shown = *d;
	bool fails = c->certain || limit->strict;

	if (!exceeds(limit, c))
		return false;
	shown.absolute = absolute;
	add_growth(&text, limit, c);
	buf_add_str(&text, ", from ");
	differential_add_value(&text, &shown, c->a, false);
	buf_add_str(&text, " to ");
	differential_add_value(&text, &shown, c->b, false);
	buf_add_str(&text, ", sampling error ");
	differential_add_value(&text, &shown, c->error, false);
	fprintf(stderr, "fireglass: %s: %s: %s --fail-over %s%s\n", what, buf_str(&text),
		fails ? "over" : "may be", limit->text,
		c->certain      ? ""
			: fails ? " (may be sampling error)"
				: ", but is within the sampling error");
	return fails;
}

static struct err *check_limit(const struct limit *limit, const struct diff *d, bool *failed_ret)
{
	struct diff_weights weights;
	struct diff_change change;

	*failed_ret = false;
	if (!limit->asked)
		return NULL;
	if (!limit->on_count) {
		change = diff_change_absolute(d, &d->total);
		*failed_ret = judge(limit, d, "total", &change, true);
		return NULL;
	}
	for (size_t i = 0; i < limit->on_count; i++) {
		struct err *err = diff_match(d, limit->on[i], &weights);

		if (err)
			return err;
		change = diff_change(d, &weights);
		if (judge(limit, d, limit->on[i], &change, d->absolute))
			*failed_ret = true;
		if (!weights.of[DIFF_A] && !weights.of[DIFF_B])
			fprintf(stderr, "fireglass: '%s' matches nothing in either capture\n",
				limit->on[i]);
	}
	return NULL;
}

static int diff_run(const struct command *command, int argc, char **argv)
{
	struct diff_command d = { .selecting.selection.granularity = VIEW_FUNCTIONS };
	_cleanup_(sides_deinit) struct sides s = { 0 };
	const char *files[DIFF_SIDES];
	size_t count = 0;
	bool failed = false;
	struct err *err = opts_parse_files(command, argc, argv, &d, files, DIFF_SIDES, &count);

	if (!err)
		err = check(&d, count);
	if (!err)
		err = compare(&d, &s, files);
	if (!err)
		err = write_outputs(&d, &s);
	if (!err)
		err = check_limit(&d.limit, &s.diff, &failed);
	if (err)
		return opts_fail(err);
	return failed ? EXIT_FAILED : EXIT_OK;
}

const struct command command_diff = {
	.name = "diff",
	.summary = "Show what changed between two captures, beyond the sampling error.",
	.usage = "  fireglass diff A B [OPTIONS]",
	.examples =
		"  fireglass diff before.fgc after.fgc\n"
		"  fireglass diff before.fgc after.fgc -o change.svg\n"
		"  fireglass diff main.fgc branch.fgc --cpu --fail-over 5% --on 'render.*views.py'\n"
		"  fireglass diff a.fgc b.fgc -f folded | flamegraph.pl > change.svg",
	.options = diff_options,
	.run = diff_run,
};

// SPDX-License-Identifier: MIT
/* fireglass record: from a process or a command to a flame graph. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "cmd/commands.h"
#include "cmd/outputs.h"
#include "cmd/recording.h"
#include "cmd/signals.h"
#include "export/flamechart.h"
#include "os/proc.h"

#define COMMAND_LINE_BYTES 4096
#define DEFAULT_PERIOD_NS 1000000

struct record {
	struct recording recording;
	struct outputs outputs;
	const struct exporter *format;
	struct export_options export;
	bool timestamps;
	struct profile profile;
	char **command; // NULL: attach
	struct buf title, command_line, unit, cwd;
	char *default_path;
	struct sample_sink sink;
};

/* ---- options ---------------------------------------------------------------------------------- */

static struct err *set_pid(void *settings, const char *value)
{
	return opts_parse_pid(value, &((struct record *)settings)->recording.pid);
}

static struct err *set_rate(void *settings, const char *value)
{
	uint64_t *period_ns = &((struct record *)settings)->recording.period_ns;

	if (strcmp(value, "max") != 0)
		return units_parse_rate(value, period_ns);
	*period_ns = 0;
	return NULL;
}

static struct err *set_duration(void *settings, const char *value)
{
	return units_parse_duration(value, &((struct record *)settings)->recording.duration_ns);
}

static struct err *set_output(void *settings, const char *value)
{
	return outputs_add(&((struct record *)settings)->outputs, value);
}

static struct err *set_format(void *settings, const char *value)
{
	struct record *r = settings;
	_cleanup_buf_ struct buf known = BUF_INIT;

	r->format = export_find(value);
	if (r->format)
		return NULL;
	for (size_t i = 0; exporters[i]; i++)
		buf_printf(&known, "%s%s", i ? ", " : "", exporters[i]->name);
	return err_new(ERR_USAGE, "unknown format '%s'; there are %s", value, buf_str(&known));
}

static struct err *set_strategy(void *settings, const char *value)
{
	static const struct {
		const char *name;
		enum ladder_strategy strategy;
	} strategies[] = {
		{ "auto", LADDER_AUTO },
		{ "direct", LADDER_ONLY_DIRECT },
		{ "coscheduled", LADDER_ONLY_COSCHEDULED },
		{ "stop", LADDER_ONLY_STOP },
	};

	for (size_t i = 0; i < ARRAY_LEN(strategies); i++) {
		if (strcmp(strategies[i].name, value) != 0)
			continue;
		((struct record *)settings)->recording.strategy = strategies[i].strategy;
		return NULL;
	}
	return err_new(ERR_USAGE,
		"unknown strategy '%s'; there are auto, direct, coscheduled and stop", value);
}

static struct err *set_exact(void *settings, const char *value)
{
	(void)value;
	((struct record *)settings)->recording.strategy = LADDER_EXACT;
	return NULL;
}

#define FLAG(name, field)                                                                          \
	static struct err *set_##name(void *settings, const char *value)                           \
	{                                                                                          \
		(void)value;                                                                       \
		((struct record *)settings)->field = true;                                         \
		return NULL;                                                                       \
	}

FLAG(no_jitter, recording.no_jitter)
FLAG(no_realtime, recording.no_realtime)
FLAG(threads, recording.options.thread_roots)
FLAG(no_idle, recording.options.no_idle)
FLAG(gil, recording.options.gil_only)
FLAG(no_lines, export.no_lines)
FLAG(functions, export.functions)
FLAG(full_paths, export.full_paths)
FLAG(inverted, export.inverted)
FLAG(timestamps, timestamps)
FLAG(quiet, recording.quiet)

static const struct opt record_options[] = {
	{ 'p', "pid", "PID", "the process to look at", set_pid },
	{ 'r', "rate", "RATE", "samples per second, or the time between two: 1000\n"
		"(the default), 10khz, 250us, max", set_rate },
	{ 0, "no-jitter", NULL, "samples at equal distances; by default each comes at a random\n"
		"moment of its period, so that no rhythm hides from them", set_no_jitter },
	{ 0, "no-realtime", NULL, "do not ask for real-time priority, which keeps the clock when\n"
		"the processors are busy", set_no_realtime },
	{ 'd', "duration", "TIME", "how long: 10 (seconds), 500ms, 2m; default: until\n"
		"the program ends or Ctrl-C", set_duration },
	{ 'o', "output", "FILE", "where to write, - for standard output; may be given\n"
		"more than once; default: a new .svg in this directory", set_output },
	{ 'f', "format", "FORMAT", "svg, folded or text; default: by the ending of FILE", set_format },
	{ 't', "threads", NULL, "the thread's name as the first frame", set_threads },
	{ 'x', "no-idle", NULL, "leave out threads that are not running", set_no_idle },
	{ 0, "gil", NULL, "only samples of threads that hold the GIL", set_gil },
	{ 0, "functions", NULL, "merge the lines of a function in folded output (the\n"
		"flame graph always does)", set_functions },
	{ 0, "no-lines", NULL, "no line numbers at all", set_no_lines },
	{ 0, "full-paths", NULL, "whole file names, not those relative to packages", set_full_paths },
	{ 0, "inverted", NULL, "flame graph with the root on top (icicle)", set_inverted },
	{ 0, "exact", NULL, "stop a thread for a moment (ptrace) where its stack cannot\n"
		"be read truly otherwise, rather than truncate it", set_exact },
	{ 0, "strategy", "NAME", "for measurement: auto, or only direct, coscheduled or stop",
		set_strategy },
	{ 0, "timestamps", NULL, "flame-chart text: each sample with its time, in order", set_timestamps },
	{ 'q', "quiet", NULL, "no progress, no summary", set_quiet },
	{ 0 },
};

/* ---- what becomes of samples ------------------------------------------------------------------ */

static struct record *record_of(struct sample_sink *sink)
{
	return (struct record *)(void *)((char *)sink - offsetof(struct record, sink));
}

static void count_sample(struct sample_sink *sink, const struct sample *sample)
{
	profile_add_sample(&record_of(sink)->profile, sample->stack, 1);
}

static void write_sample(struct sample_sink *sink, const struct sample *sample)
{
	struct record *r = record_of(sink);

	r->profile.total++;
	flamechart_write_sample(r->outputs.items[0].file.stream, &r->profile, sample->time_ns,
		sample->stack, &r->export);
}

/* ---- preparing -------------------------------------------------------------------------------- */

static struct err *check(struct record *r, int rest, char **argv)
{
	if (argv[rest])
		r->command = argv + rest;
	if (!r->command && !r->recording.pid)
		return err_new(ERR_USAGE, "what to record? give -p PID, or -- COMMAND");
	if (r->command && r->recording.pid)
		return err_new(ERR_USAGE, "give either -p PID or a command, not both");
	if (r->recording.pid == getpid())
		return err_new(ERR_USAGE, "process %d is fireglass itself", (int)getpid());
	if (r->timestamps && (r->outputs.count > 1 || r->format == &export_svg ||
				     r->format == &export_text))
		return err_new(ERR_USAGE, "--timestamps writes one output, of its own format");
	return NULL;
}

static const char *program_name(const struct record *r)
{
	const char *path = r->command ? r->command[0] : "python";
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* fireglass-NAME-20260131-120500.svg */
static struct err *default_output(struct record *r)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	if (r->command)
		r->default_path = xasprintf("fireglass-%s-%s", program_name(r), stamp);
	else
		r->default_path = xasprintf("fireglass-%d-%s", (int)r->recording.pid, stamp);
	const struct exporter *format = r->format ? r->format : &export_svg;
	char *path = xasprintf("%s.%s", r->default_path,
		r->timestamps ? "flamechart" : format->extension);
	free(r->default_path);
	r->default_path = path;
	return outputs_add(&r->outputs, path);
}

/* The command as it was given: what runs may be a launcher that becomes something else. */
static void describe_command(struct record *r)
{
	_cleanup_buf_ struct buf arguments = BUF_INIT;

	for (char **arg = r->command; *arg; arg++)
		buf_add(&arguments, *arg, strlen(*arg) + 1);
	proc_quote_arguments(
		buf_str(&arguments), arguments.len, COMMAND_LINE_BYTES, &r->command_line);
}

static void describe_target(struct record *r)
{
	if (r->command)
		describe_command(r);
	else
		proc_command_line(r->recording.pid, COMMAND_LINE_BYTES, &r->command_line);
	proc_link(r->recording.pid, "cwd", &r->cwd);
}

static struct err *open_outputs(struct record *r)
{
	struct err *err = r->outputs.count ? NULL : default_output(r);

	if (err)
		return err;
	outputs_choose(&r->outputs, r->format);
	return outputs_open(&r->outputs);
}

static struct err *launch(struct record *r, struct spawn *spawn,
	const struct signals_inherited *inherited)
{
	struct err *err = spawn_start(spawn, r->command, &inherited->mask, &inherited->ignored);

	if (err)
		return err;
	signals_forward_to(spawn->pid);
	r->recording.spawn = spawn;
	r->recording.pid = spawn->pid;
	return NULL;
}

/* ---- finishing -------------------------------------------------------------------------------- */

static void fill_export_options(struct record *r)
{
	buf_printf(&r->title, "Python %s, process %d",
		r->recording.version ? r->recording.version : "", (int)r->recording.pid);
	units_add_duration(&r->unit, recording_period_ns(&r->recording));
	r->export.title = buf_str(&r->title);
	r->export.command = r->command_line.len ? buf_str(&r->command_line) : NULL;
	r->export.unit = buf_str(&r->unit);
	r->export.cwd = r->cwd.len ? buf_str(&r->cwd) : NULL;
}

static void say_where(const struct record *r)
{
	for (size_t i = 0; i < r->outputs.count; i++)
		if (strcmp(r->outputs.items[i].path, "-") != 0)
			fprintf(stderr, "fireglass: wrote %s\n", r->outputs.items[i].path);
}

static const char *why_none(const struct record *r)
{
	if (r->recording.options.no_idle || r->recording.options.gil_only)
		return "no thread was in the state asked for";
	if (r->recording.end == RECORDING_TARGET_ENDED)
		return "the program ended too soon";
	return "the time was too short; give a longer -d";
}

static struct err *finish(struct record *r)
{
	struct err *err;

	if (!r->profile.total) {
		outputs_abort(&r->outputs);
		return err_new(ERR_FAILED, "no samples: %s", why_none(r));
	}
	fill_export_options(r);
	if (r->timestamps)
		err = outfile_commit(&r->outputs.items[0].file);
	else
		err = outputs_write(&r->outputs, &r->profile, &r->export);
	if (!err && !r->recording.quiet)
		say_where(r);
	return err;
}

static int exit_status(const struct record *r, struct err *err)
{
	if (err)
		return opts_fail(err);
	return r->recording.end == RECORDING_DENIED ? EXIT_PERMISSION : EXIT_OK;
}

/* Ends as the command ends, whatever became of the recording. */
static void end_with_command(struct record *r, struct err *err)
{
	if (err)
		opts_fail(err);
	fflush(NULL);
	while (!r->recording.spawn->ended)
		spawn_wait(r->recording.spawn);
	spawn_exit_alike(r->recording.spawn);
}

static void record_deinit(struct record *r)
{
	recording_deinit(&r->recording);
	profile_deinit(&r->profile);
	buf_deinit(&r->title);
	buf_deinit(&r->command_line);
	buf_deinit(&r->unit);
	buf_deinit(&r->cwd);
	free(r->default_path);
}

static struct err *record(struct record *r)
{
	struct err *err = recording_run(&r->recording);

	if (err) {
		outputs_abort(&r->outputs);
		return err;
	}
	if (!r->recording.quiet)
		recording_summary(&r->recording);
	return finish(r);
}

static int record_run(const struct command *command, int argc, char **argv)
{
	_cleanup_(record_deinit) struct record r = {
		.recording.period_ns = DEFAULT_PERIOD_NS,
		.sink.sample = count_sample,
	};
	struct signals_inherited inherited;
	struct spawn spawn = { 0 };
	int rest;
	struct err *err = opts_parse(command, argc, argv, &r, &rest);

	profile_init(&r.profile);
	if (!err)
		err = check(&r, rest, argv);
	if (!err)
		err = open_outputs(&r);
	if (err)
		return opts_fail(err);
	r.recording.sink = &r.sink;
	r.recording.profile = &r.profile;
	if (r.timestamps)
		r.sink.sample = write_sample;
	signals_install(&inherited);
	if (r.command)
		err = launch(&r, &spawn, &inherited);
	if (err) {
		outputs_abort(&r.outputs);
		opts_fail(err);
		return spawn_exit_code(&spawn);
	}
	describe_target(&r);
	err = record(&r);
	if (r.command)
		end_with_command(&r, err);
	return exit_status(&r, err);
}

const struct command command_record = {
	.name = "record",
	.summary = "Record where a Python program spends its time.",
	.usage = "  fireglass record [OPTIONS] -p PID\n"
		 "  fireglass record [OPTIONS] [--] COMMAND [ARGUMENTS...]",
	.examples = "  fireglass record -p 4711 -d 10 -o out.svg\n"
		    "  fireglass record -o out.svg -- python app.py --port 8000\n"
		    "  fireglass record -p 4711 -d 10 -f folded -o - | awk '{print $NF, $0}' | sort -rn | head\n"
		    "  fireglass record -x -t -r 10khz -o busy.svg -o busy.folded -- python job.py",
	.options = record_options,
	.run = record_run,
};

// SPDX-License-Identifier: MIT
/* fireglass record: from a process or a command to a capture, a flame graph, any format. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "cmd/commands.h"
#include "cmd/outputs.h"
#include "cmd/recording.h"
#include "cmd/selecting.h"
#include "cmd/signals.h"
#include "cmd/sources.h"
#include "cmd/spool.h"
#include "os/proc.h"

#define COMMAND_LINE_BYTES 4096
#define DEFAULT_PERIOD_NS 1000000

struct record {
	struct selecting selecting; // first: see selecting.h; what is shown, not what is recorded
	struct recording recording;
	struct outputs outputs;
	const char *capture_path; // NULL: no capture is to be kept
	const struct exporter *format;
	bool capture_format;
	bool timestamps;
	struct capture_writer_options limits;
	struct spool spool;
	char **command; // NULL: attach
	struct buf command_line, cwd;
	char *default_path, *default_capture;
	int argc;
	char **argv;
};

#define CAPTURE_FORMAT "fgc"

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

static bool is_capture_path(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && strcasecmp(dot + 1, CAPTURE_FORMAT) == 0;
}

static struct err *set_capture_path(struct record *r, const char *path)
{
	if (r->capture_path)
		return err_new(ERR_USAGE, "one capture is enough: '%s' or '%s'", r->capture_path, path);
	if (strcmp(path, "-") == 0)
		return err_new(ERR_USAGE, "a capture is written to a file, not to standard output");
	r->capture_path = path;
	return NULL;
}

static struct err *set_output(void *settings, const char *value)
{
	struct record *r = settings;

	if (is_capture_path(value))
		return set_capture_path(r, value);
	return outputs_add(&r->outputs, value);
}

static struct err *set_format(void *settings, const char *value)
{
	struct record *r = settings;
	_cleanup_buf_ struct buf known = BUF_INIT;

	r->capture_format = strcmp(value, CAPTURE_FORMAT) == 0;
	r->format = export_find(value);
	if (r->format || r->capture_format)
		return NULL;
	for (size_t i = 0; exporters[i]; i++)
		buf_printf(&known, "%s, ", exporters[i]->name);
	return err_new(ERR_USAGE, "unknown format '%s'; there are %s" CAPTURE_FORMAT, value,
		buf_str(&known));
}

static struct err *set_max_size(void *settings, const char *value)
{
	return units_parse_size(value, &((struct record *)settings)->limits.max_bytes);
}

static struct err *set_keep(void *settings, const char *value)
{
	return units_parse_duration(value, &((struct record *)settings)->limits.max_age_ns);
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
FLAG(exact_times, limits.exact_times)
FLAG(timestamps, timestamps)
FLAG(quiet, recording.quiet)

static struct err *set_no_idle(void *settings, const char *value)
{
	struct record *r = settings;

	r->recording.options.no_idle = true;
	return selecting_set_cpu(settings, value);
}

static struct err *set_gil(void *settings, const char *value)
{
	struct record *r = settings;

	r->recording.options.gil_only = true;
	return selecting_set_gil(settings, value);
}

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
		"more than once. NAME.fgc is the capture itself, from which\n"
		"'fireglass export' makes all else later. Default: a new .fgc\n"
		"and .html in this directory", set_output },
	{ 'f', "format", "FORMAT", "of the output; default: by the ending of FILE. For all see\n"
		"'fireglass export --list-formats'", set_format },
	{ 0, "max-size", "SIZE", "flight recorder: keep the newest samples in memory, about so\n"
		"much (64M), and write them at the end; on SIGUSR1 write what\n"
		"there is beside it and go on", set_max_size },
	{ 0, "keep", "TIME", "flight recorder: keep so much of the time before (10m)", set_keep },
	{ 0, "exact-times", NULL, "keep times as they are, not rounded to 1/64 of a period",
		set_exact_times },
	{ 'x', "no-idle", NULL, "show only threads that are running; as --cpu", set_no_idle },
	{ 0, "gil", NULL, "show only samples of threads that hold the GIL", set_gil },
	{ 0, "exact", NULL, "stop a thread for a moment (ptrace) where its stack cannot\n"
		"be read truly otherwise, rather than truncate it", set_exact },
	{ 0, "strategy", "NAME", "for measurement: auto, or only direct, coscheduled or stop",
		set_strategy },
	{ 0, "timestamps", NULL, "flame-chart text: each sample with its time, in order", set_timestamps },
	SELECTING_SOURCE_OPTIONS,
	SELECTING_OPTIONS,
	{ 'q', "quiet", NULL, "no progress, no summary", set_quiet },
	{ 0 },
};

/* ---- preparing -------------------------------------------------------------------------------- */

/* -f fgc: what -o named is the capture. */
static struct err *outputs_to_capture(struct record *r)
{
	struct err *err = NULL;

	for (size_t i = 0; i < r->outputs.count && !err; i++)
		err = set_capture_path(r, r->outputs.items[i].path);
	r->outputs.count = 0;
	return err;
}

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
	if (r->timestamps && (r->outputs.count > 1 || r->capture_path || r->capture_format ||
				     (r->format && r->format != &export_folded)))
		return err_new(ERR_USAGE, "--timestamps writes one output, of its own format");
	if (r->timestamps)
		r->format = &export_flamechart;
	return r->capture_format ? outputs_to_capture(r) : NULL;
}

static const char *program_name(const struct record *r)
{
	const char *path = r->command ? r->command[0] : "python";
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* fireglass-NAME-20260131-120500 */
static char *default_name(const struct record *r)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	if (r->command)
		return xasprintf("fireglass-%s-%s", program_name(r), stamp);
	return xasprintf("fireglass-%d-%s", (int)r->recording.pid, stamp);
}

/* Without -o: the format asked for, or a capture and its page. */
static struct err *default_outputs(struct record *r)
{
	_cleanup_free_ char *name = default_name(r);
	const struct exporter *format = r->format ? r->format : &export_page;

	if (!r->format) {
		r->default_capture = xasprintf("%s." CAPTURE_FORMAT, name);
		r->capture_path = r->default_capture;
	}
	if (r->capture_format)
		return NULL;
	r->default_path = xasprintf("%s.%s", name, format->extension);
	return outputs_add(&r->outputs, r->default_path);
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

static struct err *check_limits(const struct record *r)
{
	if ((r->limits.max_bytes || r->limits.max_age_ns) && !r->capture_path)
		return err_new(ERR_USAGE,
			"--max-size and --keep need a capture to be written; give -o NAME.fgc");
	return NULL;
}

static struct err *open_outputs(struct record *r)
{
	struct err *err =
		r->outputs.count || r->capture_path ? NULL : default_outputs(r);

	if (!err)
		err = check_limits(r);
	if (err)
		return err;
	outputs_choose(&r->outputs, r->format);
	err = outputs_open(&r->outputs);
	if (!err)
		err = spool_open(&r->spool, r->capture_path, &r->limits);
	if (err)
		outputs_abort(&r->outputs);
	return err;
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

static void say_where(const struct record *r)
{
	if (r->capture_path)
		fprintf(stderr, "fireglass: wrote %s\n", r->capture_path);
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

static struct err *write_view(struct record *r, const struct input *in)
{
	_cleanup_(described_deinit) struct described described;
	_cleanup_(sources_deinit) struct sources sources;
	struct selection selection;
	struct view *v;

	selecting_describe(&r->selecting, in, &described);
	sources_init(&sources, &in->capture, &r->spool.files);
	described.options.sources = r->selecting.no_source ? NULL : &sources.exported;
	struct err *err = selecting_resolve(&r->selecting, in, &selection);
	if (!err)
		err = view_create(&v, &in->capture, &selection);
	if (err)
		return err;
	err = outputs_write_view(&r->outputs, v, &described.options);
	if (!err && !r->recording.quiet)
		sources_tell(&sources);
	view_destroy(v);
	return err;
}

static struct err *write_outputs(struct record *r)
{
	struct input in;

	if (!r->outputs.count)
		return NULL;
	struct err *err = spool_read(&r->spool, &in);
	if (!err)
		err = write_view(r, &in);
	input_close(&in);
	return err;
}

static void say_lost(const struct record *r)
{
	uint64_t lost = capture_writer_lost(r->spool.writer);
	_cleanup_buf_ struct buf count = BUF_INIT;

	if (!r->spool.failed || !lost)
		return;
	units_add_count(&count, lost);
	fprintf(stderr, "fireglass: %s samples could not be written\n", buf_str(&count));
}

static bool nothing_to_show(const struct record *r)
{
	const struct collector_counts *c = &r->recording.collector.counts;

	return c->samples == (r->outputs.count ? c->left_out : 0);
}

static struct err *finish(struct record *r)
{
	struct err *err = spool_finish(&r->spool);

	if (nothing_to_show(r)) {
		err_free(err);
		outputs_abort(&r->outputs);
		spool_close(&r->spool, true);
		return err_new(ERR_FAILED, "no samples: %s", why_none(r));
	}
	say_lost(r);
	if (err) {
		outputs_abort(&r->outputs);
		return r->capture_path ? err_prefix(err, "cannot write '%s'", r->capture_path) : err;
	}
	err = write_outputs(r);
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
	bool nothing = !r->recording.collector.counts.samples;

	recording_deinit(&r->recording);
	spool_close(&r->spool, nothing);
	buf_deinit(&r->command_line);
	buf_deinit(&r->cwd);
	free(r->default_path);
	free(r->default_capture);
}

static struct err *record(struct record *r)
{
	struct err *err = recording_run(&r->recording);

	if (err) {
		outputs_abort(&r->outputs);
		spool_close(&r->spool, true);
		return err;
	}
	if (!r->recording.quiet)
		recording_summary(&r->recording);
	return finish(r);
}

static void prepare(struct record *r)
{
	describe_target(r);
	spool_describe(&r->spool, &r->recording, buf_str(&r->command_line), buf_str(&r->cwd),
		r->argc, r->argv);
	r->recording.sink = &r->spool.sink;
	r->recording.capture = &r->spool.capture;
	r->recording.process = r->spool.process;
	if (r->limits.max_bytes || r->limits.max_age_ns)
		signals_take_dumps();
}

static int record_run(const struct command *command, int argc, char **argv)
{
	_cleanup_(record_deinit) struct record r = {
		.recording.period_ns = DEFAULT_PERIOD_NS,
		.spool.fd = -1,
		.argc = argc,
		.argv = argv,
	};
	struct signals_inherited inherited;
	struct spawn spawn = { 0 };
	int rest;
	struct err *err = opts_parse(command, argc, argv, &r, &rest);

	if (!err)
		err = check(&r, rest, argv);
	if (!err)
		err = open_outputs(&r);
	if (err)
		return opts_fail(err);
	signals_install(&inherited);
	if (r.command)
		err = launch(&r, &spawn, &inherited);
	if (err) {
		outputs_abort(&r.outputs);
		opts_fail(err);
		return spawn_exit_code(&spawn);
	}
	prepare(&r);
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
	.examples = "  fireglass record -p 4711 -d 10 -o out.html\n"
		    "  fireglass record -o out.html -- python app.py --port 8000\n"
		    "  fireglass record -p 4711 -d 10 -f folded -o - | awk '{print $NF, $0}' | sort -rn | head\n"
		    "  fireglass record -x -t -r 10khz -o busy.svg -o busy.folded -- python job.py",
	.options = record_options,
	.run = record_run,
};

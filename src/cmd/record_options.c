// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "cmd/commands.h"
#include "cmd/record.h"

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

static struct err *set_every(void *settings, const char *value)
{
	uint64_t *every_ns = &((struct record *)settings)->rotation.every_ns;
	struct err *err = units_parse_duration(value, every_ns);

	if (!err && *every_ns < NS_PER_SEC)
		return err_new(ERR_USAGE, "a new file every '%s' is too often; give 1s or more", value);
	return err;
}

static struct err *set_files(void *settings, const char *value)
{
	char *end;

	errno = 0;
	unsigned long count = strtoul(value, &end, 10);
	if (errno || end == value || *end || *value == '-' || !count || count > UINT32_MAX)
		return err_new(ERR_USAGE, "bad number of files '%s'; give 1 or more", value);
	((struct record *)settings)->rotation.keep = count;
	return NULL;
}

FLAG(pass_signals, pass_signals)
FLAG(children, recording.children)
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

const struct opt record_options[] = {
	{ 'p', "pid", "PID", "the process to look at", set_pid },
	{ 'r', "rate", "RATE", "samples per second, or the time between two: 1000\n"
		"(the default), 10khz, 250us, max", set_rate },
	{ 0, "children", NULL, "also the Python programs that it starts, and what these start",
		set_children },
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
		"much (64M), and write them at the end", set_max_size },
	{ 0, "keep", "TIME", "flight recorder: keep so much of the time before (10m)", set_keep },
	{ 0, "every", "TIME", "a new capture so often (60s); FILE has %t (time) or %n (number)\n"
		"in its name: -o out-%t.fgc", set_every },
	{ 0, "files", "N", "with --every: keep the newest N", set_files },
	{ 0, "pass-signals", NULL, "pass SIGUSR1 and SIGUSR2 on to the command. By default\n"
		"SIGUSR1 writes what there is so far beside the outputs, and\n"
		"SIGUSR2 pauses, or goes on", set_pass_signals },
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

static const char *program_name(const struct record *r)
{
	const char *path = r->command ? r->command[0] : "python";
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static struct err *check_rotation(struct record *r)
{
	struct rotation *rotation = &r->rotation;

	if (rotation->keep && !rotation->every_ns)
		return err_new(ERR_USAGE, "--files says how many files of --every are kept; give both");
	if (!rotation->every_ns)
		return NULL;
	if (r->limits.max_bytes || r->limits.max_age_ns)
		return err_new(ERR_USAGE, "a flight recorder (--max-size, --keep) writes one file; "
					  "with --every give --files N");
	if (r->outputs.count || (r->format && !r->capture_format))
		return err_new(ERR_USAGE, "--every writes captures (-o NAME-%%t.fgc); 'fireglass "
					  "export' and 'report' make all else of them");
	if (!r->capture_path)
		r->capture_path = r->default_capture =
			xasprintf("fireglass-%s-%%t." CAPTURE_FORMAT, r->command ? program_name(r) : "%p");
	rotation->pattern = r->capture_path;
	return rotation_check(rotation);
}

struct err *record_check(struct record *r, int rest, char **argv)
{
	if (argv[rest])
		r->command = argv + rest;
	if (!r->command && !r->recording.pid)
		return err_new(ERR_USAGE, "what to record? give -p PID, or -- COMMAND");
	if (r->command && r->recording.pid)
		return err_new(ERR_USAGE, "give either -p PID or a command, not both");
	if (r->recording.pid == getpid())
		return err_new(ERR_USAGE, "process %d is fireglass itself", (int)getpid());
	if (r->pass_signals && !r->command)
		return err_new(ERR_USAGE, "--pass-signals needs a command that they are passed on to");
	if (r->timestamps && (r->outputs.count > 1 || r->capture_path || r->capture_format ||
				     (r->format && r->format != &export_folded)))
		return err_new(ERR_USAGE, "--timestamps writes one output, of its own format");
	if (r->timestamps)
		r->format = &export_flamechart;
	struct err *err = r->capture_format ? outputs_to_capture(r) : NULL;
	return err ? err : check_rotation(r);
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

static struct err *check_limits(const struct record *r)
{
	if ((r->limits.max_bytes || r->limits.max_age_ns) && !r->capture_path)
		return err_new(ERR_USAGE,
			"--max-size and --keep need a capture to be written; give -o NAME.fgc");
	return NULL;
}

struct err *record_open_first(struct record *r)
{
	const char *path;
	int fd;

	if (!r->rotation.every_ns || r->rotation.count)
		return NULL;
	r->rotation.pid = r->recording.pid;
	struct err *err = rotation_open(&r->rotation, &fd, &path);
	return err ? err : spool_open_file(&r->spool, fd, path, &r->limits);
}

struct err *record_open_outputs(struct record *r)
{
	struct err *err =
		r->outputs.count || r->capture_path ? NULL : default_outputs(r);

	if (!err)
		err = check_limits(r);
	if (err)
		return err;
	outputs_choose(&r->outputs, r->format);
	err = outputs_open(&r->outputs);
	if (!err && !r->rotation.every_ns)
		err = spool_open(&r->spool, r->capture_path, &r->limits);
	// a place that cannot be written to is found out before the command is started
	else if (!err && (!r->command || !strstr(r->capture_path, "%p")))
		err = record_open_first(r);
	if (err)
		outputs_abort(&r->outputs);
	return err;
}

// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "cmd/top_command.h"

static struct err *set_pid(void *settings, const char *value)
{
	return opts_parse_pid(value, &((struct top_command *)settings)->recording.pid);
}

static struct err *set_rate(void *settings, const char *value)
{
	uint64_t *period_ns = &((struct top_command *)settings)->recording.period_ns;

	if (strcmp(value, "max") != 0)
		return units_parse_rate(value, period_ns);
	*period_ns = 0;
	return NULL;
}

static struct err *set_time(
	const char *what, const char *value, uint64_t least_ns, uint64_t most_ns, uint64_t *ns_ret)
{
	_cleanup_buf_ struct buf least = BUF_INIT, most = BUF_INIT;
	uint64_t ns;
	struct err *err = units_parse_duration(value, &ns);

	if (err)
		return err;
	if (ns >= least_ns && ns <= most_ns) {
		*ns_ret = ns;
		return NULL;
	}
	units_add_duration(&least, least_ns);
	units_add_duration(&most, most_ns);
	return err_new(ERR_USAGE, "bad %s '%s'; from %s to %s", what, value, buf_str(&least),
		buf_str(&most));
}

static struct err *set_window(void *settings, const char *value)
{
	return set_time("window", value, NS_PER_SEC, TOP_WINDOW_MAX_NS,
		&((struct top_command *)settings)->options.window_ns);
}

static struct err *set_refresh(void *settings, const char *value)
{
	return set_time("refresh", value, NS_PER_SEC / 10, (uint64_t)60 * NS_PER_SEC,
		&((struct top_command *)settings)->options.refresh_ns);
}

static struct err *set_keep(void *settings, const char *value)
{
	return units_parse_duration(
		value, &((struct top_command *)settings)->limits.max_age_ns);
}

/* The place of a word in a list. */
static struct err *choose(const char *what, const char *value, const char *const names[],
	size_t count, unsigned int *ret)
{
	_cleanup_buf_ struct buf known = BUF_INIT;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], value) == 0) {
			*ret = (unsigned int)i;
			return NULL;
		}
		buf_printf(&known, "%s%s", i ? ", " : "", names[i]);
	}
	return err_new(ERR_USAGE, "unknown %s '%s'; there are %s", what, value, buf_str(&known));
}

static struct err *set_mode(void *settings, const char *value)
{
	static const char *const names[TOP_MODES] = {
		[TOP_WALL] = "wall", [TOP_CPU] = "cpu", [TOP_GIL] = "gil", [TOP_IDLE] = "idle"
	};
	unsigned int mode = TOP_WALL;
	struct err *err = choose("mode", value, names, TOP_MODES, &mode);

	if (!err)
		((struct top_command *)settings)->options.mode = (enum top_mode)mode;
	return err;
}

static struct err *set_view(void *settings, const char *value)
{
	static const char *const names[TOP_VIEWS] = {
		[TOP_FUNCTIONS] = "functions",
		[TOP_LINES] = "lines",
		[TOP_THREADS] = "threads",
		[TOP_TREE] = "tree",
		[TOP_SOURCE] = "source",
		[TOP_OUTPUT] = "output",
	};
	unsigned int view = TOP_FUNCTIONS;
	struct err *err = choose("view", value, names, TOP_VIEWS, &view);

	if (!err)
		((struct top_command *)settings)->options.view = (enum top_view)view;
	return err;
}

static struct err *set_output(void *settings, const char *value)
{
	((struct top_command *)settings)->output_path = value;
	return NULL;
}

static struct err *set_stdin(void *settings, const char *value)
{
	((struct top_command *)settings)->stdin_path = value;
	return NULL;
}

static struct err *set_exact(void *settings, const char *value)
{
	(void)value;
	((struct top_command *)settings)->recording.strategy = LADDER_EXACT;
	return NULL;
}

#define FLAG(name, field)                                                                          \
	static struct err *set_##name(void *settings, const char *value)                           \
	{                                                                                          \
		(void)value;                                                                       \
		((struct top_command *)settings)->field = true;                                    \
		return NULL;                                                                       \
	}

FLAG(children, recording.children)
FLAG(no_realtime, recording.no_realtime)
FLAG(ascii, options.ascii)
FLAG(no_color, options.monochrome)

const struct opt top_options[] = {
	{ 'p', "pid", "PID", "the process to look at", set_pid },
	{ 'r', "rate", "RATE", "samples per second, or the time between two: 1000\n"
		"(the default), 10khz, 250us, max", set_rate },
	{ 0, "children", NULL, "also the Python programs that it starts", set_children },
	{ 0, "window", "TIME", "how far back the numbers go: 15s (the default), 1s to 10m",
		set_window },
	{ 0, "refresh", "TIME", "how often they are shown anew: 1s (the default), 500ms",
		set_refresh },
	{ 0, "mode", "MODE", "which samples count at first: wall (the default), cpu,\n"
		"gil, idle", set_mode },
	{ 0, "view", "VIEW", "what is shown at first: functions (the default), lines,\n"
		"threads, tree, source, output", set_view },
	{ 0, "keep", "TIME", "how much there is to be saved at most: 10m (the default)",
		set_keep },
	{ 0, "output", "FILE", "where the command's output goes; it is shown in any case",
		set_output },
	{ 0, "stdin", "FILE", "the command's standard input, - for that of fireglass;\n"
		"default: nothing", set_stdin },
	{ 0, "exact", NULL, "stop a thread for a moment (ptrace) where its stack cannot\n"
		"be read truly otherwise, rather than truncate it", set_exact },
	{ 0, "no-realtime", NULL, "do not ask for real-time priority, which keeps the clock when\n"
		"the processors are busy", set_no_realtime },
	{ 0, "ascii", NULL, "no lines and blocks but those of ASCII", set_ascii },
	{ 0, "no-color", NULL, "no colours; as with NO_COLOR in the environment", set_no_color },
	{ 0 },
};

struct err *top_check_options(struct top_command *t, int rest, char **argv)
{
	if (argv[rest])
		t->command = argv + rest;
	if (!t->command && !t->recording.pid)
		return err_new(ERR_USAGE, "what to look at? give -p PID, or -- COMMAND");
	if (t->command && t->recording.pid)
		return err_new(ERR_USAGE, "give either -p PID or a command, not both");
	if (t->recording.pid == getpid())
		return err_new(ERR_USAGE, "process %d is fireglass itself", (int)getpid());
	if (!t->command && (t->output_path || t->stdin_path))
		return err_new(ERR_USAGE, "--output and --stdin are for a command; with -p there "
					  "is none to be started");
	if (t->stdin_path && strcmp(t->stdin_path, "-") == 0 && isatty(STDIN_FILENO))
		return err_new(ERR_USAGE, "the terminal's keys are for fireglass, not for the "
					  "command; give --stdin FILE");
	return NULL;
}

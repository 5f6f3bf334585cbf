// SPDX-License-Identifier: MIT
/* fireglass dump: the stacks of all threads, once. */
#include "cmd/dump.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "cmd/commands.h"
#include "fmt/json_writer.h"
#include "os/proc.h"

/* ---- options ---------------------------------------------------------------------------------- */

static struct err *set_pid(void *settings, const char *value)
{
	return opts_parse_pid(value, &((struct dump_options *)settings)->pid);
}

#define SETTER(name, what)                                                                         \
	static struct err *set_##name(void *settings, const char *value)                           \
	{                                                                                          \
		struct dump_options *options = settings;                                           \
                                                                                                   \
		(void)value;                                                                       \
		what;                                                                              \
		return NULL;                                                                       \
	}
SETTER(all, options->all = true)
SETTER(json, options->json = true)
SETTER(full_paths, options->full_paths = true)
SETTER(locals, options->locals = true)
SETTER(attributes, options->locals = options->values.attributes = true)
SETTER(show_secrets, options->locals = options->values.show_secrets = true)
SETTER(stop, options->stop = true)
SETTER(core, options->core = value)
SETTER(exe, options->exe = value)
#undef SETTER

static struct err *parse_limit(
	const char *what, const char *value, unsigned long most, unsigned long *ret)
{
	char *end;

	errno = 0;
	unsigned long n = strtoul(value, &end, 10);
	if (end == value || *end || errno || *value == '-' || n > most)
		return err_new(ERR_USAGE, "bad %s '%s'; give a number up to %lu", what, value, most);
	*ret = n;
	return NULL;
}

static struct err *set_depth(void *settings, const char *value)
{
	struct dump_options *options = settings;
	unsigned long n = options->values.depth;
	struct err *err = parse_limit("depth", value, VALUE_DEPTH_MAX, &n);

	options->locals = true;
	options->values.depth = (unsigned int)n;
	return err;
}

static struct err *set_items(void *settings, const char *value)
{
	struct dump_options *options = settings;

	options->locals = true;
	return parse_limit("number of items", value, VALUE_ITEMS_MAX, &options->values.items);
}

static struct err *set_chars(void *settings, const char *value)
{
	struct dump_options *options = settings;

	options->locals = true;
	return parse_limit("number of characters", value, VALUE_CHARS_MAX, &options->values.chars);
}

static const struct opt dump_options[] = {
	{ 'p', "pid", "PID", "the process to look at", set_pid },
	{ 0, "all", NULL, "every Python process that may be read", set_all },
	{ 0, "core", "FILE", "a core file instead of a process", set_core },
	{ 0, "exe", "BIN", "with --core: the program that left it", set_exe },
	{ 0, "locals", NULL, "also the values of local variables", set_locals },
	{ 0, "attributes", NULL, "also the attributes of objects in them", set_attributes },
	{ 0, "depth", "N", "containers within containers (4)", set_depth },
	{ 0, "items", "N", "items of each container (20)", set_items },
	{ 0, "chars", "N", "characters of each string (200)", set_chars },
	{ 0, "show-secrets", NULL, "also values whose name sounds like a secret's (password, token,\n"
		"api_key, ...)", set_show_secrets },
	{ 0, "stop", NULL, "the process stands still meanwhile (by ptrace), so that all of\n"
		"it is of one moment", set_stop },
	{ 0, "json", NULL, "for programs: {\"pid\", \"python\", \"exe\", \"command\",\n"
		"\"threads\": [{\"tid\", \"name\", \"main\", \"state\", \"gil\", \"waits_for\",\n"
		"\"frames\": [{\"function\", \"file\", \"line\", \"locals\"}, ...\n"
		"root first]}]}; with --all {\"processes\": [...]}", set_json },
	{ 0, "full-paths", NULL, "whole file names, not those relative to packages", set_full_paths },
	{ 0 },
};

/* ---- one process ------------------------------------------------------------------------------ */

static struct err *dump_one(const struct dump_options *options)
{
	_cleanup_(dumped_process_deinit) struct dumped_process p;

	dumped_process_init(&p);
	struct err *err =
		options->core ? dump_take_core(&p, options) : dump_take_live(&p, options);
	if (err)
		return err;
	if (options->json) {
		struct json_writer w = { .stream = stdout, .pretty = true };

		dump_print_json(&w, &p, options);
	} else {
		dump_print_text(&p, options);
	}
	return NULL;
}

/* ---- all processes ---------------------------------------------------------------------------- */

#define PROCESSES_MAX 65536

struct all {
	struct dump_options options;
	struct json_writer json;
	size_t dumped, refused, failed;
};

static void print_next(struct all *all, const struct dumped_process *p)
{
	if (all->options.json) {
		dump_print_json(&all->json, p, &all->options);
	} else {
		if (all->dumped)
			printf("\n\n");
		dump_print_text(p, &all->options);
	}
	all->dumped++;
}

static void dump_next(struct all *all, pid_t pid)
{
	_cleanup_(dumped_process_deinit) struct dumped_process p;
	struct proc_stat stat;

	if (pid == getpid() || !proc_stat(pid, 0, &stat) || stat.state == 'Z' ||
		stat.flags & PROC_FLAG_KERNEL_THREAD)
		return;
	all->options.pid = pid;
	dumped_process_init(&p);
	struct err *err = dump_take_live(&p, &all->options);
	if (!err)
		print_next(all, &p);
	else if (err->kind == ERR_PERMISSION)
		all->refused++;
	err_free(err);
}

static int by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return x < y ? -1 : x > y;
}

/* What is no Python, or none any more, is passed over in silence; what may not be read is counted. */
static struct err *dump_all(const struct dump_options *options)
{
	_cleanup_free_ pid_t *pids = xcalloc(PROCESSES_MAX, sizeof(*pids));
	size_t count = proc_processes(pids, PROCESSES_MAX);
	struct all all = { .options = *options, .json = { .stream = stdout, .pretty = true } };

	count = count < PROCESSES_MAX ? count : PROCESSES_MAX;
	qsort(pids, count, sizeof(*pids), by_number);
	if (options->json) {
		json_begin_object(&all.json);
		json_key(&all.json, "processes");
		json_begin_array(&all.json);
	}
	for (size_t i = 0; i < count; i++)
		dump_next(&all, pids[i]);
	if (options->json) {
		json_end_array(&all.json);
		json_key(&all.json, "refused");
		json_u64(&all.json, all.refused);
		json_end_object(&all.json);
	}
	fflush(stdout);
	if (!all.dumped && all.refused)
		return err_new(ERR_PERMISSION,
			"no Python process that may be read; %zu processes may not be: run as root",
			all.refused);
	if (all.refused)
		fprintf(stderr, "fireglass: %zu processes may not be read; run as root to see those "
				"that are Pythons\n", all.refused);
	return all.dumped ? NULL : err_new(ERR_GONE, "there is no Python process");
}

/* ---- the command ------------------------------------------------------------------------------ */

static struct err *check(const struct dump_options *options)
{
	int ways = (options->pid != 0) + options->all + (options->core != NULL);

	if (!ways)
		return err_new(ERR_USAGE, "which process? give -p PID, --all or --core FILE");
	if (ways > 1)
		return err_new(ERR_USAGE, "-p, --all and --core exclude each other; give one");
	if (options->exe && !options->core)
		return err_new(ERR_USAGE, "--exe goes with --core FILE");
	if (options->stop && options->core)
		return err_new(ERR_USAGE, "a core file stands still anyway; leave out --stop");
	return NULL;
}

static int dump_run(const struct command *command, int argc, char **argv)
{
	struct dump_options options = { .values = VALUE_OPTIONS_DEFAULT };
	int rest;
	struct err *err = opts_parse(command, argc, argv, &options, &rest);

	if (!err && argv[rest] && !options.pid && !options.all && !options.core)
		err = opts_parse_pid(argv[rest++], &options.pid);
	if (!err && argv[rest])
		err = err_new(ERR_USAGE, "unexpected argument '%s'", argv[rest]);
	if (!err)
		err = check(&options);
	if (!err)
		err = options.all ? dump_all(&options) : dump_one(&options);
	return err ? opts_fail(err) : EXIT_OK;
}

const struct command command_dump = {
	.name = "dump",
	.summary = "Show what all threads of a Python program are doing, once.",
	.usage = "  fireglass dump [OPTIONS] -p PID\n"
		 "  fireglass dump [OPTIONS] --all\n"
		 "  fireglass dump [OPTIONS] --core FILE [--exe BIN]",
	.examples = "  fireglass dump -p 4711\n"
		    "  fireglass dump -p 4711 --locals\n"
		    "  fireglass dump -p 4711 --json | jq '.threads[] | select(.gil)'",
	.options = dump_options,
	.run = dump_run,
};

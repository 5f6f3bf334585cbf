// SPDX-License-Identifier: MIT
#include "cmd/opts.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define OPTIONS_MAX 64
#define HELP_COLUMN 28

static size_t count_options(const struct opt *options)
{
	size_t n = 0;

	while (options[n].name)
		n++;
	return n;
}

static const struct opt *find_letter(const struct opt *options, int letter)
{
	for (; options->name; options++)
		if (options->letter && options->letter == letter)
			return options;
	return NULL;
}

/* getopt's tables: a "+" so that parsing stops at the first argument that is no option. */
static void build_tables(const struct opt *options, struct option longs[OPTIONS_MAX + 2],
	struct buf *letters)
{
	size_t n = count_options(options);

	buf_add_str(letters, "+:h");
	for (size_t i = 0; i < n; i++) {
		longs[i] = (struct option){ .name = options[i].name,
			.has_arg = options[i].value ? required_argument : no_argument,
			.val = OPTIONS_MAX };
		if (!options[i].letter)
			continue;
		buf_add_char(letters, options[i].letter);
		if (options[i].value)
			buf_add_char(letters, ':');
	}
	longs[n] = (struct option){ .name = "help", .val = 'h' };
}

static struct err *bad_option(const struct command *command, char **argv, bool missing_value)
{
	const char *what = argv[optind - 1];

	return err_new(ERR_USAGE, "%s '%s'; 'fireglass %s --help' lists what there is",
		missing_value ? "a value is missing after" : "unknown option", what, command->name);
}

struct err *opts_parse(
	const struct command *command, int argc, char **argv, void *settings, int *rest_ret)
{
	struct option longs[OPTIONS_MAX + 2] = { 0 };
	_cleanup_buf_ struct buf letters = BUF_INIT;
	int c, index = 0;

	build_tables(command->options, longs, &letters);
	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, buf_str(&letters), longs, &index)) != -1) {
		const struct opt *opt;

		if (c == 'h') {
			opts_help(command);
			exit(EXIT_OK);
		}
		if (c == ':' || c == '?')
			return bad_option(command, argv, c == ':');
		opt = c == OPTIONS_MAX ? &command->options[index] :
					 find_letter(command->options, c);
		struct err *err = opt->set(settings, optarg);
		if (err)
			return err;
	}
	*rest_ret = optind;
	return NULL;
}

struct err *opts_parse_files(const struct command *command, int argc, char **argv, void *settings,
	const char **files_ret, size_t most, size_t *count_ret)
{
	bool only_files = false;

	*count_ret = 0;
	for (int at = 0;;) {
		int rest = 1;

		// argv[at] is the command's name, then the file before
		struct err *err = only_files ? NULL :
					       opts_parse(command, argc - at, argv + at, settings, &rest);
		if (err)
			return err;
		only_files |= rest > 1 && strcmp(argv[at + rest - 1], "--") == 0;
		at += rest;
		if (at >= argc)
			return NULL;
		if (*count_ret == most)
			return err_new(ERR_USAGE, "'%s' is one file too many; at most %zu are taken",
				argv[at], most);
		files_ret[(*count_ret)++] = argv[at];
	}
}

static void print_option(const struct opt *opt)
{
	_cleanup_buf_ struct buf head = BUF_INIT;
	const char *help = opt->help;

	if (opt->letter)
		buf_printf(&head, "  -%c, --%s", opt->letter, opt->name);
	else
		buf_printf(&head, "      --%s", opt->name);
	if (opt->value)
		buf_printf(&head, " %s", opt->value);
	printf("%-*s", HELP_COLUMN, buf_str(&head));
	if (head.len >= HELP_COLUMN)
		printf("\n%*s", HELP_COLUMN, "");
	for (;;) {
		size_t len = strcspn(help, "\n");

		printf("%.*s\n", (int)len, help);
		if (!help[len])
			break;
		help += len + 1;
		printf("%*s", HELP_COLUMN, "");
	}
}

void opts_help(const struct command *command)
{
	printf("%s\n\nusage:\n%s\n\noptions:\n", command->summary, command->usage);
	for (const struct opt *opt = command->options; opt->name; opt++)
		print_option(opt);
	printf("  -h, --help                this text\n");
	if (command->examples)
		printf("\nexamples:\n%s\n", command->examples);
}

int opts_status(enum err_kind kind)
{
	static const int statuses[] = {
		[ERR_FAILED] = EXIT_FAILED,
		[ERR_USAGE] = EXIT_USAGE,
		[ERR_PERMISSION] = EXIT_PERMISSION,
		[ERR_NOT_PYTHON] = EXIT_NOT_PYTHON,
		[ERR_GONE] = EXIT_FAILED,
	};

	return statuses[kind];
}

int opts_fail(struct err *err)
{
	int status = opts_status(err->kind);

	fprintf(stderr, "fireglass: %s\n", err->message);
	err_free(err);
	return status;
}

struct err *opts_parse_pid(const char *text, int *pid_ret)
{
	char *end;

	errno = 0;
	long pid = strtol(text, &end, 10);
	if (end == text || *end || errno || pid < 1 || pid > INT_MAX)
		return err_new(ERR_USAGE, "bad process id '%s'", text);
	*pid_ret = (int)pid;
	return NULL;
}

// SPDX-License-Identifier: MIT
/*
 * Options as tables: what a command understands, its help, and where each value goes.
 */
#ifndef FIREGLASS_CMD_OPTS_H
#define FIREGLASS_CMD_OPTS_H

#include <stddef.h>

#include "base/err.h"

struct opt {
	char letter;       // 0: only the long name
	const char *name;
	const char *value; // what the help calls it, NULL: takes none
	const char *help;  // lines are broken at newlines
	/* `settings` is the command's own; `value` is NULL for options that take none. */
	struct err *(*set)(void *settings, const char *value);
};

struct command {
	const char *name;
	const char *summary;  // one line
	const char *usage;    // "fireglass NAME ..." lines
	const char *examples; // lines, shown indented
	const struct opt *options; // ends with name NULL
	/* Returns the exit status. argv[0] is the command's name. */
	int (*run)(const struct command *command, int argc, char **argv);
};

/*
 * Parses options up to the first argument that is none, or "--". Afterwards argv[*rest_ret] is the
 * first argument left. `--help` prints and exits 0.
 */
struct err *opts_parse(const struct command *command, int argc, char **argv, void *settings,
	int *rest_ret);

/*
 * The same for commands of files: options may come before, between and after them. files_ret[] gets
 * at most `most` of what is no option, *count_ret says how many; more are an error. After "--" all
 * are files.
 */
struct err *opts_parse_files(const struct command *command, int argc, char **argv, void *settings,
	const char **files_ret, size_t most, size_t *count_ret);

/* Prints the help of a command. */
void opts_help(const struct command *command);

/* Prints "fireglass: MESSAGE" to the standard error, frees it, and returns the exit status for it. */
int opts_fail(struct err *err);

/* Exit statuses, as the manual has them. */
enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_PERMISSION = 3,
	EXIT_NOT_PYTHON = 4,
};

/* The exit status for an error of a kind. */
int opts_status(enum err_kind kind);

/* A process id; ERR_USAGE if it is none. */
struct err *opts_parse_pid(const char *text, int *pid_ret);

#endif

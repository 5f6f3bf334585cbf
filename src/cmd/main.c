// SPDX-License-Identifier: MIT
/* The table of commands. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/commands.h"
#include "pyabi/layout.h"

static const struct command *const commands[] = {
	&command_record,
	&command_report,
	&command_export,
	&command_diff,
	&command_merge,
	&command_top,
	&command_serve,
	&command_dump,
	&command_doctor,
};

static void print_help(void)
{
	printf("fireglass: see where a Python program spends its time, without touching it\n\n"
	       "usage:\n  fireglass COMMAND [OPTIONS]\n\ncommands:\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		printf("  %-10s%s\n", commands[i]->name, commands[i]->summary);
	printf("\n'fireglass COMMAND --help' tells more. Reads CPython %s.\n",
		layout_versions_text());
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static bool is_one_of(const char *arg, const char *letter, const char *name, const char *word)
{
	return strcmp(arg, letter) == 0 || strcmp(arg, name) == 0 || strcmp(arg, word) == 0;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help();
		return EXIT_USAGE;
	}
	if (is_one_of(argv[1], "-h", "--help", "help")) {
		const struct command *command = argc > 2 ? find_command(argv[2]) : NULL;

		if (command)
			opts_help(command);
		else
			print_help();
		return EXIT_OK;
	}
	if (is_one_of(argv[1], "-V", "--version", "version")) {
		printf("fireglass %s\n", FIREGLASS_VERSION);
		return EXIT_OK;
	}
	const struct command *command = find_command(argv[1]);
	if (!command)
		return opts_fail(err_new(ERR_USAGE,
			"there is no command '%s'; 'fireglass --help' lists what there is", argv[1]));
	return command->run(command, argc - 1, argv + 1);
}

// SPDX-License-Identifier: MIT
/* What `fireglass top` was asked for, and what it has while it runs. */
#ifndef FIREGLASS_CMD_TOP_COMMAND_H
#define FIREGLASS_CMD_TOP_COMMAND_H

#include <stdbool.h>

#include "base/buf.h"
#include "cmd/opts.h"
#include "cmd/recording.h"
#include "cmd/spool.h"
#include "cmd/top_model.h"
#include "cmd/top_output.h"
#include "cmd/top_save.h"
#include "os/spawn.h"
#include "tui/top.h"

struct top_command {
	struct recording recording;
	struct spool spool;
	struct capture_writer_options limits;
	struct top_options options;
	struct top_model model;
	struct top_output output;
	struct top_save save;
	struct top *top;
	struct spawn spawn;
	char **command; // NULL: attach
	const char *output_path, *stdin_path;
	char *name; // for files
	struct buf command_line, cwd;
	struct buf saved; // what is to be said of files at the end
	bool ended_itself;
	int argc;
	char **argv;
};

/* Their settings are a struct top_command. */
extern const struct opt top_options[];

/* What does not go together; argv[rest] is the command, if there is one. */
struct err *top_check_options(struct top_command *t, int rest, char **argv);

#endif

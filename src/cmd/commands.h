// SPDX-License-Identifier: MIT
/* The commands of fireglass; each lives in the file of its name. */
#ifndef FIREGLASS_CMD_COMMANDS_H
#define FIREGLASS_CMD_COMMANDS_H

#include "cmd/opts.h"

extern const struct command command_record, command_dump, command_doctor, command_export,
	command_diff, command_merge, command_report, command_top, command_serve;

#endif

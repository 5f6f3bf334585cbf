// SPDX-License-Identifier: MIT
/* Captures as commands are given them: *.fgc, or a file of any format that can be imported. */
#ifndef FIREGLASS_CMD_INPUTS_H
#define FIREGLASS_CMD_INPUTS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "store/capture.h"
#include "store/capture_file.h"

struct input {
	struct capture capture;
	const char *path;  // as given; "-" is the standard input
	const char *shown; // for messages
	const char *format; // that it turned out to be
	bool native;
	struct capture_file_info info; // of a native one
	FILE *spool;                   // what came through a pipe
};

/*
 * `format` is the name of an importer, "fgc", or NULL: told by the content. The path must stay. An
 * error names the file.
 */
struct err *input_open(struct input *in, const char *path, const char *format);
void input_close(struct input *in);

/* Says on the standard error if the capture is not complete, and up to when it was read. */
void input_tell(const struct input *in);

/* Prints the formats that can be read. */
void input_list_formats(void);

#endif

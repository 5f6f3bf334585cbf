// SPDX-License-Identifier: MIT
/*
 * The files a recording is written to: opened before it begins, so that a place that cannot be
 * written to is found out before the time was spent; complete or not there at all.
 */
#ifndef FIREGLASS_CMD_OUTPUTS_H
#define FIREGLASS_CMD_OUTPUTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/iofd.h"
#include "export/export.h"
#include "store/view.h"

#define OUTPUTS_MAX 16

struct output {
	const char *path;
	const struct exporter *exporter;
	struct outfile file;
};

struct outputs {
	struct output items[OUTPUTS_MAX];
	size_t count;
};

struct err *outputs_add(struct outputs *o, const char *path);

/*
 * Chooses each output's format: by its ending, else `format`, else svg (folded for "-"). With one
 * output `format` wins over the ending.
 */
void outputs_choose(struct outputs *o, const struct exporter *format);

/* After outfile_guard(), where a signal is to leave nothing behind. */
struct err *outputs_open(struct outputs *o);

/* Writes and closes all; goes on after a failure and returns the first. */
struct err *outputs_write(
	struct outputs *o, const struct profile *p, const struct export_options *options);

/* The same for a view of a capture. */
struct err *outputs_write_view(
	struct outputs *o, struct view *v, const struct export_options *options);

/* Removes what was not written. */
void outputs_abort(struct outputs *o);

#endif

// SPDX-License-Identifier: MIT
/* What is read out of the names of pprof: labels of samples, units, marks. */
#ifndef FIREGLASS_IMPORT_PPROF_LABELS_H
#define FIREGLASS_IMPORT_PPROF_LABELS_H

#include "import/build.h"

struct pprof_labels {
	struct slice thread, process; // names
	uint64_t tid, pid;
	enum sample_state state;
	uint8_t flags;
};

/* Takes a label if it is one of those that are known. */
void pprof_label(struct pprof_labels *to, struct slice key, struct slice text, uint64_t number);

/* Nanoseconds in a unit; 0 if it is none of time. */
uint64_t pprof_unit_ns(struct slice unit);

/* Of a frame without file: a mark if all of its name is in parentheses. */
enum function_kind pprof_kind(const struct build_frame *frame);

/* `key: value`, as fireglass comments on the run: a fact, unless the profile itself says it. */
void pprof_comment(struct build *b, struct slice comment);

#endif

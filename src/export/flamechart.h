// SPDX-License-Identifier: MIT
/*
 * Pyflame's flame-chart text: two lines per sample, in the order of time.
 *
 *	1461085732541613
 *	<module> (app.py:12);main (app.py:9);
 *
 * The time is in microseconds since the epoch; frames are root first, each followed by `;`, and
 * escaped as in folded text. A sample at a time, so that a recording of any length needs no memory.
 */
#ifndef FIREGLASS_EXPORT_FLAMECHART_H
#define FIREGLASS_EXPORT_FLAMECHART_H

#include <stdint.h>
#include <stdio.h>

#include "export/export.h"

/* Errors stay in the stream: see ferror(). */
void flamechart_write_sample(FILE *out, const struct profile *p, uint64_t time_ns, stack_id stack,
	const struct export_options *options);

#endif

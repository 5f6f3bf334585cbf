// SPDX-License-Identifier: MIT
/* Frames as profilers write them in lines of text. */
#ifndef FIREGLASS_IMPORT_FRAME_TEXT_H
#define FIREGLASS_IMPORT_FRAME_TEXT_H

#include "import/build.h"

/*
 *	function (file:line)    fireglass, py-spy
 *	function (file)         the same, without lines
 *	file:function:line      profiling.sampling, austin, pyflame
 *	(idle)                  a mark: all of it in parentheses
 *	anything else           a function without file
 *
 * The slices of the result are parts of `text`.
 */
struct build_frame frame_text_parse(struct slice text);

/*
 * Whether the text stands for a thread at the root of a stack: `thread (4711): name` and
 * `thread (4711)` (py-spy), `tid:4711` (profiling.sampling).
 */
bool frame_text_thread(struct slice text, uint64_t *tid_ret, struct slice *name_ret);

#endif

// SPDX-License-Identifier: MIT
/* A part of a capture, in time, as a capture of its own. */
#ifndef FIREGLASS_CMD_EXCERPT_H
#define FIREGLASS_CMD_EXCERPT_H

#include <stdint.h>

#include "base/err.h"
#include "store/capture.h"

/*
 * Writes the samples of [from_ns, to_ns) to an empty file; to_ns 0: to the end. Spans of other times
 * are left out. Losses and markers of other times are taken out of `c`, which is the caller's and
 * opened for this.
 */
struct err *excerpt_write(struct capture *c, uint64_t from_ns, uint64_t to_ns, int fd);

#endif

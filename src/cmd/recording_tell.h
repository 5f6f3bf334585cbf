// SPDX-License-Identifier: MIT
/* What a recording says on the standard error: its progress on a terminal, and what it came to. */
#ifndef FIREGLASS_CMD_RECORDING_TELL_H
#define FIREGLASS_CMD_RECORDING_TELL_H

#include <stdint.h>

#include "cmd/recording.h"

/* If it is time. */
void recording_show_progress(struct recording *r, uint64_t now_ns);

/* Takes the line away, so that something else can be said. */
void recording_clear_progress(struct recording *r);

#endif

// SPDX-License-Identifier: MIT
/*
 * The last seconds of a recording as a file, while it goes on: the flight recorder is copied at once,
 * all else is done by a thread of its own, so that the terminal and the sampling do not wait.
 */
#ifndef FIREGLASS_CMD_TOP_SAVE_H
#define FIREGLASS_CMD_TOP_SAVE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cmd/spool.h"
#include "os/file_root.h"

struct top_save {
	pthread_t thread;
	bool started;     // and not yet joined
	atomic_bool done; // it can be joined
	/* of the one that is going on */
	bool html;
	uint64_t from_ns;
	int fd;     // of the copy
	char *path; // to be written
	struct file_root files;
	struct err *err; // of the thread
};

/*
 * Begins to save what is from `from_ns` on, as "fireglass-NAME-TIME.fgc" (or .html) in the working
 * directory. From the collecting thread. Returns a notice: that it began, or why not.
 */
char *top_save_begin(
	struct top_save *s, struct spool *spool, const char *name, uint64_t from_ns, bool html);

/* A notice when what was begun has ended, once; else NULL. With `wait` it is waited for. */
char *top_save_end(struct top_save *s, bool wait);

#endif

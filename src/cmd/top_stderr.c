// SPDX-License-Identifier: MIT
#include "cmd/top_stderr.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/iofd.h"

/* At most so much of what was kept is shown. */
#define KEPT_BYTES 65536

/* Globals, because exit() takes no argument: the real standard error, -1 while nothing is kept. */
static int real = -1;
static bool registered;

void top_stderr_keep(void)
{
	if (real >= 0 || !isatty(STDERR_FILENO))
		return;
	_cleanup_close_ int kept = iofd_nameless();
	real = kept >= 0 ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) : -1;
	if (real < 0)
		return;
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	if (!registered)
		atexit(top_stderr_give_back);
	registered = true;
}

void top_stderr_give_back(void)
{
	char text[4096];
	ssize_t n;

	if (real < 0)
		return;
	fflush(stderr);
	int kept = dup(STDERR_FILENO);
	dup2(real, STDERR_FILENO);
	close(real);
	real = -1;
	for (off_t at = 0; kept >= 0 && at < KEPT_BYTES; at += n) {
		n = pread(kept, text, sizeof(text), at);
		if (n <= 0 || iofd_write_all(STDERR_FILENO, text, (size_t)n) != 0)
			break;
	}
	if (kept >= 0)
		close(kept);
}

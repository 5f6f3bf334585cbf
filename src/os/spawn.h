// SPDX-License-Identifier: MIT
/*
 * Starting a command so that its user cannot tell that a profiler started it: standard streams,
 * environment, working directory, terminal, process group and signal dispositions are as if the
 * shell had run it, and its exit status can be passed on.
 */
#ifndef FIREGLASS_OS_SPAWN_H
#define FIREGLASS_OS_SPAWN_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct spawn {
	pid_t pid;
	bool ended;     // waited for
	int status;     // as waitpid(2) gives it; valid once ended
	int exec_errno; // not 0: the command could not be executed (exit status 127 or 126 follows)
};

/*
 * Starts argv[0] (looked up in PATH). `mask` is the signal mask the command starts with and
 * `ignored` the set of signals it starts with ignored (all other dispositions are the default):
 * those our own process had before it changed them. Returns when execve has succeeded or failed; a
 * failed exec is an ERR_FAILED that names the command and the reason (*s then has the exit code).
 *
 * The command inherits every descriptor that is not close-on-exec, and outlives us if we are
 * killed. An ignored SIGCHLD of ours is set to its default, so that the status can be had.
 */
struct err *spawn_start(
	struct spawn *s, char *const argv[], const sigset_t *mask, const sigset_t *ignored);

/* What the command has instead of ours. */
struct spawn_apart {
	int in, out, err; // its standard streams; -1: ours
	bool session;     // one of its own: it has no terminal, and the terminal's keys send it no signals
};

/* The same for a command that is kept away from our terminal. */
struct err *spawn_start_apart(struct spawn *s, char *const argv[], const sigset_t *mask,
	const sigset_t *ignored, const struct spawn_apart *apart);

/* Looks, without waiting, whether it has ended; returns s->ended. */
bool spawn_poll(struct spawn *s);

/* Waits until it has ended. EINTR returns early: look at s->ended. */
void spawn_wait(struct spawn *s);

/* The status a shell would show: exit code, or 128 + signal. */
int spawn_exit_code(const struct spawn *s);

/*
 * Ends this process as the command ended: by the same exit code, or by the same signal (without
 * a core dump of our own).
 */
void spawn_exit_alike(const struct spawn *s) __attribute__((__noreturn__));

#endif

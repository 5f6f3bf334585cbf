// SPDX-License-Identifier: MIT
/*
 * Signals while recording.
 *
 * The first Ctrl-C (or SIGTERM, SIGHUP when attached) asks for an end: what was recorded is
 * written. The second one gives up at once. With a launched command, signals that were sent to us
 * alone are passed on to it, as if we were not there.
 */
#ifndef FIREGLASS_CMD_SIGNALS_H
#define FIREGLASS_CMD_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* The mask and the ignored signals that this process was started with. */
struct signals_inherited {
	sigset_t mask, ignored;
};

/* Looks at what was inherited and installs the handlers. */
void signals_install(struct signals_inherited *inherited);

/* From now on signals are passed on to `pid`; 0 stops that. */
void signals_forward_to(pid_t pid);

/*
 * From now on, before signals_forward_to(), SIGUSR1 asks for what there is to be written and SIGUSR2
 * for a pause, or its end; they are not passed on.
 */
void signals_take_requests(void);

/* There is nothing to ask for any more: they are passed on as the others are. */
void signals_give_up_requests(void);

/* True once for each time that was asked. */
bool signals_take_dump_asked(void);
bool signals_take_pause_asked(void);

/* True once an end was asked for. */
bool signals_stop_asked(void);

#endif

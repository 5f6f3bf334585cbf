// SPDX-License-Identifier: MIT
/*
 * The terminal as it was, given back however the process ends: at exit(), on deadly signals, and,
 * by a small second process that waits for just that, when it is killed with SIGKILL.
 *
 * There is one terminal: no two at a time. Only terminal_give_back() is for any thread.
 */
#ifndef FIREGLASS_TUI_TERMINAL_H
#define FIREGLASS_TUI_TERMINAL_H

#include <stdbool.h>

#include "base/buf.h"

/* Keeps the modes of the terminal. To be called before they are changed. */
void terminal_keep(int input_fd, int output_fd);

#define TERMINAL_FAREWELL_MAX 512

/*
 * The terminal is in other modes now, also again after terminal_stop_here(). `farewell` undoes what
 * was sent to it, in at most TERMINAL_FAREWELL_MAX bytes; it is copied.
 */
void terminal_taken(const struct buf *farewell);

/* By others: only the modes are left to be given back. */
void terminal_farewell_is_said(void);

/* As it was: farewell and modes. Async-signal-safe; nothing to do the second time. */
void terminal_give_back(void);

/* The end: nothing is watched any more. Gives back what was not yet given back. */
void terminal_release(void);

/* Stops this process as Ctrl-Z does; returns when it goes on. The terminal is to be given back before. */
void terminal_stop_here(void);

/* True once after another process asked us to stop, or after we went on. */
bool terminal_take_stop_asked(void);
bool terminal_take_continued(void);

#endif

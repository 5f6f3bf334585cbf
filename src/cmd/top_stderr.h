// SPDX-License-Identifier: MIT
/*
 * What is written to the standard error while the terminal shows something else: it is kept, and
 * written when the terminal is given back, also if the program ends by itself then.
 */
#ifndef FIREGLASS_CMD_TOP_STDERR_H
#define FIREGLASS_CMD_TOP_STDERR_H

/* Does nothing if the standard error is not the terminal. */
void top_stderr_keep(void);
void top_stderr_give_back(void);

#endif

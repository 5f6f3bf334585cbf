// SPDX-License-Identifier: MIT
/*
 * Stopping one thread of a target for a moment, by ptrace(2). Only ever done when asked for.
 *
 * The thread is seized, interrupted, looked at and let go again within one sample: between samples
 * nobody traces it, so that its signals are never delayed and a debugger can come. If we are killed
 * meanwhile, the kernel lets the thread go. Must be used from one thread of ours.
 */
#ifndef FIREGLASS_OS_STOP_H
#define FIREGLASS_OS_STOP_H

#include <stdbool.h>
#include <sys/types.h>

/* True if the thread stands still now; false if it ended, or may not be traced. */
bool stop_thread(pid_t tid);

/* Lets a stopped thread go on. */
void stop_release(pid_t tid);

#endif

// SPDX-License-Identifier: MIT
/* How threads are called where only a name tells them apart. */
#ifndef FIREGLASS_EXPORT_THREAD_NAMES_H
#define FIREGLASS_EXPORT_THREAD_NAMES_H

#include "base/buf.h"
#include "store/capture.h"

/*
 * Appends "MainThread (4711)", or "shop.py 4711: MainThread (4711)" if the capture has several
 * processes; ids that are not known are left out, a thread without a name is "thread".
 */
void thread_names_add(struct buf *out, const struct capture *c, uint32_t thread);

/* The name of a process for people; "" if nothing is known. */
const char *thread_names_process(const struct capture *c, uint32_t process);

/* What the capture is of: `title` if there is one, else its first process, else "fireglass". */
const char *thread_names_title(const struct capture *c, const char *title);

#endif

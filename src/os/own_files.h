// SPDX-License-Identifier: MIT
/*
 * File descriptors of a thread's own. A thread of ours that lives in somebody else's program opens
 * files all the time: in a table of its own they take no numbers from the program, are not among
 * what it lists, closes or hands to its children, and nothing that it closes is open any longer
 * because of us.
 */
#ifndef FIREGLASS_OS_OWN_FILES_H
#define FIREGLASS_OS_OWN_FILES_H

#include <stdbool.h>

/*
 * From here on the calling thread has a table of its own, with only `keep` in it (negative: nothing).
 * Its end closes what is in it; no other thread can. False: the system does not allow it, and nothing
 * has changed.
 */
bool own_files(int keep);

#endif

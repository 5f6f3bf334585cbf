// SPDX-License-Identifier: MIT
/* Names of the system calls of this machine in which programs wait. */
#ifndef FIREGLASS_OS_SYSCALL_NAME_H
#define FIREGLASS_OS_SYSCALL_NAME_H

#include <stdint.h>

/* "futex"; NULL for a call that is not among those known here. */
const char *syscall_name(int32_t number);

#endif

// SPDX-License-Identifier: MIT
/*
 * Functions that younger C libraries have, for those built with an older one. meson.build has this included
 * everywhere, before everything else, and says which are missing. Headers may declare them nevertheless, so that
 * ours have names of their own.
 */
#ifndef FIREGLASS_BASE_OLDER_LIBC_H
#define FIREGLASS_BASE_OLDER_LIBC_H

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef WITHOUT_GETTID // glibc 2.30
static inline pid_t older_gettid(void)
{
	return (pid_t)syscall(SYS_gettid);
}
#define gettid older_gettid
#endif

#ifdef WITHOUT_CLOSE_RANGE // glibc 2.34
static inline int older_close_range(unsigned int first, unsigned int last, int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}
#define close_range older_close_range
#endif

#ifdef WITHOUT_SIGABBREV_NP // glibc 2.32
static inline const char *older_sigabbrev_np(int number)
{
	static const char *const names[] = {
		[SIGHUP] = "HUP", [SIGINT] = "INT", [SIGQUIT] = "QUIT", [SIGILL] = "ILL",
		[SIGTRAP] = "TRAP", [SIGABRT] = "ABRT", [SIGBUS] = "BUS", [SIGFPE] = "FPE",
		[SIGKILL] = "KILL", [SIGUSR1] = "USR1", [SIGSEGV] = "SEGV", [SIGUSR2] = "USR2",
		[SIGPIPE] = "PIPE", [SIGALRM] = "ALRM", [SIGTERM] = "TERM", [SIGXCPU] = "XCPU",
		[SIGXFSZ] = "XFSZ", [SIGVTALRM] = "VTALRM", [SIGPROF] = "PROF", [SIGIO] = "POLL",
		[SIGSYS] = "SYS",
	};

	return number > 0 && (size_t)number < sizeof(names) / sizeof(*names) ? names[number] : NULL;
}
#define sigabbrev_np older_sigabbrev_np
#endif

#endif

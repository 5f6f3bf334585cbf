// SPDX-License-Identifier: MIT
#include "cmd/signals.h"

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tui/terminal.h"

static volatile sig_atomic_t stop_asked;
static volatile sig_atomic_t forward_pid;
static volatile sig_atomic_t dump_asked, pause_asked;
static bool requests_taken; // SIGUSR1 and SIGUSR2 are for us

/* Ended by these; SIGINT from the terminal reaches a launched command without us. */
static const int end_signals[] = { SIGINT, SIGTERM, SIGHUP };
/* Only passed on. */
static const int other_signals[] = { SIGQUIT, SIGUSR1, SIGUSR2 };

static bool sent_by_a_process(const siginfo_t *info)
{
	return info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL;
}

static void forward(int signum, const siginfo_t *info)
{
	if (forward_pid && sent_by_a_process(info))
		kill((pid_t)forward_pid, signum);
}

static void on_end(int signum, siginfo_t *info, void *context)
{
	(void)context;
	forward(signum, info);
	// a launched command decides itself what the others mean; we end when it does
	if (forward_pid && signum != SIGINT)
		return;
	if (stop_asked) {
		terminal_give_back();
		_exit(128 + signum);
	}
	stop_asked = 1;
}

static void on_other(int signum, siginfo_t *info, void *context)
{
	(void)context;
	forward(signum, info);
}

static void install(int signum, void (*handler)(int, siginfo_t *, void *), sigset_t *ignored)
{
	struct sigaction old, new = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	sigemptyset(&new.sa_mask);
	sigaction(signum, NULL, &old);
	if (old.sa_handler == SIG_IGN)
		sigaddset(ignored, signum); // nohup and the like: stays ignored
	else
		sigaction(signum, &new, NULL);
}

static void note_ignored(sigset_t *ignored)
{
	for (int signum = 1; signum < NSIG; signum++) {
		struct sigaction action;

		if (sigaction(signum, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			sigaddset(ignored, signum);
	}
}

void signals_install(struct signals_inherited *inherited)
{
	sigemptyset(&inherited->ignored);
	note_ignored(&inherited->ignored);
	sigprocmask(SIG_SETMASK, NULL, &inherited->mask);
	for (size_t i = 0; i < ARRAY_LEN(end_signals); i++)
		install(end_signals[i], on_end, &inherited->ignored);
}

void signals_forward_to(pid_t pid)
{
	sigset_t ignored;

	sigemptyset(&ignored);
	forward_pid = pid;
	for (size_t i = 0; pid && i < ARRAY_LEN(other_signals); i++)
		if (!requests_taken || other_signals[i] == SIGQUIT)
			install(other_signals[i], on_other, &ignored);
}

static void on_request(int signum)
{
	if (signum == SIGUSR1)
		dump_asked = 1;
	else
		pause_asked = 1;
}

void signals_take_requests(void)
{
	struct sigaction action = { .sa_handler = on_request, .sa_flags = SA_RESTART };

	requests_taken = true;
	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
}

void signals_give_up_requests(void)
{
	requests_taken = false;
	signals_forward_to((pid_t)forward_pid);
}

static bool take(volatile sig_atomic_t *asked)
{
	bool was = *asked;

	*asked = 0;
	return was;
}

bool signals_take_dump_asked(void)
{
	return take(&dump_asked);
}

bool signals_take_pause_asked(void)
{
	return take(&pause_asked);
}

bool signals_stop_asked(void)
{
	return stop_asked;
}

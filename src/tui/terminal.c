// SPDX-License-Identifier: MIT
#include "tui/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"

/* What the guard is told. */
#define WORD_TAKEN 't'
#define WORD_GIVEN 'g'

/* These come from the process itself: their old handlers run after ours. */
static const int deadly[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP };
/* These are for others to handle, if they do. */
static const int ending[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGXCPU, SIGXFSZ, SIGALRM,
	SIGUSR1, SIGUSR2 };

/* What a handler finds: it takes no argument. */
static struct {
	int input_fd, output_fd;
	struct termios before, during;
	bool has_modes, registered;
	char farewell[TERMINAL_FAREWELL_MAX];
	size_t farewell_len;
	atomic_bool taken;
	int words; // a socket to the guard, -1: none; a pipe would kill us when it is gone
	pid_t guard;
	struct sigaction old_deadly[ARRAY_LEN(deadly)];
	struct sigaction old_stop, old_continue, old_resize;
} kept = { .input_fd = -1, .output_fd = -1, .words = -1 };

static volatile sig_atomic_t stop_asked, continued;

/* ---- giving back ------------------------------------------------------------------------------ */

/* A terminal that takes nothing (Ctrl-S) must not keep us. */
static void say(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

static void tell_guard(char word)
{
	if (kept.words < 0)
		return;
	while (send(kept.words, &word, 1, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

/* Nobody stops us for writing to a terminal that is another's now. */
static void block_output_stop(sigset_t *old)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &set, old);
}

void terminal_farewell_is_said(void)
{
	kept.farewell_len = 0;
}

void terminal_give_back(void)
{
	int saved_errno = errno;
	sigset_t old;

	if (!atomic_exchange(&kept.taken, false))
		return;
	block_output_stop(&old);
	say(kept.output_fd, kept.farewell, kept.farewell_len);
	if (kept.has_modes)
		tcsetattr(kept.input_fd, TCSANOW, &kept.before);
	tell_guard(WORD_GIVEN);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = saved_errno;
}

/* ---- signals ---------------------------------------------------------------------------------- */

static const struct sigaction *old_action(int signum)
{
	static const struct sigaction by_default = { .sa_handler = SIG_DFL };

	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		if (deadly[i] == signum)
			return &kept.old_deadly[i];
	return &by_default;
}

static void on_death(int signum, siginfo_t *info, void *context)
{
	(void)context;
	terminal_give_back();
	sigaction(signum, old_action(signum), NULL);
	// a fault comes again by itself, with its circumstances
	if (info->si_code <= 0)
		raise(signum);
}

static void on_stop(int signum)
{
	(void)signum;
	stop_asked = 1;
}

static void on_continue(int signum)
{
	(void)signum;
	continued = 1;
}

/* The size is looked at often enough; but poll() ends at once. */
static void on_resize(int signum)
{
	(void)signum;
}

static void install(int signum, void (*handler)(int), struct sigaction *old)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	sigaction(signum, &action, old);
}

static void install_deaths(void)
{
	struct sigaction old, action = { .sa_sigaction = on_death, .sa_flags = SA_SIGINFO };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		sigaction(deadly[i], &action, &kept.old_deadly[i]);
	for (size_t i = 0; i < ARRAY_LEN(ending); i++)
		if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(ending[i], &action, NULL);
}

static bool is_ours(int signum)
{
	struct sigaction now;

	return sigaction(signum, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
		now.sa_sigaction == on_death;
}

static void uninstall_all(void)
{
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		if (is_ours(deadly[i]))
			sigaction(deadly[i], &kept.old_deadly[i], NULL);
	for (size_t i = 0; i < ARRAY_LEN(ending); i++)
		if (is_ours(ending[i]))
			sigaction(ending[i], old_action(ending[i]), NULL);
	sigaction(SIGTSTP, &kept.old_stop, NULL);
	sigaction(SIGCONT, &kept.old_continue, NULL);
	sigaction(SIGWINCH, &kept.old_resize, NULL);
}

bool terminal_take_stop_asked(void)
{
	bool asked = stop_asked;

	stop_asked = 0;
	return asked;
}

bool terminal_take_continued(void)
{
	bool did = continued;

	continued = 0;
	return did;
}

void terminal_stop_here(void)
{
	struct sigaction by_default = { .sa_handler = SIG_DFL }, ours;

	sigaction(SIGTSTP, &by_default, &ours);
	raise(SIGTSTP);
	sigaction(SIGTSTP, &ours, NULL);
}

/* ---- the guard -------------------------------------------------------------------------------- */

/* Modes that are others' by now are theirs. */
static void guard_gives_back(void)
{
	struct termios now;
	bool same = kept.has_modes && tcgetattr(kept.input_fd, &now) == 0 &&
		now.c_lflag == kept.during.c_lflag && now.c_iflag == kept.during.c_iflag &&
		now.c_oflag == kept.during.c_oflag;

	say(kept.output_fd, kept.farewell, kept.farewell_len);
	if (same)
		tcsetattr(kept.input_fd, TCSANOW, &kept.before);
}

/* Lets go of all the files that the process has but the three it needs. */
static void close_others(int words)
{
	int keep[] = { kept.input_fd, kept.output_fd, words };
	unsigned int first = 0;

	for (size_t done = 0; done < ARRAY_LEN(keep); done++) {
		unsigned int next = ~0u;

		for (size_t i = 0; i < ARRAY_LEN(keep); i++)
			if ((unsigned int)keep[i] >= first && (unsigned int)keep[i] < next)
				next = (unsigned int)keep[i];
		if (next == ~0u)
			break;
		if (next > first)
			close_range(first, next - 1, 0);
		first = next + 1;
	}
	close_range(first, ~0u, 0);
}

/* In the second process: only what is async-signal-safe, as the first may have threads. */
__attribute__((__noreturn__)) static void guard(int words)
{
	bool taken = true;
	ssize_t n;
	char word;

	prctl(PR_SET_NAME, "fireglass-guard");
	setpgid(0, 0); // what is meant for our group is not meant for it
	close_others(words);
	do {
		n = read(words, &word, 1);
		if (n == 1)
			taken = word == WORD_TAKEN;
	} while (n == 1 || (n < 0 && errno == EINTR));
	if (taken)
		guard_gives_back();
	_exit(0);
}

/* Without one (no more processes) only the end by SIGKILL leaves a mess. */
static void start_guard(void)
{
	sigset_t all, old;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	kept.guard = fork();
	if (kept.guard == 0) {
		close(ends[1]);
		guard(ends[0]);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	close(ends[0]);
	kept.words = ends[1];
	if (kept.guard > 0)
		return;
	close(kept.words);
	kept.words = -1;
}

static void end_guard(void)
{
	if (kept.words < 0)
		return;
	close(kept.words);
	kept.words = -1;
	while (waitpid(kept.guard, NULL, 0) < 0 && errno == EINTR)
		;
}

/* ---- life ------------------------------------------------------------------------------------- */

void terminal_keep(int input_fd, int output_fd)
{
	kept.input_fd = input_fd;
	kept.output_fd = output_fd;
	kept.has_modes = tcgetattr(input_fd, &kept.before) == 0;
	install_deaths();
	install(SIGTSTP, on_stop, &kept.old_stop);
	install(SIGCONT, on_continue, &kept.old_continue);
	install(SIGWINCH, on_resize, &kept.old_resize);
	if (!kept.registered)
		atexit(terminal_give_back);
	kept.registered = true;
}

void terminal_taken(const struct buf *farewell)
{
	kept.farewell_len =
		farewell->len < TERMINAL_FAREWELL_MAX ? farewell->len : TERMINAL_FAREWELL_MAX;
	memcpy(kept.farewell, buf_str(farewell), kept.farewell_len);
	if (kept.has_modes)
		tcgetattr(kept.input_fd, &kept.during);
	atomic_store(&kept.taken, true);
	if (kept.words < 0)
		start_guard();
	else
		tell_guard(WORD_TAKEN);
}

void terminal_release(void)
{
	terminal_give_back();
	end_guard();
	uninstall_all();
}

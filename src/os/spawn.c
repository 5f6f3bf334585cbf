// SPDX-License-Identifier: MIT
#include "os/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define EXIT_NOT_FOUND 127
#define EXIT_NOT_EXECUTABLE 126

static int exec_exit_code(int errnum)
{
	return errnum == ENOENT || errnum == ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

/* Runs in the child. */
static void keep_apart(const struct spawn_apart *apart)
{
	if (apart->session)
		setsid();
	if (apart->in >= 0)
		dup2(apart->in, STDIN_FILENO);
	if (apart->out >= 0)
		dup2(apart->out, STDOUT_FILENO);
	if (apart->err >= 0)
		dup2(apart->err, STDERR_FILENO);
}

/* Runs in the child, where only async-signal-safe calls are allowed. */
static void child_exec(char *const argv[], const sigset_t *mask, const sigset_t *ignored,
	const struct spawn_apart *apart, int error_fd)
{
	keep_apart(apart);
	for (int number = 1; number < NSIG; number++) {
		struct sigaction action = { .sa_handler = SIG_DFL };

		if (sigismember(ignored, number) == 1)
			action.sa_handler = SIG_IGN;
		sigaction(number, &action, NULL); // fails for libc's own signals and SIGKILL
	}
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	int errnum = errno;
	ssize_t n = write(error_fd, &errnum, sizeof(errnum));
	_exit(n < 0 ? EXIT_NOT_EXECUTABLE : exec_exit_code(errnum));
}

/* What the child wrote: the errno value of its failed exec; 0 after a successful one. */
static int read_exec_errno(int fd)
{
	int errnum = 0;
	ssize_t n;

	do
		n = read(fd, &errnum, sizeof(errnum));
	while (n < 0 && errno == EINTR);
	return n == sizeof(errnum) ? errnum : 0;
}

static bool ends_with(const char *s, const char *suffix)
{
	size_t len = strlen(s), suffix_len = strlen(suffix);

	return len >= suffix_len && strcmp(s + len - suffix_len, suffix) == 0;
}

static struct err *exec_error(const char *command, int errnum)
{
	struct err *err = err_errno(errnum, "cannot run '%s'", command);

	// the permissions of a file, not a gate in front of a process
	err->kind = ERR_FAILED;
	if (errnum == ENOENT && !strchr(command, '/'))
		return err_suffix(err, "; is it installed, and in PATH?");
	if ((errnum == EACCES || errnum == ENOENT) && ends_with(command, ".py"))
		return err_suffix(err, "; name the interpreter too: 'python3 %s'", command);
	return err;
}

/* An ignored SIGCHLD, which may be inherited, would keep us from learning how the command ended. */
static void keep_child_statuses(void)
{
	struct sigaction action;

	if (sigaction(SIGCHLD, NULL, &action) != 0)
		return;
	if (action.sa_handler == SIG_IGN)
		action.sa_handler = SIG_DFL;
	action.sa_flags &= ~SA_NOCLDWAIT;
	sigaction(SIGCHLD, &action, NULL);
}

struct err *spawn_start(
	struct spawn *s, char *const argv[], const sigset_t *mask, const sigset_t *ignored)
{
	const struct spawn_apart nothing = { .in = -1, .out = -1, .err = -1 };

	return spawn_start_apart(s, argv, mask, ignored, &nothing);
}

struct err *spawn_start_apart(struct spawn *s, char *const argv[], const sigset_t *mask,
	const sigset_t *ignored, const struct spawn_apart *apart)
{
	int pipe_fds[2];
	sigset_t all, before;

	*s = (struct spawn){ 0 };
	if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		return err_errno(errno, "cannot run '%s'", argv[0]);
	_cleanup_close_ int read_fd = pipe_fds[0], write_fd = pipe_fds[1];
	keep_child_statuses();
	// no handler of ours may run in the child
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	int fork_errno = errno;
	if (pid == 0)
		child_exec(argv, mask, ignored, apart, write_fd);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return err_errno(fork_errno, "cannot start a process for '%s'", argv[0]);
	s->pid = pid;
	close(take_fd(&write_fd));
	s->exec_errno = read_exec_errno(read_fd);
	if (!s->exec_errno)
		return NULL;
	while (!s->ended)
		spawn_wait(s);
	return exec_error(argv[0], s->exec_errno);
}

static void collect(struct spawn *s, int options)
{
	int status;

	if (s->ended || s->pid <= 0)
		return;
	pid_t pid = waitpid(s->pid, &status, options);
	if (pid == s->pid) {
		s->ended = true;
		s->status = status;
	} else if (pid < 0 && errno == ECHILD) { // collected by someone else
		s->ended = true;
	}
}

bool spawn_poll(struct spawn *s)
{
	collect(s, WNOHANG);
	return s->ended;
}

void spawn_wait(struct spawn *s)
{
	collect(s, 0);
}

int spawn_exit_code(const struct spawn *s)
{
	if (s->exec_errno)
		return exec_exit_code(s->exec_errno);
	if (WIFSIGNALED(s->status))
		return 128 + WTERMSIG(s->status);
	return WEXITSTATUS(s->status);
}

static void end_by_signal(int number)
{
	struct rlimit limit = { 0 };
	sigset_t set;

	// the command's core dump is the one of interest; a core_pattern that is a pipe ignores the
	// limit
	if (getrlimit(RLIMIT_CORE, &limit) == 0) {
		limit.rlim_cur = 0;
		setrlimit(RLIMIT_CORE, &limit);
	}
	prctl(PR_SET_DUMPABLE, 0);
	fflush(NULL);
	signal(number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, number);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	raise(number);
}

void spawn_exit_alike(const struct spawn *s)
{
	if (!s->exec_errno && WIFSIGNALED(s->status))
		end_by_signal(WTERMSIG(s->status));
	exit(spawn_exit_code(s)); // also for a signal that did not end us
}

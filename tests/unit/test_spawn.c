// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/iofd.h"
#include "os/spawn.h"

static sigset_t nothing;

static int setup(void **state)
{
	(void)state;
	return sigemptyset(&nothing);
}

/* Runs a shell command to its end. */
static struct spawn run(const char *script, const sigset_t *mask, const sigset_t *ignored)
{
	char *const argv[] = { "sh", "-c", (char *)(uintptr_t)script, NULL };
	struct spawn s;

	assert_null(spawn_start(&s, argv, mask, ignored));
	assert_true(s.pid > 0);
	while (!s.ended)
		spawn_wait(&s);
	return s;
}

/* The output of a shell command that was started by spawn_start(). */
static void output_of(const char *script, const sigset_t *mask, const sigset_t *ignored, char *out,
	size_t capacity)
{
	char path[] = "/tmp/fireglass-test-XXXXXX", line[600];
	_cleanup_close_ int fd = mkostemp(path, O_CLOEXEC);

	assert_true(fd >= 0);
	snprintf(line, sizeof(line), "exec >%s; %s", path, script);
	struct spawn s = run(line, mask, ignored);
	assert_int_equal(spawn_exit_code(&s), 0);
	ssize_t n = pread(fd, out, capacity - 1, 0);
	assert_true(n >= 0);
	out[n] = 0;
	unlink(path);
}

static void test_exit_codes(void **state)
{
	static const struct {
		const char *script;
		int code;
	} rows[] = {
		{ "exit 0", 0 },
		{ "exit 3", 3 },
		{ "exit 255", 255 },
		{ "kill -TERM $$", 128 + SIGTERM },
		{ "kill -KILL $$", 128 + SIGKILL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spawn s = run(rows[i].script, &nothing, &nothing);

		assert_int_equal(spawn_exit_code(&s), rows[i].code);
		assert_int_equal(s.exec_errno, 0);
		assert_true(spawn_poll(&s)); // again, harmless
	}
}

static void expect_no_exec(const char *command, int code, const char *text)
{
	char *const argv[] = { (char *)(uintptr_t)command, NULL };
	struct spawn s;
	struct err *err = spawn_start(&s, argv, &nothing, &nothing);

	assert_non_null(err);
	assert_int_equal(err->kind, ERR_FAILED);
	assert_non_null(strstr(err->message, command));
	assert_non_null(strstr(err->message, text));
	assert_int_equal(spawn_exit_code(&s), code);
	assert_true(s.ended);
	assert_int_equal(waitpid(s.pid, NULL, WNOHANG), -1); // nothing is left behind
	err_free(err);
}

static void test_command_that_cannot_run(void **state)
{
	char path[] = "/tmp/fireglass-test-XXXXXX.py";
	_cleanup_close_ int fd = mkostemps(path, 3, O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	expect_no_exec("no-such-command-here", 127, "no such file or directory; is it installed");
	expect_no_exec("/no/such/command", 127, "no such file or directory");
	expect_no_exec("/etc/passwd/x", 127, "not a directory");
	expect_no_exec("/", 126, "permission denied");
	expect_no_exec(path, 126, "permission denied; name the interpreter too: 'python3 /tmp/");
	unlink(path);
}

static void test_script_without_interpreter_line(void **state)
{
	char path[] = "/tmp/fireglass-test-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);
	char *const argv[] = { path, NULL };
	struct spawn s;

	(void)state;
	assert_int_equal(iofd_write_all(fd, "exit 9\n", 7), 0);
	fchmod(fd, 0755);
	close(fd);
	assert_null(spawn_start(&s, argv, &nothing, &nothing));
	while (!s.ended)
		spawn_wait(&s);
	assert_int_equal(spawn_exit_code(&s), 9); // as a shell would run it
	unlink(path);
}

static void test_signal_mask_and_dispositions(void **state)
{
	sigset_t mask, ignored;
	char out[512];

	(void)state;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigemptyset(&ignored);
	sigaddset(&ignored, SIGHUP);
	signal(SIGPIPE, SIG_IGN); // ours, not the command's
	signal(SIGUSR2, SIG_IGN);
	output_of(
		"exec grep -E 'Sig(Blk|Ign)' /proc/self/status", &mask, &ignored, out, sizeof(out));
	signal(SIGPIPE, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	unsigned long long blocked, disregarded;
	assert_int_equal(
		sscanf(out, "SigBlk: %llx SigIgn: %llx", &blocked, &disregarded), 2);
	assert_int_equal(blocked, 1u << (SIGUSR1 - 1));
	// libc keeps 32 and 33 to itself: however they came to us, they go on
	assert_int_equal(disregarded & ~(3ull << 31), 1u << (SIGHUP - 1));
	sigset_t ours;
	sigprocmask(SIG_BLOCK, NULL, &ours);
	assert_int_equal(sigismember(&ours, SIGUSR1), 0);
}

static void test_ignored_sigchld_does_not_lose_the_status(void **state)
{
	(void)state;
	signal(SIGCHLD, SIG_IGN);
	struct spawn s = run("exit 42", &nothing, &nothing);
	signal(SIGCHLD, SIG_DFL);
	assert_int_equal(spawn_exit_code(&s), 42);
}

static void test_no_descriptors_leak(void **state)
{
	char before[512], after[512];

	(void)state;
	output_of("ls /proc/self/fd", &nothing, &nothing, before, sizeof(before));
	int ours = open("/dev/null", O_RDONLY | O_CLOEXEC);
	output_of("ls /proc/self/fd", &nothing, &nothing, after, sizeof(after));
	close(ours);
	assert_string_equal(before, after);
	// but what the user gave us is passed on
	int users = open("/dev/null", O_RDONLY);
	output_of("ls /proc/self/fd", &nothing, &nothing, after, sizeof(after));
	close(users);
	assert_string_not_equal(before, after);
}

static void test_environment_directory_group(void **state)
{
	char out[4096], expected[4400];
	_cleanup_free_ char *directory = getcwd(NULL, 0);

	(void)state;
	setenv("FIREGLASS_TEST", "a b", 1);
	output_of("echo \"$FIREGLASS_TEST\"; pwd -P; cut -d ' ' -f 4,5,6 /proc/$$/stat", &nothing,
		&nothing, out, sizeof(out));
	snprintf(expected, sizeof(expected), "a b\n%s\n%d %d %d\n", directory, (int)getpid(),
		(int)getpgrp(), (int)getsid(0));
	assert_string_equal(out, expected);
}

static void test_poll_does_not_wait(void **state)
{
	int pipe_fds[2];
	char script[64];
	struct spawn s;

	(void)state;
	assert_int_equal(pipe2(pipe_fds, 0), 0);
	fcntl(pipe_fds[1], F_SETFD, FD_CLOEXEC);
	snprintf(script, sizeof(script), "read x <&%d; exit 5", pipe_fds[0]);
	char *const argv[] = { "sh", "-c", script, NULL };
	assert_null(spawn_start(&s, argv, &nothing, &nothing));
	assert_false(spawn_poll(&s));
	close(pipe_fds[1]);
	while (!spawn_poll(&s))
		;
	assert_int_equal(spawn_exit_code(&s), 5);
	close(pipe_fds[0]);
}

static void test_collected_by_someone_else(void **state)
{
	char *const argv[] = { "true", NULL };
	struct spawn s;

	(void)state;
	assert_null(spawn_start(&s, argv, &nothing, &nothing));
	assert_int_equal(waitpid(s.pid, NULL, 0), s.pid);
	assert_true(spawn_poll(&s)); // no endless wait
}

static void allow_core_dumps(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_CORE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_CORE, &limit);
}

/* How a process ends that starts a command and then ends as it did. */
static int status_alike(const char *script)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		sigset_t all;

		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		signal(SIGTERM, SIG_IGN);
		allow_core_dumps();
		struct spawn s = run(script, &nothing, &nothing);
		spawn_exit_alike(&s);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void test_exit_alike(void **state)
{
	int status = status_alike("exit 77");

	(void)state;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 77);
	status = status_alike("kill -TERM $$");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	status = status_alike("ulimit -c 0; kill -QUIT $$");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT);
	assert_false(WCOREDUMP(status));
	status = status_alike("kill -KILL $$");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* The profiler is killed; the command must go on. */
static void test_command_outlives_us(void **state)
{
	int up[2], down[2];
	char script[128], line[16] = "";

	(void)state;
	assert_int_equal(pipe(up), 0);
	assert_int_equal(pipe(down), 0);
	snprintf(script, sizeof(script), "echo go >&%d; read x <&%d; echo \"$x\" >&%d", up[1],
		down[0], up[1]);
	pid_t child = fork();
	if (child == 0) {
		close(down[1]);
		close(up[0]);
		run(script, &nothing, &nothing);
		_exit(0);
	}
	close(up[1]);
	close(down[0]);
	assert_int_equal(read(up[0], line, 3), 3);
	assert_string_equal(line, "go\n");
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(iofd_write_all(down[1], "alive\n", 6), 0);
	assert_int_equal(read(up[0], line, sizeof(line) - 1), 6);
	assert_string_equal(line, "alive\n");
	assert_int_equal(read(up[0], line, 1), 0); // it has ended
	close(up[0]);
	close(down[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_command_that_cannot_run),
		cmocka_unit_test(test_script_without_interpreter_line),
		cmocka_unit_test(test_signal_mask_and_dispositions),
		cmocka_unit_test(test_ignored_sigchld_does_not_lose_the_status),
		cmocka_unit_test(test_no_descriptors_leak),
		cmocka_unit_test(test_environment_directory_group),
		cmocka_unit_test(test_poll_does_not_wait),
		cmocka_unit_test(test_collected_by_someone_else),
		cmocka_unit_test(test_exit_alike),
		cmocka_unit_test(test_command_outlives_us),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "os/proc.h"

/* The fields of proc(5) after the name: the value of each is its number. */
#define WORDS                                                                                      \
	" 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 " \
	"35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52\n"

static void test_stat_fields(void **state)
{
	struct proc_stat s;

	(void)state;
	assert_true(proc_parse_stat("77 (python3) S" WORDS, &s));
	assert_string_equal(s.comm, "python3");
	assert_int_equal(s.state, 'S');
	assert_int_equal(s.ppid, 4);
	assert_int_equal(s.pgrp, 5);
	assert_int_equal(s.flags, 9);
	assert_int_equal(s.utime, 14);
	assert_int_equal(s.stime, 15);
	assert_int_equal(s.start_time, 22);
	assert_int_equal(s.processor, 39);
}

static void test_stat_names(void **state)
{
	static const char *const names[] = {
		"",
		")",
		"(",
		"a b",
		"x) R 1 2 3 4",
		"((((",
		"))))",
		"new\nline",
		") (",
		"\xff\x01",
		"R 4 (S) 5",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		_cleanup_free_ char *text = xasprintf("1 (%s) T" WORDS, names[i]);
		struct proc_stat s;

		assert_true(proc_parse_stat(text, &s));
		assert_string_equal(s.comm, names[i]);
		assert_int_equal(s.state, 'T');
		assert_int_equal(s.processor, 39);
	}
}

static void test_stat_long_name_is_cut(void **state)
{
	char name[300];
	struct proc_stat s;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = 0;
	_cleanup_free_ char *text = xasprintf("1 (%s) T" WORDS, name);
	assert_true(proc_parse_stat(text, &s));
	assert_int_equal(strlen(s.comm), sizeof(s.comm) - 1);
}

static void test_stat_nonsense(void **state)
{
	static const char *const texts[] = {
		"",
		"1",
		"1 (x",
		"1 x) S" WORDS,
		")(",
		"1 (x)",
		"1 (x) ",
		"1 (x) S",
		"1 (x) S 4 5\n",
		"1 (x) SS" WORDS,
		"1 (x) 3" WORDS,
		"1 (x)S" WORDS,
		"1 (x) S 99999999999999999999 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22\n",
		("1 (x) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 "
		 "31 32 33 34 35 36 37 38\n"),
		"1 (x) S 4 5 6 7 8 9 10 11 12 13 fourteen 15 16 17 18 19 20 21 22 23 24 25 26\n",
	};
	struct proc_stat s = { .ppid = 1234 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_false(proc_parse_stat(texts[i], &s));
	assert_int_equal(s.ppid, 1234); // untouched
}

#define STATUS_HEAD                                                                              \
	"Name:\tx\\nUid:\t9\t9\t9\t9\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t70\nNgid:\t0\n" \
	"Pid:\t71\nPPid:\t1\nTracerPid:\t55\n"
#define STATUS_IDS "Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n"

static void test_status(void **state)
{
	struct proc_status s;

	(void)state;
	assert_true(proc_parse_status(STATUS_HEAD STATUS_IDS
		"Groups:\t1 2 3 \nNStgid:\t70\t7\nNSpid:\t71\t8\t9\nCapPrm:\t0000000000080001\n"
		"CapEff:\t000001fffeffffff\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n",
		&s));
	assert_int_equal(s.uid, 1);
	assert_int_equal(s.euid, 2);
	assert_int_equal(s.suid, 3);
	assert_int_equal(s.gid, 5);
	assert_int_equal(s.egid, 6);
	assert_int_equal(s.sgid, 7);
	assert_int_equal(s.tgid, 70);
	assert_int_equal(s.ns_tgid, 7);
	assert_int_equal(s.ns_pid, 9);
	assert_int_equal(s.tracer, 55);
	assert_int_equal(s.seccomp, 2);
	assert_true(s.no_new_privs);
	assert_int_equal(s.cap_permitted, 0x80001);
	assert_int_equal(s.cap_effective, 0x1fffeffffff);
}

static void test_status_of_old_kernels(void **state)
{
	struct proc_status s;

	(void)state;
	assert_true(proc_parse_status(STATUS_HEAD STATUS_IDS, &s));
	assert_int_equal(s.ns_tgid, 70);
	assert_int_equal(s.ns_pid, 71);
	assert_int_equal(s.seccomp, -1);
	assert_false(s.no_new_privs);
}

static void test_status_nonsense(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		":",
		"Uid:",
		STATUS_HEAD,
		STATUS_IDS,
		STATUS_HEAD "Uid:\t1\t2\n",
		STATUS_HEAD "Uid:\tx\t2\t3\t4\nGid:\t5\t6\t7\t8\n",
		STATUS_HEAD "Uid:\t1\t2\t3\t4\nGid:\t5\t6\t99999999999\t8\n",
	};
	struct proc_status s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_false(proc_parse_status(texts[i], &s));
}

static void test_syscall(void **state)
{
	struct proc_syscall c;

	(void)state;
	assert_true(proc_parse_syscall("running\n", &c));
	assert_true(c.running);
	assert_true(proc_parse_syscall("202 0x7f001 0x189 0x0 0x0 0x0 0xffffffff 0x7ffd 0x7f\n", &c));
	assert_false(c.running);
	assert_int_equal(c.number, 202);
	assert_true(c.argument == 0x7f001);
	assert_true(proc_parse_syscall("-1 0x7ffe 0x7f00\n", &c));
	assert_int_equal(c.number, -1);
	assert_false(proc_parse_syscall("", &c));
	assert_false(proc_parse_syscall("202", &c));
	assert_false(proc_parse_syscall("x 0x1", &c));
	assert_false(proc_parse_syscall("99999999999 0x1", &c));
	assert_false(proc_parse_syscall("-2 0x1", &c));
}

static void test_schedstat(void **state)
{
	struct proc_schedstat s;

	(void)state;
	assert_true(proc_parse_schedstat("18446744073709551615 2 3\n", &s));
	assert_true(s.run_ns == UINT64_MAX);
	assert_int_equal(s.wait_ns, 2);
	assert_int_equal(s.slices, 3);
	assert_false(proc_parse_schedstat("", &s));
	assert_false(proc_parse_schedstat("1 2", &s));
	assert_false(proc_parse_schedstat("18446744073709551616 2 3", &s));
	assert_false(proc_parse_schedstat("-1 2 3", &s));
}

static void quote(const char *text, size_t len, size_t cap, const char *expected)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	proc_quote_arguments(text, len, cap, &out);
	assert_string_equal(buf_str(&out), expected);
}

#define QUOTE(text, expected) quote(text, sizeof(text) - 1, 1000, expected)

static void test_command_line(void **state)
{
	(void)state;
	QUOTE("python3\0-m\0http.server\0", "python3 -m http.server");
	QUOTE("python3\0-c\0print('a b')\0", "python3 -c 'print('\\''a b'\\'')'");
	QUOTE("a\0\0b\0", "a '' b");
	QUOTE("a\nb\t\033'\\\0", "$'a\\nb\\t\\033\\'\\\\'");
	QUOTE("title: worker 1\0\0\0\0\0\0", "'title: worker 1'");
	QUOTE("", "");
	QUOTE("\0\0\0", "");
	QUOTE("no-final-zero", "no-final-zero");
	QUOTE("\xff", "'\xef\xbf\xbd'");
	QUOTE("caf\xc3\xa9\0", "'caf\xc3\xa9'");
}

static void test_command_line_is_cut(void **state)
{
	(void)state;
	quote("abcdefghij", 10, 10, "abcdefghij");
	quote("abcdefghijk", 11, 10, "abcdefg...");
	quote("abcdefghijk", 11, 2, "..");
	quote("abcdefghijk", 11, 0, "");
	quote("a\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 9, 8, "'a\xc3\xa9..."); // no half of a letter
}

static void *thread_main(void *arg)
{
	int *fds = arg;
	pid_t tid = (pid_t)syscall(SYS_gettid);
	char byte;

	prctl(PR_SET_NAME, "a ) R\n(b");
	if (write(fds[1], &tid, sizeof(tid)) != sizeof(tid) || read(fds[2], &byte, 1) != 0)
		abort(); // an assertion fails in the main thread only
	return NULL;
}

static void check_thread(pid_t tid)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct proc_stat stat;
	struct proc_status status;
	pid_t tids[8];

	assert_true(proc_stat(getpid(), tid, &stat));
	assert_string_equal(stat.comm, "a ) R\n(b");
	assert_int_equal(stat.ppid, getppid());
	proc_thread_comm(getpid(), tid, &name);
	assert_string_equal(buf_str(&name), "a ) R\n(b");
	assert_true(proc_status(getpid(), tid, &status));
	assert_int_equal(status.tgid, getpid());
	size_t count = proc_threads(getpid(), tids, ARRAY_LEN(tids));
	assert_true(count >= 2); // sanitizers have threads of their own
	assert_int_equal(proc_threads(getpid(), tids, 1), count);
	assert_true(tids[0] == getpid());
}

static void test_thread_lives_and_ends(void **state)
{
	int up[2], down[2];
	pthread_t thread;
	pid_t tid;

	(void)state;
	assert_int_equal(pipe(up), 0);
	assert_int_equal(pipe(down), 0);
	int fds[] = { up[0], up[1], down[0] };
	assert_int_equal(pthread_create(&thread, NULL, thread_main, fds), 0);
	assert_int_equal(read(up[0], &tid, sizeof(tid)), sizeof(tid));
	check_thread(tid);
	_cleanup_close_ int stat_fd = proc_open_stat(getpid(), tid);
	_cleanup_close_ int sched_fd = proc_open_schedstat(getpid(), tid);
	struct proc_stat stat;
	struct proc_schedstat sched;
	assert_true(proc_pread_stat(stat_fd, &stat));
	assert_true(proc_pread_stat(stat_fd, &stat)); // from the start again
	assert_true(proc_pread_schedstat(sched_fd, &sched));
	assert_true(sched.run_ns > 0 && sched.slices > 0);
	close(down[1]);
	pthread_join(thread, NULL);
	// joined means that the kernel has cleared its id, not yet that it has left /proc
	while (proc_pread_stat(stat_fd, &stat))
		sched_yield();
	assert_false(proc_pread_schedstat(sched_fd, &sched));
	assert_int_equal(proc_open_stat(getpid(), tid), -1);
	close(up[0]);
	close(up[1]);
	close(down[0]);
}

static void test_own_process(void **state)
{
	_cleanup_buf_ struct buf exe = BUF_INIT, command = BUF_INIT;
	uint64_t dev, inode;
	struct stat st;
	struct proc_status status;

	(void)state;
	proc_link(getpid(), "exe", &exe);
	assert_int_equal(stat(buf_str(&exe), &st), 0);
	assert_true(proc_exe_identity(getpid(), &dev, &inode));
	assert_int_equal(dev, st.st_dev);
	assert_int_equal(inode, st.st_ino);
	proc_command_line(getpid(), 4096, &command);
	assert_non_null(strstr(buf_str(&command), "test_proc"));
	assert_true(proc_resident_bytes(getpid()) > 100000);
	assert_true(proc_status(getpid(), 0, &status));
	assert_int_equal(status.uid, getuid());
	assert_int_equal(status.egid, getegid());
	assert_int_equal(status.ns_pid, getpid());
}

static void test_zombie_then_gone(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	pid_t child = fork(), tids[4];
	struct proc_stat stat;
	struct proc_status status;
	uint64_t dev, inode;
	siginfo_t info;

	(void)state;
	if (child == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	assert_true(proc_stat(child, 0, &stat));
	assert_int_equal(stat.state, 'Z');
	assert_int_equal(proc_resident_bytes(child), 0);
	proc_command_line(child, 100, &out);
	assert_string_equal(buf_str(&out), "");
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_false(proc_stat(child, 0, &stat));
	assert_false(proc_status(child, 0, &status));
	assert_int_equal(proc_threads(child, tids, 4), 0);
	assert_false(proc_exe_identity(child, &dev, &inode));
	proc_thread_comm(child, child, &out);
	proc_link(child, "exe", &out);
	assert_string_equal(buf_str(&out), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat_fields),
		cmocka_unit_test(test_stat_names),
		cmocka_unit_test(test_stat_long_name_is_cut),
		cmocka_unit_test(test_stat_nonsense),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_status_of_old_kernels),
		cmocka_unit_test(test_status_nonsense),
		cmocka_unit_test(test_schedstat),
		cmocka_unit_test(test_syscall),
		cmocka_unit_test(test_command_line),
		cmocka_unit_test(test_command_line_is_cut),
		cmocka_unit_test(test_thread_lives_and_ends),
		cmocka_unit_test(test_own_process),
		cmocka_unit_test(test_zombie_then_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

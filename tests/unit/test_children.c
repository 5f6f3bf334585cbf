// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/children.h"

/* More than what is read of a list at once. */
#define MANY 700

static pid_t begin_child(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == parent)
		pause();
	_exit(0);
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static bool has(const struct pid_list *list, pid_t pid)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i] == pid)
			return true;
	return false;
}

/* The way that goes everywhere, and the kernel's own lists, if it keeps them. */
static void find_both(struct pid_list *lists, struct pid_list *parents, bool *has_lists)
{
	pid_t own = getpid();
	struct pid_list any = { 0 };

	lists->count = parents->count = 0;
	children_from_lists(&own, 1, lists);
	children_from_parents(&own, 1, parents);
	children_find(&own, 1, &any);
	*has_lists = lists->count > 0;
	assert_int_equal(any.count, parents->count);
	pid_list_deinit(&any);
}

static void test_many(void **state)
{
	struct pid_list lists = { 0 }, parents = { 0 };
	static pid_t pids[MANY];
	bool has_lists;

	(void)state;
	for (int i = 0; i < MANY; i++)
		pids[i] = begin_child();
	find_both(&lists, &parents, &has_lists);
	assert_int_equal(parents.count, MANY);
	for (int i = 0; i < MANY; i++)
		assert_true(has(&parents, pids[i]) && (!has_lists || has(&lists, pids[i])));
	if (has_lists)
		assert_int_equal(lists.count, MANY);
	for (int i = 0; i < MANY; i++)
		end_child(pids[i]);
	find_both(&lists, &parents, &has_lists);
	assert_int_equal(lists.count + parents.count, 0);
	pid_list_deinit(&lists);
	pid_list_deinit(&parents);
}

static void *begin_from_thread(void *data)
{
	*(pid_t *)data = begin_child();
	pause(); // PDEATHSIG is that of the thread; and its list is its own
	return NULL;
}

/* A child of another thread than the first. */
static void test_of_thread(void **state)
{
	struct pid_list lists = { 0 }, parents = { 0 };
	volatile pid_t pid = 0;
	pthread_t thread;
	bool has_lists;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, begin_from_thread, (void *)&pid), 0);
	while (!pid)
		sched_yield();
	find_both(&lists, &parents, &has_lists);
	assert_true(has(&parents, pid) && (!has_lists || has(&lists, pid)));
	end_child(pid);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	pid_list_deinit(&lists);
	pid_list_deinit(&parents);
}

static void test_nobody(void **state)
{
	struct pid_list list = { 0 };
	const pid_t none[] = { 0x7ffffffe, 0, -1 };

	(void)state;
	children_from_lists(none, 3, &list);
	assert_int_equal(list.count, 0);
	pid_list_deinit(&list);
}

static int wait_in_our_memory(void *data)
{
	while (!data)
		pause();
	return 0;
}

static void test_shared_memory(void **state)
{
	static _Alignas(16) char stack[65536];
	pid_t own = begin_child();
	pid_t sharing = clone(wait_in_our_memory, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);

	(void)state;
	assert_true(sharing > 0);
	assert_false(children_share_memory(getpid(), own));
	assert_true(children_share_memory(getpid(), sharing));
	assert_false(children_share_memory(getpid(), 0x7ffffffe));
	end_child(own);
	end_child(sharing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_of_thread),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_shared_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

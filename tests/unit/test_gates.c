// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/gates.h"

#define SYS_PTRACE_CAP ((uint64_t)1 << 19)

/* Made-up facts: alice, without capabilities, looks at another process of hers; nothing is shut. */
static struct gate_facts alice(void)
{
	struct gate_facts f = {
		.pid = 4711,
		.self_user = "alice",
		.user = "alice",
		.yama_scope = -1,
		.exists = true,
		.stat_known = true,
		.status_known = true,
		.stat = { .state = 'S', .ppid = 1 },
		.threads = 1,
		.dumpable = FACT_YES,
		.same_user_ns = FACT_YES,
		.cap_counts = FACT_NO,
		.descendant = FACT_NO,
		.read = READ_DENIED,
	};

	f.self.uid = f.self.euid = f.self.suid = 1000;
	f.self.gid = f.self.egid = f.self.sgid = 1000;
	f.status = f.self;
	f.status.tgid = 4711;
	return f;
}

static void process_missing(struct gate_facts *f)
{
	f->exists = f->stat_known = f->status_known = false;
}

static void process_hidden(struct gate_facts *f)
{
	process_missing(f);
	f->hidden = true;
}

static void zombie(struct gate_facts *f)
{
	f->stat.state = 'Z';
	f->stat.ppid = 99;
	f->read = READ_GONE;
}

static void zombie_leader(struct gate_facts *f)
{
	zombie(f);
	f->threads = 3;
}

static void kernel_thread(struct gate_facts *f)
{
	f->stat.flags = PROC_FLAG_KERNEL_THREAD | 0x40;
	f->read = READ_GONE;
}

static void of_bob(struct gate_facts *f)
{
	strcpy(f->user, "bob");
	f->status.uid = f->status.euid = f->status.suid = 1001;
}

static void of_bob_in_docker(struct gate_facts *f)
{
	of_bob(f);
	f->container = CONTAINER_DOCKER;
}

static void of_bob_in_kubernetes(struct gate_facts *f)
{
	of_bob(f);
	f->container = CONTAINER_KUBERNETES;
}

static void setuid_program(struct gate_facts *f)
{
	strcpy(f->user, "root");
	f->status.euid = f->status.suid = 0;
}

static void other_group(struct gate_facts *f)
{
	f->status.egid = 27;
}

static void not_dumpable(struct gate_facts *f)
{
	f->dumpable = FACT_NO;
}

static void other_user_ns(struct gate_facts *f)
{
	f->same_user_ns = FACT_NO;
	f->self.cap_effective = SYS_PTRACE_CAP; // root of a user namespace of his own
}

static void more_capable(struct gate_facts *f)
{
	f->status.cap_permitted = 1;
}

static void restricted_root(struct gate_facts *f)
{
	more_capable(f);
	f->self.uid = f->self.euid = f->self.suid = 0;
	f->status.uid = f->status.euid = f->status.suid = 0;
}

static void yama_1(struct gate_facts *f)
{
	f->yama_scope = 1;
}

static void yama_1_in_podman(struct gate_facts *f)
{
	f->yama_scope = 1;
	f->container = CONTAINER_PODMAN;
}

static void yama_2(struct gate_facts *f)
{
	f->yama_scope = 2;
	f->descendant = FACT_YES; // does not help
}

static void yama_3(struct gate_facts *f)
{
	f->yama_scope = 3;
	f->cap_counts = FACT_YES; // does not help
	f->self.cap_effective = SYS_PTRACE_CAP;
}

static void seccomp_in_docker(struct gate_facts *f)
{
	f->vm_read_errno = EPERM;
	f->self_read = f->child_read = READ_DENIED;
	f->self.seccomp = 2;
	f->container = CONTAINER_DOCKER;
}

static void no_system_call(struct gate_facts *f)
{
	f->vm_read_errno = ENOSYS;
	f->self_read = f->child_read = READ_DENIED;
}

static void child_unreadable(struct gate_facts *f)
{
	f->child_read = READ_DENIED;
}

/* What is wrong, and the one gate, kind and wording that must come of it. */
static const struct {
	void (*change)(struct gate_facts *f);
	const char *gate;
	enum err_kind kind;
	const char *reason, *remedy;
} shut_rows[] = {
	{ process_missing, "process", ERR_GONE, "there is no such process", "ps -ef" },
	{ process_hidden, "process", ERR_PERMISSION, "hidepid", "as root" },
	{ zombie, "state", ERR_GONE, "parent 99 (a zombie)", "nothing of it" },
	{ zombie_leader, "state", ERR_GONE, "its main thread has ended", "another of its threads" },
	{ kernel_thread, "state", ERR_NOT_PYTHON, "is a kernel thread", "that runs Python" },
	{ of_bob, "user", ERR_PERMISSION,
		"belongs to user 'bob' and this process lacks CAP_SYS_PTRACE",
		"; run fireglass as root: 'sudo fireglass ...', or as that user" },
	{ of_bob_in_docker, "user", ERR_PERMISSION, "user 'bob'", "'--cap-add SYS_PTRACE'" },
	{ of_bob_in_kubernetes, "user", ERR_PERMISSION, "user 'bob'",
		"kubectl debug --profile=general" },
	{ setuid_program, "user", ERR_PERMISSION, "belongs to user 'root'", "sudo" },
	{ other_group, "user", ERR_PERMISSION, "another group (27)", "sudo" },
	{ not_dumpable, "dumpable", ERR_PERMISSION, "is not dumpable",
		"prctl(PR_SET_DUMPABLE, 1)" },
	{ other_user_ns, "user namespace", ERR_PERMISSION, "counts only in its own user namespace",
		"sudo" },
	{ more_capable, "capabilities", ERR_PERMISSION,
		"capabilities that this process has not (0x1)", "sudo" },
	{ restricted_root, "capabilities", ERR_PERMISSION, "lacks CAP_SYS_PTRACE",
		"root shell of the host" },
	{ yama_1, "Yama ptrace_scope", ERR_PERMISSION, "ptrace_scope is 1",
		"'sudo sysctl kernel.yama.ptrace_scope=0'" },
	{ yama_1_in_podman, "Yama ptrace_scope", ERR_PERMISSION, "ptrace_scope is 1",
		"'podman exec --privileged -u root'" },
	{ yama_2, "Yama ptrace_scope", ERR_PERMISSION, "ptrace_scope is 2", "sudo" },
	{ yama_3, "Yama ptrace_scope", ERR_PERMISSION, "ptrace_scope is 3", "reboot" },
	{ seccomp_in_docker, "system call filter", ERR_PERMISSION, "a seccomp filter refuses",
		"--security-opt seccomp=unconfined" },
	{ no_system_call, "system call filter", ERR_PERMISSION, "the kernel refuses",
		"outside of the sandbox" },
	{ child_unreadable, "reading a child", ERR_PERMISSION, "not even a child", "sudo" },
};

static const struct gate_result *find_gate(const struct gates *g, const char *name)
{
	for (size_t i = 0; i < g->count; i++) {
		if (strcmp(g->results[i].name, name) == 0)
			return &g->results[i];
	}
	fail_msg("no gate '%s'", name);
	return NULL;
}

/* Only what is shut has a remedy, and only the proof may be shut without. */
static void check_remedies(const struct gates *g)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct gate_result *r = &g->results[i];

		assert_non_null(r->found);
		if (r->verdict != GATE_SHUT)
			assert_null(r->remedy);
		else if (strcmp(r->name, "reading the process") != 0)
			assert_non_null(r->remedy);
	}
}

static void test_the_shut_gate_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shut_rows); i++) {
		struct gate_facts f = alice();
		struct gates g;

		shut_rows[i].change(&f);
		gates_decide(&g, &f);
		check_remedies(&g);
		assert_int_equal(find_gate(&g, shut_rows[i].gate)->verdict, GATE_SHUT);
		struct err *err = gates_reason(&g, &f);
		assert_int_equal(err->kind, shut_rows[i].kind);
		assert_int_equal(strncmp(err->message, "cannot read process 4711: ", 26), 0);
		if (!strstr(err->message, shut_rows[i].reason) ||
			!strstr(err->message, shut_rows[i].remedy))
			fail_msg("row %zu: %s", i, err->message);
		err_free(err);
		gates_deinit(&g);
	}
}

static size_t count_shut(const struct gates *g)
{
	size_t shut = 0;

	for (size_t i = 0; i < g->count; i++)
		shut += g->results[i].verdict == GATE_SHUT;
	return shut;
}

/* Every row that CAP_SYS_PTRACE helps: with it nothing is shut. */
static void test_capability_opens(void **state)
{
	static void (*const changes[])(struct gate_facts * f) = { of_bob, setuid_program,
		other_group, not_dumpable, more_capable, yama_1, yama_2, of_bob_in_docker };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct gate_facts f = alice();
		struct gates g;

		changes[i](&f);
		f.cap_counts = FACT_YES;
		f.self.cap_effective = SYS_PTRACE_CAP;
		gates_decide(&g, &f);
		assert_int_equal(count_shut(&g), 1); // the proof, still READ_DENIED
		assert_int_equal(g.results[g.count - 1].verdict, GATE_SHUT);
		gates_deinit(&g);
	}
}

/* On paper shut, as after PR_SET_PTRACER, but the proof says otherwise. */
static void test_proof_is_believed(void **state)
{
	(void)state;
	for (enum read_status read = READ_OK; read <= READ_FAULT; read += READ_FAULT) {
		struct gate_facts f = alice();
		struct gates g;

		f.yama_scope = 1;
		f.read = read;
		gates_decide(&g, &f);
		check_remedies(&g);
		assert_int_equal(count_shut(&g), 0);
		assert_non_null(
			strstr(find_gate(&g, "Yama ptrace_scope")->found, "yet reading works"));
		struct err *err = gates_reason(&g, &f);
		assert_int_equal(err->kind, ERR_FAILED);
		assert_non_null(strstr(err->message, "try again"));
		err_free(err);
		gates_deinit(&g);
	}
}

static void test_yama_lets_a_child_through(void **state)
{
	struct gate_facts f = alice();
	struct gates g;

	(void)state;
	f.yama_scope = 1;
	f.descendant = FACT_YES;
	gates_decide(&g, &f);
	assert_int_equal(find_gate(&g, "Yama ptrace_scope")->verdict, GATE_OPEN);
	gates_deinit(&g);
}

static void test_no_known_gate_is_said_honestly(void **state)
{
	struct gate_facts f = alice();
	struct gates g;

	(void)state;
	strcpy(f.self_label, "docker-default (enforce)");
	strcpy(f.label, "unconfined");
	gates_decide(&g, &f);
	assert_int_equal(find_gate(&g, "security module")->verdict, GATE_UNKNOWN);
	struct err *err = gates_reason(&g, &f);
	assert_int_equal(err->kind, ERR_PERMISSION);
	assert_non_null(strstr(err->message, "no gate that fireglass knows of is shut"));
	assert_non_null(strstr(err->message, "'security module' cannot be seen"));
	assert_non_null(strstr(err->message, "'fireglass doctor 4711'"));
	err_free(err);
	gates_deinit(&g);
}

static void test_ended_meanwhile(void **state)
{
	struct gate_facts f = alice();
	struct gates g;

	(void)state;
	f.read = READ_GONE;
	gates_decide(&g, &f);
	struct err *err = gates_reason(&g, &f);
	assert_int_equal(err->kind, ERR_GONE);
	err_free(err);
	gates_deinit(&g);
}

static void test_notes_that_shut_nothing(void **state)
{
	struct gate_facts f = alice();
	struct gates g;

	(void)state;
	f.read = READ_FAULT;
	f.stat.state = 'T';
	gates_decide(&g, &f);
	assert_non_null(strstr(find_gate(&g, "state")->found, "SIGCONT"));
	gates_deinit(&g);
	f.status.tracer = 77;
	f.status.tgid = 4000;
	f.vm_read_errno = ENOSYS; // /proc/PID/mem serves
	gates_decide(&g, &f);
	assert_non_null(strstr(find_gate(&g, "state")->found, "traced by process 77"));
	assert_non_null(strstr(find_gate(&g, "process")->found, "thread of process 4000"));
	assert_non_null(strstr(find_gate(&g, "system call filter")->found, "/proc/PID/mem"));
	assert_int_equal(count_shut(&g), 0);
	gates_deinit(&g);
}

static void test_without_a_target(void **state)
{
	struct gate_facts f = alice();
	struct gates g;

	(void)state;
	f.pid = 0;
	f.yama_scope = 1;
	gates_decide(&g, &f);
	check_remedies(&g);
	assert_int_equal(g.count, 4);
	assert_int_equal(find_gate(&g, "Yama ptrace_scope")->verdict, GATE_SHUT);
	assert_non_null(strstr(find_gate(&g, "CAP_SYS_PTRACE")->found, "not held"));
	gates_deinit(&g);
	f.self.cap_effective = SYS_PTRACE_CAP;
	gates_decide(&g, &f);
	assert_int_equal(count_shut(&g), 0);
	gates_deinit(&g);
	gates_deinit(&g); // twice is fine
}

/* ---- the real system ---- */

struct child {
	pid_t pid;
	int fd; // closed to end it
};

static struct child child_start(void (*prepare)(void))
{
	int pipe_fds[2], ready[2];
	char byte;

	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(pipe(ready), 0);
	struct child c = { .pid = fork(), .fd = pipe_fds[1] };
	if (c.pid == 0) {
		close(pipe_fds[1]);
		if (prepare)
			prepare();
		if (write(ready[1], "x", 1) != 1 || read(pipe_fds[0], &byte, 1) != 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	close(pipe_fds[0]);
	return c;
}

static void child_end(struct child *c)
{
	close(c->fd);
	assert_int_equal(waitpid(c->pid, NULL, 0), c->pid);
}

static void test_own_child_is_readable(void **state)
{
	struct child c = child_start(NULL);
	struct gate_facts f;
	struct gates g;

	(void)state;
	gates_gather(&f, c.pid);
	assert_int_equal(f.self_read, READ_OK);
	assert_int_equal(f.child_read, READ_OK);
	assert_int_equal(f.read, READ_FAULT);
	assert_int_equal(f.descendant, FACT_YES);
	assert_int_equal(f.same_user_ns, FACT_YES);
	assert_true(f.exists && f.stat_known && f.status_known && !f.hidden);
	assert_int_equal(f.threads, 1);
	gates_check(&g, c.pid);
	assert_int_equal(count_shut(&g), 0);
	gates_deinit(&g);
	child_end(&c);
}

static void explain(pid_t pid, enum err_kind kind, const char *text)
{
	struct err *err = gates_explain(pid);

	if (err->kind != kind || !strstr(err->message, text))
		fail_msg("%d: %s", (int)err->kind, err->message);
	err_free(err);
}

static void test_stopped_zombie_gone(void **state)
{
	struct child c = child_start(NULL);
	siginfo_t info;
	struct gates g;

	(void)state;
	kill(c.pid, SIGSTOP);
	assert_int_equal(waitpid(c.pid, NULL, WUNTRACED), c.pid);
	gates_check(&g, c.pid);
	assert_int_equal(count_shut(&g), 0);
	assert_non_null(strstr(find_gate(&g, "state")->found, "stopped"));
	gates_deinit(&g);
	kill(c.pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)c.pid, &info, WEXITED | WNOWAIT), 0);
	explain(c.pid, ERR_GONE, "zombie");
	child_end(&c);
	explain(c.pid, ERR_GONE, "there is no such process");
}

/* Runs `body` in a child, where its assertions are exit codes. */
static void in_child(bool (*body)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(body() ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Lets process_vm_readv fail with `errnum` in this process. */
static bool filter_vm_read(unsigned int errnum)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | errnum),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = ARRAY_LEN(code), .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* What the filter does to us depends on whether mem_live has another way. */
static bool filter_is_seen(unsigned int errnum)
{
	struct gate_facts f;
	struct gates g;

	if (!filter_vm_read(errnum))
		return false;
	gates_gather(&f, 0);
	gates_decide(&g, &f);
	const struct gate_result *r = find_gate(&g, "system call filter");
	bool good = f.vm_read_errno == (int)errnum && f.self.seccomp == 2;
	if (f.self_read == READ_OK)
		good = good && r->verdict == GATE_OPEN && strstr(r->found, "/proc/PID/mem");
	else
		good = good && r->verdict == GATE_SHUT && strstr(r->found, "seccomp") && r->remedy;
	gates_deinit(&g);
	return good;
}

static bool filter_eperm(void)
{
	return filter_is_seen(EPERM);
}

static bool filter_enosys(void)
{
	return filter_is_seen(ENOSYS);
}

static void test_filter(void **state)
{
	(void)state;
	in_child(filter_eperm);
	in_child(filter_enosys);
}

static void become_nobody(void)
{
	if (setgroups(0, NULL) != 0 || setresgid(65534, 65534, 65534) != 0 ||
		setresuid(65534, 65534, 65534) != 0)
		abort();
}

static void become_nobody_dumpable(void)
{
	become_nobody();
	prctl(PR_SET_DUMPABLE, 1);
}

static pid_t target;

static bool explained_as(enum err_kind kind, const char *text)
{
	struct err *err = gates_explain(target);
	bool good = err->kind == kind && strstr(err->message, text);

	if (!good)
		fprintf(stderr, "%s\n", err->message);
	err_free(err);
	return good;
}

static bool nobody_and_root(void)
{
	become_nobody_dumpable();
	return explained_as(ERR_PERMISSION, "it belongs to user 'root' and this process lacks");
}

static bool nobody_and_not_dumpable(void)
{
	become_nobody_dumpable();
	return explained_as(ERR_PERMISSION, "it is not dumpable");
}

static bool nobody_and_nobody(void)
{
	struct gates g;

	become_nobody_dumpable();
	gates_check(&g, target);
	bool good = count_shut(&g) == 0 || strstr(find_gate(&g, "Yama ptrace_scope")->found, "1:");
	gates_deinit(&g);
	return good;
}

static void test_unprivileged(void **state)
{
	(void)state;
	if (getuid() != 0)
		skip(); // needs two users
	struct child root = child_start(NULL);
	struct child hidden = child_start(become_nobody); // which makes it non-dumpable
	struct child dumpable = child_start(become_nobody_dumpable);
	target = root.pid;
	in_child(nobody_and_root);
	target = hidden.pid;
	in_child(nobody_and_not_dumpable);
	target = dumpable.pid;
	in_child(nobody_and_nobody);
	// newest first: each holds the pipes of those before it
	child_end(&dumpable);
	child_end(&hidden);
	child_end(&root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_shut_gate_is_named),
		cmocka_unit_test(test_capability_opens),
		cmocka_unit_test(test_proof_is_believed),
		cmocka_unit_test(test_yama_lets_a_child_through),
		cmocka_unit_test(test_no_known_gate_is_said_honestly),
		cmocka_unit_test(test_ended_meanwhile),
		cmocka_unit_test(test_notes_that_shut_nothing),
		cmocka_unit_test(test_without_a_target),
		cmocka_unit_test(test_own_child_is_readable),
		cmocka_unit_test(test_stopped_zombie_gone),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_unprivileged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

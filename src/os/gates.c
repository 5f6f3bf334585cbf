// SPDX-License-Identifier: MIT
#include "os/gates.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define CAP_BIT_SYS_PTRACE 19
#define YAMA_RELATED 1 // only descendants, and who was named by PR_SET_PTRACER
#define YAMA_ADMIN 2   // only CAP_SYS_PTRACE
#define YAMA_NOBODY 3

static void gate_add(struct gates *g, const char *name, enum gate_verdict verdict,
	const char *remedy, const char *format, ...) __attribute__((__format__(printf, 5, 6)));

static void gate_add(struct gates *g, const char *name, enum gate_verdict verdict,
	const char *remedy, const char *format, ...)
{
	struct gate_result result = { .name = name, .verdict = verdict };
	va_list args;

	if (g->count == GATES_MAX)
		return;
	va_start(args, format);
	if (vasprintf(&result.found, format, args) < 0)
		result.found = xstrdup(format);
	va_end(args);
	if (verdict == GATE_SHUT && remedy)
		result.remedy = xstrdup(remedy);
	g->results[g->count++] = result;
}

void gates_deinit(struct gates *g)
{
	for (size_t i = 0; i < g->count; i++) {
		free(g->results[i].found);
		free(g->results[i].remedy);
	}
	*g = (struct gates){ 0 };
}

static bool is_readable(const struct gate_facts *f)
{
	return f->read == READ_OK || f->read == READ_FAULT;
}

static bool is_zombie(const struct gate_facts *f)
{
	return f->stat_known && (f->stat.state == 'Z' || f->stat.state == 'X');
}

static bool is_kernel_thread(const struct gate_facts *f)
{
	return f->stat_known && f->stat.flags & PROC_FLAG_KERNEL_THREAD;
}

static bool has_capability(const struct gate_facts *f)
{
	return f->self.cap_effective >> CAP_BIT_SYS_PTRACE & 1;
}

/* Opens the gates that CAP_SYS_PTRACE opens; SHUT and UNKNOWN where we do not (seem to) have it. */
static enum gate_verdict unless_capable(const struct gate_facts *f)
{
	switch (f->cap_counts) {
	case FACT_YES:
		return GATE_OPEN;
	case FACT_NO:
		return GATE_SHUT;
	case FACT_UNKNOWN:
		break;
	}
	return GATE_UNKNOWN;
}

static const char *capability_note(const struct gate_facts *f)
{
	if (f->cap_counts == FACT_YES)
		return "but CAP_SYS_PTRACE overrides that";
	if (has_capability(f))
		return "and CAP_SYS_PTRACE of this process counts only in its own user namespace";
	return "and this process lacks CAP_SYS_PTRACE";
}

/* How to come by CAP_SYS_PTRACE. */
static const char *capability_remedy(const struct gate_facts *f)
{
	switch (f->container) {
	case CONTAINER_KUBERNETES:
		return "add SYS_PTRACE to securityContext.capabilities.add of the container, or use "
		       "'kubectl debug --profile=general --target=CONTAINER'";
	case CONTAINER_DOCKER:
		return "enter with 'docker exec --privileged -u root', start the container with "
		       "'--cap-add SYS_PTRACE', or run fireglass as root on the host";
	case CONTAINER_PODMAN:
		return "enter with 'podman exec --privileged -u root', start the container with "
		       "'--cap-add SYS_PTRACE', or run fireglass as root on the host";
	case CONTAINER_NONE:
		break;
	}
	if (f->self.euid == 0)
		return "this root is a restricted one (a service, a sandbox or a user namespace): run "
		       "fireglass from a root shell of the host";
	return "run fireglass as root: 'sudo fireglass ...'";
}

static void check_process(struct gates *g, const struct gate_facts *f)
{
	static const char name[] = "process";

	if (f->hidden)
		gate_add(g, name, GATE_SHUT, "run fireglass as root",
			"it exists, but /proc does not show it (mounted with hidepid, or for another "
			"pid namespace)");
	else if (!f->exists)
		gate_add(g, name, GATE_SHUT,
			"look it up with 'ps -ef'; inside a container, numbers are others than outside",
			"there is no such process");
	else if (f->status_known && f->status.tgid != f->pid)
		gate_add(g, name, GATE_OPEN, NULL, "%d is a thread of process %d", (int)f->pid,
			(int)f->status.tgid);
	else
		gate_add(g, name, GATE_OPEN, NULL, "exists");
}

static void check_state(struct gates *g, const struct gate_facts *f)
{
	static const char name[] = "state";
	static const char shut_remedy[] = "choose a process that runs Python";

	if (!f->stat_known)
		gate_add(g, name, GATE_UNKNOWN, NULL, "/proc does not tell");
	else if (is_kernel_thread(f))
		gate_add(g, name, GATE_SHUT, shut_remedy, "it is a kernel thread");
	else if (is_zombie(f) && f->threads > 1)
		gate_add(g, name, GATE_SHUT, "read it through the number of another of its threads",
			"its main thread has ended, though others go on");
	else if (is_zombie(f))
		gate_add(g, name, GATE_SHUT, "nothing of it is left to read",
			"it has ended, and waits to be collected by its parent %d (a zombie)",
			(int)f->stat.ppid);
	else if (f->status_known && f->status.tracer)
		gate_add(g, name, GATE_OPEN, NULL,
			"traced by process %d, a debugger perhaps; it can still be read",
			(int)f->status.tracer);
	else if (f->stat.state == 'T')
		gate_add(g, name, GATE_OPEN, NULL,
			"stopped by a signal: can be read, but nothing moves until SIGCONT");
	else
		gate_add(g, name, GATE_OPEN, NULL, "alive (%c)", f->stat.state);
}

/* The kernel compares our real ids with all three of the target's. */
static void check_user(struct gates *g, const struct gate_facts *f)
{
	static const char name[] = "user";
	const struct proc_status *us = &f->self, *them = &f->status;
	_cleanup_free_ char *remedy = NULL;

	if (!f->status_known) {
		gate_add(g, name, GATE_UNKNOWN, NULL, "/proc does not tell whose it is");
		return;
	}
	if (us->uid != them->uid || us->uid != them->euid || us->uid != them->suid) {
		remedy = xasprintf("%s, or as that user", capability_remedy(f));
		gate_add(g, name, unless_capable(f), remedy, "it belongs to user '%s' %s", f->user,
			capability_note(f));
	} else if (us->gid != them->gid || us->gid != them->egid || us->gid != them->sgid) {
		gate_add(g, name, unless_capable(f), capability_remedy(f),
			"it runs with another group (%u) %s", (unsigned int)them->egid,
			capability_note(f));
	} else {
		gate_add(g, name, GATE_OPEN, NULL, "the same as ours: '%s'", f->self_user);
	}
}

static void check_dumpable(struct gates *g, const struct gate_facts *f)
{
	static const char name[] = "dumpable";
	_cleanup_free_ char *remedy = NULL;

	switch (f->dumpable) {
	case FACT_YES:
		gate_add(g, name, GATE_OPEN, NULL, "yes");
		break;
	case FACT_NO:
		remedy = xasprintf("%s, or let the program call prctl(PR_SET_DUMPABLE, 1)",
			capability_remedy(f));
		gate_add(g, name, unless_capable(f), remedy,
			"it is not dumpable (it changed its user, is setuid or has file capabilities) "
			"%s",
			capability_note(f));
		break;
	case FACT_UNKNOWN:
		gate_add(g, name, unless_capable(f) == GATE_OPEN ? GATE_OPEN : GATE_UNKNOWN, NULL,
			"of a process of root it cannot be seen from outside");
		break;
	}
}

static void check_user_ns(struct gates *g, const struct gate_facts *f)
{
	static const char name[] = "user namespace";

	switch (f->same_user_ns) {
	case FACT_YES:
		gate_add(g, name, GATE_OPEN, NULL, "the same as ours");
		break;
	case FACT_NO:
		gate_add(g, name, unless_capable(f), capability_remedy(f),
			"it lives in another user namespace %s", capability_note(f));
		break;
	case FACT_UNKNOWN:
		gate_add(g, name, unless_capable(f) == GATE_OPEN ? GATE_OPEN : GATE_UNKNOWN, NULL,
			"/proc does not tell");
		break;
	}
}

/* Commoncap: nobody may read who can do more than he. */
static void check_capabilities(struct gates *g, const struct gate_facts *f)
{
	static const char name[] = "capabilities";

	if (!f->status_known)
		gate_add(g, name, GATE_UNKNOWN, NULL, "/proc does not tell");
	else if (f->status.cap_permitted & ~f->self.cap_permitted)
		gate_add(g, name, unless_capable(f), capability_remedy(f),
			"it has capabilities that this process has not (%#llx) %s",
			(unsigned long long)(f->status.cap_permitted & ~f->self.cap_permitted),
			capability_note(f));
	else
		gate_add(g, name, GATE_OPEN, NULL, "it has none that this process has not");
}

/* Never what shuts by itself: the gates that need it say so. */
static void check_sys_ptrace(struct gates *g, const struct gate_facts *f)
{
	static const char name[] = "CAP_SYS_PTRACE";
	bool held = has_capability(f);

	if (f->pid && held && f->cap_counts == FACT_NO)
		gate_add(g, name, GATE_OPEN, NULL,
			"held, but it counts only in the user namespace of this process");
	else if (held)
		gate_add(g, name, GATE_OPEN, NULL, "held");
	else
		gate_add(g, name, GATE_OPEN, NULL,
			"not held: processes of user '%s' can be read, others cannot",
			f->self_user);
}

static void check_yama_related(struct gates *g, const char *name, const struct gate_facts *f)
{
	static const char meaning[] = "1: only what fireglass itself started may be read";
	_cleanup_free_ char *remedy = NULL;

	if (f->pid && f->descendant == FACT_YES) {
		gate_add(g, name, GATE_OPEN, NULL, "%s, and it did start this", meaning);
		return;
	}
	if (f->container == CONTAINER_NONE)
		remedy = xasprintf(
			"%s, start the program with 'fireglass record -- COMMAND', or set "
			"'sudo sysctl kernel.yama.ptrace_scope=0'",
			capability_remedy(f));
	else
		remedy = xasprintf("%s, or start the program with 'fireglass record -- COMMAND'",
			capability_remedy(f));
	gate_add(g, name, unless_capable(f), remedy, "Yama's ptrace_scope is %s %s", meaning,
		capability_note(f));
}

static void check_yama(struct gates *g, const struct gate_facts *f)
{
	static const char name[] = "Yama ptrace_scope";

	if (f->yama_scope < 0)
		gate_add(g, name, GATE_OPEN, NULL, "this kernel has no Yama");
	else if (f->yama_scope == 0)
		gate_add(g, name, GATE_OPEN, NULL, "0: no restriction");
	else if (f->yama_scope == YAMA_RELATED)
		check_yama_related(g, name, f);
	else if (f->yama_scope == YAMA_ADMIN)
		gate_add(g, name, unless_capable(f), capability_remedy(f),
			"Yama's ptrace_scope is 2: only CAP_SYS_PTRACE may read processes %s",
			capability_note(f));
	else
		gate_add(g, name, GATE_SHUT,
			"set kernel.yama.ptrace_scope to less in /etc/sysctl.d and reboot: until then "
			"it cannot be lowered",
			"Yama's ptrace_scope is %d: nobody may read processes", f->yama_scope);
}

static void check_label(struct gates *g, const struct gate_facts *f)
{
	static const char name[] = "security module";

	if (!f->self_label[0] && !f->label[0])
		gate_add(g, name, GATE_OPEN, NULL, "no labels (AppArmor, SELinux, Smack)");
	else if (strncmp(f->self_label, "unconfined", 10) == 0)
		gate_add(g, name, GATE_OPEN, NULL, "this process is unconfined");
	else
		gate_add(g, name, GATE_UNKNOWN, NULL,
			"this process is '%s', the other '%s': the policy's rule cannot be seen",
			f->self_label, f->label[0] ? f->label : "?");
}

static const char *filter_remedy(const struct gate_facts *f)
{
	switch (f->container) {
	case CONTAINER_DOCKER:
	case CONTAINER_PODMAN:
		return "start the container with '--cap-add SYS_PTRACE' or '--security-opt "
		       "seccomp=unconfined', or run fireglass as root on the host";
	case CONTAINER_KUBERNETES:
		return "add SYS_PTRACE to securityContext.capabilities.add of the container, or set "
		       "its seccompProfile to type Unconfined";
	case CONTAINER_NONE:
		break;
	}
	return "run fireglass outside of the sandbox";
}

static void check_filter(struct gates *g, const struct gate_facts *f)
{
	static const char name[] = "system call filter";
	const char *error = strerror(f->vm_read_errno);

	if (f->vm_read_errno == 0)
		gate_add(g, name, GATE_OPEN, NULL, "process_vm_readv works");
	else if (f->self_read == READ_OK)
		gate_add(g, name, GATE_OPEN, NULL,
			"process_vm_readv is refused (%s): /proc/PID/mem is used, which is slower",
			error);
	else if (f->self.seccomp > 0)
		gate_add(g, name, GATE_SHUT, filter_remedy(f),
			"a seccomp filter refuses process_vm_readv (%s), even for our own memory",
			error);
	else
		gate_add(g, name, GATE_SHUT, filter_remedy(f),
			"the kernel refuses process_vm_readv (%s), even for our own memory", error);
}

static void check_child(struct gates *g, const struct gate_facts *f)
{
	static const char name[] = "reading a child";

	if (f->child_read == READ_OK)
		gate_add(g, name, GATE_OPEN, NULL, "works");
	else
		gate_add(g, name, GATE_SHUT, capability_remedy(f),
			"not even a child of this process can be read");
}

static void check_read(struct gates *g, const struct gate_facts *f)
{
	static const char name[] = "reading the process";

	if (f->exists && is_readable(f))
		gate_add(g, name, GATE_OPEN, NULL, "works");
	else if (f->exists && f->read == READ_DENIED)
		gate_add(g, name, GATE_SHUT, NULL, "the system refuses it");
	else
		gate_add(g, name, GATE_SHUT, NULL, "there is nothing to read");
}

/* In the kernel's order; `needs_target` ones are left out where there is no target. */
static const struct {
	void (*check)(struct gates *g, const struct gate_facts *f);
	bool needs_target;
} checks[] = {
	{ check_process, true },
	{ check_state, true },
	{ check_user, true },
	{ check_dumpable, true },
	{ check_user_ns, true },
	{ check_capabilities, true },
	{ check_sys_ptrace, false },
	{ check_yama, false },
	{ check_label, true },
	{ check_filter, false },
	{ check_child, false },
	{ check_read, true },
};

/* What is shut on paper but lets us through, such as Yama after PR_SET_PTRACER. */
static void believe_proof(struct gates *g)
{
	for (size_t i = 0; i < g->count; i++) {
		struct gate_result *result = &g->results[i];

		if (result->verdict != GATE_SHUT)
			continue;
		char *found = xasprintf("%s; yet reading works", result->found);
		free(result->found);
		free(result->remedy);
		*result = (struct gate_result){ result->name, GATE_OPEN, found, NULL };
	}
}

void gates_decide(struct gates *g, const struct gate_facts *facts)
{
	struct gate_facts f = *facts;

	*g = (struct gates){ 0 };
	if (!f.pid) // as it is for any process of our own user namespace
		f.cap_counts = has_capability(&f) ? FACT_YES : FACT_NO;
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		if (checks[i].needs_target && !f.pid)
			continue;
		checks[i].check(g, &f);
		if (f.pid && !f.exists)
			return;
	}
	if (f.pid && is_readable(&f))
		believe_proof(g);
}

void gates_check(struct gates *g, pid_t pid)
{
	struct gate_facts facts;

	gates_gather(&facts, pid);
	gates_decide(g, &facts);
}

static const struct gate_result *first_shut(const struct gates *g)
{
	for (size_t i = 0; i < g->count; i++) {
		if (g->results[i].verdict == GATE_SHUT && g->results[i].remedy)
			return &g->results[i];
	}
	return NULL;
}

static enum err_kind kind_of(const struct gate_facts *f)
{
	if (is_kernel_thread(f))
		return ERR_NOT_PYTHON;
	if ((!f->exists && !f->hidden) || is_zombie(f))
		return ERR_GONE;
	return ERR_PERMISSION;
}

/* Nothing that we know of is shut. */
static struct err *unexplained(const struct gates *g, const struct gate_facts *f)
{
	int pid = (int)f->pid;
	struct err *err;

	if (f->read == READ_GONE)
		return err_new(ERR_GONE, "cannot read process %d: it has ended", pid);
	if (f->read != READ_DENIED)
		return err_new(ERR_FAILED,
			"cannot read process %d: it was refused, but works by now (did it just start "
			"another program?); try again",
			pid);
	err = err_new(ERR_PERMISSION,
		"cannot read process %d: the system refuses it, and no gate that fireglass knows of "
		"is shut",
		pid);
	for (size_t i = 0; i < g->count; i++) {
		if (g->results[i].verdict == GATE_UNKNOWN)
			err = err_suffix(err, ", though '%s' cannot be seen", g->results[i].name);
	}
	return err_suffix(err, "; 'fireglass doctor %d' shows what was checked", pid);
}

struct err *gates_reason(const struct gates *g, const struct gate_facts *facts)
{
	const struct gate_result *shut = first_shut(g);

	if (!shut)
		return unexplained(g, facts);
	return err_new(kind_of(facts), "cannot read process %d: %s; %s", (int)facts->pid,
		shut->found, shut->remedy);
}

struct err *gates_explain(pid_t pid)
{
	struct gate_facts facts;
	struct gates gates;

	gates_gather(&facts, pid);
	gates_decide(&gates, &facts);
	struct err *err = gates_reason(&gates, &facts);
	gates_deinit(&gates);
	return err;
}

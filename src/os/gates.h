// SPDX-License-Identifier: MIT
/*
 * Why the system refuses to let us read a process, and what to do about it.
 *
 * The kernel answers a refused read with EPERM and no reason. The gates it may have been are
 * checked here one by one, from what can be seen from outside, in the order in which the kernel
 * asks them (ptrace(2), "Ptrace access mode checking", PTRACE_MODE_ATTACH_REALCREDS).
 *
 * Two halves: gates_gather() looks at the system (gates_gather.c), gates_decide() and
 * gates_reason() judge what was seen and are pure functions (gates.c).
 */
#ifndef FIREGLASS_OS_GATES_H
#define FIREGLASS_OS_GATES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "os/mem_reader.h"
#include "os/proc.h"

enum gate_verdict {
	GATE_OPEN,    // does not stand in the way
	GATE_SHUT,    // refuses, as things are
	GATE_UNKNOWN, // cannot be seen from here
};

/* One check: its name ("Yama ptrace_scope"), verdict, what was found, and the remedy if shut. */
struct gate_result {
	const char *name;
	enum gate_verdict verdict;
	char *found;  // "2: only processes with CAP_SYS_PTRACE may attach"
	char *remedy; // NULL unless shut: "run as root, or 'sysctl kernel.yama.ptrace_scope=0'"
};

#define GATES_MAX 16

struct gates {
	struct gate_result results[GATES_MAX];
	size_t count;
};

/*
 * Looks at every gate between this process and `pid` (0: those that do not depend on a target).
 * Process exists; zombie; stopped; same user; capabilities; dumpable; user namespace;
 * CAP_SYS_PTRACE (ours, in the target's user namespace); Yama; security module; system call filter
 * on ourselves (tried harmlessly on our own memory, and on a child of ours); a live read of the
 * target (the proof, always the last). Reads only. Where the proof shows that reading works, no
 * gate is shut.
 */
void gates_check(struct gates *g, pid_t pid);
void gates_deinit(struct gates *g);

/*
 * The error for "cannot read process PID": names the gate that refused and the remedy. ERR_GONE if
 * the process does not exist, is a zombie, or ended meanwhile; ERR_NOT_PYTHON for a kernel thread;
 * ERR_FAILED if the process can be read after all; else ERR_PERMISSION.
 */
struct err *gates_explain(pid_t pid);

enum gate_fact {
	FACT_UNKNOWN,
	FACT_NO,
	FACT_YES,
};

/* What kind of container this process is in, which decides how a remedy is worded. */
enum gate_container {
	CONTAINER_NONE,
	CONTAINER_DOCKER,
	CONTAINER_PODMAN,
	CONTAINER_KUBERNETES,
};

/* What gates_gather() saw. Strings are "" where unknown. */
struct gate_facts {
	pid_t pid; // 0: no target

	// ourselves
	struct proc_status self;
	char self_user[64];
	char self_label[128]; // of AppArmor, SELinux or Smack
	enum gate_container container;
	int yama_scope;              // -1: the kernel has no Yama
	int vm_read_errno;           // of process_vm_readv on ourselves; 0 = works
	enum read_status self_read;  // through mem_live
	enum read_status child_read; // through mem_live, of a child made for this

	// the target
	bool exists; // /proc shows it
	bool hidden; // /proc does not, but kill(2) knows it
	bool stat_known, status_known;
	struct proc_stat stat;
	struct proc_status status;
	size_t threads;
	char user[64]; // that it runs as
	char label[128];
	enum gate_fact dumpable;
	enum gate_fact same_user_ns;
	enum gate_fact cap_counts; // we have CAP_SYS_PTRACE in the target's user namespace
	enum gate_fact descendant; // it is a child of ours, or a child's child ...
	enum read_status read;     // READ_OK or READ_FAULT: the system lets us read it
};

void gates_gather(struct gate_facts *facts, pid_t pid);
void gates_decide(struct gates *g, const struct gate_facts *facts);
struct err *gates_reason(const struct gates *g, const struct gate_facts *facts);

#endif

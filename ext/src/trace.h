// SPDX-License-Identifier: MIT
/*
 * The tracer: what its files share.
 *
 *	hook     one per interpreter: the events of CPython come in here, by one of the ways in
 *	         trace_monitoring.c (sys.monitoring), trace_profile.c (PyEval_SetProfile) and
 *	         trace_frames.c (PEP 523)
 *	thread   one per thread and hook, found through thread-local storage
 *	tracer   one per Tracer object; any number may be enabled at once
 *	slot     of one tracer in one thread: a stack and a tree of calls, which only that thread writes
 *
 * An event goes to each slot of its thread. Nothing in an event calls Python (but a timer of the user's,
 * during which `inside` is set), so none can recurse, raise, or wait for another thread.
 *
 * Where there is a GIL it is the lock of everything but the lists (trace_mutex), which threads that end
 * also change. Without one, a thread's own lock guards its slots: its events take it, and so does who
 * reads the slots, having detached from the interpreter before it waits. The way in is changed by one
 * thread at a time (trace_hook.updating), with a GIL, too: it calls Python.
 */
#ifndef FIREGLASS_TRACE_H
#define FIREGLASS_TRACE_H

#include <pthread.h>
#include <threads.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "ext.h"
#include "trace_clock.h"
#include "trace_slot.h"

struct trace_hook;

struct trace_thread {
	struct trace_slot *plain;   // the one slot of this thread, if it needs nothing special
	struct trace_slot *plain_c; // the same, if it wants C functions
	struct trace_slot *slots;
	uint64_t version; // of the hook's tracers, when the slots were brought up to date
	bool inside;      // a timer of the user's runs
	struct trace_hook *hook;
	struct trace_thread *next; // of all threads of the process
	atomic_uint users;
	pid_t tid;
	unsigned long ident;     // as threading.get_ident() says
	bool ended, left_behind; // by itself; by a fork
	uintptr_t stack_guard;   // calls on a C stack below this are followed in another way
	bool greenlets_followed;
#ifdef Py_GIL_DISABLED
	atomic_flag lock;
#endif
};

struct tracer {
	PyObject_HEAD struct trace_hook *hook;
	struct tracer *next; // of the enabled ones
	bool enabled;
	bool all_threads, exact, timeline, cpu, builtins, builtins_wanted, subcalls;
	struct trace_thread *thread; // the only one, if not all_threads
	PyObject *timer;
	double timer_unit;
	uint64_t max_events;
	atomic_ullong events_left; // of the timeline
	PyObject *only;            // a tuple of code objects, or NULL
	struct trace_set *chosen;  // the same, to look up
	struct trace_slot *slots;
	uint64_t enabled_ns;
};

struct trace_needs {
	bool functions, builtins; // of all code
	bool only, only_builtins; // of chosen code objects
	bool all_threads, exact;
};

struct trace_backend {
	const char *name;
	/* Brings the events up to date with `needs`, tracers being enabled; -1 with an exception. */
	int (*update)(struct trace_hook *hook, const struct trace_needs *needs);
	/* No tracer is left. */
	void (*stop)(struct trace_hook *hook);
	/* Code objects were chosen by a tracer that is disabled; an update follows. NULL: no need. */
	void (*forget)(struct trace_hook *hook, PyObject *codes);
};

struct trace_hook {
	uint64_t version; // changes with the enabled tracers; no two hooks ever have the same
	struct tracer *tracers;
	const struct trace_backend *backend; // NULL: none runs
	unsigned long updating;              // the thread that brings `backend` up to date; 0: none
	bool update_again;                   // tracers changed while it did, by itself
	struct trace_hook *next;             // of all
	PyInterpreterState *interpreter;
	void *backend_data;                         // stays for the next start
	PyObject *new_threads, *new_threads_before; // what is set in `threading`
	// What people should know, counted.
	unsigned displaced, deep_calls;
	unsigned deep; // frames now that PEP 523 leaves to PyEval_SetProfile
};

/* ---- trace_hook.c ---- */

extern __thread struct trace_thread *trace_current __attribute__((tls_model("initial-exec")));
extern pthread_mutex_t trace_mutex;

int trace_hook_init(void);
struct trace_hook *trace_hook_create(void);
/* The calling thread's, with its slots up to date. NULL: no memory. */
struct trace_thread *trace_thread_sync(struct trace_hook *hook);
int trace_hook_enable(struct trace_hook *hook, struct tracer *tracer);
void trace_hook_disable(struct trace_hook *hook, struct tracer *tracer);
void trace_thread_release(struct trace_thread *thread);
void trace_slot_release(struct trace_slot *slot);

/* ---- trace_event.c: events of threads that are not plain ---- */

void trace_enter_slots(
	struct trace_thread *thread, const void *key, PyObject *object, const void *from);
void trace_leave_slots(
	struct trace_thread *thread, const void *key, const void *from, uint64_t now);
/* The time of a tracer's timer, if it has one and calls have not ended: runs Python code, no thread is locked. */
uint64_t trace_timer_at_end(struct tracer *tracer);
/* All that is on the stack of a slot ends now, or at that time of its tracer's timer. */
void trace_slot_flush(struct trace_slot *slot, uint64_t timer);

/* ---- trace_names.c ---- */

int trace_names_init(void);
/* What is kept of a C function to tell its name later: borrowed, never an instance of the program's. */
PyObject *trace_c_object(PyObject *callee);
/* A new reference: the code object itself, or text as cProfile has it. */
PyObject *trace_name(const void *key, PyObject *object);
/* The threading.Thread of a thread; NULL without an exception if there is none. */
PyObject *trace_thread_object(unsigned long ident);

extern PyTypeObject *trace_c_method_type; // of functions that know their class, 3.9 and newer
extern size_t trace_def_offset, trace_descriptor_offset;

static inline bool trace_is_c_function(PyObject *callee)
{
	return Py_TYPE(callee) == &PyCFunction_Type || Py_TYPE(callee) == trace_c_method_type;
}

static inline const void *trace_def_at(PyObject *callee, size_t offset)
{
	return *(void **)((char *)callee + offset);
}

/* ---- trace_greenlet.c ---- */

/* If the program uses greenlets: each has a stack of its own from now on. In the thread itself. */
void trace_greenlets_follow(struct trace_thread *thread);
/* The stacks that are switched away: forgotten; or ended when they were. */
void trace_asides_free(struct trace_slot *slot);
void trace_asides_flush(struct trace_slot *slot);

/* ---- trace_object.c ---- */

/* Calls of the tracer's own methods are not the program's: no node is made for them. */
bool trace_is_own(const void *key);

/* ---- the ways in ---- */

extern const struct trace_backend trace_monitoring, trace_profile, trace_frames;
bool trace_monitoring_available(void);
/* This Python has what it takes, and the slow PyEval_SetProfile that it is for. */
bool trace_frames_known(void);
/* And it sees all calls, and nobody else evaluates frames. */
bool trace_frames_available(void);

/* Of trace_profile.c, before it is first enabled: what should not be traced. -1 with an exception. */
int trace_profile_prepare(void);
/* Of trace_profile.c, for frames that are too deep for PEP 523. */
int trace_profile_arm_here(struct trace_hook *hook);
void trace_profile_disarm_here(struct trace_hook *hook);
bool trace_profile_armed_here(void);

/* ---- events; `from`: the code object that calls, of C functions ---- */

static inline void trace_lock(struct trace_thread *thread)
{
#ifdef Py_GIL_DISABLED
	// who has it reads what a thread counted, and may wait for a processor meanwhile: this one
	while (atomic_flag_test_and_set_explicit(&thread->lock, memory_order_acquire))
		thrd_yield();
#else
	(void)thread;
#endif
}

static inline void trace_unlock(struct trace_thread *thread)
{
#ifdef Py_GIL_DISABLED
	atomic_flag_clear_explicit(&thread->lock, memory_order_release);
#else
	(void)thread;
#endif
}

/* Of any thread; waits, where there is no GIL, without holding up the interpreter. */
static inline void trace_lock_from_outside(struct trace_thread *thread)
{
#ifdef Py_GIL_DISABLED
	while (atomic_flag_test_and_set_explicit(&thread->lock, memory_order_acquire)) {
		Py_BEGIN_ALLOW_THREADS thrd_yield();
		Py_END_ALLOW_THREADS
	}
#else
	(void)thread;
#endif
}

/* The calling thread, locked. */
static inline struct trace_thread *trace_begin(struct trace_hook *hook)
{
	struct trace_thread *thread = trace_current;

	if (__builtin_expect(thread != NULL, 1)) {
		trace_lock(thread);
		if (__builtin_expect(
			    thread->version == __atomic_load_n(&hook->version, __ATOMIC_RELAXED),
			    1))
			return thread;
		trace_unlock(thread);
	}
	thread = trace_thread_sync(hook);
	if (thread)
		trace_lock(thread);
	return thread;
}

static inline void trace_enter(struct trace_hook *hook, PyObject *code)
{
	struct trace_thread *thread = trace_begin(hook);

	if (__builtin_expect(!thread, 0))
		return;
	if (__builtin_expect(thread->plain != NULL, 1))
		trace_slot_enter(thread->plain, code, code);
	else if (thread->slots && !thread->inside)
		trace_enter_slots(thread, code, code, NULL);
	trace_unlock(thread);
}

static inline void trace_leave(struct trace_hook *hook, PyObject *code)
{
	uint64_t now = trace_ticks();
	struct trace_thread *thread = trace_begin(hook);

	if (__builtin_expect(!thread, 0))
		return;
	if (__builtin_expect(thread->plain != NULL, 1))
		trace_slot_leave(thread->plain, code, now);
	else if (thread->slots && !thread->inside)
		trace_leave_slots(thread, code, NULL, now);
	trace_unlock(thread);
}

static inline void trace_enter_c(
	struct trace_hook *hook, const void *key, PyObject *callee, const void *from)
{
	struct trace_thread *thread = trace_begin(hook);

	if (__builtin_expect(!thread, 0))
		return;
	if (__builtin_expect(thread->plain_c != NULL, 1))
		trace_slot_enter(thread->plain_c, key, callee);
	else if (thread->slots && !thread->plain && !thread->inside)
		trace_enter_slots(thread, key, callee, from);
	trace_unlock(thread);
}

static inline void trace_leave_c(struct trace_hook *hook, const void *key, const void *from)
{
	uint64_t now = trace_ticks();
	struct trace_thread *thread = trace_begin(hook);

	if (__builtin_expect(!thread, 0))
		return;
	if (__builtin_expect(thread->plain_c != NULL, 1))
		trace_slot_leave(thread->plain_c, key, now);
	else if (thread->slots && !thread->plain && !thread->inside)
		trace_leave_slots(thread, key, from, now);
	trace_unlock(thread);
}

#endif

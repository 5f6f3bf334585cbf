// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trace.h"

// Of the C stack, at its end, for what the program's own C code needs.
#define STACK_RESERVE (512u << 10)

__thread struct trace_thread *trace_current __attribute__((tls_model("initial-exec")));
pthread_mutex_t trace_mutex = PTHREAD_MUTEX_INITIALIZER;

static struct trace_hook *hooks;
static struct trace_thread *threads; // all that still live, of all hooks
static pthread_cond_t updated = PTHREAD_COND_INITIALIZER; // a thread has brought events up to date
static pthread_key_t thread_key;     // tells when one ends
static bool initialised;
static uint64_t last_version;

// ---- threads ------------------------------------------------------------------------------------

void trace_thread_release(struct trace_thread *thread)
{
	if (atomic_fetch_sub(&thread->users, 1) == 1)
		free(thread);
}

// The last one who knows a slot frees it; its contents went with the tracer.
void trace_slot_release(struct trace_slot *slot)
{
	if (atomic_fetch_sub(&slot->users, 1) == 1) {
		trace_thread_release(slot->thread);
		free(slot);
	}
}

static void drop_slots(struct trace_thread *thread)
{
	struct trace_slot *next;

	for (struct trace_slot *slot = thread->slots; slot; slot = next) {
		next = slot->next_on_thread;
		trace_slot_release(slot);
	}
	thread->slots = NULL;
	thread->plain = thread->plain_c = NULL;
}

// A thread ends: without the GIL, perhaps after the interpreter.
static void thread_ends(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&trace_mutex);
	for (struct trace_thread **at = &threads; *at;) {
		struct trace_thread *thread = *at;
		if (thread->ident != (unsigned long)pthread_self()) {
			at = &thread->next;
			continue;
		}
		*at = thread->next;
		thread->ended = true;
		drop_slots(thread);
		trace_thread_release(thread);
	}
	trace_current = NULL;
	pthread_mutex_unlock(&trace_mutex);
}

static uintptr_t stack_guard(void)
{
	pthread_attr_t attributes;
	void *low;
	size_t bytes;

	if (pthread_getattr_np(pthread_self(), &attributes))
		return 0;
	int failed = pthread_attr_getstack(&attributes, &low, &bytes);
	pthread_attr_destroy(&attributes);
	if (failed)
		return 0;
	return (uintptr_t)low + (bytes / 2 < STACK_RESERVE ? bytes / 2 : STACK_RESERVE);
}

static struct trace_thread *find_thread(const struct trace_hook *hook)
{
	for (struct trace_thread *t = threads; t; t = t->next)
		if (t->hook == hook && t->ident == (unsigned long)pthread_self())
			return t;
	return NULL;
}

static struct trace_thread *add_thread(struct trace_hook *hook)
{
	struct trace_thread *thread = calloc(1, sizeof(*thread));

	if (!thread)
		return NULL;
	thread->hook = hook;
	thread->users = 1;
	thread->tid = (pid_t)syscall(SYS_gettid);
	thread->ident = (unsigned long)pthread_self();
	thread->stack_guard = stack_guard();
	thread->next = threads;
	threads = thread;
	pthread_setspecific(thread_key, thread);
	return thread;
}

// ---- slots --------------------------------------------------------------------------------------

static unsigned flags_of(const struct tracer *tracer)
{
	return (tracer->timeline ? TRACE_TIMELINE : 0u) | (tracer->cpu ? TRACE_CPU : 0u) |
		(tracer->timer ? TRACE_TIMER : 0u) | (tracer->only ? TRACE_ONLY : 0u);
}

static struct trace_slot *slot_of(struct tracer *tracer, struct trace_thread *thread)
{
	for (struct trace_slot *slot = tracer->slots; slot; slot = slot->next_of_tracer)
		if (slot->thread == thread)
			return slot;
	struct trace_slot *slot = trace_slot_create(flags_of(tracer));
	if (!slot)
		return NULL;
	slot->tracer = tracer;
	slot->thread = thread;
	slot->users = 1;
	atomic_fetch_add(&thread->users, 1);
	slot->next_of_tracer = tracer->slots;
	tracer->slots = slot;
	return slot;
}

static void attach(
	struct trace_thread *thread, struct trace_slot *slot, const struct tracer *tracer)
{
	atomic_fetch_add(&slot->users, 1);
	slot->builtins = tracer->builtins;
	slot->next_on_thread = thread->slots;
	thread->slots = slot;
}

static void sync_slots(struct trace_hook *hook, struct trace_thread *thread)
{
	drop_slots(thread);
	for (struct tracer *t = hook->tracers; t; t = t->next) {
		if (!t->all_threads && t->thread != thread)
			continue;
		struct trace_slot *slot = slot_of(t, thread);
		if (slot)
			attach(thread, slot, t);
	}
	struct trace_slot *one = thread->slots;
	if (one && !one->next_on_thread && !one->flags) {
		thread->plain = one;
		thread->plain_c = one->builtins ? one : NULL;
	}
	thread->version = hook->version;
}

struct trace_thread *trace_thread_sync(struct trace_hook *hook)
{
	pthread_mutex_lock(&trace_mutex);
	struct trace_thread *thread = find_thread(hook);
	if (!thread)
		thread = add_thread(hook);
	if (thread && !thread->inside) {
		trace_lock(thread);
		sync_slots(hook, thread);
		trace_unlock(thread);
	}
	trace_current = thread;
	pthread_mutex_unlock(&trace_mutex);
	if (thread && thread->slots)
		trace_greenlets_follow(thread);
	return thread;
}

// ---- enabling -----------------------------------------------------------------------------------

// False: no tracer is enabled.
static bool needs_of(const struct trace_hook *hook, struct trace_needs *needs_ret)
{
	struct trace_needs needs = { 0 };

	pthread_mutex_lock(&trace_mutex);
	bool any = hook->tracers != NULL;
	for (const struct tracer *t = hook->tracers; t; t = t->next) {
		*(t->only ? &needs.only : &needs.functions) = true;
		if (t->builtins)
			*(t->only ? &needs.only_builtins : &needs.builtins) = true;
		needs.all_threads |= t->all_threads;
		needs.exact |= t->exact;
	}
	pthread_mutex_unlock(&trace_mutex);
	*needs_ret = needs;
	return any;
}

static void changed(struct trace_hook *hook)
{
	__atomic_store_n(&hook->version, ++last_version, __ATOMIC_RELAXED);
}

static const struct trace_backend *choose_backend(const struct trace_needs *needs)
{
	if (trace_monitoring_available())
		return &trace_monitoring;
	if (!needs->builtins && !needs->only_builtins && trace_frames_available())
		return &trace_frames;
	return &trace_profile;
}

static int set_backend(struct trace_hook *hook)
{
	struct trace_needs needs;

	if (!needs_of(hook, &needs)) {
		if (hook->backend)
			hook->backend->stop(hook);
		hook->backend = NULL;
		return 0;
	}
	// Once one wants C functions, the way in that sees them stays until none is left.
	const struct trace_backend *backend =
		hook->backend == &trace_profile ? hook->backend : choose_backend(&needs);
	if (hook->backend && hook->backend != backend)
		hook->backend->stop(hook);
	hook->backend = backend;
	return backend->update(hook, &needs);
}

// With trace_mutex. False: another thread is at it.
static bool take_update(struct trace_hook *hook, bool *outermost_ret)
{
	const unsigned long self = (unsigned long)pthread_self();

	if (hook->updating && hook->updating != self)
		return false;
	*outermost_ret = !hook->updating;
	hook->updating = self;
	return true;
}

// Without the GIL, and with it wherever Python is called, others come meanwhile: they wait, as they
// would undo each other's work. False: the calling thread is at it already, further out.
static bool begin_update(struct trace_hook *hook)
{
	bool outermost;

	pthread_mutex_lock(&trace_mutex);
	bool taken = take_update(hook, &outermost);
	pthread_mutex_unlock(&trace_mutex);
	if (taken)
		return outermost;
	Py_BEGIN_ALLOW_THREADS pthread_mutex_lock(&trace_mutex);
	while (!take_update(hook, &outermost))
		pthread_cond_wait(&updated, &trace_mutex);
	pthread_mutex_unlock(&trace_mutex);
	Py_END_ALLOW_THREADS return outermost;
}

static void end_update(struct trace_hook *hook)
{
	pthread_mutex_lock(&trace_mutex);
	hook->updating = 0;
	pthread_cond_broadcast(&updated);
	pthread_mutex_unlock(&trace_mutex);
}

// `forget`: the chosen code objects of a tracer that was disabled, or NULL.
static int update_backend(struct trace_hook *hook, PyObject *forget)
{
	bool outermost = begin_update(hook);
	int result;

	if (forget && hook->backend && hook->backend->forget)
		hook->backend->forget(hook, forget);
	hook->update_again = true;
	if (!outermost)
		return 0; // an object was freed by an update, which looks again before it ends
	do {
		hook->update_again = false;
		result = set_backend(hook);
	} while (result == 0 && hook->update_again);
	end_update(hook);
	return result;
}

static void link_tracer(struct trace_hook *hook, struct tracer *tracer)
{
	pthread_mutex_lock(&trace_mutex);
	tracer->next = hook->tracers;
	hook->tracers = tracer;
	tracer->enabled = true;
	changed(hook);
	pthread_mutex_unlock(&trace_mutex);
}

static void unlink_tracer(struct trace_hook *hook, struct tracer *tracer)
{
	pthread_mutex_lock(&trace_mutex);
	for (struct tracer **at = &hook->tracers; *at; at = &(*at)->next)
		if (*at == tracer) {
			*at = tracer->next;
			break;
		}
	tracer->enabled = false;
	changed(hook);
	pthread_mutex_unlock(&trace_mutex);
}

// Nothing is on the stacks of a tracer that begins; what a fork or a timer left there is forgotten.
static void empty_stacks(struct tracer *tracer)
{
	for (struct trace_slot *slot = tracer->slots; slot; slot = slot->next_of_tracer)
		slot->top = slot->frames;
}

int trace_hook_enable(struct trace_hook *hook, struct tracer *tracer)
{
	empty_stacks(tracer);
	if (!tracer->all_threads)
		tracer->thread = trace_thread_sync(hook);
	tracer->enabled_ns = trace_clock_ns();
	link_tracer(hook, tracer);
	struct trace_thread *thread = trace_thread_sync(hook);
	if (thread && update_backend(hook, NULL) == 0)
		return 0;
	unlink_tracer(hook, tracer);
	if (!thread)
		PyErr_NoMemory();
	PyObject *type, *value, *traceback;
	PyErr_Fetch(&type, &value, &traceback);
	if (update_backend(hook, NULL) < 0)
		PyErr_Clear();
	PyErr_Restore(type, value, traceback);
	return -1;
}

void trace_hook_disable(struct trace_hook *hook, struct tracer *tracer)
{
	if (!tracer->enabled)
		return;
	unlink_tracer(hook, tracer);
	uint64_t timer = trace_timer_at_end(tracer);
	for (struct trace_slot *slot = tracer->slots; slot; slot = slot->next_of_tracer) {
		trace_lock_from_outside(slot->thread);
		if (!slot->thread->left_behind && !slot->thread->inside)
			trace_slot_flush(slot, timer);
		slot->top = slot->frames;
		trace_asides_free(slot);
		trace_unlock(slot->thread);
	}
	PyObject *type, *value, *traceback;
	PyErr_Fetch(&type, &value, &traceback);
	if (update_backend(hook, tracer->only) < 0)
		PyErr_Clear();
	PyErr_Restore(type, value, traceback);
}

// ---- forks --------------------------------------------------------------------------------------

static void before_fork(void)
{
	pthread_mutex_lock(&trace_mutex);
}

static void after_fork_in_parent(void)
{
	pthread_mutex_unlock(&trace_mutex);
}

// Only the calling thread is left. What the others had begun never ends.
static void after_fork_in_child(void)
{
	pthread_mutex_init(&trace_mutex, NULL);
	pthread_cond_init(&updated, NULL);
	for (struct trace_hook *hook = hooks; hook; hook = hook->next)
		if (hook->updating != (unsigned long)pthread_self())
			hook->updating = 0;
	for (struct trace_thread *thread = threads; thread; thread = thread->next) {
		trace_unlock(thread);
		if (thread->ident == (unsigned long)pthread_self())
			thread->tid = (pid_t)syscall(SYS_gettid);
		else
			thread->left_behind = thread->ended = true;
	}
}

int trace_hook_init(void)
{
	if (initialised)
		return 0;
	trace_clock_init();
	if (pthread_key_create(&thread_key, thread_ends) ||
		pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child)) {
		PyErr_SetFromErrno(PyExc_OSError);
		return -1;
	}
	initialised = true;
	return 0;
}

struct trace_hook *trace_hook_create(void)
{
	struct trace_hook *hook = calloc(1, sizeof(*hook));

	if (!hook)
		return NULL;
	pthread_mutex_lock(&trace_mutex);
	changed(hook);
	hook->next = hooks;
	hooks = hook;
	pthread_mutex_unlock(&trace_mutex);
	return hook;
}

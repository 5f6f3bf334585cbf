// SPDX-License-Identifier: MIT
/*
 * Events of Python functions on 3.11, by PEP 523: the function that evaluates frames is ours.
 *
 * PyEval_SetProfile makes 3.11 dispatch each instruction in a slower way, and costs most of what
 * cProfile does. This does not, but sees no C functions.
 *
 * With a function of ours, CPython evaluates each call on the C stack. A frame that would come too near
 * to its end is evaluated as always, and what it calls is followed by PyEval_SetProfile until it returns.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "pyabi/layout.h"
#include "trace.h"
#include "trace_frame.h"

#define OWNED_BY_GENERATOR 1
#define CODE_FLAGS 48                         // of a code object
#define MAKES_GENERATOR (0x20 | 0x80 | 0x200) // CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR

struct inner_frame;
typedef PyObject *(*evaluate)(PyThreadState *, struct inner_frame *, int);

static struct {
	evaluate evaluate;
	evaluate (*get)(PyInterpreterState *);
	void (*set)(PyInterpreterState *, evaluate);
	PyInterpreterState *(*interpreter)(void);
	const unsigned long *version; // 3.11 and newer
} api;
// There is one main interpreter, and others of this age share its GIL; each has a hook of its own.
static struct trace_hook *hooks[16];
static PyInterpreterState *interpreters[16];

size_t trace_frame_code_at, trace_frame_inner_at;
PyObject *(*trace_frame_get_code)(PyFrameObject *);

int trace_frame_init(void)
{
	PyObject *getframe = PySys_GetObject("_getframe"); // borrowed
	PyObject *frame = getframe ? PyObject_CallObject(getframe, NULL) : NULL;
	PyObject *code = frame ? PyObject_GetAttrString(frame, "f_code") : NULL;
	const size_t direct = sizeof(PyVarObject) + sizeof(void *);
	const size_t inner = sizeof(PyObject) + sizeof(void *);
	uintptr_t first, second;

	PyErr_Clear();
	*(void **)&trace_frame_get_code = dlsym(RTLD_DEFAULT, "PyFrame_GetCode");
	if (code) {
		memcpy(&first, (char *)frame + direct, sizeof(first));
		memcpy(&second, (char *)frame + inner, sizeof(second));
		if (first == (uintptr_t)code)
			trace_frame_code_at = direct;
		else if (second > 4096 && second % sizeof(void *) == 0 &&
			*(PyObject **)(second + TRACE_INNER_CODE) == code)
			trace_frame_inner_at = inner;
	}
	Py_XDECREF(code);
	Py_XDECREF(frame);
	if (trace_frame_code_at || trace_frame_inner_at || trace_frame_get_code)
		return 0;
	PyErr_SetString(ext_error, "cannot trace: the frames of this Python are not known");
	return -1;
}

static PyObject *code_of(const struct inner_frame *frame)
{
	return *(PyObject *const *)((const char *)frame + TRACE_INNER_CODE);
}

// The call of a generator function only makes the generator; its frame runs when that is asked.
static bool makes_generator(const struct inner_frame *frame, const PyObject *code)
{
	int flags;

	memcpy(&flags, (const char *)code + CODE_FLAGS, sizeof(flags));
	return flags & MAKES_GENERATOR &&
		((const char *)frame)[TRACE_INNER_OWNER] != OWNED_BY_GENERATOR;
}

static struct trace_hook *hook_here(void)
{
	if (__builtin_expect(!hooks[1], 1))
		return hooks[0];
	for (size_t i = 0; i < 16; i++)
		if (interpreters[i] == api.interpreter())
			return hooks[i];
	return NULL;
}

static PyObject *on_frame(PyThreadState *state, struct inner_frame *frame, int throwing);

__attribute__((noinline)) static PyObject *evaluate_deep(
	struct trace_hook *hook, PyThreadState *state, struct inner_frame *frame, int throwing)
{
	PyObject *type, *value, *traceback;

	hook->deep_calls++;
	hook->deep++;
	PyErr_Fetch(&type, &value, &traceback);
	int armed = trace_profile_arm_here(hook);
	api.set(hook->interpreter, api.evaluate);
	PyErr_Restore(type, value, traceback);
	PyObject *result = api.evaluate(state, frame, throwing);
	PyErr_Fetch(&type, &value, &traceback);
	if (armed == 0)
		trace_profile_disarm_here(hook);
	hook->deep--;
	if (hook->backend == &trace_frames)
		api.set(hook->interpreter, on_frame);
	PyErr_Restore(type, value, traceback);
	return result;
}

static PyObject *on_frame(PyThreadState *state, struct inner_frame *frame, int throwing)
{
	PyObject *code = code_of(frame);
	struct trace_hook *hook = hook_here();

	if (!hook || makes_generator(frame, code))
		return api.evaluate(state, frame, throwing);
	if (__builtin_expect(trace_current &&
			    (uintptr_t)__builtin_frame_address(0) < trace_current->stack_guard,
		    0))
		return evaluate_deep(hook, state, frame, throwing);
	trace_enter(hook, code);
	PyObject *result = api.evaluate(state, frame, throwing);
	// While PyEval_SetProfile is on, it has told of the return already.
	if (__builtin_expect(!hook->deep && hook->backend == &trace_frames, 1) ||
		!trace_profile_armed_here())
		trace_leave(hook, code);
	return result;
}

bool trace_frames_known(void)
{
	if (!api.interpreter) {
		*(void **)&api.evaluate = dlsym(RTLD_DEFAULT, "_PyEval_EvalFrameDefault");
		*(void **)&api.get = dlsym(RTLD_DEFAULT, "_PyInterpreterState_GetEvalFrameFunc");
		*(void **)&api.set = dlsym(RTLD_DEFAULT, "_PyInterpreterState_SetEvalFrameFunc");
		*(void **)&api.interpreter = dlsym(RTLD_DEFAULT, "PyInterpreterState_Get");
		api.version = dlsym(RTLD_DEFAULT, "Py_Version");
		if (trace_frame_init() < 0)
			PyErr_Clear();
	}
	return api.evaluate && api.get && api.set && api.interpreter && api.version &&
		trace_frame_inner_at;
}

bool trace_frames_available(void)
{
	if (!trace_frames_known() || !layout_evaluator_gets_all((uint32_t)*api.version))
		return false;
	evaluate now = api.get(api.interpreter());
	return now == api.evaluate || now == on_frame;
}

static int update(struct trace_hook *hook, const struct trace_needs *needs)
{
	(void)needs;
	hook->interpreter = api.interpreter();
	for (size_t i = 0; i < 16; i++)
		if (!hooks[i] || interpreters[i] == hook->interpreter) {
			hooks[i] = hook;
			interpreters[i] = hook->interpreter;
			api.set(hook->interpreter, on_frame);
			return 0;
		}
	PyErr_SetString(ext_error, "cannot trace: too many interpreters in this process");
	return -1;
}

static void stop(struct trace_hook *hook)
{
	if (api.get(hook->interpreter) == on_frame)
		api.set(hook->interpreter, api.evaluate);
}

const struct trace_backend trace_frames = {
	.name = "PEP 523",
	.update = update,
	.stop = stop,
};

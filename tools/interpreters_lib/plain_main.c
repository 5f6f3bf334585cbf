// SPDX-License-Identifier: MIT
/*
 * Preloaded into a program that has CPython 3.13 linked in and exports its C API but not
 * Py_BytesMain: replaces the program's main() by one that does what `python3.13` does with -c, -m,
 * a script, a directory, a zip archive or standard input. Any other program that inherits the
 * preload runs as it would without.
 *
 * Used by tools/interpreters to run the free-threaded CPython inside freeze-core's launcher. Built
 * without Python.h: PyStatus is declared as PEP 587 has it, PyConfig is only ever passed by
 * address.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wpedantic"

/* several times what PyConfig takes in 3.13 */
#define CONFIG_BYTES 16384

struct py_object;

struct py_status {
	int type; /* 0 is success */
	const char *func;
	const char *message;
	int exit_code;
};

typedef int main_function(int argc, char **argv, char **envp);
typedef int start_function(main_function *entry, int argc, char **argv, void (*init)(void),
	void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

start_function __libc_start_main;

/* The C API, found in the program at run time. */
#define API(X)                                                                                     \
	X(void, PyConfig_InitPythonConfig, (void *config))                                         \
	X(struct py_status, PyConfig_SetBytesArgv,                                                 \
		(void *config, ptrdiff_t argc, char *const *argv))                                 \
	X(struct py_status, Py_InitializeFromConfig, (const void *config))                         \
	X(void, Py_ExitStatusException, (struct py_status status))                                 \
	X(int, Py_FinalizeEx, (void))                                                              \
	X(struct py_object *, PySys_GetObject, (const char *name))                                 \
	X(ptrdiff_t, PyList_Size, (struct py_object * list))                                       \
	X(struct py_object *, PyList_GetItem, (struct py_object * list, ptrdiff_t index))          \
	X(int, PyList_Insert, (struct py_object * list, ptrdiff_t index, struct py_object * item)) \
	X(struct py_object *, PyUnicode_EncodeFSDefault, (struct py_object * text))                \
	X(struct py_object *, PyUnicode_DecodeFSDefault, (const char *bytes))                      \
	X(char *, PyBytes_AsString, (struct py_object * bytes))                                    \
	X(struct py_object *, PyObject_GetAttrString,                                              \
		(struct py_object * object, const char *name))                                     \
	X(int, PyObject_IsTrue, (struct py_object * object))                                       \
	X(struct py_object *, PyImport_ImportModule, (const char *name))                           \
	X(struct py_object *, PyImport_GetImporter, (struct py_object * path))                     \
	X(struct py_object *, PyObject_CallMethod,                                                 \
		(struct py_object * object, const char *name, const char *format, ...))            \
	X(void, PyErr_Print, (void))                                                               \
	X(int, PyRun_SimpleStringFlags, (const char *command, void *flags))                        \
	X(int, PyRun_AnyFileExFlags, (FILE * file, const char *name, int close, void *flags))

#define DECLARE(result, name, parameters) result(*name) parameters;
static struct {
	API(DECLARE)
} py;

static int load_api(void)
{
	int complete = 1;
#define LOAD(result, name, parameters)                   \
	*(void **)&py.name = dlsym(RTLD_DEFAULT, #name); \
	complete = complete && py.name;
	API(LOAD)
	return complete;
}

/* The bytes of item `index` of the list sys.<name>, never freed, or "" if there is none. */
static const char *sys_item(const char *name, ptrdiff_t index)
{
	struct py_object *list = py.PySys_GetObject(name);

	if (!list || index < 0 || index >= py.PyList_Size(list))
		return "";
	struct py_object *bytes = py.PyUnicode_EncodeFSDefault(py.PyList_GetItem(list, index));
	return bytes ? py.PyBytes_AsString(bytes) : "";
}

static ptrdiff_t sys_length(const char *name)
{
	struct py_object *list = py.PySys_GetObject(name);

	return list ? py.PyList_Size(list) : 0;
}

static void path_prepend(const char *directory)
{
	py.PyList_Insert(py.PySys_GetObject("path"), 0, py.PyUnicode_DecodeFSDefault(directory));
}

/* Unless it is to be left out: -P, PYTHONSAFEPATH. */
static void path_prepend_unless_safe(const char *directory)
{
	struct py_object *flags = py.PySys_GetObject("flags");
	struct py_object *safe = flags ? py.PyObject_GetAttrString(flags, "safe_path") : NULL;

	if (safe && py.PyObject_IsTrue(safe) == 0)
		path_prepend(directory);
}

/*
 * The argument of -c or -m: sys.argv is ["-c", rest...], sys.orig_argv ends in the argument and the
 * same rest, the argument being a word of its own ("-c", "x") or not ("-cx").
 */
static const char *option_argument(char letter)
{
	ptrdiff_t at = sys_length("orig_argv") - sys_length("argv");
	const char *before = sys_item("orig_argv", at - 1);
	const char *word = sys_item("orig_argv", at);
	size_t length = strlen(before);

	if (length >= 2 && before[0] == '-' && before[length - 1] == letter)
		return word;
	const char *glued = strchr(word, letter);
	return glued ? glued + 1 : word;
}

static int run_module(const char *module, int sets_argv0)
{
	struct py_object *runpy = py.PyImport_ImportModule("runpy");
	struct py_object *result = runpy
		? py.PyObject_CallMethod(runpy, "_run_module_as_main", "si", module, sets_argv0)
		: NULL;
	if (!result)
		py.PyErr_Print(); /* leaves by exit() on SystemExit */
	return result ? 0 : 1;
}

static int run_module_here(const char *module)
{
	char here[PATH_MAX];

	path_prepend_unless_safe(getcwd(here, sizeof(here)) ? here : "");
	return run_module(module, 1);
}

/* Whether modules can be imported from it: a directory, a zip archive. */
static int is_importable(const char *path)
{
	struct py_object *importer = py.PyImport_GetImporter(py.PyUnicode_DecodeFSDefault(path));

	return importer && py.PyObject_IsTrue(importer) == 1; /* the other is None */
}

/* A file, or what has a module __main__. As since 3.9, __file__ and co_filename are absolute. */
static int run_script(const char *name)
{
	char here[PATH_MAX] = "", full[2 * PATH_MAX], real[PATH_MAX];

	if (*name != '/' && !getcwd(here, sizeof(here)))
		here[0] = '\0';
	snprintf(full, sizeof(full), "%s%s%s", here, *here ? "/" : "", name);
	if (is_importable(full)) {
		path_prepend(full);
		return run_module("__main__", 0);
	}
	FILE *file = fopen(name, "rb");
	if (!file) {
		fprintf(stderr, "%s: can't open file '%s': [Errno %d] %s\n",
			sys_item("orig_argv", 0), full, errno, strerror(errno));
		return 2;
	}
	if (realpath(name, real))
		path_prepend_unless_safe(dirname(real));
	return py.PyRun_AnyFileExFlags(file, full, 1, NULL) != 0;
}

static int run(void)
{
	const char *first = sys_item("argv", 0);

	if (strcmp(first, "-c") == 0) {
		path_prepend_unless_safe("");
		return py.PyRun_SimpleStringFlags(option_argument('c'), NULL) != 0;
	}
	if (strcmp(first, "-m") == 0)
		return run_module_here(option_argument('m'));
	if (*first && strcmp(first, "-") != 0)
		return run_script(first);
	path_prepend_unless_safe("");
	return py.PyRun_AnyFileExFlags(stdin, "<stdin>", 0, NULL) != 0;
}

static int plain_main(int argc, char **argv, char **envp)
{
	static _Alignas(64) char config[CONFIG_BYTES];

	(void)envp;
	py.PyConfig_InitPythonConfig(config);
	struct py_status status = py.PyConfig_SetBytesArgv(config, argc, argv);
	if (status.type == 0)
		status = py.Py_InitializeFromConfig(config);
	if (status.type != 0)
		py.Py_ExitStatusException(status);
	int code = run();
	return py.Py_FinalizeEx() < 0 ? 120 : code;
}

int __libc_start_main(main_function *entry, int argc, char **argv, void (*init)(void),
	void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
	start_function *start;

	*(void **)&start = dlsym(RTLD_NEXT, "__libc_start_main");
	if (!start)
		abort();
	int ours = !dlsym(RTLD_DEFAULT, "Py_BytesMain") && load_api();
	return start(ours ? plain_main : entry, argc, argv, init, fini, rtld_fini, stack_end);
}

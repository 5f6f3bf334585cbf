// SPDX-License-Identifier: MIT
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "context_api.h"
#include "inside/contexts.h"
#include "os/mem_live.h"

#define WORD sizeof(uint64_t)
#define STATE_BYTES 2048  // of PyThreadState: the context is in its first half
#define OBJECT_BYTES 96
#define OTHERS 200        // variables that make a tree of several levels

static const struct {
	const char *name;
	size_t at;
} symbols[] = {
	{ "PyContext_New", offsetof(struct context_api, context_new) },
	{ "PyContext_Enter", offsetof(struct context_api, context_enter) },
	{ "PyContext_Exit", offsetof(struct context_api, context_exit) },
	{ "PyContextVar_New", offsetof(struct context_api, variable_new) },
	{ "PyContextVar_Get", offsetof(struct context_api, variable_get) },
	{ "PyContextVar_Set", offsetof(struct context_api, variable_set) },
	{ "PyUnicode_AsUTF8AndSize", offsetof(struct context_api, utf8) },
};

const struct context_api *context_api(void)
{
	static struct context_api api;
	static bool looked, there;

	if (looked)
		return there ? &api : NULL;
	there = true;
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *found = dlsym(RTLD_DEFAULT, symbols[i].name);

		memcpy((char *)&api + symbols[i].at, &found, sizeof(found));
		there = there && found;
	}
	looked = true;
	return there ? &api : NULL;
}

/* ---- words of memory -------------------------------------------------------------------------- */

/* What was read of some memory, as words; those that could not be are 0. */
struct words {
	uint64_t at[STATE_BYTES / WORD];
};

static void words_read(struct words *w, const void *from, size_t bytes)
{
	struct mem_live memory;

	memset(w, 0, sizeof(*w));
	mem_live_init(&memory, getpid());
	// a page at a time would do; the end of the object is not known
	for (size_t i = 0; i < bytes; i += OBJECT_BYTES)
		if (mem_read(&memory.reader, (uint64_t)(uintptr_t)from + i, &w->at[i / WORD],
			    bytes - i < OBJECT_BYTES ? bytes - i : OBJECT_BYTES) != READ_OK)
			break;
	mem_live_deinit(&memory);
}

static uint64_t address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* The offset at which `object` has a pointer to `what`; 0: nowhere. */
static uint64_t offset_of(const void *object, const void *what)
{
	struct words w;

	words_read(&w, object, OBJECT_BYTES);
	for (size_t i = sizeof(PyObject) / WORD; i < OBJECT_BYTES / WORD; i++)
		if (w.at[i] == address(what))
			return i * WORD;
	return 0;
}

/* ---- the thread's state ----------------------------------------------------------------------- */

/*
 * Where the state of this thread has the context: which word is it before, in and after two contexts;
 * and the word behind counts.
 */
static bool find_state_context(const struct context_api *api, PyObject *one, PyObject *two,
	uint64_t *ret)
{
	struct words before, in_one, in_two;
	const void *state = PyThreadState_Get();

	words_read(&before, state, STATE_BYTES);
	if (api->context_enter(one) < 0)
		return false;
	words_read(&in_one, state, STATE_BYTES);
	if (api->context_exit(one) < 0 || api->context_enter(two) < 0)
		return false;
	words_read(&in_two, state, STATE_BYTES);
	if (api->context_exit(two) < 0)
		return false;
	for (size_t i = 0; i + 1 < STATE_BYTES / WORD; i++)
		if (in_one.at[i] == address(one) && in_two.at[i] == address(two)
			&& before.at[i] != address(one) && before.at[i] != address(two)
			&& before.at[i + 1] < in_one.at[i + 1]
			&& in_one.at[i + 1] < in_two.at[i + 1]) {
			*ret = i * WORD;
			return true;
		}
	return false;
}

/* ---- the tree --------------------------------------------------------------------------------- */

/* New reference to the object, of a type of this name or of any, that `object` refers to. */
static PyObject *referent(PyObject *object, const char *type)
{
	PyObject *gc = PyImport_ImportModule("gc"), *found = NULL;
	PyObject *list = gc ? PyObject_CallMethod(gc, "get_referents", "O", object) : NULL;

	for (Py_ssize_t i = 0; list && i < PyList_Size(list) && !found; i++) {
		PyObject *item = PyList_GetItem(list, i);
		PyObject *name = PyObject_GetAttrString((PyObject *)Py_TYPE(item), "__name__");

		if (name && (!type || PyUnicode_CompareWithASCIIString(name, type) == 0))
			Py_INCREF(found = item);
		Py_XDECREF(name);
	}
	Py_XDECREF(list);
	Py_XDECREF(gc);
	return found;
}

/* The type of the root of a context's tree, and the offsets on the way. */
static uint64_t root_type(PyObject *context, struct context_map *map)
{
	PyObject *vars = referent(context, "hamt");
	PyObject *root = vars ? referent(vars, NULL) : NULL;
	uint64_t type = 0;

	if (root) {
		map->context_vars = offset_of(context, vars);
		map->vars_root = offset_of(vars, root);
		if (map->context_vars && map->vars_root)
			type = address(Py_TYPE(root));
	}
	Py_XDECREF(root);
	Py_XDECREF(vars);
	return type;
}

static bool set_variable(const struct context_api *api, PyObject *variable, PyObject *value)
{
	PyObject *token = api->variable_set(variable, value);

	Py_XDECREF(token);
	return token != NULL;
}

/* Fills the context that is entered, and keeps the variables alive in `list`. */
static bool set_others(const struct context_api *api, PyObject *list)
{
	for (size_t i = 0; i < OTHERS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "other-%zu", i); // the hash is mostly that of the name
		PyObject *other = api->variable_new(name, NULL);
		bool done = other && set_variable(api, other, Py_None)
			&& PyList_Append(list, other) == 0;

		Py_XDECREF(other);
		if (!done)
			return false;
	}
	return true;
}

static uint32_t tree_hash(Py_hash_t hash)
{
	uint32_t folded = (uint32_t)(uint64_t)hash ^ (uint32_t)((uint64_t)hash >> 32);

	return folded == UINT32_MAX ? UINT32_MAX - 1 : folded;
}

/* ---- all of it -------------------------------------------------------------------------------- */

struct search {
	const struct context_api *api;
	PyObject *variable, *probe;
	PyObject *small, *large; // contexts
	PyObject *others;
	uint64_t key;
	struct context_map map;
};

static uint64_t seen(const struct search *s)
{
	return context_key(&s->map, address(PyThreadState_Get()));
}

/* In a context with nothing else. */
static bool search_small(struct search *s)
{
	if (!set_variable(s->api, s->variable, s->probe))
		return false;
	s->map.bitmap_type = root_type(s->small, &s->map);
	return s->map.bitmap_type && seen(s) == s->key;
}

/* In one with so much else that its tree has all kinds of nodes. */
static bool search_large(struct search *s)
{
	if (!set_others(s->api, s->others))
		return false;
	s->map.array_type = root_type(s->large, &s->map);
	if (!s->map.array_type || s->map.array_type == s->map.bitmap_type || seen(s))
		return false;
	return set_variable(s->api, s->variable, s->probe) && seen(s) == s->key;
}

static bool in_context(struct search *s, PyObject *context, bool (*search)(struct search *s))
{
	if (s->api->context_enter(context) < 0)
		return false;
	bool found = search(s);
	return s->api->context_exit(context) == 0 && found;
}

static bool search(struct search *s)
{
	Py_hash_t hash = PyObject_Hash(s->variable);

	s->small = s->api->context_new();
	s->large = s->api->context_new();
	s->others = PyList_New(0);
	if (!s->small || !s->large || !s->others || hash == -1)
		return false;
	s->map.hash = tree_hash(hash);
	return find_state_context(s->api, s->small, s->large, &s->map.state_context)
		&& in_context(s, s->small, search_small) && in_context(s, s->large, search_large);
}

bool context_map_find(
	PyObject *variable, PyObject *probe, size_t value_key, uint64_t *state_context_ret)
{
	struct search s = {
		.api = context_api(),
		.variable = variable,
		.probe = probe,
		.map = {
			.header = sizeof(PyObject),
			.variable = address(variable),
			.value_type = address(Py_TYPE(probe)),
			.value_key = value_key,
		},
	};

	if (!s.api)
		return false;
	memcpy(&s.key, (const char *)probe + value_key, sizeof(s.key));
	bool found = search(&s);
	PyErr_Clear();
	Py_XDECREF(s.small);
	Py_XDECREF(s.large);
	Py_XDECREF(s.others);
	if (found) {
		*state_context_ret = s.map.state_context;
		contexts_use(&s.map);
	}
	return found;
}

// SPDX-License-Identifier: MIT
#include "capture_options.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

enum option_type {
	OPTION_FLAG,     // bool
	OPTION_TIME,     // uint64_t, ns since the epoch; None: 0
	OPTION_TEXT,     // const char *, or None
	OPTION_ROWS,     // size_t
	OPTION_PERCENT,  // double
	OPTION_PATTERNS, // const char *[SELECTION_PATTERNS_MAX]: one, or a sequence
	OPTION_SPANS,    // the same, or the row of a span
	OPTION_CHOICE,   // enum
	OPTION_OBJECT,   // PyObject *, or None
};

struct choice {
	const char *name;
	int value;
};

static const struct choice modes[] = {
	{ "wall", VIEW_WALL },
	{ "cpu", VIEW_CPU },
	{ "gil", VIEW_GIL },
	{ "all", VIEW_ALL },
	{ NULL, 0 },
};

static const struct choice granularities[] = {
	{ "lines", VIEW_LINES },
	{ "functions", VIEW_FUNCTIONS },
	{ "files", VIEW_FILES },
	{ "modules", VIEW_MODULES },
	{ NULL, 0 },
};

static const struct choice shapes[] = {
	{ "table", TEXT_TABLE },
	{ "callers", TEXT_CALLERS },
	{ "callees", TEXT_CALLEES },
	{ "tree", TEXT_TREE },
	{ NULL, 0 },
};

struct option {
	const char *name;
	enum option_type type;
	size_t at;
	const struct choice *choices;
	bool exporting; // only for exporters
};

#define SELECTION(field) offsetof(struct capture_options, selection.field)
#define EXPORTED(field) offsetof(struct capture_options, exported.field)

static const struct option options[] = {
	{ "mode", OPTION_CHOICE, SELECTION(mode), modes, false },
	{ "granularity", OPTION_CHOICE, SELECTION(granularity), granularities, false },
	{ "from_ns", OPTION_TIME, SELECTION(from_ns), NULL, false },
	{ "to_ns", OPTION_TIME, SELECTION(to_ns), NULL, false },
	{ "span", OPTION_SPANS, SELECTION(spans), NULL, false },
	{ "thread", OPTION_PATTERNS, SELECTION(threads), NULL, false },
	{ "process", OPTION_PATTERNS, SELECTION(processes), NULL, false },
	{ "focus", OPTION_PATTERNS, SELECTION(focus), NULL, false },
	{ "ignore", OPTION_PATTERNS, SELECTION(ignore), NULL, false },
	{ "hide", OPTION_PATTERNS, SELECTION(hide), NULL, false },
	{ "root", OPTION_PATTERNS, SELECTION(root), NULL, false },
	{ "collapse_recursion", OPTION_FLAG, SELECTION(collapse_recursion), NULL, false },
	{ "min_percent", OPTION_PERCENT, SELECTION(min_percent), NULL, false },
	{ "threads", OPTION_FLAG, SELECTION(thread_roots), NULL, false },
	{ "processes", OPTION_FLAG, SELECTION(process_roots), NULL, false },
	{ "title", OPTION_TEXT, EXPORTED(title), NULL, true },
	{ "no_lines", OPTION_FLAG, EXPORTED(no_lines), NULL, true },
	{ "full_paths", OPTION_FLAG, EXPORTED(full_paths), NULL, true },
	{ "inverted", OPTION_FLAG, EXPORTED(inverted), NULL, true },
	{ "shape", OPTION_CHOICE, EXPORTED(shape), shapes, true },
	{ "rows", OPTION_ROWS, EXPORTED(rows), NULL, true },
	{ "color", OPTION_FLAG, EXPORTED(color), NULL, true },
	{ "sources", OPTION_OBJECT, offsetof(struct capture_options, sources), NULL, true },
	{ "fd", OPTION_OBJECT, offsetof(struct capture_options, fd), NULL, true },
	{ "baseline", OPTION_OBJECT, offsetof(struct capture_options, baseline), NULL, true },
};

/* ---- values ----------------------------------------------------------------------------------- */

/* The text stays as long as the object, which is kept. NULL with an exception. */
static const char *text_of(struct capture_options *o, PyObject *value, const char *name)
{
	const char *text = NULL;

	if (!PyUnicode_Check(value))
		PyErr_Format(PyExc_TypeError, "%s: a str is expected", name);
	else if (PyList_Append(o->keep, value) == 0 && PyArg_Parse(value, "s", &text))
		return text;
	return NULL;
}

static bool set_text(struct capture_options *o, const char **field, PyObject *value,
	const char *name)
{
	if (value == Py_None)
		return true;
	*field = text_of(o, value, name);
	return *field != NULL;
}

static bool add_pattern(struct capture_options *o, const char **patterns, PyObject *value,
	const char *name)
{
	size_t count = 0;

	while (count < SELECTION_PATTERNS_MAX && patterns[count])
		count++;
	if (count == SELECTION_PATTERNS_MAX) {
		PyErr_Format(PyExc_ValueError, "%s: more than %d patterns; join some with |", name,
			SELECTION_PATTERNS_MAX);
		return false;
	}
	patterns[count] = text_of(o, value, name);
	return patterns[count] != NULL;
}

static bool set_patterns(struct capture_options *o, const char **patterns, PyObject *value,
	const char *name)
{
	if (value == Py_None)
		return true;
	if (PyUnicode_Check(value))
		return add_pattern(o, patterns, value, name);
	Py_ssize_t count = PySequence_Size(value);
	for (Py_ssize_t i = 0; i < count; i++) {
		PyObject *item = PySequence_GetItem(value, i);
		bool added = item && add_pattern(o, patterns, item, name);

		Py_XDECREF(item);
		if (!added)
			return false;
	}
	return count >= 0;
}

static bool set_spans(struct capture_options *o, const char **patterns, PyObject *value,
	const char *name)
{
	if (!PyLong_Check(value))
		return set_patterns(o, patterns, value, name);
	unsigned long row = PyLong_AsUnsignedLong(value);
	if (PyErr_Occurred())
		return false;
	o->selection.span = row < UINT32_MAX ? (uint32_t)row + 1 : UINT32_MAX;
	return true;
}

static bool set_choice(void *field, const struct choice *choices, PyObject *value,
	const char *name)
{
	_cleanup_buf_ struct buf known = BUF_INIT;
	const char *text;

	if (!PyUnicode_Check(value)) {
		PyErr_Format(PyExc_TypeError, "%s: a str is expected", name);
		return false;
	}
	if (!PyArg_Parse(value, "s", &text))
		return false;
	for (const struct choice *c = choices; c->name; c++) {
		if (strcmp(c->name, text) == 0) {
			memcpy(field, &c->value, sizeof(c->value));
			return true;
		}
		buf_printf(&known, "%s%s", c == choices ? "" : ", ", c->name);
	}
	PyErr_Format(PyExc_ValueError, "%s: there is no '%s'; there are %s", name, text,
		buf_str(&known));
	return false;
}

static bool set_percent(double *field, PyObject *value)
{
	double percent = PyFloat_AsDouble(value);

	if (PyErr_Occurred())
		return false;
	if (!isfinite(percent) || percent < 0 || percent > 100) {
		PyErr_SetString(PyExc_ValueError, "min_percent: give a number from 0 to 100");
		return false;
	}
	*field = percent;
	return true;
}

static bool set_flag(bool *field, PyObject *value)
{
	int is = PyObject_IsTrue(value);

	*field = is == 1;
	return is >= 0;
}

static bool set_time(uint64_t *field, PyObject *value)
{
	if (value == Py_None)
		return true;
	*field = PyLong_AsUnsignedLongLong(value);
	return !PyErr_Occurred();
}

static bool set_rows(size_t *field, PyObject *value)
{
	if (value == Py_None)
		return true;
	*field = PyLong_AsSize_t(value);
	return !PyErr_Occurred();
}

static bool set_option(struct capture_options *o, const struct option *option, PyObject *value)
{
	void *field = (char *)o + option->at;

	switch (option->type) {
	case OPTION_FLAG:
		return set_flag(field, value);
	case OPTION_TIME:
		return set_time(field, value);
	case OPTION_TEXT:
		return set_text(o, field, value, option->name);
	case OPTION_ROWS:
		return set_rows(field, value);
	case OPTION_PERCENT:
		return set_percent(field, value);
	case OPTION_PATTERNS:
		return set_patterns(o, field, value, option->name);
	case OPTION_SPANS:
		return set_spans(o, field, value, option->name);
	case OPTION_CHOICE:
		return set_choice(field, option->choices, value, option->name);
	case OPTION_OBJECT:
		*(PyObject **)field = value == Py_None ? NULL : value;
		return true;
	}
	return false;
}

/* ---- all of them ------------------------------------------------------------------------------ */

static bool set_named(struct capture_options *o, PyObject *key, PyObject *value, bool exporting)
{
	const char *name;

	if (!PyArg_Parse(key, "s", &name))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (strcmp(options[i].name, name) != 0 || (options[i].exporting && !exporting))
			continue;
		o->selects |= !options[i].exporting;
		return set_option(o, &options[i], value);
	}
	PyErr_Format(PyExc_TypeError, "there is no option '%s'", name);
	return false;
}

bool capture_options_init(struct capture_options *o, PyObject *kwargs, bool exporting)
{
	PyObject *key, *value;
	Py_ssize_t at = 0;

	*o = (struct capture_options){ .keep = PyList_New(0) };
	if (!o->keep)
		return false;
	while (kwargs && PyDict_Next(kwargs, &at, &key, &value)) {
		if (set_named(o, key, value, exporting))
			continue;
		capture_options_deinit(o);
		return false;
	}
	return true;
}

void capture_options_deinit(struct capture_options *o)
{
	Py_CLEAR(o->keep);
}

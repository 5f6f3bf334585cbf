// SPDX-License-Identifier: MIT
#include "capture_object.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "capture_options.h"
#include "store/view.h"

/* Of a function, or of a line of one: by row of the view's functions or frames. */
struct stat_row {
	uint64_t self, total, self_cpu_ns, total_cpu_ns;
	uint32_t id;
	stack_id seen; // the last stack that it was counted in, plus 1: once, however often it is there
};

struct stats {
	struct view *view;
	bool by_line;
	struct stat_row *rows;
	size_t count;
};

static void stats_deinit(struct stats *s)
{
	view_destroy(s->view);
	free(s->rows);
}

#define _cleanup_stats_ _cleanup_(stats_deinit)

/* ---- adding up -------------------------------------------------------------------------------- */

static void count_stack(struct stats *s, const struct profile *p, stack_id id, bool cpu)
{
	uint64_t weight = p->weights[id];
	bool leaf = true;

	for (stack_id at = id; at != STACK_NONE; at = p->stacks[at].parent, leaf = false) {
		frame_id frame = p->stacks[at].frame;
		struct stat_row *row = &s->rows[s->by_line ? frame : p->frames[frame].function];

		if (leaf)
			*(cpu ? &row->self_cpu_ns : &row->self) += weight;
		if (row->seen == id + 1)
			continue;
		row->seen = id + 1;
		*(cpu ? &row->total_cpu_ns : &row->total) += weight;
	}
}

static struct err *add_up(struct stats *s, enum view_weight weight)
{
	const struct profile *p;
	struct err *err = view_profile(s->view, weight, &p);

	if (err)
		return err;
	size_t count = s->by_line ? p->frame_count : p->function_count;
	if (!s->rows) {
		s->rows = xcalloc(count, sizeof(*s->rows));
		s->count = count;
	}
	for (size_t i = 0; i < s->count; i++)
		s->rows[i].seen = 0;
	for (stack_id i = 0; i < p->stack_count; i++)
		if (p->weights[i])
			count_stack(s, p, i, weight == VIEW_CPU_NS);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const struct stat_row *x = a, *y = b;

	if (x->self != y->self)
		return x->self < y->self ? 1 : -1;
	if (x->total != y->total)
		return x->total < y->total ? 1 : -1;
	return (x->id > y->id) - (x->id < y->id);
}

static struct err *gather(
	struct stats *s, const struct capture *c, const struct selection *selection)
{
	struct err *err = view_create(&s->view, c, selection);

	if (!err)
		err = add_up(s, VIEW_COUNTS);
	if (!err)
		err = add_up(s, VIEW_CPU_NS);
	if (err)
		return err;
	for (size_t i = 0; i < s->count; i++)
		s->rows[i].id = (uint32_t)i;
	if (s->count)
		qsort(s->rows, s->count, sizeof(*s->rows), compare);
	return NULL;
}

/* False with an exception. */
static bool stats_init(struct stats *s, PyObject *self, PyObject *args, PyObject *kwargs)
{
	struct capture_object *c = capture_of(self);
	struct capture_options options;
	struct err *err;

	if (!PyArg_ParseTuple(args, "") || !capture_options_init(&options, kwargs, false))
		return false;
	if (!capture_lock(c)) {
		capture_options_deinit(&options);
		return false;
	}
	Py_BEGIN_ALLOW_THREADS
	err = gather(s, &c->capture, &options.selection);
	Py_END_ALLOW_THREADS
	capture_unlock(c);
	capture_options_deinit(&options);
	if (err)
		ext_raise(err);
	return !err;
}

/* ---- rows ------------------------------------------------------------------------------------- */

/* What one of a view's counts lasts; 0: they are no time. */
static uint64_t count_ns(const struct capture *c, const struct view *v)
{
	const char *unit = capture_fact(c, FACT_UNIT);

	if (unit && (strcmp(unit, "ns") == 0 || strcmp(unit, "nanoseconds") == 0))
		return 1;
	return unit ? 0 : view_period_ns(v);
}

static PyObject *time_of(uint64_t count, uint64_t each_ns)
{
	if (each_ns)
		return PyLong_FromUnsignedLongLong(count * each_ns);
	Py_INCREF(Py_None);
	return Py_None;
}

static bool put_numbers(PyObject *row, const struct stat_row *r, uint64_t each_ns)
{
	return capture_put(row, "self", PyLong_FromUnsignedLongLong(r->self)) &&
		capture_put(row, "total", PyLong_FromUnsignedLongLong(r->total)) &&
		capture_put(row, "self_ns", time_of(r->self, each_ns)) &&
		capture_put(row, "total_ns", time_of(r->total, each_ns)) &&
		capture_put(row, "self_cpu_ns", PyLong_FromUnsignedLongLong(r->self_cpu_ns)) &&
		capture_put(row, "total_cpu_ns", PyLong_FromUnsignedLongLong(r->total_cpu_ns));
}

static bool put_function(PyObject *row, const struct profile *p, const struct store_function *f)
{
	static const char *const kinds[] = {
		[FUNCTION_PYTHON] = "python",
		[FUNCTION_THREAD] = "thread",
		[FUNCTION_MARK] = "mark",
		[FUNCTION_PLACE] = "place",
	};

	return capture_put(row, "function", capture_str(profile_text(p, f->name))) &&
		capture_put(row, "file", capture_str(profile_text(p, f->file))) &&
		capture_put(row, "first_line", PyLong_FromUnsignedLong(f->first_line)) &&
		capture_put(row, "kind", capture_str(kinds[f->kind]));
}

static PyObject *stat_dict(const struct stats *s, const struct stat_row *r, uint64_t each_ns)
{
	const struct profile *p = view_tables(s->view);
	const struct store_frame *frame = s->by_line ? &p->frames[r->id] : NULL;
	const struct store_function *f = &p->functions[frame ? frame->function : r->id];
	PyObject *row = PyDict_New();

	if (row && put_function(row, p, f) &&
		(!frame || capture_put(row, "line", PyLong_FromUnsignedLong(frame->line))) &&
		put_numbers(row, r, each_ns))
		return row;
	Py_XDECREF(row);
	return NULL;
}

static PyObject *stat_list(PyObject *self, PyObject *args, PyObject *kwargs, bool by_line)
{
	_cleanup_stats_ struct stats s = { .by_line = by_line };

	if (!stats_init(&s, self, args, kwargs))
		return NULL;
	uint64_t each_ns = count_ns(&capture_of(self)->capture, s.view);
	PyObject *list = PyList_New(0);
	for (size_t i = 0; list && i < s.count; i++)
		if (s.rows[i].total && !capture_append(list, stat_dict(&s, &s.rows[i], each_ns)))
			Py_CLEAR(list);
	return list;
}

PyObject *capture_functions(PyObject *self, PyObject *args, PyObject *kwargs)
{
	return stat_list(self, args, kwargs, false);
}

PyObject *capture_lines(PyObject *self, PyObject *args, PyObject *kwargs)
{
	return stat_list(self, args, kwargs, true);
}

/* ---- counts ----------------------------------------------------------------------------------- */

static struct err *run_through(
	struct view_counts *ret, const struct capture *c, const struct selection *selection)
{
	struct view *v;
	const struct profile *p;
	struct err *err = view_create(&v, c, selection);

	if (err)
		return err;
	err = view_profile(v, VIEW_COUNTS, &p);
	*ret = *view_counts(v);
	view_destroy(v);
	return err;
}

PyObject *capture_counts(PyObject *self, PyObject *args, PyObject *kwargs)
{
	struct capture_object *c = capture_of(self);
	struct view_counts n = { 0 };
	struct capture_options options;
	struct err *err;

	if (!PyArg_ParseTuple(args, "") || !capture_options_init(&options, kwargs, false))
		return NULL;
	if (!capture_lock(c)) {
		capture_options_deinit(&options);
		return NULL;
	}
	Py_BEGIN_ALLOW_THREADS
	err = run_through(&n, &c->capture, &options.selection);
	Py_END_ALLOW_THREADS
	capture_unlock(c);
	capture_options_deinit(&options);
	if (err)
		return ext_raise(err);
	return Py_BuildValue("{s:K,s:K,s:K,s:K,s:K}", "shown", n.shown, "left_out", n.left_out,
		"unreadable", n.unreadable, "cut", n.cut, "lost", n.lost);
}

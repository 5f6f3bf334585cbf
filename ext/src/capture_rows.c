// SPDX-License-Identifier: MIT
#include "capture_object.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/* What the samples of a thread, or of a span, add up to. */
struct sum {
	uint64_t samples, cpu_ns;
};

static PyObject *text(const struct capture *c, string_id id)
{
	return capture_str(capture_text(c, id));
}

static PyObject *number(uint64_t n)
{
	return PyLong_FromUnsignedLongLong(n);
}

static PyObject *none(void)
{
	Py_INCREF(Py_None);
	return Py_None;
}

static PyObject *number_or_none(uint64_t n, bool known)
{
	return known ? number(n) : none();
}

/* A row, or None for `missing`. */
static PyObject *row_or_none(uint32_t row, uint32_t missing)
{
	return number_or_none(row, row != missing);
}

static void span_deinit_sums(struct sum **sums)
{
	free(*sums);
}

#define _cleanup_sums_ _cleanup_(span_deinit_sums)

/* ---- facts ------------------------------------------------------------------------------------ */

PyObject *capture_facts(PyObject *self, PyObject *unused)
{
	const struct capture *c = &capture_of(self)->capture;
	PyObject *dict = PyDict_New();

	(void)unused;
	for (size_t i = 0; dict && i < c->fact_count; i++)
		if (!capture_put(dict, capture_text(c, c->facts[i].key), text(c, c->facts[i].value)))
			Py_CLEAR(dict);
	return dict;
}

/* ---- processes -------------------------------------------------------------------------------- */

static PyObject *process_row(const struct capture *c, size_t i)
{
	const struct capture_process *p = &c->processes[i];
	PyObject *row = PyDict_New();

	if (row && capture_put(row, "process", number(i)) && capture_put(row, "pid", number(p->pid)) &&
		capture_put(row, "name", text(c, p->name)) &&
		capture_put(row, "command", text(c, p->command)) &&
		capture_put(row, "start_ns", number(p->start_ns)) &&
		capture_put(row, "end_ns", number_or_none(p->end_ns, p->end_ns)))
		return row;
	Py_XDECREF(row);
	return NULL;
}

PyObject *capture_processes(PyObject *self, PyObject *unused)
{
	const struct capture *c = &capture_of(self)->capture;
	PyObject *list = PyList_New(0);

	(void)unused;
	for (size_t i = 0; list && i < c->process_count; i++)
		if (!capture_append(list, process_row(c, i)))
			Py_CLEAR(list);
	return list;
}

/* ---- sums ------------------------------------------------------------------------------------- */

static void add(struct sum *sum, const struct capture_sample *s)
{
	sum->samples += s->count;
	sum->cpu_ns += s->cpu_ns;
}

/* Either may be NULL. A capture is outside bytes: rows that there are not are left out. */
static struct err *sum_up(const struct capture *c, struct sum *threads, struct sum *spans)
{
	struct capture_cursor cursor;
	const struct capture_sample *s;

	capture_cursor_init(&cursor, c);
	while ((s = capture_cursor_next(&cursor)) != NULL) {
		if (threads && s->thread < c->thread_count)
			add(&threads[s->thread], s);
		if (spans && s->span && s->span <= c->span_count)
			add(&spans[s->span - 1], s);
	}
	struct err *err = capture_cursor_error(&cursor);
	capture_cursor_deinit(&cursor);
	return err;
}

/* False with an exception. */
static bool sums_of(PyObject *self, struct sum *threads, struct sum *spans)
{
	struct capture_object *c = capture_of(self);
	struct err *err;

	if (!capture_lock(c))
		return false;
	Py_BEGIN_ALLOW_THREADS
	err = sum_up(&c->capture, threads, spans);
	Py_END_ALLOW_THREADS
	capture_unlock(c);
	if (err)
		ext_raise(err);
	return !err;
}

static bool put_sum(PyObject *row, const struct sum *sum)
{
	return capture_put(row, "samples", number(sum->samples)) &&
		capture_put(row, "cpu_ns", number(sum->cpu_ns));
}

/* ---- threads ---------------------------------------------------------------------------------- */

static PyObject *thread_row(const struct capture *c, size_t i, const struct sum *sum)
{
	const struct capture_thread *t = &c->threads[i];
	uint64_t pid = t->process < c->process_count ? c->processes[t->process].pid : 0;
	PyObject *row = PyDict_New();

	if (row && capture_put(row, "thread", number(i)) &&
		capture_put(row, "process", number(t->process)) &&
		capture_put(row, "pid", number(pid)) && capture_put(row, "tid", number(t->tid)) &&
		capture_put(row, "name", text(c, t->name)) &&
		capture_put(row, "main", PyBool_FromLong(t->main)) &&
		capture_put(row, "start_ns", number(t->start_ns)) &&
		capture_put(row, "end_ns", number_or_none(t->end_ns, t->end_ns)) && put_sum(row, sum))
		return row;
	Py_XDECREF(row);
	return NULL;
}

PyObject *capture_threads(PyObject *self, PyObject *unused)
{
	const struct capture *c = &capture_of(self)->capture;
	_cleanup_sums_ struct sum *sums = xcalloc(c->thread_count, sizeof(*sums));

	(void)unused;
	if (!sums_of(self, sums, NULL))
		return NULL;
	PyObject *list = PyList_New(0);
	for (size_t i = 0; list && i < c->thread_count; i++)
		if (!capture_append(list, thread_row(c, i, &sums[i])))
			Py_CLEAR(list);
	return list;
}

/* ---- spans ------------------------------------------------------------------------------------ */

/* Each one's own sums to all that it lies in; parents come before, so none is its own ancestor. */
static void add_to_parents(const struct capture *c, struct sum *sums)
{
	for (size_t i = c->span_count; i-- > 0;) {
		uint32_t parent = c->spans[i].parent;

		if (!parent || parent > i)
			continue;
		sums[parent - 1].samples += sums[i].samples;
		sums[parent - 1].cpu_ns += sums[i].cpu_ns;
	}
}

static PyObject *span_row(const struct capture *c, size_t i, const struct sum *sum)
{
	const struct capture_span *s = &c->spans[i];
	PyObject *row = PyDict_New();

	if (row && capture_put(row, "span", number(i)) && capture_put(row, "name", text(c, s->name)) &&
		capture_put(row, "text", text(c, s->text)) &&
		capture_put(row, "process", number(s->process)) &&
		capture_put(row, "thread", row_or_none(s->thread, CAPTURE_NONE)) &&
		capture_put(row, "parent", s->parent ? number(s->parent - 1) : none()) &&
		capture_put(row, "start_ns", number(s->start_ns)) &&
		capture_put(row, "end_ns", number_or_none(s->end_ns, s->end_ns)) && put_sum(row, sum))
		return row;
	Py_XDECREF(row);
	return NULL;
}

PyObject *capture_spans(PyObject *self, PyObject *unused)
{
	const struct capture *c = &capture_of(self)->capture;
	_cleanup_sums_ struct sum *sums = xcalloc(c->span_count, sizeof(*sums));

	(void)unused;
	if (c->span_count && !sums_of(self, NULL, sums))
		return NULL;
	add_to_parents(c, sums);
	PyObject *list = PyList_New(0);
	for (size_t i = 0; list && i < c->span_count; i++)
		if (!capture_append(list, span_row(c, i, &sums[i])))
			Py_CLEAR(list);
	return list;
}

/* ---- markers and losses ----------------------------------------------------------------------- */

static PyObject *marker_row(const struct capture *c, const struct capture_marker *m)
{
	PyObject *row = PyDict_New();

	if (row && capture_put(row, "name", text(c, m->name)) &&
		capture_put(row, "text", text(c, m->text)) &&
		capture_put(row, "process", row_or_none(m->process, CAPTURE_NONE)) &&
		capture_put(row, "thread", row_or_none(m->thread, CAPTURE_NONE)) &&
		capture_put(row, "start_ns", number(m->start_ns)) &&
		capture_put(row, "end_ns", number(m->end_ns)))
		return row;
	Py_XDECREF(row);
	return NULL;
}

PyObject *capture_markers(PyObject *self, PyObject *unused)
{
	const struct capture *c = &capture_of(self)->capture;
	PyObject *list = PyList_New(0);

	(void)unused;
	for (size_t i = 0; list && i < c->marker_count; i++)
		if (!capture_append(list, marker_row(c, &c->markers[i])))
			Py_CLEAR(list);
	return list;
}

PyObject *capture_losses(PyObject *self, PyObject *unused)
{
	static const char *const names[] = {
		[LOSS_MISSED] = "missed", [LOSS_ROOM] = "room", [LOSS_SPACE] = "space"
	};
	const struct capture *c = &capture_of(self)->capture;
	uint64_t counts[ARRAY_LEN(names)] = { 0 };
	PyObject *dict = PyDict_New();

	(void)unused;
	for (size_t i = 0; i < c->loss_count; i++)
		if (c->losses[i].kind < ARRAY_LEN(names))
			counts[c->losses[i].kind] += c->losses[i].count;
	for (size_t i = 0; dict && i < ARRAY_LEN(names); i++)
		if (!capture_put(dict, names[i], number(counts[i])))
			Py_CLEAR(dict);
	return dict;
}

/* ---- the whole -------------------------------------------------------------------------------- */

PyObject *capture_extent(PyObject *self, PyObject *unused)
{
	struct capture_object *o = capture_of(self);
	const struct capture *c = &o->capture;
	PyObject *dict = PyDict_New();

	(void)unused;
	if (dict && capture_put(dict, "first_ns", number(capture_first_ns(c))) &&
		capture_put(dict, "last_ns", number(capture_last_ns(c))) &&
		capture_put(dict, "samples", number(capture_samples(c))) &&
		capture_put(dict, "period_ns", number(capture_fact_u64(c, FACT_PERIOD_NS, 0))) &&
		capture_put(dict, "finished", PyBool_FromLong(!o->native || o->info.finished)) &&
		capture_put(dict, "cut", PyBool_FromLong(o->native && o->info.cut)))
		return dict;
	Py_XDECREF(dict);
	return NULL;
}

// SPDX-License-Identifier: MIT
#include "capture_object.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "capture_options.h"
#include "export/export.h"
#include "os/syscall_name.h"
#include "store/view.h"

#define NATIVE_FORMAT "fgc"

/* Source files, as the package finds them: a callable(file) that gives (text, note) or None. */
struct python_sources {
	struct export_sources exported;
	PyObject *find;
	PyThreadState *thread; // that gave up the GIL
	PyObject *given;       // the tuple whose texts the exporter has
	bool failed;           // with the exception set
};

struct exporting {
	struct capture_object *capture;
	struct capture_options options;
	const struct exporter *exporter; // NULL: the capture itself
	struct buf title, command, unit;
	struct python_sources sources;
	struct view *view;
	// another capture, to be compared with
	struct capture_object *before;
	struct exporting *baseline;
	struct export_baseline exported_baseline;
};

/* ---- source files ----------------------------------------------------------------------------- */

static bool find_source(struct python_sources *s, const char *file, struct export_source *ret)
{
	Py_ssize_t len;

	Py_CLEAR(s->given);
	s->given = PyObject_CallFunction(s->find, "N", capture_str(file));
	if (!s->given || s->given == Py_None)
		return false;
	if (!PyArg_ParseTuple(s->given, "s#s", &ret->text, &len, &ret->note))
		return false;
	ret->len = (size_t)len;
	return true;
}

static bool find(void *data, const char *file, struct export_source *ret)
{
	struct python_sources *s = data;

	if (s->failed)
		return false;
	PyEval_RestoreThread(s->thread);
	bool found = find_source(s, file, ret);
	s->failed = !found && PyErr_Occurred();
	s->thread = PyEval_SaveThread();
	return found;
}

/* ---- what exporters are told ------------------------------------------------------------------ */

static void add_title(struct buf *out, const struct capture *c)
{
	const char *python = capture_fact(c, FACT_PYTHON);

	if (!python)
		buf_add_str(out, "fireglass");
	else if (c->process_count == 1)
		buf_printf(out, "Python %s, process %u", python, c->processes[0].pid);
	else
		buf_printf(out, "Python %s, %zu processes", python, c->process_count);
}

/* System calls have other numbers on other machines. */
static bool is_of_this_machine(const struct capture *c)
{
	const char *arch = capture_fact(c, FACT_ARCH);
	struct utsname machine;

	return arch && uname(&machine) == 0 && strcmp(arch, machine.machine) == 0;
}

static void describe(struct exporting *e)
{
	const struct capture *c = &e->capture->capture;
	struct export_options *o = &e->options.exported;
	const char *unit = capture_fact(c, FACT_UNIT);
	uint64_t period_ns = capture_fact_u64(c, FACT_PERIOD_NS, 0);

	add_title(&e->title, c);
	if (c->process_count == 1)
		buf_add_str(&e->command, capture_text(c, c->processes[0].command));
	if (unit)
		buf_printf(&e->unit, "1 %s", unit);
	else if (period_ns)
		units_add_duration(&e->unit, period_ns);
	o->title = o->title ? o->title : buf_str(&e->title);
	o->command = e->command.len ? buf_str(&e->command) : NULL;
	o->unit = e->unit.len ? buf_str(&e->unit) : NULL;
	o->cwd = capture_fact(c, FACT_CWD);
	o->functions = e->options.selection.granularity == VIEW_FUNCTIONS;
	o->period_ns = period_ns;
	o->syscall_name = is_of_this_machine(c) ? syscall_name : NULL;
	// threads of one name in several processes are not one
	if (e->options.selection.thread_roots && c->process_count > 1)
		e->options.selection.process_roots = true;
	if (e->options.sources) {
		e->sources.find = e->options.sources;
		e->sources.exported = (struct export_sources){ .find = find, .data = &e->sources };
		o->sources = &e->sources.exported;
	}
}

static void exporting_deinit(struct exporting *e)
{
	view_destroy(e->view);
	buf_deinit(&e->title);
	buf_deinit(&e->command);
	buf_deinit(&e->unit);
	Py_CLEAR(e->sources.given);
	capture_options_deinit(&e->options);
}

/* ---- writing ---------------------------------------------------------------------------------- */

static struct err *make_view(struct exporting *e)
{
	return view_create(&e->view, &e->capture->capture, &e->options.selection);
}

static struct err *write_out(struct exporting *e, FILE *out)
{
	struct err *err = NULL;

	if (!e->exporter)
		return capture_file_write(fileno(out), &e->capture->capture);
	if (e->baseline) {
		// ids differ between runs: all threads would be new and gone
		e->options.selection.roots_by_name = true;
		e->baseline->options.selection.roots_by_name = true;
		err = make_view(e->baseline);
		e->exported_baseline = (struct export_baseline){
			e->baseline->view, &e->baseline->options.exported
		};
		e->options.exported.baseline = &e->exported_baseline;
	}
	if (!err)
		err = make_view(e);
	return err ? err : export_view(e->exporter, out, e->view, &e->options.exported);
}

static struct err *close_stream(FILE *out, struct err *err)
{
	bool failed = ferror(out) || fflush(out) != 0;
	int errnum = errno;

	if (fclose(out) != 0 && !failed) {
		failed = true;
		errnum = errno;
	}
	if (failed && !err)
		err = err_errno(errnum, "cannot write");
	return err;
}

/* The locks of both captures, always in the same order. */
static bool lock_both(struct capture_object *a, struct capture_object *b)
{
	if (b && a > b)
		return lock_both(b, a);
	if (!capture_lock(a))
		return false;
	if (!b || b == a || capture_lock(b))
		return true;
	capture_unlock(a);
	return false;
}

static bool run(struct exporting *e, FILE *out)
{
	struct err *err;

	if (!lock_both(e->capture, e->before)) {
		fclose(out);
		return false;
	}
	e->sources.thread = PyEval_SaveThread();
	err = close_stream(out, write_out(e, out));
	PyEval_RestoreThread(e->sources.thread);
	capture_unlock(e->capture);
	if (e->before && e->before != e->capture)
		capture_unlock(e->before);
	if (!err)
		return !e->sources.failed;
	if (!e->sources.failed)
		ext_raise(err);
	else
		err_free(err);
	return false;
}

static PyObject *to_fd(struct exporting *e, int fd)
{
	int own = dup(fd);
	FILE *out = own < 0 ? NULL : fdopen(own, "wb");

	if (!out) {
		PyErr_SetFromErrno(PyExc_OSError);
		if (own >= 0)
			close(own);
		return NULL;
	}
	if (!run(e, out))
		return NULL;
	Py_INCREF(Py_None);
	return Py_None;
}

static PyObject *to_bytes(struct exporting *e)
{
	_cleanup_free_ char *bytes = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&bytes, &len);

	if (!out)
		return PyErr_NoMemory();
	if (!run(e, out))
		return NULL;
	return PyBytes_FromStringAndSize(bytes, (Py_ssize_t)len);
}

/* ---- the method ------------------------------------------------------------------------------- */

static bool choose_format(struct exporting *e, const char *format, bool bytes)
{
	e->exporter = export_find(format);
	if (e->exporter)
		return true;
	if (strcmp(format, NATIVE_FORMAT) != 0)
		PyErr_Format(PyExc_ValueError,
			"there is no format '%s'; fireglass.formats() names all", format);
	else if (bytes)
		PyErr_SetString(PyExc_ValueError, "a capture is written to a file; give fd");
	else if (e->options.selects)
		PyErr_SetString(PyExc_ValueError,
			"a capture keeps everything; a selection is for the other formats");
	else
		return true;
	return false;
}

static bool add_baseline(PyObject *self, struct exporting *e, struct exporting *before,
	PyObject *kwargs)
{
	if (!e->options.baseline)
		return true;
	if (!capture_check(self, e->options.baseline) ||
		!capture_options_init(&before->options, kwargs, true))
		return false;
	before->capture = e->before = capture_of(e->options.baseline);
	// times of the one say nothing of the other
	before->options.selection.from_ns = before->options.selection.to_ns = 0;
	before->options.exported.title = NULL;
	before->options.sources = NULL;
	describe(before);
	e->baseline = before;
	return true;
}

PyObject *capture_export(PyObject *self, PyObject *args, PyObject *kwargs)
{
	struct exporting e = { .capture = capture_of(self) }, before = { 0 };
	PyObject *fd = NULL, *result = NULL;
	const char *format;

	if (!PyArg_ParseTuple(args, "s|O:export", &format, &fd) ||
		!capture_options_init(&e.options, kwargs, true))
		return NULL;
	fd = fd ? fd : e.options.fd ? e.options.fd : Py_None;
	if (choose_format(&e, format, fd == Py_None) && add_baseline(self, &e, &before, kwargs)) {
		describe(&e);
		if (fd == Py_None) {
			result = to_bytes(&e);
		} else {
			int number = PyObject_AsFileDescriptor(fd);

			result = number < 0 ? NULL : to_fd(&e, number);
		}
	}
	exporting_deinit(&before);
	exporting_deinit(&e);
	return result;
}

PyObject *capture_formats(PyObject *module, PyObject *unused)
{
	PyObject *list = PyList_New(0);

	(void)module;
	(void)unused;
	for (size_t i = 0; list && exporters[i]; i++)
		if (!capture_append(list, Py_BuildValue("(sss)", exporters[i]->name,
						  exporters[i]->extension, exporters[i]->summary)))
			Py_CLEAR(list);
	return list;
}

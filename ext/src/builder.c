// SPDX-License-Identifier: MIT
/*
 * Builder: a capture file of what somebody else has seen, row by row. Calls may come from any thread.
 */
#include "ext.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "os/proc.h"
#include "store/capture_file.h"

#define COMMAND_LINE_BYTES 4096

struct builder_object {
	PyObject_HEAD
	struct capture capture;
	struct capture_writer *writer; // NULL: not begun
	bool finished;
	pthread_mutex_t lock;
};

static struct builder_object *of(PyObject *self)
{
	return (struct builder_object *)(void *)self;
}

/* ---- helpers ---------------------------------------------------------------------------------- */

/* Waits without the GIL. False with an exception if the capture is finished. */
static bool begin(struct builder_object *b)
{
	if (pthread_mutex_trylock(&b->lock) != 0) {
		Py_BEGIN_ALLOW_THREADS
		pthread_mutex_lock(&b->lock);
		Py_END_ALLOW_THREADS
	}
	if (!b->finished)
		return true;
	pthread_mutex_unlock(&b->lock);
	PyErr_SetString(PyExc_ValueError, "this capture is finished");
	return false;
}

static void end(struct builder_object *b)
{
	pthread_mutex_unlock(&b->lock);
}

static PyObject *none(void)
{
	Py_INCREF(Py_None);
	return Py_None;
}

static PyObject *bad(const char *what)
{
	PyErr_Format(PyExc_ValueError, "there is no such %s", what);
	return NULL;
}

/* Names of files may have bytes that are no text; what is no UTF-8 then is repaired. */
static bool add_text(struct buf *out, PyObject *text)
{
	char *bytes;
	Py_ssize_t len;

	if (!PyUnicode_Check(text)) {
		PyErr_SetString(PyExc_TypeError, "a str is expected");
		return false;
	}
	PyObject *encoded = PyUnicode_AsEncodedString(text, "utf-8", "surrogateescape");
	if (!encoded) {
		PyErr_Clear();
		encoded = PyUnicode_AsEncodedString(text, "utf-8", "replace");
	}
	if (!encoded)
		return false;
	if (PyBytes_AsStringAndSize(encoded, &bytes, &len) == 0)
		utf8_add_bytes(out, bytes, (size_t)len);
	Py_DECREF(encoded);
	// an embedded NUL ends it
	return !PyErr_Occurred();
}

/* ---- life ------------------------------------------------------------------------------------- */

static void describe(struct capture *c)
{
	_cleanup_buf_ struct buf command = BUF_INIT, cwd = BUF_INIT;
	struct utsname machine;

	proc_command_line(getpid(), COMMAND_LINE_BYTES, &command);
	const struct capture_process row = {
		.pid = (uint32_t)getpid(),
		.name = capture_string(c, "python"),
		.command = capture_string(c, buf_str(&command)),
		.start_ns = clock_wall_ns(),
	};
	capture_add_process(c, &row);
	capture_set_fact(c, FACT_TOOL, "fireglass " FIREGLASS_VERSION);
	capture_set_fact(c, FACT_CLOCK, "CLOCK_REALTIME");
	capture_set_fact_u64(c, FACT_START_NS, row.start_ns);
	proc_link(getpid(), "cwd", &cwd);
	if (cwd.len)
		capture_set_fact(c, FACT_CWD, buf_str(&cwd));
	if (uname(&machine) != 0)
		return;
	capture_set_fact(c, FACT_HOST, machine.nodename);
	capture_set_fact(c, FACT_KERNEL, machine.release);
	capture_set_fact(c, FACT_ARCH, machine.machine);
}

static bool set_fact(struct capture *c, PyObject *key, PyObject *value)
{
	_cleanup_buf_ struct buf name = BUF_INIT, text = BUF_INIT;

	if (!add_text(&name, key) || !add_text(&text, value))
		return false;
	capture_set_fact(c, buf_str(&name), buf_str(&text));
	return true;
}

static bool set_facts(struct capture *c, PyObject *facts)
{
	PyObject *items = PyMapping_Items(facts);
	Py_ssize_t count = items ? PyList_Size(items) : 0;

	for (Py_ssize_t i = 0; i < count; i++) {
		PyObject *key, *value;

		if (PyArg_ParseTuple(PyList_GetItem(items, i), "OO", &key, &value) &&
			set_fact(c, key, value))
			continue;
		Py_DECREF(items);
		return false;
	}
	Py_XDECREF(items);
	return items != NULL;
}

static bool start(struct builder_object *b, int fd, PyObject *facts)
{
	// a sampler's times are rounded as those of a recording, others are kept
	struct capture_writer_options options = { 0 };
	struct err *err;

	describe(&b->capture);
	if (!set_facts(&b->capture, facts))
		return false;
	options.exact_times = !capture_fact(&b->capture, FACT_PERIOD_NS);
	err = capture_writer_create(&b->writer, fd, &b->capture, &options);
	if (err)
		ext_raise(err);
	return !err;
}

static PyObject *builder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "fd", "facts", NULL };
	PyObject *facts;
	int fd;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iO:Builder", names, &fd, &facts))
		return NULL;
	allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
	PyObject *self = allocate(type, 0);
	if (!self)
		return NULL;
	pthread_mutex_init(&of(self)->lock, NULL);
	capture_init(&of(self)->capture);
	if (start(of(self), fd, facts))
		return self;
	Py_DECREF(self);
	return NULL;
}

static void builder_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);

	capture_writer_destroy(of(self)->writer);
	capture_deinit(&of(self)->capture);
	pthread_mutex_destroy(&of(self)->lock);
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
	release(self);
	Py_DECREF(type);
}

/* ---- rows ------------------------------------------------------------------------------------- */

static PyObject *builder_thread(PyObject *self, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "tid", "name", "main", "start_ns", NULL };
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct builder_object *b = of(self);
	unsigned long long start_ns = 0;
	struct capture_thread row = { 0 };
	int main = 0;
	PyObject *name;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "IO|$pK:thread", names, &row.tid, &name, &main,
		    &start_ns) ||
		!add_text(&text, name) || !begin(b))
		return NULL;
	row.main = main;
	row.start_ns = start_ns ? start_ns : clock_wall_ns();
	row.name = capture_string(&b->capture, buf_str(&text));
	uint32_t id = capture_add_thread(&b->capture, &row);
	end(b);
	return PyLong_FromUnsignedLong(id);
}

static PyObject *builder_function(PyObject *self, PyObject *args)
{
	_cleanup_buf_ struct buf name = BUF_INIT, file = BUF_INIT;
	struct builder_object *b = of(self);
	PyObject *name_object, *file_object;
	struct store_function row = { .kind = FUNCTION_PYTHON };

	if (!PyArg_ParseTuple(args, "OOI:function", &name_object, &file_object, &row.first_line) ||
		!add_text(&name, name_object) || !add_text(&file, file_object) || !begin(b))
		return NULL;
	row.name = capture_string(&b->capture, buf_str(&name));
	row.file = capture_string(&b->capture, buf_str(&file));
	function_id id = profile_function(&b->capture.tables, &row);
	end(b);
	return PyLong_FromUnsignedLong(id);
}

/* -1: none. False with an exception. */
static bool stack_arg(const struct profile *p, long long given, stack_id *ret)
{
	*ret = given == -1 ? STACK_NONE : (stack_id)given;
	if (given == -1 || (given >= 0 && (unsigned long long)given < p->stack_count))
		return true;
	bad("stack");
	return false;
}

static PyObject *add_stack(struct capture *c, long long parent, unsigned int function, unsigned int line)
{
	stack_id at;

	if (!stack_arg(&c->tables, parent, &at))
		return NULL;
	if (function >= c->tables.function_count)
		return bad("function");
	frame_id frame = profile_frame(&c->tables, function, line);
	return PyLong_FromUnsignedLong(profile_stack(&c->tables, at, frame));
}

static PyObject *builder_stack(PyObject *self, PyObject *args)
{
	struct builder_object *b = of(self);
	unsigned int function, line;
	long long parent;

	if (!PyArg_ParseTuple(args, "LII:stack", &parent, &function, &line) || !begin(b))
		return NULL;
	PyObject *id = add_stack(&b->capture, parent, function, line);
	end(b);
	return id;
}

static PyObject *add_span(struct builder_object *b, struct capture_span *row, const struct buf *name,
	const struct buf *text)
{
	if (row->thread != CAPTURE_NONE && row->thread >= b->capture.thread_count)
		return bad("thread");
	if (row->parent > b->capture.span_count)
		return bad("span");
	row->name = capture_string(&b->capture, buf_str(name));
	row->text = capture_string(&b->capture, buf_str(text));
	return PyLong_FromUnsignedLong((unsigned long)capture_add_span(&b->capture, row) + 1);
}

static PyObject *builder_span(PyObject *self, PyObject *args)
{
	_cleanup_buf_ struct buf name = BUF_INIT, text = BUF_INIT;
	struct builder_object *b = of(self);
	PyObject *name_object, *text_object;
	unsigned long long start_ns, end_ns;
	struct capture_span row = { 0 };
	long long thread;

	if (!PyArg_ParseTuple(args, "ILOOKK:span", &row.parent, &thread, &name_object, &text_object,
		    &start_ns, &end_ns) ||
		!add_text(&name, name_object) || !add_text(&text, text_object) || !begin(b))
		return NULL;
	row.thread = thread < 0 || thread > UINT32_MAX ? CAPTURE_NONE : (uint32_t)thread;
	row.start_ns = start_ns;
	row.end_ns = end_ns;
	PyObject *id = add_span(b, &row, &name, &text);
	end(b);
	return id;
}

/* ---- samples ---------------------------------------------------------------------------------- */

/* NULL with an exception if it names what there is not. */
static PyObject *add_sample(
	struct builder_object *b, struct capture_sample *sample, long long stack)
{
	if (sample->thread >= b->capture.thread_count)
		return bad("thread");
	if (sample->span > b->capture.span_count)
		return bad("span");
	if (!stack_arg(&b->capture.tables, stack, &sample->stack))
		return NULL;
	struct err *err = capture_writer_sample(b->writer, sample);
	return err ? ext_raise(err) : none();
}

static PyObject *builder_sample(PyObject *self, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "thread", "stack", "time_ns", "count", "cpu_ns", "state", "flags",
		"span", NULL };
	struct capture_sample sample = { .syscall = SYSCALL_NONE };
	unsigned long long time_ns, count = 1, cpu_ns = 0;
	struct builder_object *b = of(self);
	unsigned int state = 0, flags = 0;
	long long stack;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "ILK|$KKIII:sample", names, &sample.thread,
		    &stack, &time_ns, &count, &cpu_ns, &state, &flags, &sample.span))
		return NULL;
	if (state >= SAMPLE_STATES || flags & ~SAMPLE_FLAGS)
		return bad(state >= SAMPLE_STATES ? "state" : "flag");
	sample.time_ns = time_ns;
	sample.count = count;
	sample.cpu_ns = cpu_ns;
	sample.state = (uint8_t)state;
	sample.flags = (uint8_t)flags;
	if (!begin(b))
		return NULL;
	PyObject *result = add_sample(b, &sample, stack);
	end(b);
	return result;
}

/* ---- the rest --------------------------------------------------------------------------------- */

static PyObject *builder_fact(PyObject *self, PyObject *args)
{
	_cleanup_buf_ struct buf key = BUF_INIT, value = BUF_INIT;
	struct builder_object *b = of(self);
	PyObject *key_object, *value_object;

	if (!PyArg_ParseTuple(args, "OO:fact", &key_object, &value_object) ||
		!add_text(&key, key_object) || !add_text(&value, value_object) || !begin(b))
		return NULL;
	capture_set_fact(&b->capture, buf_str(&key), buf_str(&value));
	end(b);
	return none();
}

static PyObject *builder_loss(PyObject *self, PyObject *args)
{
	static const char *const kinds[] = {
		[LOSS_MISSED] = "missed", [LOSS_ROOM] = "room", [LOSS_SPACE] = "space"
	};
	struct builder_object *b = of(self);
	struct capture_loss row = { .time_ns = clock_wall_ns() };
	unsigned long long count;
	unsigned int kind = 0;
	const char *name;

	if (!PyArg_ParseTuple(args, "sK:loss", &name, &count))
		return NULL;
	while (kind < ARRAY_LEN(kinds) && strcmp(kinds[kind], name) != 0)
		kind++;
	if (kind == ARRAY_LEN(kinds))
		return bad("kind of loss");
	row.kind = (enum capture_loss_kind)kind;
	row.count = count;
	if (!begin(b))
		return NULL;
	capture_add_loss(&b->capture, &row);
	end(b);
	return none();
}

static PyObject *builder_flush(PyObject *self, PyObject *unused)
{
	struct builder_object *b = of(self);
	struct err *err;

	(void)unused;
	if (!begin(b))
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	err = capture_writer_flush(b->writer);
	Py_END_ALLOW_THREADS
	end(b);
	return err ? ext_raise(err) : none();
}

static struct err *finish(struct builder_object *b)
{
	struct capture *c = &b->capture;
	uint64_t now_ns = clock_wall_ns();

	for (size_t i = 0; i < c->thread_count; i++)
		if (!c->threads[i].end_ns)
			c->threads[i].end_ns = now_ns;
	c->processes[0].end_ns = now_ns;
	if (!capture_fact(c, FACT_END_NS))
		capture_set_fact_u64(c, FACT_END_NS, now_ns);
	b->finished = true;
	return capture_writer_finish(b->writer);
}

static PyObject *builder_finish(PyObject *self, PyObject *unused)
{
	struct builder_object *b = of(self);
	struct err *err;

	(void)unused;
	if (!begin(b))
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	err = finish(b);
	Py_END_ALLOW_THREADS
	end(b);
	return err ? ext_raise(err) : none();
}

/* ---- the type --------------------------------------------------------------------------------- */

#define KEYWORDS (METH_VARARGS | METH_KEYWORDS)
#define WITH_KEYWORDS(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef methods[] = {
	{ "thread", WITH_KEYWORDS(builder_thread), KEYWORDS,
		"thread(tid, name, *, main=False, start_ns=0): a new row of threads." },
	{ "function", builder_function, METH_VARARGS,
		"function(name, file, first_line): the row of this function." },
	{ "stack", builder_stack, METH_VARARGS,
		"stack(parent, function, line): the row of this stack; parent -1: it is a root." },
	{ "span", builder_span, METH_VARARGS,
		"span(parent, thread, name, text, start_ns, end_ns): a new span, for sample(span=...) and as "
		"parent; parent 0: none; thread -1: not known; end_ns 0: not ended." },
	{ "sample", WITH_KEYWORDS(builder_sample), KEYWORDS,
		"sample(thread, stack, time_ns, *, count=1, cpu_ns=0, state=0, flags=0, span=0); "
		"stack -1: no Python frame." },
	{ "fact", builder_fact, METH_VARARGS, "fact(key, value)" },
	{ "loss", builder_loss, METH_VARARGS,
		"loss(kind, count): ticks (\"missed\") or samples (\"room\", \"space\") that could not be had." },
	{ "flush", builder_flush, METH_NOARGS, "Writes all that is new." },
	{ "finish", builder_finish, METH_NOARGS, "Completes the file; nothing can be added any more." },
	{ NULL, NULL, 0, NULL },
};

static PyType_Slot slots[] = {
	{ Py_tp_doc, "Builder(fd, facts)\n--\n\n"
		     "Makes a capture in the file `fd`, which stays the caller's. Times are nanoseconds "
		     "since the epoch." },
	{ Py_tp_new, builder_new },
	{ Py_tp_dealloc, builder_dealloc },
	{ Py_tp_methods, methods },
	{ 0, NULL },
};

static PyType_Spec spec = {
	.name = "fireglass._fireglass.Builder",
	.basicsize = sizeof(struct builder_object),
	.flags = Py_TPFLAGS_DEFAULT,
	.slots = slots,
};

int ext_add_builder(PyObject *module)
{
	PyObject *type = PyType_FromSpec(&spec);

	if (!type)
		return -1;
	if (PyModule_AddObject(module, "Builder", type) == 0)
		return 0;
	Py_DECREF(type);
	return -1;
}

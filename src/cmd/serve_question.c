// SPDX-License-Identifier: MIT
#include "cmd/serve_question.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "cmd/excerpt.h"
#include "cmd/sources.h"
#include "store/view.h"

#define CAPTURE_FORMAT "fgc"
#define PATTERN_MAX 200
#define ROWS_MAX 100000

/* ---- parameters ------------------------------------------------------------------------------- */

static struct err *set_mode(void *settings, const char *value)
{
	static const struct {
		const char *name;
		enum view_mode mode;
	} modes[] = { { "wall", VIEW_WALL }, { "cpu", VIEW_CPU }, { "gil", VIEW_GIL },
		{ "all", VIEW_ALL } };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if (strcmp(modes[i].name, value) != 0)
			continue;
		((struct question *)settings)->selecting.selection.mode = modes[i].mode;
		return NULL;
	}
	return err_new(ERR_USAGE, "unknown mode '%s'; there are wall, cpu, gil and all", value);
}

static struct err *set_format(void *settings, const char *value)
{
	struct question *q = settings;
	_cleanup_buf_ struct buf known = BUF_INIT;

	q->capture = strcmp(value, CAPTURE_FORMAT) == 0;
	q->format = export_find(value);
	if (q->format || q->capture)
		return NULL;
	for (size_t i = 0; exporters[i]; i++)
		buf_printf(&known, "%s, ", exporters[i]->name);
	return err_new(ERR_USAGE, "unknown format '%s'; there are %s" CAPTURE_FORMAT, value,
		buf_str(&known));
}

static struct err *set_rows(void *settings, const char *value)
{
	char *end;
	unsigned long rows = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || !rows || rows > ROWS_MAX)
		return err_new(ERR_USAGE, "bad number of rows '%s'; from 1 to %d", value, ROWS_MAX);
	((struct question *)settings)->rows = rows;
	return NULL;
}

static struct err *set_shape(void *settings, const char *value)
{
	static const char *const shapes[] = { [TEXT_TABLE] = "table", [TEXT_CALLERS] = "callers",
		[TEXT_CALLEES] = "callees", [TEXT_TREE] = "tree" };

	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		if (strcmp(shapes[i], value) != 0)
			continue;
		((struct question *)settings)->shape = (enum text_shape)i;
		return NULL;
	}
	return err_new(ERR_USAGE, "unknown shape '%s'; there are table, callers, callees and tree",
		value);
}

/* Those of the command line, and some of our own. */
static const struct opt parameters[] = {
	{ 0, "format", "FORMAT", "", set_format },
	{ 0, "mode", "MODE", "", set_mode },
	{ 0, "shape", "SHAPE", "", set_shape },
	{ 0, "rows", "N", "", set_rows },
	SELECTING_SOURCE_OPTIONS,
	SELECTING_OPTIONS,
	{ 0 },
};

static const struct opt *find(const char *name)
{
	for (const struct opt *opt = parameters; opt->name; opt++)
		if (strcmp(opt->name, name) == 0)
			return opt;
	return NULL;
}

static bool is_among(const char *const *names, const char *name)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

/*
 * Some regular expressions take time and memory without bounds: those with counts, and those that
 * refer back.
 */
static struct err *check_pattern(const struct opt *opt, const char *value)
{
	if (strcmp(opt->value, "REGEX") != 0)
		return NULL;
	if (!*value)
		return err_new(ERR_USAGE, "'%s' is empty", opt->name);
	if (strlen(value) > PATTERN_MAX)
		return err_new(ERR_USAGE, "'%s' has more than %d characters", opt->name, PATTERN_MAX);
	for (const char *s = value; *s; s++) {
		if (*s == '{')
			return err_new(ERR_USAGE, "'%s' has {, which is not taken here; write [{] "
						  "for the character", opt->name);
		if (*s == '\\' && s[1])
			s++;
		else
			continue;
		if (*s >= '0' && *s <= '9')
			return err_new(ERR_USAGE, "'%s' refers back, which is not taken here",
				opt->name);
	}
	return NULL;
}

/* "1", "true", "" say yes, "0" and "false" no. */
static struct err *read_flag(
	struct question *q, const struct opt *opt, const char *value, bool *said_ret)
{
	bool yes = !*value || strcmp(value, "1") == 0 || strcmp(value, "true") == 0;
	bool no = strcmp(value, "0") == 0 || strcmp(value, "false") == 0;

	if (!yes && !no)
		return err_new(ERR_USAGE, "bad value '%s' of '%s'; 1 or 0", value, opt->name);
	*said_ret = yes;
	return yes ? opt->set(q, NULL) : NULL;
}

static struct err *read_one(struct question *q, const struct http_parameter *p)
{
	const struct opt *opt = find(p->name);
	bool said = true;

	if (!opt)
		return err_new(ERR_USAGE, "unknown parameter '%s'", p->name);
	struct err *err = opt->value ? check_pattern(opt, p->value)
				     : read_flag(q, opt, p->value, &said);
	if (!err && opt->value)
		err = opt->set(q, p->value);
	q->selective |= said && opt->set != set_format;
	return err;
}

struct err *question_read(struct question *q, const struct http_request *r, const char *const *others,
	const char *format)
{
	size_t count;
	const struct http_parameter *given = http_parameters(r, &count);
	struct err *err = NULL;

	*q = (struct question){ 0 };
	set_format(q, format);
	for (size_t i = 0; i < count && !err; i++)
		if (strcmp(given[i].name, "token") != 0 && !is_among(others, given[i].name))
			err = read_one(q, &given[i]);
	if (!err && q->capture && q->selective)
		return err_new(ERR_USAGE, "a capture (format=fgc) has all of its time: nothing but "
					  "times can be selected");
	return err;
}

/* ---- answers ---------------------------------------------------------------------------------- */

static const struct {
	const char *name, *type;
} types[] = {
	{ "svg", "image/svg+xml" },
	{ "html", "text/html; charset=utf-8" },
	{ "folded", TYPE_TEXT },
	{ "flamechart", TYPE_TEXT },
	{ "text", TYPE_TEXT },
	{ "callgrind", TYPE_TEXT },
	{ "perfscript", TYPE_TEXT },
	{ "chrome", TYPE_JSON },
	{ "cpuprofile", TYPE_JSON },
	{ "speedscope", TYPE_JSON },
	{ "firefox", TYPE_JSON },
	{ "jsonl", "application/x-ndjson" },
};

static const char *type_of(const struct question *q)
{
	for (size_t i = 0; !q->capture && i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].name, q->format->name) == 0)
			return types[i].type;
	return "application/octet-stream";
}

/* What is a page of its own may run its script, but is not of our origin. */
static void add_headers(struct http_request *r, const struct question *q)
{
	const char *ending = q->capture ? CAPTURE_FORMAT : q->format->extension;
	_cleanup_free_ char *name = NULL;
	bool shown = !q->capture && (q->format == &export_svg || q->format == &export_page ||
					    strncmp(type_of(q), "text/", 5) == 0);

	http_answer_header(r, "Content-Security-Policy",
		"sandbox allow-scripts allow-downloads allow-popups; frame-ancestors 'none'");
	if (shown)
		return;
	name = xasprintf("attachment; filename=\"profile.%s\"", ending);
	http_answer_header(r, "Content-Disposition", name);
}

/* Its files are where the program has them. */
static void follow_files(struct serve *s, struct file_root *files)
{
	struct serve_facts facts = serve_facts(s);

	if (!facts.ended && facts.pid)
		file_root_follow(files, (pid_t)facts.pid);
}

static struct err *write_view(struct serve *s, const struct question *q, struct input *in, FILE *out)
{
	_cleanup_(described_deinit) struct described described;
	_cleanup_(file_root_deinit) struct file_root files = { 0 };
	_cleanup_(sources_deinit) struct sources sources;
	struct selection selection = { 0 };
	struct view *v;
	struct err *err = selecting_resolve(&q->selecting, in, &selection);

	selection.from_ns = q->from_ns;
	selection.to_ns = q->to_ns;
	follow_files(s, &files);
	sources_init(&sources, &in->capture, &files);
	selecting_describe(&q->selecting, in, &described);
	described.options.shape = q->shape;
	described.options.rows = q->rows;
	if (!q->selecting.no_source && !s->no_source)
		described.options.sources = &sources.exported;
	if (!err)
		err = view_create(&v, &in->capture, &selection);
	if (err)
		return err;
	err = export_view(q->format, out, v, &described.options);
	view_destroy(v);
	return err;
}

static struct err *write_answer(
	struct serve *s, const struct question *q, struct input *in, FILE *out)
{
	if (q->capture)
		return excerpt_write(&in->capture, q->from_ns, q->to_ns, fileno(out));
	return write_view(s, q, in, out);
}

void question_answer(
	struct serve *s, struct http_request *r, const struct question *q, struct input *in)
{
	struct reply_file file;
	struct err *err = reply_file_open(&file);

	if (!err && !serve_work_begin(s, r)) {
		reply_file_abort(&file);
		reply_error(r, 503, "the server is busy, or ends");
		return;
	}
	if (!err) {
		err = write_answer(s, q, in, file.stream);
		serve_work_end(s);
		if (err)
			reply_file_abort(&file);
	}
	if (err) {
		reply_err(r, err);
		return;
	}
	add_headers(r, q);
	reply_file_send(r, &file, type_of(q));
}

// SPDX-License-Identifier: MIT
/*
 * The text of `perf script`:
 *
 *	NAME PID[/TID] [CPU] SECONDS: PERIOD EVENT:
 *		ADDRESS SYMBOL+OFFSET (FILE)       leaf first
 *		                                   an empty line ends the sample
 *
 * Python's own support for perf names its functions `py::name:file`. Fireglass writes
 * `py::name:file:line (file)`, escapes names (fmt/escape.h) and, as the event "samples", says in
 * the period how many samples it stands for.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "fmt/escape.h"
#include "import/build.h"
#include "import/import.h"

#define MAX_DEPTH 100000u

struct perf {
	struct build b;
	struct buf name, file;
	frame_id *frames; // of the sample, leaf first
	size_t depth, capacity;
	bool open;
	bool ours; // fireglass wrote the sample
	struct capture_sample sample;
};

/* ---- the line that begins a sample ------------------------------------------------------------ */

struct header {
	struct slice comm, event;
	uint64_t pid, tid, time_ns, period;
};

/* Cuts the last word off; false if there is none. */
static bool cut_word(struct slice *rest, struct slice *word_ret)
{
	*rest = slice_trim(*rest);
	if (!rest->len)
		return false;
	size_t space = slice_find_last(*rest, ' ');
	size_t start = space < rest->len ? space + 1 : 0;

	*word_ret = slice_from(*rest, start);
	*rest = slice_head(*rest, start);
	return true;
}

static struct slice without_colon(struct slice s)
{
	return s.len && s.text[s.len - 1] == ':' ? slice_head(s, s.len - 1) : s;
}

/* `4711`, or `4711/4712`: process and thread */
static bool read_ids(struct slice word, struct header *h)
{
	size_t slash = slice_find(word, '/');

	if (!slice_u64(slice_head(word, slash), &h->tid))
		return false;
	h->pid = slash < word.len ? h->tid : 0;
	return slash == word.len || slice_u64(slice_from(word, slash + 1), &h->tid);
}

static bool is_time(struct slice word)
{
	return word.len > 1 && word.text[word.len - 1] == ':' && slice_find(word, '.') < word.len;
}

/* From the end, as names of programs may hold spaces. */
static bool read_header(struct slice line, struct header *h)
{
	struct slice word, after[3] = { { 0 } }; // what follows the time, last word first
	size_t count = 0;

	*h = (struct header){ .period = 1 };
	for (;;) {
		if (!cut_word(&line, &word))
			return false;
		if (is_time(word) && slice_seconds(without_colon(word), &h->time_ns))
			break;
		if (count < 3)
			after[count++] = word;
	}
	if (count) {
		h->event = without_colon(after[count - 1]);
		if (count > 1 && slice_u64(h->event, &h->period))
			h->event = without_colon(after[count - 2]);
	}
	if (!cut_word(&line, &word))
		return false;
	if (*word.text == '[' && !cut_word(&line, &word)) // the processor
		return false;
	h->comm = slice_trim(line);
	return read_ids(word, h);
}

static struct slice unescaped(struct buf *out, struct slice s)
{
	buf_clear(out);
	if (s.len)
		unescape_folded(out, s.text, s.len);
	return (struct slice){ buf_str(out), out->len };
}

static void begin_sample(struct perf *r, const struct header *h)
{
	// the thread alone is told: then its process is not known
	uint32_t process = build_process(&r->b, h->pid, SLICE_NONE);
	uint32_t thread = build_thread(&r->b, process, h->tid, SLICE_NONE);

	r->ours = slice_is(h->event, "samples");
	// the last one counts: programs change it
	build_name_thread(&r->b, thread, r->ours ? unescaped(&r->name, h->comm) : h->comm);
	r->sample = build_blank_sample(thread, STACK_NONE);
	r->sample.time_ns = h->time_ns;
	if (r->ours)
		r->sample.count = h->period;
	r->depth = 0;
	r->open = true;
}

static void end_sample(struct perf *r)
{
	if (!r->open)
		return;
	for (size_t i = r->depth; i-- > 0;)
		r->sample.stack = profile_stack(&r->b.c->tables, r->sample.stack, r->frames[i]);
	build_sample(&r->b, &r->sample);
	r->open = false;
}

/* ---- frames ----------------------------------------------------------------------------------- */

/* Cuts `+0x1a` off. */
static void cut_offset(struct slice *symbol)
{
	size_t plus = slice_find_last(*symbol, '+');
	struct slice rest = slice_from(*symbol, plus);
	uint64_t offset;

	if (slice_starts(rest, "+0x") && slice_hex(slice_from(rest, 3), &offset))
		symbol->len = plus;
}

static bool ends_with(struct slice s, struct slice end)
{
	return s.len >= end.len &&
		(!end.len || memcmp(s.text + s.len - end.len, end.text, end.len) == 0);
}

/* `name:file`, as CPython has it: the file is what follows the last colon. */
static struct build_frame cpython_frame(struct slice symbol)
{
	size_t colon = slice_find_last(symbol, ':');
	struct build_frame f = { .name = slice_head(symbol, colon) };

	if (colon < symbol.len)
		f.file = slice_from(symbol, colon + 1);
	return f;
}

/* `name:file:line`: the file is the end of the one in parentheses, and either may hold colons. */
static struct build_frame own_frame(
	struct perf *r, struct slice symbol, struct slice dso, uint64_t line)
{
	struct build_frame f = { .name = symbol, .line = line };
	size_t colon = slice_find_last(symbol, ':');
	uint64_t number;

	if (slice_is(dso, "[unknown]"))
		dso = SLICE_NONE;
	if (dso.len && line && colon < symbol.len &&
		slice_u64(slice_from(symbol, colon + 1), &number) && number == line)
		f.name = symbol = slice_head(symbol, colon);
	for (size_t at = 0; dso.len && at < symbol.len; at++)
		if (symbol.text[at] == ':' && ends_with(dso, slice_from(symbol, at + 1))) {
			f.name = slice_head(symbol, at);
			break;
		}
	f.file = unescaped(&r->file, dso);
	f.name = unescaped(&r->name, f.name);
	return f;
}

static struct build_frame plain_frame(struct perf *r, struct slice symbol, struct slice dso)
{
	struct build_frame f = { .name = symbol };

	if (!slice_is(dso, "[unknown]"))
		f.file = dso;
	else if (r->ours && symbol.len > 2 && *symbol.text == '[') {
		// a mark, in brackets because readers leave out what begins with a parenthesis
		f.name = unescaped(&r->name, symbol);
		r->name.data[0] = '(';
		r->name.data[r->name.len - 1] = ')';
		f.kind = FUNCTION_MARK;
	}
	return f;
}

static bool read_frame(struct perf *r, struct slice line)
{
	size_t space, open;
	struct slice dso = SLICE("[unknown]");
	uint64_t address;

	line = slice_trim(line);
	space = slice_find(line, ' ');
	if (!slice_hex(slice_head(line, space), &address) || r->depth == MAX_DEPTH)
		return false;
	line = slice_trim(slice_from(line, space));
	open = slice_find_last(line, '(');
	if (open < line.len && line.text[line.len - 1] == ')') {
		dso = (struct slice){ line.text + open + 1, line.len - open - 2 };
		line = slice_trim(slice_head(line, open));
	}
	if (!r->ours)
		cut_offset(&line);
	struct build_frame f;
	if (!slice_starts(line, "py::"))
		f = plain_frame(r, line, dso);
	else if (r->ours)
		f = own_frame(r, slice_from(line, 4), dso, address);
	else
		f = cpython_frame(slice_from(line, 4));
	array_reserve(r->frames, r->capacity, r->depth + 1);
	r->frames[r->depth++] = build_frame(&r->b, &f);
	return true;
}

/* ---- the header: `# key : value` -------------------------------------------------------------- */

static const struct {
	const char *key, *fact;
} header_facts[] = {
	// perf's
	{ "hostname", FACT_HOST },
	{ "os release", FACT_KERNEL },
	{ "cmdline", FACT_COMMAND },
	// ours
	{ FACT_PERIOD_NS, FACT_PERIOD_NS },
	{ FACT_START_NS, FACT_START_NS },
	{ FACT_END_NS, FACT_END_NS },
	{ FACT_TICKS, FACT_TICKS },
	{ FACT_TOOL, FACT_TOOL },
	{ FACT_HOST, FACT_HOST },
	{ FACT_KERNEL, FACT_KERNEL },
	{ FACT_ARCH, FACT_ARCH },
	{ FACT_PYTHON, FACT_PYTHON },
	{ FACT_PYTHON_BUILD, FACT_PYTHON_BUILD },
	{ FACT_COMMAND, FACT_COMMAND },
	{ FACT_CWD, FACT_CWD },
	{ FACT_CLOCK, FACT_CLOCK },
	{ FACT_UNIT, FACT_UNIT },
};

static void read_fact(struct perf *r, struct slice line)
{
	struct slice rest = slice_trim(slice_from(line, 1));
	const char *colon = rest.len ? memmem(rest.text, rest.len, " : ", 3) : NULL;
	struct slice key = slice_head(rest, colon ? (size_t)(colon - rest.text) : 0);

	for (size_t i = 0; i < ARRAY_LEN(header_facts); i++)
		if (slice_is(key, header_facts[i].key))
			build_fact(&r->b, header_facts[i].fact,
				unescaped(&r->name, slice_from(rest, key.len + 3)));
}

/* ---- the file --------------------------------------------------------------------------------- */

static struct err *read_line(struct perf *r, struct slice line, size_t number)
{
	struct header h;

	if (!slice_trim(line).len) {
		end_sample(r);
		return NULL;
	}
	if (*line.text == '#') {
		read_fact(r, line);
		return NULL;
	}
	if (*line.text == ' ' || *line.text == '\t') {
		if (r->open && read_frame(r, line))
			return NULL;
		// names are padded to the right in some versions
		if (r->open || !read_header(line, &h))
			return err_new(ERR_FAILED, "line %zu: it is no frame: no address", number);
	} else if (!read_header(line, &h)) {
		return err_new(ERR_FAILED,
			"line %zu: it is neither a frame nor `name pid time: event:`", number);
	}
	end_sample(r);
	begin_sample(r, &h);
	return NULL;
}

static struct err *perf_script_read(const struct import_input *in, struct capture *c)
{
	struct lines lines = lines_of(in->data, in->len);
	struct perf r = { 0 };
	struct slice line;
	struct err *err = NULL;

	build_init(&r.b, c, "perf-script");
	capture_set_fact(c, FACT_CLOCK, "of perf");
	while (!err && lines_next(&lines, &line))
		err = read_line(&r, line, lines.number);
	end_sample(&r);
	if (!err)
		err = build_finish(&r.b);
	free(r.frames);
	buf_deinit(&r.name);
	buf_deinit(&r.file);
	build_deinit(&r.b);
	return err;
}

static bool perf_script_sniff(const char *data, size_t len)
{
	struct lines lines = lines_of(data, len);
	struct slice line;
	struct header h;

	while (lines_next(&lines, &line))
		if (line.len && *line.text != '#')
			return line.text[line.len - 1] == ':' || line.text[line.len - 1] == ' '
				? read_header(line, &h)
				: false;
	return false;
}

const struct importer import_perf_script = {
	.name = "perf-script",
	.summary = "the text of perf script",
	.sniff = perf_script_sniff,
	.read = perf_script_read,
};

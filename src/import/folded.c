// SPDX-License-Identifier: MIT
/*
 * Folded text: `frame;frame;frame COUNT`, root first; with a second count, as differences have it.
 *
 * Fireglass escapes names (fmt/escape.h), others do not: a file in which some backslash begins no
 * escape, or follows the letter of a drive, is taken as it is.
 */
#include <string.h>

#include "base/cleanup.h"
#include "fmt/escape.h"
#include "import/build.h"
#include "import/frame_text.h"
#include "import/import.h"

#define SNIFF_BYTES 65536u

struct folded {
	struct build b;
	bool two_counts, escaped;
	bool first; // of two counts
	uint32_t process;
	struct buf text;
};

/* Cuts the number that follows the last space off the line. */
static bool cut_count(struct slice *line, uint64_t *count_ret)
{
	size_t space = slice_find_last(*line, ' ');

	if (space == line->len || !slice_u64(slice_from(*line, space + 1), count_ret))
		return false;
	*line = slice_head(*line, space);
	return true;
}

/* Names may begin with spaces: only the end is cleaned. */
static struct slice trim_end(struct slice line)
{
	while (line.len && line.text[line.len - 1] == ' ')
		line.len--;
	return line;
}

static bool is_comment(struct slice line)
{
	return !line.len || slice_starts(line, "# ");
}

/* ---- what the file is like -------------------------------------------------------------------- */

static bool has_two_counts(const char *data, size_t len)
{
	struct lines lines = lines_of(data, len);
	struct slice line;
	uint64_t count;
	bool any = false;

	while (lines_next(&lines, &line)) {
		line = trim_end(line);
		if (is_comment(line))
			continue;
		if (!cut_count(&line, &count) || !cut_count(&line, &count))
			return false;
		any = true;
	}
	return any;
}

static bool is_drive(const char *data, size_t at)
{
	return at >= 2 && data[at - 1] == ':' && data[at + 1] != '\\' &&
		(at == 2 || strchr(" (;\n", data[at - 3]));
}

static bool has_escapes(const char *data, size_t len)
{
	struct slice rest = { data, len };

	for (;;) {
		rest = slice_from(rest, slice_find(rest, '\\'));
		if (!rest.len)
			return true;
		size_t at = (size_t)(rest.text - data);
		if (rest.len < 2 || !strchr("\\nrtxu", rest.text[1]) || is_drive(data, at))
			return false;
		rest = slice_from(rest, 2);
	}
}

/* ---- reading ---------------------------------------------------------------------------------- */

static struct slice next_part(struct slice *stack)
{
	size_t end = slice_find(*stack, ';');
	struct slice part = slice_head(*stack, end);

	*stack = slice_from(*stack, end < stack->len ? end + 1 : end);
	return part;
}

/* Valid until the next call. */
static struct slice unescaped(struct folded *f, struct slice part)
{
	if (!f->escaped || slice_find(part, '\\') == part.len)
		return part;
	buf_clear(&f->text);
	unescape_folded(&f->text, part.text, part.len);
	return (struct slice){ buf_str(&f->text), f->text.len };
}

static void add_stack(struct folded *f, struct slice stack, uint64_t count)
{
	struct slice rest = stack, name = SLICE_NONE;
	stack_id id = STACK_NONE;
	uint64_t tid = 0;

	if (frame_text_thread(unescaped(f, next_part(&rest)), &tid, &name))
		stack = rest;
	uint32_t thread = build_thread(&f->b, f->process, tid, name);
	while (stack.len) {
		struct slice part = unescaped(f, next_part(&stack));

		if (!part.len)
			continue;
		struct build_frame frame = frame_text_parse(part);
		id = build_push(&f->b, id, &frame);
	}
	build_untimed(&f->b, thread, id, count);
}

static struct err *read_line(struct folded *f, struct slice line, size_t number)
{
	uint64_t count, other = 0;

	if (!cut_count(&line, &count))
		return err_new(ERR_FAILED,
			"line %zu: it does not end in a space and a whole number", number);
	if (f->two_counts && cut_count(&line, &other) && f->first)
		count = other;
	if (!line.len)
		return err_new(ERR_FAILED, "line %zu: there is no stack before the count", number);
	add_stack(f, line, count);
	return NULL;
}

static struct err *read_lines(struct folded *f, const struct import_input *in)
{
	struct lines lines = lines_of(in->data, in->len);
	struct slice line;

	while (lines_next(&lines, &line)) {
		struct err *err;

		line = trim_end(line);
		if (is_comment(line))
			continue;
		err = read_line(f, line, lines.number);
		if (err)
			return err;
	}
	return build_finish(&f->b);
}

static struct err *folded_read(const struct import_input *in, struct capture *c)
{
	struct folded f = { 0 };

	if (in->option && strcmp(in->option, "1") != 0 && strcmp(in->option, "2") != 0)
		return err_new(ERR_USAGE, "no column '%s'; there are 1 and 2", in->option);
	f.two_counts = has_two_counts(in->data, in->len);
	f.escaped = has_escapes(in->data, in->len);
	f.first = in->option && *in->option == '1';
	build_init(&f.b, c, "folded");
	f.process = build_process(&f.b, 0, SLICE_NONE);
	struct err *err = read_lines(&f, in);
	build_deinit(&f.b);
	buf_deinit(&f.text);
	return err;
}

static bool folded_sniff(const char *data, size_t len)
{
	struct lines lines = lines_of(data, len);
	struct slice line;
	uint64_t count;

	if (memchr(data, 0, len < SNIFF_BYTES ? len : SNIFF_BYTES))
		return false;
	while (lines_next(&lines, &line)) {
		line = trim_end(line);
		if (!is_comment(line))
			return cut_count(&line, &count) && line.len;
	}
	return true; // nothing was sampled
}

const struct importer import_folded = {
	.name = "folded",
	.summary = "one line per stack with its count, or two counts",
	.option = "1 or 2: which of two counts (default: 2)",
	.sniff = folded_sniff,
	.read = folded_read,
};

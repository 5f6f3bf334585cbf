// SPDX-License-Identifier: MIT
#include "import/frame_text.h"

/* Cuts `:123` off the end. */
static bool cut_line(struct slice *text, uint64_t *line_ret)
{
	size_t colon = slice_find_last(*text, ':');

	if (colon == text->len || !slice_u64(slice_from(*text, colon + 1), line_ret))
		return false;
	text->len = colon;
	return true;
}

/*
 * Where ` (file)` begins; 0 if nowhere. Names of Python functions have no spaces but files may;
 * names of C++ functions do have some: there, the last one is the file.
 */
static size_t find_file(struct slice text)
{
	size_t space = slice_find(text, ' ');

	if (text.len < 4 || text.text[text.len - 1] != ')')
		return 0;
	if (space + 1 < text.len && text.text[space + 1] == '(')
		return space;
	for (size_t at = text.len - 2; at > 0; at--)
		if (text.text[at] == '(' && text.text[at - 1] == ' ')
			return at - 1;
	return 0;
}

static bool parse_function_first(struct slice text, struct build_frame *f)
{
	size_t at = find_file(text);
	uint64_t number;

	if (!at)
		return false;
	struct slice file = { text.text + at + 2, text.len - at - 3 };
	if (slice_u64(file, &number)) // `python3 (4711)`
		return false;
	cut_line(&file, &f->line);
	f->name = slice_head(text, at);
	f->file = file;
	return true;
}

static bool parse_file_first(struct slice text, struct build_frame *f)
{
	uint64_t line;

	if (!cut_line(&text, &line))
		return false;
	size_t colon = slice_find_last(text, ':');
	if (colon == 0 || colon + 1 >= text.len || text.text[colon - 1] == ':')
		return false;
	f->line = line;
	f->file = slice_head(text, colon);
	f->name = slice_from(text, colon + 1);
	if (slice_is(f->file, "~")) // profiling.sampling: none
		f->file = SLICE_NONE;
	return true;
}

struct build_frame frame_text_parse(struct slice text)
{
	struct build_frame f = { .kind = FUNCTION_PYTHON };

	if (parse_function_first(text, &f) || parse_file_first(text, &f))
		return f;
	if (text.len > 2 && text.text[0] == '(' && text.text[text.len - 1] == ')')
		f.kind = FUNCTION_MARK;
	f.name = text;
	return f;
}

bool frame_text_thread(struct slice text, uint64_t *tid_ret, struct slice *name_ret)
{
	static const struct slice spy = { "thread (", 8 }, sampling = { "tid:", 4 };
	struct slice rest;

	*name_ret = SLICE_NONE;
	if (slice_starts(text, sampling.text))
		return slice_u64(slice_from(text, sampling.len), tid_ret);
	if (!slice_starts(text, spy.text))
		return false;
	rest = slice_from(text, spy.len);
	size_t end = slice_find(rest, ')');
	if (end == rest.len || !slice_u64(slice_head(rest, end), tid_ret))
		return false;
	rest = slice_from(rest, end + 1);
	if (slice_starts(rest, ": "))
		*name_ret = slice_from(rest, 2);
	return rest.len == 0 || name_ret->len > 0;
}

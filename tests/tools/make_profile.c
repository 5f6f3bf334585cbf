// SPDX-License-Identifier: MIT
/*
 * Folded text in, any format out: makes profiles for the tests of exporters.
 *
 *	make_profile [-f FORMAT] [-o FILE] [-t TITLE] [-c COMMAND] [-u UNIT] [-d CWD] [-Fnpi] <IN
 *
 * -F: functions, -n: no lines, -p: full paths, -i: inverted. A frame reads `name (file:line)`,
 * `name (file:line#first)` or `name (file)`; what has no file is a mark if it begins with `(`, else
 * a thread. Names and files may hold the escapes of export/label.h.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/iofd.h"
#include "base/utf8.h"
#include "export/export.h"
#include "export/label.h"

static string_id unescaped(struct profile *p, const char *s, size_t len)
{
	_cleanup_buf_ struct buf raw = BUF_INIT, text = BUF_INIT;

	label_unescape(&raw, s, len);
	utf8_add_bytes(&text, buf_str(&raw), raw.len);
	return profile_string(p, buf_str(&text), text.len);
}

/* `file`, `file:line` or `file:line#first` of `len` bytes; the length of the file. */
static size_t split_place(const char *s, size_t len, uint32_t *line_ret, uint32_t *first_ret)
{
	size_t at = len;

	while (at > 0 && strchr("0123456789#", s[at - 1]))
		at--;
	if (at == len || at == 0 || s[at - 1] != ':')
		return len;
	char *rest;
	*line_ret = (uint32_t)strtoul(s + at, &rest, 10);
	if (*rest == '#')
		*first_ret = (uint32_t)strtoul(rest + 1, NULL, 10);
	return at - 1;
}

static frame_id parse_frame(struct profile *p, const char *s, size_t len)
{
	struct store_function f = { .kind = *s == '(' ? FUNCTION_MARK : FUNCTION_THREAD };
	uint32_t line = 0;
	size_t open = len;

	while (open > 1 && !(s[open - 2] == ' ' && s[open - 1] == '('))
		open--;
	if (open > 1 && s[len - 1] == ')') {
		size_t file_len = split_place(s + open, len - open - 1, &line, &f.first_line);

		f.kind = FUNCTION_PYTHON;
		f.file = unescaped(p, s + open, file_len);
		len = open - 2;
	}
	f.name = unescaped(p, s, len);
	return profile_frame(p, profile_function(p, &f), line);
}

static bool parse_line(struct profile *p, const char *s, size_t len)
{
	const char *space = memrchr(s, ' ', len);
	stack_id stack = STACK_NONE;

	if (!space || space == s)
		return false;
	for (const char *at = s; at < space;) {
		const char *end = memchr(at, ';', (size_t)(space - at));

		if (!end)
			end = space;
		stack = profile_stack(p, stack, parse_frame(p, at, (size_t)(end - at)));
		at = end + 1;
	}
	profile_add_sample(p, stack, strtoull(space + 1, NULL, 10));
	return true;
}

static int read_stacks(struct profile *p, FILE *in)
{
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;
	ssize_t len;

	for (int number = 1; (len = getline(&line, &capacity, in)) > 0; number++) {
		if (line[len - 1] == '\n')
			line[--len] = 0;
		if (len == 0 || parse_line(p, line, (size_t)len))
			continue;
		fprintf(stderr, "make_profile: line %d is not 'frames COUNT'\n", number);
		return 2;
	}
	return 0;
}

static int write_profile(const struct exporter *exporter, const struct profile *p,
	const struct export_options *options, const char *path)
{
	struct outfile out;
	struct err *err = outfile_open(&out, path);

	if (!err) {
		err = exporter->write(out.stream, p, options);
		if (err)
			outfile_abort(&out);
		else
			err = outfile_commit(&out);
	}
	if (!err)
		return 0;
	fprintf(stderr, "make_profile: %s\n", err->message);
	err_free(err);
	return 1;
}

int main(int argc, char **argv)
{
	_cleanup_(profile_deinit) struct profile p;
	struct export_options options = { 0 };
	const struct exporter *exporter = &export_svg;
	const char *path = "-";
	int c, status;

	profile_init(&p);
	while ((c = getopt(argc, argv, "f:o:t:c:u:d:Fnpi")) != -1) {
		switch (c) {
		case 'f':
			exporter = export_find(optarg);
			break;
		case 'o':
			path = optarg;
			break;
		case 't':
			options.title = optarg;
			break;
		case 'c':
			options.command = optarg;
			break;
		case 'u':
			options.unit = optarg;
			break;
		case 'd':
			options.cwd = optarg;
			break;
		case 'F':
			options.functions = true;
			break;
		case 'n':
			options.no_lines = true;
			break;
		case 'p':
			options.full_paths = true;
			break;
		case 'i':
			options.inverted = true;
			break;
		default:
			return 2;
		}
	}
	if (!exporter) {
		fputs("make_profile: no such format\n", stderr);
		return 2;
	}
	status = read_stacks(&p, stdin);
	return status ? status : write_profile(exporter, &p, &options, path);
}

// SPDX-License-Identifier: MIT
#include "export/label.h"

#include <stdbool.h>
#include <string.h>

#include "fmt/escape.h"
#include "store/place.h"

struct label_slice label_file(const struct profile *p, const struct store_function *f,
	const struct export_options *options)
{
	const struct store_string *file = &p->strings[f->file];
	const char *rest = file->text;

	if (!options->full_paths)
		rest = place_short(file->text, file->len, options->cwd);
	return (struct label_slice){ rest, file->len - (size_t)(rest - file->text) };
}

enum label_origin label_origin(const struct profile *p, const struct store_function *f)
{
	static const enum label_origin origins[] = {
		[PLACE_OWN] = LABEL_OWN,
		[PLACE_PACKAGE] = LABEL_PACKAGE,
		[PLACE_STDLIB] = LABEL_STDLIB,
	};
	const struct store_string *file = &p->strings[f->file];

	if (f->kind == FUNCTION_THREAD)
		return LABEL_THREAD;
	if (f->kind == FUNCTION_MARK)
		return LABEL_MARK;
	return origins[place_kind(file->text, file->len)];
}

void label_add(struct buf *out, const struct profile *p, const struct store_frame *frame,
	const struct export_options *options)
{
	const struct store_function *f = &p->functions[frame->function];
	const struct store_string *name = &p->strings[f->name];
	uint32_t line = options->functions ? f->first_line : frame->line;

	if (name->len)
		buf_add(out, name->text, name->len);
	else
		buf_add_char(out, '?');
	struct label_slice file = label_file(p, f, options);
	if (f->kind != FUNCTION_PYTHON || !file.len)
		return;
	buf_add_str(out, " (");
	buf_add(out, file.text, file.len);
	if (line && !options->no_lines)
		buf_printf(out, ":%u", line);
	buf_add_char(out, ')');
}

void label_escape(struct buf *out, const char *text, size_t len)
{
	escape_folded(out, text, len);
}

void label_unescape(struct buf *out, const char *text, size_t len)
{
	unescape_folded(out, text, len);
}

void label_visible(struct buf *out, const char *text, size_t len)
{
	escape_visible(out, text, len);
}

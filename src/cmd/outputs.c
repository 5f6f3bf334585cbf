// SPDX-License-Identifier: MIT
#include "cmd/outputs.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"

struct err *outputs_add(struct outputs *o, const char *path)
{
	if (!*path)
		return err_new(
			ERR_USAGE, "the output has no name; give a file, or - for standard output");
	if (o->count == OUTPUTS_MAX)
		return err_new(ERR_USAGE, "more than %d outputs", OUTPUTS_MAX);
	o->items[o->count++] = (struct output){ .path = path };
	return NULL;
}

static const struct exporter *choose(
	const struct output *output, const struct exporter *format, bool only)
{
	const struct exporter *guess = export_guess(output->path);

	if (format && (only || !guess))
		return format;
	if (guess)
		return guess;
	return strcmp(output->path, "-") == 0 ? &export_folded : &export_svg;
}

void outputs_choose(struct outputs *o, const struct exporter *format)
{
	for (size_t i = 0; i < o->count; i++)
		o->items[i].exporter = choose(&o->items[i], format, o->count == 1);
}

struct err *outputs_open(struct outputs *o)
{
	for (size_t i = 0; i < o->count; i++) {
		struct err *err = outfile_open(&o->items[i].file, o->items[i].path);

		if (err) {
			outputs_abort(o);
			return err;
		}
	}
	return NULL;
}

static struct err *finish_one(struct output *output, struct err *err)
{
	if (!err)
		return outfile_commit(&output->file);
	outfile_abort(&output->file);
	return err_suffix(err, " to '%s'", output->path);
}

static void keep_first(struct err **first, struct err *err)
{
	if (*first)
		err_free(err);
	else
		*first = err;
}

struct err *outputs_write(
	struct outputs *o, const struct profile *p, const struct export_options *options)
{
	struct err *first = NULL;

	for (size_t i = 0; i < o->count; i++) {
		struct output *output = &o->items[i];
		struct err *err = output->exporter->write(output->file.stream, p, options);

		keep_first(&first, finish_one(output, err));
	}
	return first;
}

struct err *outputs_write_view(
	struct outputs *o, struct view *v, const struct export_options *options)
{
	struct err *first = NULL;

	for (size_t i = 0; i < o->count; i++) {
		struct output *output = &o->items[i];
		struct err *err = export_view(output->exporter, output->file.stream, v, options);

		keep_first(&first, finish_one(output, err));
	}
	return first;
}

void outputs_abort(struct outputs *o)
{
	for (size_t i = 0; i < o->count; i++)
		outfile_abort(&o->items[i].file);
}

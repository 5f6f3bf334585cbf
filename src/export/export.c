// SPDX-License-Identifier: MIT
#include "export/export.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

const struct exporter *const exporters[] = {
	&export_svg,
	&export_folded,
	&export_text,
	NULL,
};

/* Endings in use elsewhere, beside each format's own. */
static const struct {
	const char *extension;
	const struct exporter *exporter;
} other_endings[] = {
	{ "txt", &export_folded },
	{ "collapsed", &export_folded },
};

const struct exporter *export_find(const char *name)
{
	for (size_t i = 0; exporters[i]; i++)
		if (strcmp(exporters[i]->name, name) == 0)
			return exporters[i];
	return NULL;
}

const struct exporter *export_guess(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (!dot || strchr(dot, '/'))
		return NULL;
	for (size_t i = 0; exporters[i]; i++)
		if (strcasecmp(dot + 1, exporters[i]->extension) == 0)
			return exporters[i];
	for (size_t i = 0; i < ARRAY_LEN(other_endings); i++)
		if (strcasecmp(dot + 1, other_endings[i].extension) == 0)
			return other_endings[i].exporter;
	return NULL;
}

struct err *export_view(const struct exporter *e, FILE *out, struct view *v,
	const struct export_options *options)
{
	const struct profile *p;

	if (e->write_view)
		return e->write_view(out, v, options);
	struct err *err = view_profile(v, VIEW_COUNTS, &p);
	return err ? err : e->write(out, p, options);
}

// SPDX-License-Identifier: MIT
#include "export/export.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

const struct exporter *const exporters[] = {
	&export_svg,
	&export_folded,
	&export_text,
	&export_page,
	&export_chrome,
	&export_cpuprofile,
	&export_pstats,
	&export_callgrind,
	&export_perfscript,
	&export_jsonl,
	&export_speedscope,
	&export_pprof,
	&export_firefox,
	&export_flamechart,
	NULL,
};

/* Endings in use elsewhere, beside each format's own. */
static const struct {
	const char *extension;
	const struct exporter *exporter;
} other_endings[] = {
	{ "txt", &export_folded },
	{ "collapsed", &export_folded },
	{ "prof", &export_pstats },
};

const struct exporter *export_find(const char *name)
{
	for (size_t i = 0; exporters[i]; i++)
		if (strcmp(exporters[i]->name, name) == 0)
			return exporters[i];
	return NULL;
}

/* `x.trace.json` ends in `trace.json`, `trace.json` does not: something must have a name. */
static bool ends_in(const char *name, const char *extension)
{
	size_t len = strlen(name), tail = strlen(extension);

	return len > tail && name[len - tail - 1] == '.' &&
		strcasecmp(name + len - tail, extension) == 0;
}

const struct exporter *export_guess(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (size_t i = 0; exporters[i]; i++)
		if (ends_in(name, exporters[i]->extension))
			return exporters[i];
	for (size_t i = 0; i < ARRAY_LEN(other_endings); i++)
		if (ends_in(name, other_endings[i].extension))
			return other_endings[i].exporter;
	return NULL;
}

struct err *export_view(const struct exporter *e, FILE *out, struct view *v,
	const struct export_options *options)
{
	const struct profile *p;

	if (e->write_view)
		return e->write_view(out, v, options);
	struct export_options filled = *options;
	if (!filled.period_ns)
		filled.period_ns = view_period_ns(v);
	struct err *err = view_profile(v, VIEW_COUNTS, &p);
	return err ? err : e->write(out, p, &filled);
}

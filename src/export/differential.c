// SPDX-License-Identifier: MIT
#include "export/differential.h"

#include <string.h>
#include <strings.h>

const struct differential *const differentials[] = {
	&differential_text,
	&differential_svg,
	&differential_folded,
	NULL,
};

const struct differential *differential_find(const char *name)
{
	for (size_t i = 0; differentials[i]; i++)
		if (strcmp(differentials[i]->name, name) == 0)
			return differentials[i];
	return NULL;
}

const struct differential *differential_guess(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (!dot || strchr(dot, '/'))
		return NULL;
	for (size_t i = 0; differentials[i]; i++)
		if (strcasecmp(dot + 1, differentials[i]->extension) == 0)
			return differentials[i];
	return strcasecmp(dot + 1, "txt") == 0 ? &differential_text : NULL;
}

void differential_add_number(struct buf *out, const struct diff *d, double value, bool sign)
{
	if (!d->absolute)
		buf_printf(out, sign ? "%+.2f" : "%.2f", 100 * value);
	else if (d->seconds)
		buf_printf(out, sign ? "%+.3f" : "%.3f", value);
	else
		buf_printf(out, sign ? "%+.0f" : "%.0f", value);
}

void differential_add_value(struct buf *out, const struct diff *d, double value, bool sign)
{
	differential_add_number(out, d, value, sign);
	if (!d->absolute)
		buf_add_str(out, sign ? " pp" : " %"); // of percentages, points
	else if (d->seconds)
		buf_add_str(out, " s");
}

// SPDX-License-Identifier: MIT
#include "base/units.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

struct unit {
	const char *name;
	double factor;
	bool frequency;
};

static const struct unit units[] = {
	{ "hz", 1, true }, { "khz", 1e3, true }, { "mhz", 1e6, true },
	{ "ns", 1, false }, { "us", 1e3, false }, { "\xc2\xb5s", 1e3, false },
	{ "ms", 1e6, false }, { "s", 1e9, false }, { "m", 60e9, false },
	{ "min", 60e9, false }, { "h", 3600e9, false },
};

/* A number that is more than 0, and what unit follows it (NULL if none). */
static bool parse_quantity(const char *text, double *value_ret, const struct unit **unit_ret)
{
	char *end;
	double value = strtod(text, &end);

	// strtod takes hexadecimal, "inf" and "nan" too
	if (end == text || strspn(text, "0123456789.") == 0 || strspn(text + 1, "xX") != 0 ||
		!isfinite(value) || value <= 0)
		return false;
	end += strspn(end, " ");
	*value_ret = value;
	*unit_ret = NULL;
	if (!*end)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strcasecmp(end, units[i].name) == 0)
			*unit_ret = &units[i];
	return *unit_ret;
}

struct err *units_parse_rate(const char *text, uint64_t *period_ns_ret)
{
	const struct unit *unit;
	double value;

	if (!parse_quantity(text, &value, &unit))
		return err_new(ERR_USAGE,
			"bad rate '%s'; give samples per second (1000, 10khz) or a period (250us)", text);
	double period = !unit ? 1e9 / value :
			unit->frequency ? 1e9 / (value * unit->factor) :
					  value * unit->factor;
	if (period < 999.9 || period > 1000e9)
		return err_new(ERR_USAGE, "rate '%s' is out of range; 0.001 Hz to 1 MHz can be asked for",
			text);
	*period_ns_ret = (uint64_t)(period + 0.5);
	return NULL;
}

struct err *units_parse_duration(const char *text, uint64_t *ns_ret)
{
	const struct unit *unit;
	double value;

	if (!parse_quantity(text, &value, &unit) || (unit && unit->frequency))
		return err_new(ERR_USAGE, "bad duration '%s'; give seconds (10, 1.5), 500ms, 2m or 1h",
			text);
	double ns = value * (unit ? unit->factor : 1e9);
	if (ns < 1 || ns > 1000 * 24 * 3600e9)
		return err_new(ERR_USAGE, "duration '%s' is out of range; at most 1000 days", text);
	*ns_ret = (uint64_t)ns;
	return NULL;
}

struct err *units_parse_size(const char *text, uint64_t *bytes_ret)
{
	static const char prefixes[] = "kmgt";
	char *end;
	double value = strtod(text, &end);
	const char *prefix = *end ? strchr(prefixes, tolower((unsigned char)*end)) : NULL;

	if (prefix) {
		for (const char *p = prefixes; p <= prefix; p++)
			value *= 1024;
		end++;
	}
	if (strcasecmp(end, "ib") == 0)
		end += 2;
	else if (strcasecmp(end, "b") == 0)
		end++;
	if (end == text || *end || !isdigit((unsigned char)*text) || !(value >= 1) || value >= 9e18)
		return err_new(ERR_USAGE, "bad size '%s'; give bytes, or 500k, 64M, 2G", text);
	*bytes_ret = (uint64_t)value;
	return NULL;
}

void units_add_count(struct buf *out, uint64_t count)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0 && n > 4)
			buf_add_char(out, ' ');
		buf_add_char(out, digits[i]);
	}
}

/* Three digits, or fewer where they say as much. */
static void add_scaled(struct buf *out, double value, const char *unit)
{
	double scale = value >= 99.95 ? 1 : value >= 9.995 ? 10 : 100;
	double rounded = round(value * scale) / scale;
	int decimals = rounded == floor(rounded) || scale < 10 ? 0 : scale < 100 ? 1 : 2;

	buf_printf(out, "%.*f %s", decimals, rounded, unit);
}

void units_add_duration(struct buf *out, uint64_t ns)
{
	double value = (double)ns;

	// just below a thousand is rounded up to one of the next unit
	if (value < 999.5)
		add_scaled(out, value, "ns");
	else if (value < 999.5e3)
		add_scaled(out, value / 1e3, "us");
	else if (value < 999.5e6)
		add_scaled(out, value / 1e6, "ms");
	else
		add_scaled(out, value / 1e9, "s");
}

void units_add_size(struct buf *out, uint64_t bytes)
{
	double value = (double)bytes;

	if (value < 999.5)
		add_scaled(out, value, bytes == 1 ? "byte" : "bytes");
	else if (value < 999.5e3)
		add_scaled(out, value / 1e3, "kB");
	else if (value < 999.5e6)
		add_scaled(out, value / 1e6, "MB");
	else
		add_scaled(out, value / 1e9, "GB");
}

void units_add_rate(struct buf *out, uint64_t period_ns)
{
	double hz = 1e9 / (double)period_ns;

	if (hz >= 10000)
		add_scaled(out, round(hz) / 1e3, "kHz");
	else
		add_scaled(out, hz >= 10 ? round(hz) : hz, "Hz");
}

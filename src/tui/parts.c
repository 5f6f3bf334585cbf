// SPDX-License-Identifier: MIT
#include "tui/parts.h"

#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"

#define HOT_SHARE 0.10
#define WARM_SHARE 0.02
#define LEVELS 8 /* of a block character */
#define FIRST_LOWER_BLOCK 0x2581u
#define FULL_BLOCK 0x2588u

static int level_of(double value, double lowest, double highest, int levels)
{
	double part = highest > lowest ? (value - lowest) / (highest - lowest) : 0;

	if (!(part > 0)) // also what is no number
		return 0;
	return part >= 1 ? levels : (int)(part * levels + 0.5);
}

/* A moment of a line: even nothing leaves a trace where there was a moment. */
static void add_moment(struct buf *out, bool ascii, int level)
{
	static const char ramp[LEVELS + 1] = { '_', '.', ',', '-', '=', '+', '*', '%', '#' };

	if (ascii)
		buf_add_char(out, ramp[level]);
	else
		utf8_add(out, FIRST_LOWER_BLOCK + (uint32_t)(level > 0 ? level - 1 : 0));
}

void parts_sparkline(struct canvas *c, int y, int x, int width, enum tone tone,
	const double *values, size_t count, double lowest, double highest)
{
	_cleanup_buf_ struct buf line = BUF_INIT;

	if (width <= 0)
		return;
	size_t shown = count < (size_t)width ? count : (size_t)width;

	for (size_t i = count - shown; i < count; i++)
		add_moment(&line, c->ascii, level_of(values[i], lowest, highest, LEVELS));
	canvas_put_fit(c, y, x, width, tone, FIT_RIGHT, buf_str(&line));
}

void parts_bar(struct canvas *c, int y, int x, int width, enum tone tone, double share)
{
	_cleanup_buf_ struct buf bar = BUF_INIT;
	int eighths = level_of(share, 0, 1, width * LEVELS);

	if (width <= 0)
		return;
	for (int i = 0; i < eighths / LEVELS; i++) {
		if (c->ascii)
			buf_add_char(&bar, '|');
		else
			utf8_add(&bar, FULL_BLOCK);
	}
	if (eighths % LEVELS > 0 && !c->ascii) // blocks that are not full lie above the full one
		utf8_add(&bar, FULL_BLOCK + (uint32_t)(LEVELS - eighths % LEVELS));
	else if (eighths % LEVELS >= LEVELS / 2)
		buf_add_char(&bar, '|');
	canvas_put_fit(c, y, x, width, tone, FIT_LEFT, buf_str(&bar));
}

void parts_add_percent(struct buf *out, double share)
{
	double percent = share * 100;

	if (!isfinite(percent) || percent < 0)
		buf_add_str(out, "-");
	else if (percent >= 99.95)
		buf_printf(out, "%.0f", percent < 99999 ? percent : 99999);
	else
		buf_printf(out, "%.1f", percent);
}

void parts_add_clock(struct buf *out, double seconds)
{
	unsigned int s =
		isfinite(seconds) && seconds > 0 && seconds < 4e9 ? (unsigned int)seconds : 0;
	unsigned int minutes = s / 60 % 60, hours = s / 3600 % 24, days = s / 86400;

	if (days)
		buf_printf(out, "%ud %02u:%02u", days, hours, minutes);
	else if (hours)
		buf_printf(out, "%u:%02u:%02u", hours, minutes, s % 60);
	else
		buf_printf(out, "%u:%02u", minutes, s % 60);
}

void parts_add_span(struct buf *out, uint64_t ns)
{
	uint64_t seconds = ns / NS_PER_SEC;

	if (seconds == 0)
		buf_printf(out, "%u ms", (unsigned int)(ns / 1000000));
	else if (seconds >= 120 && seconds % 60 == 0)
		buf_printf(out, "%u min", (unsigned int)(seconds / 60));
	else
		buf_printf(out, "%u s", (unsigned int)seconds);
}

enum tone parts_heat(double share)
{
	return share >= HOT_SHARE     ? TONE_HOT
		: share >= WARM_SHARE ? TONE_WARM
		: share > 0           ? TONE_PLAIN
				      : TONE_FAINT;
}

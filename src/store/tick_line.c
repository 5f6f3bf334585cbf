// SPDX-License-Identifier: MIT
#include "store/tick_line.h"

size_t tick_line_rows(const struct capture_sample *rows, size_t count, size_t from)
{
	size_t to = from + 1;

	while (to < count && rows[to].time_ns == rows[from].time_ns)
		to++;
	return to;
}

/* Ticks in slots that follow each other. */
struct stretch {
	struct tick_line line; // through the first of them
	int64_t least, most;   // how far off the others are
	size_t ticks;
};

static void stretch_begin(struct stretch *s, uint64_t time_ns, uint64_t period_ns)
{
	*s = (struct stretch){ .line = { time_ns, period_ns } };
}

/* False if it does not belong to this stretch: it is further off than its own slot is. */
static bool stretch_add(struct stretch *s, uint64_t time_ns)
{
	int64_t off = (int64_t)(time_ns - s->line.at_ns), period = (int64_t)s->line.period_ns;
	int64_t least = off < s->least ? off : s->least, most = off > s->most ? off : s->most;

	if (off <= -period || off >= period || most - least > period + period / 8)
		return false;
	s->least = least;
	s->most = most;
	s->ticks++;
	tick_line_advance(&s->line);
	return true;
}

/* A moment in the middle of a slot. */
static uint64_t stretch_middle(const struct stretch *s)
{
	return s->line.at_ns + (uint64_t)(s->least + (s->most - s->least) / 2);
}

bool tick_line_find(
	struct tick_line *line, const struct capture_sample *rows, size_t count, uint64_t period_ns)
{
	struct stretch now, longest = { 0 };
	size_t ticks = 0;

	if (!period_ns || period_ns > TICK_PERIOD_MAX_NS || !count)
		return false;
	stretch_begin(&now, rows[0].time_ns, period_ns);
	for (size_t i = 0; i < count; i = tick_line_rows(rows, count, i), ticks++) {
		if (!stretch_add(&now, rows[i].time_ns)) {
			stretch_begin(&now, rows[i].time_ns, period_ns);
			stretch_add(&now, rows[i].time_ns);
		}
		if (now.ticks > longest.ticks)
			longest = now;
	}
	if (longest.ticks < 8 && longest.ticks < ticks)
		return false;
	uint64_t off = (rows[0].time_ns - stretch_middle(&longest)) % period_ns;
	if ((int64_t)(rows[0].time_ns - stretch_middle(&longest)) < 0)
		off = period_ns - (stretch_middle(&longest) - rows[0].time_ns) % period_ns;
	if (off >= period_ns / 2)
		off -= period_ns;
	*line = (struct tick_line){ rows[0].time_ns - off, period_ns };
	return true;
}

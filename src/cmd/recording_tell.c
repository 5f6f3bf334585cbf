// SPDX-License-Identifier: MIT
#include "cmd/recording_tell.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/units.h"

#define PROGRESS_NS ((uint64_t)250000000)

/* ---- progress --------------------------------------------------------------------------------- */

static void add_progress(const struct recording *r, struct buf *line, uint64_t now)
{
	uint64_t elapsed = r->started_ns ? now - r->started_ns : 0;
	struct recording_counts c;

	recording_count(r, &c);
	buf_printf(line, "%.1f s  ", (double)elapsed / NS_PER_SEC);
	if (r->children)
		buf_printf(line, "%zu processes  ", family_sampled(&r->family));
	units_add_count(line, c.samples - c.left_out);
	buf_printf(line, " samples  %.0f Hz  lost ",
		c.sampled_ns ? (double)c.ticks / ((double)c.sampled_ns / NS_PER_SEC) : 0);
	units_add_count(line, c.missed + c.no_room + c.failed);
	if (r->paused)
		buf_add_str(line, "  paused");
}

void recording_show_progress(struct recording *r, uint64_t now_ns)
{
	_cleanup_buf_ struct buf line = BUF_INIT;

	if (!r->progress || now_ns - r->shown_ns < PROGRESS_NS)
		return;
	r->shown_ns = now_ns;
	add_progress(r, &line, now_ns);
	fprintf(stderr, "\rfireglass: %s\033[K", buf_str(&line));
	fflush(stderr);
}

void recording_clear_progress(struct recording *r)
{
	if (r->progress && r->shown_ns)
		fprintf(stderr, "\r\033[K");
	r->shown_ns = 0;
}

/* ---- summary ---------------------------------------------------------------------------------- */

static void add_number(struct buf *line, uint64_t count, const char *what)
{
	units_add_count(line, count);
	buf_printf(line, " %s", what);
}

/* "; 12 of something", if there are any. */
static void add_if_any(struct buf *line, uint64_t count, const char *what)
{
	if (!count)
		return;
	buf_add_str(line, "; ");
	add_number(line, count, what);
}

/* How the stacks were read, if not all in the cheapest way. */
static void add_rungs(const struct recording_counts *c, struct buf *line)
{
	static const char *const names[LADDER_RUNGS] = {
		[LADDER_COSCHEDULED] = "read on the program's processor",
		[LADDER_STOPPED] = "read while it was stopped",
	};
	const char *separator = "; ";

	for (int rung = 0; rung < LADDER_RUNGS; rung++) {
		if (!names[rung] || !c->rungs[rung])
			continue;
		buf_add_str(line, separator);
		add_number(line, c->rungs[rung], names[rung]);
		separator = ", ";
	}
}

static void add_samples(const struct recording_counts *c, struct buf *line)
{
	add_number(line, c->samples - c->left_out, "samples in ");
	add_number(line, c->ticks, "ticks");
	if (c->left_out) {
		buf_add_str(line, " (");
		add_number(line, c->left_out, "more left out as asked)");
	}
	buf_add_str(line, "; ");
	add_number(line, c->missed, "ticks missed, ");
	add_number(line, c->truncated, "stacks truncated, ");
	add_number(line, c->failed, "reads failed");
	if (c->no_room) {
		buf_add_str(line, ", ");
		add_number(line, c->no_room, "samples lost (too fast to keep)");
	}
}

void recording_summary(const struct recording *r)
{
	uint64_t elapsed = r->ended_ns - r->started_ns;
	uint64_t cpu = clock_process_cpu_ns() - r->cpu_start_ns;
	_cleanup_buf_ struct buf line = BUF_INIT;
	struct recording_counts c;

	recording_count(r, &c);
	buf_printf(&line, "Python %s, %.1f s, ", r->version ? r->version : "?",
		(double)elapsed / NS_PER_SEC);
	if (r->children)
		buf_printf(&line, "%zu process%s, ", c.processes, c.processes == 1 ? "" : "es");
	add_samples(&c, &line);
	add_if_any(&line, c.reused, "taken over (the thread had not run)");
	add_if_any(&line, c.voided, "frames without a name (freed at that time)");
	add_if_any(&line, r->unread, "processes could not be sampled");
	add_rungs(&c, &line);
	buf_printf(&line, "; fireglass used %.1f %% of a core",
		elapsed ? 100.0 * (double)cpu / (double)elapsed : 0);
	fprintf(stderr, "fireglass: %s\n", buf_str(&line));
}

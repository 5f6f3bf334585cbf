// SPDX-License-Identifier: MIT
/* What is asked of a recording while it goes on: a pause, its end, another capture. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/recording.h"

/* ---- pauses ----------------------------------------------------------------------------------- */

void recording_mark_pause(struct recording *r)
{
	struct capture_marker marker = {
		.start_ns = r->paused_wall_ns,
		.end_ns = clock_wall_ns(),
		.thread = CAPTURE_NONE,
		.process = CAPTURE_NONE,
	};

	if (!r->paused)
		return;
	marker.name = capture_string(r->capture, "paused");
	marker.text = capture_string(r->capture, "");
	capture_add_marker(r->capture, &marker);
	r->paused_wall_ns = marker.end_ns;
}

void recording_follow_pause(struct recording *r)
{
	bool paused = atomic_load(&r->pause_asked);

	if (paused == r->paused)
		return;
	recording_mark_pause(r);
	r->paused = paused;
	r->paused_wall_ns = clock_wall_ns();
	for (size_t i = 0; i < r->family.count; i++)
		if (r->family.items[i]->has_sampler)
			sampler_pause(&r->family.items[i]->sampler, paused);
}

static void ring_bell(struct recording *r)
{
	atomic_fetch_add_explicit(&r->bell, 1, memory_order_release);
	clock_wake(&r->bell);
}

void recording_pause(struct recording *r, bool paused)
{
	atomic_store(&r->pause_asked, paused);
	ring_bell(r);
}

void recording_stop(struct recording *r)
{
	atomic_store(&r->stop_asked, true);
	ring_bell(r);
}

/* ---- another capture -------------------------------------------------------------------------- */

static void move_process(struct followed *f, const struct capture *from, struct capture *to,
	struct transfer *tables)
{
	if (f->row == CAPTURE_NONE)
		return;
	struct capture_process row = from->processes[f->row];
	row.name = transfer_string(tables, row.name);
	row.command = transfer_string(tables, row.command);
	f->row = capture_add_process(to, &row);
	if (f->has_sampler)
		collector_move(&f->collector, to, f->row, tables);
}

void recording_move(struct recording *r, const struct capture *from, struct capture *to)
{
	_cleanup_(transfer_deinit) struct transfer tables = { .from = &from->tables,
		.to = &to->tables };

	for (size_t i = 0; i < r->family.count; i++)
		move_process(r->family.items[i], from, to, &tables);
	r->capture = to;
}

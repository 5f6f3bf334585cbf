// SPDX-License-Identifier: MIT
#include "cmd/excerpt.h"

#include "store/capture_file.h"

static void trim(struct capture *c, uint64_t from_ns, uint64_t to_ns)
{
	size_t losses = 0, markers = 0;

	for (size_t i = 0; i < c->loss_count; i++)
		if (c->losses[i].time_ns >= from_ns && c->losses[i].time_ns < to_ns)
			c->losses[losses++] = c->losses[i];
	for (size_t i = 0; i < c->marker_count; i++)
		if (c->markers[i].end_ns >= from_ns && c->markers[i].start_ns < to_ns)
			c->markers[markers++] = c->markers[i];
	c->loss_count = losses;
	c->marker_count = markers;
}

static struct err *copy_samples(
	struct capture_writer *w, const struct capture *c, uint64_t from_ns, uint64_t to_ns)
{
	struct capture_cursor cursor;
	const struct capture_sample *sample;
	struct err *err = NULL;

	capture_cursor_init(&cursor, c);
	capture_cursor_seek(&cursor, from_ns);
	while (!err && (sample = capture_cursor_next(&cursor)) != NULL)
		if (sample->time_ns >= from_ns && sample->time_ns < to_ns)
			err = capture_writer_sample(w, sample);
	if (!err)
		err = capture_cursor_error(&cursor);
	capture_cursor_deinit(&cursor);
	return err;
}

struct err *excerpt_write(struct capture *c, uint64_t from_ns, uint64_t to_ns, int fd)
{
	// the times were rounded when they were taken
	const struct capture_writer_options options = { .exact_times = true };
	struct capture_writer *w = NULL;

	to_ns = to_ns ? to_ns : UINT64_MAX;
	trim(c, from_ns, to_ns);
	struct err *err = capture_writer_create(&w, fd, c, &options);
	if (err)
		return err;
	err = copy_samples(w, c, from_ns, to_ns);
	if (!err)
		err = capture_writer_finish(w);
	capture_writer_destroy(w);
	return err;
}

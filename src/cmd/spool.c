// SPDX-License-Identifier: MIT
#include "cmd/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/iofd.h"
#include "base/units.h"
#include "os/proc.h"
#include "sample/facts.h"

#define FLUSH_NS ((uint64_t)1000000000)

/* ---- the file --------------------------------------------------------------------------------- */

static struct spool *spool_of(struct sample_sink *sink)
{
	return (struct spool *)(void *)((char *)sink - offsetof(struct spool, sink));
}

/* Says it once; the recording goes on. */
static void note_failure(struct spool *s, struct err *err)
{
	if (err && !s->failed)
		fprintf(stderr,
			"fireglass: cannot write %s: %s; samples are lost until there is room\n",
			s->path ? s->path : "the samples", err->message);
	s->failed |= err != NULL;
	err_free(err);
}

static void take(struct sample_sink *sink, const struct sample *sample)
{
	struct spool *s = spool_of(sink);

	s->samples++;
	if (s->writer)
		note_failure(s, capture_writer_sample(s->writer, &sample->row));
	else
		s->homeless++;
}

/* ---- facts ------------------------------------------------------------------------------------ */

static void set_own_command(struct capture *c, int argc, char **argv)
{
	_cleanup_buf_ struct buf arguments = BUF_INIT, quoted = BUF_INIT;

	for (int i = 0; i < argc; i++)
		buf_add(&arguments, argv[i], strlen(argv[i]) + 1);
	proc_quote_arguments(buf_str(&arguments), arguments.len, 4096, &quoted);
	capture_set_fact(c, FACT_COMMAND, buf_str(&quoted));
}

void spool_describe(struct spool *s, struct recording *recording, const char *command,
	const char *cwd, int argc, char **argv)
{
	struct capture *c = &s->capture;
	const struct capture_process row = {
		.pid = (uint32_t)recording->pid,
		.name = capture_string(c, "python"),
		.command = capture_string(c, command),
		.start_ns = clock_wall_ns(),
	};

	s->recording = recording;
	s->process = capture_add_process(c, &row);
	facts_begin(c, row.start_ns, recording->period_ns);
	if (*cwd)
		capture_set_fact(c, FACT_CWD, cwd);
	set_own_command(c, argc, argv);
}

/* What is known only since the target was attached; may change when it executes another program. */
static void set_target_facts(struct spool *s)
{
	struct capture *c = &s->capture;
	const struct recording *r = s->recording;

	file_root_follow(&s->files, r->pid);
	if (s->files.kind != FILE_ROOT_OURS)
		capture_set_fact(c, FACT_FILES, "elsewhere");
	if (r->version)
		capture_set_fact(c, FACT_PYTHON, r->version);
	if (r->exe && *r->exe)
		capture_set_fact(c, FACT_PYTHON_BUILD, r->exe);
}

static void set_counts(struct spool *s)
{
	uint64_t rungs[LADDER_RUNGS];

	for (int i = 0; i < LADDER_RUNGS; i++)
		rungs[i] = s->now.rungs[i] - s->before.rungs[i];
	facts_counts(&s->capture, s->now.ticks - s->before.ticks, rungs);
}

static void bring_up_to_date(struct spool *s)
{
	recording_count(s->recording, &s->now);
	set_target_facts(s);
	set_counts(s);
	facts_loss(&s->capture, LOSS_MISSED, s->now.missed, &s->missed);
	facts_loss(&s->capture, LOSS_ROOM, s->now.no_room, &s->ring_full);
}

static void drained(struct sample_sink *sink)
{
	struct spool *s = spool_of(sink);
	uint64_t now = clock_now_ns();

	if (!s->writer)
		return;
	if (now - s->flushed_ns < FLUSH_NS)
		return;
	s->flushed_ns = now;
	bring_up_to_date(s);
	note_failure(s, capture_writer_flush(s->writer));
}

/* ---- life ------------------------------------------------------------------------------------- */

static struct err *create_writer(struct spool *s)
{
	struct err *err = capture_writer_create(&s->writer, s->fd, &s->capture, &s->limits);

	return err ? err_prefix(err, "cannot write '%s': ", s->path ? s->path : "samples") : NULL;
}

static void init(struct spool *s, int fd, const char *path,
	const struct capture_writer_options *limits)
{
	*s = (struct spool){ .path = path, .limits = *limits, .fd = fd };
	s->sink = (struct sample_sink){ .sample = take, .drained = drained };
	capture_init(&s->capture);
}

struct err *spool_open_file(struct spool *s, int fd, const char *path,
	const struct capture_writer_options *limits)
{
	init(s, fd, path, limits);
	return create_writer(s);
}

struct err *spool_open(
	struct spool *s, const char *path, const struct capture_writer_options *limits)
{
	int fd = path ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : iofd_nameless();
	int errnum = errno;

	init(s, fd, path, limits);
	if (fd >= 0)
		return create_writer(s);
	struct err *err = err_errno(errnum, "cannot write '%s'", path ? path : "a temporary file");
	err->kind = ERR_FAILED; // not the permission that reading a process lacks
	return err;
}

struct err *spool_finish(struct spool *s)
{
	struct capture *c = &s->capture;

	if (!s->writer)
		return NULL;
	bring_up_to_date(s);
	capture_set_fact_u64(c, FACT_PERIOD_NS, recording_period_ns(s->recording));
	capture_set_fact_u64(c, FACT_END_NS, clock_wall_ns());
	return capture_writer_finish(s->writer);
}

/* ---- the next file ---------------------------------------------------------------------------- */

/* Facts that are of one file, not of the recording. */
static bool is_of_one_file(const char *key)
{
	static const char *const keys[] = { FACT_START_NS, FACT_END_NS, FACT_TICKS, FACT_DROPPED };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return strncmp(key, FACT_RUNG, strlen(FACT_RUNG)) == 0;
}

static void begin_capture(struct spool *s, const struct capture *old)
{
	capture_init(&s->capture);
	for (size_t i = 0; i < old->fact_count; i++) {
		const char *key = capture_text(old, old->facts[i].key);

		if (!is_of_one_file(key))
			capture_set_fact(&s->capture, key, capture_text(old, old->facts[i].value));
	}
	capture_set_fact_u64(&s->capture, FACT_START_NS, clock_wall_ns());
	recording_move(s->recording, old, &s->capture);
}

struct err *spool_next(struct spool *s, int fd, const char *path)
{
	recording_mark_pause(s->recording);
	note_failure(s, spool_finish(s));
	capture_writer_destroy(s->writer);
	s->writer = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->before = s->now;
	struct capture old = s->capture;
	begin_capture(s, &old);
	capture_deinit(&old);
	s->fd = fd;
	s->path = path;
	s->failed = false;
	s->samples = 0;
	struct err *err = create_writer(s);
	if (!err)
		facts_loss(&s->capture, LOSS_SPACE, s->homeless, &s->homeless_known);
	return err;
}

/* ---- copies ----------------------------------------------------------------------------------- */

bool spool_is_flight_recorder(const struct spool *s)
{
	return s->limits.max_bytes || s->limits.max_age_ns;
}

struct err *spool_copy(struct spool *s, int fd)
{
	recording_mark_pause(s->recording);
	bring_up_to_date(s);
	if (!s->writer)
		return err_new(ERR_FAILED, "there is no file");
	if (spool_is_flight_recorder(s))
		return capture_writer_dump(s->writer, fd);
	return capture_writer_flush(s->writer);
}

struct err *spool_read(const struct spool *s, struct input *in)
{
	char name[32];

	*in = (struct input){ .path = s->path, .shown = s->path ? s->path : "the recording",
		.format = "fgc", .native = true };
	snprintf(name, sizeof(name), "/dev/fd/%d", s->fd);
	return capture_file_open(&in->capture, s->path ? s->path : name, &in->info);
}

void spool_close(struct spool *s, bool discard)
{
	capture_writer_destroy(s->writer);
	s->writer = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	if (discard && s->path)
		unlink(s->path);
	file_root_deinit(&s->files);
	capture_deinit(&s->capture);
}

// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cmd/record.h"
#include "cmd/recording_tell.h"

/* out.fgc -> out-1.fgc */
static char *numbered(const char *path, unsigned int number)
{
	const char *dot = strrchr(path, '.');
	size_t stem = dot && !strchr(dot, '/') ? (size_t)(dot - path) : strlen(path);

	return xasprintf("%.*s-%u%s", (int)stem, path, number, path + stem);
}

static void name_files(struct record *r)
{
	struct record_copy *copy = &r->copy;

	copy->number++;
	copy->outputs.count = 0;
	copy->capture_path = r->spool.path ? numbered(r->spool.path, copy->number) : NULL;
	for (size_t i = 0; i < r->outputs.count; i++) {
		const struct output *output = &r->outputs.items[i];

		if (strcmp(output->path, "-") == 0)
			continue;
		char *path = numbered(output->path, copy->number);
		copy->paths[copy->outputs.count] = path;
		copy->outputs.items[copy->outputs.count++] =
			(struct output){ .path = path, .exporter = output->exporter };
	}
}

static void forget_files(struct record_copy *copy)
{
	free(copy->capture_path);
	copy->capture_path = NULL;
	for (size_t i = 0; i < copy->outputs.count; i++)
		free(copy->paths[i]);
	copy->outputs.count = 0;
	if (copy->fd >= 0)
		close(copy->fd);
	copy->fd = -1;
}

/* ---- on the thread ---------------------------------------------------------------------------- */

static struct err *write_capture(struct record_copy *copy, struct capture *c)
{
	struct outfile file;
	struct err *err = outfile_open(&file, copy->capture_path);

	if (err)
		return err;
	if (!capture_fact(c, FACT_END_NS))
		capture_set_fact_u64(c, FACT_END_NS, clock_wall_ns());
	err = capture_file_write(fileno(file.stream), c);
	if (!err)
		return outfile_commit(&file);
	outfile_abort(&file);
	return err_prefix(err, "cannot write '%s'", copy->capture_path);
}

static struct err *write_outputs(struct record *r, const struct input *in)
{
	struct file_root files = { 0 };

	if (!r->copy.outputs.count)
		return NULL;
	struct err *err = outputs_open(&r->copy.outputs);
	if (err)
		return err;
	// the spool's own may change meanwhile
	file_root_follow(&files, r->recording.pid);
	err = record_write(r, &r->copy.outputs, &files, in);
	file_root_deinit(&files);
	return err;
}

static void *copying_thread(void *data)
{
	struct record *r = data;
	struct record_copy *copy = &r->copy;
	struct input in = { .shown = "the recording", .format = CAPTURE_FORMAT, .native = true };
	char name[32];

	snprintf(name, sizeof(name), "/dev/fd/%d", copy->fd);
	copy->err = capture_file_open(&in.capture, name, &in.info);
	if (!copy->err && copy->capture_path)
		copy->err = write_capture(copy, &in.capture);
	if (!copy->err)
		copy->err = write_outputs(r, &in);
	capture_deinit(&in.capture);
	atomic_store(&copy->done, true);
	return NULL;
}

/* ---- on the collecting thread ----------------------------------------------------------------- */

/* The capture so far, in a file: a flight recorder's in one of its own. */
static struct err *take_capture(struct record *r)
{
	bool kept = spool_is_flight_recorder(&r->spool);
	int fd = kept ? iofd_nameless() : fcntl(r->spool.fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(errno, "cannot copy the recording");
	r->copy.fd = fd;
	return spool_copy(&r->spool, fd);
}

static struct err *start_thread(struct record *r)
{
	sigset_t all, old;

	atomic_store(&r->copy.done, false);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int errnum = pthread_create(&r->copy.thread, NULL, copying_thread, r);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	r->copy.running = !errnum;
	return errnum ? err_errno(errnum, "cannot copy the recording") : NULL;
}

static void say(struct record *r, struct err *err)
{
	const struct record_copy *copy = &r->copy;

	recording_clear_progress(&r->recording);
	if (err)
		fprintf(stderr, "fireglass: %s\n", err->message);
	else if (copy->capture_path)
		fprintf(stderr, "fireglass: wrote %s\n", copy->capture_path);
	for (size_t i = 0; !err && i < copy->outputs.count; i++)
		fprintf(stderr, "fireglass: wrote %s\n", copy->paths[i]);
	err_free(err);
}

void record_copy_begin(struct record *r)
{
	struct err *err = NULL;

	r->copy.fd = -1;
	name_files(r);
	if (!r->copy.capture_path && !r->copy.outputs.count)
		err = err_new(ERR_USAGE, "standard output gets nothing before the end; with -o FILE "
					 "SIGUSR1 writes what there is beside it");
	if (!err)
		err = take_capture(r);
	if (!err)
		err = start_thread(r);
	if (!err)
		return;
	say(r, err);
	forget_files(&r->copy);
}

void record_copy_end(struct record *r, bool wait)
{
	struct record_copy *copy = &r->copy;

	if (!copy->running || (!wait && !atomic_load(&copy->done)))
		return;
	pthread_join(copy->thread, NULL);
	copy->running = false;
	say(r, copy->err);
	copy->err = NULL;
	forget_files(copy);
}

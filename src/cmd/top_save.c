// SPDX-License-Identifier: MIT
#include "cmd/top_save.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/iofd.h"
#include "base/units.h"
#include "cmd/excerpt.h"
#include "cmd/inputs.h"
#include "cmd/selecting.h"
#include "cmd/sources.h"
#include "export/export.h"
#include "store/view.h"

/* ---- names ------------------------------------------------------------------------------------ */

/* fireglass-NAME-20260131-120500.fgc, with -2, -3... if that is there already. */
static char *file_name(const char *name, bool html)
{
	const char *ending = html ? "html" : "fgc";
	time_t now = time(NULL);
	char stamp[32];
	struct tm tm;

	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	char *path = xasprintf("fireglass-%s-%s.%s", name, stamp, ending);
	for (int i = 2; i < 1000 && access(path, F_OK) == 0; i++) {
		free(path);
		path = xasprintf("fireglass-%s-%s-%d.%s", name, stamp, i, ending);
	}
	return path;
}

/* ---- on the thread ---------------------------------------------------------------------------- */

static struct err *open_copy(const struct top_save *s, struct input *in)
{
	char name[32];

	*in = (struct input){ .shown = "the recording", .format = "fgc", .native = true };
	snprintf(name, sizeof(name), "/dev/fd/%d", s->fd);
	return capture_file_open(&in->capture, name, &in->info);
}

static struct err *write_page(const struct top_save *s, struct input *in, FILE *out)
{
	const struct selecting selecting = { 0 };
	const struct selection selection = { .from_ns = s->from_ns };
	_cleanup_(described_deinit) struct described described;
	_cleanup_(sources_deinit) struct sources sources;
	struct view *v;

	selecting_describe(&selecting, in, &described);
	sources_init(&sources, &in->capture, &s->files);
	described.options.sources = &sources.exported;
	struct err *err = view_create(&v, &in->capture, &selection);
	if (err)
		return err;
	err = export_view(&export_page, out, v, &described.options);
	view_destroy(v);
	return err;
}

static struct err *write_file(const struct top_save *s, struct input *in)
{
	struct outfile file;
	struct err *err = outfile_open(&file, s->path);

	if (err)
		return err;
	err = s->html ? write_page(s, in, file.stream)
		      : excerpt_write(&in->capture, s->from_ns, 0, fileno(file.stream));
	if (!err)
		return outfile_commit(&file);
	outfile_abort(&file);
	return err_prefix(err, "cannot write '%s'", s->path);
}

static void *save(void *data)
{
	struct top_save *s = data;
	struct input in;

	s->err = open_copy(s, &in);
	if (!s->err) {
		s->err = write_file(s, &in);
		input_close(&in);
	}
	atomic_store(&s->done, true);
	return NULL;
}

/* ---- on the collecting thread ----------------------------------------------------------------- */

static void clear(struct top_save *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->path);
	file_root_deinit(&s->files);
	*s = (struct top_save){ .fd = -1 };
}

static char *refused(struct top_save *s, struct err *err)
{
	char *notice = xstrdup(err->message);

	err_free(err);
	clear(s);
	return notice;
}

static struct err *copy_recording(struct top_save *s, struct spool *spool)
{
	s->fd = iofd_nameless();
	if (s->fd < 0)
		return err_errno(errno, "cannot save: no temporary file");
	return spool_copy(spool, s->fd);
}

/* Signals are for the collecting thread. */
static struct err *start(struct top_save *s)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int errnum = pthread_create(&s->thread, NULL, save, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return errnum ? err_errno(errnum, "cannot save: no thread") : NULL;
}

char *top_save_begin(
	struct top_save *s, struct spool *spool, const char *name, uint64_t from_ns, bool html)
{
	if (s->started)
		return xasprintf("still saving %s", s->path);
	*s = (struct top_save){ .fd = -1, .html = html, .from_ns = from_ns };
	struct err *err = copy_recording(s, spool);
	if (err)
		return refused(s, err);
	s->path = file_name(name, html);
	file_root_follow(&s->files, spool->recording->pid);
	err = start(s);
	if (err)
		return refused(s, err);
	s->started = true;
	return xasprintf("saving %s ...", s->path);
}

static char *result_of(const struct top_save *s)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct stat st;

	if (s->err)
		return xstrdup(s->err->message);
	buf_printf(&text, "saved %s", s->path);
	if (stat(s->path, &st) == 0) {
		buf_add_str(&text, " (");
		units_add_size(&text, (uint64_t)st.st_size);
		buf_add_char(&text, ')');
	}
	return xstrdup(buf_str(&text));
}

char *top_save_end(struct top_save *s, bool wait)
{
	if (!s->started || (!wait && !atomic_load(&s->done)))
		return NULL;
	pthread_join(s->thread, NULL);
	char *notice = result_of(s);
	err_free(s->err);
	clear(s);
	return notice;
}

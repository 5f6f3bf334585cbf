// SPDX-License-Identifier: MIT
#include "base/iofd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define READ_CHUNK_BYTES 4096

int iofd_read_file(const char *path, size_t cap, struct buf *out)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t start = out->len;

	if (fd < 0)
		return errno;
	while (out->len - start < cap) {
		size_t want = cap - (out->len - start);

		if (want > READ_CHUNK_BYTES)
			want = READ_CHUNK_BYTES;
		buf_reserve(out, want);
		ssize_t n = read(fd, out->data + out->len, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			break;
		out->len += (size_t)n;
		out->data[out->len] = 0;
	}
	return 0;
}

int iofd_write_all(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int iofd_nameless(void)
{
	const char *folder = getenv("TMPDIR");
	int fd = open(folder && *folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd >= 0 ? fd : memfd_create("fireglass", MFD_CLOEXEC);
}

FILE *iofd_nameless_stream(void)
{
	int fd = iofd_nameless();
	FILE *stream = fd >= 0 ? fdopen(fd, "w+b") : NULL;

	if (fd >= 0 && !stream)
		close(fd);
	return stream;
}

static void outfile_clear(struct outfile *f)
{
	free(f->temp_path);
	free(f->path);
	*f = (struct outfile){ 0 };
}

static bool written_in_place(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static struct err *open_error(const char *path, int errnum)
{
	struct err *err = err_errno(errnum, "cannot write '%s'", path);

	// a file's permissions are not the kind of permission that reading a process lacks
	err->kind = ERR_FAILED;
	return err_suffix(err, "; choose another place with -o");
}

/* ---- files that signals would leave behind ---------------------------------------------------- */

/* Copies: they are looked at by a handler, whatever becomes of the outfiles. */
static char *guarded[OUTFILES_GUARDED_MAX];
static size_t guarded_count;
static bool guarding;

static void on_end(int signum)
{
	for (size_t i = 0; i < guarded_count; i++)
		unlink(guarded[i]);
	// SA_RESETHAND: the signal ends the program now
	raise(signum);
}

void outfile_guard(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	struct sigaction action = { .sa_handler = on_end, .sa_flags = (int)SA_RESETHAND };

	guarding = true;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		struct sigaction old;

		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

/* Makes a file and remembers it, with no signal between the two. */
static int make_temp(char *path)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int fd = mkostemp(path, O_CLOEXEC);
	int errnum = errno;
	if (fd >= 0 && guarding && guarded_count < OUTFILES_GUARDED_MAX)
		guarded[guarded_count++] = xstrdup(path);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = errnum;
	return fd;
}

static struct err *outfile_open_temp(struct outfile *f)
{
	// mkstemp makes files private; give the mode a plain open() would have given
	mode_t mask = umask(0);
	umask(mask);

	f->temp_path = xasprintf("%s.XXXXXX", f->path);
	int fd = make_temp(f->temp_path);
	if (fd < 0)
		return open_error(f->path, errno);
	fchmod(fd, 0666 & ~mask);
	f->stream = fdopen(fd, "w");
	return NULL;
}

struct err *outfile_open(struct outfile *f, const char *path)
{
	struct err *err = NULL;

	*f = (struct outfile){ .path = xstrdup(path) };
	if (strcmp(path, "-") == 0) {
		f->stream = stdout;
	} else if (written_in_place(path)) {
		f->stream = fopen(path, "we");
		if (!f->stream)
			err = open_error(path, errno);
	} else {
		err = outfile_open_temp(f);
	}
	if (err)
		outfile_clear(f);
	return err;
}

struct err *outfile_commit(struct outfile *f)
{
	struct err *err = NULL;
	int errnum = 0;

	if (fflush(f->stream) != 0 || ferror(f->stream))
		errnum = errno ? errno : EIO;
	if (f->stream != stdout && fclose(f->stream) != 0 && !errnum)
		errnum = errno;
	if (!errnum && f->temp_path && rename(f->temp_path, f->path) != 0)
		errnum = errno;
	if (errnum) {
		err = open_error(f->path, errnum);
		if (f->temp_path)
			unlink(f->temp_path);
	}
	outfile_clear(f);
	return err;
}

void outfile_abort(struct outfile *f)
{
	if (!f->stream)
		return;
	if (f->stream != stdout)
		fclose(f->stream);
	if (f->temp_path)
		unlink(f->temp_path);
	outfile_clear(f);
}

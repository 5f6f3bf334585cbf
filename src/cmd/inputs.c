// SPDX-License-Identifier: MIT
#include "cmd/inputs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/iofd.h"
#include "base/units.h"
#include "import/import.h"

#define NATIVE_FORMAT "fgc"
#define NATIVE_SUMMARY "fireglass's own captures"
#define MAGIC_BYTES 8
#define COPY_BYTES (1u << 16)

/* ---- standard input --------------------------------------------------------------------------- */

static struct err *copy_stdin(FILE *to)
{
	_cleanup_free_ char *bytes = xmalloc(COPY_BYTES);
	ssize_t n;

	while ((n = read(STDIN_FILENO, bytes, COPY_BYTES)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(errno, "cannot read the standard input");
		int errnum = iofd_write_all(fileno(to), bytes, (size_t)n);
		if (errnum)
			return err_errno(
				errnum, "cannot keep what came through the standard input");
	}
	return NULL;
}

/*
 * Readers seek, so what comes through a pipe goes to a file without a name first. *name_ret is a
 * name under which it can be opened.
 */
static struct err *open_stdin(struct input *in, char name[32])
{
	struct stat st;

	if (isatty(STDIN_FILENO))
		return err_new(
			ERR_USAGE, "the standard input is a terminal; give a file, or a pipe");
	if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode)) {
		snprintf(name, 32, "/dev/fd/%d", STDIN_FILENO);
		return NULL;
	}
	in->spool = iofd_nameless_stream();
	if (!in->spool)
		return err_errno(errno, "cannot make a temporary file");
	snprintf(name, 32, "/dev/fd/%d", fileno(in->spool));
	return copy_stdin(in->spool);
}

/* ---- opening ---------------------------------------------------------------------------------- */

static struct err *is_native(const char *path, const char *shown, bool *native_ret)
{
	_cleanup_buf_ struct buf magic = BUF_INIT;
	int errnum = iofd_read_file(path, MAGIC_BYTES, &magic);

	if (errnum) {
		struct err *err = err_errno(errnum, "cannot read '%s'", shown);

		err->kind = ERR_FAILED; // not the permission that reading a process lacks
		return err;
	}
	*native_ret = capture_file_is(buf_str(&magic), magic.len);
	return NULL;
}

static struct err *open_path(struct input *in, const char *path, const char *format)
{
	const struct importer *used;
	struct err *err = NULL;

	if (format)
		in->native = strcmp(format, NATIVE_FORMAT) == 0;
	else
		err = is_native(path, in->shown, &in->native);
	if (err)
		return err;
	in->format = NATIVE_FORMAT;
	if (in->native)
		return capture_file_open(&in->capture, path, &in->info);
	capture_init(&in->capture);
	err = import_file(&in->capture, path, format, &used);
	if (!err)
		in->format = used->name;
	return err;
}

/* Errors of the readers name the path they were given. */
static struct err *with_name(const struct input *in, const char *path, struct err *err)
{
	if (err && strcmp(path, in->path) != 0 && !strstr(err->message, in->shown))
		return err_prefix(err, "%s", in->shown);
	return err;
}

struct err *input_open(struct input *in, const char *path, const char *format)
{
	char name[32];
	struct err *err = NULL;

	*in = (struct input){ .path = path, .shown = path };
	if (strcmp(path, "-") == 0) {
		in->shown = "standard input";
		err = open_stdin(in, name);
		path = name;
	}
	if (!err)
		err = open_path(in, path, format);
	if (!err)
		return NULL;
	err = with_name(in, path, err);
	input_close(in);
	return err;
}

void input_close(struct input *in)
{
	capture_deinit(&in->capture);
	if (in->spool)
		fclose(in->spool);
	in->spool = NULL;
}

/* ---- telling ---------------------------------------------------------------------------------- */

static void add_time_of_day(struct buf *out, uint64_t ns)
{
	time_t seconds = (time_t)(ns / NS_PER_SEC);
	char text[32];
	struct tm tm;

	if (localtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%H:%M:%S", &tm))
		buf_printf(out, ", the last at %s", text);
}

void input_tell(const struct input *in)
{
	_cleanup_buf_ struct buf samples = BUF_INIT;

	if (!in->native || in->info.finished)
		return;
	units_add_count(&samples, capture_samples(&in->capture));
	buf_add_str(&samples, " samples");
	if (capture_last_ns(&in->capture))
		add_time_of_day(&samples, capture_last_ns(&in->capture));
	fprintf(stderr, "fireglass: %s %s: read %s\n", in->shown,
		in->info.cut ? "ends in the middle of a chunk (cut off, or being written)"
			     : "has no end (still being recorded, or killed)",
		buf_str(&samples));
}

void input_list_formats(void)
{
	printf("%-12s %-12s %s\n", NATIVE_FORMAT, "", NATIVE_SUMMARY);
	for (size_t i = 0; importers[i]; i++)
		printf("%-12s %-12s %s\n", importers[i]->name,
			importers[i]->option ? importers[i]->option : "", importers[i]->summary);
}

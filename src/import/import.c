// SPDX-License-Identifier: MIT
#include "import/import.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "fmt/gunzip.h"

#define READ_BYTES 65536u

/* The surest first: folded text looks like much else. */
const struct importer *const importers[] = {
	&import_mojo,
	&import_tachyon,
	&import_firefox,
	&import_speedscope,
	&import_cpuprofile,
	&import_chrome,
	&import_will_profile,
	&import_austin,
	&import_perf_script,
	&import_pprof,
	&import_folded,
	NULL,
};

const struct importer *import_find(const char *name)
{
	for (size_t i = 0; importers[i]; i++)
		if (strcmp(importers[i]->name, name) == 0)
			return importers[i];
	return NULL;
}

/* ---- which format ----------------------------------------------------------------------------- */

static const struct importer *guess(const char *data, size_t len)
{
	for (size_t i = 0; importers[i]; i++)
		if (importers[i]->sniff(data, len))
			return importers[i];
	return NULL;
}

static void add_names(struct buf *out)
{
	for (size_t i = 0; importers[i]; i++) {
		if (i)
			buf_add_str(out, ", ");
		buf_add_str(out, importers[i]->name);
	}
}

static struct err *choose(
	const struct import_input *in, const char *name, const struct importer **ret)
{
	const struct importer *found = name ? import_find(name) : guess(in->data, in->len);
	_cleanup_buf_ struct buf names = BUF_INIT;

	if (found && in->option && !found->option)
		return err_new(ERR_USAGE, "format '%s' takes no option", name);
	if (found) {
		*ret = found;
		return NULL;
	}
	add_names(&names);
	if (name)
		return err_new(
			ERR_USAGE, "unknown format '%s'; known are %s", name, buf_str(&names));
	return err_new(ERR_FAILED, "it is in no format that is known; name it if it is one of %s",
		buf_str(&names));
}

/* ---- reading ---------------------------------------------------------------------------------- */

static struct err *read_as(struct capture *c, struct import_input *in, const char *format,
	const struct importer **used_ret)
{
	_cleanup_buf_ struct buf unpacked = BUF_INIT;
	_cleanup_free_ char *name = NULL;
	const struct importer *importer = NULL;
	struct err *err = NULL;

	if (format) {
		in->option = strchr(format, ':');
		name = xstrndup(format, strcspn(format, ":"));
		in->option = in->option ? in->option + 1 : NULL;
	}
	if (gunzip_is(in->data, in->len)) {
		err = gunzip(&unpacked, in->data, in->len, IMPORT_MAX_BYTES);
		in->data = buf_str(&unpacked);
		in->len = unpacked.len;
	}
	if (!err)
		err = choose(in, name, &importer);
	if (err)
		return err;
	err = importer->read(in, c);
	if (err)
		return err_prefix(err, "as %s", importer->name);
	if (used_ret)
		*used_ret = importer;
	return NULL;
}

struct err *import_bytes(struct capture *c, const char *data, size_t len, const char *format,
	const struct importer **used_ret)
{
	struct import_input in = { .data = data, .len = len };
	struct err *err = read_as(c, &in, format, used_ret);

	if (err) {
		capture_deinit(c);
		capture_init(c);
	}
	return err;
}

/* At most one byte more than may be there. Returns 0 or an errno value. */
static int read_all(int fd, struct buf *out)
{
	while (out->len <= IMPORT_MAX_BYTES) {
		buf_reserve(out, READ_BYTES);
		ssize_t n = read(fd, out->data + out->len, READ_BYTES);

		if (n < 0 && errno != EINTR)
			return errno;
		if (n == 0)
			break;
		if (n > 0)
			out->len += (size_t)n;
	}
	buf_reserve(out, 0);
	out->data[out->len] = 0;
	return 0;
}

struct err *import_file(
	struct capture *c, const char *path, const char *format, const struct importer **used_ret)
{
	bool is_stdin = strcmp(path, "-") == 0;
	_cleanup_close_ int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	int errnum = fd < 0 ? errno : read_all(fd, &bytes);

	if (is_stdin)
		path = "standard input";
	if (errnum)
		return err_errno(errnum, "cannot read '%s'", path);
	if (bytes.len > IMPORT_MAX_BYTES)
		return err_new(ERR_FAILED, "cannot read '%s': it is larger than %zu MiB", path,
			IMPORT_MAX_BYTES >> 20);
	struct err *err = import_bytes(c, buf_str(&bytes), bytes.len, format, used_ret);
	return err ? err_prefix(err, "cannot read '%s'", path) : NULL;
}

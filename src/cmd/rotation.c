// SPDX-License-Identifier: MIT
#include "cmd/rotation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"

/* Files of one name, told apart by a number. */
#define SAME_NAME_MAX 1000

struct err *rotation_check(const struct rotation *r)
{
	bool differ = false;

	for (const char *p = strchr(r->pattern, '%'); p; p = strchr(p + 2, '%')) {
		if (!p[1] || !strchr("tnp%", p[1]))
			return err_new(ERR_USAGE,
				"unknown '%.2s' in '%s'; there are %%t (time), %%n (number), %%p "
				"(process) and %%%%",
				p, r->pattern);
		differ |= p[1] == 't' || p[1] == 'n';
	}
	if (differ)
		return NULL;
	return err_new(ERR_USAGE,
		"all files of --every would be '%s'; put %%t (time) or %%n (number) into the name",
		r->pattern);
}

static void add_time(struct buf *name)
{
	char text[32];
	time_t now = time(NULL);
	struct tm tm;

	strftime(text, sizeof(text), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	buf_add_str(name, text);
}

static void fill_in(const struct rotation *r, unsigned int number, struct buf *name)
{
	for (const char *p = r->pattern; *p; p++) {
		if (*p != '%') {
			buf_add_char(name, *p);
			continue;
		}
		switch (*++p) {
		case 't':
			add_time(name);
			break;
		case 'n':
			buf_printf(name, "%04u", number);
			break;
		case 'p':
			buf_printf(name, "%d", (int)r->pid);
			break;
		default:
			buf_add_char(name, '%');
			break;
		}
	}
}

/* a.fgc -> a-2.fgc */
static char *numbered(const char *path, unsigned int number)
{
	const char *dot = strrchr(path, '.');
	size_t stem = dot && !strchr(dot, '/') ? (size_t)(dot - path) : strlen(path);

	if (number == 1)
		return xstrdup(path);
	return xasprintf("%.*s-%u%s", (int)stem, path, number, path + stem);
}

struct err *rotation_open(struct rotation *r, int *fd_ret, const char **path_ret)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	int fd = -1, errnum = EEXIST;
	char *path = NULL;

	fill_in(r, r->number + 1, &name);
	for (unsigned int i = 1; fd < 0 && errnum == EEXIST && i <= SAME_NAME_MAX; i++) {
		free(path);
		path = numbered(buf_str(&name), i);
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		errnum = errno;
	}
	if (fd < 0) {
		struct err *err = err_errno(errnum, "cannot write '%s'", path);

		err->kind = ERR_FAILED;
		free(path);
		return err;
	}
	r->number++;
	uint64_t now = clock_now_ns();
	r->due_ns = (r->due_ns ? r->due_ns : now) + r->every_ns;
	if (r->due_ns < now)
		r->due_ns = now + r->every_ns;
	array_reserve(r->paths, r->capacity, r->count + 1);
	r->paths[r->count++] = path; // owned by the rotation now
	*fd_ret = fd;
	*path_ret = path;
	return NULL;
}

static void forget_oldest(struct rotation *r)
{
	free(r->paths[0]);
	r->count--;
	memmove(r->paths, r->paths + 1, r->count * sizeof(*r->paths));
}

void rotation_trim(struct rotation *r)
{
	while (r->keep && r->count > r->keep) {
		unlink(r->paths[0]);
		forget_oldest(r);
	}
}

void rotation_drop_newest(struct rotation *r)
{
	if (!r->count)
		return;
	unlink(r->paths[--r->count]);
	free(r->paths[r->count]);
}

void rotation_deinit(struct rotation *r)
{
	while (r->count)
		forget_oldest(r);
	free(r->paths);
}

// SPDX-License-Identifier: MIT
/* Captures that are saved to disk, in one directory: list, save, fetch, delete. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/excerpt.h"
#include "cmd/serve.h"

#define ENDING ".fgc"
#define NAME_LONGEST 120
#define LISTED_MOST 10000
/* Of the disk there stays so much. */
#define DISK_LEAST ((uint64_t)64 << 20)

struct saved {
	char name[NAME_LONGEST + 1];
	uint64_t bytes;
	uint64_t saved_ns;
};

/* ---- names ------------------------------------------------------------------------------------ */

/* One name in the directory, nothing that leads elsewhere or is hidden, of a capture. */
static bool is_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	size_t len = strlen(name), ending = strlen(ENDING);

	return len > ending && len <= NAME_LONGEST && name[0] != '.' && name[0] != '-' &&
		strspn(name, allowed) == len && strcmp(name + len - ending, ENDING) == 0;
}

static char *default_name(void)
{
	time_t now = time(NULL);
	char stamp[32];
	struct tm tm;

	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	return xasprintf("fireglass-%s", stamp);
}

static bool has_store(struct serve *s, struct http_request *r)
{
	if (s->store.path)
		return true;
	reply_error(r, 409, "there is no place to keep captures; start with --dir DIRECTORY");
	return false;
}

/* ---- list ------------------------------------------------------------------------------------- */

static bool look_at(int fd, const char *name, struct saved *ret)
{
	struct stat st;

	if (!is_name(name) || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		!S_ISREG(st.st_mode))
		return false;
	*ret = (struct saved){ .bytes = (uint64_t)st.st_size,
		.saved_ns = (uint64_t)st.st_mtim.tv_sec * NS_PER_SEC +
			(uint64_t)st.st_mtim.tv_nsec };
	memcpy(ret->name, name, strlen(name) + 1);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct saved *)a)->name, ((const struct saved *)b)->name);
}

/* Of what is there; the caller's to free. */
static struct saved *list(int directory, size_t *count_ret)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct saved *all = NULL;
	size_t count = 0, capacity = 0;
	struct dirent *entry;

	while (d && count < LISTED_MOST && (entry = readdir(d)) != NULL) {
		array_reserve(all, capacity, count + 1);
		count += look_at(directory, entry->d_name, &all[count]);
	}
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	if (count)
		qsort(all, count, sizeof(*all), by_name);
	*count_ret = count;
	return all;
}

static void put_saved(struct json_writer *w, const struct saved *saved)
{
	json_begin_object(w);
	json_key(w, "name");
	json_cstring(w, saved->name);
	json_key(w, "bytes");
	json_u64(w, saved->bytes);
	json_key(w, "saved_ns");
	json_u64(w, saved->saved_ns);
	json_end_object(w);
}

void serve_list(struct serve *s, struct http_request *r, const char *rest)
{
	static const char *const none[] = { NULL };
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct json_writer w = { .buf = &out };
	size_t count = 0;

	(void)rest;
	if (!reply_know_parameters(r, none))
		return;
	_cleanup_free_ struct saved *all = s->store.path ? list(s->store.fd, &count) : NULL;
	json_begin_object(&w);
	json_key(&w, "captures");
	json_begin_array(&w);
	for (size_t i = 0; i < count; i++)
		put_saved(&w, &all[i]);
	json_end_array(&w);
	json_end_object(&w);
	reply_text(r, 200, TYPE_JSON, &out);
}

/* ---- save ------------------------------------------------------------------------------------- */

static bool has_room(struct serve *s, struct http_request *r, uint64_t bytes)
{
	struct statvfs disk;
	uint64_t used = bytes;
	size_t count;
	_cleanup_free_ struct saved *all = list(s->store.fd, &count);

	for (size_t i = 0; i < count; i++)
		used += all[i].bytes;
	if (used > s->store.max_bytes || count >= LISTED_MOST) {
		reply_error(r, 507, "the captures in '%s' would be more than --max-disk allows; "
				    "delete some", s->store.path);
		return false;
	}
	if (fstatvfs(s->store.fd, &disk) != 0 ||
		disk.f_bavail * disk.f_frsize >= bytes + DISK_LEAST)
		return true;
	reply_error(r, 507, "the disk of '%s' is nearly full", s->store.path);
	return false;
}

/* Written under another name, so that it is there when it is whole, and nothing is overwritten. */
static struct err *write_file(struct serve_store *store, struct input *in, uint64_t from_ns,
	uint64_t to_ns, const char *name)
{
	_cleanup_free_ char *temp =
		xasprintf(".fireglass-%d-%u.part", (int)getpid(), ++store->number);
	_cleanup_close_ int fd = openat(store->fd, temp,
		O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0) {
		struct err *err = err_errno(errno, "cannot write in '%s'", store->path);
		err->kind = ERR_FAILED;
		return err;
	}
	struct err *err = excerpt_write(&in->capture, from_ns, to_ns, fd);
	if (!err && linkat(store->fd, temp, store->fd, name, 0) != 0)
		err = errno == EEXIST ? err_new(ERR_USAGE, "there is a capture '%s' already", name)
				      : err_errno(errno, "cannot save '%s'", name);
	unlinkat(store->fd, temp, 0);
	return err;
}

static void tell_saved(struct serve *s, struct http_request *r, const char *name)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct json_writer w = { .buf = &out };
	struct saved saved;
	_cleanup_free_ char *place = xasprintf("/api/v1/captures/%s", name);

	if (!look_at(s->store.fd, name, &saved)) {
		reply_error(r, 500, "'%s' is gone", name);
		return;
	}
	put_saved(&w, &saved);
	http_answer_header(r, "Location", place);
	reply_text(r, 201, TYPE_JSON, &out);
}

/* The lock is held: what there is room for is what will be written. */
static void save_locked(struct serve *s, struct http_request *r, const struct snapshot *snapshot,
	uint64_t from_ns, const char *name)
{
	struct input in;
	struct stat st = { 0 };

	fstat(snapshot->fd, &st);
	if (!has_room(s, r, (uint64_t)st.st_size))
		return;
	struct err *err = serve_open_snapshot(snapshot, &in);
	if (!err) {
		err = write_file(&s->store, &in, from_ns, snapshot->cut_ns, name);
		input_close(&in);
	}
	if (!err)
		tell_saved(s, r, name);
	else if (err->kind == ERR_USAGE) {
		reply_error(r, 409, "%s", err->message);
		err_free(err);
	} else {
		reply_err(r, err);
	}
}

static void save(struct serve *s, struct http_request *r, uint64_t from_ns, const char *name)
{
	struct snapshot *snapshot;
	struct err *err = tap_take(&s->tap, from_ns, 0, serve_request_gone, r, &snapshot);

	if (err) {
		reply_err(r, err);
		return;
	}
	pthread_mutex_lock(&s->store.lock);
	save_locked(s, r, snapshot, from_ns, name);
	pthread_mutex_unlock(&s->store.lock);
	snapshot_release(snapshot);
}

void serve_save(struct serve *s, struct http_request *r, const char *rest)
{
	static const char *const known[] = { "seconds", "name", NULL };
	const char *given = http_parameter(r, "name");
	_cleanup_free_ char *stem = given ? NULL : default_name();
	_cleanup_free_ char *name = xasprintf("%s" ENDING, given ? given : stem);
	uint64_t length_ns;

	(void)rest;
	if (!reply_know_parameters(r, known) || !has_store(s, r) ||
		!reply_seconds(s, r, "seconds", s->limits.max_age_ns, &length_ns))
		return;
	if (!is_name(name)) {
		reply_error(r, 400, "bad name '%s'; 1 to %d letters, digits and _ . -, of which the "
				    "last two do not begin it", given, NAME_LONGEST - 4);
		return;
	}
	if (!serve_slot_take(&s->profiles, r))
		return;
	save(s, r, clock_wall_ns() - length_ns, name);
	serve_slot_give(&s->profiles);
}

/* ---- fetch, delete ---------------------------------------------------------------------------- */

static bool find(struct serve *s, struct http_request *r, const char *name)
{
	struct saved saved;

	if (s->store.path && look_at(s->store.fd, name, &saved))
		return true;
	reply_error(r, 404, "there is no such capture");
	return false;
}

void serve_fetch(struct serve *s, struct http_request *r, const char *rest)
{
	struct stat st;
	size_t count;

	http_parameters(r, &count);
	if (!find(s, r, rest))
		return;
	int fd = openat(s->store.fd, rest, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			close(fd);
		reply_error(r, 404, "there is no such capture");
		return;
	}
	if (count > (http_parameter(r, "token") != NULL)) {
		serve_convert(s, r, fd);
		return;
	}
	_cleanup_free_ char *disposition = xasprintf("attachment; filename=\"%s\"", rest);
	http_answer_header(r, "Content-Disposition", disposition);
	http_answer_file(r, 200, "application/octet-stream", fd, (uint64_t)st.st_size);
}

void serve_delete(struct serve *s, struct http_request *r, const char *rest)
{
	static const char *const none[] = { NULL };

	if (!reply_know_parameters(r, none) || !find(s, r, rest))
		return;
	if (unlinkat(s->store.fd, rest, 0) == 0)
		http_answer_bytes(r, 204, TYPE_JSON, "", 0);
	else
		reply_err(r, err_new(ERR_FAILED, "cannot delete '%s': %s", rest, strerror(errno)));
}

/* ---- life ------------------------------------------------------------------------------------- */

struct err *serve_store_open(struct serve_store *store)
{
	pthread_mutex_init(&store->lock, NULL);
	store->fd = -1;
	if (!store->path)
		return NULL;
	store->fd = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->fd >= 0 && faccessat(store->fd, ".", W_OK | X_OK, AT_EACCESS) == 0)
		return NULL;
	struct err *err = err_errno(errno, "cannot keep captures in '%s'", store->path);
	err->kind = ERR_FAILED; // not the permission that reading a process lacks
	return err;
}

void serve_store_close(struct serve_store *store)
{
	if (store->fd >= 0)
		close(store->fd);
	store->fd = -1;
	pthread_mutex_destroy(&store->lock);
}

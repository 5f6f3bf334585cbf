// SPDX-License-Identifier: MIT
#include "cmd/sources.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/utf8.h"

#define CODING_LINES 2 /* the coding is in one of the first lines */

static bool find(void *data, const char *file, struct export_source *ret);

/* ---- what is known of the files --------------------------------------------------------------- */

static bool is_elsewhere(const struct capture *c, const struct file_root *root)
{
	const char *host = capture_fact(c, FACT_HOST);
	struct utsname here;

	if (root)
		return false;
	if (capture_fact(c, FACT_FILES))
		return true;
	return host && uname(&here) == 0 && strcmp(host, here.nodename) != 0;
}

void sources_init(struct sources *s, const struct capture *c, const struct file_root *root)
{
	static const struct file_root here = { .kind = FILE_ROOT_OURS };

	*s = (struct sources){
		.exported = { .find = find, .data = s },
		.root = root ? root : &here,
		.cwd = capture_fact(c, FACT_CWD),
		.recorded_ns = capture_fact_u64(c, FACT_START_NS, 0),
		.elsewhere = is_elsewhere(c, root),
		.room = SOURCES_MAX,
	};
}

void sources_deinit(struct sources *s)
{
	buf_deinit(&s->path);
	buf_deinit(&s->raw);
	buf_deinit(&s->text);
	buf_deinit(&s->note);
}

void sources_tell(const struct sources *s)
{
	if (s->left_out)
		fprintf(stderr,
			"fireglass: %u source file%s left out: a page takes %zu MB of them, and %zu "
			"MB of each\n",
			s->left_out, s->left_out == 1 ? " was" : "s were", SOURCES_MAX >> 20,
			SOURCE_MAX >> 20);
}

static void add_note(struct buf *note, const char *text)
{
	buf_printf(note, "%s%s", note->len ? "; " : "", text);
}

/* ---- text ------------------------------------------------------------------------------------- */

/* The name in "# -*- coding: latin-1 -*-" (PEP 263), in the line at `s`; 0 if there is none. */
static size_t coding_in(const char *s, const char *end, const char **name_ret)
{
	static const char word[] = "coding";

	while (s < end && (*s == ' ' || *s == '\t' || *s == '\f'))
		s++;
	if (s == end || *s != '#')
		return 0;
	while ((s = memmem(s, (size_t)(end - s), word, strlen(word))) != NULL) {
		s += strlen(word);
		if (s == end || (*s != ':' && *s != '='))
			continue;
		for (s++; s < end && (*s == ' ' || *s == '\t'); s++)
			;
		*name_ret = s;
		while (s < end && (isalnum((unsigned char)*s) || strchr("-_.", *s)))
			s++;
		return (size_t)(s - *name_ret);
	}
	return 0;
}

static size_t find_coding(const char *bytes, size_t len, const char **name_ret)
{
	const char *end = bytes + len;

	for (int i = 0; i < CODING_LINES && bytes < end; i++) {
		const char *stop = memchr(bytes, '\n', (size_t)(end - bytes));
		size_t found = coding_in(bytes, stop ? stop : end, name_ret);

		if (found)
			return found;
		bytes = stop ? stop + 1 : end;
	}
	return 0;
}

static bool is_latin1(const char *bytes, size_t len)
{
	static const char *const names[] = { "latin-1", "latin1", "latin_1", "iso-8859-1",
		"iso_8859_1", "iso-latin-1", "iso8859-1", "l1" };
	const char *name = "";
	size_t name_len = find_coding(bytes, len, &name);

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strlen(names[i]) == name_len && strncasecmp(names[i], name, name_len) == 0)
			return true;
	return false;
}

/* As Python reads it: "\r\n" and "\r" end lines too. */
static void end_lines_alike(struct buf *text)
{
	size_t to = 0;

	for (size_t i = 0; i < text->len; i++) {
		char c = text->data[i];

		if (c == '\r' && i + 1 < text->len && text->data[i + 1] == '\n')
			continue;
		text->data[to++] = c == '\r' ? '\n' : c;
	}
	text->len = to;
	if (text->data)
		text->data[to] = 0;
}

/*
 * UTF-8 if it is that, else Latin-1 if it says so (PEP 263); else what is no UTF-8 is replaced, and
 * the note says so. What has a NUL is no text.
 */
void sources_decode(struct buf *text, const char *bytes, size_t len, struct buf *note)
{
	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		bytes += 3;
		len -= 3;
	}
	if (memchr(bytes, 0, len)) {
		add_note(note, "left out: not a text");
		return;
	}
	size_t before = text->len;
	utf8_add_bytes(text, bytes, len);
	if (text->len - before != len || (len && memcmp(text->data + before, bytes, len) != 0)) {
		text->len = before;
		if (is_latin1(bytes, len)) {
			utf8_add_fixed(text, bytes, len, 1);
		} else {
			utf8_add_bytes(text, bytes, len);
			add_note(note, "not in UTF-8: some characters are replaced");
		}
	}
	end_lines_alike(text);
}

/* ---- files ------------------------------------------------------------------------------------ */

static bool has_python_name(const char *path)
{
	static const char *const endings[] = { "py", "pyw", "pyx", "pxd", "pxi", "pyi" };
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');

	for (size_t i = 0; dot && i < ARRAY_LEN(endings); i++)
		if (strcasecmp(dot + 1, endings[i]) == 0)
			return true;
	return false;
}

/* "#!/usr/bin/env python3" */
static bool has_python_line(const struct buf *raw)
{
	const char *stop = raw->len ? memchr(raw->data, '\n', raw->len) : NULL;
	size_t len = stop ? (size_t)(stop - raw->data) : raw->len;

	return len > 2 && memcmp(raw->data, "#!", 2) == 0 && memmem(raw->data, len, "python", 6);
}

static bool find_path(struct sources *s, const char *file)
{
	buf_clear(&s->path);
	if (*file == '<' || !*file)
		return false;
	if (*file != '/') {
		if (!s->cwd || *s->cwd != '/')
			return false;
		buf_printf(&s->path, "%s/", s->cwd);
	}
	buf_add_str(&s->path, file);
	return true;
}

/* At most one byte more than fits. 0 or an errno value. */
static int read_all(int fd, struct buf *raw)
{
	while (raw->len <= SOURCE_MAX) {
		buf_reserve(raw, SOURCE_MAX + 1 - raw->len);
		ssize_t n = read(fd, raw->data + raw->len, SOURCE_MAX + 1 - raw->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			break;
		raw->len += (size_t)n;
	}
	return 0;
}

static void note_age(struct sources *s, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return;
	uint64_t changed_ns =
		(uint64_t)st.st_mtim.tv_sec * NS_PER_SEC + (uint64_t)st.st_mtim.tv_nsec;
	if (s->elsewhere)
		add_note(&s->note, "read where the page was made, not where the program ran");
	if (!s->recorded_ns)
		add_note(&s->note, "may have changed: it is not known when the recording was made");
	else if (changed_ns > s->recorded_ns)
		add_note(&s->note, "changed after the recording");
}

static void leave_out(struct sources *s, const char *why)
{
	s->left_out++;
	buf_clear(&s->note);
	buf_printf(&s->note, "left out: %s", why);
}

static void take(struct sources *s, int fd)
{
	note_age(s, fd);
	if (s->raw.len > SOURCE_MAX) {
		leave_out(s, "larger than 1 MB");
		return;
	}
	sources_decode(&s->text, buf_str(&s->raw), s->raw.len, &s->note);
	if (s->text.len <= s->room) {
		s->room -= s->text.len;
		return;
	}
	buf_clear(&s->text);
	leave_out(s, "the page has 16 MB of sources without it");
}

static void note_failure(struct sources *s, int errnum)
{
	struct err *err = s->root->kind == FILE_ROOT_REFUSED
		? err_new(ERR_FAILED, "the program's files cannot be read from outside of it")
		: errnum == EINVAL ? err_new(ERR_FAILED, "not a regular file")
				   : err_errno(errnum, "cannot be read");

	buf_clear(&s->note);
	buf_add_str(&s->note, err->message);
	err_free(err);
}

/* False: it is not Python, and nothing is said of it. */
static bool read_source(struct sources *s, const char *path)
{
	_cleanup_close_ int fd = file_root_open(s->root, path);
	int errnum = fd < 0 ? errno : read_all(fd, &s->raw);

	if (!has_python_name(path) && (errnum || !has_python_line(&s->raw)))
		return false;
	if (errnum)
		note_failure(s, errnum);
	else
		take(s, fd);
	return true;
}

static bool find(void *data, const char *file, struct export_source *ret)
{
	struct sources *s = data;

	buf_clear(&s->raw);
	buf_clear(&s->text);
	buf_clear(&s->note);
	if (!find_path(s, file) || !read_source(s, buf_str(&s->path)))
		return false;
	*ret = (struct export_source){
		.text = buf_str(&s->text), .len = s->text.len, .note = buf_str(&s->note)
	};
	return true;
}

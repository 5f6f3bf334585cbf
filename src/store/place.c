// SPDX-License-Identifier: MIT
#include "store/place.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

static bool starts_with(const char *s, const char *end, const char *prefix)
{
	size_t len = strlen(prefix);

	return (size_t)(end - s) >= len && memcmp(s, prefix, len) == 0;
}

/* What follows `lib/pythonX.Y/` if `s` begins with it, else NULL. A `t` marks free threading. */
static const char *after_stdlib(const char *s, const char *end)
{
	if (starts_with(s, end, "lib64/python"))
		s += strlen("lib64/python");
	else if (starts_with(s, end, "lib/python"))
		s += strlen("lib/python");
	else
		return NULL;
	while (s < end && ((*s >= '0' && *s <= '9') || *s == '.'))
		s++;
	if (s < end && *s == 't')
		s++;
	return s < end && *s == '/' ? s + 1 : NULL;
}

static const char *after_packages(const char *s, const char *end)
{
	static const char *const names[] = { "site-packages/", "dist-packages/" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (starts_with(s, end, names[i]))
			return s + strlen(names[i]);
	return NULL;
}

/*
 * Looks at each part of the path, last one first. Packages live below the standard library
 * (lib/python3.11/site-packages), so the last hit is the one that counts.
 */
static const char *library_part(const char *s, size_t len, enum place_kind *kind_ret)
{
	const char *end = s + len;

	for (const char *at = end; at-- > s;) {
		const char *rest;

		if (at > s && at[-1] != '/')
			continue;
		if ((rest = after_packages(at, end)) != NULL) {
			*kind_ret = PLACE_PACKAGE;
			return rest;
		}
		if ((rest = after_stdlib(at, end)) != NULL) {
			*kind_ret = PLACE_STDLIB;
			return rest;
		}
	}
	return NULL;
}

static const char *below(const char *s, const char *end, const char *directory)
{
	size_t len = directory ? strlen(directory) : 0;

	while (len && directory[len - 1] == '/')
		len--;
	if (!len || (size_t)(end - s) < len + 2 || memcmp(s, directory, len) != 0 || s[len] != '/')
		return NULL;
	return s + len + 1;
}

enum place_kind place_kind(const char *path, size_t len)
{
	enum place_kind kind = PLACE_OWN;

	if (starts_with(path, path + len, "<frozen "))
		return PLACE_STDLIB;
	library_part(path, len, &kind);
	return kind;
}

const char *place_short(const char *path, size_t len, const char *directory)
{
	enum place_kind kind;
	const char *rest = library_part(path, len, &kind);

	if (!rest || rest == path + len)
		rest = below(path, path + len, directory);
	return rest ? rest : path;
}

/* The first part of a relative path; a file without its ending. */
static void add_first_part(struct buf *out, const char *s, const char *end)
{
	static const char loaded[] =
		"lib-dynload/"; // modules of the standard library, not a package
	const char *stop = s;

	if (starts_with(s, end, loaded))
		stop = s += strlen(loaded);
	while (stop < end && *stop != '/')
		stop++;
	if (stop == end && s < end && *s != '<') {
		const char *dot = memchr(s + 1, '.', (size_t)(end - s - 1));

		stop = dot ? dot : end;
	}
	buf_add(out, s, (size_t)(stop - s));
}

void place_add_package(struct buf *out, const char *path, size_t len, const char *directory)
{
	static const char frozen[] = "<frozen ";
	const char *end = path + len, *rest = place_short(path, len, directory);
	const char *slash = memrchr(path, '/', len);

	if (starts_with(path, end, frozen)) {
		path += strlen(frozen);
		buf_add(out, path, strcspn(path, ".>"));
	} else if (rest != path || *path != '/') {
		add_first_part(out, rest, end);
	} else {
		buf_add(out, path, slash == path ? 1 : (size_t)(slash - path));
	}
}

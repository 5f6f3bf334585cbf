// SPDX-License-Identifier: MIT
#include "os/maps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/iofd.h"

#define DELETED_SUFFIX " (deleted)"

/* Takes a number of at most 64 bits in base 10 or 16. */
static bool take_number(char **at, unsigned int base, uint64_t *ret)
{
	uint64_t value = 0;
	char *p = *at;

	for (;; p++) {
		unsigned int digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned int)(*p - '0');
		else if (base == 16 && *p >= 'a' && *p <= 'f')
			digit = (unsigned int)(*p - 'a') + 10;
		else
			break;
		if (value > (UINT64_MAX - digit) / base)
			return false;
		value = value * base + digit;
	}
	if (p == *at)
		return false;
	*at = p;
	*ret = value;
	return true;
}

static bool take_char(char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static bool take_permission(char **at, char letter, bool *ret)
{
	*ret = **at == letter;
	return take_char(at, *ret ? letter : '-');
}

static bool take_permissions(char **at, struct map *map)
{
	if (!take_permission(at, 'r', &map->readable) ||
		!take_permission(at, 'w', &map->writable) ||
		!take_permission(at, 'x', &map->executable))
		return false;
	return take_char(at, 'p') || take_char(at, 's');
}

static bool take_device(char **at, struct map *map)
{
	uint64_t major, minor;

	if (!take_number(at, 16, &major) || !take_char(at, ':') || !take_number(at, 16, &minor))
		return false;
	if (major > UINT32_MAX || minor > UINT32_MAX)
		return false;
	map->dev_major = (uint32_t)major;
	map->dev_minor = (uint32_t)minor;
	return true;
}

static void cut_deleted_suffix(struct map *map, char *path)
{
	size_t len = strlen(path), suffix = strlen(DELETED_SUFFIX);

	if (map->inode == 0 || len <= suffix || strcmp(path + len - suffix, DELETED_SUFFIX) != 0)
		return;
	path[len - suffix] = 0;
	map->deleted = true;
}

/* "5581-5582 r-xp 00000000 fe:01 1234       /usr/bin/python3", 0-terminated. */
static bool parse_line(char *line, struct map *ret)
{
	struct map map = { 0 };

	if (!take_number(&line, 16, &map.start) || !take_char(&line, '-') ||
		!take_number(&line, 16, &map.end) || map.end <= map.start)
		return false;
	if (!take_char(&line, ' ') || !take_permissions(&line, &map))
		return false;
	if (!take_char(&line, ' ') || !take_number(&line, 16, &map.offset))
		return false;
	if (!take_char(&line, ' ') || !take_device(&line, &map))
		return false;
	if (!take_char(&line, ' ') || !take_number(&line, 10, &map.inode))
		return false;
	if (*line && *line != ' ')
		return false;
	// leading blanks of a name cannot be told from the padding, but paths begin with '/'
	line += strspn(line, " ");
	cut_deleted_suffix(&map, line);
	map.path = line;
	*ret = map;
	return true;
}

void maps_parse(struct maps *m, char *text, size_t len)
{
	size_t capacity = 0;

	*m = (struct maps){ .text = text };
	if (!len)
		return;
	for (char *line = text, *end = text + len; line < end;) {
		char *newline = memchr(line, '\n', (size_t)(end - line));
		struct map map;

		if (!newline) { // cut
			m->bad_lines++;
			break;
		}
		*newline = 0;
		// addresses never go backwards, whatever happens to the process meanwhile: proc(5)
		if (!parse_line(line, &map) ||
			(m->count && map.start < m->entries[m->count - 1].end)) {
			m->bad_lines++;
		} else {
			array_reserve(m->entries, capacity, m->count + 1);
			m->entries[m->count++] = map;
		}
		line = newline + 1;
	}
}

struct err *maps_read(struct maps *m, pid_t pid)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	int errnum = iofd_read_file(path, MAPS_TEXT_BYTES_MAX, &text);
	if (errnum == ENOENT || errnum == ESRCH)
		return err_new(ERR_GONE, "no process %d", (int)pid);
	if (errnum)
		return err_errno(errnum, "cannot read the memory map of process %d", (int)pid);
	maps_parse(m, text.data, text.len);
	text = BUF_INIT; // owned by *m now
	return NULL;
}

void maps_deinit(struct maps *m)
{
	free(m->entries);
	free(m->text);
	*m = (struct maps){ 0 };
}

const struct map *maps_find(const struct maps *m, remote_addr addr)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct map *map = &m->entries[middle];

		if (addr < map->start)
			high = middle;
		else if (addr >= map->end)
			low = middle + 1;
		else
			return map;
	}
	return NULL;
}

bool map_same_file(const struct map *a, const struct map *b)
{
	return a->inode != 0 && a->inode == b->inode && a->dev_major == b->dev_major &&
		a->dev_minor == b->dev_minor;
}

// SPDX-License-Identifier: MIT
#include "cmd/top_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/iofd.h"
#include "base/utf8.h"

#define CHUNK_BYTES ((size_t)64 << 10)
/* So much is read at once at most; what is before that is passed over. */
#define CATCH_UP_BYTES ((uint64_t)1 << 20)
#define FREE_BYTES ((uint64_t)8 << 20)
#define TAB_COLUMNS 8

/* ---- lines ------------------------------------------------------------------------------------ */

static struct top_output_line *slot(struct top_output *o, size_t i)
{
	return &o->lines[(o->first + i) % TOP_OUTPUT_LINES];
}

const struct top_output_line *top_output_line(const struct top_output *o, size_t i)
{
	return &o->lines[(o->first + i) % TOP_OUTPUT_LINES];
}

static struct top_output_line *begin_line(struct top_output *o)
{
	if (o->count == TOP_OUTPUT_LINES) {
		free(slot(o, 0)->text);
		o->first = (o->first + 1) % TOP_OUTPUT_LINES;
		o->count--;
	}
	struct top_output_line *line = slot(o, o->count++);
	*line = (struct top_output_line){ .number = o->next_number++ };
	return line;
}

/* The last line is the one that is being written, if it has begun. */
static void show_partial(struct top_output *o, bool begun)
{
	struct top_output_line *line = begun ? slot(o, o->count - 1) : begin_line(o);
	_cleanup_buf_ struct buf text = BUF_INIT;

	utf8_add_bytes(&text, buf_str(&o->partial), o->partial.len);
	free(line->text);
	line->text = xstrdup(buf_str(&text));
}

static void take_back(struct top_output *o)
{
	struct top_output_line *line = slot(o, --o->count);

	free(line->text);
	line->text = NULL;
	o->next_number--;
}

/* ---- bytes ------------------------------------------------------------------------------------ */

static void add_byte(struct top_output *o, char c)
{
	if (o->returned)
		buf_clear(&o->partial);
	o->returned = false;
	if (o->partial.len < TOP_OUTPUT_LINE_BYTES)
		buf_add_char(&o->partial, c);
}

static void add_tab(struct top_output *o)
{
	do
		add_byte(o, ' ');
	while (o->partial.len % TAB_COLUMNS && o->partial.len < TOP_OUTPUT_LINE_BYTES);
}

static void erase_last(struct top_output *o)
{
	struct buf *b = &o->partial;

	while (b->len && ((unsigned char)b->data[b->len - 1] & 0xc0) == 0x80)
		b->len--;
	if (b->len)
		b->len--;
	if (b->data)
		b->data[b->len] = 0;
}

/* True if the byte is a part of an escape sequence. */
static bool take_escape(struct top_output *o, unsigned char c)
{
	switch (o->escape) {
	case ESCAPE_NONE:
		o->escape = c == 0x1b ? ESCAPE_BEGUN : ESCAPE_NONE;
		return c == 0x1b;
	case ESCAPE_BEGUN:
		o->escape = c == '[' ? ESCAPE_CONTROL
			: strchr("]PX^_", c) && c ? ESCAPE_STRING
			: strchr("()*+#%", c) && c ? ESCAPE_CHARSET
						   : ESCAPE_NONE;
		return c >= 0x20;
	case ESCAPE_CONTROL:
		if (c < 0x20 || c > 0x7e) { // it is none after all
			o->escape = c == 0x1b ? ESCAPE_BEGUN : ESCAPE_NONE;
			return c == 0x1b;
		}
		if (c >= 0x40)
			o->escape = ESCAPE_NONE;
		return true;
	case ESCAPE_STRING:
		if (c == '\n') { // never ended: the text goes on
			o->escape = ESCAPE_NONE;
			return false;
		}
		o->escape = c == 0x07 ? ESCAPE_NONE
			: c == 0x1b   ? ESCAPE_STRING_END
				      : ESCAPE_STRING;
		return true;
	case ESCAPE_STRING_END:
	case ESCAPE_CHARSET:
		o->escape = ESCAPE_NONE;
		return c >= 0x20;
	}
	return false;
}

/* True if a line has ended. */
static bool take_byte(struct top_output *o, char c)
{
	if (take_escape(o, (unsigned char)c))
		return false;
	switch (c) {
	case '\n':
		o->returned = false;
		return true;
	case '\r':
		o->returned = true;
		return false;
	case '\t':
		add_tab(o);
		return false;
	case '\b':
		erase_last(o);
		return false;
	default:
		if ((unsigned char)c >= 0x20 && c != 0x7f)
			add_byte(o, c);
		return false;
	}
}

void top_output_take(struct top_output *o, const char *bytes, size_t len)
{
	bool begun = o->open_line;

	for (size_t i = 0; i < len; i++) {
		if (!take_byte(o, bytes[i]))
			continue;
		show_partial(o, begun);
		begun = false;
		buf_clear(&o->partial);
	}
	o->open_line = o->partial.len > 0;
	if (o->open_line)
		show_partial(o, begun);
	else if (begun) // all of it was erased
		take_back(o);
}

/* ---- the file --------------------------------------------------------------------------------- */

struct err *top_output_open(struct top_output *o, const char *path)
{
	int flags = O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOCTTY;
	int fd = path ? open(path, flags, 0666) : iofd_nameless();
	struct stat st;

	if (fd < 0) {
		struct err *err = err_errno(errno, "cannot write the command's output to '%s'",
			path ? path : "a temporary file");
		err->kind = ERR_FAILED;
		return err;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_new(ERR_USAGE,
			"the command's output cannot go to '%s': not a regular file", path);
	}
	if (!path)
		fcntl(fd, F_SETFL, O_APPEND);
	*o = (struct top_output){ .path = path, .fd = fd };
	return NULL;
}

void top_output_close(struct top_output *o)
{
	for (size_t i = 0; i < o->count; i++)
		free(slot(o, i)->text);
	buf_deinit(&o->partial);
	if (o->fd >= 0)
		close(o->fd);
	*o = (struct top_output){ .fd = -1 };
}

static uint64_t file_bytes(const struct top_output *o)
{
	struct stat st;

	return fstat(o->fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

/* Lines that are passed over are counted as one. */
static void pass_over(struct top_output *o, uint64_t end)
{
	static const char note[] = "\n(some output was passed over)\n";

	if (end < o->offset) // someone has cut the file
		o->offset = end;
	if (end - o->offset <= CATCH_UP_BYTES)
		return;
	o->offset = end - CATCH_UP_BYTES;
	o->escape = ESCAPE_NONE;
	top_output_take(o, note, strlen(note));
}

void top_output_read(struct top_output *o)
{
	uint64_t end = file_bytes(o);
	char *chunk = NULL;

	pass_over(o, end);
	if (o->offset < end)
		chunk = xmalloc(CHUNK_BYTES);
	while (o->offset < end) {
		size_t want = end - o->offset < CHUNK_BYTES ? (size_t)(end - o->offset) : CHUNK_BYTES;
		ssize_t n = pread(o->fd, chunk, want, (off_t)o->offset);

		if (n <= 0)
			break;
		top_output_take(o, chunk, (size_t)n);
		o->offset += (uint64_t)n;
	}
	free(chunk);
}

void top_output_turn(struct top_output *o, uint64_t now_ns)
{
	if (o->path || now_ns - o->freed_at_ns < NS_PER_SEC)
		return;
	o->freed_at_ns = now_ns;
	if (file_bytes(o) - o->freed < FREE_BYTES)
		return;
	top_output_read(o);
	// where that is not possible, the file just grows
	fallocate(o->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)o->freed,
		(off_t)(o->offset - o->freed));
	o->freed = o->offset;
}

// SPDX-License-Identifier: MIT
#include "images.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/iofd.h"

const char *const recorded_releases[] = { "2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12",
	"3.13", "3.13t", "3.14", "3.14t", "3.15", "3.15t", NULL };

static _Noreturn void fail(const char *what, const char *subject)
{
	fprintf(stderr, "%s '%s'\n", what, subject);
	exit(99);
}

void test_file_read(const char *name, struct buf *out)
{
	const char *source = getenv("FIREGLASS_SOURCE");
	_cleanup_free_ char *path = xasprintf("%s/tests/%s", source ? source : ".", name);

	if (iofd_read_file(path, (size_t)64 << 20, out) != 0)
		fail("cannot read (is FIREGLASS_SOURCE set?)", path);
}

/* ---- the text beside an image ---------------------------------------------------------------- */

static void read_tids(struct recording *r, const char *value)
{
	char *end;

	for (long tid = strtol(value, &end, 10); end != value; tid = strtol(value, &end, 10)) {
		if (r->tid_count < RECORDED_THREADS_MAX)
			r->tids[r->tid_count++] = (pid_t)tid;
		value = end;
	}
}

static void read_thread(struct recording *r, const char *value)
{
	struct recorded_thread *t = &r->threads[r->thread_count];
	int is_main, at;

	if (r->thread_count == RECORDED_THREADS_MAX ||
		sscanf(value, "%" SCNu64 " %d %n", &t->pthread, &is_main, &at) != 2)
		fail("bad thread", value);
	t->main = is_main;
	t->name = value + at;
	r->thread_count++;
}

static void read_frame(struct recording *r, char *value)
{
	struct recorded_thread *t = &r->threads[r->thread_count - 1];
	struct recorded_frame *f = &t->frames[t->frame_count];
	char *tab = strchr(value, '\t');
	int at;

	if (!r->thread_count || t->frame_count == RECORDED_FRAMES_MAX || !tab ||
		sscanf(value, "%" SCNu32 " %" SCNu32 " %n", &f->line, &f->first_line, &at) != 2)
		fail("bad frame", value);
	*tab = 0;
	f->name = value + at;
	f->file = tab + 1;
	t->frame_count++;
}

static void read_entry(struct recording *r, const char *key, char *value)
{
	if (strcmp(key, "version") == 0)
		r->rt.version_hex = (uint32_t)strtoul(value, NULL, 16);
	else if (strcmp(key, "machine") == 0)
		r->rt.machine = (uint16_t)strtoul(value, NULL, 10);
	else if (strcmp(key, "address") == 0)
		r->rt.address = strtoull(value, NULL, 16);
	else if (strcmp(key, "interp_head") == 0)
		r->rt.interp_head = strtoull(value, NULL, 16);
	else if (strcmp(key, "tstate_current") == 0)
		r->rt.tstate_current = strtoull(value, NULL, 16);
	else if (strcmp(key, "interpreter") == 0)
		r->interpreter = strtoull(value, NULL, 16);
	else if (strcmp(key, "sys_version") == 0)
		snprintf(r->sys_version, sizeof(r->sys_version), "%s", value);
	else if (strcmp(key, "tids") == 0)
		read_tids(r, value);
	else if (strcmp(key, "thread") == 0)
		read_thread(r, value);
	else if (strcmp(key, "frame") == 0)
		read_frame(r, value);
}

static void read_text(struct recording *r)
{
	char *next;

	for (char *line = r->text.data; line && *line; line = next) {
		char *end = strchr(line, '\n');
		char *blank = strchr(line, ' ');

		next = end ? end + 1 : NULL;
		if (end)
			*end = 0;
		if (!blank)
			continue;
		*blank = 0;
		read_entry(r, line, blank + 1);
	}
}

/* ---- loading --------------------------------------------------------------------------------- */

/* What runtime_detect() does once it knows where the runtime is. */
static void find_layout(struct recording *r, const char *release)
{
	unsigned char bytes[DEBUG_OFFSETS_BYTES_MAX];
	struct py_debug_header header;
	struct err *err;

	if (r->rt.address &&
		mem_read(&r->image.reader, r->rt.address, bytes, sizeof(bytes)) == READ_OK &&
		layout_parse_debug_header(bytes, sizeof(bytes), &header))
		err = layout_from_debug_offsets(
			&r->rt.layout, bytes, sizeof(bytes), &r->rt.guessed);
	else
		err = layout_for_version(&r->rt.layout, r->rt.version_hex, r->rt.machine, 0);
	if (err)
		fail(err->message, release);
}

void recording_load(struct recording *r, const char *release)
{
	_cleanup_free_ char *image = xasprintf("images/%s.img", release);
	_cleanup_free_ char *text = xasprintf("images/%s.txt", release);
	_cleanup_buf_ struct buf bytes = BUF_INIT;

	*r = (struct recording){ 0 };
	mem_image_init(&r->image);
	test_file_read(image, &bytes);
	if (!mem_image_parse(&r->image, bytes.data, bytes.len))
		fail("not a memory image", image);
	test_file_read(text, &r->text);
	read_text(r);
	find_layout(r, release);
}

void recording_deinit(struct recording *r)
{
	mem_image_deinit(&r->image);
	buf_deinit(&r->text);
}

const struct recorded_thread *recording_thread(const struct recording *r, uint64_t pthread)
{
	for (size_t i = 0; i < r->thread_count; i++)
		if (r->threads[i].pthread == pthread)
			return &r->threads[i];
	return NULL;
}

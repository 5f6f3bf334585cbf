// SPDX-License-Identifier: MIT
/*
 * Names become a folded line, which is split as a reader would: the same names must come back.
 *
 * Input: names, each up to a byte 0xff (which no UTF-8 holds), root first.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "export/label.h"

#define MAX_FRAMES 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* The names of the input as frames of one stack; returns how many. */
static size_t fill(struct profile *p, const uint8_t *data, size_t size, string_id *names)
{
	stack_id stack = STACK_NONE;
	size_t count = 0;

	while (size && count < MAX_FRAMES) {
		const uint8_t *end = memchr(data, 0xff, size);
		size_t len = end ? (size_t)(end - data) : size;
		_cleanup_buf_ struct buf name = BUF_INIT;

		utf8_add_bytes(&name, data, len);
		names[count] =
			profile_string(p, name.len ? name.data : "?", name.len ? name.len : 1);
		struct store_function f = { .name = names[count++], .kind = FUNCTION_THREAD };
		stack = profile_stack(p, stack, profile_frame(p, profile_function(p, &f), 0));
		data += len + (end != NULL);
		size -= len + (end != NULL);
	}
	if (count)
		profile_add_sample(p, stack, 42);
	return count;
}

static void check_line(
	const struct profile *p, const char *line, size_t len, const string_id *names, size_t count)
{
	check(len > 4 && memcmp(line + len - 4, " 42\n", 4) == 0);
	len -= 4;
	check(!memchr(line, '\n', len) && !memchr(line, '\r', len));
	for (size_t i = 0; i < count; i++) {
		_cleanup_buf_ struct buf name = BUF_INIT;
		const char *end = memchr(line, ';', len);
		size_t part = end ? (size_t)(end - line) : len;

		label_unescape(&name, line, part);
		check(name.len == p->strings[names[i]].len);
		check(memcmp(name.data, p->strings[names[i]].text, name.len) == 0);
		check((end != NULL) == (i + 1 < count));
		line += part + (end != NULL);
		len -= part + (end != NULL);
	}
	check(len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(profile_deinit) struct profile p;
	string_id names[MAX_FRAMES];
	char *text = NULL;
	size_t len = 0;

	profile_init(&p);
	size_t count = fill(&p, data, size, names);
	FILE *f = open_memstream(&text, &len);
	err_free(export_folded.write(f, &p, &(struct export_options){ 0 }));
	fclose(f);
	if (count)
		check_line(&p, text, len, names, count);
	else
		check(len == 0);
	free(text);
	return 0;
}

// SPDX-License-Identifier: MIT
#include "store/select_patterns.h"

#include <stdio.h>
#include <string.h>

#include "store/place.h"

#define NAME_BYTES 4096 // of a name and of a file that are looked at

struct err *patterns_init(struct patterns *p, const char *const *texts, const char *what)
{
	char reason[160];

	*p = (struct patterns){ .texts = texts };
	for (size_t i = 0; i < SELECTION_PATTERNS_MAX && texts[i]; i++) {
		int code = regcomp(&p->compiled[i], texts[i], REG_EXTENDED | REG_NOSUB);

		if (code) {
			regerror(code, &p->compiled[i], reason, sizeof(reason));
			patterns_deinit(p);
			return err_new(ERR_USAGE, "bad regular expression '%s' for %s: %s",
				texts[i], what, reason);
		}
		p->count++;
	}
	return NULL;
}

void patterns_deinit(struct patterns *p)
{
	for (size_t i = 0; i < p->count; i++)
		regfree(&p->compiled[i]);
	p->count = 0;
}

uint16_t patterns_match(const struct patterns *p, const char *text)
{
	uint16_t bits = 0;

	for (size_t i = 0; i < p->count; i++)
		if (regexec(&p->compiled[i], text, 0, NULL, 0) == 0)
			bits |= (uint16_t)(1u << i);
	return bits;
}

uint16_t patterns_all(const struct patterns *p)
{
	return (uint16_t)((1u << p->count) - 1);
}

/* A 0 byte would end the text for regexec(). */
static void add_text(struct buf *out, const char *text, size_t len)
{
	size_t start = out->len;

	buf_add(out, text, len < NAME_BYTES ? len : NAME_BYTES);
	for (char *zero; (zero = memchr(out->data + start, 0, out->len - start)) != NULL;)
		*zero = ' ';
}

static void add_file(struct buf *out, const char *file, size_t len, uint32_t line)
{
	buf_add_str(out, " (");
	add_text(out, file, len);
	if (line)
		buf_printf(out, ":%u", line);
	buf_add_char(out, ')');
}

uint16_t patterns_match_frame(const struct patterns *p, const struct profile *profile,
	const struct store_frame *frame, const char *cwd)
{
	const struct store_function *function = &profile->functions[frame->function];
	const struct store_string *name = &profile->strings[function->name];
	const struct store_string *file = &profile->strings[function->file];
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (!p->count)
		return 0;
	add_text(&text, name->text, name->len);
	if (!file->len)
		return patterns_match(p, buf_str(&text));
	size_t name_len = text.len;
	add_file(&text, file->text, file->len, frame->line);
	uint16_t bits = patterns_match(p, buf_str(&text));
	const char *shorter = place_short(file->text, file->len, cwd);
	if (shorter == file->text)
		return bits;
	text.len = name_len;
	add_file(&text, shorter, file->len - (size_t)(shorter - file->text), frame->line);
	return bits | patterns_match(p, buf_str(&text));
}

bool patterns_name(const struct patterns *p, const char *name, uint32_t id)
{
	char number[16];

	if (!p->count || patterns_match(p, name))
		return true;
	snprintf(number, sizeof(number), "%u", id);
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->texts[i], number) == 0)
			return true;
	return false;
}

// SPDX-License-Identifier: MIT
/* Keys while something is asked: a filter, how to save, an order. */
#include <stdlib.h>

#include "base/utf8.h"
#include "tui/top_state.h"

#define FILTER_MAX 200 /* bytes */

static void close_prompt(struct top *t)
{
	t->prompt = PROMPT_NONE;
	t->dirty = true;
}

static void drop_last_char(struct buf *b)
{
	while (b->len > 0) {
		unsigned char byte = (unsigned char)b->data[--b->len];

		b->data[b->len] = 0;
		if ((byte & 0xc0) != 0x80)
			break;
	}
}

/* Rows follow what is typed. */
static void key_of_filter(struct top *t, uint32_t key)
{
	if (key == SCREEN_KEY_ENTER) {
		close_prompt(t);
		return;
	}
	if (key == SCREEN_KEY_ESCAPE || key == SCREEN_CTRL('c')) {
		buf_clear(&t->filter);
		close_prompt(t);
	} else if (key == SCREEN_CTRL('u'))
		buf_clear(&t->filter);
	else if (key == SCREEN_KEY_BACKSPACE)
		drop_last_char(&t->filter);
	else if (key >= 0x20 && key < SCREEN_KEY_NONE && t->filter.len < FILTER_MAX)
		utf8_add(&t->filter, key);
	else
		return;
	t->stale = true;
}

static void save(struct top *t, bool html)
{
	char *said = t->host.save(t->host.data, t->query.window_ns, html);

	if (said)
		top_say(t, said);
	free(said);
}

static void key_of_save(struct top *t, uint32_t key)
{
	if (key == 'c' || key == 'h' || key == SCREEN_KEY_ENTER)
		save(t, key == 'h');
	else if (key != 'q' && key != SCREEN_KEY_ESCAPE && key != SCREEN_CTRL('c') &&
		key != SCREEN_KEY_BACKSPACE)
		return;
	close_prompt(t);
}

static void key_of_sort(struct top *t, uint32_t key)
{
	int count = (int)top_sort_count(t->query.view);

	t->dirty = true;
	if (key == SCREEN_KEY_UP || key == 'k')
		t->menu = (t->menu + count - 1) % count;
	else if (key == SCREEN_KEY_DOWN || key == 'j')
		t->menu = (t->menu + 1) % count;
	else if (key == SCREEN_KEY_ENTER) {
		top_sort_by(t, (int)top_view_ops(t->query.view)->sorts[t->menu]);
		close_prompt(t);
	} else {
		close_prompt(t);
		if (key >= 'A' && key <= 'Z')
			top_follow_binding(t, key);
	}
}

void top_prompt_key(struct top *t, uint32_t key)
{
	switch (t->prompt) {
	case PROMPT_FILTER:
		key_of_filter(t, key);
		break;
	case PROMPT_SAVE:
		key_of_save(t, key);
		break;
	case PROMPT_SORT:
		key_of_sort(t, key);
		break;
	case PROMPT_HELP:
		close_prompt(t);
		t->over |= key == SCREEN_CTRL('c');
		break;
	case PROMPT_NONE:
		break;
	}
}

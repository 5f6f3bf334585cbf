// SPDX-License-Identifier: MIT
/*
 * The terminal, behind few calls; the only place with ncurses. It is taken over from screen_open() to
 * screen_close(), and given back also when the process ends otherwise (tui/terminal.h).
 */
#ifndef FIREGLASS_TUI_SCREEN_H
#define FIREGLASS_TUI_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "tui/canvas.h"

/* Keys are the code points of characters, or one of these. */
enum screen_key {
	SCREEN_KEY_NONE = 0x110000,
	SCREEN_KEY_UP,
	SCREEN_KEY_DOWN,
	SCREEN_KEY_LEFT,
	SCREEN_KEY_RIGHT,
	SCREEN_KEY_PAGE_UP,
	SCREEN_KEY_PAGE_DOWN,
	SCREEN_KEY_HOME,
	SCREEN_KEY_END,
	SCREEN_KEY_ENTER,
	SCREEN_KEY_ESCAPE,
	SCREEN_KEY_BACKSPACE,
	SCREEN_KEY_DELETE,
	SCREEN_KEY_TAB,
	SCREEN_KEY_BACK_TAB,
	SCREEN_KEY_CLICK,
	SCREEN_KEY_WHEEL_UP,
	SCREEN_KEY_WHEEL_DOWN,
	SCREEN_KEY_F0, // F1 is the next one
	SCREEN_KEY_F12 = SCREEN_KEY_F0 + 12,
};

#define SCREEN_CTRL(letter) ((uint32_t)(letter)&0x1f)

struct screen_event {
	uint32_t key;
	int y, x; // of the mouse
};

struct screen_options {
	bool ascii;      // also when the locale is none of UTF-8
	bool monochrome; // also when NO_COLOR is set, or the terminal has no colours
};

struct screen;

/* Errors: no terminal, or one that nothing is known about. The process's locale for characters is set. */
struct err *screen_open(struct screen **ret, const struct screen_options *options);
void screen_close(struct screen *s);

/* For poll(). */
int screen_fd(const struct screen *s);

/* Only ASCII may be shown. */
bool screen_is_ascii(const struct screen *s);

/* The terminal's size now. */
void screen_size(struct screen *s, int *width_ret, int *height_ret);

/* Sends what is different from the last time. */
void screen_show(struct screen *s, const struct canvas *c);

/* The next of what was typed; false if there is nothing. */
bool screen_read(struct screen *s, struct screen_event *event_ret);

/* What others wrote over it goes: everything is sent again at the next screen_show(). */
void screen_redraw(struct screen *s);

/* True once after this process was asked to stop (Ctrl-Z comes as a key), or went on after that. */
bool screen_take_stop_asked(struct screen *s);
bool screen_take_continued(struct screen *s);

/* Stops this process, the terminal being given back meanwhile. */
void screen_suspend(struct screen *s);

/* Nobody is there any more. */
bool screen_is_gone(const struct screen *s);

#endif

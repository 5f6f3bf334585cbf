// SPDX-License-Identifier: MIT
/*
 * The terminal interface of `fireglass top`: keys and mouse in, a screen out. It knows neither
 * processes nor samples: the host gives it frames (tui/top_data.h) and does what it is asked for.
 * One thread; never blocks, except on the terminal.
 */
#ifndef FIREGLASS_TUI_TOP_H
#define FIREGLASS_TUI_TOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "tui/top_data.h"

struct top_host {
	void *data;
	/* Fills the frame for what is to be shown; all fields. */
	void (*fill)(void *data, const struct top_query *query, struct top_frame *frame);
	/* Writes the last `window_ns` as a capture, or a page (html): a notice for people. */
	char *(*save)(void *data, uint64_t window_ns, bool html);
	/* Sampling stops, or goes on. */
	void (*pause)(void *data, bool paused);
	/* All samples so far are forgotten. */
	void (*reset)(void *data);
};

struct top_options {
	uint64_t refresh_ns; // 1 s by default
	uint64_t window_ns;  // 15 s by default
	enum top_mode mode;
	enum top_view view;
	bool ascii;          // no line drawing, no blocks
	bool monochrome;     // also when NO_COLOR is set
};

struct top;

/*
 * Takes the terminal over. An error when the standard output is none (it says what to use instead:
 * `record`, `dump`), or TERM is unknown. The terminal is given back by top_close(), at exit(), and on
 * deadly signals.
 */
struct err *top_open(struct top **ret, const struct top_options *options, const struct top_host *host);

/* For poll(): the terminal's keys. */
int top_fd(const struct top *t);

/* Reads what was typed, draws if it is time (or something was typed, or the window changed its size). */
void top_turn(struct top *t, uint64_t now_ns);

/* When it wants to be called at the latest, for clock_now_ns(). */
uint64_t top_due_ns(const struct top *t);

/* q, Ctrl-C, or the terminal is gone. */
bool top_is_over(const struct top *t);

void top_close(struct top *t);

#endif

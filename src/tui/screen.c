// SPDX-License-Identifier: MIT
#include "tui/screen.h"

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>
#include <wchar.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "tui/terminal.h"

#undef tone // term.h has a macro for every capability

/* How long the rest of a key's sequence may take, over a slow line. */
#define ESCAPE_MS 50
/* curses keeps no more. */
#define MOUSE_EVENTS 8
#define SMALLEST 1 /* columns and rows */

struct screen {
	SCREEN *curses;
	FILE *input; // NULL: the standard input
	int input_fd, output_fd;
	bool ascii, color, gone, redraw, mouse;
	struct canvas shown;
	struct buf farewell;
	struct screen_event mouse_events[MOUSE_EVENTS]; // read and not yet told, the last one first
	size_t mouse_count;
};

/* ---- tones ------------------------------------------------------------------------------------ */

struct look {
	short fore, back; // -1: the terminal's own
	attr_t with_color, without;
};

static const struct look looks[TONES] = {
	[TONE_PLAIN] = { -1, -1, A_NORMAL, A_NORMAL },
	[TONE_FAINT] = { COLOR_CYAN, -1, A_NORMAL, A_NORMAL },
	[TONE_STRONG] = { -1, -1, A_BOLD, A_BOLD },
	[TONE_HOT] = { COLOR_RED, -1, A_BOLD, A_BOLD },
	[TONE_WARM] = { COLOR_YELLOW, -1, A_NORMAL, A_NORMAL },
	[TONE_GOOD] = { COLOR_GREEN, -1, A_NORMAL, A_NORMAL },
	[TONE_MARK] = { COLOR_BLUE, -1, A_BOLD, A_BOLD },
	[TONE_HEADING] = { COLOR_BLACK, COLOR_GREEN, A_NORMAL, A_REVERSE },
	[TONE_SORTED] = { COLOR_BLACK, COLOR_CYAN, A_NORMAL, A_REVERSE | A_BOLD },
	[TONE_SELECTED] = { COLOR_BLACK, COLOR_CYAN, A_NORMAL, A_REVERSE },
	[TONE_LABEL] = { COLOR_BLACK, COLOR_CYAN, A_NORMAL, A_REVERSE },
	[TONE_TAB] = { COLOR_BLACK, COLOR_GREEN, A_NORMAL, A_REVERSE },
	[TONE_ALERT] = { COLOR_WHITE, COLOR_RED, A_BOLD, A_REVERSE | A_BOLD },
};

static bool no_color_wanted(void)
{
	const char *value = getenv("NO_COLOR");

	return value && *value;
}

static void start_colors(struct screen *s, bool monochrome)
{
	if (monochrome || no_color_wanted() || !has_colors())
		return;
	start_color();
	bool own = use_default_colors() == OK;
	for (int i = 0; i < TONES; i++) {
		const struct look *look = &looks[i];
		short fore = look->fore < 0 && !own ? COLOR_WHITE : look->fore;
		short back = look->back < 0 && !own ? COLOR_BLACK : look->back;

		init_pair((short)(i + 1), fore, back);
	}
	s->color = true;
}

/* ---- farewell --------------------------------------------------------------------------------- */

/* tputs() gives its function no more than the byte. */
static struct buf *collecting;

static int collect(int byte)
{
	buf_add_char(collecting, (char)byte);
	return byte;
}

static void add_capability(struct buf *out, const char *name)
{
	const char *string = tigetstr(name);

	if (!string || string == (const char *)-1)
		return;
	collecting = out;
	tputs(string, 1, collect);
}

/* What endwin() says, for when there is no time to call it. */
static void compose_farewell(struct screen *s)
{
	const char *move = tigetstr("cup");

	buf_clear(&s->farewell);
	if (s->mouse)
		buf_add_str(&s->farewell, "\033[?1000l\033[?1002l\033[?1003l\033[?1006l");
	add_capability(&s->farewell, "sgr0");
	if (s->color)
		add_capability(&s->farewell, "op");
	if (move && move != (const char *)-1) {
		collecting = &s->farewell;
		tputs(tparm(move, LINES - 1, 0, 0, 0, 0, 0, 0, 0, 0), 1, collect);
	}
	add_capability(&s->farewell, "cnorm");
	add_capability(&s->farewell, "rmkx");
	const char *leave = tigetstr("rmcup");
	if (leave && leave != (const char *)-1)
		add_capability(&s->farewell, "rmcup");
	else
		buf_add_str(&s->farewell, "\r\n");
}

/* ---- life ------------------------------------------------------------------------------------- */

static struct err *check_terminal(void)
{
	const char *name = getenv("TERM");
	int found = 0;

	if (!isatty(STDOUT_FILENO))
		return err_new(ERR_USAGE,
			"the standard output is no terminal; use fireglass "
			"record, or fireglass dump, where there is none");
	if (!name || !*name)
		return err_new(ERR_USAGE,
			"TERM is not set, so that nothing is known about the "
			"terminal; try TERM=xterm, or TERM=vt100");
	bool known = setupterm(name, STDOUT_FILENO, &found) == OK;
	const char *move = known ? tigetstr("cup") : NULL;
	bool able = known && move && move != (const char *)-1;

	if (known)
		del_curterm(cur_term); // newterm() looks by itself
	if (able)
		return NULL;
	return err_new(ERR_USAGE,
		"cannot use the terminal '%.40s': %s; try TERM=xterm, or "
		"TERM=vt100",
		name,
		known               ? "it can do too little"
			: found < 0 ? "there is no terminal database"
				    : "it is not known here");
}

/* Keys come from the terminal even if the standard input is something else. */
static struct err *open_input(struct screen *s)
{
	s->input_fd = STDIN_FILENO;
	if (isatty(STDIN_FILENO))
		return NULL;
	s->input = fopen("/dev/tty", "re");
	if (!s->input)
		return err_errno(errno, "cannot read the terminal's keys: /dev/tty");
	s->input_fd = fileno(s->input);
	return NULL;
}

static void set_modes(struct screen *s)
{
	raw(); // Ctrl-C and Ctrl-Z are keys: a command that we started has its own life
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	mouseinterval(0);
	s->mouse = mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL) != 0 &&
		tigetstr("kmous") && tigetstr("kmous") != (char *)-1;
}

static bool locale_is_utf8(void)
{
	setlocale(LC_CTYPE, "");
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static struct err *start_curses(struct screen *s, const struct screen_options *options)
{
	s->ascii = options->ascii || !locale_is_utf8();
	terminal_keep(s->input_fd, s->output_fd);
	s->curses = newterm(NULL, stdout, s->input ? s->input : stdin);
	if (!s->curses)
		return err_new(ERR_FAILED, "cannot use the terminal '%.40s'; try TERM=xterm",
			getenv("TERM"));
	set_modes(s);
	start_colors(s, options->monochrome);
	refresh();
	compose_farewell(s);
	terminal_taken(&s->farewell);
	return NULL;
}

struct err *screen_open(struct screen **ret, const struct screen_options *options)
{
	struct screen *s = xcalloc(1, sizeof(*s));
	struct err *err = check_terminal();

	s->output_fd = STDOUT_FILENO;
	if (!err)
		err = open_input(s);
	if (!err)
		err = start_curses(s, options);
	if (err) {
		screen_close(s);
		return err;
	}
	*ret = s;
	return NULL;
}

void screen_close(struct screen *s)
{
	if (!s)
		return;
	if (s->curses) {
		// curses says farewell better: it knows where the cursor is
		endwin();
		terminal_farewell_is_said();
		terminal_release();
		delscreen(s->curses);
	}
	if (s->input)
		fclose(s->input);
	canvas_deinit(&s->shown);
	buf_deinit(&s->farewell);
	free(s);
}

int screen_fd(const struct screen *s)
{
	return s->input_fd;
}

bool screen_is_ascii(const struct screen *s)
{
	return s->ascii;
}

bool screen_is_gone(const struct screen *s)
{
	return s->gone;
}

/* ---- out -------------------------------------------------------------------------------------- */

void screen_size(struct screen *s, int *width_ret, int *height_ret)
{
	struct winsize size = { 0 };

	if (ioctl(s->output_fd, TIOCGWINSZ, &size) != 0 && (errno == EIO || errno == EBADF))
		s->gone = true;
	// a line without a size, or one that is just being made
	int width = size.ws_col ? size.ws_col : COLS, height = size.ws_row ? size.ws_row : LINES;

	width = width < SMALLEST ? SMALLEST : width > CANVAS_SIDE_MAX ? CANVAS_SIDE_MAX : width;
	height = height < SMALLEST ? SMALLEST : height > CANVAS_SIDE_MAX ? CANVAS_SIDE_MAX : height;
	*width_ret = width;
	*height_ret = height;
}

static void draw_cell(const struct screen *s, int y, int x, const struct canvas_cell *cell)
{
	wchar_t text[2 + CANVAS_MARKS] = { 0 };
	cchar_t out;

	for (size_t i = 0; i <= CANVAS_MARKS; i++)
		text[i] = (wchar_t)cell->chars[i];
	setcchar(&out, text, s->color ? looks[cell->tone].with_color : looks[cell->tone].without,
		s->color ? (short)(cell->tone + 1) : 0, NULL);
	mvadd_wch(y, x, &out);
}

static bool row_is_shown(const struct screen *s, const struct canvas *c, int y)
{
	size_t row = (size_t)c->width * sizeof(c->cells[0]);

	return !s->redraw &&
		memcmp(&c->cells[y * c->width], &s->shown.cells[y * c->width], row) == 0;
}

void screen_show(struct screen *s, const struct canvas *c)
{
	if (COLS != c->width || LINES != c->height)
		resizeterm(c->height, c->width);
	if (s->shown.width != c->width || s->shown.height != c->height) {
		canvas_resize(&s->shown, c->width, c->height);
		s->redraw = true;
	}
	for (int y = 0; y < c->height; y++) {
		if (row_is_shown(s, c, y))
			continue;
		for (int x = 0; x < c->width; x++)
			if (c->cells[y * c->width + x].width)
				draw_cell(s, y, x, &c->cells[y * c->width + x]);
	}
	memcpy(s->shown.cells, c->cells,
		(size_t)c->width * (size_t)c->height * sizeof(c->cells[0]));
	s->redraw = false;
	refresh();
}

void screen_redraw(struct screen *s)
{
	s->redraw = true;
	clearok(curscr, TRUE);
}

/* ---- stopping --------------------------------------------------------------------------------- */

bool screen_take_stop_asked(struct screen *s)
{
	(void)s;
	return terminal_take_stop_asked();
}

/* Someone else may have had the terminal. */
bool screen_take_continued(struct screen *s)
{
	if (!terminal_take_continued())
		return false;
	reset_prog_mode();
	curs_set(0);
	screen_redraw(s);
	return true;
}

void screen_suspend(struct screen *s)
{
	endwin();
	terminal_farewell_is_said();
	terminal_give_back();
	terminal_stop_here();
	terminal_take_continued();
	reset_prog_mode();
	refresh();
	curs_set(0);
	terminal_taken(&s->farewell);
	screen_redraw(s);
}

/* ---- in --------------------------------------------------------------------------------------- */

static const struct {
	int code;
	uint32_t key;
} named_keys[] = {
	{ KEY_UP, SCREEN_KEY_UP },
	{ KEY_DOWN, SCREEN_KEY_DOWN },
	{ KEY_LEFT, SCREEN_KEY_LEFT },
	{ KEY_RIGHT, SCREEN_KEY_RIGHT },
	{ KEY_PPAGE, SCREEN_KEY_PAGE_UP },
	{ KEY_NPAGE, SCREEN_KEY_PAGE_DOWN },
	{ KEY_HOME, SCREEN_KEY_HOME },
	{ KEY_A1, SCREEN_KEY_HOME },
	{ KEY_FIND, SCREEN_KEY_HOME },
	{ KEY_END, SCREEN_KEY_END },
	{ KEY_C1, SCREEN_KEY_END },
	{ KEY_SELECT, SCREEN_KEY_END },
	{ KEY_A3, SCREEN_KEY_PAGE_UP },
	{ KEY_C3, SCREEN_KEY_PAGE_DOWN },
	{ KEY_ENTER, SCREEN_KEY_ENTER },
	{ KEY_BACKSPACE, SCREEN_KEY_BACKSPACE },
	{ KEY_DC, SCREEN_KEY_DELETE },
	{ KEY_BTAB, SCREEN_KEY_BACK_TAB },
};

static uint32_t key_of_code(wint_t code)
{
	if (code > KEY_F0 && code <= KEY_F(12))
		return SCREEN_KEY_F0 + (code - KEY_F0);
	for (size_t i = 0; i < ARRAY_LEN(named_keys); i++)
		if ((wint_t)named_keys[i].code == code)
			return named_keys[i].key;
	return SCREEN_KEY_NONE;
}

static uint32_t key_of_char(wint_t c)
{
	switch (c) {
	case '\r':
	case '\n':
		return SCREEN_KEY_ENTER;
	case '\t':
		return SCREEN_KEY_TAB;
	case 27:
		return SCREEN_KEY_ESCAPE;
	case '\b':
	case 127:
		return SCREEN_KEY_BACKSPACE;
	default:
		return c <= 0x10ffff ? (uint32_t)c : SCREEN_KEY_NONE;
	}
}

static uint32_t key_of_mouse(mmask_t events)
{
	if (events & BUTTON1_PRESSED)
		return SCREEN_KEY_CLICK;
	if (events & BUTTON4_PRESSED)
		return SCREEN_KEY_WHEEL_UP;
	return events & BUTTON5_PRESSED ? SCREEN_KEY_WHEEL_DOWN : SCREEN_KEY_NONE;
}

/* Clicks that came at once are one key for curses, and it gives the last one first. */
static void read_mouse(struct screen *s)
{
	MEVENT mouse;

	while (s->mouse_count < MOUSE_EVENTS && getmouse(&mouse) == OK)
		s->mouse_events[s->mouse_count++] =
			(struct screen_event){ key_of_mouse(mouse.bstate), mouse.y, mouse.x };
}

/* Whether there is something to be read; looks whether there is anybody at all. */
static bool has_input(struct screen *s)
{
	struct pollfd input = { .fd = s->input_fd, .events = POLLIN };

	if (s->gone || poll(&input, 1, 0) <= 0)
		return false;
	if (input.revents & (POLLHUP | POLLERR | POLLNVAL))
		s->gone = true;
	return !s->gone;
}

/* Ready to be read, and nothing there. */
static bool at_end(struct screen *s)
{
	struct pollfd input = { .fd = s->input_fd, .events = POLLIN };
	int bytes = 0;

	return poll(&input, 1, 0) > 0 && (ioctl(s->input_fd, FIONREAD, &bytes) != 0 || bytes == 0);
}

bool screen_read(struct screen *s, struct screen_event *event_ret)
{
	wint_t c = 0;

	if (s->mouse_count > 0) {
		*event_ret = s->mouse_events[--s->mouse_count];
		return true;
	}
	bool waiting = has_input(s);
	// also without: curses may have read more than one key
	int kind = s->gone ? ERR : get_wch(&c);

	if (kind == ERR) {
		s->gone |= waiting && at_end(s);
		return false;
	}
	*event_ret = (struct screen_event){ .key = SCREEN_KEY_NONE };
	if (kind == KEY_CODE_YES && c == KEY_MOUSE)
		read_mouse(s);
	else
		event_ret->key = kind == KEY_CODE_YES ? key_of_code(c) : key_of_char(c);
	return true;
}

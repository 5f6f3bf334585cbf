// SPDX-License-Identifier: MIT
/*
 * The inside of tui/top.h: what the interface is showing, and the pieces that draw it and follow its
 * keys. Works on a canvas, without a terminal, so that tests can look at it.
 */
#ifndef FIREGLASS_TUI_TOP_STATE_H
#define FIREGLASS_TUI_TOP_STATE_H

#include "base/buf.h"
#include "tui/canvas.h"
#include "tui/screen.h"
#include "tui/top.h"

/* What the keys are for at the moment. */
enum top_prompt {
	PROMPT_NONE,
	PROMPT_FILTER, // typing a regular expression
	PROMPT_SAVE,   // a capture or a page?
	PROMPT_SORT,   // a menu
	PROMPT_HELP,
};

/* Where in a view one is. */
struct top_pane {
	size_t cursor, first; // of the rows: selected, and shown at the top
	size_t count;         // rows at the last fill
	uint64_t key; // of the selected row, once it was chosen; 0: the cursor stays in its place
	int shift;    // columns to the left that are out of sight
	bool placed;  // source: the hottest line was brought into sight
	enum top_sort sort;
	bool reversed;
};

/* Keys of rows, sorted. */
struct top_keys {
	uint64_t *keys;
	size_t count, capacity;
};

/* Where a click does what a key does. */
struct top_spot {
	int y, x, width;
	uint32_t key;
};

#define TOP_SPOTS 64

struct top {
	struct top_host host;
	struct screen *screen; // NULL in unit tests
	struct canvas canvas;
	struct top_frame frame;
	struct top_query query;
	struct top_pane panes[TOP_VIEWS];
	struct top_keys open, shut;
	struct buf filter, filter_before;
	enum top_prompt prompt;
	int menu;                      // place in the menu
	enum top_view back;            // from the source
	uint64_t source_function;      // that the cursor of the source's view belongs to
	uint64_t limit_pid, limit_tid; // names for the limits of the query
	struct buf limit_name;
	uint64_t refresh_ns, due_ns, turned_ns, now_ns;
	struct buf notice; // own or the host's
	uint64_t notice_until_ns;
	struct buf host_notice; // the last that was taken over
	bool stale; // to be filled again
	bool dirty; // to be drawn again
	bool paused, over;
	int body_y, body_height; // where the rows are
	struct top_spot spots[TOP_SPOTS];
	size_t spot_count;
	struct buf text; // of the cell that is being drawn
};

/* ---- top.c ------------------------------------------------------------------------------------ */

void top_init(struct top *t, const struct top_options *options, const struct top_host *host);
void top_deinit(struct top *t);
/* Asks the host for a frame, keeps the cursor on its row. */
void top_refresh(struct top *t);
/* All of it, on t->canvas. */
void top_draw(struct top *t);
void top_say(struct top *t, const char *text);

/* ---- top_keys.c ------------------------------------------------------------------------------- */

void top_key(struct top *t, const struct screen_event *event);
void top_show_view(struct top *t, enum top_view view);
/* What a key does when nothing is asked. */
void top_follow_binding(struct top *t, uint32_t key);
/* Twice the same: reversed. An order that the view has not is ignored. */
void top_sort_by(struct top *t, int sort);
/* The row on which the cursor is; NULL. */
const struct top_row *top_selected(const struct top *t);

/* What a key does. */
struct top_binding {
	uint32_t key;
	unsigned int views; // bits; 0: all
	void (*act)(struct top *t, int argument);
	int argument;
	bool on_rows; // is about the rows that are shown
};

/* ---- top_prompts.c ---------------------------------------------------------------------------- */

void top_prompt_key(struct top *t, uint32_t key);

/* ---- top_moves.c ------------------------------------------------------------------------------ */

void top_move(struct top *t, long rows);
void top_go(struct top *t, size_t row);
/* The window of rows that is shown follows the cursor. */
void top_scroll(struct top *t);
/* Back on the row that was chosen, wherever it is now. */
void top_follow(struct top *t);

/* ---- top_tree.c ------------------------------------------------------------------------------- */

bool top_keys_has(const struct top_keys *k, uint64_t key);
void top_keys_add(struct top_keys *k, uint64_t key);
void top_keys_remove(struct top_keys *k, uint64_t key);
enum top_fold { FOLD_TOGGLE, FOLD_OPEN, FOLD_SHUT, FOLD_OPEN_BELOW, FOLD_LEFT, FOLD_RIGHT };
void top_tree_fold(struct top *t, int fold);
/*
 * Lines of the tree and its sign before a name: to be called for each row from the first of all on.
 * `bars` has a bit for each depth at which more is to come.
 */
#define TOP_DEPTH_MAX 512
struct top_guides {
	bool more[TOP_DEPTH_MAX];
};
void top_tree_note(struct top_guides *g, const struct top_row *row);
void top_tree_add_guides(struct buf *out, const struct top_guides *g, const struct top_row *row,
	int columns, bool ascii);

/* ---- top_head.c ------------------------------------------------------------------------------- */

/* Returns how many lines it took. */
int top_draw_head(struct top *t, int height);
/* The last line: keys, a notice, or what is being typed. */
void top_draw_foot(struct top *t);
void top_add_spot(struct top *t, int y, int x, int width, uint32_t key);

/* ---- top_columns.c ---------------------------------------------------------------------------- */

struct top_column {
	const char *title; // NULL: the end of the list
	int width;         // 0: a part of what is left, by weight
	int weight;
	int from; // width of the terminal from which on it is shown
	enum top_sort sort;
	enum canvas_fit fit;
	enum tone tone; // unless it has heat
	double (*heat)(const struct top_row *row);
	void (*add)(struct top *t, const struct top_row *row, struct buf *out);
	bool bar;       // of its heat
	bool processes; // only if there are several
};

struct top_view_ops {
	const char *name;
	const char *empty; // said when there are no rows
	const struct top_column *columns;
	enum top_sort
		sorts[TOP_SORTS]; // that make sense, the first by default, TOP_SORTS ends them
};

const struct top_view_ops *top_view_ops(enum top_view view);
const char *top_sort_name(enum top_sort sort);
uint32_t top_sort_key(enum top_sort sort);
size_t top_sort_count(enum top_view view);
/* Whether it is where the tree's guides belong. */
bool top_column_is_name(const struct top_column *column);

/* ---- top_table.c ------------------------------------------------------------------------------ */

/* From a line on: headings, then rows. */
void top_draw_table(struct top *t, int y, int height);

/* ---- top_help.c ------------------------------------------------------------------------------- */

void top_draw_help(struct top *t);
void top_draw_menu(struct top *t);

#endif

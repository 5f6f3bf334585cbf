// SPDX-License-Identifier: MIT
/*
 * What `fireglass top` shows, between the one that knows it (cmd/top_model.h fills it, on each
 * refresh) and the one that draws it (tui/top.h). Texts belong to the frame and live until it is
 * filled again. Shares are 0..1; of `all`, unless said otherwise.
 */
#ifndef FIREGLASS_TUI_TOP_DATA_H
#define FIREGLASS_TUI_TOP_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum top_view {
	TOP_FUNCTIONS,
	TOP_LINES,
	TOP_THREADS,
	TOP_TREE,
	TOP_SOURCE, // of the selected function
	TOP_OUTPUT, // what the command wrote
	TOP_VIEWS,
};

/* Which samples count. */
enum top_mode {
	TOP_WALL,
	TOP_CPU, // on a processor or ready for one
	TOP_GIL, // that hold it
	TOP_IDLE,
	TOP_MODES,
};

enum top_sort {
	TOP_BY_SELF,
	TOP_BY_TOTAL,
	TOP_BY_NAME,
	TOP_BY_FILE,
	TOP_BY_CPU, // threads
	TOP_BY_GIL, // threads
	TOP_SORTS,
};

/* What is to be shown: the state of the interface. */
struct top_query {
	enum top_view view;
	enum top_mode mode;
	enum top_sort sort;
	bool reversed;
	const char *filter;   // regular expression for names and files; NULL or "": all
	uint64_t thread;      // key of the one to which all is limited; 0: all
	uint64_t process;     // pid of the one to which all is limited; 0: all
	uint64_t window_ns;   // how far back
	bool decaying;        // older samples weigh less: half after a third of the window
	bool frozen;          // shows what it showed; sampling goes on
	uint64_t selected;    // key of the selected function, for TOP_SOURCE; 0: the hottest
	const uint64_t *open; // keys of the tree's rows that are expanded, sorted; others: by a rule of the model
	size_t open_count;
	const uint64_t *shut; // the same: that were collapsed by hand
	size_t shut_count;
};

/* A row of any view; what a view has no use for is 0 or NULL. */
struct top_row {
	uint64_t key;       // the same function, line, thread or node has the same key at each refresh; never 0
	uint64_t function;  // key of its function: what TOP_SOURCE shows of it
	const char *name;   // function, thread, or a line of source or output; UTF-8, not for the terminal as it is
	const char *file;   // short
	uint32_t line;
	const char *process; // its name; NULL: there is one process only
	uint32_t pid, tid;
	double self, total;
	uint64_t self_samples, total_samples;
	double half_width;  // of the 95 % interval of self
	/* the tree */
	int depth;
	bool has_children, is_open, is_last; // the last of its siblings
	/* threads */
	const char *state;  // "runs", "ready", "waits: futex", "waits for the GIL", "in GC", "ended"
	double cpu;         // of one processor
	double gil, gil_wait, gc; // of the thread's samples
	bool main, is_open_thread;
};

#define TOP_HISTORY 120 /* moments of a sparkline, one a second, the newest last */

struct top_history {
	double values[TOP_HISTORY];
	size_t count;
};

struct top_frame {
	struct arena arena; // of the texts
	/* the head */
	const char *command;  // command line of the (first) process
	uint32_t pid;
	const char *python;   // version
	size_t processes, threads;
	double elapsed_s;
	double rate_asked, rate_reached; // ticks a second; asked 0: max
	uint64_t samples;     // since the beginning
	uint64_t lost;        // of them: missed ticks, no room, unreadable
	uint64_t truncated;
	double cpu;           // of the processes, in processors
	double own_cpu;       // of fireglass, in processors
	double gil, gil_wait, gc; // shares of the window's ticks
	uint64_t rss;         // bytes, of all processes
	struct top_history cpu_history, gil_history, gc_history, rss_history;
	bool ended;           // the program has ended: `how` says how
	const char *how;      // "exited with status 3", "killed by SIGKILL"
	bool frozen;
	const char *notice;   // a message for a moment ("saved x.fgc"), or NULL
	bool filter_bad;      // the regular expression is none: `notice` says why, all rows are shown
	/* the rows */
	uint64_t all;         // samples in the window that count (mode, thread, process)
	double window_s;      // that the rows cover: less than asked at the beginning
	struct top_row *rows; // in order; at most TOP_ROWS_MAX, the rest is summed up in `more`
	size_t count, more;
	/* TOP_SOURCE: which function; rows are lines of its file with name = text of the line */
	const char *source_function, *source_file;
	const char *source_note; // why there is no source, that it changed...; NULL: nothing to say
	uint32_t source_line;    // the hottest, to be in sight at first
};

#define TOP_ROWS_MAX 5000

#endif

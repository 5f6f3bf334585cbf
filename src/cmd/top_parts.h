// SPDX-License-Identifier: MIT
/* What the files of top_model.h share: sums of the window's samples, and the rows made of them. */
#ifndef FIREGLASS_CMD_TOP_PARTS_H
#define FIREGLASS_CMD_TOP_PARTS_H

#include <regex.h>

#include "base/arena.h"
#include "base/intern.h"
#include "cmd/top_model.h"
#include "store/profile.h"

#define SEVERAL_PROCESSES (CAPTURE_NONE - 1)

/* A stack of samples that count; marks such as "(truncated)" are its last frame. */
struct top_stack {
	stack_id stack;
	uint32_t process; // row, or SEVERAL_PROCESSES
	double weight;
	uint64_t samples;
};

/* The samples of a thread, whatever the mode. */
struct top_thread_sum {
	double weight, gil, gil_wait, gc;
	double shown; // of the mode
	uint64_t samples, shown_samples, cpu_ns;
};

/* Something of which stacks are made: a function, a frame. */
struct top_tally {
	uint32_t id;
	uint32_t seen; // the last stack that was counted for it, plus 1
	uint32_t process;
	double self, total;
	uint64_t self_samples, total_samples;
};

/* By their ids; those that were met only. */
struct top_tallies {
	struct top_tally *items;
	size_t count, capacity;
	uint32_t *places; // by id: place among the items, plus 1
	size_t place_capacity;
};

struct top_tree_node {
	uint32_t parent, first_child, next_sibling;
	uint32_t process;
	function_id function;
	uint64_t key;
	int depth;
	bool found;       // by the filter
	bool matches;     // it, or one below
	bool below_found; // one above
	double self, total;
	uint64_t self_samples, total_samples;
};

/* The call tree of the stacks; node 0 is the root. */
struct top_tree {
	struct top_tree_node *nodes;
	size_t count, capacity;
	struct intern index;
	uint32_t *of_stack; // by stack: node, or 0
	size_t of_stack_capacity;
	stack_id *touched; // stacks that have a node
	size_t touched_count, touched_capacity;
	uint32_t *order; // children being sorted
	size_t order_capacity;
};

struct top_source {
	struct sources sources;
	bool opened;
	string_id file; // whose text it is
	bool read;
	struct buf text, note;
	char **lines;
	size_t line_count, line_capacity;
};

struct top_filter {
	char *text; // that is compiled
	regex_t regex;
	bool active;
	char *error; // why it is none, or NULL
};

struct top_parts {
	struct arena *arena; // of the frame that is being filled
	double all; // weight of the samples that count
	uint64_t all_samples;
	uint64_t most_samples; // of any thread
	struct top_stack *stacks;
	size_t stack_count, stack_capacity;
	struct top_tallies places; // of stacks among them; only the index is used
	struct top_thread_sum *threads; // by row
	size_t thread_count, thread_capacity;
	double gil, gil_wait, gc; // shares of ticks
	frame_id no_frame, unreadable, truncated;

	struct top_tallies tallies;
	struct top_tree tree;
	struct top_source source;
	struct top_filter filter;
	struct buf text; // being matched
	struct top_row *rows;
	size_t row_count, row_capacity;
};

/* ---- top_groups.c ----------------------------------------------------------------------------- */

/* The window's samples, added up; kept while frozen. */
void top_groups_take(struct top_model *m, const struct top_query *query, uint64_t now_wall_ns);
/* Those that count, by stack and by thread. */
void top_groups_sum(struct top_model *m, const struct top_query *query);
/* The largest share of a process's ticks in the newest part of the window; see top_head.c. */
void top_groups_shares(
	const struct top_model *m, uint64_t length_ns, double *gil_ret, double *gc_ret);

void top_tallies_clear(struct top_tallies *t);
void top_tallies_deinit(struct top_tallies *t);
struct top_tally *top_tally(struct top_tallies *t, uint32_t id);

/* ---- top_head.c ------------------------------------------------------------------------------- */

void top_head_second(struct top_model *m, uint64_t now_ns);
/* Whether a thread has samples, while there are any as late as that. */
bool top_head_lives(
	const struct top_model *m, const struct top_thread *thread, uint64_t newest_ns);
/* Ticks and samples that were lost, as far as the capture knows. */
uint64_t top_head_losses(const struct capture *c);
void top_head_fill(const struct top_model *m, struct top_frame *frame, uint64_t now_ns);

/* ---- top_rows.c ------------------------------------------------------------------------------- */

void top_filter_set(struct top_filter *f, const char *text);
void top_filter_deinit(struct top_filter *f);
/* Whether a name, or a name and its file, is to be shown. */
bool top_filter_matches(struct top_parts *parts, const char *name, const char *file,
	const char *whole_file, uint32_t line);
bool top_function_matches(struct top_model *m, function_id function);

struct top_row *top_add_row(struct top_parts *parts);
/* Name, file, line, key of a function. */
void top_describe(const struct top_model *m, function_id function, struct top_row *row);
void top_describe_process(const struct top_model *m, uint32_t process, struct top_row *row);
/* Shares and counts. */
void top_measure(const struct top_parts *parts, struct top_row *row, double self, double total,
	uint64_t self_samples, uint64_t total_samples);
int top_compare_rows(const void *a, const void *b, void *query);
/* Half of the 95 % interval (Wilson's) of a share of `count` samples. */
double top_half_width(double share, double count);

/* Fills the tallies, by function or by frame (a line of a function). */
void top_tally_stacks(struct top_model *m, bool lines);

void top_rows_functions(struct top_model *m, const struct top_query *query);
void top_rows_lines(struct top_model *m, const struct top_query *query);
void top_rows_threads(struct top_model *m, const struct top_query *query);

/* ---- top_tree.c ------------------------------------------------------------------------------- */

void top_tree_fill(struct top_model *m, const struct top_query *query);
void top_tree_deinit(struct top_tree *t);

/* ---- top_source.c ----------------------------------------------------------------------------- */

void top_source_fill(struct top_model *m, const struct top_query *query, struct top_frame *frame);
void top_source_deinit(struct top_source *s);

#endif

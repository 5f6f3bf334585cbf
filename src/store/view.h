// SPDX-License-Identifier: MIT
/*
 * What is looked at of a capture: which samples, and their stacks as they are to be shown.
 *
 * A selection says what to leave out and how coarse to be. A view is a capture under a selection: it
 * has tables of its own, in which frames are merged, hidden or cut as selected, and gives the
 * selected samples in order with stacks of these tables. Exporters and tables see only views.
 *
 * Nothing selected (all zero) is everything, as it was recorded.
 */
#ifndef FIREGLASS_STORE_VIEW_H
#define FIREGLASS_STORE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/capture.h"

/* Which samples. */
enum view_mode {
	VIEW_WALL, // all threads, waiting ones too
	VIEW_CPU,  // on a processor (or ready for one)
	VIEW_GIL,  // that hold the GIL
	/*
	 * As VIEW_WALL, and what could not be had too: in profiles, losses are samples of "(lost)", but
	 * not if only some threads or stacks are selected, as nobody knows whose they were.
	 */
	VIEW_ALL,
};

enum view_granularity {
	VIEW_LINES,     // a frame is a function and its line
	VIEW_FUNCTIONS, // lines of a function are merged: line 0
	VIEW_FILES,     // functions of a file are merged: the file is the function
	VIEW_MODULES,   // files of a package are merged: "requests", "json"
	// in the latter two, calls within a file or package are none: they are one frame
};

#define SELECTION_PATTERNS_MAX 16

struct selection {
	enum view_mode mode;
	enum view_granularity granularity;
	uint64_t from_ns, to_ns; // since the epoch; 0: no limit; to_ns is not part of it
	bool collapse_recursion; // a function directly called by itself is one frame
	bool thread_roots;       // each thread as the root of its stacks
	bool process_roots;      // each process as the root, before threads
	bool span_roots;         // spans as roots, outermost first; after threads
	bool roots_by_name;      // of one name are one root: ids differ from run to run
	double min_percent;      // frames with less of what is shown are pooled: see below
	/*
	 * Extended regular expressions, as given by the user, matched anywhere in
	 * "function (file:line)", the file as it was recorded or as place_short() has it; those for
	 * threads and processes in the name, or equal to the id. NULL-terminated or full.
	 */
	const char *threads[SELECTION_PATTERNS_MAX];   // any of them
	const char *processes[SELECTION_PATTERNS_MAX]; // any of them
	/*
	 * Matched in "name text" of spans: samples in such a span, or in one within it; any of them.
	 * Samples in no span have the empty text.
	 */
	const char *spans[SELECTION_PATTERNS_MAX];
	uint32_t span; // instead of them this one and what is within it: row plus 1; 0: see above
	const char *focus[SELECTION_PATTERNS_MAX];     // only stacks with such frames (each of them)
	const char *ignore[SELECTION_PATTERNS_MAX];    // no stacks with such a frame
	const char *hide[SELECTION_PATTERNS_MAX];      // frames to leave out of their stacks
	const char *root[SELECTION_PATTERNS_MAX];      // stacks begin at the outermost such frame;
						       // no stacks without one
};

/*
 * Patterns see frames as they were recorded, whatever the granularity. With min_percent, stacks end
 * before the first frame whose function, at that place of the call tree, has less than that share of
 * the shown samples: in its place is "(below 1 %)". The first pass then takes two.
 */

struct view;

/* An error: a pattern is no regular expression. The capture must outlive the view. */
struct err *view_create(struct view **ret, const struct capture *c, const struct selection *s);
void view_destroy(struct view *v);

const struct capture *view_capture(const struct view *v);
const struct selection *view_selection(const struct view *v);

/*
 * The view's tables: strings, functions, frames, stacks of the samples given so far (all of them
 * after one whole pass). Strings of the capture's own rows (thread names, facts) are in the
 * capture's tables, not here.
 */
const struct profile *view_tables(const struct view *v);

/*
 * The selected samples in order, as of the capture but with stacks of the view's tables. One pass at
 * a time: view_begin() begins anew. STACK_NONE: no frame is left (none was there, or all hidden).
 */
void view_begin(struct view *v);
const struct capture_sample *view_next(struct view *v);
/* NULL if the pass came to the end of what is there. */
struct err *view_end(struct view *v);

/* Whether a span (its row) is of the selection: by itself or by what it lies in, and by its time. */
bool view_shows_span(struct view *v, uint32_t row);

/* What was left out by the last pass: counts of samples. */
struct view_counts {
	uint64_t shown;       // given
	uint64_t left_out;    // by the selection
	uint64_t unreadable;  // SAMPLE_UNREADABLE among the shown
	uint64_t cut;         // SAMPLE_CUT among the shown
	uint64_t lost;        // VIEW_ALL: losses among those of a profile, not among the shown
};
const struct view_counts *view_counts(const struct view *v);

/* What a profile's weights are to be. */
enum view_weight {
	VIEW_COUNTS, // samples
	VIEW_CPU_NS, // CPU time
};

/*
 * One whole pass: the tables with the weights of their stacks, for what needs no order. Samples
 * without a frame get one: "(no Python frame)", "(not readable)", "(hidden)"; cut stacks end in
 * "(truncated)".
 * Valid until the view is destroyed or another pass begins.
 */
struct err *view_profile(struct view *v, enum view_weight weight, const struct profile **ret);

/*
 * The stack of the sample that view_next() just gave, with the same marks: never STACK_NONE. For
 * what shows samples one by one.
 */
stack_id view_marked_stack(struct view *v);

/* Time between two ticks, 0 if samples are just counts. */
uint64_t view_period_ns(const struct view *v);

#endif

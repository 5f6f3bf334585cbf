// SPDX-License-Identifier: MIT
/* Within the Firefox exporter: what its files share. See firefox.c for the format. */
#ifndef FIREGLASS_EXPORT_FIREFOX_H
#define FIREGLASS_EXPORT_FIREFOX_H

#include "base/intern.h"
#include "export/export.h"
#include "export/ids.h"
#include "export/sample_clock.h"
#include "export/thread_spool.h"
#include "fmt/json_writer.h"

/* The profile's categories; the first grey one is what readers fall back to. */
enum firefox_category {
	FIREFOX_OTHER, // threads, marks
	FIREFOX_IDLE,
	FIREFOX_PROGRAM,
	FIREFOX_PACKAGE,
	FIREFOX_STDLIB,
	FIREFOX_GC,
	FIREFOX_GIL_WAIT,
	FIREFOX_CATEGORIES,
};

/* ---- tables that all threads share (firefox_tables.c) ------------------------------------------ */

struct firefox_frame {
	uint32_t func;
	uint32_t line; // 0: not known
	enum firefox_category category;
};

struct firefox_stack {
	uint32_t prefix, frame; // STACK_NONE: a root
};

/*
 * A sample's category is that of its leaf frame. So a leaf that is idle, or waits for the GIL, is
 * another row than the same frame at work; its function is the same, so that nothing else changes.
 */
struct firefox_tables {
	const struct view *view;
	const struct export_options *options;
	struct profile strings; // nothing but its strings is used
	function_id *funcs;     // rows: functions of the view
	struct firefox_frame *frames;
	struct firefox_stack *stacks;
	size_t func_count, func_capacity, frame_count, frame_capacity, stack_count, stack_capacity;
	struct intern func_index, frame_index, stack_index;
	stack_id *chain; // stacks that have no row yet
	uint32_t *rows;  // by stack of the view: its row as it is, plus 1
	size_t chain_capacity, row_capacity;
};

void firefox_tables_init(struct firefox_tables *t, const struct view *v,
	const struct export_options *options);
void firefox_tables_deinit(struct firefox_tables *t);

/* The row of a stack of the view (not STACK_NONE), its leaf being of this category. */
uint32_t firefox_tables_stack(
	struct firefox_tables *t, stack_id stack, enum firefox_category leaf);

/* As above; the leaf has the category that its function has. */
#define FIREFOX_OWN FIREFOX_CATEGORIES

/* The value of the key "shared". */
void firefox_tables_put(struct firefox_tables *t, struct json_writer *json);

/* ---- the whole (firefox.c) ------------------------------------------------------------------- */

struct firefox {
	struct json_writer json;
	struct view *view;
	const struct export_options *options;
	struct export_ids ids;
	struct sample_clock clock;
	struct thread_spool *spool; // times from the clock's origin; stacks are rows, or STACK_NONE
	struct firefox_tables tables;
	bool has_cpu, has_counts; // of any sample; counts other than 1
	uint32_t *threads;        // the capture's, in the order of the profile
	size_t thread_count;
	size_t *marker_begin;   // by thread of the profile, one more: its part of markers
	uint32_t *markers;      // of the capture, then its spans, sorted by thread
	uint8_t spans;          // flags that are shown as markers
};

/* ---- a thread (firefox_thread.c) --------------------------------------------------------------- */

/* The element `i` of "threads". */
struct err *firefox_thread_put(struct firefox *w, size_t i);

/* ---- its markers (firefox_markers.c) ----------------------------------------------------------- */

/* Says which markers belong to which thread; threads must be known. */
void firefox_markers_init(struct firefox *w);

/* The value of "markerSchema". */
void firefox_markers_put_schema(struct firefox *w);

/* The value of "markers" of a thread of the profile. */
struct err *firefox_markers_put(struct firefox *w, size_t i);

/* ---- its CPU time (firefox_cpu.c) --------------------------------------------------------------- */

/* The value of "threadCPUDelta". */
struct err *firefox_cpu_put(struct firefox *w, uint32_t thread);

#endif

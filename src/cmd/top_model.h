// SPDX-License-Identifier: MIT
/*
 * What `fireglass top` knows: a running recording as frames for the terminal (tui/top_data.h).
 *
 *	top_options.c  what is asked for
 *	top.c          the life of the command, of the recording and of the terminal
 *	top_model.c    takes samples, looks at the processes once a second, asks the others for rows
 *	top_groups.c   the samples of the window added up, once for all views
 *	top_head.c     the numbers of the head
 *	top_rows.c     functions, lines, threads
 *	top_tree.c     the call tree
 *	top_source.c   source lines
 *	top_output.c   what the command writes
 *	top_save.c     captures and pages of the last seconds, on a thread of their own
 *	top_stderr.c   messages that must not come between
 *
 * Of a sample as it comes, only counts are kept (store/window.h), and the newest of each thread. All
 * else is made when a frame is asked for. One thread: the one that collects.
 */
#ifndef FIREGLASS_CMD_TOP_MODEL_H
#define FIREGLASS_CMD_TOP_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/intern.h"
#include "cmd/sources.h"
#include "cmd/top_output.h"
#include "os/file_root.h"
#include "sample/collector.h"
#include "store/capture.h"
#include "store/window.h"
#include "tui/top_data.h"

#define TOP_WINDOW_MAX_NS ((uint64_t)600 * 1000000000)

/* What is to be known of a thread besides its samples in the window. */
struct top_thread {
	struct capture_sample last; // time_ns 0: none yet
	uint64_t samples;           // since the beginning
	uint64_t samples_before;    // a second ago
};

struct top_process {
	bool seen, gone;
	uint64_t cpu_ns; // when it was last looked at
	uint64_t rss_bytes;
};

/* The samples of the window, the same once; see top_groups.c. */
struct top_groups {
	struct window_group *items;
	size_t count, capacity;
	struct intern index;
	struct top_thread *threads; // as they were then, by row
	size_t thread_count, thread_capacity;
	uint64_t newest_ns;          // of any sample, then
	uint64_t window_ns, half_ns; // that they are of
	double window_s;             // and how much of that there was
	bool taken;
};

#define TOP_PAUSES 32 /* that are remembered: the newest */

struct top_pause {
	uint64_t from_ns, to_ns; // to_ns 0: it lasts
};

struct top_parts;

struct top_model {
	/* Set by the one that makes it. */
	struct capture *capture;
	struct sample_sink *next;       // where samples go besides
	const struct file_root *files;  // as the target has them, or NULL
	struct top_output *output;      // of the command, or NULL
	const char *command;
	uint32_t pid;
	uint64_t period_ns;             // 0: as fast as it goes

	struct sample_sink sink;        // for the recording
	struct window *window;
	struct top_thread *threads;     // by row of the capture
	size_t thread_count, thread_capacity;
	struct top_process *processes;  // by row of the capture
	size_t process_count, process_capacity;

	uint64_t samples, failed, truncated; // since the beginning
	uint64_t losses;                     // of the capture, before the beginning
	uint64_t began_ns;                   // clock_now_ns() of the first sample; 0: none yet
	uint64_t began_wall_ns;              // its own time
	uint64_t newest_ns;                  // time of the newest sample
	uint64_t paused_since_ns;            // 0: it is not
	struct top_pause pauses[TOP_PAUSES]; // a ring
	size_t pause_count;                  // in all
	uint64_t over_ns;                    // when sampling ended; 0: it has not

	uint64_t second_ns; // when the second began that is being counted
	uint64_t own_cpu_ns;
	double rate, cpu, own_cpu; // of the last second
	uint64_t rss;
	size_t alive; // processes
	struct top_history cpu_history, gil_history, gc_history, rss_history;

	char *how;    // the program has ended; NULL: it has not
	char *notice; // or NULL
	uint64_t notice_until_ns;

	struct top_groups groups;
	struct top_parts *parts; // what views need while they make rows
};

/* After the fields above were set; the rest is zero. */
void top_model_init(struct top_model *m);
void top_model_deinit(struct top_model *m);

/* To be called often; looks at the processes once a second. */
void top_model_turn(struct top_model *m, uint64_t now_ns);

/* A frame; zero before the first time, its arena the caller's to free. Its texts stay until the next. */
void top_model_fill(struct top_model *m, const struct top_query *query, struct top_frame *frame);

/* The end of the window: the clock's time, but it stands still while there are no samples. */
uint64_t top_model_now_ns(const struct top_model *m);

void top_model_reset(struct top_model *m);
void top_model_pause(struct top_model *m, bool paused);

/* The program has ended: how. Frames stay as they are now. */
void top_model_end(struct top_model *m, const char *how);

/* Shown for some seconds. */
void top_model_notice(struct top_model *m, const char *text);

#endif

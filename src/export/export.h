// SPDX-License-Identifier: MIT
/*
 * Profiles out: one row per format. Exporters see a view of a capture and options, never a process.
 */
#ifndef FIREGLASS_EXPORT_EXPORT_H
#define FIREGLASS_EXPORT_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "store/profile.h"
#include "store/view.h"

/* What the text format is to show. */
enum text_shape {
	TEXT_TABLE,   // functions by self time, then by total time
	TEXT_CALLERS, // functions by self time, each with what called it
	TEXT_CALLEES, // functions by total time, each with what it called
	TEXT_TREE,    // the call tree, heaviest branches first
};

/* The text of a source file, as the exporter is told it. */
struct export_source {
	const char *text; // valid UTF-8, lines end in "\n"; "" if it is not to be had
	size_t len;
	const char *note; // "" or what to know of it: "changed after the recording"
};

/* Where exporters have source texts from: they open no files. */
struct export_sources {
	/*
	 * Of a file as a capture names it. False: nothing is known of it. What it gives stays until
	 * the next call.
	 */
	bool (*find)(void *data, const char *file, struct export_source *ret);
	void *data;
};

struct export_options;

/* Another capture that is to be compared with. */
struct export_baseline {
	struct view *view;
	const struct export_options *options;
};

struct export_options {
	const char *title;   // of the picture; NULL for a default
	const char *command; // the command line that made it, or NULL
	const char *unit;    // what one sample is, for people: "1 ms"; NULL for none
	const char *cwd;     // the target's directory: files below it are shown relative to it; or NULL
	bool functions;      // merge the lines of a function
	bool no_lines;       // leave line numbers out altogether
	bool full_paths;     // show files as the target knows them
	bool inverted;       // icicle: the root on top
	uint64_t period_ns;  // of one sample; 0: not known, or as the view has it
	enum text_shape shape;
	size_t rows;         // of text at most: of each table, of the tree; 0 for a default
	bool color;          // text with terminal colours

	/* Of pages only; each NULL for none. */
	const char *(*syscall_name)(int32_t number); // NULL for one that is not known
	const struct export_sources *sources;
	const struct export_baseline *baseline;
};

struct exporter {
	const char *name;      // as given to --format
	const char *extension; // without its first dot: "svg", "trace.json"
	const char *summary;   // one line of help
	/*
	 * One of the two: formats in which samples have an order or columns take the view and read its
	 * samples one by one; those that only add up take the profile.
	 */
	struct err *(*write_view)(FILE *out, struct view *v, const struct export_options *options);
	struct err *(*write)(FILE *out, const struct profile *p, const struct export_options *options);
};

/* Writes a view in whichever way the format takes it. */
struct err *export_view(const struct exporter *e, FILE *out, struct view *v,
	const struct export_options *options);

/* The data of a page as it is packed in it, but for the base64: gzip of docs/page-format.md. */
struct err *export_page_data(FILE *out, struct view *v, const struct export_options *options);

/*
 * A page without a capture, which asks its server for what it shows: `live` tells it how, as JSON that
 * is safe in HTML, and stands in <script type="application/json" id="live">.
 */
void export_page_live(FILE *out, const char *title, const char *live);

/* All formats, ending with NULL. */
extern const struct exporter *const exporters[];

/* NULL if there is no such format. */
const struct exporter *export_find(const char *name);

/* By the ending of a file name, `.txt` and `.collapsed` meaning folded; NULL if it says nothing. */
const struct exporter *export_guess(const char *path);

extern const struct exporter export_flamechart, export_folded, export_svg, export_text;
extern const struct exporter export_chrome, export_cpuprofile, export_pstats, export_callgrind,
	export_perfscript, export_jsonl;
extern const struct exporter export_speedscope, export_pprof, export_firefox, export_page;

#endif

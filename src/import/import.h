// SPDX-License-Identifier: MIT
/*
 * Captures from other profilers' files: one row per format.
 *
 * An importer gets the whole file as bytes (of gzipped files, what they hold) and fills a capture.
 * It refuses a file that it cannot take whole, with a message that names the line, the byte or the
 * element; nothing half-read is kept. docs/import.md says for each format what is taken and what is
 * lost.
 *
 * Times and counts. Where a format has times, samples have them; else they are made up: the samples
 * of a thread follow each other, and FACT_CLOCK is "made up". Where samples weigh time,
 * FACT_PERIOD_NS is the largest time of which all weights are multiples (for austin, its microsecond), and counts
 * are those multiples. Where they weigh something else, FACT_UNIT says what.
 */
#ifndef FIREGLASS_IMPORT_IMPORT_H
#define FIREGLASS_IMPORT_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "store/capture.h"

/* Bytes of a file, and of what a gzipped one holds, at most. */
#define IMPORT_MAX_BYTES ((size_t)1 << 30)

struct import_input {
	const char *data; // a 0 follows
	size_t len;
	const char *option; // what followed `NAME:` in the format, or NULL
};

struct importer {
	const char *name;    // as given to --input-format
	const char *summary; // one line of help
	const char *option;  // what may follow `NAME:`, for help; NULL: nothing
	/* Whether the file looks like one. Cheap; need not be sure. */
	bool (*sniff)(const char *data, size_t len);
	/* On an error the caller empties the capture. */
	struct err *(*read)(const struct import_input *in, struct capture *c);
};

/* All formats, in the order in which they are asked, ending with NULL. */
extern const struct importer *const importers[];

/* By name; NULL if there is no such format. */
const struct importer *import_find(const char *name);

/*
 * Reads a file ("-": the standard input) into an empty capture. `format` is a name, or a name with
 * an option ("folded:1", "pprof:cpu"), or NULL: then it is guessed from the content. Captures (see
 * capture_file_is()) are the caller's. `*used_ret`, if not NULL, says what it was read as. On an
 * error `c` is as after capture_init().
 */
struct err *import_file(
	struct capture *c, const char *path, const char *format, const struct importer **used_ret);

/* The same, of bytes that are in memory; a 0 must follow them. */
struct err *import_bytes(struct capture *c, const char *data, size_t len, const char *format,
	const struct importer **used_ret);

extern const struct importer import_mojo, import_tachyon, import_speedscope, import_cpuprofile,
	import_chrome, import_firefox, import_will_profile, import_austin, import_perf_script, import_folded,
	import_pprof;

#endif

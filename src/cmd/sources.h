// SPDX-License-Identifier: MIT
/*
 * Source files for pages: those that a capture names, read as they are now.
 *
 * A capture can come from anywhere, and a page is made to be passed on, so not everything that a
 * capture names is read: only regular files that are Python by their name (.py, .pyw, .pyx, ...) or by
 * their first line (#! ... python), of limited size, and texts.
 */
#ifndef FIREGLASS_CMD_SOURCES_H
#define FIREGLASS_CMD_SOURCES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "export/export.h"
#include "os/file_root.h"
#include "store/capture.h"

#define SOURCE_MAX ((size_t)1 << 20)   /* bytes of one file */
#define SOURCES_MAX ((size_t)16 << 20) /* of all */

struct sources {
	struct export_sources exported; // what exporters see of it
	const struct file_root *root;
	const char *cwd;       // names are relative to it; or NULL
	uint64_t recorded_ns;  // 0: not known
	bool elsewhere;        // the program ran where other files may have these names
	size_t room;           // bytes that there may still be
	unsigned int left_out; // files for which there was none
	struct buf path, raw, text, note;
};

/* `root`: where the program's names lead; NULL: here, whatever they were there. */
void sources_init(struct sources *s, const struct capture *c, const struct file_root *root);
void sources_deinit(struct sources *s);

/* Says on the standard error if files were left out. */
void sources_tell(const struct sources *s);

/* Appends the bytes of a source file as a text: see sources.c. Appends to `note` what it has to say. */
void sources_decode(struct buf *text, const char *bytes, size_t len, struct buf *note);

#endif

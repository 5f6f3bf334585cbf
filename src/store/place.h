// SPDX-License-Identifier: MIT
/*
 * Where code lies, told by its path: how a file is shortened for people, whose code it is, and of
 * which package it is a part. Results are parts of the path given; nothing looks at a file system.
 */
#ifndef FIREGLASS_STORE_PLACE_H
#define FIREGLASS_STORE_PLACE_H

#include <stddef.h>

#include "base/buf.h"

enum place_kind {
	PLACE_OWN,     // the program itself, and whatever is none of the others
	PLACE_PACKAGE, // site-packages and dist-packages
	PLACE_STDLIB,  // lib/pythonX.Y and frozen modules
};

enum place_kind place_kind(const char *path, size_t len);

/*
 * What follows the last `site-packages/`, `dist-packages/` or `lib/pythonX.Y/` (also `lib64`,
 * `python3`); else what follows `directory` (NULL: none), if the path is below it; else the path.
 * It ends where the path ends and is never empty, unless the path is.
 */
const char *place_short(const char *path, size_t len, const char *directory);

/*
 * Appends the name of the package: the first part of the shortened path, without the ending of a
 * file: "requests", "json", "threading". What cannot be shortened is named by its directory, and
 * `<string>` and the like as they are.
 */
void place_add_package(struct buf *out, const char *path, size_t len, const char *directory);

#endif

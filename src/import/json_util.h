// SPDX-License-Identifier: MIT
/* What importers of JSON share. */
#ifndef FIREGLASS_IMPORT_JSON_UTIL_H
#define FIREGLASS_IMPORT_JSON_UTIL_H

#include "fmt/json_reader.h"
#include "import/build.h"
#include "import/import.h"

/* The first character that is no space: '{', '[' or another; 0 if there is none. */
char json_util_first(const char *data, size_t len);

/* Whether `"name"` occurs in the text. */
bool json_util_mentions(const char *data, size_t len, const char *name);

/* A text of an object; empty if it has none. */
struct slice json_util_text(const struct json_value *object, const char *key);
/* A value that is a text. */
struct slice json_util_slice(const struct json_value *v);

/* A whole number of an object, at least 0; 0 if it has none. */
uint64_t json_util_u64(const struct json_value *object, const char *key);

/* A number of an object; `missing` if it has none. */
double json_util_number(const struct json_value *object, const char *key, double missing);

#endif

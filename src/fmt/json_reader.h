// SPDX-License-Identifier: MIT
/*
 * JSON, read whole into memory.
 *
 * Hostile input is fine: depth and memory are bounded, text is valid UTF-8. Look-ups do not fail:
 * what is not there, or is of another kind, is NULL, 0 or false, and NULL has nothing in it, so that
 * a chain of them needs one test at its end. Values belong to the document and live as long.
 */
#ifndef FIREGLASS_FMT_JSON_READER_H
#define FIREGLASS_FMT_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* What a document may take in memory; large ones take 10 to 20 times their text. */
#define JSON_READER_MAX_MEMORY ((size_t)4 << 30)

struct json_doc;
struct json_value;

/* The error names the line, and what was expected there. */
struct err *json_doc_parse(struct json_doc **ret, const char *text, size_t len);
void json_doc_destroy(struct json_doc *doc);
const struct json_value *json_doc_root(const struct json_doc *doc);

bool json_value_is_object(const struct json_value *v);
bool json_value_is_array(const struct json_value *v);

/* Elements of an array. */
size_t json_value_count(const struct json_value *v);
const struct json_value *json_value_at(const struct json_value *v, size_t i);
/* A member of an object. */
const struct json_value *json_value_get(const struct json_value *v, const char *key);

/* The text, ended with 0 (it may hold others), or NULL if it is none. */
const char *json_value_text(const struct json_value *v, size_t *len_ret);

/* Any finite number, and one without fraction that fits. */
bool json_value_number(const struct json_value *v, double *ret);
bool json_value_whole(const struct json_value *v, int64_t *ret);
bool json_value_true(const struct json_value *v);

#endif

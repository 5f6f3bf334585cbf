// SPDX-License-Identifier: MIT
#include "fmt/json_reader.h"

#include <jansson.h>
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct json_doc {
	json_t *root;
};

/* ---- memory ----------------------------------------------------------------------------------- */

/*
 * The library's only handle on memory is a pair of functions without argument; the budget is what
 * keeps a small hostile text of many small values from taking all there is.
 */
static _Thread_local size_t in_use;

static void *budget_malloc(size_t size)
{
	void *p = size <= JSON_READER_MAX_MEMORY - in_use ? malloc(size) : NULL;

	if (p)
		in_use += malloc_usable_size(p);
	if (in_use > JSON_READER_MAX_MEMORY)
		in_use = JSON_READER_MAX_MEMORY;
	return p;
}

static void budget_free(void *p)
{
	size_t size = p ? malloc_usable_size(p) : 0;

	in_use -= size < in_use ? size : in_use;
	free(p);
}

/* ---- documents -------------------------------------------------------------------------------- */

static struct err *parse_error(const json_error_t *e)
{
	if (json_error_code(e) == json_error_out_of_memory)
		return err_new(ERR_FAILED, "line %d: it needs more than %zu GiB of memory", e->line,
			JSON_READER_MAX_MEMORY >> 30);
	return err_new(ERR_FAILED, "line %d, column %d: %s", e->line, e->column, e->text);
}

struct err *json_doc_parse(struct json_doc **ret, const char *text, size_t len)
{
	json_error_t error;

	json_set_alloc_funcs(budget_malloc, budget_free);
	json_t *root = json_loadb(text, len, JSON_ALLOW_NUL, &error);
	if (!root)
		return parse_error(&error);
	*ret = xmalloc(sizeof(**ret));
	(*ret)->root = root;
	return NULL;
}

void json_doc_destroy(struct json_doc *doc)
{
	if (!doc)
		return;
	json_decref(doc->root);
	free(doc);
}

/* ---- values: the library's own, under another name -------------------------------------------- */

static const json_t *inner(const struct json_value *v)
{
	return (const json_t *)(const void *)v;
}

static const struct json_value *outer(const json_t *t)
{
	return (const struct json_value *)(const void *)t;
}

const struct json_value *json_doc_root(const struct json_doc *doc)
{
	return outer(doc->root);
}

bool json_value_is_object(const struct json_value *v)
{
	return v && json_is_object(inner(v));
}

bool json_value_is_array(const struct json_value *v)
{
	return v && json_is_array(inner(v));
}

size_t json_value_count(const struct json_value *v)
{
	return v ? json_array_size(inner(v)) : 0;
}

const struct json_value *json_value_at(const struct json_value *v, size_t i)
{
	return v ? outer(json_array_get(inner(v), i)) : NULL;
}

const struct json_value *json_value_get(const struct json_value *v, const char *key)
{
	return v ? outer(json_object_get(inner(v), key)) : NULL;
}

const char *json_value_text(const struct json_value *v, size_t *len_ret)
{
	if (!v || !json_is_string(inner(v)))
		return NULL;
	*len_ret = json_string_length(inner(v));
	return json_string_value(inner(v));
}

bool json_value_number(const struct json_value *v, double *ret)
{
	if (!v || !json_is_number(inner(v)) || !isfinite(json_number_value(inner(v))))
		return false;
	*ret = json_number_value(inner(v));
	return true;
}

bool json_value_whole(const struct json_value *v, int64_t *ret)
{
	double number;

	if (v && json_is_integer(inner(v))) {
		*ret = json_integer_value(inner(v));
		return true;
	}
	// 2^53: above it, not every whole number is there
	if (!json_value_number(v, &number) || number != trunc(number) || fabs(number) > 0x1p53)
		return false;
	*ret = (int64_t)number;
	return true;
}

bool json_value_true(const struct json_value *v)
{
	return v && json_is_true(inner(v));
}

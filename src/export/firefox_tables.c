// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "export/firefox.h"
#include "export/label.h"
#include "store/place.h"

#define NO_INDEX (-1) /* as the format has it */
#define RESOURCE_LIBRARY 1 /* the kind of resource that readers take for a library */

void firefox_tables_init(struct firefox_tables *t, const struct view *v,
	const struct export_options *options)
{
	*t = (struct firefox_tables){ .view = v, .options = options };
	profile_init(&t->strings);
}

void firefox_tables_deinit(struct firefox_tables *t)
{
	profile_deinit(&t->strings);
	free(t->funcs);
	free(t->frames);
	free(t->stacks);
	intern_deinit(&t->func_index);
	intern_deinit(&t->frame_index);
	intern_deinit(&t->stack_index);
	free(t->chain);
	free(t->rows);
}

/* ---- rows ------------------------------------------------------------------------------------- */

static uint32_t func_row(struct firefox_tables *t, function_id function)
{
	uint64_t hash = intern_hash2(function, 0);

	for (struct intern_probe p = intern_begin(&t->func_index, hash);
		intern_next(&t->func_index, &p);)
		if (t->funcs[p.row] == function)
			return p.row;
	intern_add(&t->func_index, hash, (uint32_t)t->func_count);
	array_reserve(t->funcs, t->func_capacity, t->func_count + 1);
	t->funcs[t->func_count] = function;
	return (uint32_t)t->func_count++;
}

static enum firefox_category category_of(const struct firefox_tables *t, function_id function)
{
	static const enum firefox_category categories[LABEL_ORIGINS] = {
		[LABEL_OWN] = FIREFOX_PROGRAM,
		[LABEL_PACKAGE] = FIREFOX_PACKAGE,
		[LABEL_STDLIB] = FIREFOX_STDLIB,
		[LABEL_THREAD] = FIREFOX_OTHER,
		[LABEL_MARK] = FIREFOX_OTHER,
	};
	const struct profile *p = view_tables(t->view);

	return categories[label_origin(p, &p->functions[function])];
}

static uint32_t frame_row(
	struct firefox_tables *t, frame_id frame, enum firefox_category category)
{
	const struct store_frame *f = &view_tables(t->view)->frames[frame];
	bool lines = !t->options->functions && !t->options->no_lines;
	const struct firefox_frame row = {
		.func = func_row(t, f->function),
		.line = lines ? f->line : 0,
		.category = category == FIREFOX_OWN ? category_of(t, f->function) : category,
	};
	uint64_t hash = intern_hash2(row.func, (uint64_t)row.category << 32 | row.line);

	for (struct intern_probe p = intern_begin(&t->frame_index, hash);
		intern_next(&t->frame_index, &p);)
		if (t->frames[p.row].func == row.func && t->frames[p.row].line == row.line &&
			t->frames[p.row].category == row.category)
			return p.row;
	intern_add(&t->frame_index, hash, (uint32_t)t->frame_count);
	array_reserve(t->frames, t->frame_capacity, t->frame_count + 1);
	t->frames[t->frame_count] = row;
	return (uint32_t)t->frame_count++;
}

static uint32_t stack_row(struct firefox_tables *t, uint32_t prefix, uint32_t frame)
{
	uint64_t hash = intern_hash2(prefix, frame);

	for (struct intern_probe p = intern_begin(&t->stack_index, hash);
		intern_next(&t->stack_index, &p);)
		if (t->stacks[p.row].prefix == prefix && t->stacks[p.row].frame == frame)
			return p.row;
	intern_add(&t->stack_index, hash, (uint32_t)t->stack_count);
	array_reserve(t->stacks, t->stack_capacity, t->stack_count + 1);
	t->stacks[t->stack_count] = (struct firefox_stack){ prefix, frame };
	return (uint32_t)t->stack_count++;
}

/* The row of a stack as it is. Rows of callers come before those of what they call. */
static uint32_t own_row(struct firefox_tables *t, stack_id stack)
{
	const struct profile *p = view_tables(t->view);
	size_t depth = 0, had = t->row_capacity;
	uint32_t prefix = STACK_NONE;

	if (stack == STACK_NONE)
		return STACK_NONE;
	array_reserve(t->rows, t->row_capacity, (size_t)stack + 1);
	memset(t->rows + had, 0, (t->row_capacity - had) * sizeof(*t->rows));
	for (; stack != STACK_NONE && !t->rows[stack]; stack = p->stacks[stack].parent) {
		array_reserve(t->chain, t->chain_capacity, depth + 1);
		t->chain[depth++] = stack;
	}
	if (stack != STACK_NONE)
		prefix = t->rows[stack] - 1;
	while (depth) {
		stack = t->chain[--depth];
		prefix = stack_row(t, prefix, frame_row(t, p->stacks[stack].frame, FIREFOX_OWN));
		t->rows[stack] = prefix + 1;
	}
	return prefix;
}

uint32_t firefox_tables_stack(
	struct firefox_tables *t, stack_id stack, enum firefox_category leaf)
{
	const struct store_stack *s = &view_tables(t->view)->stacks[stack];

	if (leaf == FIREFOX_OWN)
		return own_row(t, stack);
	uint32_t prefix = own_row(t, s->parent); // before the frame, whatever the compiler
	return stack_row(t, prefix, frame_row(t, s->frame, leaf));
}

/* ---- as JSON ---------------------------------------------------------------------------------- */

static void put_length(struct json_writer *json, size_t length)
{
	json_key(json, "length");
	json_u64(json, length);
}

static void put_nulls(struct json_writer *json, const char *key, size_t count)
{
	json_key(json, key);
	json_begin_array(json);
	for (size_t i = 0; i < count; i++)
		json_null(json);
	json_end_array(json);
}

static void put_same(struct json_writer *json, const char *key, size_t count, int64_t value)
{
	json_key(json, key);
	json_begin_array(json);
	for (size_t i = 0; i < count; i++)
		json_i64(json, value);
	json_end_array(json);
}

static void put_false(struct json_writer *json, const char *key, size_t count)
{
	json_key(json, key);
	json_begin_array(json);
	for (size_t i = 0; i < count; i++)
		json_bool(json, false);
	json_end_array(json);
}

/* 0 stands for what is not known. */
static void put_number_or_null(struct json_writer *json, uint32_t value)
{
	if (value)
		json_u64(json, value);
	else
		json_null(json);
}

static void put_stacks(const struct firefox_tables *t, struct json_writer *json)
{
	json_key(json, "stackTable");
	json_begin_object(json);
	json_key(json, "frame");
	json_begin_array(json);
	for (size_t i = 0; i < t->stack_count; i++)
		json_u64(json, t->stacks[i].frame);
	json_end_array(json);
	json_key(json, "prefix");
	json_begin_array(json);
	for (size_t i = 0; i < t->stack_count; i++) {
		if (t->stacks[i].prefix == STACK_NONE)
			json_null(json);
		else
			json_u64(json, t->stacks[i].prefix);
	}
	json_end_array(json);
	put_length(json, t->stack_count);
	json_end_object(json);
}

static void put_frames(const struct firefox_tables *t, struct json_writer *json)
{
	json_key(json, "frameTable");
	json_begin_object(json);
	put_same(json, "address", t->frame_count, NO_INDEX);
	put_same(json, "inlineDepth", t->frame_count, 0);
	json_key(json, "category");
	json_begin_array(json);
	for (size_t i = 0; i < t->frame_count; i++)
		json_u64(json, t->frames[i].category);
	json_end_array(json);
	put_same(json, "subcategory", t->frame_count, 0);
	json_key(json, "func");
	json_begin_array(json);
	for (size_t i = 0; i < t->frame_count; i++)
		json_u64(json, t->frames[i].func);
	json_end_array(json);
	put_nulls(json, "nativeSymbol", t->frame_count);
	put_nulls(json, "innerWindowID", t->frame_count);
	json_key(json, "line");
	json_begin_array(json);
	for (size_t i = 0; i < t->frame_count; i++)
		put_number_or_null(json, t->frames[i].line);
	json_end_array(json);
	put_nulls(json, "column", t->frame_count);
	put_length(json, t->frame_count);
	json_end_object(json);
}

/* A table of names, each once. */
struct names {
	string_id *rows;
	size_t count, capacity;
	struct intern index;
};

static void names_deinit(struct names *n)
{
	free(n->rows);
	intern_deinit(&n->index);
}

static uint32_t names_row(struct names *n, string_id name)
{
	uint64_t hash = intern_hash2(name, 0);

	for (struct intern_probe p = intern_begin(&n->index, hash); intern_next(&n->index, &p);)
		if (n->rows[p.row] == name)
			return p.row;
	intern_add(&n->index, hash, (uint32_t)n->count);
	array_reserve(n->rows, n->capacity, n->count + 1);
	n->rows[n->count] = name;
	return (uint32_t)n->count++;
}

static void put_names(struct json_writer *json, const char *key, const struct names *n)
{
	json_key(json, key);
	json_begin_array(json);
	for (size_t i = 0; i < n->count; i++)
		json_u64(json, n->rows[i]);
	json_end_array(json);
}

/* What a function lies in. */
struct code {
	struct names files;    // "sources"
	struct names packages; // "resources": a reader can show each as one frame
};

static void put_func_files(
	struct firefox_tables *t, struct code *code, struct json_writer *json)
{
	const struct profile *p = view_tables(t->view);

	json_key(json, "source");
	json_begin_array(json);
	for (size_t i = 0; i < t->func_count; i++) {
		const struct store_function *f = &p->functions[t->funcs[i]];
		struct label_slice file = label_file(p, f, t->options);

		if (f->kind != FUNCTION_PYTHON || !file.len)
			json_null(json);
		else
			json_u64(json, names_row(&code->files, profile_string(&t->strings,
								       file.text, file.len)));
	}
	json_end_array(json);
}

static void put_func_packages(
	struct firefox_tables *t, struct code *code, struct json_writer *json)
{
	const struct profile *p = view_tables(t->view);
	_cleanup_buf_ struct buf package = BUF_INIT;

	json_key(json, "resource");
	json_begin_array(json);
	for (size_t i = 0; i < t->func_count; i++) {
		const struct store_function *f = &p->functions[t->funcs[i]];
		const struct store_string *file = &p->strings[f->file];

		buf_clear(&package);
		place_add_package(&package, file->text, file->len, t->options->cwd);
		if (f->kind != FUNCTION_PYTHON || !package.len)
			json_i64(json, NO_INDEX);
		else
			json_u64(json, names_row(&code->packages,
					       profile_string(&t->strings, package.data,
						       package.len)));
	}
	json_end_array(json);
}

static void put_funcs(struct firefox_tables *t, struct code *code, struct json_writer *json)
{
	const struct profile *p = view_tables(t->view);

	json_key(json, "funcTable");
	json_begin_object(json);
	json_key(json, "name");
	json_begin_array(json);
	for (size_t i = 0; i < t->func_count; i++) {
		const struct store_string *name =
			&p->strings[p->functions[t->funcs[i]].name];

		json_u64(json, profile_string(&t->strings, name->len ? name->text : "?",
				       name->len ? name->len : 1));
	}
	json_end_array(json);
	put_false(json, "isJS", t->func_count);
	put_false(json, "relevantForJS", t->func_count);
	put_func_packages(t, code, json);
	put_func_files(t, code, json);
	json_key(json, "lineNumber");
	json_begin_array(json);
	for (size_t i = 0; i < t->func_count; i++)
		put_number_or_null(json,
			t->options->no_lines ? 0 : p->functions[t->funcs[i]].first_line);
	json_end_array(json);
	put_nulls(json, "columnNumber", t->func_count);
	put_length(json, t->func_count);
	json_end_object(json);
}

static void put_sources(const struct names *files, struct json_writer *json)
{
	json_key(json, "sources");
	json_begin_object(json);
	put_nulls(json, "uuid", files->count);
	put_names(json, "filename", files);
	put_length(json, files->count);
	json_end_object(json);
}

static void put_resources(const struct names *packages, struct json_writer *json)
{
	json_key(json, "resourceTable");
	json_begin_object(json);
	put_nulls(json, "lib", packages->count);
	put_names(json, "name", packages);
	put_nulls(json, "host", packages->count);
	put_same(json, "type", packages->count, RESOURCE_LIBRARY);
	put_length(json, packages->count);
	json_end_object(json);
}

/* Of native code there is none. */
static void put_native_symbols(struct json_writer *json)
{
	json_key(json, "nativeSymbols");
	json_begin_object(json);
	put_nulls(json, "libIndex", 0);
	put_nulls(json, "address", 0);
	put_nulls(json, "name", 0);
	put_nulls(json, "functionSize", 0);
	put_length(json, 0);
	json_end_object(json);
}

static void put_strings(const struct firefox_tables *t, struct json_writer *json)
{
	json_key(json, "stringArray");
	json_begin_array(json);
	for (size_t i = 0; i < t->strings.string_count; i++)
		json_string(json, t->strings.strings[i].text, t->strings.strings[i].len);
	json_end_array(json);
}

void firefox_tables_put(struct firefox_tables *t, struct json_writer *json)
{
	struct code code = { 0 };

	json_begin_object(json);
	put_stacks(t, json);
	put_frames(t, json);
	put_funcs(t, &code, json);
	put_resources(&code.packages, json);
	put_native_symbols(json);
	put_sources(&code.files, json);
	put_strings(t, json); // last: by now all are there
	json_end_object(json);
	names_deinit(&code.files);
	names_deinit(&code.packages);
}

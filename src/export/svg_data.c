// SPDX-License-Identifier: MIT
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "export/svg.h"
#include "export/svg_diff.h"
#include "fmt/json_writer.h"

#define NOT_USED UINT32_MAX

/* Numbers given to ids in the order of their first use. */
struct numbering {
	uint32_t *number_of; // by id; NOT_USED
	uint32_t *ids;       // by number
	uint32_t count;
};

static void numbering_init(struct numbering *n, size_t id_count)
{
	n->number_of = xcalloc(id_count, sizeof(*n->number_of));
	n->ids = xcalloc(id_count, sizeof(*n->ids));
	n->count = 0;
	memset(n->number_of, 0xff, id_count * sizeof(*n->number_of));
}

static void numbering_deinit(struct numbering *n)
{
	free(n->number_of);
	free(n->ids);
}

static uint32_t number(struct numbering *n, uint32_t id)
{
	if (n->number_of[id] == NOT_USED) {
		n->ids[n->count] = id;
		n->number_of[id] = n->count++;
	}
	return n->number_of[id];
}

/* What of the profile the tree uses. file_of[number of a file] is a function that has it. */
struct tables {
	struct numbering functions, names, files;
	function_id *file_of;
};

static void tables_init(struct tables *t, const struct svg_picture *picture)
{
	const struct profile *p = picture->profile;

	numbering_init(&t->functions, p->function_count);
	numbering_init(&t->names, p->string_count);
	numbering_init(&t->files, p->string_count);
	t->file_of = xcalloc(p->string_count, sizeof(*t->file_of));
	for (size_t i = 1; i < picture->tree.node_count; i++) {
		function_id id = picture->tree.nodes[i].function;

		number(&t->functions, id);
		number(&t->names, p->functions[id].name);
		t->file_of[number(&t->files, p->functions[id].file)] = id;
	}
}

static void tables_deinit(struct tables *t)
{
	numbering_deinit(&t->functions);
	numbering_deinit(&t->names);
	numbering_deinit(&t->files);
	free(t->file_of);
}

static void write_strings(
	struct json_writer *w, const struct svg_picture *picture, const struct tables *t)
{
	const struct profile *p = picture->profile;

	json_key(w, "names");
	json_begin_array(w);
	for (uint32_t i = 0; i < t->names.count; i++) {
		const struct store_string *s = &p->strings[t->names.ids[i]];

		json_string(w, s->text, s->len);
	}
	json_end_array(w);
	json_key(w, "files");
	json_begin_array(w);
	for (uint32_t i = 0; i < t->files.count; i++) {
		struct label_slice file =
			label_file(p, &p->functions[t->file_of[i]], picture->options);

		json_string(w, file.text, file.len);
	}
	json_end_array(w);
}

static void write_functions(
	struct json_writer *w, const struct svg_picture *picture, struct tables *t)
{
	json_key(w, "functions");
	json_begin_array(w);
	for (uint32_t i = 0; i < t->functions.count; i++) {
		function_id id = t->functions.ids[i];
		const struct store_function *f = &picture->profile->functions[id];
		struct svg_colour colour = svg_colour(picture, id);

		json_u64(w, number(&t->names, f->name));
		json_u64(w, number(&t->files, f->file));
		json_u64(w, picture->options->no_lines ? 0 : f->first_line);
		json_u64(w, colour.origin);
		json_u64(w, colour.tone);
	}
	json_end_array(w);
}

void svg_pack(struct buf *out, uint64_t value)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	for (; value >= 32; value >>= 5)
		buf_add_char(out, letters[32 | (value & 31)]);
	buf_add_char(out, letters[value]);
}

static void pack_signed(struct buf *out, int64_t value)
{
	svg_pack(out, value >= 0 ? (uint64_t)value * 2 : (uint64_t)-value * 2 - 1);
}

static void write_nodes(
	struct json_writer *w, const struct tree *tree, struct tables *t, bool diff)
{
	_cleanup_buf_ struct buf packed = BUF_INIT;

	for (size_t i = 1; i < tree->node_count; i++) {
		const struct tree_node *n = &tree->nodes[i];
		uint32_t up = tree->nodes[i - 1].depth + 1 - n->depth;

		uint64_t self = diff ? 0 : n->self;

		svg_pack(&packed, (uint64_t)number(&t->functions, n->function) * 2 + (up || self));
		if (!up && !self)
			continue;
		svg_pack(&packed, up);
		svg_pack(&packed, self);
	}
	json_key(w, "nodes");
	json_string(w, buf_str(&packed), packed.len);
}

static void write_lines(struct json_writer *w, const struct svg_picture *picture)
{
	const struct tree *tree = &picture->tree;
	_cleanup_buf_ struct buf packed = BUF_INIT;

	for (size_t i = 1; i < tree->node_count; i++) {
		const struct tree_node *n = &tree->nodes[i];
		const struct tree_line *lines = &tree->lines[n->first_tree_line];
		int64_t first = picture->profile->functions[n->function].first_line;

		svg_pack(&packed, n->tree_line_count - 1);
		for (uint32_t j = 0; j < n->tree_line_count; j++) {
			pack_signed(&packed, (int64_t)lines[j].line - first);
			if (n->tree_line_count > 1)
				svg_pack(&packed, lines[j].total);
		}
	}
	json_key(w, "lines");
	json_string(w, buf_str(&packed), packed.len);
}

void svg_write_data(FILE *out, const struct svg_picture *picture)
{
	const struct export_options *options = picture->options;
	struct json_writer w = { .stream = out, .embedded = true };
	_cleanup_(tables_deinit) struct tables t;

	tables_init(&t, picture);
	json_begin_object(&w);
	json_key(&w, "title");
	json_cstring(&w, svg_title(picture));
	json_key(&w, "command");
	json_cstring(&w, options->command);
	json_key(&w, "unit");
	json_cstring(&w, options->unit);
	json_key(&w, "inverted");
	json_bool(&w, options->inverted);
	json_key(&w, "total");
	json_u64(&w, picture->tree.nodes[TREE_ROOT].total);
	json_key(&w, "count");
	json_u64(&w, picture->tree.node_count);
	write_strings(&w, picture, &t);
	write_functions(&w, picture, &t);
	write_nodes(&w, &picture->tree, &t, picture->diff);
	if (!options->no_lines && !picture->diff)
		write_lines(&w, picture);
	if (picture->diff)
		svg_diff_write_data(&w, picture);
	json_end_object(&w);
}

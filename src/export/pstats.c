// SPDX-License-Identifier: MIT
/*
 * Python's own profile format, for `python -m pstats`, snakeviz, gprof2dot and others: a dict in
 * marshal's bytes,
 *
 *	{(file, line, function): (cc, nc, tt, ct, {(file, line, function): (nc, cc, tt, ct)})}
 *
 * There is no call count in samples: cc and nc are the samples in which the function was on the
 * stack, once per stack. An entry that calls the roots of all stacks says so in each listing; it also
 * gives viewers that show one root (snakeviz) the whole, and an empty profile something to open:
 * pstats refuses an empty dict. tt and ct are self and total time in seconds (samples, if their period
 * is not known).
 *
 * The bytes are those that every Python from 2.7 on reads: text as TYPE_INTERNED, which is `str` in
 * all of them (Lib/pstats.py, Python/marshal.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "export/edges.h"
#include "export/export.h"
#include "export/rekey.h"
#include "store/agg.h"

/* What pstats has in place of the file of functions that have none. */
#define NO_FILE "~"
#define INT_DIGIT_BITS 15

struct pstats {
	FILE *out;
	struct profile keyed;
	struct agg agg;
	struct edges edges;
	double seconds;  // of one sample
	struct buf root; // name of the entry that calls the roots
};

/* ---- marshal ---------------------------------------------------------------------------------- */

static void put_u16(FILE *out, uint32_t value)
{
	fputc((int)(value & 0xff), out);
	fputc((int)(value >> 8 & 0xff), out);
}

static void put_u32(FILE *out, uint32_t value)
{
	put_u16(out, value);
	put_u16(out, value >> 16);
}

/* Below 2^31 as an int, above as digits of 15 bits: 64-bit ints are gone since 3.4. */
static void put_count(FILE *out, uint64_t value)
{
	uint32_t digits = 0;

	if (value <= INT32_MAX) {
		fputc('i', out);
		put_u32(out, (uint32_t)value);
		return;
	}
	for (uint64_t rest = value; rest; rest >>= INT_DIGIT_BITS)
		digits++;
	fputc('l', out);
	put_u32(out, digits);
	for (; value; value >>= INT_DIGIT_BITS)
		put_u16(out, value & ((1u << INT_DIGIT_BITS) - 1));
}

static void put_double(FILE *out, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	fputc('g', out);
	put_u32(out, (uint32_t)bits);
	put_u32(out, (uint32_t)(bits >> 32));
}

static void put_text(FILE *out, const char *text, size_t len)
{
	fputc('t', out);
	put_u32(out, (uint32_t)len);
	fwrite(text, 1, len, out);
}

static void put_tuple(FILE *out, uint32_t count)
{
	fputc('(', out);
	put_u32(out, count);
}

#define DICT_BEGIN '{'
#define DICT_END '0'

/* ---- the dict --------------------------------------------------------------------------------- */

/* Marks, threads and what has no file are built-ins to pstats. */
static struct store_function pstats_key(
	struct profile *to, const struct profile *from, const struct store_function *f)
{
	const struct store_string *name = &from->strings[f->name], *file = &from->strings[f->file];
	bool placed = file->len > 0;

	return (struct store_function){
		.name = name->len ? profile_string(to, name->text, name->len) :
				    profile_string(to, "?", 1),
		.file = placed ? profile_string(to, file->text, file->len) :
				 profile_string(to, NO_FILE, 1),
		.first_line = placed ? f->first_line : 0,
	};
}

static void put_root_key(const struct pstats *w)
{
	put_tuple(w->out, 3);
	put_text(w->out, NO_FILE, 1);
	put_count(w->out, 0);
	put_text(w->out, w->root.data, w->root.len);
}

static void put_key(const struct pstats *w, function_id id)
{
	if (id == EDGE_NO_CALLER) {
		put_root_key(w);
		return;
	}
	const struct store_function *f = &w->keyed.functions[id];
	const struct store_string *name = &w->keyed.strings[f->name];
	const struct store_string *file = &w->keyed.strings[f->file];

	put_tuple(w->out, 3);
	put_text(w->out, file->text, file->len);
	put_count(w->out, f->first_line);
	put_text(w->out, name->text, name->len);
}

static void put_numbers(const struct pstats *w, uint64_t samples, uint64_t self)
{
	put_count(w->out, samples);
	put_count(w->out, samples);
	put_double(w->out, (double)self * w->seconds);
	put_double(w->out, (double)samples * w->seconds);
}

static void put_function(const struct pstats *w, const struct agg_row *row)
{
	size_t count;
	const struct edge *edges = edges_of(&w->edges, EDGES_BY_CALLEE, row->function, &count);

	put_key(w, row->function);
	put_tuple(w->out, 5);
	put_numbers(w, row->total, row->self);
	fputc(DICT_BEGIN, w->out);
	for (size_t i = 0; i < count; i++) {
		put_key(w, edges[i].caller);
		put_tuple(w->out, 4);
		put_numbers(w, edges[i].total, edges[i].self);
	}
	fputc(DICT_END, w->out);
}

/* pstats shows `<...>` without a file as `{...}`. */
static void name_root(struct pstats *w, uint64_t period_ns)
{
	buf_add_str(&w->root, "<fireglass: all samples; ncalls are samples");
	if (period_ns) {
		buf_add_str(&w->root, ", one every ");
		units_add_duration(&w->root, period_ns);
	} else {
		buf_add_str(&w->root, ", and so are seconds");
	}
	buf_add_char(&w->root, '>');
}

static void put_root(const struct pstats *w)
{
	put_root_key(w);
	put_tuple(w->out, 5);
	put_numbers(w, w->keyed.total, 0);
	fputc(DICT_BEGIN, w->out);
	fputc(DICT_END, w->out);
}

static void pstats_deinit(struct pstats *w)
{
	profile_deinit(&w->keyed);
	agg_deinit(&w->agg);
	edges_deinit(&w->edges);
	buf_deinit(&w->root);
}

static struct err *pstats_write(
	FILE *out, const struct profile *p, const struct export_options *options)
{
	_cleanup_(pstats_deinit) struct pstats w = { .out = out };

	w.seconds = options->period_ns ? (double)options->period_ns / 1e9 : 1;
	profile_init(&w.keyed);
	rekey_profile(&w.keyed, p, pstats_key);
	agg_functions(&w.agg, &w.keyed);
	agg_sort(&w.agg, AGG_BY_TOTAL);
	edges_build(&w.edges, &w.keyed);
	edges_sort(&w.edges, EDGES_BY_CALLEE);
	fputc(DICT_BEGIN, out);
	name_root(&w, options->period_ns);
	put_root(&w);
	for (size_t i = 0; i < w.agg.count; i++)
		put_function(&w, &w.agg.rows[i]);
	fputc(DICT_END, out);
	return ferror(out) ? err_errno(errno, "cannot write the statistics") : NULL;
}

const struct exporter export_pstats = {
	.name = "pstats",
	.extension = "pstats",
	.summary = "statistics for python -m pstats, snakeviz and gprof2dot; ncalls are samples",
	.write = pstats_write,
};

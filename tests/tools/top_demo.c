// SPDX-License-Identifier: MIT
/*
 * The interface of `fireglass top` over made-up frames: what its screen tests run, and a way to see it
 * without a program. The same frames at each run; with --live they move.
 *
 *	top_demo [--ascii] [--mono] [--live] [--processes] [--rows N] [--refresh MS] [--view N] [--log FILE]
 *
 * SIGUSR2: the program that is looked at has been killed.
 */
#include <getopt.h>
#include <math.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "tui/top.h"

struct demo {
	struct top_row *rows;
	size_t count, capacity;
	bool live, processes;
	size_t extra; // rows made by the dozen
	unsigned int fills, resets;
	FILE *log;
};

static volatile sig_atomic_t killed;

static void on_kill(int signum)
{
	(void)signum;
	killed = 1;
}

/* ---- what is shown ---------------------------------------------------------------------------- */

struct function {
	const char *name, *file;
	uint32_t line;
	double self, total;
};

static const struct function functions[] = {
	{ "tokenize", "shop/parse.py", 41, 0.314, 0.331 },
	{ "Parser._skip", "shop/parse.py", 77, 0.207, 0.207 },
	{ "dumps", "/usr/lib/python3.12/json/__init__.py", 183, 0.118, 0.164 },
	{ "handle", "shop/app.py", 12, 0.041, 0.983 },
	{ "größe_berechnen", "shop/maße.py", 7, 0.0312, 0.0312 },
	{ "日本語の関数", "shop/日本.py", 3, 0.021, 0.022 },
	{ "Cursor.execute",
		"/srv/v/lib/python3.12/site-packages/database_driver/extensions/cursor.py", 1024,
		0.0193, 0.0571 },
	{ "<lambda>", "shop/app.py", 90, 0.0042, 0.0042 },
	{ "(garbage collector)", NULL, 0, 0.0021, 0.0021 },
	{ "evil\033[31m\a\u202ename", "x\ty.py", 1, 0.0002, 0.0004 },
	{ "main", "shop/app.py", 120, 0, 1 },
};

static struct top_row *add(struct demo *d)
{
	array_reserve(d->rows, d->capacity, d->count + 1);
	d->rows[d->count] = (struct top_row){ .key = d->count + 1 };
	return &d->rows[d->count++];
}

static void measure(const struct demo *d, struct top_row *row, double self, double total)
{
	double wave = d->live ? 1 + 0.3 * sin(d->fills * 0.7 + (double)row->key) : 1;

	row->self = self * wave;
	row->total = total * (d->live && total < 0.9 ? wave : 1);
	row->self_samples = (uint64_t)(row->self * 15000);
	row->total_samples = (uint64_t)(row->total * 15000);
	row->half_width = self > 0 ? 1.96 * sqrt(self * (1 - self) / 15000) : 0;
}

static void set_function(const struct demo *d, struct top_row *row, size_t i)
{
	const struct function *f = &functions[i];

	row->function = i + 1;
	row->name = f->name;
	row->file = f->file;
	row->line = f->line;
	if (d->processes) {
		row->process = i % 3 == 2 ? "worker" : "web";
		row->pid = i % 3 == 2 ? 4712 : 4711;
	}
	measure(d, row, f->self, f->total);
}

static void fill_functions(struct demo *d, struct top_frame *frame)
{
	char name[32];

	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		set_function(d, add(d), i);
	for (size_t i = 0; i < d->extra; i++) {
		struct top_row *row = add(d);

		snprintf(name, sizeof(name), "step_%05zu", i);
		row->name = arena_strndup(&frame->arena, name, strlen(name));
		row->function = row->key;
		row->file = "shop/steps.py";
		row->line = (uint32_t)i + 1;
	}
}

static void fill_threads(struct demo *d, const struct top_query *query)
{
	static const struct {
		const char *name, *state;
		double cpu, gil, wait, gc;
	} threads[] = {
		{ "MainThread", "runs", 0.83, 0.79, 0.02, 0.004 },
		{ "worker-1", "waits for the GIL", 0.11, 0.1, 0.7, 0 },
		{ "worker-2", "waits: futex", 0.0, 0, 0, 0 },
		{ "", "ended", 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		struct top_row *row = add(d);

		set_function(d, row, i);
		row->key = 100 + i;
		row->name = threads[i].name;
		row->state = threads[i].state;
		row->cpu = threads[i].cpu;
		row->gil = threads[i].gil;
		row->gil_wait = threads[i].wait;
		row->gc = threads[i].gc;
		row->tid = 4711 + (uint32_t)i;
		row->main = i == 0;
		row->is_open_thread = query->thread == row->key;
	}
}

/* ---- tree ------------------------------------------------------------------------------------- */

static bool has_key(const uint64_t *keys, size_t count, uint64_t key)
{
	for (size_t i = 0; i < count; i++)
		if (keys[i] == key)
			return true;
	return false;
}

struct node {
	size_t function;
	int depth;
	bool last, children;
};

static const struct node nodes[] = {
	{ 10, 0, true, true },
	{ 3, 1, true, true },
	{ 0, 2, false, true },
	{ 1, 3, true, false },
	{ 2, 2, false, true },
	{ 4, 3, false, false },
	{ 5, 3, true, false },
	{ 6, 2, true, false },
};

static void fill_tree(struct demo *d, const struct top_query *query)
{
	int shut_depth = 1000;

	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		const struct node *n = &nodes[i];
		uint64_t key = 1000 + i;

		if (n->depth > shut_depth)
			continue;
		struct top_row *row = add(d);
		set_function(d, row, n->function);
		row->key = key;
		row->depth = n->depth;
		row->is_last = n->last;
		row->has_children = n->children;
		row->is_open = n->children && !has_key(query->shut, query->shut_count, key) &&
			(n->depth < 2 || has_key(query->open, query->open_count, key));
		shut_depth = n->children && !row->is_open ? n->depth : 1000;
	}
	for (size_t i = 0; i < d->extra; i++) { // a deep chain
		struct top_row *row = add(d);

		set_function(d, row, i % 3);
		row->depth = (int)i;
		row->is_last = row->is_open = true;
		row->has_children = i + 1 < d->extra;
	}
}

/* ---- texts ------------------------------------------------------------------------------------ */

static void fill_source(struct demo *d, const struct top_query *query, struct top_frame *frame)
{
	static const char *const text[] = {
		"def tokenize(text):", "\tpos = 0",
		"\twhile pos < len(text):", "\t\tm = TOKEN.match(text, pos)",
		"\t\tyield m.lastgroup, m.group()",
		"\t\tpos = m.end()  # a line that goes on and on, further than any terminal of a usual width has room for: end"
	};
	const struct function *f =
		&functions[query->selected && query->selected <= ARRAY_LEN(functions)
				? query->selected - 1
				: 0];

	frame->source_function = f->name;
	frame->source_file = f->file;
	if (!f->file) {
		frame->source_note = "this is no function: it has no source";
		return;
	}
	frame->source_line = 44;
	for (uint32_t line = 1; line <= 60; line++) {
		struct top_row *row = add(d);

		row->line = line;
		row->name = line >= 41 && line < 47 ? text[line - 41] : "";
		if (line >= 43 && line < 47)
			measure(d, row, line == 44 ? 0.24 : 0.02, line == 44 ? 0.25 : 0.02);
	}
}

static void fill_output(struct demo *d, struct top_frame *frame)
{
	char text[64];
	unsigned int lines = d->live ? 40 + d->fills : 40;

	for (unsigned int i = 1; i <= lines; i++) {
		struct top_row *row = add(d);

		snprintf(text, sizeof(text), "%s\033[32mline %u\033[0m of the output",
			i % 7 ? "" : "\a", i);
		row->name = arena_strndup(&frame->arena, text, strlen(text));
	}
}

static void fill_rows(struct demo *d, const struct top_query *query, struct top_frame *frame)
{
	switch (query->view) {
	case TOP_FUNCTIONS:
	case TOP_LINES:
		fill_functions(d, frame);
		break;
	case TOP_THREADS:
		fill_threads(d, query);
		break;
	case TOP_TREE:
		fill_tree(d, query);
		break;
	case TOP_SOURCE:
		fill_source(d, query, frame);
		break;
	case TOP_OUTPUT:
		fill_output(d, frame);
		break;
	case TOP_VIEWS:
		break;
	}
}

/* ---- order and filter ------------------------------------------------------------------------- */

static int down(double a, double b)
{
	return (a < b) - (a > b);
}

static int compare(const void *a, const void *b, void *data)
{
	const struct top_query *query = data;
	const struct top_row *x = a, *y = b;
	int order = 0;

	if (query->sort == TOP_BY_SELF)
		order = down(x->self, y->self);
	else if (query->sort == TOP_BY_TOTAL)
		order = down(x->total, y->total);
	else if (query->sort == TOP_BY_NAME)
		order = strcmp(x->name, y->name);
	else if (query->sort == TOP_BY_FILE)
		order = strcmp(x->file ? x->file : "", y->file ? y->file : "");
	else if (query->sort == TOP_BY_CPU)
		order = down(x->cpu, y->cpu);
	else if (query->sort == TOP_BY_GIL)
		order = down(x->gil, y->gil);
	if (!order)
		return (x->key > y->key) - (x->key < y->key);
	return query->reversed ? -order : order;
}

static void filter(struct demo *d, const struct top_query *query, struct top_frame *frame)
{
	regex_t regex;
	size_t kept = 0;

	if (!query->filter || !*query->filter || query->view == TOP_SOURCE)
		return;
	if (regcomp(&regex, query->filter, REG_EXTENDED | REG_NOSUB | REG_ICASE) != 0) {
		frame->filter_bad = true;
		frame->notice = "this filter is no regular expression";
		return;
	}
	for (size_t i = 0; i < d->count; i++)
		if (regexec(&regex, d->rows[i].name, 0, NULL, 0) == 0)
			d->rows[kept++] = d->rows[i];
	regfree(&regex);
	d->count = kept;
}

/* ---- the host --------------------------------------------------------------------------------- */

static void say(struct demo *d, const char *what, unsigned long long number)
{
	if (!d->log)
		return;
	fprintf(d->log, "%s %llu\n", what, number);
	fflush(d->log);
}

static void fill_history(struct top_history *h, double middle, double swing, double phase)
{
	h->count = TOP_HISTORY;
	for (size_t i = 0; i < h->count; i++)
		h->values[i] = middle + swing * sin((double)i * 0.4 + phase);
}

static void fill_head(struct demo *d, const struct top_query *query, struct top_frame *frame)
{
	double phase = d->live ? d->fills * 0.4 : 0;

	frame->command = "python3 -m shop.app --port 8000 --workers 4 --config /etc/shop/shop.toml";
	frame->pid = 4711;
	frame->python = "3.12.1";
	frame->processes = d->processes ? 2 : 1;
	frame->threads = 4;
	frame->elapsed_s = d->live ? d->fills : 83;
	frame->rate_asked = 1000;
	frame->rate_reached = 998.7;
	frame->samples = d->resets ? 0 : 41233;
	frame->lost = 12;
	frame->cpu = 1.452;
	frame->own_cpu = 0.021;
	frame->gil = 0.873;
	frame->gil_wait = 0.152;
	frame->gc = 0.021;
	frame->rss = 123456789;
	fill_history(&frame->cpu_history, 1, 0.5, phase);
	fill_history(&frame->gil_history, 0.7, 0.2, phase);
	fill_history(&frame->gc_history, 0.02, 0.02, phase);
	fill_history(&frame->rss_history, 120e6, 10e6, phase);
	frame->ended = killed;
	frame->how = killed ? "killed by SIGKILL" : NULL;
	frame->frozen = query->frozen;
	frame->window_s = (double)query->window_ns / 1e9;
	frame->all = 15000;
}

static void fill(void *data, const struct top_query *query, struct top_frame *frame)
{
	struct demo *d = data;
	struct arena arena = frame->arena;

	arena_deinit(&arena);
	*frame = (struct top_frame){ .arena = arena };
	d->fills++;
	d->count = 0;
	fill_head(d, query, frame);
	fill_rows(d, query, frame);
	filter(d, query, frame);
	if (d->count && query->view < TOP_TREE)
		qsort_r(d->rows, d->count, sizeof(*d->rows), compare, (void *)(uintptr_t)query);
	frame->rows = d->rows;
	frame->count = d->count < TOP_ROWS_MAX ? d->count : TOP_ROWS_MAX;
	frame->more = d->count - frame->count;
	say(d, "fill", query->view * 1000 + query->mode * 100 + query->sort * 10 + query->reversed);
	say(d, "window", query->window_ns / NS_PER_SEC);
	say(d, "thread", query->thread);
	say(d, "process", query->process);
}

static char *save(void *data, uint64_t window_ns, bool html)
{
	say(data, html ? "save-page" : "save-capture", window_ns / NS_PER_SEC);
	return xasprintf("saved demo%s", html ? ".html" : ".fgc");
}

static void pause_sampling(void *data, bool paused)
{
	say(data, "pause", paused);
}

static void reset(void *data)
{
	struct demo *d = data;

	d->resets++;
	say(d, "reset", d->resets);
}

static void run(struct top *top)
{
	while (!top_is_over(top)) {
		uint64_t now = clock_now_ns(), due = top_due_ns(top);
		struct pollfd keys = { .fd = top_fd(top), .events = POLLIN };

		poll(&keys, 1, due > now ? (int)((due - now) / 1000000 + 1) : 0);
		top_turn(top, clock_now_ns());
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "ascii", 0, NULL, 'a' },
		{ "mono", 0, NULL, 'm' }, { "live", 0, NULL, 'l' }, { "processes", 0, NULL, 'p' },
		{ "rows", 1, NULL, 'r' }, { "refresh", 1, NULL, 't' }, { "view", 1, NULL, 'v' },
		{ "log", 1, NULL, 'o' }, { NULL, 0, NULL, 0 } };
	struct demo demo = { 0 };
	struct top_options wanted = { .refresh_ns = NS_PER_SEC };
	struct top_host host = { &demo, fill, save, pause_sampling, reset };
	struct top *top;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'a':
			wanted.ascii = true;
			break;
		case 'm':
			wanted.monochrome = true;
			break;
		case 'l':
			demo.live = true;
			break;
		case 'p':
			demo.processes = true;
			break;
		case 'r':
			demo.extra = strtoul(optarg, NULL, 10);
			break;
		case 't':
			wanted.refresh_ns = strtoul(optarg, NULL, 10) * 1000000;
			break;
		case 'v':
			wanted.view = (enum top_view)(strtoul(optarg, NULL, 10) - 1);
			break;
		case 'o':
			demo.log = fopen(optarg, "we");
			break;
		default:
			return 2;
		}
	}
	signal(SIGUSR2, on_kill);
	struct err *err = top_open(&top, &wanted, &host);
	if (err) {
		fprintf(stderr, "top_demo: %s\n", err->message);
		err_free(err);
		return 1;
	}
	run(top);
	top_close(top);
	free(demo.rows);
	if (demo.log)
		fclose(demo.log);
	printf("over\n");
	return 0;
}

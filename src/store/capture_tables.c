// SPDX-License-Identifier: MIT
#include "store/capture_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "store/chunk.h"

/* A chunk is closed when it has so many bytes; with the longest text it can still be read. */
#define DRAFT_BYTES (256u << 10)
#define TEXT_MAX_BYTES (1u << 20)

/* Rows of one table in a file: more are refused. */
#define ROWS_MAX (1u << 27)
#define FACTS_MAX 4096

/* What is known while rows of one chunk are written. */
struct draft {
	const struct tables_sent *sent;
	const struct capture *c;
	struct columns *columns;
	size_t row;
	uint64_t last; // frame, function or time of the row before
};

struct table {
	unsigned int columns;
	size_t (*count)(const struct capture *c);
	bool (*changed)(const struct tables_sent *s, const struct capture *c, size_t row);
	void (*put)(struct draft *d);
	struct err *(*take)(struct tables_reader *r, uint64_t rows);
};

static const struct table tables[CHUNK_TYPES]; // at the end

/* ---- what has changed ------------------------------------------------------------------------- */

static size_t count_strings(const struct capture *c)
{
	return c->tables.string_count;
}

static size_t count_functions(const struct capture *c)
{
	return c->tables.function_count;
}

static size_t count_frames(const struct capture *c)
{
	return c->tables.frame_count;
}

static size_t count_stacks(const struct capture *c)
{
	return c->tables.stack_count;
}

static size_t count_processes(const struct capture *c)
{
	return c->process_count;
}

static size_t count_threads(const struct capture *c)
{
	return c->thread_count;
}

static size_t count_facts(const struct capture *c)
{
	return c->fact_count;
}

static size_t count_markers(const struct capture *c)
{
	return c->marker_count;
}

static size_t count_losses(const struct capture *c)
{
	return c->loss_count;
}

static size_t count_spans(const struct capture *c)
{
	return c->span_count;
}

static bool process_changed(const struct tables_sent *s, const struct capture *c, size_t row)
{
	if (row >= s->process_count)
		return true;
	const struct capture_process *a = &s->processes[row], *b = &c->processes[row];

	return a->pid != b->pid || a->name != b->name || a->command != b->command ||
		a->start_ns != b->start_ns || a->end_ns != b->end_ns;
}

static bool thread_changed(const struct tables_sent *s, const struct capture *c, size_t row)
{
	if (row >= s->thread_count)
		return true;
	const struct capture_thread *a = &s->threads[row], *b = &c->threads[row];

	return a->process != b->process || a->tid != b->tid || a->name != b->name ||
		a->main != b->main || a->start_ns != b->start_ns || a->end_ns != b->end_ns;
}

static bool fact_changed(const struct tables_sent *s, const struct capture *c, size_t row)
{
	return row >= s->fact_count || s->facts[row].key != c->facts[row].key ||
		s->facts[row].value != c->facts[row].value;
}

static bool loss_changed(const struct tables_sent *s, const struct capture *c, size_t row)
{
	return row >= s->loss_count || s->losses[row].count < c->losses[row].count;
}

/* ---- writing rows ----------------------------------------------------------------------------- */

static void put_string(struct draft *d)
{
	const struct store_string *s = &d->c->tables.strings[d->row];
	size_t len = s->len;

	if (len > TEXT_MAX_BYTES) // not within a character
		for (len = TEXT_MAX_BYTES; len && (s->text[len] & 0xc0) == 0x80;)
			len--;
	columns_put(d->columns, 1, len);
	columns_put_bytes(d->columns, 2, s->text, len);
}

static void put_function(struct draft *d)
{
	const struct store_function *f = &d->c->tables.functions[d->row];

	columns_put(d->columns, 1, f->name);
	columns_put(d->columns, 2, f->file);
	columns_put(d->columns, 3, f->first_line);
	columns_put(d->columns, 4, f->kind);
}

static void put_frame(struct draft *d)
{
	const struct store_frame *f = &d->c->tables.frames[d->row];

	columns_put_signed(d->columns, 1, (int64_t)f->function - (int64_t)d->last);
	columns_put(d->columns, 2, f->line);
	d->last = f->function;
}

static void put_stack(struct draft *d)
{
	const struct store_stack *s = &d->c->tables.stacks[d->row];

	columns_put(d->columns, 1, s->parent == STACK_NONE ? 0 : d->row - s->parent);
	columns_put_signed(d->columns, 2, (int64_t)s->frame - (int64_t)d->last);
	d->last = s->frame;
}

static void put_process(struct draft *d)
{
	const struct capture_process *p = &d->c->processes[d->row];

	columns_put(d->columns, 1, d->row);
	columns_put(d->columns, 2, p->pid);
	columns_put(d->columns, 3, p->name);
	columns_put(d->columns, 4, p->command);
	columns_put(d->columns, 5, p->start_ns);
	columns_put(d->columns, 6, p->end_ns);
}

static void put_thread(struct draft *d)
{
	const struct capture_thread *t = &d->c->threads[d->row];

	columns_put(d->columns, 1, d->row);
	columns_put(d->columns, 2, t->process);
	columns_put(d->columns, 3, t->tid);
	columns_put(d->columns, 4, t->name);
	columns_put(d->columns, 5, t->main);
	columns_put(d->columns, 6, t->start_ns);
	columns_put(d->columns, 7, t->end_ns);
}

static void put_fact(struct draft *d)
{
	columns_put(d->columns, 1, d->c->facts[d->row].key);
	columns_put(d->columns, 2, d->c->facts[d->row].value);
}

/* Rows plus 1, none as 0. */
static uint64_t or_none(uint32_t row)
{
	return row == CAPTURE_NONE ? 0 : (uint64_t)row + 1;
}

static void put_marker(struct draft *d)
{
	const struct capture_marker *m = &d->c->markers[d->row];

	columns_put_signed(d->columns, 1, (int64_t)(m->start_ns - d->last));
	columns_put_signed(d->columns, 2, (int64_t)(m->end_ns - m->start_ns));
	columns_put(d->columns, 3, or_none(m->thread));
	columns_put(d->columns, 4, or_none(m->process));
	columns_put(d->columns, 5, m->name);
	columns_put(d->columns, 6, m->text);
	d->last = m->start_ns;
}

void tables_put_loss(struct columns *columns, const struct capture_loss *loss)
{
	columns_put(columns, 1, loss->time_ns);
	columns_put(columns, 2, loss->kind);
	columns_put(columns, 3, loss->count);
}

/* Losses add up: a row that has grown is sent as what was added. */
static void put_loss(struct draft *d)
{
	struct capture_loss loss = d->c->losses[d->row];

	if (d->row < d->sent->loss_count)
		loss.count -= d->sent->losses[d->row].count;
	tables_put_loss(d->columns, &loss);
}

bool tables_draft(const struct tables_sent *sent, const struct capture *c, enum chunk_type type,
	struct columns *columns, size_t *to_ret)
{
	const struct table *table = &tables[type];
	struct draft d = { .sent = sent, .c = c, .columns = columns, .row = sent->rows[type] };
	size_t count = table->count(c), rows = 0;

	if (type == CHUNK_SPANS)
		return span_table_draft(&sent->spans, c, DRAFT_BYTES, columns, to_ret);
	if (type == CHUNK_STRINGS && !d.row)
		d.row = 1; // the empty string, which everybody has
	size_t first = d.row;
	for (; d.row < count && columns_bytes(columns) < DRAFT_BYTES; d.row++) {
		if (table->changed && !table->changed(sent, c, d.row))
			continue;
		table->put(&d);
		rows++;
	}
	if (!rows)
		return false;
	columns_put(columns, 0, rows);
	if (!table->changed)
		columns_put(columns, 0, first);
	*to_ret = d.row;
	return true;
}

/* What is in the rows of a table that is compared with what was sent. */
#define COPY_ROWS(rows, count, capacity, to)                             \
	do {                                                             \
		array_reserve(sent->rows, sent->capacity, to);           \
		memcpy(sent->rows, c->rows, (to) * sizeof(*sent->rows)); \
		sent->count = (to) > sent->count ? (to) : sent->count;   \
	} while (0)

void tables_commit(
	struct tables_sent *sent, const struct capture *c, enum chunk_type type, size_t to)
{
	if (!tables[type].changed)
		sent->rows[type] = to;
	if (type == CHUNK_SPANS)
		span_table_commit(&sent->spans, c, to);
	if (type == CHUNK_PROCESSES)
		COPY_ROWS(processes, process_count, process_capacity, to);
	if (type == CHUNK_THREADS)
		COPY_ROWS(threads, thread_count, thread_capacity, to);
	if (type == CHUNK_FACTS)
		COPY_ROWS(facts, fact_count, fact_capacity, to);
	if (type == CHUNK_LOSSES)
		COPY_ROWS(losses, loss_count, loss_capacity, to);
}

void tables_sent_deinit(struct tables_sent *sent)
{
	free(sent->processes);
	free(sent->threads);
	free(sent->facts);
	free(sent->losses);
	sent_spans_deinit(&sent->spans);
	*sent = (struct tables_sent){ 0 };
}

/* ---- reading rows ----------------------------------------------------------------------------- */

static struct err *wrong(const char *what)
{
	return err_new(ERR_FAILED, "%s that cannot be", what);
}

/* Rows equal to one before are legal: a writer needs no index. Only the first of them is found. */
static void adopt_string(struct profile *p, const char *text, size_t len)
{
	string_id next = (string_id)p->string_count, id = profile_string(p, text, len);

	if (id == next)
		return;
	array_reserve(p->strings, p->string_capacity, p->string_count + 1);
	p->strings[p->string_count++] = p->strings[id];
}

static void adopt_function(struct profile *p, const struct store_function *f)
{
	function_id next = (function_id)p->function_count;

	if (profile_function(p, f) == next)
		return;
	array_reserve(p->functions, p->function_capacity, p->function_count + 1);
	p->functions[p->function_count++] = *f;
}

static void adopt_frame(struct profile *p, const struct store_frame *f)
{
	frame_id next = (frame_id)p->frame_count;

	if (profile_frame(p, f->function, f->line) == next)
		return;
	array_reserve(p->frames, p->frame_capacity, p->frame_count + 1);
	p->frames[p->frame_count++] = *f;
}

static void adopt_stack(struct profile *p, const struct store_stack *s)
{
	stack_id next = (stack_id)p->stack_count;

	if (profile_stack(p, s->parent, s->frame) == next)
		return;
	array_reserve(p->stacks, p->stack_capacity, p->stack_count + 1);
	array_reserve(p->weights, p->weight_capacity, p->stack_count + 1);
	p->weights[p->stack_count] = 0;
	p->stacks[p->stack_count++] = *s;
}

static struct err *take_strings(struct tables_reader *r, uint64_t rows)
{
	struct err *err = NULL;
	struct buf text = BUF_INIT;

	for (uint64_t i = 0; i < rows && !err; i++) {
		uint64_t len = column_get(&r->in.columns[1]);
		const char *bytes = len > CHUNK_RAW_MAX
			? NULL
			: column_get_bytes(&r->in.columns[2], (size_t)len);

		buf_clear(&text);
		if (bytes)
			utf8_add_bytes(&text, bytes, (size_t)len);
		if (bytes)
			adopt_string(&r->capture->tables, buf_str(&text), text.len);
		else
			err = wrong("a text");
	}
	buf_deinit(&text);
	return err;
}

static struct err *take_functions(struct tables_reader *r, uint64_t rows)
{
	struct profile *p = &r->capture->tables;

	for (uint64_t i = 0; i < rows; i++) {
		uint64_t name = column_get(&r->in.columns[1]), file = column_get(&r->in.columns[2]);
		uint64_t first = column_get(&r->in.columns[3]),
			 kind = column_get(&r->in.columns[4]);

		if (name >= p->string_count || file >= p->string_count || first > UINT32_MAX ||
			kind > FUNCTION_PLACE)
			return wrong("a function");
		adopt_function(p,
			&(struct store_function){ .name = (string_id)name,
				.file = (string_id)file,
				.first_line = (uint32_t)first,
				.kind = (enum function_kind)kind });
	}
	return NULL;
}

static struct err *take_frames(struct tables_reader *r, uint64_t rows)
{
	struct profile *p = &r->capture->tables;
	uint64_t function = 0;

	for (uint64_t i = 0; i < rows; i++) {
		function += (uint64_t)column_get_signed(&r->in.columns[1]);
		uint64_t line = column_get(&r->in.columns[2]);

		if (function >= p->function_count || line > UINT32_MAX)
			return wrong("a frame");
		adopt_frame(p,
			&(struct store_frame){
				.function = (function_id)function, .line = (uint32_t)line });
	}
	return NULL;
}

static struct err *take_stacks(struct tables_reader *r, uint64_t rows)
{
	struct profile *p = &r->capture->tables;
	uint64_t frame = 0;

	for (uint64_t i = 0; i < rows; i++) {
		uint64_t back = column_get(&r->in.columns[1]);
		frame += (uint64_t)column_get_signed(&r->in.columns[2]);
		uint64_t row = p->stack_count, parent = row - back;

		if (back > row || frame >= p->frame_count)
			return wrong("a stack");
		array_reserve(r->depths, r->depth_capacity, p->stack_count + 1);
		r->depths[row] = back ? r->depths[parent] + 1 : 1;
		if (r->depths[row] > CAPTURE_DEPTH_MAX)
			return wrong("a stack");
		adopt_stack(p,
			&(struct store_stack){ .parent = back ? (stack_id)parent : STACK_NONE,
				.frame = (frame_id)frame });
	}
	return NULL;
}

static struct err *take_processes(struct tables_reader *r, uint64_t rows)
{
	struct capture *c = r->capture;

	for (uint64_t i = 0; i < rows; i++) {
		uint64_t v[7];

		for (unsigned int k = 1; k < 7; k++)
			v[k] = column_get(&r->in.columns[k]);
		if (v[1] > c->process_count || v[2] > UINT32_MAX ||
			v[3] >= c->tables.string_count || v[4] >= c->tables.string_count)
			return wrong("a process");
		struct capture_process p = { .pid = (uint32_t)v[2],
			.name = (string_id)v[3],
			.command = (string_id)v[4],
			.start_ns = v[5],
			.end_ns = v[6] };
		if (v[1] == c->process_count)
			capture_add_process(c, &p);
		else
			c->processes[v[1]] = p;
	}
	return NULL;
}

static struct err *take_threads(struct tables_reader *r, uint64_t rows)
{
	struct capture *c = r->capture;

	for (uint64_t i = 0; i < rows; i++) {
		uint64_t v[8];

		for (unsigned int k = 1; k < 8; k++)
			v[k] = column_get(&r->in.columns[k]);
		if (v[1] > c->thread_count || v[2] >= c->process_count || v[3] > UINT32_MAX ||
			v[4] >= c->tables.string_count || v[5] > 1)
			return wrong("a thread");
		struct capture_thread t = { .process = (uint32_t)v[2],
			.tid = (uint32_t)v[3],
			.name = (string_id)v[4],
			.main = v[5] != 0,
			.start_ns = v[6],
			.end_ns = v[7] };
		if (v[1] == c->thread_count)
			capture_add_thread(c, &t);
		else
			c->threads[v[1]] = t;
	}
	return NULL;
}

static struct err *take_facts(struct tables_reader *r, uint64_t rows)
{
	struct capture *c = r->capture;

	for (uint64_t i = 0; i < rows; i++) {
		uint64_t key = column_get(&r->in.columns[1]), value = column_get(&r->in.columns[2]);

		if (key >= c->tables.string_count || value >= c->tables.string_count ||
			c->fact_count >= FACTS_MAX)
			return wrong("a fact");
		capture_set_fact(
			c, capture_text(c, (string_id)key), capture_text(c, (string_id)value));
	}
	return NULL;
}

static bool row_or_none(uint64_t value, size_t count, uint32_t *ret)
{
	*ret = value ? (uint32_t)(value - 1) : CAPTURE_NONE;
	return value <= count;
}

static struct err *take_markers(struct tables_reader *r, uint64_t rows)
{
	struct capture *c = r->capture;
	uint64_t start_ns = 0;

	for (uint64_t i = 0; i < rows; i++) {
		start_ns += (uint64_t)column_get_signed(&r->in.columns[1]);
		uint64_t end_ns = start_ns + (uint64_t)column_get_signed(&r->in.columns[2]);
		uint64_t thread = column_get(&r->in.columns[3]);
		uint64_t process = column_get(&r->in.columns[4]);
		uint64_t name = column_get(&r->in.columns[5]), text = column_get(&r->in.columns[6]);
		struct capture_marker m = { .start_ns = start_ns, .end_ns = end_ns };

		if (!row_or_none(thread, c->thread_count, &m.thread) ||
			!row_or_none(process, c->process_count, &m.process) ||
			name >= c->tables.string_count || text >= c->tables.string_count)
			return wrong("a marker");
		m.name = (string_id)name;
		m.text = (string_id)text;
		capture_add_marker(c, &m);
	}
	return NULL;
}

static struct err *take_losses(struct tables_reader *r, uint64_t rows)
{
	for (uint64_t i = 0; i < rows; i++) {
		struct capture_loss loss = { .time_ns = column_get(&r->in.columns[1]) };
		uint64_t kind = column_get(&r->in.columns[2]);

		loss.count = column_get(&r->in.columns[3]);
		if (kind > LOSS_SPACE)
			return wrong("a loss");
		loss.kind = (enum capture_loss_kind)kind;
		capture_add_loss(r->capture, &loss);
	}
	return NULL;
}

static struct err *take_spans(struct tables_reader *r, uint64_t rows)
{
	return span_table_take(r->capture, &r->in, rows);
}

static const struct table tables[CHUNK_TYPES] = {
	[CHUNK_STRINGS] = { 3, count_strings, NULL, put_string, take_strings },
	[CHUNK_FUNCTIONS] = { 5, count_functions, NULL, put_function, take_functions },
	[CHUNK_FRAMES] = { 3, count_frames, NULL, put_frame, take_frames },
	[CHUNK_STACKS] = { 3, count_stacks, NULL, put_stack, take_stacks },
	[CHUNK_PROCESSES] = { 7, count_processes, process_changed, put_process, take_processes },
	[CHUNK_THREADS] = { 8, count_threads, thread_changed, put_thread, take_threads },
	[CHUNK_FACTS] = { 3, count_facts, fact_changed, put_fact, take_facts },
	[CHUNK_MARKERS] = { 7, count_markers, NULL, put_marker, take_markers },
	[CHUNK_LOSSES] = { 4, count_losses, loss_changed, put_loss, take_losses },
	[CHUNK_SPANS] = { SPAN_TABLE_COLUMNS, count_spans, NULL, NULL, take_spans },
};

bool tables_are(uint8_t type)
{
	return type < CHUNK_TYPES && tables[type].columns;
}

unsigned int tables_columns(enum chunk_type type)
{
	return tables[type].columns;
}

struct err *tables_take(struct tables_reader *r, enum chunk_type type, const void *body, size_t len)
{
	const struct table *table = &tables[type];
	size_t have = table->count(r->capture);
	struct column *c = r->in.columns;
	uint64_t rows = 0, first = have;

	if (columns_open(&r->in, body, len, table->columns)) {
		rows = column_get(&c[0]);
		// rows of the other tables say their numbers themselves
		first = table->changed || type == CHUNK_SPANS ? have : column_get(&c[0]);
	}
	// each row has one number in the first column
	if (!rows || rows != column_left(&c[1]))
		return wrong("a table");
	if (first != have)
		return err_new(ERR_FAILED, "a table of which a part is missing");
	if (rows > ROWS_MAX - have)
		return err_new(ERR_FAILED, "a table of more than %u rows", ROWS_MAX);
	struct err *err = table->take(r, rows);
	if (!err && !columns_done(&r->in))
		err = wrong("a table");
	return err;
}

void tables_reader_deinit(struct tables_reader *r)
{
	free(r->depths);
	*r = (struct tables_reader){ 0 };
}

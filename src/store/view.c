// SPDX-License-Identifier: MIT
#include "store/view.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "store/select_frames.h"
#include "store/select_pool.h"
#include "store/select_spans.h"
#include "store/select_threads.h"
#include "store/span_roots.h"

/* A sample that was chosen, and its stack as the view has it. */
struct chosen {
	const struct capture_sample *sample;
	stack_id stack;
	bool pooled; // the stack ends in what is below min_percent
};

struct view {
	const struct capture *capture;
	struct selection selection;
	struct profile tables;
	struct profile whole;   // with min_percent: the tables before anything is pooled
	struct profile *shaped; // whichever of the two stacks are shaped into
	struct shaper shaper;
	struct selected_threads threads;
	struct selected_spans spans;
	struct span_roots span_roots;
	struct pool pool;
	bool pools, pool_ready;
	uint32_t states; // bits of the states that are shown
	uint8_t flags;   // that a sample must have
	struct capture_cursor cursor;
	struct capture_sample sample;
	struct chosen given; // by view_next()
	struct view_counts counts;
};

static const struct {
	uint32_t states;
	uint8_t flags;
} modes[] = {
	[VIEW_WALL] = { UINT32_MAX, 0 },
	[VIEW_CPU] = { 1u << SAMPLE_ON_CPU | 1u << SAMPLE_RUNNABLE, 0 },
	[VIEW_GIL] = { UINT32_MAX, SAMPLE_HOLDS_GIL },
	[VIEW_ALL] = { UINT32_MAX, 0 },
};

struct err *view_create(struct view **ret, const struct capture *c, const struct selection *s)
{
	struct view *v = xcalloc(1, sizeof(*v));

	v->capture = c;
	v->selection = *s;
	v->states = modes[s->mode].states;
	v->flags = modes[s->mode].flags;
	v->pools = s->min_percent > 0;
	v->shaped = v->pools ? &v->whole : &v->tables;
	v->span_roots.to = v->shaped;
	profile_init(&v->tables);
	profile_init(&v->whole);
	capture_cursor_init(&v->cursor, c);
	struct err *err = shaper_init(
		&v->shaper, &c->tables, v->shaped, &v->selection, capture_fact(c, FACT_CWD));
	if (!err)
		err = selected_threads_init(&v->threads, &v->selection);
	if (!err)
		err = selected_spans_init(&v->spans, &v->selection);
	if (err) {
		view_destroy(v);
		return err;
	}
	*ret = v; // owned by *ret now
	return NULL;
}

void view_destroy(struct view *v)
{
	if (!v)
		return;
	capture_cursor_deinit(&v->cursor);
	selected_threads_deinit(&v->threads);
	selected_spans_deinit(&v->spans);
	span_roots_deinit(&v->span_roots);
	shaper_deinit(&v->shaper);
	pool_deinit(&v->pool);
	profile_deinit(&v->tables);
	profile_deinit(&v->whole);
	free(v);
}

const struct capture *view_capture(const struct view *v)
{
	return v->capture;
}

const struct selection *view_selection(const struct view *v)
{
	return &v->selection;
}

const struct profile *view_tables(const struct view *v)
{
	return &v->tables;
}

/* ---- choosing --------------------------------------------------------------------------------- */

static bool in_time(const struct view *v, uint64_t time_ns)
{
	const struct selection *s = &v->selection;

	return time_ns >= s->from_ns && (!s->to_ns || time_ns < s->to_ns);
}

/* Whole blocks that have no time of the selection need not be decoded. */
static void skip_blocks(struct view *v)
{
	const struct capture *c = v->capture;
	struct capture_cursor *cursor = &v->cursor;

	for (; cursor->block < c->block_count; cursor->block++) {
		const struct capture_block *b = &c->blocks[cursor->block];

		if (b->last_ns >= v->selection.from_ns &&
			(!v->selection.to_ns || b->first_ns < v->selection.to_ns))
			return;
		v->counts.left_out += b->samples;
	}
}

/* The stack of a selected thread's sample; false if the selection leaves it out. */
static bool choose_stack(struct view *v, const struct capture_sample *s, stack_id *stack_ret)
{
	struct selected_thread *t = &v->threads.rows[s->thread];

	if (t->last != s->stack || s->stack == STACK_NONE) {
		t->last_shown =
			shaper_stack(&v->shaper, t->base, t->base_stack, s->stack, &t->last_own);
		t->last = s->stack;
	}
	*stack_ret = t->last_own;
	if (v->selection.span_roots && s->span && t->last_shown)
		*stack_ret = span_roots_stack(
			&v->span_roots, v->capture, s->span, t->base_stack, t->last_own);
	return t->last_shown;
}

static bool choose(struct view *v, const struct capture_sample *s, stack_id *stack_ret)
{
	return in_time(v, s->time_ns) && v->states >> s->state & 1 &&
		(s->flags & v->flags) == v->flags && v->threads.rows[s->thread].selected &&
		selected_spans_has(&v->spans, v->capture, s->span) && choose_stack(v, s, stack_ret);
}

/* The next one of the shaped tables; false at the end. */
static bool next_shaped(struct view *v, struct chosen *next)
{
	for (;;) {
		if (v->cursor.row == v->cursor.row_count)
			skip_blocks(v);
		const struct capture_sample *s = capture_cursor_next(&v->cursor);
		if (!s)
			return false;
		if (choose(v, s, &next->stack)) {
			next->sample = s;
			next->pooled = false;
			return true;
		}
		v->counts.left_out += s->count;
	}
}

static bool next_chosen(struct view *v, struct chosen *next)
{
	if (!next_shaped(v, next))
		return false;
	if (v->pools) {
		next->pooled = pool_cuts(&v->pool, next->stack);
		next->stack = pool_stack(&v->pool, next->stack);
	}
	v->counts.shown += next->sample->count;
	if (next->sample->flags & SAMPLE_UNREADABLE)
		v->counts.unreadable += next->sample->count;
	if (next->sample->flags & SAMPLE_CUT)
		v->counts.cut += next->sample->count;
	return true;
}

/* ---- passes ----------------------------------------------------------------------------------- */

static void rewind_view(struct view *v)
{
	capture_cursor_deinit(&v->cursor);
	capture_cursor_init(&v->cursor, v->capture);
	v->counts = (struct view_counts){ 0 };
	selected_spans_reset(&v->spans);
	selected_threads_add(&v->threads, v->capture, &v->selection, v->shaped);
}

/* A pass of its own to see what is small. An error comes again in the pass that follows. */
static void prepare_pool(struct view *v)
{
	struct chosen next;

	rewind_view(v);
	while (next_shaped(v, &next)) {
		if (next.stack != STACK_NONE)
			profile_add_sample(&v->whole, next.stack, next.sample->count);
		else
			v->whole.total += next.sample->count;
	}
	pool_init(&v->pool, &v->whole, &v->tables, v->selection.min_percent);
	v->pool_ready = true;
}

void view_begin(struct view *v)
{
	if (v->pools && !v->pool_ready)
		prepare_pool(v);
	rewind_view(v);
}

const struct capture_sample *view_next(struct view *v)
{
	struct chosen next;

	if (!next_chosen(v, &next))
		return NULL;
	v->given = next;
	v->sample = *next.sample;
	v->sample.stack = next.stack;
	return &v->sample;
}

struct err *view_end(struct view *v)
{
	return capture_cursor_error(&v->cursor);
}

bool view_shows_span(struct view *v, uint32_t row)
{
	const struct capture_span *span = &v->capture->spans[row];
	const struct selection *s = &v->selection;
	uint32_t thread = span->thread;

	if ((s->to_ns && span->start_ns >= s->to_ns) || (span->end_ns && span->end_ns < s->from_ns))
		return false;
	if (thread < v->threads.count && !v->threads.rows[thread].selected)
		return false;
	return selected_spans_has(&v->spans, v->capture, row + 1);
}

const struct view_counts *view_counts(const struct view *v)
{
	return &v->counts;
}

/* ---- profiles --------------------------------------------------------------------------------- */

/* Samples that follow each other and add to the same stack. */
struct run {
	stack_id stack;
	uint8_t flags;
	bool empty, pooled;
	uint64_t weight;
};

static struct run run_of(const struct chosen *next, enum view_weight weight)
{
	const struct capture_sample *s = next->sample;

	return (struct run){
		.stack = next->stack,
		.flags = s->flags & (SAMPLE_CUT | SAMPLE_UNREADABLE),
		.empty = s->stack == STACK_NONE,
		.pooled = next->pooled,
		.weight = weight == VIEW_CPU_NS ? s->cpu_ns : s->count,
	};
}

static const char *mark_of(const struct run *run, bool bare)
{
	if (run->pooled)
		return NULL;
	if (run->flags & SAMPLE_CUT)
		return "(truncated)";
	if (run->flags & SAMPLE_UNREADABLE)
		return "(not readable)";
	if (run->empty)
		return "(no Python frame)";
	return bare ? "(hidden)" : NULL;
}

/* True if nothing is left of a stack but what its thread stands on. */
static bool is_bare(const struct view *v, stack_id stack)
{
	const struct profile *p = &v->tables;

	if (stack == STACK_NONE)
		return true;
	return p->functions[p->frames[p->stacks[stack].frame].function].kind == FUNCTION_THREAD;
}

/* The mark as the leaf of a stack. */
static stack_id marked(struct view *v, stack_id stack, const char *mark)
{
	return profile_stack(
		&v->tables, stack, profile_plain_frame(&v->tables, FUNCTION_MARK, mark));
}

static stack_id marked_stack(struct view *v, const struct run *run)
{
	const char *mark = mark_of(run, is_bare(v, run->stack));

	return mark ? marked(v, run->stack, mark) : run->stack;
}

stack_id view_marked_stack(struct view *v)
{
	struct run run = run_of(&v->given, VIEW_COUNTS);

	return marked_stack(v, &run);
}

static void add_run(struct view *v, const struct run *run)
{
	profile_add_sample(&v->tables, marked_stack(v, run), run->weight);
}

static bool same_run(const struct run *a, const struct run *b)
{
	return a->stack == b->stack && a->flags == b->flags && a->empty == b->empty &&
		a->pooled == b->pooled;
}

static bool selects_some(const struct selection *s)
{
	return s->threads[0] || s->processes[0] || s->spans[0] || s->span || s->focus[0] ||
		s->ignore[0] || s->root[0];
}

static void add_losses(struct view *v)
{
	const struct capture *c = v->capture;

	if (v->selection.mode != VIEW_ALL || selects_some(&v->selection))
		return;
	for (size_t i = 0; i < c->loss_count; i++)
		if (in_time(v, c->losses[i].time_ns))
			v->counts.lost += c->losses[i].count;
	if (v->counts.lost)
		profile_add_sample(&v->tables, marked(v, STACK_NONE, "(lost)"), v->counts.lost);
}

struct err *view_profile(struct view *v, enum view_weight weight, const struct profile **ret)
{
	struct run run = { .stack = STACK_NONE };
	struct chosen next;
	bool any = false;

	view_begin(v);
	for (size_t i = 0; i < v->tables.stack_count; i++)
		v->tables.weights[i] = 0;
	v->tables.total = 0;
	for (; next_chosen(v, &next); any = true) {
		struct run now = run_of(&next, weight);

		if (any && same_run(&run, &now)) {
			run.weight += now.weight;
			continue;
		}
		if (any)
			add_run(v, &run);
		run = now;
	}
	if (any)
		add_run(v, &run);
	if (weight == VIEW_COUNTS)
		add_losses(v);
	*ret = &v->tables;
	return view_end(v);
}

uint64_t view_period_ns(const struct view *v)
{
	return capture_fact_u64(v->capture, FACT_PERIOD_NS, 0);
}

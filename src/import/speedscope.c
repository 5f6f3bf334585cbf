// SPDX-License-Identifier: MIT
/*
 * speedscope's JSON (jlfwong/speedscope, file-format-spec.ts): profiles over one table of frames,
 * each of one thread, sampled or evented.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "import/frame_text.h"
#include "import/json_util.h"
#include "import/stack_sweep.h"

#define MAX_WEIGHT 0x1p53

struct speedscope {
	struct build b;
	struct weights weights;
	const struct json_value *root;
	frame_id *frames;
	bool *is_thread; // by frame: it stands for a thread, as the root of its stacks (py-spy)
	size_t frame_count;
	uint32_t process;
	// of the profile that is being read
	size_t number;
	uint32_t thread;
	uint64_t unit_ns; // 0: weights are no times
};

static struct err *bad(const struct speedscope *r, const char *list, size_t i, const char *what)
{
	return err_new(ERR_FAILED, "profiles[%zu].%s[%zu]: %s", r->number, list, i, what);
}

static void read_frames(struct speedscope *r)
{
	const struct json_value *list = json_value_get(json_value_get(r->root, "shared"), "frames");

	r->frame_count = json_value_count(list);
	r->frames = xcalloc(r->frame_count, sizeof(*r->frames));
	r->is_thread = xcalloc(r->frame_count, sizeof(*r->is_thread));
	for (size_t i = 0; i < r->frame_count; i++) {
		const struct json_value *v = json_value_at(list, i);
		struct slice name = json_util_text(v, "name");
		struct build_frame f = frame_text_parse(name);
		struct slice thread;
		uint64_t tid;

		if (!json_util_text(v, "file").len) {
			r->is_thread[i] = frame_text_thread(name, &tid, &thread);
		} else {
			f.file = json_util_text(v, "file");
			f.name = name;
			f.line = json_util_u64(v, "line");
			f.kind = FUNCTION_PYTHON;
		}
		r->frames[i] = build_frame(&r->b, &f);
	}
}

/* Index of a frame in the table. */
static bool find_frame(const struct speedscope *r, const struct json_value *v, size_t *ret)
{
	int64_t index;

	if (!json_value_whole(v, &index) || index < 0 || (uint64_t)index >= r->frame_count)
		return false;
	*ret = (size_t)index;
	return true;
}

/* ---- sampled ---------------------------------------------------------------------------------- */

static bool read_stack(struct speedscope *r, const struct json_value *list, stack_id *ret)
{
	stack_id stack = STACK_NONE;
	size_t depth = json_value_count(list);
	size_t index;

	for (size_t i = 0; i < depth; i++) {
		if (!find_frame(r, json_value_at(list, i), &index))
			return false;
		if (i > 0 || !r->is_thread[index])
			stack = profile_stack(&r->b.c->tables, stack, r->frames[index]);
	}
	*ret = stack;
	return json_value_is_array(list);
}

/* A sample that begins at *now_ns; without frames, it is time in which there was nothing. */
static bool add_weighed(struct speedscope *r, stack_id stack, double weight, uint64_t *now_ns)
{
	struct capture_sample s = build_blank_sample(r->thread, stack);

	if (!(weight >= 0 && weight <= MAX_WEIGHT))
		return false;
	if (!r->unit_ns) {
		if (stack != STACK_NONE)
			build_untimed(&r->b, r->thread, stack, (uint64_t)llround(weight));
		return true;
	}
	s.time_ns = *now_ns;
	if (!weights_ns(weight, r->unit_ns, &s.count) ||
		__builtin_add_overflow(*now_ns, s.count, now_ns))
		return false;
	if (stack != STACK_NONE)
		weights_add(&r->weights, &s);
	return true;
}

static struct err *read_sampled(struct speedscope *r, const struct json_value *profile)
{
	const struct json_value *samples = json_value_get(profile, "samples");
	const struct json_value *weights = json_value_get(profile, "weights");
	size_t count = json_value_count(samples);
	uint64_t now_ns;

	if (!weights_ns(json_util_number(profile, "startValue", 0), r->unit_ns, &now_ns))
		now_ns = 0;
	if (json_value_count(weights) != count)
		return bad(r, "weights", 0, "there are not as many weights as samples");
	for (size_t i = 0; i < count; i++) {
		stack_id stack;
		double weight;

		if (!read_stack(r, json_value_at(samples, i), &stack))
			return bad(r, "samples", i, "it names a frame that is not there");
		if (!json_value_number(json_value_at(weights, i), &weight) ||
			!add_weighed(r, stack, weight, &now_ns))
			return bad(r, "weights", i, "no number, or none that makes sense");
	}
	return NULL;
}

/* ---- evented ---------------------------------------------------------------------------------- */

static const char *read_event(struct speedscope *r, struct sweep *sweep, struct weights *w,
	const struct json_value *event)
{
	struct slice type = json_util_text(event, "type");
	size_t frame;
	uint64_t at_ns;

	if (!weights_ns(json_util_number(event, "at", -1), r->unit_ns ? r->unit_ns : 1, &at_ns))
		return "it has no time";
	if (!find_frame(r, json_value_get(event, "frame"), &frame))
		return "it names a frame that is not there";
	sweep_advance(sweep, w, at_ns);
	if (slice_is(type, "O"))
		return sweep_open(sweep, &r->b.c->tables, r->frames[frame], frame, UINT64_MAX)
			? NULL
			: "too many calls are open";
	if (!slice_is(type, "C"))
		return "it neither opens nor closes a frame";
	if (!sweep->depth || sweep->calls[sweep->depth - 1].key != frame)
		return "it closes a frame that is not the innermost one";
	sweep_close(sweep, frame);
	return NULL;
}

/* What was weighed in bytes or just counted has no time. */
static void add_swept(struct speedscope *r, const struct weights *w)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct capture_sample *s = &w->rows[i];

		if (r->unit_ns)
			weights_add(&r->weights, s);
		else
			build_untimed(&r->b, s->thread, s->stack, s->count);
	}
}

static struct err *read_evented(struct speedscope *r, const struct json_value *profile)
{
	_cleanup_(sweep_deinit) struct sweep sweep = { .thread = r->thread };
	_cleanup_(weights_deinit) struct weights w = { 0 };
	uint64_t unit_ns = r->unit_ns ? r->unit_ns : 1;
	const struct json_value *events = json_value_get(profile, "events");
	uint64_t end_ns;

	for (size_t i = 0; i < json_value_count(events); i++) {
		const char *error = read_event(r, &sweep, &w, json_value_at(events, i));

		if (error)
			return bad(r, "events", i, error);
	}
	if (weights_ns(json_util_number(profile, "endValue", 0), unit_ns, &end_ns))
		sweep_advance(&sweep, &w, end_ns);
	add_swept(r, &w);
	return NULL;
}

/* ---- profiles --------------------------------------------------------------------------------- */

/* `Process 4711 Thread 4712 "name"` (py-spy); the first two words only if there are several. */
static bool read_spy_name(struct speedscope *r, struct slice name)
{
	uint32_t process = r->process;
	uint64_t id;

	if (slice_starts(name, "Process ")) {
		name = slice_from(name, strlen("Process "));
		size_t space = slice_find(name, ' ');

		if (!slice_u64(slice_head(name, space), &id))
			return false;
		process = build_process(&r->b, id, SLICE_NONE);
		name = slice_trim(slice_from(name, space));
	}
	if (!slice_starts(name, "Thread "))
		return false;
	name = slice_from(name, strlen("Thread "));
	size_t space = slice_find(name, ' ');
	struct slice quoted = slice_trim(slice_from(name, space));
	if (!slice_u64(slice_head(name, space), &id))
		return false;
	r->thread = build_thread(&r->b, process, id, SLICE_NONE);
	if (quoted.len > 1)
		build_name_thread(
			&r->b, r->thread, (struct slice){ quoted.text + 1, quoted.len - 2 });
	return true;
}

/* Cuts ` 4711` off the end; 0 if there is none. */
static uint64_t cut_id(struct slice *name)
{
	size_t space = slice_find_last(*name, ' ');
	uint64_t id;

	if (space == name->len || !slice_u64(slice_from(*name, space + 1), &id))
		return 0;
	name->len = space;
	return id;
}

/* `shop.py 4711: MainThread (4711)` (fireglass), of which all but the name may be missing. */
static void read_own_name(struct speedscope *r, struct slice name)
{
	const char *colon = name.len ? memmem(name.text, name.len, ": ", 2) : NULL;
	uint32_t process = r->process;
	struct slice of = slice_head(name, colon ? (size_t)(colon - name.text) : 0);
	uint64_t pid = cut_id(&of), tid = 0;

	if (pid) {
		process = build_process(&r->b, pid, of);
		name = slice_from(name, (size_t)(colon - name.text) + 2);
	}
	if (name.len > 3 && name.text[name.len - 1] == ')') {
		size_t open = slice_find_last(name, '(');
		struct slice id = { name.text + open + 1, name.len - open - 2 };

		if (open > 0 && name.text[open - 1] == ' ' && slice_u64(id, &tid))
			name = slice_head(name, open - 1);
	}
	r->thread = build_thread(&r->b, process, tid, name);
}

static void read_name(struct speedscope *r, struct slice name)
{
	if (!read_spy_name(r, name))
		read_own_name(r, name);
}

static uint64_t read_unit(struct speedscope *r, const struct json_value *profile)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "nanoseconds", 1 },
		{ "microseconds", 1000 },
		{ "milliseconds", 1000000 },
		{ "seconds", 1000000000 },
	};
	struct slice unit = json_util_text(profile, "unit");

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (slice_is(unit, units[i].name))
			return units[i].ns;
	if (slice_is(unit, "bytes")) {
		capture_set_fact(r->b.c, FACT_UNIT, "bytes");
		r->b.step_ns = 1;
	}
	return 0;
}

static struct err *read_profile(struct speedscope *r, const struct json_value *profile)
{
	struct slice type = json_util_text(profile, "type");

	read_name(r, json_util_text(profile, "name"));
	r->unit_ns = read_unit(r, profile);
	if (slice_is(type, "sampled"))
		return read_sampled(r, profile);
	if (slice_is(type, "evented"))
		return read_evented(r, profile);
	return err_new(ERR_FAILED, "profiles[%zu]: it is neither sampled nor evented", r->number);
}

static struct err *read_all(struct speedscope *r)
{
	const struct json_value *profiles = json_value_get(r->root, "profiles");
	struct err *err = NULL;

	if (!json_value_is_array(profiles))
		return err_new(ERR_FAILED, "it has no profiles");
	read_frames(r);
	if (json_util_text(r->root, "exporter").len)
		build_fact(&r->b, FACT_TOOL, json_util_text(r->root, "exporter"));
	r->process = build_process(&r->b, 0, SLICE_NONE);
	for (; !err && r->number < json_value_count(profiles); r->number++)
		err = read_profile(r, json_value_at(profiles, r->number));
	if (err)
		return err;
	if (r->weights.count)
		capture_set_fact(r->b.c, FACT_CLOCK, "from the start");
	weights_finish(&r->weights, &r->b);
	return build_finish(&r->b);
}

static struct err *speedscope_read(const struct import_input *in, struct capture *c)
{
	struct speedscope r = { 0 };
	struct json_doc *doc;
	struct err *err = json_doc_parse(&doc, in->data, in->len);

	if (err)
		return err;
	r.root = json_doc_root(doc);
	build_init(&r.b, c, "speedscope");
	err = read_all(&r);
	json_doc_destroy(doc);
	free(r.frames);
	free(r.is_thread);
	weights_deinit(&r.weights);
	build_deinit(&r.b);
	return err;
}

static bool speedscope_sniff(const char *data, size_t len)
{
	return json_util_first(data, len) == '{' && json_util_mentions(data, len, "shared") &&
		json_util_mentions(data, len, "profiles") &&
		json_util_mentions(data, len, "frames");
}

const struct importer import_speedscope = {
	.name = "speedscope",
	.summary = "speedscope's JSON, sampled or evented",
	.sniff = speedscope_sniff,
	.read = speedscope_read,
};

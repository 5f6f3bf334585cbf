// SPDX-License-Identifier: MIT
/*
 * will_profile's JSON: rows of
 *
 *	[seconds since the epoch, thread, its name, [[file, line, function, source], ...]]
 *
 * root first, in order of time. Equal rows that follow each other were left out, so a row holds
 * until the next; the last has no thread and only ends the one before.
 */
#include "base/cleanup.h"
#include "import/json_util.h"
#include "import/weights.h"

struct rows {
	struct build b;
	struct weights weights;
	const struct json_value *list;
	uint32_t process;
};

static bool read_frame(const struct json_value *v, struct build_frame *ret)
{
	int64_t line;

	*ret = (struct build_frame){
		.file = json_util_slice(json_value_at(v, 0)),
		.name = json_util_slice(json_value_at(v, 2)),
	};
	if (!ret->name.text)
		return false;
	if (json_value_whole(json_value_at(v, 1), &line) && line > 0)
		ret->line = (uint64_t)line;
	return true;
}

static bool read_stack(struct rows *r, const struct json_value *frames, stack_id *ret)
{
	stack_id stack = STACK_NONE;
	struct build_frame f;

	for (size_t i = 0; i < json_value_count(frames); i++) {
		if (!read_frame(json_value_at(frames, i), &f))
			return false;
		stack = build_push(&r->b, stack, &f);
	}
	*ret = stack;
	return json_value_is_array(frames);
}

static bool read_time(const struct json_value *row, uint64_t *ns_ret)
{
	double seconds;

	// seconds since the epoch as a double are good for no more than a microsecond
	if (!json_value_number(json_value_at(row, 0), &seconds) ||
		!weights_ns(seconds, 1000000, ns_ret))
		return false;
	return !__builtin_mul_overflow(*ns_ret, (uint64_t)1000, ns_ret);
}

static uint32_t find_thread(struct rows *r, const struct json_value *row)
{
	struct slice name = json_util_slice(json_value_at(row, 2));
	int64_t ident = 0;

	if (!json_value_whole(json_value_at(row, 1), &ident) || ident < 0)
		ident = 0;
	uint32_t thread = build_thread(&r->b, r->process, (uint64_t)ident, name);
	r->b.c->threads[thread].tid = 0; // it is Python's, not the kernel's
	if (slice_is(name, "MainThread"))
		r->b.c->threads[thread].main = true;
	return thread;
}

static bool is_last(const struct json_value *row)
{
	return json_value_count(row) == 4 && !json_value_count(json_value_at(row, 3)) &&
		!json_util_slice(json_value_at(row, 2)).text;
}

static struct err *read_row(struct rows *r, size_t i)
{
	const struct json_value *row = json_value_at(r->list, i);
	uint64_t from_ns, to_ns;
	stack_id stack;

	if (json_value_count(row) != 4 || !read_time(row, &from_ns))
		return err_new(ERR_FAILED, "[%zu]: it is no row with a time", i);
	if (is_last(row))
		return NULL;
	if (!read_stack(r, json_value_at(row, 3), &stack))
		return err_new(ERR_FAILED, "[%zu][3]: it is no stack", i);
	struct capture_sample s = build_blank_sample(find_thread(r, row), stack);
	if (!read_time(json_value_at(r->list, i + 1), &to_ns))
		to_ns = from_ns;
	s.time_ns = from_ns;
	s.count = to_ns > from_ns ? to_ns - from_ns : 0;
	weights_add(&r->weights, &s);
	return NULL;
}

static struct err *read_all(struct rows *r)
{
	uint64_t start_ns, end_ns;
	size_t count = json_value_count(r->list);
	struct err *err = NULL;

	if (!json_value_is_array(r->list))
		return err_new(ERR_FAILED, "it is no list of rows");
	r->process = build_process(&r->b, 0, SLICE_NONE);
	for (size_t i = 0; !err && i < count; i++)
		err = read_row(r, i);
	if (err)
		return err;
	capture_set_fact(r->b.c, FACT_TOOL, "will_profile");
	capture_set_fact(r->b.c, FACT_CLOCK, "CLOCK_REALTIME");
	if (read_time(json_value_at(r->list, 0), &start_ns) &&
		read_time(json_value_at(r->list, count - 1), &end_ns)) {
		capture_set_fact_u64(r->b.c, FACT_START_NS, start_ns);
		capture_set_fact_u64(r->b.c, FACT_END_NS, end_ns);
	}
	weights_finish(&r->weights, &r->b);
	return build_finish(&r->b);
}

static struct err *will_profile_read(const struct import_input *in, struct capture *c)
{
	struct rows r = { 0 };
	struct json_doc *doc;
	struct err *err = json_doc_parse(&doc, in->data, in->len);

	if (err)
		return err;
	r.list = json_doc_root(doc);
	build_init(&r.b, c, "will_profile");
	err = read_all(&r);
	json_doc_destroy(doc);
	weights_deinit(&r.weights);
	build_deinit(&r.b);
	return err;
}

/* `[[12.5` */
static bool will_profile_sniff(const char *data, size_t len)
{
	size_t i = 0;

	for (int brackets = 0; i < len; i++) {
		if (data[i] == '[')
			brackets++;
		else if (data[i] > ' ')
			return brackets == 2 && data[i] >= '0' && data[i] <= '9';
	}
	return false;
}

const struct importer import_will_profile = {
	.name = "will_profile",
	.summary = "will_profile's JSON",
	.sniff = will_profile_sniff,
	.read = will_profile_read,
};

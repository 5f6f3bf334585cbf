// SPDX-License-Identifier: MIT
/*
 * pprof (google/pprof, proto/profile.proto), gzipped or not.
 *
 * The file is walked once per kind of message, as they may come in any order. Which of a sample's
 * values counts: the one that is asked for; else the number of samples; else the profile's default;
 * else the last. A CPU time beside it is kept as such.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "fmt/pb_reader.h"
#include "fmt/pprof_fields.h"
#include "import/build.h"
#include "import/import.h"
#include "import/pprof_labels.h"
#include "import/weights.h"

#define MAX_TYPES 64u
#define MAX_DEPTH 100000u

struct value_type {
	uint64_t type, unit; // strings
};

struct rows {
	struct intern index;
	uint64_t *ids;
	size_t count, capacity;
};

struct function {
	uint64_t name, file, first_line;
};

/* Its frames are some of all frames: the innermost, which was inlined, first. */
struct location {
	size_t first, count;
};

struct pprof {
	struct build b;
	struct weights weights;
	const struct import_input *in;
	struct slice *strings;
	size_t string_count, string_capacity;
	struct value_type types[MAX_TYPES], period_type;
	size_t type_count;
	uint64_t period, default_type, time_ns, duration_ns;

	struct rows function_ids, location_ids, mapping_ids;
	struct function *functions;
	size_t function_capacity;
	struct location *locations;
	size_t location_capacity;
	uint64_t *mapping_files;
	size_t mapping_capacity;
	frame_id *frames;
	size_t frame_count, frame_capacity;

	size_t chosen, cpu; // of the types; MAX_TYPES: none
	uint64_t chosen_ns; // length of the chosen type's unit; 0: it is no time
	uint64_t cpu_unit_ns;
	uint64_t *path; // locations of a sample
	size_t path_capacity;
	int64_t values[MAX_TYPES];
};

static struct err *bad(const struct pprof *p, const char *at, const char *what)
{
	return err_new(ERR_FAILED, "byte %zu: %s", (size_t)(at - p->in->data), what);
}

static struct slice text_of(const struct pprof *p, uint64_t index)
{
	return index < p->string_count ? p->strings[index] : SLICE_NONE;
}

/* ---- rows by id ------------------------------------------------------------------------------- */

/* The row of an id; `count` if there is none. */
static size_t rows_find(const struct rows *r, uint64_t id)
{
	for (struct intern_probe p = intern_begin(&r->index, intern_hash2(id, 0));
		intern_next(&r->index, &p);)
		if (r->ids[p.row] == id)
			return p.row;
	return r->count;
}

/* The row of an id that is given (again: the last one counts). */
static size_t rows_add(struct rows *r, uint64_t id)
{
	size_t row = rows_find(r, id);

	if (row < r->count)
		return row;
	array_reserve(r->ids, r->capacity, r->count + 1);
	r->ids[r->count] = id;
	intern_add(&r->index, intern_hash2(id, 0), (uint32_t)r->count);
	return r->count++;
}

static void rows_deinit(struct rows *r)
{
	intern_deinit(&r->index);
	free(r->ids);
}

/* ---- messages --------------------------------------------------------------------------------- */

/* The numbers of up to 15 plain fields of a small message, by field. */
#define FIELDS 16u

static bool read_fields(const struct pb_field *message, uint64_t values[static FIELDS])
{
	struct pb_reader r = pb_reader_of(message->data, message->len);
	struct pb_field f;

	memset(values, 0, FIELDS * sizeof(*values));
	while (pb_reader_next(&r, &f))
		if (f.number < FIELDS && !f.is_bytes)
			values[f.number] = f.value;
	return message->is_bytes && !r.bad;
}

static bool read_type(const struct pb_field *f, struct value_type *ret)
{
	uint64_t values[FIELDS];

	if (!read_fields(f, values))
		return false;
	*ret = (struct value_type){ values[VALUE_TYPE_TYPE], values[VALUE_TYPE_UNIT] };
	return true;
}

static struct err *on_head(struct pprof *p, const struct pb_field *f)
{
	switch (f->number) {
	case PROFILE_SAMPLE_TYPE:
		if (p->type_count == MAX_TYPES || !read_type(f, &p->types[p->type_count++]))
			return bad(p, f->data, "a type of samples is damaged, or there are many");
		break;
	case PROFILE_STRING:
		array_reserve(p->strings, p->string_capacity, p->string_count + 1);
		p->strings[p->string_count++] = (struct slice){ f->data, f->len };
		break;
	case PROFILE_PERIOD_TYPE:
		if (!read_type(f, &p->period_type))
			return bad(p, f->data, "the type of the period is damaged");
		break;
	case PROFILE_TIME_NANOS:
		p->time_ns = f->value;
		break;
	case PROFILE_DURATION_NANOS:
		p->duration_ns = f->value;
		break;
	case PROFILE_PERIOD:
		p->period = f->value;
		break;
	case PROFILE_DEFAULT_TYPE:
		p->default_type = f->value;
		break;
	default:
		break;
	}
	return NULL;
}

/* Comments are texts, one by one or packed. */
static struct err *on_comment(struct pprof *p, const struct pb_field *f)
{
	struct pb_reader r = pb_reader_of(f->data, f->len);
	uint64_t text;

	if (f->number != PROFILE_COMMENT)
		return NULL;
	if (!f->is_bytes)
		pprof_comment(&p->b, text_of(p, f->value));
	while (f->is_bytes && pb_reader_number(&r, &text))
		pprof_comment(&p->b, text_of(p, text));
	return NULL;
}

static struct err *on_function_or_mapping(struct pprof *p, const struct pb_field *f)
{
	uint64_t v[FIELDS];

	if (f->number != PROFILE_FUNCTION && f->number != PROFILE_MAPPING)
		return NULL;
	if (!read_fields(f, v))
		return bad(p, f->data, "a function or a mapping is damaged");
	if (f->number == PROFILE_MAPPING) {
		size_t row = rows_add(&p->mapping_ids, v[MAPPING_ID]);

		array_reserve(p->mapping_files, p->mapping_capacity, row + 1);
		p->mapping_files[row] = v[MAPPING_FILENAME];
		return NULL;
	}
	size_t row = rows_add(&p->function_ids, v[FUNCTION_ID]);
	array_reserve(p->functions, p->function_capacity, row + 1);
	// 2: name, 3: name of the linker, 4: file, 5: first line
	p->functions[row] = (struct function){
		.name = v[FUNCTION_NAME] ? v[FUNCTION_NAME] : v[FUNCTION_SYSTEM_NAME],
		.file = v[FUNCTION_FILENAME],
		.first_line = v[FUNCTION_START_LINE],
	};
	return NULL;
}

static void add_frame(struct pprof *p, const struct build_frame *frame)
{
	array_reserve(p->frames, p->frame_capacity, p->frame_count + 1);
	p->frames[p->frame_count++] = build_frame(&p->b, frame);
}

/* Line: 1 function, 2 line */
static bool add_line(struct pprof *p, const struct pb_field *line)
{
	uint64_t v[FIELDS];

	if (!read_fields(line, v))
		return false;
	size_t row = rows_find(&p->function_ids, v[LINE_FUNCTION]);
	if (row == p->function_ids.count)
		return false;
	const struct function *function = &p->functions[row];
	struct build_frame frame = {
		.name = text_of(p, function->name),
		.file = text_of(p, function->file),
		.line = v[LINE_LINE],
		.first_line = function->first_line,
	};
	frame.kind = pprof_kind(&frame);
	add_frame(p, &frame);
	return true;
}

/* A place in a program of which nothing is known but the address. */
static void add_address(struct pprof *p, uint64_t mapping, uint64_t address)
{
	size_t row = rows_find(&p->mapping_ids, mapping);
	char name[24];

	snprintf(name, sizeof(name), "0x%llx", (unsigned long long)address);
	struct build_frame frame = { .name = slice_of(name) };
	if (row < p->mapping_ids.count)
		frame.file = text_of(p, p->mapping_files[row]);
	add_frame(p, &frame);
}

/* Location: 1 id, 2 mapping, 3 address, 4 lines */
static struct err *on_location(struct pprof *p, const struct pb_field *f)
{
	struct location location = { .first = p->frame_count };
	struct pb_reader r = pb_reader_of(f->data, f->len);
	struct pb_field part;
	uint64_t v[FIELDS];

	if (f->number != PROFILE_LOCATION)
		return NULL;
	if (!read_fields(f, v))
		return bad(p, f->data, "a location is damaged");
	while (pb_reader_next(&r, &part))
		if (part.number == LOCATION_LINE && !add_line(p, &part))
			return bad(p, part.data, "a line of a location has no function");
	if (p->frame_count == location.first)
		add_address(p, v[LOCATION_MAPPING], v[LOCATION_ADDRESS]);
	location.count = p->frame_count - location.first;
	size_t row = rows_add(&p->location_ids, v[LOCATION_ID]);
	array_reserve(p->locations, p->location_capacity, row + 1);
	p->locations[row] = location;
	return NULL;
}

/* ---- samples ---------------------------------------------------------------------------------- */

static bool add_location(struct pprof *p, size_t *depth, uint64_t id)
{
	if (*depth == MAX_DEPTH)
		return false;
	array_reserve(p->path, p->path_capacity, *depth + 1);
	p->path[(*depth)++] = id;
	return true;
}

static bool add_value(struct pprof *p, size_t *count, uint64_t value)
{
	if (*count == p->type_count)
		return false;
	memcpy(&p->values[(*count)++], &value, sizeof(value));
	return true;
}

/* Field 1 or 2 of a sample: numbers, packed or not. */
static bool read_numbers(struct pprof *p, const struct pb_field *f, size_t *count)
{
	bool (*add)(struct pprof *, size_t *, uint64_t) = f->number == SAMPLE_LOCATION ? add_location : add_value;
	struct pb_reader r = pb_reader_of(f->data, f->len);
	uint64_t value;

	if (!f->is_bytes)
		return add(p, count, f->value);
	while (pb_reader_number(&r, &value))
		if (!add(p, count, value))
			return false;
	return !r.bad;
}

static bool read_label(const struct pprof *p, const struct pb_field *f, struct pprof_labels *to)
{
	uint64_t v[FIELDS];

	if (!read_fields(f, v))
		return false;
	pprof_label(to, text_of(p, v[LABEL_KEY]), text_of(p, v[LABEL_TEXT]), v[LABEL_NUMBER]);
	return true;
}

/* The stack of `depth` locations, leaf first. */
static bool build_stack(struct pprof *p, size_t depth, stack_id *ret)
{
	stack_id stack = STACK_NONE;

	while (depth-- > 0) {
		size_t row = rows_find(&p->location_ids, p->path[depth]);

		if (row == p->location_ids.count)
			return false;
		for (size_t i = p->locations[row].count; i-- > 0;)
			stack = profile_stack(
				&p->b.c->tables, stack, p->frames[p->locations[row].first + i]);
	}
	*ret = stack;
	return true;
}

static uint64_t positive(struct pprof *p, size_t type)
{
	if (p->values[type] >= 0)
		return (uint64_t)p->values[type];
	p->b.left_out++; // of a difference
	return 0;
}

static bool to_ns(uint64_t value, uint64_t unit_ns, uint64_t *ns_ret)
{
	return !__builtin_mul_overflow(value, unit_ns, ns_ret) && *ns_ret <= INT64_MAX;
}

static bool add_sample(struct pprof *p, const struct pprof_labels *labels, stack_id stack)
{
	uint32_t process = build_process(&p->b, labels->pid, labels->process);
	uint32_t thread = build_thread(&p->b, process, labels->tid, labels->thread);
	struct capture_sample s = build_blank_sample(thread, stack);

	s.state = (uint8_t)labels->state;
	s.flags = labels->flags;
	s.count = positive(p, p->chosen);
	if (p->cpu < MAX_TYPES && !to_ns(positive(p, p->cpu), p->cpu_unit_ns, &s.cpu_ns))
		return false;
	if (p->chosen_ns && !to_ns(s.count, p->chosen_ns, &s.count))
		return false;
	build_make_time(&p->b, &s);
	if (p->chosen_ns)
		weights_add(&p->weights, &s);
	else
		build_sample(&p->b, &s);
	return true;
}

/* Sample: 1 locations, 2 values, 3 labels */
static struct err *on_sample(struct pprof *p, const struct pb_field *f)
{
	struct pb_reader r = pb_reader_of(f->data, f->len);
	struct pprof_labels labels = { .state = SAMPLE_STATE_UNKNOWN };
	struct pb_field part;
	size_t depth = 0, values = 0;
	stack_id stack;
	bool fine = f->is_bytes;

	if (f->number != PROFILE_SAMPLE)
		return NULL;
	while (fine && pb_reader_next(&r, &part)) {
		if (part.number == SAMPLE_LOCATION)
			fine = read_numbers(p, &part, &depth);
		else if (part.number == SAMPLE_VALUE)
			fine = read_numbers(p, &part, &values);
		else if (part.number == SAMPLE_LABEL)
			fine = read_label(p, &part, &labels);
	}
	if (!fine || r.bad)
		return bad(p, f->data, "a sample is damaged");
	if (values != p->type_count)
		return bad(p, f->data, "a sample has not as many values as there are types");
	if (!build_stack(p, depth, &stack))
		return bad(p, f->data, "a sample names a location that is not there");
	if (!add_sample(p, &labels, stack))
		return bad(p, f->data, "a sample has a time that is too long");
	return NULL;
}

/* ---- which value ------------------------------------------------------------------------------ */

static size_t find_type(const struct pprof *p, const char *name)
{
	for (size_t i = 0; i < p->type_count; i++)
		if (slice_is(text_of(p, p->types[i].type), name))
			return i;
	return MAX_TYPES;
}

static size_t default_type(const struct pprof *p)
{
	size_t found = find_type(p, "samples");

	for (size_t i = 0; found == MAX_TYPES && p->default_type && i < p->type_count; i++)
		if (p->types[i].type == p->default_type)
			found = i;
	return found < MAX_TYPES ? found : p->type_count - 1;
}

static struct err *choose(struct pprof *p)
{
	const char *wanted = p->in->option;

	if (!p->type_count)
		return err_new(ERR_FAILED, "byte 0: it names no type of samples");
	p->chosen = wanted ? find_type(p, wanted) : default_type(p);
	if (p->chosen == MAX_TYPES)
		return err_new(ERR_USAGE, "it has no samples of type '%s'", wanted);
	struct slice type = text_of(p, p->types[p->chosen].type);
	p->chosen_ns = pprof_unit_ns(text_of(p, p->types[p->chosen].unit));
	p->cpu = find_type(p, "cpu");
	if (p->cpu < MAX_TYPES)
		p->cpu_unit_ns = pprof_unit_ns(text_of(p, p->types[p->cpu].unit));
	if (p->cpu == p->chosen || !p->cpu_unit_ns)
		p->cpu = MAX_TYPES;
	p->b.step_ns = 1; // of a time, counts are nanoseconds; of bytes, there may be many
	if (p->chosen_ns)
		return NULL;
	uint64_t ns = BUILD_STEP_NS;
	uint64_t unit_ns = pprof_unit_ns(text_of(p, p->period_type.unit));
	if (!slice_is(type, "samples"))
		build_fact(&p->b, FACT_UNIT, type);
	else if (p->period && unit_ns && to_ns(p->period, unit_ns, &ns) && ns)
		capture_set_fact_u64(p->b.c, FACT_PERIOD_NS, ns);
	if (slice_is(type, "samples"))
		p->b.step_ns = ns ? ns : BUILD_STEP_NS;
	return NULL;
}

static void set_times(struct pprof *p)
{
	uint64_t end;

	capture_set_fact(p->b.c, FACT_CLOCK, "made up");
	if (!p->time_ns || p->time_ns > INT64_MAX)
		return;
	p->b.first_ns = p->time_ns;
	capture_set_fact_u64(p->b.c, FACT_START_NS, p->time_ns);
	if (p->duration_ns && !__builtin_add_overflow(p->time_ns, p->duration_ns, &end))
		capture_set_fact_u64(p->b.c, FACT_END_NS, end);
}

/* ---- the file --------------------------------------------------------------------------------- */

static struct err *walk(
	struct pprof *p, struct err *(*on)(struct pprof *p, const struct pb_field *f))
{
	struct pb_reader r = pb_reader_of(p->in->data, p->in->len);
	struct pb_field f;
	struct err *err = NULL;

	while (!err && pb_reader_next(&r, &f)) {
		if (!f.is_bytes)
			f.data = p->in->data + r.at; // where errors are
		err = on(p, &f);
	}
	if (!err && r.bad)
		err = bad(p, p->in->data + r.at, "the file is damaged or cut off");
	return err;
}

static struct err *read_all(struct pprof *p)
{
	struct err *err = walk(p, on_head);

	if (!err)
		err = choose(p);
	if (err)
		return err;
	set_times(p);
	err = walk(p, on_comment);
	if (!err)
		err = walk(p, on_function_or_mapping);
	if (!err)
		err = walk(p, on_location);
	if (!err)
		err = walk(p, on_sample);
	if (err)
		return err;
	if (p->chosen_ns)
		weights_finish(&p->weights, &p->b);
	return build_finish(&p->b);
}

static struct err *pprof_read(const struct import_input *in, struct capture *c)
{
	struct pprof p = { .in = in };

	build_init(&p.b, c, "pprof");
	struct err *err = read_all(&p);
	rows_deinit(&p.function_ids);
	rows_deinit(&p.location_ids);
	rows_deinit(&p.mapping_ids);
	free(p.strings);
	free(p.functions);
	free(p.locations);
	free(p.mapping_files);
	free(p.frames);
	free(p.path);
	weights_deinit(&p.weights);
	build_deinit(&p.b);
	return err;
}

/* Only fields that a profile has, a type of samples, and first of all texts the empty one. */
static bool pprof_sniff(const char *data, size_t len)
{
	struct pb_reader r = pb_reader_of(data, len);
	struct pb_field f;
	bool has_type = false, has_text = false;

	while (pb_reader_next(&r, &f)) {
		if (f.number > PROFILE_LAST_FIELD)
			return false;
		has_type |= f.number == PROFILE_SAMPLE_TYPE && f.is_bytes;
		if (f.number == PROFILE_STRING && !has_text && (!f.is_bytes || f.len))
			return false;
		has_text |= f.number == PROFILE_STRING;
	}
	return !r.bad && has_type && has_text;
}

const struct importer import_pprof = {
	.name = "pprof",
	.summary = "pprof, gzipped or not",
	.option = "the type of samples: cpu, inuse_space",
	.sniff = pprof_sniff,
	.read = pprof_read,
};

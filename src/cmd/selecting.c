// SPDX-License-Identifier: MIT
#include "cmd/selecting.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "os/syscall_name.h"

#define LONGEST_SECONDS (1000.0 * 24 * 3600)

/* ---- options ---------------------------------------------------------------------------------- */

static struct err *add_pattern(const char **patterns, const char *value, const char *option)
{
	for (size_t i = 0; i < SELECTION_PATTERNS_MAX; i++) {
		if (patterns[i])
			continue;
		patterns[i] = value;
		return NULL;
	}
	return err_new(ERR_USAGE, "--%s is given more than %d times; join some with |", option,
		SELECTION_PATTERNS_MAX);
}

#define PATTERN(name, field)                                                                       \
	struct err *selecting_set_##name(void *settings, const char *value)                        \
	{                                                                                          \
		return add_pattern(((struct selecting *)settings)->selection.field, value, #name); \
	}

#define VALUE(name, field, what)                                            \
	struct err *selecting_set_##name(void *settings, const char *value) \
	{                                                                   \
		(void)value;                                                \
		((struct selecting *)settings)->field = what;               \
		return NULL;                                                \
	}

PATTERN(thread, threads)
PATTERN(process, processes)
PATTERN(span, spans)
PATTERN(focus, focus)
PATTERN(ignore, ignore)
PATTERN(hide, hide)
PATTERN(root, root)
VALUE(from, from, value)
VALUE(to, to, value)
VALUE(input_format, input_format, value)
VALUE(wall, selection.mode, VIEW_WALL)
VALUE(cpu, selection.mode, VIEW_CPU)
VALUE(gil, selection.mode, VIEW_GIL)
VALUE(all, selection.mode, VIEW_ALL)
VALUE(lines, selection.granularity, VIEW_LINES)
VALUE(functions, selection.granularity, VIEW_FUNCTIONS)
VALUE(files, selection.granularity, VIEW_FILES)
VALUE(modules, selection.granularity, VIEW_MODULES)
VALUE(recursion, selection.collapse_recursion, true)
VALUE(threads, selection.thread_roots, true)
VALUE(by_span, selection.span_roots, true)
VALUE(full_paths, full_paths, true)
VALUE(no_lines, no_lines, true)
VALUE(inverted, inverted, true)
VALUE(source, no_source, false)
VALUE(no_source, no_source, true)

struct err *selecting_set_min_percent(void *settings, const char *value)
{
	char *end;
	double percent = strtod(value, &end);

	end += strspn(end, " %");
	if (end == value || *end || !isfinite(percent) || percent < 0 || percent > 100)
		return err_new(
			ERR_USAGE, "bad percentage '%s'; give a number from 0 to 100", value);
	((struct selecting *)settings)->selection.min_percent = percent;
	return NULL;
}

/* ---- moments ---------------------------------------------------------------------------------- */

static struct err *bad_time(const char *text)
{
	return err_new(ERR_USAGE,
		"bad time '%s'; give 2.5s or 1m30s after the first sample, -10s before the last, or "
		"2026-01-31T12:00:00",
		text);
}

/* "2.5s", "1m30s", "1h2m3s", "90": units in falling order need not be kept. False if it is none. */
static bool parse_span(const char *text, uint64_t *ns_ret)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = { { "ms", 1e-3 }, { "us", 1e-6 }, { "ns", 1e-9 }, { "min", 60 }, { "h", 3600 },
		{ "m", 60 }, { "s", 1 } };
	double sum = 0;

	do {
		size_t digits = strspn(text, "0123456789."), i = 0;
		char *end;
		double value = strtod(text, &end);

		if (!digits || end != text + digits)
			return false;
		text = end;
		if (!*text) {
			sum += value;
			break;
		}
		while (i < ARRAY_LEN(units) &&
			strncmp(text, units[i].name, strlen(units[i].name)) != 0)
			i++;
		if (i == ARRAY_LEN(units))
			return false;
		sum += value * units[i].seconds;
		text += strlen(units[i].name);
	} while (*text);
	if (!(sum <= LONGEST_SECONDS))
		return false;
	*ns_ret = (uint64_t)(sum * 1e9 + 0.5);
	return true;
}

/* ".25" after seconds. */
static const char *parse_fraction(const char *s, uint64_t *ns_ret)
{
	uint64_t scale = NS_PER_SEC;

	*ns_ret = 0;
	if (*s != '.' && *s != ',')
		return s;
	for (s++; *s >= '0' && *s <= '9'; s++) {
		scale /= 10;
		*ns_ret += (uint64_t)(*s - '0') * scale;
	}
	return s;
}

/* "Z", "+02:00", "-0530"; seconds east. False if it is something else. */
static bool parse_zone(const char *s, long *east_ret)
{
	unsigned int hours, minutes;
	char sign, rest;

	*east_ret = 0;
	if (strcmp(s, "Z") == 0 || strcmp(s, "z") == 0)
		return true;
	if (sscanf(s, "%c%2u:%2u%c", &sign, &hours, &minutes, &rest) != 3 &&
		sscanf(s, "%c%2u%2u%c", &sign, &hours, &minutes, &rest) != 3)
		return false;
	if ((sign != '+' && sign != '-') || hours > 23 || minutes > 59)
		return false;
	*east_ret = (long)(hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
	return true;
}

static bool parse_clock(const char *text, uint64_t *ns_ret)
{
	struct tm tm = { .tm_isdst = -1 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	uint64_t fraction;
	time_t seconds;
	long east;

	if (!rest)
		rest = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
	if (!rest)
		return false;
	rest = parse_fraction(rest, &fraction);
	if (!*rest) {
		seconds = mktime(&tm);
	} else {
		if (!parse_zone(rest, &east))
			return false;
		seconds = timegm(&tm) - east;
	}
	if (seconds < 0)
		return false;
	*ns_ret = (uint64_t)seconds * NS_PER_SEC + fraction;
	return true;
}

struct err *selecting_parse_moment(
	const char *text, uint64_t first_ns, uint64_t last_ns, uint64_t *ns_ret)
{
	uint64_t ns;

	if (*text == '-') {
		if (!parse_span(text + 1, &ns))
			return bad_time(text);
		*ns_ret = last_ns > first_ns + ns ? last_ns - ns : first_ns;
		return NULL;
	}
	if (parse_span(text, &ns)) {
		*ns_ret = first_ns + ns;
		return NULL;
	}
	return parse_clock(text, ns_ret) ? NULL : bad_time(text);
}

/* ---- for a capture ---------------------------------------------------------------------------- */

static struct err *resolve_times(
	const struct selecting *s, const struct input *in, struct selection *ret)
{
	uint64_t first_ns = capture_first_ns(&in->capture);
	uint64_t last_ns = capture_last_ns(&in->capture);
	const char *clock = capture_fact(&in->capture, FACT_CLOCK);
	struct err *err = NULL;

	if (!s->from && !s->to)
		return NULL;
	if (clock && strcmp(clock, "made up") == 0)
		return err_new(ERR_USAGE,
			"the samples of %s have no times; --from and --to need a capture in order of time",
			in->shown);
	if (s->from)
		err = selecting_parse_moment(s->from, first_ns, last_ns, &ret->from_ns);
	if (!err && s->to)
		err = selecting_parse_moment(s->to, first_ns, last_ns, &ret->to_ns);
	// 0 would be no limit
	if (!err && s->to && !ret->to_ns)
		ret->to_ns = 1;
	if (!err && s->from && s->to && ret->from_ns >= ret->to_ns)
		return err_new(ERR_USAGE, "--from %s is not before --to %s", s->from, s->to);
	return err;
}

struct err *selecting_resolve(
	const struct selecting *s, const struct input *in, struct selection *ret)
{
	struct selection selection = s->selection;
	struct err *err = resolve_times(s, in, &selection);

	if (err)
		return err;
	// threads of one name in several processes are not one
	if (selection.thread_roots && in->capture.process_count > 1)
		selection.process_roots = true;
	*ret = selection;
	return NULL;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static void add_title(struct buf *out, const struct input *in)
{
	const struct capture *c = &in->capture;
	const char *python = capture_fact(c, FACT_PYTHON);

	if (!python) {
		buf_add_str(out, last_part(in->shown));
		return;
	}
	buf_printf(out, "Python %s", python);
	if (c->process_count == 1)
		buf_printf(out, ", process %u", c->processes[0].pid);
	else
		buf_printf(out, ", %zu processes", c->process_count);
}

/* System calls have other numbers on other machines. */
static bool is_of_this_machine(const struct capture *c)
{
	const char *arch = capture_fact(c, FACT_ARCH);
	struct utsname machine;

	return arch && uname(&machine) == 0 && strcmp(arch, machine.machine) == 0;
}

void selecting_describe(const struct selecting *s, const struct input *in, struct described *d)
{
	const struct capture *c = &in->capture;
	const char *unit = capture_fact(c, FACT_UNIT);
	uint64_t period_ns = capture_fact_u64(c, FACT_PERIOD_NS, 0);

	*d = (struct described){ 0 };
	add_title(&d->title, in);
	if (c->process_count == 1)
		buf_add_str(&d->command, capture_text(c, c->processes[0].command));
	if (unit)
		buf_printf(&d->unit, "1 %s", unit);
	else if (period_ns)
		units_add_duration(&d->unit, period_ns);
	d->options = (struct export_options){
		.title = buf_str(&d->title),
		.command = d->command.len ? buf_str(&d->command) : NULL,
		.unit = d->unit.len ? buf_str(&d->unit) : NULL,
		.cwd = capture_fact(c, FACT_CWD),
		.functions = s->selection.granularity == VIEW_FUNCTIONS,
		.no_lines = s->no_lines,
		.full_paths = s->full_paths,
		.inverted = s->inverted,
		.period_ns = period_ns,
		.syscall_name = is_of_this_machine(c) ? syscall_name : NULL,
	};
}

void described_deinit(struct described *d)
{
	buf_deinit(&d->title);
	buf_deinit(&d->command);
	buf_deinit(&d->unit);
}

static bool knows_states(const struct capture *c)
{
	struct capture_cursor cursor;
	const struct capture_sample *s;
	bool known = false;

	capture_cursor_init(&cursor, c);
	while (!known && (s = capture_cursor_next(&cursor)) != NULL)
		known = s->state != SAMPLE_STATE_UNKNOWN || s->flags & SAMPLE_HOLDS_GIL;
	capture_cursor_deinit(&cursor);
	return known;
}

void selecting_tell(const struct selecting *s, const struct input *in, const struct view *v)
{
	const struct view_counts *counts = view_counts(v);
	bool by_state = s->selection.mode == VIEW_CPU || s->selection.mode == VIEW_GIL;

	if (counts->shown)
		return;
	if (!counts->left_out)
		fprintf(stderr, "fireglass: %s has no samples\n", in->shown);
	else if (by_state && !knows_states(&in->capture))
		fprintf(stderr,
			"fireglass: %s does not say what threads were doing, so nothing is left; "
			"leave out --cpu and --gil\n",
			in->shown);
	else
		fprintf(stderr, "fireglass: nothing of %s is selected\n", in->shown);
}

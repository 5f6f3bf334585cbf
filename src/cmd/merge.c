// SPDX-License-Identifier: MIT
/* fireglass merge: captures of several processes or hosts as one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "cmd/commands.h"
#include "cmd/inputs.h"
#include "cmd/outputs.h"
#include "store/merge.h"

#define INPUTS_MAX 256

struct offset {
	size_t input; // from 0
	int64_t ns;
};

struct merge_command {
	struct outputs outputs; // one; its exporter is not used
	const char *input_format;
	struct offset offsets[INPUTS_MAX];
	size_t offset_count;
	struct input *inputs;
	size_t input_count;
};

/* ---- options ---------------------------------------------------------------------------------- */

static struct err *set_output(void *settings, const char *value)
{
	struct merge_command *m = settings;

	if (m->outputs.count)
		return err_new(ERR_USAGE, "one -o only");
	return outputs_add(&m->outputs, value);
}

static struct err *set_input_format(void *settings, const char *value)
{
	((struct merge_command *)settings)->input_format = value;
	return NULL;
}

/* "2=1.5s", "1=-20ms". */
static struct err *set_offset(void *settings, const char *value)
{
	struct merge_command *m = settings;
	char *end;
	unsigned long input = strtoul(value, &end, 10);
	uint64_t ns;

	if (end == value || *end != '=' || input < 1 || input > INPUTS_MAX)
		return err_new(ERR_USAGE,
			"bad offset '%s'; give the number of the capture and a time: 2=150ms, 1=-2s",
			value);
	if (m->offset_count == INPUTS_MAX)
		return err_new(ERR_USAGE, "more than %d offsets", INPUTS_MAX);
	bool back = end[1] == '-';
	struct err *err = units_parse_duration(end + 1 + (back || end[1] == '+'), &ns);
	if (err)
		return err;
	m->offsets[m->offset_count++] =
		(struct offset){ input - 1, back ? -(int64_t)ns : (int64_t)ns };
	return NULL;
}

static const struct opt merge_options[] = {
	{ 'o', "output", "FILE", "the capture to write", set_output },
	{ 0, "offset", "N=TIME", "added to the times of the N-th capture, if its clock was\n"
		"wrong: 2=150ms, 1=-2s; may be given more than once", set_offset },
	{ 0, "input-format", "FORMAT", "of the files read; default: told by their content",
		set_input_format },
	{ 0 },
};

/* ---- merging ---------------------------------------------------------------------------------- */

static struct err *check(const struct merge_command *m, const char *const files[], size_t count)
{
	size_t streams = 0;

	if (!count)
		return err_new(ERR_USAGE, "what to merge? give captures");
	if (!m->outputs.count)
		return err_new(ERR_USAGE, "where to? give -o FILE");
	for (size_t i = 0; i < count; i++) {
		streams += strcmp(files[i], "-") == 0;
		if (strcmp(files[i], m->outputs.items[0].path) == 0)
			return err_new(ERR_USAGE, "'%s' is both read and written; give another -o",
				files[i]);
	}
	if (streams > 1)
		return err_new(ERR_USAGE, "the standard input can be read once only");
	if (strcmp(m->outputs.items[0].path, "-") == 0)
		return err_new(ERR_USAGE, "a capture is no stream; give -o FILE");
	for (size_t i = 0; i < m->offset_count; i++)
		if (m->offsets[i].input >= count)
			return err_new(ERR_USAGE, "--offset %zu=: there are only %zu captures",
				m->offsets[i].input + 1, count);
	return NULL;
}

static struct err *open_inputs(struct merge_command *m, const char *const files[], size_t count)
{
	struct err *err = NULL;

	m->inputs = xcalloc(count, sizeof(*m->inputs));
	for (size_t i = 0; i < count && !err; i++) {
		err = input_open(&m->inputs[i], files[i], m->input_format);
		if (err)
			break;
		m->input_count++;
		input_tell(&m->inputs[i]);
	}
	return err;
}

static struct merge_input *describe_inputs(const struct merge_command *m)
{
	struct merge_input *inputs = xcalloc(m->input_count, sizeof(*inputs));

	for (size_t i = 0; i < m->input_count; i++)
		inputs[i] = (struct merge_input){ .capture = &m->inputs[i].capture,
			.name = m->inputs[i].shown };
	for (size_t i = 0; i < m->offset_count; i++)
		inputs[m->offsets[i].input].offset_ns = m->offsets[i].ns;
	return inputs;
}

static struct err *write_samples(struct merge *merge, struct capture_writer *w)
{
	const struct capture_sample *s;
	struct err *err = NULL;

	while (!err && (s = merge_next(merge)) != NULL)
		err = capture_writer_sample(w, s);
	return err ? err : merge_end(merge);
}

static struct err *write_merged(const struct merge_command *m, int fd)
{
	_cleanup_free_ struct merge_input *inputs = describe_inputs(m);
	_cleanup_(capture_deinit) struct capture merged;
	struct capture_writer *w = NULL;

	capture_init(&merged);
	struct merge *merge = merge_create(&merged, inputs, m->input_count);
	capture_set_fact(&merged, FACT_TOOL, "fireglass " FIREGLASS_VERSION);
	struct err *err =
		capture_writer_create(&w, fd, &merged, &(struct capture_writer_options){ 0 });
	if (!err)
		err = write_samples(merge, w);
	if (!err)
		err = capture_writer_finish(w);
	capture_writer_destroy(w);
	merge_destroy(merge);
	return err;
}

static struct err *merge(struct merge_command *m, const char *const files[], size_t count)
{
	struct err *err = check(m, files, count);

	if (!err)
		err = open_inputs(m, files, count);
	outfile_guard();
	if (!err)
		err = outputs_open(&m->outputs);
	if (err)
		return err;
	err = write_merged(m, fileno(m->outputs.items[0].file.stream));
	if (!err)
		return outfile_commit(&m->outputs.items[0].file);
	outputs_abort(&m->outputs);
	return err_suffix(err, " to '%s'", m->outputs.items[0].path);
}

static int merge_run(const struct command *command, int argc, char **argv)
{
	struct merge_command m = { 0 };
	const char *files[INPUTS_MAX];
	size_t count = 0;
	struct err *err = opts_parse_files(command, argc, argv, &m, files, INPUTS_MAX, &count);

	if (!err)
		err = merge(&m, files, count);
	while (m.input_count)
		input_close(&m.inputs[--m.input_count]);
	free(m.inputs);
	return err ? opts_fail(err) : EXIT_OK;
}

const struct command command_merge = {
	.name = "merge",
	.summary = "Make one capture of several, on one clock.",
	.usage = "  fireglass merge A B... -o OUT.fgc",
	.examples = "  fireglass merge web-1.fgc web-2.fgc -o web.fgc\n"
		    "  fireglass merge here.fgc there.fgc --offset 2=-150ms -o both.fgc\n"
		    "  fireglass merge *.fgc -o all.fgc && fireglass export all.fgc -t -o all.svg",
	.options = merge_options,
	.run = merge_run,
};

// SPDX-License-Identifier: MIT
#include "import/pprof_labels.h"

#include <string.h>

#include "base/cleanup.h"

enum label {
	LABEL_THREAD,
	LABEL_TID,
	LABEL_PROCESS,
	LABEL_PID,
	LABEL_STATE, // and what else a sample may be marked with
};

/* As fireglass, austin, parca and others name them. */
static const struct {
	const char *key;
	enum label label;
} labels[] = {
	{ "thread", LABEL_THREAD },
	{ "thread_name", LABEL_THREAD },
	{ "thread name", LABEL_THREAD },
	{ "comm", LABEL_THREAD },
	{ "thread_id", LABEL_TID },
	{ "thread id", LABEL_TID },
	{ "tid", LABEL_TID },
	{ "process", LABEL_PROCESS },
	{ "process_name", LABEL_PROCESS },
	{ "pid", LABEL_PID },
	{ "process_id", LABEL_PID },
	{ "process id", LABEL_PID },
	{ "state", LABEL_STATE },
	{ "gil", LABEL_STATE },
	{ "gc", LABEL_STATE },
};

static const struct {
	const char *key, *text;
	enum sample_state state;
	uint8_t flag;
} states[] = {
	{ "state", "on-cpu", SAMPLE_ON_CPU, 0 },
	{ "state", "runnable", SAMPLE_RUNNABLE, 0 },
	{ "state", "waiting", SAMPLE_WAITING, 0 },
	{ "state", "stopped", SAMPLE_STOPPED, 0 },
	{ "gil", "holding", SAMPLE_STATE_UNKNOWN, SAMPLE_HOLDS_GIL },
	{ "gil", "waiting", SAMPLE_STATE_UNKNOWN, SAMPLE_WAITS_FOR_GIL },
	{ "gc", "collecting", SAMPLE_STATE_UNKNOWN, SAMPLE_IN_GC },
};

static void take_state(struct pprof_labels *to, struct slice key, struct slice text)
{
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (!slice_is(key, states[i].key) || !slice_is(text, states[i].text))
			continue;
		if (states[i].state != SAMPLE_STATE_UNKNOWN)
			to->state = states[i].state;
		to->flags |= states[i].flag;
	}
}

/* An id, as a number or as a text. */
static uint64_t id_of(struct slice text, uint64_t number)
{
	uint64_t value;

	return slice_u64(text, &value) ? value : number;
}

void pprof_label(struct pprof_labels *to, struct slice key, struct slice text, uint64_t number)
{
	size_t i = 0;

	while (i < ARRAY_LEN(labels) && !slice_is(key, labels[i].key))
		i++;
	if (i == ARRAY_LEN(labels))
		return;
	switch (labels[i].label) {
	case LABEL_THREAD:
		to->thread = text;
		break;
	case LABEL_TID:
		to->tid = id_of(text, number);
		break;
	case LABEL_PROCESS:
		to->process = text;
		break;
	case LABEL_PID:
		to->pid = id_of(text, number);
		break;
	case LABEL_STATE:
		take_state(to, key, text);
		break;
	}
}

uint64_t pprof_unit_ns(struct slice unit)
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

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (slice_is(unit, units[i].name))
			return units[i].ns;
	return 0;
}

enum function_kind pprof_kind(const struct build_frame *frame)
{
	struct slice name = frame->name;

	if (!frame->file.len && name.len > 2 && name.text[0] == '(' &&
		name.text[name.len - 1] == ')')
		return FUNCTION_MARK;
	return FUNCTION_PYTHON;
}

static bool is_key(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((s.text[i] < 'a' || s.text[i] > 'z') && s.text[i] != '_' && s.text[i] != '.')
			return false;
	return s.len > 0;
}

void pprof_comment(struct build *b, struct slice comment)
{
	static const char *const told[] = { FACT_PERIOD_NS, FACT_START_NS, FACT_END_NS, FACT_FORMAT,
		FACT_CLOCK, FACT_UNIT };
	size_t colon = slice_find(comment, ':');
	struct slice key = slice_head(comment, colon);
	char name[64];

	if (colon + 2 > comment.len || comment.text[colon + 1] != ' ' || !is_key(key) ||
		key.len >= sizeof(name))
		return;
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		if (slice_is(key, told[i]))
			return;
	memcpy(name, key.text, key.len);
	name[key.len] = 0;
	build_fact(b, name, slice_from(comment, colon + 2));
}

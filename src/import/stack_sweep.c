// SPDX-License-Identifier: MIT
#include "import/stack_sweep.h"

#include <stdlib.h>

#include "base/alloc.h"

void sweep_deinit(struct sweep *s)
{
	free(s->calls);
	*s = (struct sweep){ 0 };
}

/* The stack has been what it is since now_ns. */
static void weigh(struct sweep *s, struct weights *w, uint64_t until_ns)
{
	if (s->depth && until_ns > s->now_ns) {
		struct capture_sample sample =
			build_blank_sample(s->thread, s->calls[s->depth - 1].stack);

		sample.time_ns = s->now_ns;
		sample.count = until_ns - s->now_ns;
		weights_add(w, &sample);
	}
	if (until_ns > s->now_ns)
		s->now_ns = until_ns;
}

void sweep_advance(struct sweep *s, struct weights *w, uint64_t time_ns)
{
	while (s->depth && s->calls[s->depth - 1].end_ns <= time_ns) {
		weigh(s, w, s->calls[s->depth - 1].end_ns);
		s->depth--;
	}
	weigh(s, w, time_ns);
}

bool sweep_open(
	struct sweep *s, struct profile *tables, frame_id frame, uint64_t key, uint64_t end_ns)
{
	stack_id parent = s->depth ? s->calls[s->depth - 1].stack : STACK_NONE;

	if (s->depth == SWEEP_MAX_DEPTH)
		return false;
	array_reserve(s->calls, s->capacity, s->depth + 1);
	s->calls[s->depth++] =
		(struct sweep_call){ profile_stack(tables, parent, frame), key, end_ns };
	return true;
}

bool sweep_close(struct sweep *s, uint64_t key)
{
	for (size_t i = s->depth; i-- > 0;) {
		if (s->calls[i].key != key)
			continue;
		s->depth = i;
		return true;
	}
	return false;
}

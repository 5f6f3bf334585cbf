// SPDX-License-Identifier: MIT
#include "export/rekey.h"

#include "base/alloc.h"
#include "base/cleanup.h"

void rekey_profile(struct profile *to, const struct profile *from,
	struct store_function (*key)(struct profile *to, const struct profile *from,
		const struct store_function *f))
{
	_cleanup_free_ function_id *function_of = xcalloc(from->function_count, sizeof(*function_of));
	_cleanup_free_ frame_id *frame_of = xcalloc(from->frame_count, sizeof(*frame_of));
	_cleanup_free_ stack_id *stack_of = xcalloc(from->stack_count, sizeof(*stack_of));

	for (size_t i = 0; i < from->function_count; i++) {
		struct store_function f = key(to, from, &from->functions[i]);

		function_of[i] = profile_function(to, &f);
	}
	for (size_t i = 0; i < from->frame_count; i++)
		frame_of[i] = profile_frame(
			to, function_of[from->frames[i].function], from->frames[i].line);
	for (size_t i = 0; i < from->stack_count; i++) {
		stack_id parent = from->stacks[i].parent;

		if (parent != STACK_NONE)
			parent = stack_of[parent];
		stack_of[i] = profile_stack(to, parent, frame_of[from->stacks[i].frame]);
		profile_add_sample(to, stack_of[i], from->weights[i]);
	}
}

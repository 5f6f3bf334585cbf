// SPDX-License-Identifier: MIT
#include "export/flamechart.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "export/label.h"

void flamechart_write_sample(FILE *out, const struct profile *p, uint64_t time_ns, stack_id stack,
	const struct export_options *options)
{
	size_t depth = profile_depth(p, stack);
	_cleanup_free_ frame_id *frames = xcalloc(depth, sizeof(*frames));
	_cleanup_buf_ struct buf label = BUF_INIT, line = BUF_INIT;

	for (size_t i = depth; i-- > 0; stack = p->stacks[stack].parent)
		frames[i] = p->stacks[stack].frame;
	for (size_t i = 0; i < depth; i++) {
		buf_clear(&label);
		label_add(&label, p, &p->frames[frames[i]], options);
		label_escape(&line, label.data, label.len);
		buf_add_char(&line, ';');
	}
	fprintf(out, "%" PRIu64 "\n%s\n", time_ns / 1000, buf_str(&line));
}

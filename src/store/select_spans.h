// SPDX-License-Identifier: MIT
/*
 * Which spans of a capture are selected: those that match, and all within them. Each is decided on
 * once in a pass, when a sample first names it.
 */
#ifndef FIREGLASS_STORE_SELECT_SPANS_H
#define FIREGLASS_STORE_SELECT_SPANS_H

#include "base/buf.h"
#include "store/capture.h"
#include "store/select_patterns.h"
#include "store/view.h"

struct selected_spans {
	struct patterns patterns;
	const struct selection *selection;
	uint8_t *rows; // by row of the capture's spans, plus 1: 0 not decided, or enum verdict
	size_t capacity;
};

struct err *selected_spans_init(struct selected_spans *s, const struct selection *selection);
void selected_spans_deinit(struct selected_spans *s);

/* Texts of spans may have changed: decides anew. */
void selected_spans_reset(struct selected_spans *s);

/* `span`: row plus 1; 0: none, whose text is empty. */
bool selected_spans_has(struct selected_spans *s, const struct capture *c, uint32_t span);

/* What patterns see of a span: its name, and a space and its text if it has one. */
void span_label(const struct capture *c, uint32_t row, struct buf *out);

#endif

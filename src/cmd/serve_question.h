// SPDX-License-Identifier: MIT
/*
 * What is asked of samples, as the parameters of a request say it: the options of the command line
 * that select, as words (docs/selecting.md), and the format.
 */
#ifndef FIREGLASS_CMD_SERVE_QUESTION_H
#define FIREGLASS_CMD_SERVE_QUESTION_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "cmd/selecting.h"
#include "cmd/serve.h"
#include "export/export.h"

struct question {
	struct selecting selecting; // first: see selecting.h
	const struct exporter *format;
	bool capture; // the capture itself, "fgc"
	enum text_shape shape;
	size_t rows;
	uint64_t from_ns, to_ns; // 0: no limit
	bool selective;          // more than times is said
};

/*
 * Texts stay the request's. Parameters among `others` (NULL-terminated) are left to the caller.
 * `format` is what is meant if none is given. An error says what is wrong with them.
 */
struct err *question_read(struct question *q, const struct http_request *r, const char *const *others,
	const char *format);

/* Answers it from an opened capture, on the calling thread, as one of few: see serve_work_begin(). */
void question_answer(
	struct serve *s, struct http_request *r, const struct question *q, struct input *in);

#endif

// SPDX-License-Identifier: MIT
/*
 * A capture from a description, for tests of what reads captures.
 *
 *	describe_capture [-u] OUT.fgc < DESCRIPTION
 *
 *	fact KEY VALUE
 *	process PID NAME
 *	thread PROCESS TID NAME           PROCESS and THREAD are numbers of rows, from 0
 *	loss MS COUNT
 *	marker MS TO_MS THREAD NAME TEXT  NAME without spaces
 *	span MS TO_MS THREAD PARENT NAME TEXT   PARENT: number of a span from 1 on, 0: in none; TO_MS 0:
 *	                                  not ended; TEXT - for none
 *	in SPAN                           what comes from here on is in that span; 0: in none
 *	sample MS TIMES THREAD STATE FLAGS STACK
 *
 * MS is the time after the start (1 700 000 000 s); TIMES samples follow each other, one each ms.
 * STATE is cpu, ready, waiting or unknown; FLAGS a number; STACK as sample_stack() takes it, - for
 * none. The period is 1 ms unless a fact says something else. -u: the capture has no end.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sample_capture.h"
#include "store/capture_file.h"

#define LINE_BYTES 65536
#define NAME_BYTES 256

static const char *const states[] = {
	[SAMPLE_STATE_UNKNOWN] = "unknown",
	[SAMPLE_ON_CPU] = "cpu",
	[SAMPLE_RUNNABLE] = "ready",
	[SAMPLE_WAITING] = "waiting",
};

static bool add_samples(struct capture *c, const char *line)
{
	static char stack[LINE_BYTES];
	unsigned int ms, times, thread, flags;
	char state[NAME_BYTES];

	if (sscanf(line, "sample %u %u %u %255s %u %65535[^\n]", &ms, &times, &thread, state,
		    &flags, stack) != 6 ||
		thread >= c->thread_count)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (strcmp(states[i], state) != 0)
			continue;
		for (unsigned int j = 0; j < times; j++)
			sample_one(c, thread, ms + j, strcmp(stack, "-") == 0 ? "" : stack,
				(enum sample_state)i, flags);
		return true;
	}
	return false;
}

static bool add_marker(struct capture *c, unsigned int ms, unsigned int to_ms, unsigned int thread,
	const char *name, const char *text)
{
	if (thread >= c->thread_count || to_ms < ms)
		return false;
	capture_add_marker(c,
		&(struct capture_marker){ .start_ns = SAMPLE_START_NS + (uint64_t)ms * SAMPLE_MS,
			.end_ns = SAMPLE_START_NS + (uint64_t)to_ms * SAMPLE_MS,
			.thread = thread,
			.process = c->threads[thread].process,
			.name = capture_string(c, name),
			.text = capture_string(c, text) });
	return true;
}

static bool add_span(struct capture *c, const char *line)
{
	unsigned int ms, to_ms, thread, parent;
	char name[NAME_BYTES], text[NAME_BYTES];

	if (sscanf(line, "span %u %u %u %u %255s %255[^\n]", &ms, &to_ms, &thread, &parent, name,
		    text) != 6 ||
		thread >= c->thread_count || parent > c->span_count)
		return false;
	sample_span(c, thread, ms, to_ms, parent, name, strcmp(text, "-") == 0 ? "" : text);
	return true;
}

static bool add_line(struct capture *c, const char *line)
{
	char name[NAME_BYTES], value[NAME_BYTES];
	unsigned int a, b, thread;

	if (sscanf(line, "fact %255s %255[^\n]", name, value) == 2)
		capture_set_fact(c, name, value);
	else if (sscanf(line, "process %u %255[^\n]", &a, name) == 2)
		sample_process(c, a, name);
	else if (sscanf(line, "thread %u %u %255[^\n]", &a, &b, name) == 3 && a < c->process_count)
		sample_thread(c, a, b, name);
	else if (sscanf(line, "loss %u %u", &a, &b) == 2)
		capture_add_loss(c,
			&(struct capture_loss){
				SAMPLE_START_NS + (uint64_t)a * SAMPLE_MS, LOSS_MISSED, b });
	else if (sscanf(line, "marker %u %u %u %255s %255[^\n]", &a, &b, &thread, name, value) == 5)
		return add_marker(c, a, b, thread, name, value);
	else if (strncmp(line, "span ", 5) == 0)
		return add_span(c, line);
	else if (sscanf(line, "in %u", &a) == 1 && a <= c->span_count)
		sample_in_span(a);
	else
		return add_samples(c, line);
	return true;
}

static struct err *write_unfinished(int fd, const struct capture *c)
{
	struct capture_cursor cursor;
	struct capture_writer *w;
	const struct capture_sample *s;
	struct err *err = capture_writer_create(&w, fd, c, &(struct capture_writer_options){ 0 });

	capture_cursor_init(&cursor, c);
	while (!err && (s = capture_cursor_next(&cursor)) != NULL)
		err = capture_writer_sample(w, s);
	if (!err)
		err = capture_writer_flush(w);
	capture_cursor_deinit(&cursor);
	capture_writer_destroy(w);
	return err;
}

int main(int argc, char **argv)
{
	_cleanup_(capture_deinit) struct capture c;
	static char line[LINE_BYTES];
	bool unfinished = argc == 3 && strcmp(argv[1], "-u") == 0;

	capture_init(&c);
	capture_set_fact_u64(&c, FACT_PERIOD_NS, SAMPLE_MS);
	if (argc != 2 && !unfinished)
		return 2;
	for (int number = 1; fgets(line, sizeof(line), stdin); number++) {
		if (*line == '\n' || add_line(&c, line))
			continue;
		fprintf(stderr, "describe_capture: line %d is none: %s", number, line);
		return 2;
	}
	int fd = open(argv[argc - 1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return 1;
	struct err *err = unfinished ? write_unfinished(fd, &c) : capture_file_write(fd, &c);
	close(fd);
	if (!err)
		return 0;
	fprintf(stderr, "describe_capture: %s\n", err->message);
	err_free(err);
	return 1;
}

// SPDX-License-Identifier: MIT
/*
 * What samples cost: bytes in the file, and how fast they are written and read.
 *
 *	measure_capture [SAMPLES [ROWS_PER_FLUSH]]
 *
 * Made-up programs, sampled at 1 kHz at a random moment of each period. Each is written to a file
 * in the working directory, read again, and the file is removed. Bytes are those of all but the
 * tables; a flush after so many rows is what a recording does once a second.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "store/capture.h"
#include "store/capture_file.h"

#define PERIOD_NS 1000000u
#define STACKS 500
#define BUSY_MAX 8
#define BATCH 30000

static uint64_t random_state = 88172645463325252u;

static uint64_t random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static uint32_t random_below(uint32_t limit)
{
	return (uint32_t)(random_u64() >> 33) % limit;
}

/* ---- programs --------------------------------------------------------------------------------- */

/* From stack to stack, as a program does: mostly to one of a few. */
static stack_id walk(stack_id now)
{
	uint32_t dice = random_below(100);

	if (dice < 5)
		return now;
	if (dice < 10)
		return random_below(STACKS);
	return (now * 7 + 13 + random_below(6) * 31) % STACKS;
}

static stack_id anywhere(stack_id now)
{
	(void)now;
	return random_below(STACKS);
}

/* Two chains of 12, which call each other in turn; seen at any depth. */
static stack_id flutter(stack_id now)
{
	(void)now;
	return random_below(24);
}

static stack_id still(stack_id now)
{
	return now;
}

/* A server: waits half of the time, else in a request. */
static stack_id serve(stack_id now)
{
	if (now == 0)
		return random_below(4) ? 0 : 1 + random_below(STACKS - 1);
	return random_below(4) ? walk(now) : 0;
}

struct program {
	const char *name;
	uint32_t threads, busy; // the first `busy` ones move
	bool waits;             // nobody is on a processor
	stack_id (*next)(stack_id now);
};

static const struct program programs[] = {
	{ "random walk over 500 stacks", 1, 1, false, walk },
	{ "500 stacks in no order", 1, 1, false, anywhere },
	{ "flutter of two chains", 1, 1, false, flutter },
	{ "one loop, on the CPU", 1, 1, false, still },
	{ "one thread that waits", 1, 1, true, still },
	{ "8 threads of a server", 8, 8, false, serve },
	{ "300 threads, 297 idle", 300, 3, false, walk },
	{ "300 threads, all idle", 300, 3, true, still },
};

static void make_tables(struct capture *c, uint32_t threads)
{
	char name[64];
	stack_id parent = STACK_NONE;

	capture_set_fact_u64(c, FACT_PERIOD_NS, PERIOD_NS);
	capture_add_process(c, &(struct capture_process){ .pid = 1 });
	for (uint32_t i = 0; i < threads; i++)
		capture_add_thread(c, &(struct capture_thread){ .tid = 100 + i });
	for (uint32_t i = 0; i < STACKS; i++) {
		snprintf(name, sizeof(name), "function_%u", i / 4);
		struct store_function f = { .name = capture_string(c, name),
			.file = capture_string(c, "/usr/lib/python3/app.py"),
			.first_line = i / 4 };
		frame_id frame = profile_frame(&c->tables, profile_function(&c->tables, &f), i);

		// about 20 deep
		parent = profile_stack(&c->tables, i % 20 ? parent : STACK_NONE, frame);
	}
}

/* The kernel counts CPU time at its own ticks, every 4 ms. */
static uint64_t cpu_of(uint64_t tick, uint32_t thread)
{
	return (tick + thread) % 4 ? 0 : 3990000 + random_below(20000);
}

static void take_sample(const struct program *p, uint64_t tick, uint64_t time_ns, uint32_t thread,
	stack_id *now, struct capture_sample *s)
{
	*s = (struct capture_sample){
		.time_ns = time_ns,
		.count = 1,
		.thread = thread,
		.stack = STACKS - 1 - thread % 7,
		.syscall = 202,
		.state = SAMPLE_WAITING,
		.flags = SAMPLE_TAKEN_OVER,
	};
	if (thread >= p->busy)
		return;
	*now = p->next(*now);
	s->stack = *now;
	if (p->waits || (p->next == serve && !*now))
		return;
	s->syscall = SYSCALL_NONE;
	s->state = SAMPLE_ON_CPU;
	s->flags =
		p->busy == 1 || thread == tick % p->busy ? SAMPLE_HOLDS_GIL : SAMPLE_WAITS_FOR_GIL;
	s->cpu_ns = cpu_of(tick, thread);
}

/* ---- measuring -------------------------------------------------------------------------------- */

static void must(struct err *err)
{
	if (!err)
		return;
	fprintf(stderr, "measure_capture: %s\n", err->message);
	exit(1);
}

static uint64_t measure_write(
	const struct program *p, const char *path, uint64_t samples, uint64_t flush_rows)
{
	_cleanup_(capture_deinit) struct capture c;
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct capture_writer *w;
	stack_id now[BUSY_MAX] = { 0 };
	uint64_t start_ns = 1700000000123456789u, spent_ns = 0, done = 0;

	capture_init(&c);
	make_tables(&c, p->threads);
	must(capture_writer_create(&w, fd, &c, NULL));
	must(capture_writer_flush(w));
	uint64_t tables = capture_writer_bytes(w);
	struct capture_sample *rows = calloc(BATCH + p->threads, sizeof(*rows));
	for (uint64_t tick = 0; done < samples;) {
		size_t count = 0;

		for (; count < BATCH; tick++) {
			uint64_t time_ns = start_ns + tick * PERIOD_NS + random_below(PERIOD_NS);

			for (uint32_t t = 0; t < p->threads; t++)
				take_sample(p, tick, time_ns, t, &now[t < BUSY_MAX ? t : 0],
					&rows[count++]);
		}
		uint64_t from_ns = clock_process_cpu_ns();
		for (size_t i = 0; i < count; i++, done++) {
			must(capture_writer_sample(w, &rows[i]));
			if (flush_rows && done % flush_rows == flush_rows - 1)
				must(capture_writer_flush(w));
		}
		spent_ns += clock_process_cpu_ns() - from_ns;
	}
	uint64_t from_ns = clock_process_cpu_ns();
	must(capture_writer_finish(w));
	spent_ns += clock_process_cpu_ns() - from_ns;
	uint64_t bytes = capture_writer_bytes(w) - tables;
	printf("%-28s %6.3f B/sample %8.2f B/tick  write %5.1f M/s", p->name,
		(double)bytes / (double)done, (double)bytes * p->threads / (double)done,
		(double)done * 1e3 / (double)spent_ns);
	capture_writer_destroy(w);
	free(rows);
	return done;
}

static void measure_read(const char *path, uint64_t samples)
{
	_cleanup_(capture_deinit) struct capture c;
	struct capture_cursor cursor;
	uint64_t found = 0, from_ns = clock_process_cpu_ns();

	must(capture_file_open(&c, path, NULL));
	uint64_t open_ns = clock_process_cpu_ns() - from_ns;
	capture_cursor_init(&cursor, &c);
	from_ns = clock_process_cpu_ns();
	while (capture_cursor_next(&cursor))
		found++;
	uint64_t spent_ns = clock_process_cpu_ns() - from_ns;
	must(capture_cursor_error(&cursor));
	capture_cursor_deinit(&cursor);
	printf("  read %5.1f M/s  open %5.2f ms%s\n", (double)found * 1e3 / (double)spent_ns,
		(double)open_ns / 1e6, found == samples ? "" : "  LOST SOME");
}

int main(int argc, char **argv)
{
	const char *path = "measure_capture.fgc";
	uint64_t samples = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	uint64_t flush_rows = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;

	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		measure_read(path, measure_write(&programs[i], path, samples, flush_rows));
		unlink(path);
	}
	return 0;
}

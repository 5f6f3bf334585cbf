// SPDX-License-Identifier: MIT
/*
 * Capture files as they are, for the tests that compare readers.
 *
 *	raw_capture make OUT.fgc SEED SAMPLES [-u]   made-up rows of everything; -u: not finished;
 *	                                             spans too if SEED modulo 8 is 3 or 4
 *	raw_capture dump FILE.fgc                    all that is in it, one line each
 *	raw_capture blocks FILE.fgc DIR              its blocks of samples, each as a file
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "store/capture_file.h"

#define THREADS 6
#define PERIOD_NS 1000000u
#define START_NS 1700000000000000000u

static void must(struct err *err)
{
	if (!err)
		return;
	fprintf(stderr, "raw_capture: %s\n", err->message);
	exit(1);
}

/* ---- make ------------------------------------------------------------------------------------- */

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % limit;
}

static void make_rows(struct capture *c)
{
	char text[64];

	capture_set_fact_u64(c, FACT_PERIOD_NS, PERIOD_NS);
	capture_set_fact(c, FACT_HOST, "h\xc3\xb6st \"a\\b\"\n");
	for (uint32_t i = 0; i < 2; i++)
		capture_add_process(c,
			&(struct capture_process){ .pid = 100 + i,
				.name = capture_string(c, "python3"),
				.start_ns = START_NS + i });
	for (uint32_t i = 0; i < THREADS; i++) {
		snprintf(text, sizeof(text), "thread %u", i);
		capture_add_thread(c,
			&(struct capture_thread){ .process = i % 2,
				.tid = 1000 + i,
				.name = capture_string(c, text),
				.main = i < 2,
				.start_ns = START_NS });
	}
}

static void add_stack(struct capture *c)
{
	struct profile *p = &c->tables;
	char text[64];

	snprintf(text, sizeof(text), "f\xe2\x82\xac%u", random_below(40));
	struct store_function f = { .name = capture_string(c, text),
		.file = capture_string(c, "a;b.py"),
		.first_line = random_below(100),
		.kind = (enum function_kind)random_below(3) };
	frame_id frame = profile_frame(p, profile_function(p, &f), random_below(1000));
	profile_stack(p,
		p->stack_count && random_below(5) ? random_below((uint32_t)p->stack_count)
						  : STACK_NONE,
		frame);
}

static void change_rows(struct capture *c, uint64_t time_ns)
{
	capture_add_marker(c,
		&(struct capture_marker){ .start_ns = time_ns,
			.end_ns = time_ns + random_below(100),
			.thread = random_below(2) ? 1 : CAPTURE_NONE,
			.process = random_below(2) ? 1 : CAPTURE_NONE,
			.name = capture_string(c, "GC") });
	capture_add_loss(c, &(struct capture_loss){ time_ns, LOSS_MISSED, random_below(300) });
	c->threads[random_below(THREADS)].name = capture_string(c, "renamed");
	c->threads[random_below(THREADS)].end_ns = time_ns;
	capture_set_fact_u64(c, FACT_TICKS, time_ns);
}

/* A new span, or one that ends, gets another text. */
static void change_spans(struct capture *c, uint64_t time_ns)
{
	uint32_t count = (uint32_t)c->span_count;
	char text[32];

	snprintf(text, sizeof(text), "GET /%u", random_below(50));
	if (!count || random_below(2)) {
		capture_add_span(c,
			&(struct capture_span){ .start_ns = time_ns,
				.process = random_below(2),
				.thread = random_below(5) ? random_below(THREADS) : CAPTURE_NONE,
				.parent = random_below(3) ? 0 : random_below(count + 1),
				.name = capture_string(c, random_below(2) ? "request" : "render") });
		return;
	}
	struct capture_span *s = &c->spans[count - 1 - random_below(count < 9 ? count : 9)];
	s->text = capture_string(c, text);
	if (!s->end_ns)
		s->end_ns = time_ns;
}

static void random_sample(
	const struct capture *c, uint32_t i, uint64_t time_ns, struct capture_sample *s)
{
	bool idle = i % THREADS > 2 && random_below(30);

	*s = (struct capture_sample){ .time_ns = time_ns,
		.count = random_below(50) ? 1 : random_below(100000),
		.cpu_ns = idle ? 0 : random_below(PERIOD_NS),
		.thread = i % THREADS,
		.stack = idle ? 0 : random_below((uint32_t)c->tables.stack_count),
		.syscall = idle ? 202 : SYSCALL_NONE,
		.state = idle ? SAMPLE_WAITING : (uint8_t)random_below(SAMPLE_STATES),
		.flags = idle ? 0 : (uint8_t)random_below(SAMPLE_FLAGS + 1) };
	if (!random_below(60))
		s->stack = STACK_NONE;
	if (c->span_count && random_below(3))
		s->span = random_below((uint32_t)c->span_count + 1);
}

static int make(const char *path, uint64_t seed, uint32_t samples, bool finish)
{
	_cleanup_(capture_deinit) struct capture c;
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	struct capture_writer *w;
	struct capture_sample s;
	bool spans = seed % 8 == 3 || seed % 8 == 4;
	uint64_t time_ns = 0;

	random_state = seed * 88172645463325252u + 1;
	capture_init(&c);
	make_rows(&c);
	// an odd seed: nothing is rounded
	struct capture_writer_options options = { .exact_times = seed % 2 };
	must(capture_writer_create(&w, fd, &c, &options));
	for (uint32_t i = 0; i < samples; i++) {
		if (i % THREADS == 0) // at a random moment of each slot, some are missed
			time_ns = START_NS + (i / THREADS + i / 400) * (uint64_t)PERIOD_NS +
				random_below(PERIOD_NS);
		if (!i || !random_below(10))
			add_stack(&c);
		if (spans && !random_below(20))
			change_spans(&c, time_ns);
		random_sample(&c, i, time_ns, &s);
		must(capture_writer_sample(w, &s));
		if (random_below(300))
			continue;
		change_rows(&c, time_ns);
		must(capture_writer_flush(w));
	}
	must(finish ? capture_writer_finish(w) : capture_writer_flush(w));
	capture_writer_destroy(w);
	return 0;
}

/* ---- dump ------------------------------------------------------------------------------------- */

static void dump_text(const struct capture *c, string_id id)
{
	const struct store_string *s = &c->tables.strings[id];

	putchar('"');
	for (uint32_t i = 0; i < s->len; i++) {
		unsigned char byte = (unsigned char)s->text[i];

		if (byte < 32 || byte == '"' || byte == '\\')
			printf("\\x%02x", byte);
		else
			putchar(byte);
	}
	putchar('"');
}

/* Row numbers and stack ids; - for none. */
static const char *row_text(uint32_t row)
{
	static char texts[4][16];
	static unsigned int at;
	char *text = texts[at++ % 4];

	if (row == UINT32_MAX)
		return "-";
	snprintf(text, sizeof(texts[0]), "%" PRIu32, row);
	return text;
}

static void dump_tables(const struct profile *p, const struct capture *c)
{
	for (string_id i = 0; i < p->string_count; i++) {
		printf("string %" PRIu32 " ", i);
		dump_text(c, i);
		putchar('\n');
	}
	for (size_t i = 0; i < p->function_count; i++)
		printf("function %zu %" PRIu32 " %" PRIu32 " %" PRIu32 " %d\n", i,
			p->functions[i].name, p->functions[i].file, p->functions[i].first_line,
			(int)p->functions[i].kind);
	for (size_t i = 0; i < p->frame_count; i++)
		printf("frame %zu %" PRIu32 " %" PRIu32 "\n", i, p->frames[i].function,
			p->frames[i].line);
	for (size_t i = 0; i < p->stack_count; i++)
		printf("stack %zu %s %" PRIu32 "\n", i, row_text(p->stacks[i].parent),
			p->stacks[i].frame);
}

static void dump_rows(const struct capture *c)
{
	for (size_t i = 0; i < c->fact_count; i++) {
		printf("fact ");
		dump_text(c, c->facts[i].key);
		putchar(' ');
		dump_text(c, c->facts[i].value);
		putchar('\n');
	}
	for (size_t i = 0; i < c->process_count; i++) {
		const struct capture_process *p = &c->processes[i];

		printf("process %zu %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64 "\n",
			i, p->pid, p->name, p->command, p->start_ns, p->end_ns);
	}
	for (size_t i = 0; i < c->thread_count; i++) {
		const struct capture_thread *t = &c->threads[i];

		printf("thread %zu %" PRIu32 " %" PRIu32 " %" PRIu32 " %d %" PRIu64 " %" PRIu64
		       "\n",
			i, t->process, t->tid, t->name, t->main, t->start_ns, t->end_ns);
	}
	for (size_t i = 0; i < c->marker_count; i++) {
		const struct capture_marker *m = &c->markers[i];

		printf("marker %" PRIu64 " %" PRIu64 " %s %s %" PRIu32 " %" PRIu32 "\n",
			m->start_ns, m->end_ns, row_text(m->thread), row_text(m->process), m->name,
			m->text);
	}
	for (size_t i = 0; i < c->span_count; i++) {
		const struct capture_span *s = &c->spans[i];

		printf("span %zu %" PRIu64 " %" PRIu64 " %" PRIu32 " %s %" PRIu32 " %" PRIu32
		       " %" PRIu32 "\n",
			i, s->start_ns, s->end_ns, s->process, row_text(s->thread), s->parent,
			s->name, s->text);
	}
	for (size_t i = 0; i < c->loss_count; i++)
		printf("loss %" PRIu64 " %d %" PRIu64 "\n", c->losses[i].time_ns,
			(int)c->losses[i].kind, c->losses[i].count);
}

static int dump(const char *path)
{
	_cleanup_(capture_deinit) struct capture c;
	struct capture_file_info info;
	struct capture_cursor cursor;

	must(capture_file_open(&c, path, &info));
	printf("version %" PRIu32 " finished %d bytes %" PRIu64 "\n", info.version, info.finished,
		info.bytes);
	dump_tables(&c.tables, &c);
	dump_rows(&c);
	capture_cursor_init(&cursor, &c);
	for (const struct capture_sample *s; (s = capture_cursor_next(&cursor));) {
		printf("sample %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32 " %s %" PRId32
		       " %d %d",
			s->time_ns, s->count, s->cpu_ns, s->thread, row_text(s->stack), s->syscall,
			s->state, s->flags);
		if (s->span)
			printf(" in %" PRIu32, s->span);
		putchar('\n');
	}
	must(capture_cursor_error(&cursor));
	capture_cursor_deinit(&cursor);
	return 0;
}

/* For the fuzzer of blocks: seeds. */
static int blocks(const char *path, const char *directory)
{
	_cleanup_(capture_deinit) struct capture c;

	must(capture_file_open(&c, path, NULL));
	for (size_t i = 0; i < c.block_count; i++) {
		_cleanup_buf_ struct buf block = BUF_INIT, spans = BUF_INIT;
		char name[4096];

		must(c.ops->load(c.ops_data, i, &block, &spans));
		snprintf(name, sizeof(name), "%s/block%zu", directory, i);
		_cleanup_fclose_ FILE *out = fopen(name, "we");
		if (!out || fwrite(block.data, 1, block.len, out) != block.len)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 5 && strcmp(argv[1], "make") == 0)
		return make(argv[2], strtoull(argv[3], NULL, 10),
			(uint32_t)strtoul(argv[4], NULL, 10), argc == 5);
	if (argc == 4 && strcmp(argv[1], "blocks") == 0)
		return blocks(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "dump") == 0)
		return dump(argv[2]);
	fprintf(stderr,
		"usage: raw_capture make OUT.fgc SEED SAMPLES [-u] | dump FILE.fgc | "
		"blocks FILE.fgc DIR\n");
	return 2;
}

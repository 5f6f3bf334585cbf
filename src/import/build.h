// SPDX-License-Identifier: MIT
/*
 * What importers share: rows of a capture from texts that come from outside.
 *
 * Text is made valid UTF-8 here. Processes and threads are looked up by what identifies them, so
 * that an importer may ask for them with every sample.
 */
#ifndef FIREGLASS_IMPORT_BUILD_H
#define FIREGLASS_IMPORT_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/intern.h"
#include "store/capture.h"

/* What a count takes where times are made up and nothing else is known. */
#define BUILD_STEP_NS 1000000u

/* A part of a text, not ended with 0. */
struct slice {
	const char *text;
	size_t len;
};

#define SLICE(literal) ((struct slice){ (literal), sizeof(literal) - 1 })
#define SLICE_NONE ((struct slice){ 0 })

struct slice slice_of(const char *text); // NULL is empty
bool slice_is(struct slice s, const char *text);
bool slice_starts(struct slice s, const char *prefix);
struct slice slice_trim(struct slice s); // without spaces and tabs at both ends
/* Where `c` is first or last in `s`; s.len if it is not. */
size_t slice_find(struct slice s, char c);
size_t slice_find_last(struct slice s, char c);
struct slice slice_from(struct slice s, size_t at); // at <= len
struct slice slice_head(struct slice s, size_t len);
/* All of `s` as a decimal or hexadecimal number; false if it is none or does not fit. */
bool slice_u64(struct slice s, uint64_t *ret);
bool slice_hex(struct slice s, uint64_t *ret);
/* A number of seconds with up to 9 decimals, as nanoseconds. */
bool slice_seconds(struct slice s, uint64_t *ns_ret);

/* Lines of a text, without their ends ("\n" or "\r\n"). */
struct lines {
	struct slice rest;
	size_t number; // of the line last given, from 1
};

struct lines lines_of(const char *data, size_t len);
bool lines_next(struct lines *l, struct slice *line_ret);

struct build_thread {
	uint32_t process;
	uint64_t id;      // as the format has it
	string_id name;   // "" if it has none
	uint64_t next_ns; // of its samples without time
	bool seen;        // it has a sample
};

struct build {
	struct capture *c;
	struct buf scratch;
	struct build_thread *keys; // by row of the capture's threads
	size_t key_capacity;
	struct intern threads, processes;
	uint64_t total;    // of the counts
	uint64_t first_ns; // where made-up times begin
	uint64_t step_ns;  // of made-up times, for each count
	uint64_t left_out; // samples that cannot be held: build_finish() makes a fact of it
};

/* Sets FACT_FORMAT. */
void build_init(struct build *b, struct capture *c, const char *format);
void build_deinit(struct build *b);

/* What is known at the end. An error: the counts are more than can be added up. */
struct err *build_finish(struct build *b);

string_id build_string(struct build *b, struct slice text);
/* A fact, unless there are very many. */
void build_fact(struct build *b, const char *key, struct slice value);

/* The process of this id; its name, if it has none yet, becomes `name`. */
uint32_t build_process(struct build *b, uint64_t pid, struct slice name);

/*
 * The thread of this id and name in a process. 0 is no id, "" no name: threads are the same if both
 * are. Ids that are no kernel's (larger than 32 bits) tell threads apart but are not kept.
 */
uint32_t build_thread(struct build *b, uint32_t process, uint64_t id, struct slice name);

/* A name that the thread is known by later on, without changing what it is looked up by. */
void build_name_thread(struct build *b, uint32_t thread, struct slice name);

struct build_frame {
	struct slice name, file;
	uint64_t line;       // 0: not known
	uint64_t first_line; // of the function; 0: not known
	enum function_kind kind;
};

frame_id build_frame(struct build *b, const struct build_frame *frame);
stack_id build_push(struct build *b, stack_id parent, const struct build_frame *frame);

/* A thread's sample; `count` 0 is left out. */
void build_sample(struct build *b, const struct capture_sample *sample);

/*
 * Gives a sample the next made-up time of its thread: samples of a thread follow each other, each
 * taking its count times step_ns.
 */
void build_make_time(struct build *b, struct capture_sample *sample);

/* A sample that has nothing but a stack and a count. */
void build_untimed(struct build *b, uint32_t thread, stack_id stack, uint64_t count);

/* What an importer starts a sample from. */
struct capture_sample build_blank_sample(uint32_t thread, stack_id stack);

#endif

// SPDX-License-Identifier: MIT
/*
 * The tables of a capture as chunks of its file: strings to stacks, processes, threads, facts,
 * markers, losses, spans. Rows are sent before anything that names them. docs/capture-format.md has the
 * bytes.
 */
#ifndef FIREGLASS_STORE_CAPTURE_TABLES_H
#define FIREGLASS_STORE_CAPTURE_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/capture.h"
#include "store/columns.h"
#include "store/span_table.h"

/* Types of chunks. */
enum chunk_type {
	CHUNK_STRINGS = 1,
	CHUNK_FUNCTIONS,
	CHUNK_FRAMES,
	CHUNK_STACKS,
	CHUNK_PROCESSES,
	CHUNK_THREADS,
	CHUNK_FACTS,
	CHUNK_MARKERS,
	CHUNK_LOSSES,
	CHUNK_SAMPLES,
	CHUNK_INDEX,
	CHUNK_END,
	CHUNK_SPANS,        // who does not know them may skip them,
	CHUNK_SAMPLE_SPANS, // as well as these: of the chunk of samples before
	CHUNK_TYPES,
};

/* True of tables; they are written in the order of their types. */
bool tables_are(uint8_t type);

/* Deeper stacks are refused by readers. */
#define CAPTURE_DEPTH_MAX 65536

/* What was sent of a capture so far. Zero-initialise. */
struct tables_sent {
	size_t rows[CHUNK_TYPES]; // of tables that only grow
	struct capture_process *processes;
	struct capture_thread *threads;
	struct capture_fact *facts;
	struct capture_loss *losses;
	struct sent_spans spans;
	size_t process_count, thread_count, fact_count, loss_count;
	size_t process_capacity, thread_capacity, fact_capacity, loss_capacity;
};

void tables_sent_deinit(struct tables_sent *sent);

/*
 * Puts what is new in a table (as much as makes a chunk) into `columns`, which are empty. False if
 * there is nothing. `to_ret` is for tables_commit().
 */
bool tables_draft(const struct tables_sent *sent, const struct capture *c, enum chunk_type type,
	struct columns *columns, size_t *to_ret);

/* That the draft was written. */
void tables_commit(
	struct tables_sent *sent, const struct capture *c, enum chunk_type type, size_t to);

/* Columns of a table's chunk. */
unsigned int tables_columns(enum chunk_type type);

/* What a reader has taken, and must know to check more. Zero-initialise but for `capture`. */
struct tables_reader {
	struct capture *capture;
	struct columns_reader in; // the chunk being taken
	uint32_t *depths;         // by stack
	size_t depth_capacity;
};

void tables_reader_deinit(struct tables_reader *r);

/* Takes the body of a table's chunk. */
struct err *tables_take(
	struct tables_reader *r, enum chunk_type type, const void *body, size_t len);

/* A chunk of losses with one row: for what the writer itself loses. */
void tables_put_loss(struct columns *columns, const struct capture_loss *loss);

#endif

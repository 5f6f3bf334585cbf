// SPDX-License-Identifier: MIT
/* What tests of importers share: files of tests/import/data, and sums over captures. */
#ifndef FIREGLASS_TESTS_IMPORT_CHECK_H
#define FIREGLASS_TESTS_IMPORT_CHECK_H

#include "base/buf.h"
#include "import/import.h"

/* Appends a file of tests/import/data. */
void import_check_load(struct buf *out, const char *file);

/* Sum of the counts of samples with this function as the leaf ("": none). */
uint64_t import_check_leaf(const struct capture *c, const char *function);

/* Samples of a thread, and the sum of their counts. */
struct import_sums {
	uint64_t rows, count, first_ns, last_ns;
	uint64_t states[SAMPLE_STATES];
};
struct import_sums import_check_thread(const struct capture *c, uint32_t thread);

/* Sum of the counts of samples with a flag. */
uint64_t import_check_flag(const struct capture *c, unsigned int flag);

/* All that the capture holds can be read; ends the program if not. */
void import_check_whole(const struct capture *c);

/* It is as after capture_init(). */
void import_check_empty(const struct capture *c);

/* Stacks with counts, as folded text with full paths: the caller's to free. */
char *import_check_folded(const struct capture *c);

#endif

// SPDX-License-Identifier: MIT
/* Quantities as people write them. */
#ifndef FIREGLASS_BASE_UNITS_H
#define FIREGLASS_BASE_UNITS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * A sampling rate as the time between two samples: "1000", "100hz", "10khz", "0.5hz" or a period
 * such as "250us", "10ms", "2s". Between 1 MHz and one sample in 1000 s, else ERR_USAGE.
 */
struct err *units_parse_rate(const char *text, uint64_t *period_ns_ret);

/* "10", "10s", "1.5m", "500ms", "2h": more than 0, at most 1000 days, else ERR_USAGE. */
struct err *units_parse_duration(const char *text, uint64_t *ns_ret);

/* "500k", "64M", "1.5GiB" (powers of 1024), "4096": more than 0, below 2^63, else ERR_USAGE. */
struct err *units_parse_size(const char *text, uint64_t *bytes_ret);

/* "12 345 678": digits in groups of three. */
void units_add_count(struct buf *out, uint64_t count);

/* "1.5 ms", "250 us", "12.3 s". */
void units_add_duration(struct buf *out, uint64_t ns);

/* "512 bytes", "1.50 kB", "23.4 MB": powers of 1000. */
void units_add_size(struct buf *out, uint64_t bytes);

/* "1000 Hz", "10 kHz". */
void units_add_rate(struct buf *out, uint64_t period_ns);

#endif
